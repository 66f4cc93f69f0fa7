/* function_csv.c - store function_csv: its definitions, and what they give where a test beside ldmsd does not look */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/base/xalloc.h"
#include "core/daemon/strgp.h"
#include "scratch.h"
#include "store/fn_impl.h"

static void test_definitions(void **state)
{
	static const struct {
		const char *text, *words; /* NULL: fine */
	} rows[] = {
		{ "", NULL },
		{ "# all of it\n\n s N SUM_N 2 a,b 0.5 0 # so\n", NULL },
		{ "s N RAW 1 a 1\n", "line 1: seven words go there" },
		{ "s N RAW 1 a 1 1 1\n", "line 1: seven words go there" },
		{ "\ns N ROW 1 a 1 1\n", "line 2: there is no function ROW; did you mean RAW?" },
		{ "s N RAW 2 a,b 1 1\n", "RAW takes one metric, not 2" },
		{ "s N SUB_AB 1 a 1 1\n", "SUB_AB takes two metrics, not 1" },
		{ "s N SUM_N 3 a,b 1 1\n", "a,b: 3 metrics are named there" },
		{ "s N RAW 1 a,b 1 1\n", "1 metrics are named there" },
		{ "s N RAW 1 a x 1\n", "x: a number goes there" },
		{ "s N RAW 1 a 1 x\n", "line 1: " },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct fn_defs defs = { 0 };
		struct err err = { "" };
		int rc = fn_defs_parse(rows[i].text, &defs, &err);

		assert_int_equal(rc, rows[i].words ? -EINVAL : 0);
		if (rows[i].words && !strstr(err.msg, rows[i].words))
			fail_msg("%s: %s", rows[i].text, err.msg);
		fn_defs_fini(&defs);
	}
}

static struct row_col cols[] = { { "a", V_U64, 1, ROW_METRIC }, { "d", V_D64, 1, ROW_METRIC } };
static struct row_schema schema = { .name = "s", .cols = cols, .n_cols = 2, .refs = 2 };
static struct row_schema other = { .name = "t", .cols = cols, .n_cols = 2, .refs = 2 };

static int put(struct store *st, struct store_sink *sk, const struct row_schema *rs, uint32_t sec, uint64_t a)
{
	const double d = 0.5;
	const uint64_t le = htole64(a);
	const struct value v[] = { { V_U64, 1, (const uint8_t *)&le }, { V_D64, 1, (const uint8_t *)&d } };
	struct row row = { .schema = rs, .producer = "p", .instance = "p/s", .ts_sec = sec, .v = v };
	struct err err = { "" };

	return store_type(st)->row(sk, &row, &err);
}

/* A counter that began anew, a gap, a metric with a fraction, a schema without definitions. */
static void test_rows(void **state)
{
	char *scratch = scratch_new(), *path, *attrs, got[512] = "";
	struct store_sink *sk;
	struct err err = { "" };
	struct kv kv = { 0 };
	struct store *st;
	FILE *f;

	path = xasprintf("%s/defs", scratch);
	f = fopen(path, "w");
	fputs("s D DELTA 1 a 1 1\ns R RAW 1 d 1 1\ns DD SUM_N 2 D,a 1 1\n", f);
	fclose(f);
	attrs = xasprintf("path=%s derivedconf=%s ageusec=5000000", scratch, path);
	kv_parse(&kv, attrs);
	if (store_new(store_type_find("store_function_csv"), "f", &st, &err) || store_config(st, &kv, &err) ||
	    store_type(st)->open(st, "c", &sk, &err))
		fail_msg("%s", err.msg);
	assert_int_equal(put(st, sk, &schema, 10, 100), 0);
	assert_int_equal(put(st, sk, &schema, 11, 107), 0);
	assert_int_equal(put(st, sk, &schema, 12, 7), 0);
	assert_int_equal(put(st, sk, &schema, 20, 8), 0);
	assert_int_equal(put(st, sk, &other, 20, 8), -EINVAL);
	store_type(st)->close(sk);
	store_put(st);
	free(path);
	path = xasprintf("%s/c/s", scratch);
	f = fopen(path, "r");
	assert_non_null(f);
	got[fread(got, 1, sizeof(got) - 1, f)] = '\0';
	fclose(f);
	assert_string_equal(got,
			    "#Time,Time_usec,DT,DT_usec,ProducerName,component_id,job_id,D,D.Flag,DD,DD.Flag,TimeFlag\n"
			    "11.000000,0,1.000000,0,p,0,0,7,0,114,0,0\n"
			    "12.000000,0,1.000000,0,p,0,0,0,1,7,1,0\n"
			    "20.000000,0,8.000000,0,p,0,0,1,0,9,0,1\n");
	kv_fini(&kv);
	free(attrs);
	free(path);
	scratch_free(scratch);
}

static void test_config(void **state)
{
	static const char *const rows[][2] = {
		{ "path=/tmp/x", "store f: derivedconf is required" },
		{ "path=/tmp/x derivedconf=/nowhere/x", "/nowhere/x: cannot be opened" },
		{ "derivedconf=/dev/null", "store f: path is required" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct err err = { "" };
		struct kv kv = { 0 };
		struct store *st;

		kv_parse(&kv, rows[i][0]);
		assert_int_equal(store_new(store_type_find("function_csv"), "f", &st, &err), 0);
		if (!store_config(st, &kv, &err) || !strstr(err.msg, rows[i][1]))
			fail_msg("%s: %s", rows[i][0], err.msg);
		kv_fini(&kv);
		store_put(st);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_definitions),
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_config),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
