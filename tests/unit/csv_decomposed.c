/* csv_decomposed.c - store csv: the lines of rows that a decomposition made */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "store/csv.h"
#include "store/digits.h"

static const uint8_t ts_a[8] = { 0x01, 0, 0, 0, 0x40, 0xe2, 0x01, 0 }; /* 1.123456 */
static const uint8_t ts_b[8] = { 0, 0, 0, 0, 8, 0, 0, 0 };
static const uint8_t sevens[] = { 7, 8, 9 };
static const double half = 0.5, halves[] = { 0.5, 0.1 };
static const float third = 1.0f / 3;

static struct row_col cols[] = {
	{ "when", V_TIMESTAMP, 1, ROW_TIME },
	{ "prdcr", V_CHAR_ARRAY, 64, ROW_PRODUCER },
	{ "inst", V_CHAR_ARRAY, 256, ROW_INSTANCE },
	{ "text", V_CHAR_ARRAY, 8, ROW_METRIC },
	{ "d", V_D64, 1, ROW_METRIC },
	{ "f", V_F32, 1, ROW_METRIC },
	{ "ds", V_D64_ARRAY, 2, ROW_METRIC },
	{ "u8s", V_U8_ARRAY, 3, ROW_METRIC },
	{ "took", V_TIMESTAMP, 1, ROW_DURATION },
	{ "diff", V_TIMESTAMP, 1, ROW_METRIC },
	{ "gone", V_TIMESTAMP, 1, ROW_METRIC },
};
static struct row_schema schema = { .name = "r", .cols = cols, .n_cols = 11, .decomposed = true };

static const struct value values[] = {
	{ V_TIMESTAMP, 1, ts_a },
	{ V_CHAR_ARRAY, 2, (const uint8_t *)"n1" },
	{ V_CHAR_ARRAY, 4, (const uint8_t *)"n1/x" },
	{ V_CHAR_ARRAY, 3, (const uint8_t *)"a,b" },
	{ V_D64, 1, (const uint8_t *)&half },
	{ V_F32, 1, (const uint8_t *)&third },
	{ V_D64_ARRAY, 2, (const uint8_t *)halves },
	{ V_U8_ARRAY, 2, sevens }, /* a fill of fewer elements than the column has: the fields stay */
	{ V_TIMESTAMP, 1, ts_b },
	{ V_TIMESTAMP, 1, ts_b },
	{ V_NONE, 0, NULL },
};

static void check(const struct csv_conf *conf, const char *header, const char *kinds, const char *line)
{
	struct row row = { .schema = &schema, .producer = "p", .instance = "p/i", .ts_sec = 9, .v = values };
	struct buf b = { 0 };
	struct csv_plan plan;

	csv_header_add(&b, conf, &schema);
	assert_string_equal(buf_str(&b), header);
	buf_reset(&b);
	csv_kinds_add(&b, conf, &schema);
	assert_string_equal(buf_str(&b), kinds);
	buf_reset(&b);
	assert_int_equal(csv_plan_init(&plan, conf, &schema, NULL), 0);
	csv_row_add(&b, conf, &plan, &row);
	assert_string_equal(buf_str(&b), line);
	csv_plan_fini(&plan);
	buf_fini(&b);
}

/* The first timestamp is headed Time, others by their names: no two columns have one name. */
static void test_plain(void **state)
{
	const struct csv_conf conf = { .array_sep = ":", .array_lquote = "\"", .array_rquote = "\"", .typeheader = 1 };

	check(&conf,
	      "#Time,Time_usec,prdcr,inst,text,d,f,ds0,ds1,u8s0,u8s1,u8s2,took,took_usec,diff,diff_usec,gone,gone_"
	      "usec\n",
	      "#!ldms-kinds!timestamp,u64,char[]64,char[]256,char[],d64,f32,d64,d64,u8,u8,u8,timestamp,u64,"
	      "timestamp,u64,timestamp,u64\n",
	      "1.123456,123456,n1,n1/x,a,b,0.500000,0.333333,0.5,0.10000000000000001,7,8,,0.000008,8,0.000008,8,,\n");
}

/* Arrays are expanded, whatever the attributes say; what is made of no metric has no user data. */
static void test_variants(void **state)
{
	const struct csv_conf conf = { .array_sep = ":",
				       .array_lquote = "\"",
				       .array_rquote = "\"",
				       .typeheader = 2,
				       .time_format = 1,
				       .ietf = true,
				       .userdata = true };

	check(&conf,
	      "#\"Time_msec\",\"Time_usec\",\"prdcr\",\"inst\",\"text.userdata\",\"text.value\",\"d.userdata\",\"d."
	      "value\","
	      "\"f.userdata\",\"f.value\",\"ds0.userdata\",\"ds0.value\",\"ds1.userdata\",\"ds1.value\",\"u8s0."
	      "userdata\","
	      "\"u8s0.value\",\"u8s1.userdata\",\"u8s1.value\",\"u8s2.userdata\",\"u8s2.value\",\"took_msec\","
	      "\"took_usec\",\"diff_msec\",\"diff_usec\",\"gone_msec\",\"gone_usec\"\n",
	      "#!ldms-array-kinds-udata!timestamp,u64,char[]64,char[]256,u64,char[]8,u64,d64,u64,f32,u64,d64[]2,u64,u8["
	      "]3,"
	      "timestamp,u64,timestamp,u64,timestamp,u64\n",
	      "1123,456,\"n1\",\"n1/"
	      "x\",0,\"a,b\",0,0.500000,0,0.333333,0,0.5,0,0.10000000000000001,0,7,0,8,0,,0,8,0,8,,\n");
}

static void check_fixed(double v)
{
	char got[FIXED_MAX], want[FIXED_MAX];

	*put_fixed(got, v) = '\0';
	snprintf(want, sizeof(want), "%f", v);
	assert_string_equal(got, want);
}

static void test_fixed(void **state)
{
	static const double at[] = {
		0,       -0.0,    0.5e-6,    1.5e-6,          2.5e-6,          -0.5e-6, 999999.9999995,    DBL_MAX,
		DBL_MIN, -1e-300, INFINITY,  -1e-7,           0.0000005,       1e9 - 1, 999999999.9999999, 1e15,
		0.1,     0.3,     1.0000005, 4194304.5 / 1e6, 12345678.0000005
	};
	uint64_t bits = 88172645463325252ull;

	for (size_t i = 0; i < sizeof(at) / sizeof(*at); i++)
		check_fixed(at[i]);
	for (int i = 0; i < 200000; i++) {
		double v;

		bits ^= bits << 13;
		bits ^= bits >> 7;
		bits ^= bits << 17;
		check_fixed((double)(int64_t)bits / (1ull << (20 + i % 44)));
		check_fixed((double)(bits % 100000000) / 2e7); /* many lie between two millionths */
		memcpy(&v, &bits, sizeof(v));
		check_fixed(v);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain),
		cmocka_unit_test(test_variants),
		cmocka_unit_test(test_fixed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
