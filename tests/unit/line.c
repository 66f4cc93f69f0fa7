/* line.c - rows as lines of InfluxDB's protocol, and as time series of Prometheus's remote write: names, tags, values */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/rd.h"
#include "row_rig.h"
#include "store/line.h"
#include "store/samples.h"

static char *words(const char *text)
{
	return xstrdup(text);
}

static struct row row_of(const struct row_schema *rs, const struct value *v)
{
	return (struct row){
		.schema = rs, .producer = "n1", .instance = "n1/set", .ts_sec = 1795188631, .ts_usec = 2339, .v = v
	};
}

/* The row's line, without its end; takes the schema.  Yours. */
static char *line_of(const struct line_conf *conf, struct row_schema *rs, const struct value *v)
{
	struct line_shape *sh = line_shape_new(conf, rs);
	struct row row = row_of(rs, v);
	struct buf b = { 0 };
	size_t key;

	if (line_put(sh, &row, &b, &key)) {
		assert_int_equal(b.p[b.len - 1], '\n');
		b.len--;
	}
	buf_str(&b);
	line_shape_free(sh);
	row_schema_put(rs);
	return (char *)b.p;
}

#define LINE(conf, rs, v, expected)                                                                                    \
	do {                                                                                                           \
		char *got = line_of((conf), (rs), (v));                                                                \
		assert_string_equal(got, (expected));                                                                  \
		free(got);                                                                                             \
	} while (0)

/* -- lines --------------------------------------------------------------------------------------------------------- */

static const uint64_t one = 1, many = UINT64_MAX, seven = 7;

static void test_values(void **state)
{
	static const struct def defs[] = {
		{ "job_id", V_U64, 1 },      { "component_id", V_U64, 1 }, { "u8", V_U8, 1 },
		{ "s32", V_S32, 1 },         { "u64", V_U64, 1 },          { "d64", V_D64, 1 },
		{ "nan", V_D64, 1 },         { "inf", V_F32, 1 },          { "f32", V_F32, 1 },
		{ "text", V_CHAR_ARRAY, 8 }, { "arr", V_S16_ARRAY, 3 },    { "farr", V_D64_ARRAY, 3 },
		{ "ts", V_TIMESTAMP, 1 },    { "ch", V_CHAR, 1 },          { "gone", V_U64, 1 },
		{ "whole", V_D64, 1 },
	};
	const uint8_t u8 = 200;
	const int32_t s32 = -7;
	const double d64 = 0.1, not_a_number = NAN, three[] = { 1.5, INFINITY, -2 }, whole = -3;
	const float inf = INFINITY, f32 = 0.7f;
	const int16_t arr[] = { 1, -2, 3 };
	const uint32_t ts[] = { 1700000000, 250000 };
	const struct value v[] = {
		value_at(V_U64, 1, &seven),
		value_at(V_U64, 1, &many),
		value_at(V_U8, 1, &u8),
		value_at(V_S32, 1, &s32),
		value_at(V_U64, 1, &many),
		value_at(V_D64, 1, &d64),
		value_at(V_D64, 1, &not_a_number),
		value_at(V_F32, 1, &inf),
		value_at(V_F32, 1, &f32),
		value_at(V_CHAR_ARRAY, 8, "a \"b\\\n\0x"),
		value_at(V_S16_ARRAY, 3, arr),
		value_at(V_D64_ARRAY, 3, three),
		value_at(V_TIMESTAMP, 1, ts),
		value_at(V_CHAR, 1, "L"),
		value_at(V_NONE, 1, NULL),
		value_at(V_D64, 1, &whole),
	};
	struct line_conf conf = { .u64 = LINE_U64_INT };

	LINE(&conf, SCHEMA("all", defs), v,
	     "all,component_id=18446744073709551615,instance=n1/set,job_id=7,producer=n1 "
	     "u8=200i,s32=-7i,u64=9223372036854775807i,d64=0.1,f32=0.7,text=\"a \\\"b\\\\ "
	     "\",arr_0=1i,arr_1=-2i,arr_2=3i,"
	     "farr_0=1.5,farr_2=-2,ts=1700000000250000i,ch=76i,whole=-3 1795188631002339000");
	conf.u64 = LINE_U64_UINT;
	LINE(&conf, SCHEMA("all", defs), v,
	     "all,component_id=18446744073709551615,instance=n1/set,job_id=7,producer=n1 "
	     "u8=200i,s32=-7i,u64=18446744073709551615u,d64=0.1,f32=0.7,text=\"a \\\"b\\\\ "
	     "\",arr_0=1i,arr_1=-2i,arr_2=3i,"
	     "farr_0=1.5,farr_2=-2,ts=1700000000250000i,ch=76i,whole=-3 1795188631002339000");
	conf = (struct line_conf){ .ldmsd = true };
	LINE(&conf, SCHEMA("all", defs), v,
	     "all,job_id=7i,component_id=18446744073709551615i "
	     "u8=200i,s32=-7i,u64=9223372036854775807i,d64=0.100000,f32=0.700000,text=\"a \\\"b\\\\ \","
	     "ts=1700000000250000i,ch=76i,whole=-3.000000 1795188631002339000");
}

/* The example of ldmsd's own store. */
static void test_as_ldmsd(void **state)
{
	static const struct def defs[] = {
		{ "component_id", V_U64, 1 }, { "job_id", V_U64, 1 },       { "app_id", V_U64, 1 },
		{ "load1min", V_D64, 1 },     { "load(5):#min", V_D64, 1 }, { "runnable", V_U64, 1 },
	};
	const double load[] = { 0.7, 0.45 };
	const uint64_t n[] = { 1, 0, 0, 3 };
	const struct value v[] = {
		value_at(V_U64, 1, &n[0]), value_at(V_U64, 1, &n[1]),    value_at(V_U64, 1, &n[2]),
		value_at(V_D64, 1, load),  value_at(V_D64, 1, &load[1]), value_at(V_U64, 1, &n[3]),
	};
	const struct line_conf conf = { .ldmsd = true };

	LINE(&conf, SCHEMA("loadavg", defs), v,
	     "loadavg,job_id=0i,component_id=1i app_id=0i,load1min=0.700000,load_5___min=0.450000,runnable=3i "
	     "1795188631002339000");
}

/* What peers call things is a name, and nothing else. */
static void test_names(void **state)
{
	static const struct def defs[] = {
		{ "a b,c=d", V_U64, 1 },
		{ "x\ny", V_U64, 1 },
		{ "producer", V_U64, 1 },
		{ "e\\", V_U64, 1 },
		{ "", V_U64, 1 },
		{ "\xff\xc3\xa4", V_U64, 1 },
		{ "x y", V_U64, 1 },
		{ "host name", V_CHAR_ARRAY, 16 },
		{ "none", V_CHAR_ARRAY, 4 },
	};
	char *tags[] = { words("host name"), words("none"), NULL }, *notags[] = { words("instance"), NULL };
	const struct line_conf conf = { .series = { .tags = tags, .notags = notags } };
	struct value v[9];

	for (size_t i = 0; i < 7; i++)
		v[i] = value_at(V_U64, 1, &one);
	v[7] = value_at(V_CHAR_ARRAY, 16, "a\\,b =c\x01\\");
	v[8] = value_at(V_CHAR_ARRAY, 4, "\0\0\0");
	LINE(&conf, SCHEMA("#my set,x=1\n", defs), v,
	     "_my\\ set\\,x\\=1\\ ,host\\ name=a/\\,b\\ \\=c\\ /,producer=n1 "
	     "a\\ b\\,c\\=d=1i,x\\ y=1i,producer_2=1i,e/=1i,_=1i,\xc3\xbf\xc3\xa4=1i,x\\ y_2=1i 1795188631002339000");
	free(tags[0]);
	free(tags[1]);
	free(notags[0]);
}

/* A field of a name that is there already, or that means something else, would be lost without a word. */
static void test_names_that_are_taken(void **state)
{
	static const struct def defs[] = {
		{ "arr_1", V_U64, 1 },         { "arr", V_U8_ARRAY, 3 },  { "time", V_U64, 1 },
		{ "zone_0", V_CHAR_ARRAY, 4 }, { "zone", V_U8_ARRAY, 2 }, { "arr", V_U64, 1 },
		{ "arr_1", V_U64, 1 },         { "arr", V_U8_ARRAY, 1 },  { "_field", V_U64, 1 },
		{ "time", V_U8_ARRAY, 1 },     { "gone_0", V_U64, 1 },
	};
	char *tags[] = { words("zone_0"), NULL };
	const struct line_conf conf = { .series = { .tags = tags } };
	const struct value n = value_at(V_U64, 1, &one), v[] = {
		n,
		value_at(V_U8_ARRAY, 3, "\1\2\3"),
		n,
		value_at(V_CHAR_ARRAY, 4, "z"),
		value_at(V_U8_ARRAY, 2, "\4\5"),
		n,
		n,
		value_at(V_U8_ARRAY, 1, "\6"),
		n,
		value_at(V_U8_ARRAY, 1, "\7"),
		n,
	};

	LINE(&conf, SCHEMA("s", defs), v,
	     "s,instance=n1/set,producer=n1,zone_0=z arr_1_2=1i,arr_0=1i,arr_1=2i,arr_2=3i,time_2=1i,"
	     "zone_2_0=4i,zone_2_1=5i,arr=1i,arr_1_3=1i,arr_2_0=6i,_field_2=1i,time_0=7i,gone_0=1i "
	     "1795188631002339000");
	free(tags[0]);
}

/* Rows of a list's entries are told apart by tags. */
static void test_lists(void **state)
{
	static const struct def defs[] = {
		{ "host", V_CHAR_ARRAY, 4 },   { "cpu_list_entry_idx", V_U64, 1 }, { "cpu_list_name", V_CHAR_ARRAY, 8 },
		{ "cpu_list_user", V_U64, 1 }, { "cpus", V_CHAR_ARRAY, 8 },
	};
	const struct value v[] = {
		value_at(V_CHAR_ARRAY, 4, "abc"), value_at(V_U64, 1, &one),         value_at(V_CHAR_ARRAY, 8, "cpu0"),
		value_at(V_U64, 1, &seven),       value_at(V_CHAR_ARRAY, 8, "0-3"),
	};
	const struct line_conf conf = { .u64 = LINE_U64_FLOAT }, ldmsd = { .ldmsd = true };

	LINE(&conf, SCHEMA("cpu", defs), v,
	     "cpu,cpu_list_entry_idx=1,cpu_list_name=cpu0,instance=n1/set,producer=n1 "
	     "host=\"abc\",cpu_list_user=7,cpus=\"0-3\" 1795188631002339000");
	LINE(&ldmsd, SCHEMA("cpu", defs), v, "cpu host=\"abc\",cpus=\"0-3\" 1795188631002339000");
}

static void test_decomposed(void **state)
{
	static const struct def defs[] = {
		{ "ts", V_TIMESTAMP, 1 },
		{ "node", V_CHAR_ARRAY, 4 },
		{ "dev", V_CHAR_ARRAY, 4 },
		{ "n", V_U64, 1 },
	};
	const uint32_t ts[] = { 1, 2 };
	const struct value v[] = { value_at(V_TIMESTAMP, 1, ts), value_at(V_CHAR_ARRAY, 4, "n7"),
				   value_at(V_CHAR_ARRAY, 4, "sda"), value_at(V_U64, 1, &seven) };
	const struct line_conf conf = { .u64 = LINE_U64_INT };
	struct row_schema *rs = SCHEMA("disk", defs);

	rs->decomposed = true;
	rs->cols[0].what = ROW_TIME;
	rs->cols[1].what = ROW_PRODUCER;
	LINE(&conf, rs, v, "disk,dev=sda,instance=n1/set,node=n7 n=7i 1795188631002339000");
}

static void test_too_large(void **state)
{
	static const struct def defs[] = { { "a", V_U8_ARRAY, 1000000 }, { "b", V_U64, 1 } };
	static const struct def fine[] = { { "a", V_CHAR_ARRAY, 1000000 }, { "b", V_D64_ARRAY, 1000 } };
	struct row_schema *rs = SCHEMA("big", defs), *ok = SCHEMA("fine", fine);
	struct err err = { "" };

	assert_int_equal(series_check(rs, &err), -EINVAL);
	assert_non_null(strstr(err.msg, "row schema big: a row has 1000001 numbers"));
	assert_int_equal(series_check(ok, &err), 0);
	row_schema_put(rs);
	row_schema_put(ok);
}

static void test_nothing_to_say(void **state)
{
	static const struct def defs[] = { { "d64", V_D64, 1 } };
	const double not_a_number = NAN;
	const struct value v[] = { value_at(V_D64, 1, &not_a_number) };
	const struct line_conf conf = { .u64 = LINE_U64_INT };

	LINE(&conf, SCHEMA("all", defs), v, "");
}

/* -- remote write: what is in the message, read by the rules of protobuf ------------------------------------------- */

static uint64_t rd_varint(struct rd *r)
{
	uint64_t v = 0;
	uint8_t byte = 0x80;

	for (unsigned int shift = 0; byte & 0x80 && shift < 64; shift += 7) {
		byte = rd_u8(r);
		v |= (uint64_t)(byte & 0x7f) << shift;
	}
	return v;
}

static struct rd rd_member(struct rd *r, uint8_t key)
{
	uint64_t len;

	assert_int_equal(rd_u8(r), key);
	len = rd_varint(r);
	return rd_over(rd_take(r, len), len);
}

static void print_label(struct buf *to, struct rd *series)
{
	struct rd l = rd_member(series, 0x0a), name = rd_member(&l, 0x0a), value = rd_member(&l, 0x12);
	size_t n = rd_left(&name), m = rd_left(&value);

	buf_addf(to, "%.*s=%.*s,", (int)n, (const char *)rd_take(&name, n), (int)m, (const char *)rd_take(&value, m));
	assert_int_equal(rd_left(&l), 0);
}

/* name=value,... VALUE TIME; a line for each series.  Yours. */
static char *print_samples(const struct buf *message)
{
	struct rd r = rd_over(message->p, message->len);
	struct buf b = { 0 };

	while (rd_left(&r)) {
		struct rd series = rd_member(&r, 0x0a), sample;
		uint64_t bits;
		double d;

		while (rd_left(&series) && *series.p == 0x0a)
			print_label(&b, &series);
		sample = rd_member(&series, 0x12);
		assert_int_equal(rd_u8(&sample), 0x09);
		memcpy(&bits, rd_take(&sample, 8), 8);
		bits = le64toh(bits);
		memcpy(&d, &bits, 8);
		assert_int_equal(rd_u8(&sample), 0x10);
		buf_addf(&b, " %g %llu\n", d, (unsigned long long)rd_varint(&sample));
		assert_false(sample.short_read || series.short_read);
		assert_int_equal(rd_left(&series), 0);
	}
	assert_false(r.short_read);
	buf_str(&b);
	return (char *)b.p;
}

static void test_samples(void **state)
{
	static const struct def defs[] = {
		{ "component_id", V_U64, 1 }, { "Tag", V_CHAR_ARRAY, 4 }, { "index", V_CHAR_ARRAY, 4 },
		{ "zone", V_CHAR_ARRAY, 4 },  { "__x", V_CHAR_ARRAY, 4 }, { "a(b)", V_U64, 1 },
		{ "a[b]", V_D64, 1 },         { "arr", V_U8_ARRAY, 2 },   { "text", V_CHAR_ARRAY, 4 },
		{ "ts", V_TIMESTAMP, 1 },     { "no", V_U64, 1 },
	};
	char *tags[] = { words("Tag"), words("index"), words("zone"), words("__x"), NULL };
	const struct samples_conf conf = { .series = { .tags = tags }, .prefix = "my_" };
	const double not_a_number = NAN;
	const uint32_t ts[] = { 1700000000, 250000 };
	const struct value v[] = {
		value_at(V_U64, 1, &seven),          value_at(V_CHAR_ARRAY, 4, "T"),  value_at(V_CHAR_ARRAY, 4, "I"),
		value_at(V_CHAR_ARRAY, 4, "\xe4\n"), value_at(V_CHAR_ARRAY, 4, ""),   value_at(V_U64, 1, &one),
		value_at(V_D64, 1, &not_a_number),   value_at(V_U8_ARRAY, 2, "\5\6"), value_at(V_CHAR_ARRAY, 4, "txt"),
		value_at(V_TIMESTAMP, 1, ts),        value_at(V_NONE, 1, NULL),
	};
	struct row_schema *rs = SCHEMA("7 set", defs);
	struct samples_shape *sh = samples_shape_new(&conf, rs);
	struct row row = row_of(rs, v);
	struct buf b = { 0 };
	char *got;

#define BEFORE "Tag=T,__name__=my_7_set_"
#define AFTER  "component_id=7,hostname=n1,"
#define LAST   "index_2=I,instance=n1/set,zone=\xc3\xa4 ,"
	assert_true(samples_put(sh, &row, &b));
	got = print_samples(&b);
	assert_string_equal(got, BEFORE "a_b_," AFTER LAST " 1 1795188631002\n" BEFORE "a_b__2," AFTER LAST
					" nan 1795188631002\n" BEFORE "arr," AFTER "index=0," LAST
					" 5 1795188631002\n" BEFORE "arr," AFTER "index=1," LAST
					" 6 1795188631002\n" BEFORE "ts," AFTER LAST " 1.7e+09 1795188631002\n");
	free(got);
	buf_fini(&b);
	samples_shape_free(sh);
	row_schema_put(rs);
	for (size_t i = 0; tags[i]; i++)
		free(tags[i]);
}

static void test_samples_without_labels(void **state)
{
	static const struct def defs[] = { { "n", V_U64, 1 } };
	char *notags[] = { words("producer"), words("instance"), NULL };
	const struct samples_conf conf = { .series = { .notags = notags } };
	const struct value v = value_at(V_U64, 1, &seven);
	struct row_schema *rs = SCHEMA("7", defs);
	struct samples_shape *sh = samples_shape_new(&conf, rs);
	struct row row = row_of(rs, &v);
	struct buf b = { 0 };
	char *got;

	assert_true(samples_put(sh, &row, &b));
	got = print_samples(&b);
	assert_string_equal(got, "__name__=_7_n, 7 1795188631002\n");
	free(got);
	buf_fini(&b);
	samples_shape_free(sh);
	row_schema_put(rs);
	free(notags[0]);
	free(notags[1]);
}

/* A peer may send as many metrics as it likes, and names of which nothing is left: that takes moments. */
static void test_wide(void **state)
{
	enum { N = 200000 };
	struct def *defs = xcalloc(N, sizeof(*defs));
	struct value *v = xcalloc(N, sizeof(*v));
	const struct line_conf ldms = { .u64 = LINE_U64_INT }, ldmsd = { .ldmsd = true };
	const struct samples_conf conf = { 0 };
	struct samples_shape *sh;
	struct row_schema *rs;
	struct buf b = { 0 };
	struct row row;
	char *line;

	for (int i = 0; i < N; i++) {
		char name[19] = "";

		for (int bit = 0; bit < 18; bit++)
			name[bit] = i >> bit & 1 ? '(' : ')';
		defs[i].name = xstrdup(name);
		defs[i].type = i % 2 ? V_U64 : V_CHAR_ARRAY;
		v[i] = i % 2 ? value_at(V_U64, 1, &one) : value_at(V_CHAR_ARRAY, 1, "x");
	}
	for (int k = 0; k < 2; k++) {
		line = line_of(k ? &ldmsd : &ldms, schema_of("wide", defs, N), v);
		assert_int_equal(!strstr(line, "_200000="), !k);
		free(line);
	}
	rs = schema_of("wide", defs, N);
	row = row_of(rs, v);
	sh = samples_shape_new(&conf, rs);
	assert_true(samples_put(sh, &row, &b));
	assert_non_null(memmem(b.p, b.len, "_100000", 7));
	samples_shape_free(sh);
	row_schema_put(rs);
	buf_fini(&b);
	for (int i = 0; i < N; i++)
		free((char *)(uintptr_t)defs[i].name);
	free(defs);
	free(v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),    cmocka_unit_test(test_as_ldmsd),
		cmocka_unit_test(test_names),     cmocka_unit_test(test_names_that_are_taken),
		cmocka_unit_test(test_lists),     cmocka_unit_test(test_decomposed),
		cmocka_unit_test(test_too_large), cmocka_unit_test(test_nothing_to_say),
		cmocka_unit_test(test_samples),   cmocka_unit_test(test_samples_without_labels),
		cmocka_unit_test(test_wide),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
