/* samp_perf.c - performance counters, as far as this machine lets them be counted */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "samp_rig.h"

/* What the kernel counts itself is there wherever it may be counted. */
static void test_perf(void **state)
{
	struct fixture *f = *state;
	struct err err = { 0 };
	struct samp_status st;

	sysroot_make(f->root, "/sys/devices/system/cpu/online", "0\n");
	config(f, "perf", "events=cpu-clock,context-switches");
	st = status(f);
	if (st.degraded) { /* the kernel forbids it, and that is said */
		assert_true(strstr(st.why, "kernel.perf_event_paranoid") || strstr(st.why, "CONFIG_PERF_EVENTS"));
		return;
	}
	sample(f, "node-1/perf");
	assert_string_equal(image_schema(f->sn->im.meta), "perf");
	assert_int_equal(image_card(f->sn->im.meta), 3 + 4);
	assert_true(value_u64(value(f, "cpu_clock"), 0) > 0);
	assert_true(value_u64(value(f, "time_enabled"), 0) > 0);
	assert_true(value_u64(value(f, "time_running"), 0) > 0);
	stop(f);

	config(f, "perf", "events=cpu-clock per_cpu");
	sample(f, "node-1/perf");
	assert_string_equal(image_schema(f->sn->im.meta), "perf_cpu");
	sysroot_put(f->root, "/sys/devices/system/cpu/online", "all\n"); /* unheard of */
	assert_int_equal(samp_once(f->sp, &err), -EPROTO);
	assert_non_null(strstr(err.msg, "/online: is no list of processors like 0-3,5"));
	sysroot_put(f->root, "/sys/devices/system/cpu/online", "0-0\n");
	sample(f, "node-1/perf");
}

static void test_perf_bad(void **state)
{
	static const struct {
		const char *conf, *words;
	} bad[] = {
		{ "events=,", "events=: has no event" },
		{ "events=cyles", "events=: no event cyles; use names as `perf list` has them" },
		{ "events=rxyz", "events=: no event rxyz" },
		{ "events=page-faults,page-faults", "events=: page-faults is there twice" },
		{ "per_cpu=perhaps", "per_cpu=: " },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct err err = { 0 };

		assert_int_equal(try_config(f, "perf", bad[i].conf, &err), -EINVAL);
		if (!strstr(err.msg, bad[i].words))
			fail_msg("%s: %s", bad[i].conf, err.msg);
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_perf),
		TEST(test_perf_bad),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
