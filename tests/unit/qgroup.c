/* The account of a quota group: spending, asking, donating; and withheld credit between peers. */
#include "tests/unit/rig.h"

#include "xprt/bus.h"
#include "xprt/qgroup.h"

/* One window since 1970 does not end within a test. */
static const struct qgroup_conf conf = {
	.quota = 100, .ask_mark = 20, .ask_amount = 50, .ask_us = SEC_US, .reset_us = INT64_MAX
};

struct waiter {
	struct qgroup_wait w;
	int woken;
};

static void woken_cb(struct loop_job *job)
{
	((struct waiter *)((char *)job - offsetof(struct waiter, w.job)))->woken++;
}

static uint64_t left(struct qgroup *q)
{
	int64_t window;
	uint64_t n;

	assert_true(qgroup_left(q, &n, &window));
	return n;
}

static void test_what_is_missing_is_said(void **state)
{
	struct err err = { "" };
	struct qgroup_conf c = conf;
	struct qgroup q;

	qgroup_init(&q);
	assert_int_equal(qgroup_on(&q, &err), -EINVAL);
	assert_non_null(strstr(err.msg, "qgroup start error: EINVAL(22): quota is not set"));
	c.reset_us = 0;
	qgroup_conf_set(&q, &c);
	assert_int_equal(qgroup_on(&q, &err), -EINVAL);
	assert_non_null(strstr(err.msg, "reset_interval"));
	assert_int_equal(qgroup_donate(&q, 10, 0), 0);
	assert_int_equal(qgroup_spend(&q, 1000, NULL), 1000); /* off: no limit */
	qgroup_fini(&q);
}

static void test_spend_ask_donate(void **state)
{
	struct waiter a = { .w = { .job = { .fn = woken_cb } } }, b = a;
	struct qgroup q;
	struct rig r;

	rig_open(&r, "mem");
	a.w.loop = b.w.loop = r.loop;
	qgroup_init(&q);
	qgroup_conf_set(&q, &conf);
	assert_int_equal(qgroup_on(&q, NULL), 0);
	assert_int_equal(qgroup_donate(&q, 30, 0), 30);
	assert_int_equal(qgroup_donate(&q, 30, 1), 0);   /* another window */
	assert_int_equal(qgroup_donate(&q, 300, 0), 50); /* down to the mark */
	assert_int_equal(qgroup_donate(&q, 1, 0), 0);
	qgroup_back(&q, 10, 0);
	assert_int_equal(left(&q), 30);
	assert_int_equal(qgroup_spend(&q, 25, &a.w), 25);
	assert_int_equal(qgroup_spend(&q, 25, &a.w), 5);
	assert_int_equal(qgroup_spend(&q, 20, &a.w), 0);
	assert_int_equal(qgroup_spend(&q, 20, &b.w), 0);
	qgroup_wait_end(&q, &b.w);
	rig_settle(&r);
	assert_int_equal(a.woken, 0);
	assert_int_equal(qgroup_take(&q, 60, 1), 60); /* too late: all is the donor's again */
	assert_int_equal(qgroup_take(&q, 60, 0), 0);
	rig_settle(&r);
	assert_int_equal(a.woken, 1);
	assert_int_equal(b.woken, 0);
	assert_int_equal(qgroup_take(&q, 60, 0), 20); /* up to the quota */
	assert_int_equal(left(&q), 100);
	assert_int_equal(qgroup_spend(&q, 101, &a.w), 100);
	qgroup_off(&q);
	rig_settle(&r);
	assert_int_equal(a.woken, 2);
	assert_int_equal(qgroup_spend(&q, 1000, &a.w), 1000);
	qgroup_fini(&q);
	rig_close(&r);
}

/* A publisher whose server has nothing left is paid when a member donates, and the member gets its rest back. */
static void test_credit_is_withheld(void **state)
{
	static char data[300];
	const struct bus_msg m = { .channel = "c", .data = data, .len = 78, .perm = 0777 };
	struct qgroup mine, theirs;
	struct err err = { "" };
	struct rig r;

	rig_open(&r, "mem");
	r.env.bus = bus_new(NULL);
	bus_enable(r.env.bus, true);
	r.env.qgroup = &mine;
	r.cenv.qgroup = &theirs;
	qgroup_init(&mine);
	qgroup_init(&theirs);
	qgroup_conf_set(&mine, &conf);
	qgroup_conf_set(&theirs, &conf);
	assert_int_equal(qgroup_on(&mine, NULL), 0);
	assert_int_equal(qgroup_on(&theirs, NULL), 0);
	rig_connect(&r, 1);
	assert_int_equal(xprt_msg_send(r.c, &m, &err), 0);
	rig_until(&r, !xprt_msg_unpaid(r.c));
	assert_int_equal(xprt_msg_send(r.c, &m, &err), 0);
	rig_until(&r, xprt_msg_unpaid(r.c) == 60);
	assert_int_equal(left(&mine), 0);
	/* not asked for: nothing happens */
	assert_int_equal(xprt_qgroup_ask(r.s, 50, 1), 0);
	rig_settle(&r);
	assert_int_equal(left(&theirs), 100);
	assert_int_equal(xprt_qgroup_ask(r.s, 50, 0), 0);
	rig_until(&r, xprt_msg_unpaid(r.c) == 10);
	assert_int_equal(xprt_qgroup_ask(r.s, 50, 0), 0);
	rig_until(&r, xprt_msg_unpaid(r.c) == 0);
	rig_settle(&r);
	assert_int_equal(left(&theirs), 20);
	assert_int_equal(left(&mine), 20); /* what was donated, less what was owed */
	assert_true(r.c_credits > 0);
	qgroup_conf_set(&theirs,
			&(struct qgroup_conf){ .quota = 1000, .ask_amount = 1, .ask_us = 1, .reset_us = INT64_MAX });
	assert_int_equal(qgroup_take(&theirs, 900, 0), 0);
	assert_int_equal(xprt_qgroup_ask(r.s, 500, 0), 0);
	rig_until(&r, left(&mine) == 100);
	rig_settle(&r);
	assert_int_equal(left(&theirs), 920 - 80); /* what was left over came back */
	rig_close(&r);
	bus_free(r.env.bus);
	qgroup_fini(&mine);
	qgroup_fini(&theirs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_missing_is_said),
		cmocka_unit_test(test_spend_ask_donate),
		cmocka_unit_test(test_credit_is_withheld),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
