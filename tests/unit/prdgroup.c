/* Groups among the sets of a producer: who reads a group reads its members, on its schedule. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "core/base/log.h"
#include "core/base/unit.h"
#include "core/daemon/prdcr_impl.h"
#include "core/daemon/setgroup.h"
#include "core/daemon/updtr.h"

static struct daemon *d;
static struct prdcr *p; /* this daemon's own sets: they need no connection */
static struct updtr *u;
static struct schema *plain;

static void turn(void)
{
	for (int i = 0; i < 5; i++)
		ev_run(loop_ev(d->main), EVRUN_NOWAIT);
}

static void set_add(const char *name)
{
	struct set *s;

	assert_int_equal(set_new(d->pool, plain, name, "p", 0, 0, 0777, &s, NULL), 0);
	assert_int_equal(setdb_add(d->sets, s, NULL), 0);
	set_put(s);
	turn();
}

static void set_del(const char *name)
{
	struct set *s = setdb_find(d->sets, name);

	setdb_del(d->sets, s);
	set_put(s);
	turn();
}

static void group_add(const char *name, int64_t interval_us, const char *members)
{
	const struct setgroup_schedule sched = { .interval_us = interval_us };

	assert_int_equal(setgroup_add(d, name, "p", &sched, NULL), 0);
	assert_int_equal(setgroup_ins(d, name, members, NULL), 0);
	turn();
}

static void group_ins(const char *name, const char *members)
{
	assert_int_equal(setgroup_ins(d, name, members, NULL), 0);
	turn();
}

static void group_rm(const char *name, const char *members)
{
	assert_int_equal(setgroup_rm(d, name, members, NULL), 0);
	turn();
}

/* Seconds between the updates of a set; 0: it is not updated, -1: it is not there. */
static int every(const char *name)
{
	struct prdset *ps = prdset_find(p, name);
	int64_t interval_us, offset_us;

	if (!ps)
		return -1;
	return updtr_set_schedule(ps, &interval_us, &offset_us) ? (int)(interval_us / SEC_US) : 0;
}

/* An updater every second, or as the sets say, of the sets whose names match. */
static void start(const char *match)
{
	const struct updtr_conf conf = { .name = "u", .interval_us = SEC_US, .auto_interval = true };

	u = updtr_new(d, &conf, NULL);
	assert_int_equal(updtr_prdcr_add(u, ".*", NULL), 0);
	assert_int_equal(updtr_match_add(u, match, UPDTR_INSTANCE, NULL), 0);
	assert_int_equal(updtr_start(u, NULL), 0);
	node_add(&d->updtrs, (struct node *)u);
	turn();
}

static int setup(void **state)
{
	const struct prdcr_conf conf = {
		.name = "p", .xprt = "sock", .host = "h", .auth = "none", .type = PRDCR_LOCAL, .reconnect_us = SEC_US
	};
	const struct daemon_conf dc = { .name = "d" };

	(void)state;
	log_level_set(LOG_QUIET_);
	assert_int_equal(daemon_new(&dc, &d, NULL), 0);
	plain = schema_new("plain", NULL);
	schema_add(plain, "m", V_U64, NULL, NULL);
	loop_lock(d->main);
	p = prdcr_new(d, &conf, NULL);
	node_add(&d->prdcrs, (struct node *)p);
	assert_int_equal(prdcr_start(p, 0, NULL), 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	loop_unlock(d->main);
	schema_free(plain);
	daemon_free(d, SEC_US);
	return 0;
}

static void test_members_come_along(void **state)
{
	(void)state;
	set_add("before");
	set_add("other");
	start("^g$");
	assert_int_equal(every("before"), 0);
	group_add("g", 5 * SEC_US, "before,after,never");
	assert_int_equal(every("g"), 5);
	assert_int_equal(every("before"), 5);
	set_add("after");
	assert_int_equal(every("after"), 5);
	assert_int_equal(every("other"), 0);
	set_del("before");
	set_add("before");
	assert_int_equal(every("before"), 5);
}

static void test_members_come_and_go(void **state)
{
	const struct setgroup_schedule slower = { .interval_us = 7 * SEC_US };

	(void)state;
	set_add("a");
	set_add("b");
	group_add("g", 5 * SEC_US, "a");
	start("^g$");
	assert_int_equal(every("a"), 5);
	assert_int_equal(every("b"), 0);
	group_ins("g", "b");
	assert_int_equal(every("b"), 5);
	assert_int_equal(setgroup_mod(d, "g", &slower, NULL), 0);
	turn();
	assert_int_equal(every("g"), 7);
	assert_int_equal(every("a"), 7);
	group_rm("g", "a");
	assert_int_equal(every("a"), 0);
	assert_int_equal(every("b"), 7);
	assert_int_equal(setgroup_del(d, "g", NULL), 0);
	turn();
	assert_int_equal(every("g"), -1);
	assert_int_equal(every("b"), 0);
	group_add("g", 5 * SEC_US, "a");
	assert_int_equal(every("a"), 5);
	updtr_stop(u);
	assert_int_equal(every("a"), 0);
	assert_int_equal(updtr_start(u, NULL), 0);
	assert_int_equal(every("a"), 5);
}

/* What is wanted for itself too is read once, behind the group; and for itself again when the group is gone. */
static void test_own_and_member(void **state)
{
	(void)state;
	set_add("a");
	start(".*");
	assert_int_equal(every("a"), 1);
	group_add("g", 5 * SEC_US, "a");
	group_add("h", 9 * SEC_US, "a");
	assert_int_equal(every("a"), 5);
	group_rm("g", "a");
	assert_int_equal(every("a"), 9);
	assert_int_equal(setgroup_del(d, "h", NULL), 0);
	turn();
	assert_int_equal(every("a"), 1);
}

/* Groups in groups stay closed, as for ldms_ls; and no circle of them is one for us. */
static void test_nested(void **state)
{
	(void)state;
	set_add("a");
	set_add("b");
	group_add("inner", 5 * SEC_US, "a,g,inner");
	group_add("g", 7 * SEC_US, "inner,g,b");
	start("^g$");
	assert_int_equal(every("g"), 7);
	assert_int_equal(every("inner"), 7);
	assert_int_equal(every("b"), 7);
	assert_int_equal(every("a"), 0);
	updtr_stop(u);
	assert_int_equal(updtr_match_add(u, "inner", UPDTR_INSTANCE, NULL), 0);
	assert_int_equal(updtr_start(u, NULL), 0);
	assert_int_equal(every("g"), 7);
	assert_int_equal(every("inner"), 5);
	assert_int_equal(every("a"), 5);
	assert_int_equal(setgroup_del(d, "inner", NULL), 0);
	turn();
	assert_int_equal(every("a"), 0);
	assert_int_equal(every("b"), 7);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_members_come_along),
		TEST(test_members_come_and_go),
		TEST(test_own_and_member),
		TEST(test_nested),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
