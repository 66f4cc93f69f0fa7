/* json_scan.c - what is JSON and what is not, and the members of an object */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "core/base/json_scan.h"

static void test_good(void **state)
{
	static const char *const good[] = {
		"{}",
		"[]",
		"0",
		"-1.5e+3",
		"\"\"",
		"true",
		" null \n",
		"{\"a\":1}",
		"[1,2,[3,{\"a\":[]}]]",
		"\"\\u00e9\\n\"",
		"\"\xc3\xa9\"",
		"1E5",
		"{\"a\":{\"b\":[true,false,null]},\"c\":\"}\"}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
		if (json_check(good[i], strlen(good[i]), NULL))
			fail_msg("refused: %s", good[i]);
}

static void test_bad(void **state)
{
	static const struct {
		const char *text, *words;
	} bad[] = {
		{ "", "line 1, column 1: the text ends too early" },
		{ "{", "column 2: a text in double quotes is missing" },
		{ "{\"a\" 1}", "column 6: a colon is missing behind the key" },
		{ "{\"a\":1,}", "column 8: a text in double quotes" },
		{ "[1 2]", "column 4: a comma or ] is missing" },
		{ "[1,]", "column 4: no value" },
		{ "{'a':1}", "column 2: a text in double quotes is missing" },
		{ "hello", "column 1: no value that JSON knows" },
		{ "01", "column 2: something stands behind the value" },
		{ "-", "column 2: a digit is missing" },
		{ "1.", "a digit is missing" },
		{ "1e", "a digit is missing" },
		{ "\"a", "the text has no end" },
		{ "\"\\x\"", "no escape" },
		{ "\"\\u12g4\"", "four hexadecimal digits" },
		{ "\"a\nb\"", "line 1, column 3: a control character" },
		{ "{\"a\":\n 1,\n b:2}", "line 3, column 2: a text in double quotes" },
		{ "1 1", "something stands behind" },
		{ "tru", "no value" },
	};
	struct err err;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		err.msg[0] = '\0';
		if (!json_check(bad[i].text, strlen(bad[i].text), &err))
			fail_msg("accepted: %s", bad[i].text);
		if (!strstr(err.msg, bad[i].words))
			fail_msg("%s: %s", bad[i].text, err.msg);
	}
	assert_true(json_check("1\0", 2, NULL)); /* a NUL is no blank */
}

static void test_deep(void **state)
{
	char text[2 * JSON_DEPTH_MAX + 3];
	struct err err = { "" };

	(void)state;
	memset(text, '[', JSON_DEPTH_MAX);
	memset(text + JSON_DEPTH_MAX, ']', JSON_DEPTH_MAX);
	assert_int_equal(json_check(text, 2 * JSON_DEPTH_MAX, &err), 0);
	memset(text, '[', sizeof(text));
	assert_true(json_check(text, sizeof(text), &err));
	assert_non_null(strstr(err.msg, "too many"));
}

static void test_members(void **state)
{
	static const char text[] = " { \"a\" : 1 , \"b\\\"\":{\"x\":[1,2]},\"c\":\"}\" } ";
	static const char *const want[][2] = { { "a", "1" }, { "b\\\"", "{\"x\":[1,2]}" }, { "c", "\"}\"" } };
	struct json_walk w;
	struct json_member m;
	size_t n = 0;

	(void)state;
	assert_true(json_walk_init(&w, text, strlen(text)));
	while (json_walk_next(&w, &m)) {
		assert_int_equal(m.key_len, strlen(want[n][0]));
		assert_memory_equal(m.key, want[n][0], m.key_len);
		assert_int_equal(m.value_len, strlen(want[n][1]));
		assert_memory_equal(m.value, want[n][1], m.value_len);
		n++;
	}
	assert_int_equal(n, 3);
	assert_false(json_walk_init(&w, "[1]", 3));
	assert_true(json_walk_init(&w, "{}", 2));
	assert_false(json_walk_next(&w, &m));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_deep),
		cmocka_unit_test(test_members),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
