/* csv.c - store csv: shapes, names, restarts, torn lines, modes, texts, configuration */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <sys/stat.h>

#include "csv_rig.h"
#include "store/digits.h"

static void test_shapes(void **state)
{
	struct set *one = small_set("s", 0, V_U64), *two = small_set("s", 2, V_U64), *three = small_set("s", 3, V_U64);
	char hex[2 * DIGEST_LEN + 1], *name2, *name3;
	struct snap *sn = snap_new(two);
	struct rig r;

	digest_hex(image_digest(sn->im.meta), hex);
	for (char *p = hex; *p; p++)
		*p |= *p >= 'A' ? 0x20 : 0;
	snap_put(sn);
	name2 = xasprintf("s_%.7s", hex);
	name3 = xasprintf("s_%.7s.2", hex); /* the digest knows nothing of array lengths */
	for (int run = 0; run < 2; run++) { /* after a restart each finds its file again, in whatever order */
		rig_open(&r, "");
		for (int k = 0; k < 2; k++) {
			assert_int_equal(small_store(&r, run ? three : one, 1), 0);
			assert_int_equal(small_store(&r, two, 2), 0);
			assert_int_equal(small_store(&r, run ? one : three, 3), 0);
		}
		rig_close(&r);
	}
	assert_stored("s", HEAD_A ROW_A(1) ROW_A(1) ROW_A(3) ROW_A(3));
	assert_stored(name2, "#Time,Time_usec,ProducerName,a,b0,b1\n1000.000007,7,n1,2,0,0\n1000.000007,7,n1,2,0,0\n"
			     "1000.000007,7,n1,2,0,0\n1000.000007,7,n1,2,0,0\n");
	assert_stored(name3, "#Time,Time_usec,ProducerName,a,b0,b1,b2\n1000.000007,7,n1,3,0,0,0\n"
			     "1000.000007,7,n1,3,0,0,0\n1000.000007,7,n1,1,0,0,0\n1000.000007,7,n1,1,0,0,0\n");
	free(name2);
	free(name3);
	set_put(one);
	set_put(two);
	set_put(three);
}

/* A schema's name comes from a peer. */
static void test_names_stay_inside(void **state)
{
	struct set *up = small_set("../../up", 0, V_U64);
	struct rig r;

	rig_open(&r, "");
	assert_int_equal(small_store(&r, up, 1), 0);
	rig_close(&r);
	assert_stored("_._.._up", HEAD_A ROW_A(1));
	set_put(up);
}

static void test_restart(void **state)
{
	struct set *s = small_set("s", 0, V_U64);
	struct rig r;

	for (int i = 0; i < 3; i++) {
		rig_open(&r, "");
		assert_int_equal(small_store(&r, s, 1), 0);
		rig_close(&r);
	}
	assert_stored("s", HEAD_A ROW_A(1) ROW_A(1) ROW_A(1));
	/* ldmsd has written headers in between: the last one counts */
	append("s", "#Time,Time_usec,ProducerName,other\n1,2,3,4\n");
	rig_open(&r, "");
	assert_int_equal(small_store(&r, s, 2), 0);
	rig_close(&r);
	assert_stored("s", HEAD_A ROW_A(1) ROW_A(1) ROW_A(1) "#Time,Time_usec,ProducerName,other\n1,2,3,4\n");
	append("s", HEAD_A "1,2,3,#4\n");
	rig_open(&r, "");
	assert_int_equal(small_store(&r, s, 3), 0);
	rig_close(&r);
	assert_stored("s", HEAD_A ROW_A(1) ROW_A(1) ROW_A(1) "#Time,Time_usec,ProducerName,other\n1,2,3,4\n" HEAD_A
							     "1,2,3,#4\n" ROW_A(3));
	set_put(s);
}

/* The last header is found wherever the pieces of the file end in which it is looked for. */
static void test_restart_long(void **state)
{
	struct set *s = small_set("s", 0, V_U64);
	struct stat st;
	struct rig r;

	for (int pad = 0; pad < 3; pad++) {
		char *path = stored_path("s"), *text;

		rig_open(&r, "");
		assert_int_equal(small_store(&r, s, 1), 0);
		assert_int_equal(rig_flush(&r), 0);
		rig_close(&r);
		append("s", "#other\n");
		/* the '#' stands 65536 bytes from the end, one more, or one less */
		text = xmalloc(65536);
		memset(text, 'x', 65536);
		text[65536 - strlen("#other\n") - 1 + (size_t)pad] = '\0';
		append("s", text);
		append("s", "\n");
		free(text);
		assert_int_equal(stat(path, &st), 0);
		rig_open(&r, "");
		assert_int_equal(small_store(&r, s, 1), 0);
		rig_close(&r);
		assert_int_equal(stat(path, &st), 0);
		text = stored_text("s");
		assert_null(strstr(text, "#other\n" ROW_A(1)));
		assert_string_not_equal(text + strlen(text) - strlen(ROW_A(1)), ROW_A(1));
		free(text);
		unlink(path);
		free(path);
	}
	set_put(s);
}

static void test_restart_altheader(void **state)
{
	struct set *s = small_set("s", 0, V_U64), *other = small_set("s", 1, V_U64);
	struct rig r;

	for (int i = 0; i < 2; i++) {
		rig_open(&r, "altheader=1");
		assert_int_equal(small_store(&r, s, 1), 0);
		rig_close(&r);
	}
	assert_stored("s", ROW_A(1) ROW_A(1));
	assert_stored("s.HEADER", HEAD_A);
	rig_open(&r, "altheader=1"); /* another shape, alone: the header beside the file tells */
	assert_int_equal(small_store(&r, other, 1), 0);
	rig_close(&r);
	assert_stored("s", ROW_A(1) ROW_A(1));
	assert_stored("s.HEADER", HEAD_A);
	set_put(s);
	set_put(other);
}

static void test_torn_line(void **state)
{
	struct set *s = small_set("s", 0, V_U64);
	struct rig r;

	rig_open(&r, "");
	assert_int_equal(small_store(&r, s, 1), 0);
	rig_close(&r);
	append("s", "1000.0000");
	rig_open(&r, "");
	assert_int_equal(small_store(&r, s, 2), 0);
	assert_int_equal(small_store(&r, s, 3), 0);
	rig_close(&r);
	assert_stored("s", HEAD_A ROW_A(1) "1000.0000\n" ROW_A(2) ROW_A(3));
	set_put(s);
}

static void test_modes(void **state)
{
	struct set *s = small_set("s", 0, V_U64);
	char *path = stored_path("s"), *dir = stored_path(".");
	mode_t mask = umask(077);
	struct stat st;
	struct rig r;

	rig_open(&r, "");
	assert_int_equal(small_store(&r, s, 1), 0);
	rig_close(&r);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(stat(dir, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0750);
	scratch_free(scratch);
	scratch = scratch_new();
	free(path);
	free(dir);
	path = stored_path("s");
	dir = stored_path(".");
	rig_open(&r, "create_perm=0755");
	assert_int_equal(small_store(&r, s, 1), 0);
	rig_close(&r);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0644);
	assert_int_equal(stat(dir, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0755);
	umask(mask);
	free(path);
	free(dir);
	set_put(s);
}

/* -- texts --------------------------------------------------------------------------------------------------------- */

static void check_text(const char *attrs, const char *value, const char *want)
{
	struct err err = { "" };
	struct schema *sc = schema_new("t", &err);
	struct snap *sn;
	struct set *s;
	struct rig r;
	char *got;

	schema_add_array(sc, "t", V_CHAR_ARRAY, 8, NULL, &err);
	assert_int_equal(set_new(pool, sc, "n1/t", "n1", 0, 0, 0777, &s, &err), 0);
	schema_free(sc);
	set_begin(s);
	set_text(s, 0, value, strlen(value));
	set_end(s);
	sn = snap_new(s);
	rig_open(&r, attrs);
	assert_int_equal(rig_store(&r, sn), 0);
	rig_close(&r);
	got = stored_text("t");
	assert_string_equal(strstr(got, ",n1,") + 4, want);
	free(got);
	snap_put(sn);
	set_put(s);
	scratch_free(scratch);
	scratch = scratch_new();
}

static void test_texts(void **state)
{
	check_text("", "a,\"b", "a,\"b\n");
	check_text("", "a\nb\rc", "a b c\n");
	check_text("", "12345678", "12345678\n");
	check_text("ietfcsv=1", "a,\"b\n", "\"a,\"\"b \"\n");
	check_text("ietfcsv=1", "\"\"\"\"\"\"\"\"", "\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\n");
}

/* Runs of u64 that stand one behind the other in the set, with metadata between, behind, and other types: the line does
 * not tell how they were read. */
static void test_runs(void **state)
{
	static const struct {
		const char *kinds; /* of the metrics: m: metadata, u: u64, i: u32, a: u64[2] */
		const char *want;
	} rows[] = {
		{ "uuuu", "0,1,2,3" },       { "muuu", "0,1,2,3" },       { "umuu", "0,1,2,3" },
		{ "uumu", "0,1,2,3" },       { "uuum", "0,1,2,3" },       { "mmmm", "0,1,2,3" },
		{ "iuui", "0,1,2,3" },       { "uiuu", "0,1,2,3" },       { "uauu", "0,1,1,2,3" },
		{ "auum", "0,0,1,2,3" },     { "uumuuu", "0,1,2,3,4,5" }, { "uuumuu", "0,1,2,3,4,5" },
		{ "umumum", "0,1,2,3,4,5" },
	};

	for (size_t k = 0; k < sizeof(rows) / sizeof(*rows); k++) {
		const char *kinds = rows[k].kinds;
		struct err err = { "" };
		struct schema *sc = schema_new("runs", &err);
		struct snap *sn;
		struct set *s;
		struct rig r;
		char name[16], *got;

		for (int i = 0; kinds[i]; i++) {
			snprintf(name, sizeof(name), "m%d", i);
			if (kinds[i] == 'm')
				schema_add_meta(sc, name, V_U64, NULL, &err);
			else if (kinds[i] == 'a')
				schema_add_array(sc, name, V_U64_ARRAY, 2, NULL, &err);
			else
				schema_add(sc, name, kinds[i] == 'u' ? V_U64 : V_U32, NULL, &err);
		}
		assert_int_equal(set_new(pool, sc, "n1/runs", "n1", 0, 0, 0777, &s, &err), 0);
		schema_free(sc);
		for (int i = 0; kinds[i]; i++)
			if (kinds[i] == 'm')
				set_meta_u64(s, i, (uint64_t)i);
		set_begin(s);
		for (int i = 0; kinds[i]; i++)
			if (kinds[i] != 'm')
				set_bytes(s, i, (const uint64_t[]){ (uint64_t)i, (uint64_t)i }, 16);
		set_end(s);
		sn = snap_new(s);
		rig_open(&r, "expand_array=1");
		assert_int_equal(rig_store(&r, sn), 0);
		rig_close(&r);
		got = stored_text("runs");
		*strchrnul(strstr(got, ",n1,"), '\n') = '\0';
		assert_string_equal(strstr(got, ",n1,") + 4, rows[k].want);
		free(got);
		snap_put(sn);
		set_put(s);
		scratch_free(scratch);
		scratch = scratch_new();
	}
}

static void test_digits(void **state)
{
	static const double reals[] = { 0.0,  -0.0,      1,       -1,       0.1,       1e16,       99999999999999999.0,
					1e17, 1e18,      -1e300,  5e-324,   123456789, 1234567890, 0.54,
					1e9,  999999999, 1.0 / 3, INFINITY, -INFINITY };
	char got[64], want[64];

	for (unsigned int bit = 0; bit < 64; bit++)
		for (int d = -1; d <= 1; d++) {
			uint64_t v = ((uint64_t)1 << bit) + (uint64_t)d;

			*put_u64(got, v) = '\0';
			snprintf(want, sizeof(want), "%llu", (unsigned long long)v);
			assert_string_equal(got, want);
			*put_s64(got, (int64_t)v) = '\0';
			snprintf(want, sizeof(want), "%lld", (long long)v);
			assert_string_equal(got, want);
		}
	for (uint64_t v = 1, i = 0; i < 20; i++, v *= 10)
		for (int d = -1; d <= 1; d++) {
			*put_u64(got, v + (uint64_t)d) = '\0';
			snprintf(want, sizeof(want), "%llu", (unsigned long long)(v + (uint64_t)d));
			assert_string_equal(got, want);
		}
	for (size_t i = 0; i < sizeof(reals) / sizeof(*reals); i++) {
		*put_d64(got, reals[i]) = '\0';
		snprintf(want, sizeof(want), "%.17g", reals[i]);
		assert_string_equal(got, want);
		*put_f32(got, (float)reals[i]) = '\0';
		snprintf(want, sizeof(want), "%.9g", (double)(float)reals[i]);
		assert_string_equal(got, want);
	}
	*put_six(got, 1651) = '\0';
	assert_string_equal(got, "001651");
}

/* -- config -------------------------------------------------------------------------------------------------------- */

static void test_config(void **state)
{
	static const struct {
		const char *attrs;
		int rc;
		const char *words;
	} rows[] = {
		{ "", -EINVAL, "store x: path is required" },
		{ "path=/tmp/x alt_header=1", -EINVAL, "csv has no attribute 'alt_header'; did you mean 'altheader'?" },
		{ "path=/tmp/x altheader=maybe", -EINVAL, "store x: altheader: " },
		{ "path=/tmp/x typeheader=3", -EINVAL, "store x: typeheader=3: " },
		{ "path=/tmp/x buffer=10", -EINVAL, "buffertype=3 (rows) or 4 (kilobytes)" },
		{ "path=/tmp/x buffer=1 buffertype=3", -EINVAL, "buffer=0 and 1 stand alone" },
		{ "path=/tmp/x create_perm=rw", -EINVAL, "store x: create_perm=rw: an octal mode" },
		{ "name=x path=/tmp/x create_perm=0640 buffer=64 buffertype=4", 0, "" },
		{ "path=/tmp/x", -EINVAL, "store x: it is configured already" },
	};
	struct err err = { "" };
	struct store *st;

	assert_int_equal(store_new(store_type_find("csv"), "x", &st, &err), 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct kv kv = { 0 };

		kv_parse(&kv, rows[i].attrs);
		err.msg[0] = '\0';
		if (store_config(st, &kv, &err) != rows[i].rc || !strstr(err.msg, rows[i].words))
			fail_msg("%s: %s", rows[i].attrs, err.msg);
		kv_fini(&kv);
	}
	store_put(st);
	assert_ptr_equal(store_type_find("csv"), store_type_find("store_csv"));
	assert_null(store_type_find("store_"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_shapes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_names_stay_inside, setup, teardown),
		cmocka_unit_test_setup_teardown(test_restart, setup, teardown),
		cmocka_unit_test_setup_teardown(test_restart_long, setup, teardown),
		cmocka_unit_test_setup_teardown(test_restart_altheader, setup, teardown),
		cmocka_unit_test_setup_teardown(test_torn_line, setup, teardown),
		cmocka_unit_test_setup_teardown(test_modes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_texts, setup, teardown),
		cmocka_unit_test_setup_teardown(test_runs, setup, teardown),
		cmocka_unit_test(test_digits),
		cmocka_unit_test(test_config),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
