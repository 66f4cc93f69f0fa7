/* print_formats.c - the listings and the machine formats: as ldms_ls has them, and valid JSON where it has none */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/print.h"
#include "core/base/json_put.h"
#include "core/set/snap.h"
#include "tests/json_valid.h"

#define NOW_US INT64_C(1795264852302000)

static const struct info_pair hint[] = { { (char *)"updt_hint_us", (char *)"1000000:0" } };
static const struct info_pair members[] = { { (char *)"    grp_member: node-1/meminfo", (char *)"-" },
					    { (char *)"updt_hint_us", (char *)"1000000:0" } };
static const struct dir_set vmstat = {
	.name = "node-1/vmstat",
	.schema = "vmstat",
	.digest = "A2870AEA0A5E25C1945023136AF6B4C0489EAEE1730B950EFA68DE38AE440C09",
	.flags = "CL ",
	.perm = "-r--r-----",
	.meta_size = 10688,
	.data_size = 1648,
	.ts_sec = 1795264828,
	.ts_usec = 1821,
	.dur_usec = 56,
	.info = hint,
	.info_n = 1,
};
static const struct dir_set grp = {
	.name = "grp",
	.schema = "ldmsd_grp_schema",
	.digest = "E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855",
	.flags = " L ",
	.perm = "-r--r-----",
	.meta_size = 200,
	.data_size = 96,
	.info = members,
	.info_n = 2,
};

#define HEAD                                                                                                           \
	"Schema         Instance                 Flags  Msize  Dsize  Hsize  UID    GID    Perm       "                \
	"Update            Duration          Info    \n"
#define LINE                                                                                                           \
	"-------------- ------------------------ ------ ------ ------ ------ ------ ------ ---------- "                \
	"----------------- ----------------- --------\n"

/* Print both sets, or none, and compare. */
static void check_listing(const struct print_format *format, int verbose, bool empty, const char *want)
{
	const struct dir_set *const sets[] = { &vmstat, &grp };
	struct print p = { .format = format, .verbose = verbose, .now_us = NOW_US };

	p.peer = (struct print_peer){ .host = "localhost", .xprt = "sock", .ip = "127.0.0.1", .port = 21701 };
	print_begin(&p);
	print_listing(&p, sets, empty ? 0 : 2);
	print_contents_begin(&p);
	print_end(&p);
	assert_string_equal(buf_str(&p.out), want);
	if (format == &print_json)
		assert_true(json_valid(p.out.p, p.out.len));
	buf_fini(&p.out);
}

static void test_text(void **state)
{
	(void)state;
	check_listing(&print_text, 0, true, "");
	check_listing(&print_text, 0, false, "node-1/vmstat\ngrp\n");
	check_listing(&print_text, 1, true, HEAD LINE);
	check_listing(&print_text, 1, false,
		      HEAD LINE
		      "vmstat         node-1/vmstat               CL   10688   1648      0      0      0 -r--r----- "
		      "1795264828.001821          0.000056 \"updt_hint_us\"=\"1000000:0\" \n"
		      "ldmsd_grp_schema grp                          L     200     96      0      0      0 -r--r----- "
		      "         0.000000          0.000000 \"    grp_member: node-1/meminfo\"=\"-\" "
		      "\"updt_hint_us\"=\"1000000:0\" \n" LINE
		      "Total Sets: 2, Meta Data (kB): 10.89, Data (kB) 1.74, Memory (kB): 12.63\n");
	check_listing(&print_text, 2, true,
		      "Hostname    : localhost\nIP Address  : 127.0.0.1\nPort        : 21701\nTransport   : sock\n"
		      "Schema Digest                                                    " HEAD
		      "---------------------------------------------------------------- " LINE);
}

static void test_tab(void **state)
{
	(void)state;
	check_listing(&print_tab, 0, true, "");
	check_listing(&print_tab, 0, false, "#instance\nnode-1/vmstat\ngrp\n");
	check_listing(
		&print_tab, 1, false,
		"#schema\tinstance\tflags\tmsize\tdsize\thsize\tuid\tgid\tperm\tupdate\tduration\tage_seconds\t"
		"age_intervals\tinfo\n"
		"vmstat\tnode-1/vmstat\tCL \t10688\t1648\t0\t0\t0\t-r--r-----\t1795264828.001821\t0.000056\t24.300"
		"\t24\t\"updt_hint_us\"=\"1000000:0\" \n"
		"ldmsd_grp_schema\tgrp\t L \t200\t96\t0\t0\t0\t-r--r-----\t0.000000\t0.000000\t1795264852.302\t"
		"1795264852\t\"    grp_member: node-1/meminfo\"=\"-\" \"updt_hint_us\"=\"1000000:0\" \n"
		"#total_sets\tmeta_data_kb\tdata_kb\tmemory_kb\n2\t10.89\t 1.74\t12.63\n");
}

static void test_json(void **state)
{
	(void)state;
	check_listing(&print_json, 0, true, "{\"sets\":[]}\n");
	check_listing(&print_json, 0, false, "{\"sets\":[{\"instance\":\"node-1/vmstat\"},{\"instance\":\"grp\"}]}\n");
	check_listing(
		&print_json, 1, false,
		"{\"sets\":[{\"schema\":\"vmstat\",\"instance\":\"node-1/vmstat\",\"flags\":\"CL "
		"\",\"meta_size\":10688,"
		"\"data_size\":1648,\"heap_size\":0,\"uid\":0,\"gid\":0,\"perm\":\"-r--r-----\","
		"\"update\":\"1795264828.001821\",\"duration\":0.000056,\"age_seconds\":24.300,\"age_intervals\":24,"
		"\"info\":{\"updt_hint_us\":\"1000000:0\"}},"
		"{\"schema\":\"ldmsd_grp_schema\",\"instance\":\"grp\",\"flags\":\" L \",\"meta_size\":200,"
		"\"data_size\":96,\"heap_size\":0,\"uid\":0,\"gid\":0,\"perm\":\"-r--r-----\",\"update\":\"0.000000\","
		"\"duration\":0.000000,\"age_seconds\":1795264852.302,\"age_intervals\":1795264852,"
		"\"info\":{\"    grp_member: node-1/meminfo\":\"-\",\"updt_hint_us\":\"1000000:0\"}}],"
		"\"memory\":{\"total_sets\":2,\"meta_data_kb\":10.89,\"data_kb\":1.74,\"memory_kb\":12.632000}}\n");
	check_listing(&print_json, 2, true,
		      "{\"source\":{\"hostname\":\"localhost\",\"ip_address\":\"127.0.0.1\",\"port\":21701,"
		      "\"transport\":\"sock\"},\"sets\":[],\"memory\":{\"total_sets\":0,\"meta_data_kb\":0.00,"
		      "\"data_kb\":0.00,\"memory_kb\":0.000000}}\n");
}

static void test_age_without_hint(void **state)
{
	struct print p = { .now_us = NOW_US };
	struct info_pair bad = { (char *)"updt_hint_us", (char *)"0:0" };
	struct dir_set d = vmstat;

	(void)state;
	assert_int_equal(print_age_intervals(&p, &d), 24);
	d.info = &bad;
	assert_int_equal(print_age_intervals(&p, &d), -1);
	d.info_n = 0;
	assert_int_equal(print_age_intervals(&p, &d), -1);
}

/* -- contents ------------------------------------------------------------------------------------------------------ */

/* A set with the values that ldms_ls does not write as JSON. */
static struct snap *hard_snap(void)
{
	static const struct metric_def rec[] = { { .name = "a", .type = V_U64 },
						 { .name = "s", .type = V_CHAR_ARRAY, .count = 8 } };
	static const uint8_t bytes[] = { 1, 255 };
	struct schema *s = schema_new("hard", NULL);
	struct pool *pool = pool_new(0);
	int r, list, arr;
	struct snap *sn;
	struct set *set;

	schema_add(s, "letter", V_CHAR, NULL, NULL);
	schema_add_array(s, "text", V_CHAR_ARRAY, 8, "u", NULL);
	schema_add_array(s, "bytes", V_U8_ARRAY, 2, NULL, NULL);
	schema_add(s, "nan", V_D64, NULL, NULL);
	schema_add(s, "tenth", V_F32, NULL, NULL);
	r = schema_add_record(s, "rec", rec, 2, NULL);
	list = schema_add_list(s, "list", NULL, 1024, NULL);
	arr = schema_add_record_array(s, "arr", r, 1, NULL, NULL);
	assert_int_equal(set_new(pool, s, "n/hard", "n", 0, 0, 0440, &set, NULL), 0);
	set_begin(set);
	set_bytes(set, 0, "\"", 1);
	set_text(set, 1, "a\n\xff\xc3\xa9", 5);
	set_bytes(set, 2, bytes, 2);
	set_d64(set, 3, NAN);
	set_f32(set, 4, 0.1f);
	*(uint8_t *)list_append(set, list, V_U64, 1) = 9;
	record_text(set, list_append_record(set, list, r), 1, "x", 1);
	record_u64(set, record_array_slot(set, arr, 0), 0, 3);
	set_end(set);
	sn = snap_new(set);
	set_put(set);
	schema_free(s);
	pool_free(pool);
	return sn;
}

static char *contents_of(const struct print_format *format, bool udata)
{
	static const struct dir_set d = {
		.name = "n/hard", .schema = "hard", .digest = "", .flags = "CL ", .perm = "-"
	};
	struct print p = { .format = format, .contents = true, .udata = udata };
	struct snap *sn = hard_snap();

	print_begin(&p);
	print_listing(&p, NULL, 0);
	print_contents_begin(&p);
	print_contents(&p, &d, &sn->im);
	print_contents(&p, &d, &sn->im);
	print_end(&p);
	if (format == &print_json)
		assert_true(json_valid(p.out.p, p.out.len));
	buf_str(&p.out);
	snap_put(sn);
	return (char *)p.out.p;
}

static void check_has(const char *text, const char *want)
{
	if (!strstr(text, want))
		fail_msg("no %s in %s", want, text);
}

static void test_contents_json(void **state)
{
	char *text = contents_of(&print_json, false);

	(void)state;
	check_has(text, "{\"sets\":[],\"long_sets\":[{\"dir_info\":{\"name\":\"n/hard\"");
	check_has(text, "\"flags\":\"CR \"");
	check_has(text, "{\"type\":\"D\",\"kind\":\"char\",\"name\":\"letter\",\"value\":\"\\\"\",\"units\":\"\"}");
	check_has(text, "\"value\":\"a\\u000a\\u00ff\xc3\xa9\",\"units\":\"u\"");
	check_has(text, "\"name\":\"bytes\",\"value\":[1,255]");
	check_has(text, "\"name\":\"nan\",\"value\":null");
	check_has(text, "\"name\":\"tenth\",\"value\":0.1,");
	check_has(text, "\"name\":\"list\",\"value\":[9,{\"a\":0,\"s\":\"x\"}]");
	check_has(text, "\"name\":\"arr\",\"value\":[{\"a\":3,\"s\":\"\"}]");
	free(text);
	text = contents_of(&print_json, true);
	check_has(text, "\"name\":\"bytes\",\"userdata\":0,\"value\":[1,255]");
	free(text);
}

static void test_contents_tab(void **state)
{
	char *text = contents_of(&print_tab, true);

	(void)state;
	check_has(text, "#instance\tconsistent\tupdate\tupdate.usec\tpush\tlast_push\nn/hard\t1\t");
	check_has(text, "#type\tkind\tname\tudata\tvalue\tunit\nD\tchar\tletter\t0x0\t'\"'\t\n");
	check_has(text, "D\tu8[]\tbytes\t0x0\t0x01,0xff\t\n");
	check_has(text, "D\tlist<>\tlist\t0x0\t[9,{\"a\":0,\"s\":\"x\"}]\t\n");
	free(text);
}

static void test_json_numbers(void **state)
{
	static const struct {
		double d;
		const char *want;
	} rows[] = {
		{ 0, "0" },
		{ -0.5, "-0.5" },
		{ 0.1, "0.1" },
		{ 1e300, "1e+300" },
		{ INFINITY, "null" },
		{ 1.0 / 3, "0.3333333333333333" },
		{ 123456789, "123456789" },
		{ 5e-324, "4.94065645841247e-324" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct buf b = { 0 };

		json_put_d64(&b, rows[i].d);
		assert_string_equal(buf_str(&b), rows[i].want);
		assert_true(json_valid(b.p, b.len));
		assert_true(isinf(rows[i].d) || strtod((char *)b.p, NULL) == rows[i].d);
		buf_fini(&b);
	}
}

/* Every run of four bytes from the places where UTF-8 changes its mind. */
static void test_json_text(void **state)
{
	static const unsigned char edges[] = { 0,    0x1f, '"',  '\\', 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0,
					       0xbf, 0xc1, 0xc2, 0xe0, 0xed, 0xef, 0xf0, 0xf4, 0xf5, 0xff };
	char text[4] = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(edges) * sizeof(edges) * sizeof(edges) * sizeof(edges); i++) {
		struct buf b = { 0 };
		size_t k = i;

		for (int c = 0; c < 4; c++, k /= sizeof(edges))
			text[c] = (char)edges[k % sizeof(edges)];
		json_put_text(&b, text, sizeof(text));
		if (!json_valid(b.p, b.len))
			fail_msg("%02x %02x %02x %02x: %s", (uint8_t)text[0], (uint8_t)text[1], (uint8_t)text[2],
				 (uint8_t)text[3], buf_str(&b));
		buf_fini(&b);
	}
}

static void test_find(void **state)
{
	(void)state;
	assert_ptr_equal(print_format_find("json"), &print_json);
	assert_ptr_equal(print_format_find("tab"), &print_tab);
	assert_ptr_equal(print_format_find("text"), &print_text);
	assert_null(print_format_find("xml"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),          cmocka_unit_test(test_tab),
		cmocka_unit_test(test_json),          cmocka_unit_test(test_age_without_hint),
		cmocka_unit_test(test_contents_json), cmocka_unit_test(test_contents_tab),
		cmocka_unit_test(test_json_numbers),  cmocka_unit_test(test_json_text),
		cmocka_unit_test(test_find),
	};

	setenv("TZ", "UTC", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
