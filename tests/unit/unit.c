/* unit.c - times, sizes, numbers and truth values, read and written */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "core/base/unit.h"

#define ROWS(a) (sizeof(a) / sizeof((a)[0]))

/* Words name the object in quotes and the remedy behind a semicolon. */
static void check_words(const struct err *err, const char *text)
{
	if (!strchr(err->msg, '"') || !strstr(err->msg, "; "))
		fail_msg("%s: %s", text, err->msg);
}

static void test_time(void **state)
{
	static const struct {
		const char *text;
		int64_t us;
	} good[] = {
		{ "0", 0 },
		{ "1000000", 1000000 },
		{ "1s", SEC_US },
		{ " 1.5 s ", 1500000 },
		{ "200ms", 200000 },
		{ "-100ms", -100000 },
		{ "-500000", -500000 },
		{ "20us", 20 },
		{ "20 micros", 20 },
		{ "20msec", 20000 },
		{ "2 milliseconds", 2000 },
		{ "20seconds", 20 * SEC_US },
		{ "1m", 60 * SEC_US },
		{ "1 minute", 60 * SEC_US },
		{ "2h", 7200 * SEC_US },
		{ "1d", 86400 * SEC_US },
		{ "1e3", 1000 },
		{ "0.0000004s", 0 },
		{ "0.0000006s", 1 },
		{ "2147483647", 2147483647 },
		{ "36525d", 36525ll * 86400 * SEC_US },
	};
	static const char *const bad[] = {
		"",    " ",    "s",    "1x",      "1M",     "1S",   "1 mon", "1mo", "inf",
		"nan", "infs", "1e30", "-36526d", "36526d", "1,5s", "--1s",  "$X",
	};
	struct err err;

	for (size_t i = 0; i < ROWS(good); i++) {
		int64_t us = -7;

		if (unit_time_us(good[i].text, &us, &err))
			fail_msg("%s: %s", good[i].text, err.msg);
		assert_int_equal(us, good[i].us);
	}
	for (size_t i = 0; i < ROWS(bad); i++) {
		int64_t us = -7;

		if (unit_time_us(bad[i], &us, &err) != -EINVAL)
			fail_msg("%s: taken as %jd", bad[i], (intmax_t)us);
		assert_int_equal(us, -7);
		check_words(&err, bad[i]);
	}
}

static void test_size(void **state)
{
	static const struct {
		const char *text;
		uint64_t bytes;
	} good[] = {
		{ "0", 0 },
		{ "512", 512 },
		{ "512B", 512 },
		{ "512b", 512 },
		{ "4k", 4096 },
		{ "4K", 4096 },
		{ "128M", 128u << 20 },
		{ "128MB", 128u << 20 },
		{ "128MiB", 128u << 20 },
		{ "128 mib", 128u << 20 },
		{ "1g", 1u << 30 },
		{ "2T", 2ull << 40 },
		{ " 1 T ", 1ull << 40 },
		{ "18446744073709551615", UINT64_MAX },
		{ "16777215T", 16777215ull << 40 },
	};
	static const char *const bad[] = {
		"",    "k",    "-1", "+1", "1.5G", "1P", "1kk", "1iB", "4 k b x", "16777216T", "18446744073709551616",
		"1e3", "0x10",
	};
	struct err err;

	for (size_t i = 0; i < ROWS(good); i++) {
		uint64_t bytes = 7;

		if (unit_size(good[i].text, &bytes, &err))
			fail_msg("%s: %s", good[i].text, err.msg);
		assert_int_equal(bytes, good[i].bytes);
	}
	for (size_t i = 0; i < ROWS(bad); i++) {
		uint64_t bytes = 7;

		if (unit_size(bad[i], &bytes, &err) != -EINVAL)
			fail_msg("%s: taken as %ju", bad[i], (uintmax_t)bytes);
		assert_int_equal(bytes, 7);
		check_words(&err, bad[i]);
	}
	unit_size("1.5G", &(uint64_t){ 0 }, &err);
	assert_non_null(strstr(err.msg, "1536M"));
}

static void test_u64(void **state)
{
	static const struct {
		const char *text;
		uint64_t v;
	} good[] = {
		{ "0", 0 },
		{ "411", 411 },
		{ "010", 10 },
		{ "0x1F", 31 },
		{ "0Xff", 255 },
		{ "18446744073709551615", UINT64_MAX },
		{ "0xffffffffffffffff", UINT64_MAX },
	};
	static const char *const bad[] = {
		"",
		" 1",
		"1 ",
		"-1",
		"+1",
		"0x",
		"0x-1",
		"0x 1",
		"0x0x1",
		"0x1g",
		"1k",
		"18446744073709551616",
		"0x10000000000000000",
	};
	struct err err;

	for (size_t i = 0; i < ROWS(good); i++) {
		uint64_t v = 7;

		assert_int_equal(unit_u64(good[i].text, &v, &err), 0);
		assert_int_equal(v, good[i].v);
	}
	for (size_t i = 0; i < ROWS(bad); i++) {
		uint64_t v = 7;

		if (unit_u64(bad[i], &v, &err) != -EINVAL)
			fail_msg("%s: taken as %ju", bad[i], (uintmax_t)v);
		assert_int_equal(v, 7);
		check_words(&err, bad[i]);
	}
}

static void test_bool(void **state)
{
	static const char *const yes[] = { "true", "TRUE", "Yes", "on", "1" };
	static const char *const no[] = { "false", "False", "no", "OFF", "0" };
	static const char *const bad[] = { "", "y", "t", "2", "truex", " true" };
	struct err err;

	for (size_t i = 0; i < ROWS(yes); i++) {
		bool v = false;

		assert_int_equal(unit_bool(yes[i], &v, &err), 0);
		assert_true(v);
	}
	for (size_t i = 0; i < ROWS(no); i++) {
		bool v = true;

		assert_int_equal(unit_bool(no[i], &v, &err), 0);
		assert_false(v);
	}
	for (size_t i = 0; i < ROWS(bad); i++) {
		assert_int_equal(unit_bool(bad[i], &(bool){ 0 }, &err), -EINVAL);
		check_words(&err, bad[i]);
	}
}

static void test_time_text(void **state)
{
	static const struct {
		int64_t us;
		const char *text;
	} rows[] = {
		{ 0, "0s" },
		{ 1, "1us" },
		{ -20, "-20us" },
		{ 1500, "1.5ms" },
		{ 200000, "200ms" },
		{ -100000, "-100ms" },
		{ SEC_US, "1s" },
		{ 1500000, "1.5s" },
		{ 1000001, "1.000001s" },
		{ 90 * SEC_US, "90s" },
		{ 60 * SEC_US, "1m" },
		{ 7200 * SEC_US, "2h" },
		{ 86400 * SEC_US, "1d" },
		{ INT64_MAX, "9223372036854.775807s" },
		{ INT64_MIN, "-9223372036854.775808s" },
	};

	for (size_t i = 0; i < ROWS(rows); i++) {
		char text[32];
		int64_t us;

		assert_string_equal(unit_time_text(rows[i].us, text), rows[i].text);
		if (!unit_time_us(text, &us, NULL))
			assert_int_equal(us, rows[i].us);
	}
}

static void test_size_text(void **state)
{
	static const struct {
		uint64_t bytes;
		const char *text;
	} rows[] = {
		{ 0, "0" },         { 512, "512" },           { 1000, "1000" },
		{ 4096, "4k" },     { 1536u << 20, "1536M" }, { 128u << 20, "128M" },
		{ 1u << 30, "1G" }, { 2ull << 40, "2T" },     { UINT64_MAX, "18446744073709551615" },
	};

	for (size_t i = 0; i < ROWS(rows); i++) {
		char text[32];
		uint64_t bytes;

		assert_string_equal(unit_size_text(rows[i].bytes, text), rows[i].text);
		assert_int_equal(unit_size(text, &bytes, NULL), 0);
		assert_int_equal(bytes, rows[i].bytes);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_time), cmocka_unit_test(test_size),      cmocka_unit_test(test_u64),
		cmocka_unit_test(test_bool), cmocka_unit_test(test_time_text), cmocka_unit_test(test_size_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
