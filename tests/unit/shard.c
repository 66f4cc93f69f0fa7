/* shard.c - each name is one daemon's, and few move when there is one more */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>

#include "core/base/shard.h"

#define NAMES 3000

static void test_parse(void **state)
{
	static const char *const bad[] = { "",    "1",    "0/3",   "4/3",  "1/0",    "1/3x",
					   "a/3", " 1/3", "1/ 3x", "-1/3", "1/1025", "1/99999" };
	struct shard sh = { 9, 9 };
	struct err err = { "" };

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_int_equal(shard_parse(bad[i], &sh, &err), -EINVAL);
	assert_int_equal(sh.k, 9); /* nothing was changed */
	assert_string_equal(err.msg, "'1/99999' is no shard: write K/N, the K-th of N, as 1/3 (N at most 1024)");
	assert_int_equal(shard_parse("2/3", &sh, &err), 0);
	assert_int_equal(sh.k, 2);
	assert_int_equal(sh.n, 3);
}

static uint32_t owner(const char *name, uint32_t n)
{
	uint32_t k = 0;

	for (uint32_t i = 1; i <= n; i++)
		if (shard_takes(&(struct shard){ i, n }, name)) {
			assert_int_equal(k, 0); /* one only */
			k = i;
		}
	assert_true(k);
	return k;
}

static void test_each_once(void **state)
{
	unsigned int count[5] = { 0 }, moved = 0;
	char name[32];

	assert_true(shard_takes(&(struct shard){ 0 }, "any"));
	for (int i = 0; i < NAMES; i++) {
		uint32_t was, now;

		snprintf(name, sizeof(name), "node%04d/meminfo", i);
		was = owner(name, 3);
		now = owner(name, 4);
		assert_true(now == was || now == 4);
		moved += now != was;
		count[was]++;
	}
	for (int k = 1; k <= 3; k++)
		assert_in_range(count[k], NAMES / 3 * 9 / 10, NAMES / 3 * 11 / 10);
	assert_in_range(moved, NAMES / 4 * 85 / 100, NAMES / 4 * 115 / 100);
}

/* Another version must not think otherwise. */
static void test_frozen(void **state)
{
	static const char *const names[] = { "n1/meminfo", "n2/meminfo", "n3/meminfo", "n1/loadavg", "x" };
	char got[16] = "";

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		got[i] = (char)('0' + owner(names[i], 5));
	assert_string_equal(got, "12125");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_each_once),
		cmocka_unit_test(test_frozen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
