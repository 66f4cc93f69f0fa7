/* strgp_times.c - how long storing takes: sets that come and go, batches, beginning anew */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "core/base/xalloc.h"
#include "core/daemon/strgp_times.h"
#include "core/set/schema.h"

static struct pool *pool;

static int setup(void **state)
{
	(void)state;
	pool = pool_new(0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	pool_free(pool);
	return 0;
}

static struct snap *snap_named(const char *name)
{
	struct err err = { "" };
	struct schema *schema = schema_new("s", &err);
	struct set *set;
	struct snap *sn;

	schema_add(schema, "m", V_U64, NULL, &err);
	if (set_new(pool, schema, name, "p", 0, 0, 0777, &set, &err))
		fail_msg("%s", err.msg);
	sn = snap_new(set);
	set_put(set);
	schema_free(schema);
	return sn;
}

struct seen {
	unsigned int sets;
	struct strgp_time last;
	char name[32];
};

static void note(const struct strgp_time *tm, void *arg)
{
	struct seen *s = arg;

	s->sets++;
	s->last = *tm;
	snprintf(s->name, sizeof(s->name), "%s", tm->name);
}

static struct seen look(struct strgp_times *t, bool reset)
{
	struct seen s = { 0 };

	strgp_times_walk(t, reset, note, &s);
	return s;
}

static void test_counts(void **state)
{
	struct snap *sn[2] = { snap_named("a"), snap_named("b") };
	struct strgp_times t = { 0 };
	struct seen s;

	(void)state;
	strgp_times_init(&t);
	strgp_times_join(&t, "a", "p1", "s");
	assert_int_equal(look(&t, false).sets, 0);    /* nothing was stored yet */
	strgp_times_count(&t, sn, 2, 20000, 1000000); /* "b" is nobody's: not counted */
	s = look(&t, false);
	assert_int_equal(s.sets, 1);
	assert_int_equal(s.last.n, 1);
	assert_true(s.last.min_us == 10 && s.last.max_us == 10); /* both shared 20 us */
	assert_string_equal(s.last.prdcr, "p1");
	assert_int_equal(s.last.first_us, 1000000 - 10);
	strgp_times_count(&t, sn, 1, 30000, 2000000);
	strgp_times_count(&t, sn, 1, -5, 3000000); /* a clock that was set back */
	s = look(&t, true);
	assert_int_equal(s.last.n, 3);
	assert_true(s.last.min_us == 0 && s.last.max_us == 30 && s.last.sum_us == 40);
	assert_int_equal(s.last.max_at_us, 2000000);
	assert_int_equal(s.last.min_at_us, 3000000);
	s = look(&t, false);
	assert_int_equal(s.sets, 1); /* still there, from zero */
	assert_int_equal(s.last.n, 0);
	assert_true(s.last.max_us == 0 && s.last.last_us == 0 && s.last.first_us > 0);
	strgp_times_fini(&t);
	snap_put(sn[0]);
	snap_put(sn[1]);
}

static void test_order(void **state)
{
	enum { N = 5 };
	static const char *const names[N] = { "a", "b", "c", "d", "e" };
	struct strgp_times t = { 0 };
	struct snap *sn[N];

	(void)state;
	strgp_times_init(&t);
	for (int i = 0; i < N; i++) {
		strgp_times_join(&t, names[i], "p", "s");
		sn[N - 1 - i] = snap_named(names[i]); /* they come the other way round */
	}
	for (int i = 0; i < 3; i++)
		strgp_times_count(&t, sn, N, 5000, 1);
	strgp_times_leave(&t, "c"); /* also the one that is expected next may go */
	strgp_times_leave(&t, "e");
	strgp_times_count(&t, sn, N, 5000, 1);
	assert_int_equal(look(&t, false).sets, 3);
	assert_string_equal(look(&t, false).name, "d");
	assert_int_equal(look(&t, false).last.n, 4);
	strgp_times_fini(&t);
	for (int i = 0; i < N; i++)
		snap_put(sn[i]);
}

static void test_users(void **state)
{
	struct snap *sn = snap_named("a");
	struct strgp_times t = { 0 };

	(void)state;
	strgp_times_init(&t);
	strgp_times_leave(&t, "a"); /* never came */
	strgp_times_join(&t, "a", "p1", "s");
	strgp_times_count(&t, &sn, 1, 1000, 1);
	/* looked at anew by the same producer: what was counted stays */
	strgp_times_join(&t, "a", "p1", "s");
	strgp_times_leave(&t, "a");
	assert_int_equal(look(&t, false).last.n, 1);
	/* it moves to another producer: begins anew, and is there until both are gone */
	strgp_times_join(&t, "a", "p2", "s");
	assert_int_equal(look(&t, false).sets, 0);
	strgp_times_leave(&t, "a");
	strgp_times_count(&t, &sn, 1, 1000, 1);
	assert_string_equal(look(&t, false).last.prdcr, "p2");
	strgp_times_leave(&t, "a");
	assert_int_equal(look(&t, false).sets, 0);
	strgp_times_fini(&t);
	snap_put(sn);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_counts),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_users),
	};

	return cmocka_run_group_tests_name("strgp_times", tests, setup, teardown);
}
