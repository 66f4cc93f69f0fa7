/* samplers.c - every sampler against recorded files: exact values, digests, and files that change their shape */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "samp_rig.h"

/* -- loadavg ------------------------------------------------------------------------------------------------------- */

static void test_loadavg(void **state)
{
	struct fixture *f = *state;

	config(f, "loadavg", "");
	sample(f, "node-1/loadavg");
	check_digest(f, "loadavg", "8BE378143DF8894C6C911EE1934E5BF166BAD9C012013D1E9F1361F0ACC249E1");
	assert_string_equal(f->sn->im.meta->producer, "node-1");
	assert_int_equal(le32toh(f->sn->im.meta->uid), 1);
	assert_int_equal(le32toh(f->sn->im.meta->gid), 2);
	assert_int_equal(le32toh(f->sn->im.meta->perm), 0440);
	check_u64(f, "component_id", 7);
	assert_true(image_metric(f->sn->im.meta, 0).meta);
	check_u64(f, "job_id", 0);
	check_u64(f, "app_id", 0);
	check_d64(f, "load1min", 0.35);
	check_d64(f, "load5min", 0.51);
	check_d64(f, "load15min", 0.32);
	check_u64(f, "runnable", 2);
	check_u64(f, "scheduling_entities", 153);
	check_u64(f, "newest_pid", 859);

	sysroot_put(f->root, "/proc/loadavg", "1234.56 0.00 9.99 1/2 4194304\n");
	sample(f, "node-1/loadavg");
	check_d64(f, "load1min", 1234.56);
	check_d64(f, "load5min", 0);
	check_d64(f, "load15min", 9.99);
	check_u64(f, "newest_pid", 4194304);
}

static void test_loadavg_subset(void **state)
{
	struct fixture *f = *state;

	config(f, "loadavg", "metrics=load1min,runnable force_integer");
	sample(f, "node-1/loadavg");
	check_digest(f, "loadavgi100100", "5A8D285992B6CE003CAE7B57124E518A37499992A2CC0075EBDDDCFF9A4B614B");
	check_u64(f, "load1min", 35);
	check_u64(f, "runnable", 2);
	assert_int_equal(image_card(f->sn->im.meta), 5);
	stop(f);

	config(f, "loadavg", "metrics=newest_pid,load5min");
	sample(f, "node-1/loadavg");
	assert_string_equal(image_schema(f->sn->im.meta), "loadavg010001");
	check_d64(f, "load5min", 0.51);
	check_u64(f, "newest_pid", 859);
	stop(f);

	config(f, "loadavg", "force_integer schema=mine");
	sample(f, "node-1/loadavg");
	assert_string_equal(image_schema(f->sn->im.meta), "mine");
	check_u64(f, "load15min", 32);
}

static void test_loadavg_bad(void **state)
{
	static const char *const bad[] = { "x", "0.35", "0.35 0.51 0.32 2", "1 2 3 4/5 6\n",
					   "0.355 1.00 1.00 1/2 3\n" };
	struct fixture *f = *state;
	struct samp_status st;
	struct err err;

	config(f, "loadavg", "");
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		sysroot_put(f->root, "/proc/loadavg", bad[i]);
		assert_int_equal(samp_once(f->sp, &err), -EPROTO);
		assert_non_null(strstr(err.msg, "/proc/loadavg: is not "));
	}
	samp_status(f->sp, &st);
	assert_true(st.degraded);
	assert_int_equal(st.errors, 5);
	assert_string_equal(st.why, err.msg);
	sysroot_put(f->root, "/proc/loadavg", "0.10 0.20 0.30 4/5 6\n");
	sample(f, "node-1/loadavg");
	check_d64(f, "load15min", 0.3);
	samp_status(f->sp, &st);
	assert_false(st.degraded);
	assert_int_equal(st.samples, 1);
}

/* -- lines of name and value --------------------------------------------------------------------------------------- */

static void test_meminfo(void **state)
{
	struct fixture *f = *state;

	config(f, "meminfo", "component_id=node0012");
	sample(f, "node-1/meminfo");
	check_digest(f, "meminfo", "4B6356268C98436AAC94DD173E51FA054621B9BB1F4C05E530F1B151930AA0BE");
	check_u64(f, "component_id", 12);
	check_u64(f, "MemTotal", 24684084);
	check_u64(f, "SwapCached", 0);
	edit(f, "/proc/meminfo", "MemFree:        23730156", "MemFree:            1234");
	edit(f, "/proc/meminfo", "MemTotal:       24684084", "MemTotal:       246840841234");
	sample(f, "node-1/meminfo");
	check_u64(f, "MemTotal", 246840841234);
	check_u64(f, "MemFree", 1234);
	check_digest(f, "meminfo", "4B6356268C98436AAC94DD173E51FA054621B9BB1F4C05E530F1B151930AA0BE");
}

static void test_vmstat(void **state)
{
	struct fixture *f = *state;

	config(f, "vmstat", "");
	sample(f, "node-1/vmstat");
	check_digest(f, "vmstat", "A2870AEA0A5E25C1945023136AF6B4C0489EAEE1730B950EFA68DE38AE440C09");
	assert_int_equal(image_card(f->sn->im.meta), 3 + 192);
	check_u64(f, "nr_free_pages", 1491295);
	check_u64(f, "nr_free_pages_blocks", 1179136);
	check_u64(f, "nr_zone_write_pending", 327);
}

/* A line that comes or goes makes the set anew; nothing shifts. */
static void test_lines_come_and_go(void **state)
{
	struct fixture *f = *state;
	struct samp_status st;
	struct set *old;

	sysroot_put(f->root, "/proc/vmstat", "a 1\nb 2\nc 3\n");
	config(f, "vmstat", "");
	sample(f, "node-1/vmstat");
	check_u64(f, "c", 3);
	old = setdb_find(f->env.sets, "node-1/vmstat");

	sysroot_put(f->root, "/proc/vmstat", "a 10\nnew 15\nb 20\nc 30\n");
	sample(f, "node-1/vmstat");
	assert_int_equal(image_card(f->sn->im.meta), 3 + 4);
	check_u64(f, "a", 10);
	check_u64(f, "new", 15);
	check_u64(f, "b", 20);
	check_u64(f, "c", 30);
	assert_true(old->deleted);
	set_put(old);

	sysroot_put(f->root, "/proc/vmstat", "a 11\nnew 16\nc 31\n");
	sample(f, "node-1/vmstat");
	assert_int_equal(image_find(f->sn->im.meta, "b"), -ENOENT);
	check_u64(f, "c", 31);

	/* at the front, and at the end */
	sysroot_put(f->root, "/proc/vmstat", "z 0\na 12\nnew 17\nc 32\ny 9\n");
	sample(f, "node-1/vmstat");
	check_u64(f, "z", 0);
	check_u64(f, "a", 12);
	check_u64(f, "c", 32);
	check_u64(f, "y", 9);
	sysroot_put(f->root, "/proc/vmstat", "a 13\nnew 18\nc 33\n");
	sample(f, "node-1/vmstat");
	assert_int_equal(image_card(f->sn->im.meta), 3 + 3);
	check_u64(f, "c", 33);
	samp_status(f->sp, &st);
	assert_int_equal(st.samples, 5);
	assert_int_equal(st.errors, 0);
	assert_int_equal(st.sets, 1);
}

/* The same lines in another order are the same set. */
static void test_lines_move(void **state)
{
	struct fixture *f = *state;
	struct set *before, *after;

	sysroot_put(f->root, "/proc/meminfo", "A: 1 kB\nAB: 2 kB\nABC: 3\nA: 4\n");
	config(f, "meminfo", "");
	sample(f, "node-1/meminfo");
	before = setdb_find(f->env.sets, "node-1/meminfo");
	for (int twice = 0; twice < 2; twice++) {
		sysroot_put(f->root, "/proc/meminfo",
			    twice ? "ABC: 31\nAB: 21\nA: 11\nA: 41\n" : "AB: 20\nA: 10 kB\nABC: 30\nA: 40\n");
		sample(f, "node-1/meminfo");
		check_u64(f, "A", twice ? 11 : 10);
		check_u64(f, "AB", twice ? 21 : 20);
		check_u64(f, "ABC", twice ? 31 : 30);
		assert_int_equal(image_card(f->sn->im.meta), 3 + 3);
	}
	after = setdb_find(f->env.sets, "node-1/meminfo");
	assert_ptr_equal(before, after);
	set_put(before);
	set_put(after);
}

/* Names that no set can hold are passed over, and a line of another form ends the list. */
static void test_lines_odd(void **state)
{
	struct fixture *f = *state;
	char *text, longname[400];

	memset(longname, 'n', sizeof(longname));
	longname[sizeof(longname) - 1] = 0;
	text = xasprintf("a 1\n%s 2\nb 3\njob_id 4\nc -5\nd 6\n", longname);
	sysroot_put(f->root, "/proc/vmstat", text);
	config(f, "vmstat", "");
	sample(f, "node-1/vmstat");
	assert_int_equal(image_card(f->sn->im.meta), 3 + 2);
	check_u64(f, "a", 1);
	check_u64(f, "b", 3);
	check_u64(f, "job_id", 0);
	free(text);
}

/* -- procstat2 ----------------------------------------------------------------------------------------------------- */

#define CPUS3                                                                                                          \
	"cpu 20420 1303 13798 193082 458 0 119 24 0 0|cpu0 9958 636 6795 97117 47 0 23 8 0 0|"                         \
	"cpu1 10462 666 7002 95964 411 0 95 16 0 0"

static void test_procstat2(void **state)
{
	struct fixture *f = *state;
	struct samp_status st;

	config(f, "procstat2", "");
	sample(f, "node-1/procstat2");
	check_digest(f, "procstat2", "78935B2B0B932E5FDFD20CF29B561B842978B4A5E75663A3AEB02FD5E3F7712E");
	assert_int_equal(le32toh(f->sn->im.meta->heap_sz), 512);
	check_records(f, "cpu_list", CPUS3);
	check_u64(f, "ctxt", 1559495);
	check_u64(f, "btime", 1795186023);
	check_u64(f, "processes", 97969);
	check_u64(f, "procs_running", 1);
	check_u64(f, "procs_blocked", 0);
	assert_string_equal(image_metric(f->sn->im.meta, (uint32_t)metric(f, "btime")).unit, "seconds");
	samp_status(f->sp, &st);
	assert_int_equal(st.sets, 1);
}

/* Processors that are taken out and come back, also more of them than there were. */
static void test_procstat2_hotplug(void **state)
{
	struct fixture *f = *state;
	char want[4096] = CPUS3;
	struct samp_status st;

	config(f, "procstat2", "");
	sample(f, "node-1/procstat2");
	edit(f, "/proc/stat", "cpu1 10462 666 7002 95964 411 0 95 16 0 0\n", "");
	edit(f, "/proc/stat", "ctxt 1559495", "new_word 5\nctxt 1559496");
	sample(f, "node-1/procstat2");
	check_records(f, "cpu_list",
		      "cpu 20420 1303 13798 193082 458 0 119 24 0 0|cpu0 9958 636 6795 97117 47 0 23 8 0 0");
	check_u64(f, "ctxt", 1559496);
	edit(f, "/proc/stat", "intr", "cpu1 10462 666 7002 95964 411 0 95 16 0 0\nintr");
	sample(f, "node-1/procstat2");
	check_records(f, "cpu_list", want);
	for (int i = 2; i < 20; i++) {
		char line[64];

		snprintf(line, sizeof(line), "cpu%d %d\nintr", i, i);
		edit(f, "/proc/stat", "intr", line);
		snprintf(want + strlen(want), 64, "|cpu%d %d 0 0 0 0 0 0 0 0 0", i, i);
		sample(f, "node-1/procstat2");
		check_records(f, "cpu_list", want);
	}
	samp_status(f->sp, &st);
	assert_int_equal(st.errors, 0);
}

static void test_procstat2_interrupts(void **state)
{
	struct fixture *f = *state;
	struct samp_status st;
	struct value v;

	config(f, "procstat2", "interrupt=true soft_interrupt=true");
	sample(f, "node-1/procstat2_intr");
	check_digest(f, "procstat2_intr", "7B71C0D719ADA4115E82A6E12EAA4D4DFC83978E4C1188B303E0C877340FB8FE");
	assert_int_equal(le32toh(f->sn->im.meta->heap_sz), 27648);
	v = value(f, "intr_list");
	assert_int_equal(list_len(v), 425);
	assert_int_equal(value_u64(list_value(&f->sn->im, list_first(v)), 0), 673732);
	look(f, "node-1/procstat2_softirq");
	check_digest(f, "procstat2_softirq", "0CB49A66E0B39149EC1B0E2E9CBE2020BA2C5C93D88B689EB040424F350D7D70");
	assert_int_equal(list_len(value(f, "softirq_list")), 11);
	assert_int_equal(le32toh(f->sn->im.meta->heap_sz), 27648);
	edit(f, "/proc/stat", "softirq ", "softirq 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 ");
	sample(f, "node-1/procstat2_softirq");
	assert_int_equal(list_len(value(f, "softirq_list")), 28);
	edit(f, "/proc/stat", "\nsoftirq ", "\nsoftirq 77\nwas ");
	sample(f, "node-1/procstat2_softirq");
	v = value(f, "softirq_list");
	assert_int_equal(list_len(v), 1);
	assert_int_equal(value_u64(list_value(&f->sn->im, list_first(v)), 0), 77);
	samp_status(f->sp, &st);
	assert_int_equal(st.sets, 3);
}

/* -- procnetdev2 --------------------------------------------------------------------------------------------------- */

#define LO   "lo 800627 3377 0 0 0 0 0 0 800627 3377 0 0 0 0 0 0"
#define IFB0 "ifb0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0"
#define IFB1 "ifb1 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0"
#define ETH0 "eth0 315595627 6028 0 0 0 0 0 0 276890 3899 0 0 0 0 0 0"

static void test_procnetdev2(void **state)
{
	struct fixture *f = *state;

	config(f, "procnetdev2", "");
	sample(f, "node-1/procnetdev2");
	check_digest(f, "procnetdev2", "E8B9CC8D83FB4E5B779071E801CA351B69DCB9E9CE2601A0B127A2977F11C62A");
	assert_int_equal(le32toh(f->sn->im.meta->heap_sz), 49152);
	check_records(f, "netdev_list", LO "|" IFB0 "|" IFB1 "|" ETH0);
	edit(f, "/proc/net/dev", "  ifb0:       0 ",
	     "  eth9: 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20\n  ifb0:       1 ");
	sample(f, "node-1/procnetdev2");
	check_records(f, "netdev_list",
		      LO "|eth9 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20|"
			 "ifb0 1 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0|" IFB1 "|" ETH0);
	edit(f, "/proc/net/dev", "    lo:", "    lo ");
	edit(f, "/proc/net/dev", "  ifb1:", "  ifb1 ");
	sample(f, "node-1/procnetdev2");
	check_records(f, "netdev_list",
		      "eth9 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20|ifb0 1 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0|" ETH0);
	sysroot_put(f->root, "/proc/net/dev", "Inter-|\n face |bytes\n");
	sample(f, "node-1/procnetdev2");
	check_records(f, "netdev_list", "");
	sysroot_put(f->root, "/proc/net/dev", "Inter-|\n face |bytes\n a23456789012345:1 2\n");
	sample(f, "node-1/procnetdev2");
	check_records(f, "netdev_list", "a23456789012345 1 2 0 0 0 0 0 0 0 0 0 0 0 0 0 0");
}

static void test_procnetdev2_filter(void **state)
{
	struct fixture *f = *state;

	config(f, "procnetdev2", "ifaces=eth0,lo,eth9");
	sample(f, "node-1/procnetdev2");
	check_records(f, "netdev_list", LO "|" ETH0);
	stop(f);
	config(f, "procnetdev2", "exclude=lo,ifb1,ifb");
	sample(f, "node-1/procnetdev2");
	check_records(f, "netdev_list", IFB0 "|" ETH0);
}

/* More interfaces than ldmsd can hold. */
static void test_procnetdev2_many(void **state)
{
	struct fixture *f = *state;
	char *text = xcalloc(1, 64 * 1000);
	size_t n = 0;

	config(f, "procnetdev2", "");
	sample(f, "node-1/procnetdev2");
	for (int i = 0; i < 700; i++)
		n += (size_t)sprintf(text + n, "veth%d: %d %d\n", i, i, 2 * i);
	sysroot_put(f->root, "/proc/net/dev", text);
	sample(f, "node-1/procnetdev2");
	assert_int_equal(list_len(value(f, "netdev_list")), 700);
	free(text);
}

/* -- synth --------------------------------------------------------------------------------------------------------- */

static void test_synth(void **state)
{
	struct fixture *f = *state;
	struct set *sets[8];

	config(f, "synth", "sets=3 metrics=4 change=50 records=2");
	sample(f, "node-1/synth/2");
	sample(f, "node-1/synth/2");
	assert_string_equal(image_schema(f->sn->im.meta), "synth");
	check_u64(f, "m0", 2);
	check_u64(f, "m1", 3);
	check_u64(f, "m2", 0);
	check_records(f, "recs", "r0 2 1|r1 3 1.5");
	assert_int_equal(samp_sets(f->sp, sets, 8), 3);
	assert_string_equal(sets[0]->name, "node-1/synth/0");
	for (int i = 0; i < 3; i++)
		set_put(sets[i]);
}

static void test_synth_types(void **state)
{
	static const char *const scalars[] = { "char", "u8",  "s8",  "u16", "s16", "u32",
					       "s32",  "u64", "s64", "f32", "d64" };
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(scalars) / sizeof(*scalars); i++)
		for (int array = 0; array < 2; array++) {
			char type[16], conf[64];
			struct value v;

			snprintf(type, sizeof(type), "%s%s", scalars[i], array ? "[]" : "");
			snprintf(conf, sizeof(conf), "type=%s metrics=2 array=3", type);
			config(f, "synth", conf);
			sample(f, "node-1/synth");
			v = value(f, "m1");
			assert_string_equal(value_type_name(v.type), type);
			assert_int_equal(v.count, array ? 3 : 1);
			if (i)
				assert_int_equal(value_u64(v, 0), 2);
			else
				assert_int_equal(*v.p, 'c');
			if (array && i)
				assert_int_equal(value_u64(v, 2), 4);
			stop(f);
		}
}

/* -- what every sampler takes -------------------------------------------------------------------------------------- */

static void test_common_attrs(void **state)
{
	struct fixture *f = *state;

	config(f, "meminfo",
	       "producer=p instance=i/x component_id=abc schema=other uid=root gid=12 perm=0777 set_array_card=3 "
	       "job_set=p/slurm exclusive_thread=1 required=true");
	sample(f, "i/x");
	assert_string_equal(f->sn->im.meta->producer, "p");
	assert_string_equal(image_schema(f->sn->im.meta), "other");
	check_u64(f, "component_id", 0);
	assert_int_equal(le32toh(f->sn->im.meta->uid), 0);
	assert_int_equal(le32toh(f->sn->im.meta->gid), 12);
	assert_int_equal(le32toh(f->sn->im.meta->perm), 0777);
	assert_int_equal(le32toh(f->sn->im.meta->array_card), 3);
	stop(f);
	config(f, "meminfo", "set_array_card=-2 instance= schema=");
	sample(f, "node-1/meminfo");
	assert_int_equal(le32toh(f->sn->im.meta->array_card), 1);
	assert_string_equal(image_schema(f->sn->im.meta), "meminfo");
}

static void test_bad_attrs(void **state)
{
	static const struct {
		const char *type, *conf, *words;
	} bad[] = {
		{ "meminfo", "instanse=x", "sampler meminfo: it has no attribute instanse; did you mean instance?" },
		{ "meminfo", "qqqqqqqq=x", "it has no attribute qqqqqqqq; " },
		{ "meminfo", "set=x", "it has no attribute set" },
		{ "meminfo", "perm=99", "sampler meminfo: perm=99: must be an octal number" },
		{ "meminfo", "perm=01000", "perm=01000: must be" },
		{ "meminfo", "perm=0", "perm=0: must be" },
		{ "meminfo", "uid=nobody-of-that-name", "uid=nobody-of-that-name: there is no such user here" },
		{ "meminfo", "gid=nobody-of-that-name", "there is no such group here" },
		{ "meminfo", "uid=99999999999", "uid=99999999999: is no number of a user" },
		{ "meminfo", "set_array_card=many", "set_array_card=many: is no number" },
		{ "meminfo", "required=perhaps", "required=: " },
		{ "loadavg", "metrics=load1min,load2min", "metrics=: unknown metric load2min" },
		{ "procstat2", "interrupt=perhaps", "interrupt=: " },
		{ "procstat2", "interrupt intr_max=x", "intr_max=: " },
		{ "synth", "metrics=x", "metrics=: " },
		{ "synth", "sets=0", "sets=0: must lie between 1 and " },
		{ "synth", "change=101", "change=101: must lie between 0 and 100" },
		{ "synth", "type=u65", "type=u65: is no type" },
		{ "synth", "type=list<>", "type=list<>: is no type" },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct samp_status st;
		struct err err = { 0 };

		assert_int_equal(try_config(f, bad[i].type, bad[i].conf, &err), -EINVAL);
		if (!strstr(err.msg, bad[i].words))
			fail_msg("%s: %s", bad[i].conf, err.msg);
		samp_status(f->sp, &st);
		assert_int_equal(st.state, SAMP_LOADED);
		assert_int_equal(st.sets, 0);
		config(f, bad[i].type, ""); /* and may be repeated */
		assert_int_equal(try_config(f, bad[i].type, "", &err), -EBUSY);
		stop(f);
	}
}

static void test_name_in_use(void **state)
{
	struct fixture *f = *state;
	struct samp *first;
	struct err err;

	config(f, "loadavg", "instance=same");
	first = f->sp;
	f->sp = NULL;
	assert_int_equal(try_config(f, "meminfo", "instance=same", &err), -EEXIST);
	assert_non_null(strstr(err.msg, "same"));
	samp_free(f->sp);
	f->sp = first;
}

/* A source that is missing degrades; it is looked for again, and found. */
static void test_missing_source(void **state)
{
	struct fixture *f = *state;
	struct samp_status st;
	char *text = sysroot_get(f->root, "/proc/meminfo");
	struct err err;

	sysroot_del(f->root, "/proc/meminfo");
	assert_int_equal(try_config(f, "meminfo", "required=yes", &err), -ENOENT);
	assert_non_null(strstr(err.msg, "/proc/meminfo: cannot be opened: No such file"));
	config(f, "meminfo", "");
	samp_status(f->sp, &st);
	assert_int_equal(st.state, SAMP_CONFIGURED);
	assert_true(st.degraded);
	assert_int_equal(st.sets, 0);
	assert_int_equal(samp_once(f->sp, &err), -ENOENT);
	sysroot_put(f->root, "/proc/meminfo", "not what it should be\n");
	assert_int_equal(samp_once(f->sp, &err), -ENODATA);
	sysroot_put(f->root, "/proc/meminfo", text);
	sample(f, "node-1/meminfo");
	check_u64(f, "MemTotal", 24684084);
	samp_status(f->sp, &st);
	assert_false(st.degraded);
	assert_int_equal(st.errors, 3);
	free(text);
}

static void test_table(void **state)
{
	for (size_t i = 0; samp_types[i]; i++) {
		assert_ptr_equal(samp_type_find(samp_types[i]->name), samp_types[i]);
		assert_true(!i || strcmp(samp_types[i - 1]->name, samp_types[i]->name) < 0);
		assert_non_null(samp_types[i]->brief);
		assert_non_null(samp_types[i]->source);
	}
	assert_null(samp_type_find("nothing"));
}

static void test_not_built_in(void **state)
{
	struct fixture *f = *state;
	struct err err;

	assert_null(samp_new(&f->env, &(const struct samp_type){ .name = "gpu", .needs = "libgpu" }, "gpu", &err));
	assert_string_equal(err.msg, "sampler gpu: this ldms was built without libgpu; install it and run make again");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_loadavg),
		TEST(test_loadavg_subset),
		TEST(test_loadavg_bad),
		TEST(test_meminfo),
		TEST(test_vmstat),
		TEST(test_lines_come_and_go),
		TEST(test_lines_move),
		TEST(test_lines_odd),
		TEST(test_procstat2),
		TEST(test_procstat2_hotplug),
		TEST(test_procstat2_interrupts),
		TEST(test_procnetdev2),
		TEST(test_procnetdev2_filter),
		TEST(test_procnetdev2_many),
		TEST(test_synth),
		TEST(test_synth_types),
		TEST(test_common_attrs),
		TEST(test_bad_attrs),
		TEST(test_name_in_use),
		TEST(test_missing_source),
		cmocka_unit_test(test_table),
		TEST(test_not_built_in),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
