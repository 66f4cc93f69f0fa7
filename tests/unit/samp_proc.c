/* samp_proc.c - the samplers of /proc that have metrics by name: exact values, digests, and what comes and goes */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "samp_rig.h"

static void check_array(struct fixture *f, const char *name, const char *want)
{
	struct value v = value(f, name);
	char out[512] = "";

	assert_int_equal(v.type, V_U64_ARRAY);
	for (uint32_t i = 0; i < v.count; i++)
		sprintf(out + strlen(out), "%s%llu", i ? "," : "", (unsigned long long)value_u64(v, i));
	assert_string_equal(out, want);
}

static void check_f32(struct fixture *f, const char *name, bool positive)
{
	struct value v = value(f, name);

	assert_int_equal(v.type, V_F32);
	if (positive)
		assert_true(value_d64(v, 0) > 0);
	else
		assert_true(value_d64(v, 0) == 0);
}

static uint32_t card(struct fixture *f)
{
	return image_card(f->sn->im.meta);
}

/* -- procstat ------------------------------------------------------------------------------------------------------ */

static void test_procstat(void **state)
{
	struct fixture *f = *state;

	config(f, "procstat", "maxcpu=4 sc_clk_tck=1");
	sample(f, "node-1/procstat");
	check_digest(f, "procstat", "7856CB16E8B77E20F9EEC162CB74F46D7B994E27E86FE3FC73043E203A957D41");
	check_u64(f, "cores_up", 2);
	check_u64(f, "cpu_enabled", 1);
	check_u64(f, "user", 20420);
	check_u64(f, "steal", 24);
	check_u64(f, "guest_nice", 0);
	check_u64(f, "hwintr_count", 673732);
	check_u64(f, "context_switches", 1559495);
	check_u64(f, "processes", 97969);
	check_u64(f, "procs_blocked", 0);
	check_u64(f, "softirq_count", 412484);
	check_array(f, "per_core_cpu_enabled", "1,1,0,0");
	check_array(f, "per_core_user", "9958,10462,0,0");
	check_array(f, "per_core_softirqd", "23,95,0,0");
	check_array(f, "per_core_steal", "8,16,0,0");
	check_u64(f, "sc_clk_tck", 100);
	assert_true(image_metric(f->sn->im.meta, (uint32_t)metric(f, "sc_clk_tck")).meta);

	/* offline, and more than the arrays hold */
	edit(f, "/proc/stat", "cpu1 10462", "cpu3 10462");
	sample(f, "node-1/procstat");
	check_array(f, "per_core_cpu_enabled", "1,0,0,1");
	check_array(f, "per_core_user", "9958,0,0,10462");
	edit(f, "/proc/stat", "cpu3 10462", "cpu2 1 2\ncpu4 10462");
	sample(f, "node-1/procstat");
	check_u64(f, "cores_up", 3);
	check_array(f, "per_core_cpu_enabled", "1,0,1,0");
	check_array(f, "per_core_user", "9958,0,1,0");
	assert_int_equal(status(f).errors, 0);
}

static void test_procstat_hotplug(void **state)
{
	struct fixture *f = *state;
	struct err err;

	config(f, "procstat", "");
	sample(f, "node-1/procstat");
	check_array(f, "per_core_user", "9958,10462");
	edit(f, "/proc/stat", "\nintr ", "\ncpu2 5 6 7 8 9 10 11 12 13 14\nintr ");
	sample(f, "node-1/procstat");
	check_array(f, "per_core_user", "9958,10462,5");
	check_array(f, "per_core_guest_nice", "0,0,14");
	edit(f, "/proc/stat", "ctxt 1559495", "what 7\nctxt 1559496");
	sample(f, "node-1/procstat");
	check_u64(f, "context_switches", 1559496);
	assert_int_equal(status(f).errors, 0);
	sysroot_put(f->root, "/proc/stat", "nothing of it\n");
	assert_int_equal(samp_once(f->sp, &err), -EPROTO);
	assert_non_null(strstr(err.msg, "/proc/stat: does not begin with `cpu`"));
}

/* -- procinterrupts ------------------------------------------------------------------------------------------------ */

static const char interrupts[] = "           CPU0       CPU1\n"
				 " 24:          1          0  ITS-MSI   0 Edge      vmd0\n"
				 " 25:          0          1  ITS-MSI   1 Edge      vmd1\n"
				 "NMI:          0          0   Non-maskable interrupts\n"
				 "LOC:     103774      96730   Local timer interrupts\n"
				 "ERR:          7\n"
				 "MIS:          0\n";

static void test_procinterrupts(void **state)
{
	struct fixture *f = *state;

	sysroot_make(f->root, "/proc/interrupts", interrupts);
	config(f, "procinterrupts", "");
	sample(f, "node-1/procinterrupts");
	assert_int_equal(card(f), 3 + 10);
	assert_int_equal(metric(f, "irq.24#0"), 3);
	assert_int_equal(metric(f, "irq.MIS#0"), 12);
	check_u64(f, "irq.24#0", 1);
	check_u64(f, "irq.25#1", 1);
	check_u64(f, "irq.LOC#1", 96730);
	check_u64(f, "irq.ERR#0", 7);

	/* a line moves: the same set; one comes, one goes, a processor comes: another */
	edit(f, "/proc/interrupts", "ERR:          7\nMIS:          0\n", "MIS:          3\nERR:          8\n");
	sample(f, "node-1/procinterrupts");
	assert_int_equal(card(f), 3 + 10);
	check_u64(f, "irq.ERR#0", 8);
	check_u64(f, "irq.MIS#0", 3);
	edit(f, "/proc/interrupts", "NMI:", " 26:          4          5 new\nNMI:");
	sample(f, "node-1/procinterrupts");
	assert_int_equal(card(f), 3 + 12);
	check_u64(f, "irq.26#1", 5);
	check_u64(f, "irq.LOC#1", 96730);
	edit(f, "/proc/interrupts", " 24:          1          0  ITS-MSI   0 Edge      vmd0\n", "");
	sample(f, "node-1/procinterrupts");
	assert_int_equal(card(f), 3 + 10);
	assert_int_equal(image_find(f->sn->im.meta, "irq.24#0"), -ENOENT);
	check_u64(f, "irq.25#1", 1);
	edit(f, "/proc/interrupts", "CPU1\n", "CPU1     CPU2\n");
	edit(f, "/proc/interrupts", "96730", "96730   11");
	sample(f, "node-1/procinterrupts");
	check_u64(f, "irq.LOC#2", 11);
	assert_int_equal(status(f).errors, 0);
	assert_int_equal(status(f).samples, 5);
}

/* More processors than ldmsd's line holds, and lines longer than a page. */
static void test_procinterrupts_wide(void **state)
{
	struct fixture *f = *state;
	char *text = xcalloc(1, 1 << 20), *p = text + sprintf(text, "     ");

	for (int i = 0; i < 600; i++)
		p += sprintf(p, "       CPU%-3d", i);
	for (int irq = 0; irq < 40; irq++) {
		p += sprintf(p, "\n%3d:", irq);
		for (int i = 0; i < 600; i++)
			p += sprintf(p, " %10d", 1000 * irq + i);
		p += sprintf(p, "  IR-PCI-MSI-0000:00:1f.2   %d-edge      ahci", irq);
	}
	sprintf(p, "\n");
	sysroot_make(f->root, "/proc/interrupts", text);
	config(f, "procinterrupts", "");
	sample(f, "node-1/procinterrupts");
	assert_int_equal(card(f), 3 + 40 * 600);
	check_u64(f, "irq.0#599", 599);
	check_u64(f, "irq.39#599", 39599);
	free(text);
}

static void test_procinterrupts_bad(void **state)
{
	static const char *const bad[] = { "x\n", "\n", "   CPU0 CPU1\n", "   CPU0 CPU1\nno colon 1 2\n" };
	struct fixture *f = *state;
	struct err err;

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		sysroot_make(f->root, "/proc/interrupts", bad[i]);
		assert_int_equal(try_config(f, "procinterrupts", "required=true", &err), -ENODATA);
		assert_non_null(strstr(err.msg, "/proc/interrupts: is no table of interrupts and processors"));
		stop(f);
	}
}

/* -- the network --------------------------------------------------------------------------------------------------- */

static void test_procnetdev(void **state)
{
	struct fixture *f = *state;

	config(f, "procnetdev", "ifaces=lo,eth0,nosuch0");
	sample(f, "node-1/procnetdev");
	check_digest(f, "procnetdev", "F0BCCA73D9B6C0263579B55638B1E5B24F77380FF9BDEC016E324C77C8885692");
	check_u64(f, "rx_bytes#lo", 800627);
	check_u64(f, "tx_packets#eth0", 3899);
	check_u64(f, "rx_bytes#nosuch0", 0);

	/* one comes; one goes and keeps what it had; a line that is too short is passed over */
	edit(f, "/proc/net/dev", "  ifb0:       0 ",
	     "nosuch0: 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20\n  ifb0:  0 ");
	edit(f, "/proc/net/dev", "    lo:  800627", "    xx:  800628");
	sample(f, "node-1/procnetdev");
	check_u64(f, "rx_bytes#nosuch0", 5);
	check_u64(f, "tx_compressed#nosuch0", 20);
	check_u64(f, "rx_bytes#lo", 800627);
	edit(f, "/proc/net/dev", "    xx:  800628", "    lo:  800629");
	edit(f, "/proc/net/dev", "nosuch0: 5 6 7 ", "nosuch0: 99 6 ");
	sample(f, "node-1/procnetdev");
	check_u64(f, "rx_bytes#lo", 800629);
	check_u64(f, "rx_bytes#nosuch0", 5);
	assert_int_equal(status(f).errors, 0);
}

static void test_procnet(void **state)
{
	struct fixture *f = *state;
	struct value v;
	const char *text;

	config(f, "procnet", "exclude_ports=eth0,xx");
	assert_int_equal(status(f).sets, 0);
	sample(f, "node-1/procnet/lo");
	assert_int_equal(status(f).sets, 1);
	check_digest(f, "procnet", "A9FB297F9D7516EAAF998F78C024B86CA43F7EC8751B7F39F6C743E1349FA4A3");
	v = value(f, "device");
	assert_int_equal(v.count, 20);
	assert_int_equal(value_text(v, &text), 2);
	assert_memory_equal(text, "lo", 2);
	check_u64(f, "update", 1);
	check_u64(f, "rx_bytes", 800627);
	check_u64(f, "tx_packets", 3377);

	/* only what changed is written */
	sample(f, "node-1/procnet/lo");
	check_u64(f, "update", 1);
	assert_int_equal(le64toh(f->sn->im.data->gn), 2);
	edit(f, "/proc/net/dev", "lo:  800627", "lo:  800628");
	sample(f, "node-1/procnet/lo");
	check_u64(f, "update", 2);
	check_u64(f, "rx_bytes", 800628);

	/* one comes into use, one goes, and comes back */
	edit(f, "/proc/net/dev", "  ifb1:       0 ", "  ifb1:       9 ");
	sample(f, "node-1/procnet/ifb1");
	check_u64(f, "rx_bytes", 9);
	assert_int_equal(status(f).sets, 2);
	edit(f, "/proc/net/dev", "    lo:", "   lo2:");
	sample(f, "node-1/procnet/lo2");
	assert_null(setdb_find(f->env.sets, "node-1/procnet/lo"));
	assert_int_equal(status(f).sets, 2);
	edit(f, "/proc/net/dev", "   lo2:", "    lo:");
	sample(f, "node-1/procnet/lo");
	check_u64(f, "update", 1);
	assert_null(setdb_find(f->env.sets, "node-1/procnet/lo2"));
	look(f, "node-1/procnet/ifb1");
	check_u64(f, "update", 1);
	assert_int_equal(status(f).errors, 0);
}

/* Interfaces that come and go by the hundred: containers have them. */
static void test_procnet_many(void **state)
{
	struct fixture *f = *state;
	char *text = xcalloc(1, 64 * 1000);

	config(f, "procnet", "");
	for (int round = 0; round < 20; round++) {
		char *p = text;

		for (int i = round * 7; i < round * 7 + 100 + round % 3; i++)
			p += sprintf(p, "veth%d: %d 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n", i, round + 1);
		sysroot_put(f->root, "/proc/net/dev", text);
		snprintf(text, 64, "node-1/procnet/veth%d", round * 7 + 99);
		sample(f, text);
		check_u64(f, "rx_bytes", (uint64_t)round + 1);
		assert_int_equal(status(f).sets, 100 + round % 3);
	}
	free(text);
}

/* -- procdiskstats ------------------------------------------------------------------------------------------------- */

#define VDA   " 254       0 vda 59645 10934 3748346 16618 34043 58939 7931936 34173 0 9208 52149 1 2 3 4 5 6\n"
#define LOOP0 "   7       0 loop0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n"
#define ZRAM0 " 253       0 zram0 1 2 3 4 5 6 7 8 9 10 11\n"

static void test_procdiskstats(void **state)
{
	struct fixture *f = *state;

	sysroot_make(f->root, "/proc/diskstats", LOOP0 VDA ZRAM0);
	config(f, "procdiskstats", "device=vda,nosuch");
	sample(f, "node-1/procdiskstats");
	assert_int_equal(card(f), 3 + 26);
	check_u64(f, "reads_comp#vda", 59645);
	check_u64(f, "weighted_time#vda", 52149);
	check_u64(f, "disk.byte_read#vda", 3748346ull * 512);
	check_u64(f, "disk.byte_written#vda", 7931936ull * 512);
	check_f32(f, "reads_comp.rate#vda", false);

	/* what is not asked for comes and goes; a counter that falls has no rate */
	sysroot_put(f->root, "/proc/diskstats",
		    "   8       1 sda1 1 1 1 1 1 1 1 1 1 1 1\n"
		    " 254       0 vda 59655 10930 3748346 16618 34043 58939 7931946 34173 0 9208 52149\n");
	sample(f, "node-1/procdiskstats");
	check_u64(f, "reads_comp#vda", 59655);
	check_f32(f, "reads_comp.rate#vda", true);
	check_f32(f, "reads_merg.rate#vda", false);
	check_f32(f, "sect_read.rate#vda", false);
	check_f32(f, "disk.byte_written.rate#vda", true);
	assert_int_equal(card(f), 3 + 26);

	sysroot_put(f->root, "/proc/diskstats", " 8 16 nosuch 1 2 3 4 5 6 7 8 9 10 11\n" VDA);
	sample(f, "node-1/procdiskstats");
	assert_int_equal(card(f), 3 + 52);
	check_u64(f, "reads_merg#nosuch", 2);
	check_u64(f, "reads_merg#vda", 10934);
	assert_int_equal(status(f).errors, 0);
}

static void test_procdiskstats_all(void **state)
{
	struct fixture *f = *state;

	sysroot_make(f->root, "/proc/diskstats", LOOP0 VDA ZRAM0);
	config(f, "procdiskstats", "");
	sample(f, "node-1/procdiskstats");
	assert_int_equal(metric(f, "reads_comp#loop0"), 3);
	assert_int_equal(metric(f, "reads_comp.rate#loop0"), 4);
	assert_int_equal(metric(f, "disk.byte_written.rate#zram0"), 3 + 3 * 26 - 1);
	sysroot_put(f->root, "/proc/diskstats", ZRAM0 LOOP0 VDA);
	sample(f, "node-1/procdiskstats");
	assert_int_equal(metric(f, "reads_comp#loop0"), 3);
	check_u64(f, "reads_comp#zram0", 1);
	check_u64(f, "reads_comp#vda", 59645);
	sysroot_put(f->root, "/proc/diskstats", ZRAM0 VDA);
	sample(f, "node-1/procdiskstats");
	assert_int_equal(card(f), 3 + 2 * 26);
	check_u64(f, "reads_comp#zram0", 1);
	sysroot_put(f->root, "/proc/diskstats", ZRAM0 VDA LOOP0);
	sample(f, "node-1/procdiskstats");
	assert_int_equal(card(f), 3 + 3 * 26);
	check_u64(f, "weighted_time#zram0", 11);
	assert_int_equal(status(f).errors, 0);
	assert_int_equal(status(f).samples, 4);
}

/* -- procnfs ------------------------------------------------------------------------------------------------------- */

static void test_procnfs(void **state)
{
	static const char text[] =
		"net 0 0 0 0\nrpc 1234 5 1234\n"
		"proc3 22 0 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30\nproc4 2 1 1\n";
	struct fixture *f = *state;
	struct err err;

	assert_int_equal(try_config(f, "procnfs", "required=true", &err), -ENOENT);
	assert_non_null(strstr(err.msg, "/proc/net/rpc/nfs: cannot be opened"));
	sysroot_make(f->root, "/proc/net/rpc/nfs", text);
	config(f, "procnfs", "");
	sample(f, "node-1/procnfs");
	check_digest(f, "procnfs", "55672D1E5BE6D1A351302FDABE3CC6344519A9148457471CDC06C7907B5EEAF2");
	check_u64(f, "numcalls", 1234);
	check_u64(f, "retransmitts", 5);
	check_u64(f, "getattr", 10);
	check_u64(f, "commit", 30);
	edit(f, "/proc/net/rpc/nfs", "proc3 22 0 10", "proc3 22 0 99");
	edit(f, "/proc/net/rpc/nfs", " 29 30\n", " 29\n");
	assert_int_equal(samp_once(f->sp, &err), -EPROTO);
	assert_non_null(strstr(err.msg, "its line `proc3` is missing or short"));
	look(f, "node-1/procnfs");
	check_u64(f, "getattr", 10); /* nothing half done */
	sysroot_put(f->root, "/proc/net/rpc/nfs", text);
	sample(f, "node-1/procnfs");
	assert_false(status(f).degraded);
}

/* -- attributes ---------------------------------------------------------------------------------------------------- */

static void test_bad_attrs(void **state)
{
	static const struct {
		const char *type, *conf, *words;
	} bad[] = {
		{ "procstat", "maxcpu=0", "maxcpu=0: must lie between 1 and 65536" },
		{ "procstat", "maxcpu=x", "maxcpu=: " },
		{ "procstat", "sc_clk_tck=perhaps", "sc_clk_tck=: " },
		{ "procstat", "metrics_type=x", "it has no attribute metrics_type" },
		{ "procnetdev", "", "the attribute ifaces= is missing; give it, as in ifaces=eth0,ib0" },
		{ "procnetdev", "ifaces=,", "ifaces=: has no name" },
		{ "procnetdev", "ifaces=lo,eth0,lo", "ifaces=: lo is there twice" },
		{ "procnetdev", "ifaces=a234567890123456", "names of interfaces have at most 15 bytes" },
		{ "procdiskstats", "devices=x", "did you mean device?" },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct err err = { 0 };

		assert_int_equal(try_config(f, bad[i].type, bad[i].conf, &err), -EINVAL);
		if (!strstr(err.msg, bad[i].words))
			fail_msg("%s: %s", bad[i].conf, err.msg);
		stop(f);
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_procstat),
		TEST(test_procstat_hotplug),
		TEST(test_procinterrupts),
		TEST(test_procinterrupts_wide),
		TEST(test_procinterrupts_bad),
		TEST(test_procnetdev),
		TEST(test_procnet),
		TEST(test_procnet_many),
		TEST(test_procdiskstats),
		TEST(test_procdiskstats_all),
		TEST(test_procnfs),
		TEST(test_bad_attrs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
