/* stream_csv.c - JSON messages as lines of CSV, and texts of JSON without their escapes */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "core/base/json_scan.h"
#include "store/stream_csv_line.h"

#define ROWS(a) (sizeof(a) / sizeof((a)[0]))
#define MAX     10000

static void test_lines(void **state)
{
	static const struct {
		const char *first, *head, *message, *lines; /* message NULL: the first one */
	} rows[] = {
		{ "{\"job-id\":10364,\"rank\":1,\"flag\":true,\"nul\":null,\"x\":1.25,\"perf\":[{\"name\":\"A\","
		  "\"count\":0,"
		  "\"time\":0.5},{\"name\":\"B\",\"count\":1,\"time\":0.25}]}",
		  "#job-id,rank,flag,nul,x,perf:name,perf:count,perf:time\n", NULL,
		  "10364,1,true,null,1.250000,\"A\",0,0.500000\n10364,1,true,null,1.250000,\"B\",1,0.250000\n" },
		/* what is missing is empty; the order is the columns' */
		{ "{\"a\":1,\"b\":2}", "#a,b\n", "{\"b\":3}", ",3\n" },
		{ "{\"a\":1,\"b\":2}", "#a,b\n", " { \"b\" : 3 ,\n\"a\" : 4 } \n", "4,3\n" },
		{ "{\"a\":1,\"b\":2}", "#a,b\n", "{}", ",\n" },
		{ "{\"a\":1,\"a\":2}", "#a\n", NULL, "2\n" },
		/* lists: empty, missing, null, first in the message, alone */
		{ "{\"a\":1,\"l\":[{\"x\":1,\"y\":2}]}", "#a,l:x,l:y\n", "{\"a\":2,\"l\":[]}", "2,,\n" },
		{ "{\"a\":1,\"l\":[{\"x\":1,\"y\":2}]}", "#a,l:x,l:y\n", "{\"a\":2}", "2,,\n" },
		{ "{\"a\":1,\"l\":[{\"x\":1,\"y\":2}]}", "#a,l:x,l:y\n", "{\"l\":null,\"a\":2}", "2,,\n" },
		{ "{\"l\":[{\"x\":1}],\"a\":1}", "#a,l:x\n", "{\"l\":[{\"x\":3},{\"y\":4}],\"a\":2}", "2,3\n2,\n" },
		{ "{\"l\":[{\"x\":1,\"y\":2}]}", "#l:x,l:y\n", "{\"l\":[{\"y\":2},{}]}", ",2\n,\n" },
		/* a second list, objects, lists of other things */
		{ "{\"l\":[{\"x\":1}],\"m\":[{\"y\":5}],\"o\":{\"p\": \"q\"},\"n\":[1,\n2]}", "#m,o,n,l:x\n", NULL,
		  "\"[{\"\"y\"\":5}]\",\"{\"\"p\"\": \"\"q\"\"}\",\"[1, 2]\",1\n" },
		{ "{\"l\":[{\"x\":{\"k\":1}},{\"x\":[1,2]}]}", "#l:x\n", NULL, "\"{\"\"k\"\":1}\"\n\"[1,2]\"\n" },
		/* numbers */
		{ "{\"a\":1}", "#a\n", "{\"a\":18446744073709551616}", "18446744073709551616\n" },
		{ "{\"a\":1}", "#a\n", "{\"a\":-0.1e1}", "-1.000000\n" },
		{ "{\"a\":1}", "#a\n", "{\"a\":1E2}", "100.000000\n" },
		/* texts and names */
		{ "{\"s\":\"a\\\"b\\\\c\\n\\t\\u00e9\\/\\ud83d\\ude00\\ud800\\u0007,\"}", "#s\n", NULL,
		  "\"a\"\"b\\\\c\\n\\t\xc3\xa9/\xf0\x9f\x98\x80\\ud800\\u0007,\"\n" },
		{ "{\"a,b\":1,\"c d\":\"\",\"q\\\"r\":3}", "#\"a,b\",c d,\"q\"\"r\"\n", NULL, "1,\"\",3\n" },
	};

	for (size_t i = 0; i < ROWS(rows); i++) {
		const char *message = rows[i].message ? rows[i].message : rows[i].first;
		struct err err = { "" };
		struct scsv_key left_out;
		struct buf b = { 0 };
		struct scsv *c;

		assert_int_equal(scsv_new(rows[i].first, strlen(rows[i].first), &c, &err), 0);
		scsv_head_add(&b, c);
		assert_string_equal(buf_str(&b), rows[i].head);
		buf_reset(&b);
		buf_addf(&b, "before\n");
		assert_int_equal(scsv_lines_add(&b, c, message, strlen(message), MAX, &left_out, &err), 0);
		assert_string_equal(buf_str(&b) + 7, rows[i].lines);
		assert_true(!left_out.p || rows[i].message);
		scsv_free(c);
		buf_fini(&b);
	}
}

/* A message that is refused leaves nothing behind; its words say why. */
static void test_refused(void **state)
{
	static const char good[] = "{\"a\":1,\"l\":[{\"x\":1}]}";
	static const struct {
		const char *text, *first_words, *words; /* as the first message; later; NULL: it is taken */
	} rows[] = {
		{ "{\"a\":", "no JSON: line 1, column 6", "no JSON: line 1, column 6" },
		{ "[1,2]", "no JSON object", "no JSON object" },
		{ "5", "no JSON object", "no JSON object" },
		{ "", "the text ends too early", "the text ends too early" },
		{ "{}", "no members", NULL },
		{ "{\"a\":1,\"l\":[]}", "\"l\" is empty", NULL },
		{ "{\"a\":1,\"l\":[{}]}", "has no members", NULL },
		{ "{\"a\":1,\"l\":7}", NULL, "\"l\" is no list" },
		{ "{\"a\":1,\"l\":[{\"x\":1},2]}", NULL, "entries that are no objects" },
	};
	struct scsv *c, *columns;
	struct buf b = { 0 };
	struct scsv_key key;

	assert_int_equal(scsv_new(good, strlen(good), &c, NULL), 0);
	for (size_t i = 0; i < ROWS(rows); i++) {
		size_t len = strlen(rows[i].text);
		struct err err = { "" };

		if (rows[i].first_words) {
			assert_int_equal(scsv_new(rows[i].text, len, &columns, &err), -EINVAL);
			assert_non_null(strstr(err.msg, rows[i].first_words));
		} else {
			assert_int_equal(scsv_new(rows[i].text, len, &columns, &err), 0);
			scsv_free(columns);
		}
		buf_reset(&b);
		if (!rows[i].words) {
			assert_int_equal(scsv_lines_add(&b, c, rows[i].text, len, MAX, &key, &err), 0);
			continue;
		}
		assert_int_equal(scsv_lines_add(&b, c, rows[i].text, len, MAX, &key, &err), -EINVAL);
		assert_non_null(strstr(err.msg, rows[i].words));
		assert_int_equal(b.len, 0);
	}
	scsv_free(c);
	buf_fini(&b);
}

/* What has no column is told. */
static void test_left_out(void **state)
{
	static const char first[] = "{\"a\":1,\"l\":[{\"x\":1}]}";
	static const char *const more[][2] = { { "{\"a\":1,\"b\":2}", "b" },
					       { "{\"a\":1,\"l\":[{\"x\":1},{\"y\":2}]}", "y" } };
	struct buf b = { 0 };
	struct scsv_key key;
	struct scsv *c;

	assert_int_equal(scsv_new(first, strlen(first), &c, NULL), 0);
	for (size_t i = 0; i < ROWS(more); i++) {
		assert_int_equal(scsv_lines_add(&b, c, more[i][0], strlen(more[i][0]), MAX, &key, NULL), 0);
		assert_int_equal(key.len, strlen(more[i][1]));
		assert_memory_equal(key.p, more[i][1], key.len);
	}
	scsv_free(c);
	buf_fini(&b);
}

/* A long text beside a long list would be repeated without end. */
static void test_too_much(void **state)
{
	struct buf m = { 0 }, b = { 0 };
	struct err err = { "" };
	struct scsv_key key;
	struct scsv *c;

	buf_addf(&m, "{\"a\":\"%01000d\",\"l\":[{\"x\":1}", 0);
	for (int i = 0; i < 100; i++)
		buf_addf(&m, ",{}");
	buf_addf(&m, "]}");
	assert_int_equal(scsv_new((char *)m.p, m.len, &c, NULL), 0);
	assert_int_equal(scsv_lines_add(&b, c, (char *)m.p, m.len, MAX, &key, &err), -EINVAL);
	assert_non_null(strstr(err.msg, "more than 10000 bytes"));
	assert_int_equal(b.len, 0);
	assert_int_equal(scsv_lines_add(&b, c, (char *)m.p, m.len, 1000000, &key, &err), 0);
	scsv_free(c);
	buf_fini(&m);
	buf_fini(&b);
}

/* Many columns, and a message of a megabyte of other members: that takes a moment, not many seconds. */
static void test_strange(void **state)
{
	struct buf first = { 0 }, other = { 0 }, b = { 0 };
	struct scsv_key left_out;
	struct scsv *c;

	for (int i = 0; i < 4096; i++)
		buf_addf(&first, "%c\"a%d\":1", i ? ',' : '{', i);
	buf_u8(&first, '}');
	assert_int_equal(scsv_new(buf_str(&first), first.len, &c, NULL), 0);
	buf_addf(&other, "{\"a4095\":2");
	while (other.len < 1000000)
		buf_addf(&other, ",\"az\":1");
	buf_u8(&other, '}');
	for (int i = 0; i < 20; i++) {
		buf_reset(&b);
		assert_int_equal(scsv_lines_add(&b, c, buf_str(&other), other.len, 1 << 20, &left_out, NULL), 0);
		assert_int_equal(b.len, 4095 + 2);
		assert_memory_equal(b.p + 4094, ",2\n", 3);
		assert_memory_equal(left_out.p, "az", 2);
	}
	scsv_free(c);
	buf_fini(&first);
	buf_fini(&other);
	buf_fini(&b);
}

static void test_unescape(void **state)
{
	static const char *const rows[][2] = {
		{ "plain", "plain" },
		{ "\\\"\\/", "\"/" },
		{ "\\\\ \\b\\f\\n\\r\\t", "\\\\ \\b\\f\\n\\r\\t" },
		{ "\\u0041\\u00e4\\u20ac", "A\xc3\xa4\xe2\x82\xac" },
		{ "\\ud83d\\ude00", "\xf0\x9f\x98\x80" },
		{ "\\ude00\\ud83d", "\\ude00\\ud83d" },
		{ "\\ud83dx\\ud83d\\n\\ud83d\\u0041", "\\ud83dx\\ud83d\\n\\ud83dA" },
		{ "\\u0000\\u001f\\u007f\\u0085\\u2028\\u005c", "\\u0000\\u001f\\u007f\\u0085\\u2028\\u005c" },
	};
	struct buf b = { 0 };

	for (size_t i = 0; i < ROWS(rows); i++) {
		buf_reset(&b);
		json_unescape(&b, rows[i][0], strlen(rows[i][0]));
		assert_string_equal(buf_str(&b), rows[i][1]);
	}
	buf_fini(&b);
}

static void test_items(void **state)
{
	static const char text[] = " [ 1 , [2,3],{\"a\":[4]} , \"]\" ] ";
	static const char *const want[] = { "1", "[2,3]", "{\"a\":[4]}", "\"]\"" };
	struct json_member m;
	struct json_walk w;
	size_t n = 0;

	assert_true(json_items_init(&w, text, strlen(text)));
	for (; json_items_next(&w, &m); n++) {
		assert_int_equal(m.value_len, strlen(want[n]));
		assert_memory_equal(m.value, want[n], m.value_len);
	}
	assert_int_equal(n, ROWS(want));
	assert_false(json_items_init(&w, "{}", 2));
	assert_true(json_items_init(&w, "[ ]", 3));
	assert_false(json_items_next(&w, &m));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),    cmocka_unit_test(test_refused), cmocka_unit_test(test_left_out),
		cmocka_unit_test(test_too_much), cmocka_unit_test(test_strange), cmocka_unit_test(test_unescape),
		cmocka_unit_test(test_items),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
