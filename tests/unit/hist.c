/* hist.c - histograms: exact where it is small, to an eighth where it is large */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/base/hist.h"

static void test_empty(void **state)
{
	struct hist h = { 0 };

	(void)state;
	assert_int_equal(hist_quantile(&h, 0.5), 0);
	hist_add(&h, 0);
	assert_int_equal(hist_quantile(&h, 1), 0);
}

static void test_small(void **state)
{
	struct hist h = { 0 };

	(void)state;
	for (uint64_t v = 1; v <= 10; v++)
		hist_add(&h, v);
	assert_int_equal(hist_quantile(&h, 0.5), 5);
	assert_int_equal(hist_quantile(&h, 0.9), 9);
	assert_int_equal(hist_quantile(&h, 0.99), 10);
	assert_int_equal(h.max, 10);
	assert_int_equal(h.n, 10);
}

/* One value alone is between itself and an eighth more, and among others the bucket says no less. */
static void test_large(void **state)
{
	(void)state;
	for (uint64_t v = 1; v < UINT64_C(1) << 40; v += v / 7 + 1) {
		struct hist h = { 0 };
		uint64_t got;

		hist_add(&h, v);
		assert_int_equal(hist_quantile(&h, 0.5), v);
		hist_add(&h, UINT64_MAX);
		got = hist_quantile(&h, 0.5);
		if (v < UINT64_C(1) << 30)
			assert_in_range(got, v, v + v / 8);
		else
			assert_true(got >= v);
		assert_true(hist_quantile(&h, 1) == UINT64_MAX);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_small),
		cmocka_unit_test(test_large),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
