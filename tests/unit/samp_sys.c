/* samp_sys.c - the samplers of single files, of the memory's errors and of the daemon itself */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <sys/socket.h>

#include "samp_rig.h"

/* -- clock --------------------------------------------------------------------------------------------------------- */

static void test_clock(void **state)
{
	struct fixture *f = *state;

	config(f, "clock", "");
	for (uint64_t i = 1; i <= 3; i++) {
		sample(f, "node-1/clock");
		check_u64(f, "null_tick", i);
	}
	check_digest(f, "clock", "3A9D5CA9A868751271FBE6AD3916C33EEFDACAED86573B5BC17DED5A59F40E43");
}

/* -- edac ---------------------------------------------------------------------------------------------------------- */

#define MC "/sys/devices/system/edac/mc"

static void edac_put(struct fixture *f, int mc, int rows, int channels)
{
	static const char *const files[] = { "ce_count", "ce_noinfo_count", "ue_count", "ue_noinfo_count",
					     "seconds_since_reset" };
	char path[128], text[16];

	for (int i = 0; i < 5; i++) {
		snprintf(path, sizeof(path), MC "/mc%d/%s", mc, files[i]);
		snprintf(text, sizeof(text), "%d\n", 10 * mc + i);
		sysroot_make(f->root, path, text);
	}
	for (int j = 0; j < rows; j++)
		for (int k = -2; k < channels; k++) {
			snprintf(path, sizeof(path), MC "/mc%d/csrow%d/%s", mc, j,
				 k == -2   ? "ce_count"
				 : k == -1 ? "ue_count"
					   : "ch");
			if (k >= 0)
				sprintf(path + strlen(path), "%d_ce_count", k);
			snprintf(text, sizeof(text), "%d\n", 100 * mc + 10 * j + k + 2);
			sysroot_make(f->root, path, text);
		}
}

static void test_edac(void **state)
{
	struct fixture *f = *state;
	struct err err;

	assert_int_equal(try_config(f, "edac", "required=true", &err), -ENOENT);
	assert_non_null(strstr(err.msg, MC ": has no controller; is a driver for it loaded (edac)?"));
	edac_put(f, 0, 2, 2);
	edac_put(f, 1, 2, 2);
	config(f, "edac", "max_mc=2 max_csrow=2");
	sample(f, "node-1/edac");
	/* what ldmsd makes of such a tree */
	check_digest(f, "edac", "0308B76AEB210823B4AD942229D12FA2B8F954072270A039CA1861C60CB6BF31");
	check_u64(f, "mc1_ce_noinfo_count", 11);
	check_u64(f, "mc1_csrow1_ch0_ce_count", 112);
	check_u64(f, "mc0_seconds_since_reset", 4);
	sysroot_put(f->root, MC "/mc1/csrow1/ue_count", "77\n");
	sample(f, "node-1/edac");
	check_u64(f, "mc1_csrow1_ue_count", 77);
	sysroot_put(f->root, MC "/mc1/csrow1/ue_count", "what\n");
	assert_int_equal(samp_once(f->sp, &err), -EPROTO);
	assert_non_null(strstr(err.msg, MC "/mc1/csrow1/ue_count: begins with no number but `what`; "));
	stop(f);

	config(f, "edac", "max_channel=8"); /* all that there is */
	sysroot_put(f->root, MC "/mc1/csrow1/ue_count", "78\n");
	sample(f, "node-1/edac");
	assert_int_equal(image_card(f->sn->im.meta), 3 + 2 * (5 + 2 * 4));
	check_u64(f, "mc1_csrow0_ch1_ce_count", 103);
	stop(f);

	assert_int_equal(try_config(f, "edac", "required=true max_mc=3", &err), -ENOENT);
	assert_non_null(strstr(err.msg, "max_mc=, max_csrow=: "));
	assert_non_null(strstr(err.msg, MC "/mc2/ce_count: cannot be opened"));
}

/* -- filesingle ---------------------------------------------------------------------------------------------------- */

static void files_conf(struct fixture *f, const char *text, char *conf, size_t size)
{
	sysroot_make(f->root, "/etc/files.conf", text);
	snprintf(conf, size, "conf=%s/etc/files.conf timing=%d", f->root, !strstr(text, "untimed"));
}

static void test_filesingle(void **state)
{
	struct fixture *f = *state;
	struct value v;
	char conf[256];

	sysroot_make(f->root, "/proc/sys/vm/dirty_ratio", "20\n");
	files_conf(f,
		   "# what\n\ndirty_ratio /proc/sys/vm/dirty_ratio U32 0\nload /proc/loadavg F32 0\n"
		   "gone /sys/gone S64 -1\nch\t/proc/meminfo\tCHAR x\r\n",
		   conf, sizeof(conf));
	config(f, "filesingle", conf);
	sample(f, "node-1/filesingle");
	check_digest(f, "filesingle", "9AB5BDCD6776A47C3B6EC3DA6419A8A87D9B61D3BFEA4C77F426B0ED8ACC1F88");
	assert_int_equal(value_u64(value(f, "dirty_ratio"), 0), 20);
	assert_true((float)value_d64(value(f, "load"), 0) == 0.35f);
	assert_int_equal(value_s64(value(f, "gone"), 0), -1);
	v = value(f, "ch");
	assert_int_equal(v.type, V_CHAR);
	assert_int_equal(*v.p, 'M');
	assert_int_equal(value_s64(value(f, "gone.time"), 0), 0);
	sysroot_make(f->root, "/sys/gone", "-5000000000 x\n");
	sysroot_put(f->root, "/proc/sys/vm/dirty_ratio", "none\n");
	sample(f, "node-1/filesingle");
	assert_int_equal(value_s64(value(f, "gone"), 0), -5000000000);
	assert_int_equal(value_u64(value(f, "dirty_ratio"), 0), 0);
	assert_false(status(f).degraded);
}

/* What fits the type, and what does not. */
static void test_filesingle_types(void **state)
{
	static const struct {
		const char *type, *text;
		double want; /* 9: the default */
	} rows[] = {
		{ "U8", "255", 255 },
		{ "U8", "256", 9 },
		{ "U8", "-1", 9 },
		{ "U8", "-0", 0 },
		{ "S8", "127", 127 },
		{ "S8", "-128", -128 },
		{ "S8", "-129", 9 },
		{ "S8", "128", 9 },
		{ "u16", "65535", 65535 },
		{ "U16", "65536", 9 },
		{ "S16", "-32768", -32768 },
		{ "S16", "32768", 9 },
		{ "U32", "0x1f", 31 },
		{ "U32", "4294967296", 9 },
		{ "S32", "-2147483648", -2147483648. },
		{ "S32", "2147483648", 9 },
		{ "U64", "4294967297", 4294967297. },
		{ "U64", "18446744073709551616", 9 },
		{ "S64", "-9223372036854775809", 9 },
		{ "S64", "9223372036854775808", 9 },
		{ "U64", "", 9 },
		{ "U64", "abc", 9 },
		{ "U64", "0100 x", 100 },
		{ "S32", "  -7 8", -7 },
		{ "D64", "1e3", 1000 },
		{ "F32", "-0.5x", -0.5 },
		{ "D64", "x", 9 },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char text[128], conf[256];

		sysroot_make(f->root, "/sys/number", rows[i].text);
		snprintf(text, sizeof(text), "untimed /sys/number %s 9\n", rows[i].type);
		files_conf(f, text, conf, sizeof(conf));
		config(f, "filesingle", conf);
		sample(f, "node-1/filesingle");
		if (value_d64(value(f, "untimed"), 0) != rows[i].want)
			fail_msg("%s of type %s: %g", rows[i].text, rows[i].type, value_d64(value(f, "untimed"), 0));
		stop(f);
	}
}

/* A file that is replaced by a new one of its name is followed. */
static void test_filesingle_replaced(void **state)
{
	struct fixture *f = *state;
	char conf[256], *from = sysroot_path(f->root, "/run/new"), *to = sysroot_path(f->root, "/run/value");

	sysroot_make(f->root, "/run/value", "1");
	files_conf(f, "v /run/value U64 0\n", conf, sizeof(conf));
	config(f, "filesingle", conf);
	sample(f, "node-1/filesingle");
	check_u64(f, "v", 1);
	sysroot_put(f->root, "/run/new", "2");
	assert_int_equal(rename(from, to), 0);
	sample(f, "node-1/filesingle");
	check_u64(f, "v", 2);
	free(from);
	free(to);
}

#define LONG16 "xxxxxxxxxxxxxxxx"
#define LONG256                                                                                                        \
	LONG16 LONG16 LONG16 LONG16 LONG16 LONG16 LONG16 LONG16 LONG16 LONG16 LONG16 LONG16 LONG16 LONG16 LONG16 LONG16

static void test_filesingle_bad(void **state)
{
	static const struct {
		const char *text, *words;
	} bad[] = {
		{ "", "files.conf: has no line `name path type default`" },
		{ "#\n a b c\n", "files.conf:2: a line is `name path type default`" },
		{ "a /b U8 1 2\n", "files.conf:1: a line is `name path type default`" },
		{ "a b U8 1\n", "files.conf:1: path b: must begin with /" },
		{ "a /b U9 1\n", "files.conf:1: type U9: is none of CHAR U8 " },
		{ "a /b U8 300\n", "files.conf:1: default 300: is no U8" },
		{ "a /b S64 -" LONG256 LONG256 "\n", "files.conf:1: default -xxx" },
		{ "a /b U8 1\na /c U8 1\n", "files.conf:2: " },
		{ "job_id /b U8 1\n", "files.conf:1: " },
	};
	struct fixture *f = *state;
	char conf[256];
	struct err err;

	assert_int_equal(try_config(f, "filesingle", "", &err), -EINVAL);
	assert_non_null(strstr(err.msg, "the attribute conf= is missing"));
	assert_int_equal(try_config(f, "filesingle", "conf=/nowhere/at/all", &err), -EINVAL);
	assert_non_null(strstr(err.msg, "conf=/nowhere/at/all: cannot be opened: No such file"));
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		files_conf(f, bad[i].text, conf, sizeof(conf));
		assert_int_equal(try_config(f, "filesingle", conf, &err), -EINVAL);
		if (!strstr(err.msg, bad[i].words))
			fail_msg("%s: %s", bad[i].text, err.msg);
	}
}

/* -- dstat --------------------------------------------------------------------------------------------------------- */

static void self_put(struct fixture *f)
{
	sysroot_make(f->root, "/proc/self/io",
		     "rchar: 840758\nwchar: 3980\nsyscr: 2853\nsyscw: 17\nread_bytes: 49152\nwrite_bytes: 8192\n"
		     "cancelled_write_bytes: 0\n");
	sysroot_make(f->root, "/proc/self/stat",
		     "30297 (a) (b) S 30286 1 1 0 -1 4194624 983 1 2 3 4 5 -6 -7 20 -5 8 0 12345 422473728 2196 "
		     "18446744073709551615 1 2 3 4 5 6 7 8 9 10 11 12 17 1 99 2 33 44 55\n");
	sysroot_make(f->root, "/proc/self/statm", "103143 2264 1677 46 0 19529 0\n");
	sysroot_make(f->root, "/proc/self/fd/12", "");
}

static void test_dstat(void **state)
{
	struct fixture *f = *state;

	self_put(f);
	config(f, "dstat", "");
	sample(f, "node-1/dstat");
	check_digest(f, "dstat", "D61917BF1A10EFCA32D45B09E7D4567EE9BD74531A628FB0F82A1D02EE420E47");
	check_u64(f, "rchar", 840758);
	check_u64(f, "syscr", 2853);
	check_u64(f, "syscw", 17);
	check_u64(f, "write_bytes", 8192);
	check_u64(f, "pid", 30297);
	check_u64(f, "ppid", 30286);
	check_u64(f, "minflt", 983);
	check_u64(f, "cmajflt", 3);
	check_u64(f, "utime", 4);
	assert_int_equal(value_s64(value(f, "cutime"), 0), -6);
	assert_int_equal(value_s64(value(f, "cstime"), 0), -7);
	assert_int_equal(value_s64(value(f, "priority"), 0), 20);
	assert_int_equal(value_s64(value(f, "nice"), 0), -5);
	check_u64(f, "num_threads", 8);
	check_u64(f, "vsize", 422473728);
	check_u64(f, "rss", 2196);
	check_u64(f, "rsslim", UINT64_MAX);
	check_u64(f, "signal", 5 + 1);
	check_u64(f, "processor", 1);
	check_u64(f, "rt_priority", 99);
	check_u64(f, "policy", 2);
	check_u64(f, "delayacct_blkio_ticks", 33);
	check_u64(f, "VmSize", 103143);
	check_u64(f, "data_pages", 19529);

	/* another parent; a source that fails leaves the others */
	edit(f, "/proc/self/stat", "S 30286", "S 1");
	edit(f, "/proc/self/statm", "103143", "103144");
	sysroot_put(f->root, "/proc/self/io", "");
	assert_int_equal(samp_once(f->sp, NULL), -ENODATA);
	look(f, "node-1/dstat");
	check_u64(f, "ppid", 1);
	check_u64(f, "VmSize", 103144);
	check_u64(f, "rchar", 840758);
}

static void test_dstat_groups(void **state)
{
	static const struct {
		const char *conf, *schema;
		uint32_t card;
	} rows[] = {
		{ "auto-schema=1", "dstat_7", 7 + 21 + 7 },
		{ "auto-schema=1 io=1", "dstat_1", 7 },
		{ "auto-schema=1 sc_clk_tck=1", "dstat_47", 7 + 21 + 7 + 1 },
		{ "auto-schema=true fdtypes=yes", "dstat_30", 1 + 6 },
		{ "auto-schema mmalloc fd", "dstat_18", 2 },
		{ "statm=1 io=0 debug=1", "dstat", 7 },
		{ "statm schema=mine auto-schema", "mine", 7 },
	};
	struct fixture *f = *state;

	self_put(f);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		config(f, "dstat", rows[i].conf);
		sample(f, "node-1/dstat");
		assert_string_equal(image_schema(f->sn->im.meta), rows[i].schema);
		assert_int_equal(image_card(f->sn->im.meta), 3 + rows[i].card);
		stop(f);
	}
	config(f, "dstat", "auto-schema=1 io=1 stat=1 statm=1 mmalloc=1 fd=1 fdtypes=1 sc_clk_tck=1");
	sample(f, "node-1/dstat");
	check_digest(f, "dstat_7f", "1CD190F3F0D59DC638468BCC89DBBB9930841F8CDECB355EF245BE066C4F1B05");
	check_u64(f, "fd_count", 1);
	check_u64(f, "fd_max", 12);
	check_u64(f, "sc_clk_tck", 100);
	assert_true(image_metric(f->sn->im.meta, (uint32_t)metric(f, "sc_clk_tck")).meta);
	assert_true(image_metric(f->sn->im.meta, (uint32_t)metric(f, "pid")).meta);
	check_u64(f, "mmalloc_bytes_used_p_holes", pool_used(f->env.pool));
}

/* This process' own descriptors. */
static void test_dstat_fds(void **state)
{
	static const char *const kinds[] = { "fd_socket", "fd_dev", "fd_pipe", "fd_path" };
	struct fixture *f = *state;
	uint64_t before[4];
	int fds[6];

	f->env.sysroot = "";
	config(f, "dstat", "fdtypes=1");
	sample(f, "node-1/dstat");
	for (int i = 0; i < 4; i++)
		before[i] = value_u64(value(f, kinds[i]), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	assert_int_equal(pipe(fds + 2), 0);
	fds[4] = open("/dev/null", O_RDONLY);
	fds[5] = open("/proc/loadavg", O_RDONLY);
	sample(f, "node-1/dstat");
	for (int i = 0; i < 4; i++)
		check_u64(f, kinds[i], before[i] + (i % 2 ? 1 : 2));
	for (int i = 0; i < 6; i++)
		close(fds[i]);
	sample(f, "node-1/dstat");
	for (int i = 0; i < 4; i++)
		check_u64(f, kinds[i], before[i]);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_clock),
		TEST(test_edac),
		TEST(test_filesingle),
		TEST(test_filesingle_types),
		TEST(test_filesingle_replaced),
		TEST(test_filesingle_bad),
		TEST(test_dstat),
		TEST(test_dstat_groups),
		TEST(test_dstat_fds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
