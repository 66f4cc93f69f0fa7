/* Methods of authentication that take their time: what comes meanwhile is held back. */
#include "tests/unit/rig.h"

#include "core/ctl/verb.h"
#include "xprt/auth.h"
#include "xprt/xprt_impl.h"
#include "auth_rig.h"

static struct {
	struct auth_run *run;
	int begun, ended, messages;
} late;

static void late_begin(struct auth_run *a)
{
	late.run = a;
	late.begun++;
}

static void late_message(struct auth_run *a, const void *bytes, size_t len)
{
	late.messages++;
	auth_hold(a);
}

static void late_end(struct auth_run *a)
{
	late.run = NULL;
	late.ended++;
}

static const struct auth_type auth_late = {
	.name = "late", .hung_up = "see its log", .begin = late_begin, .message = late_message, .end = late_end
};

static void late_open(struct rig *r)
{
	memset(&late, 0, sizeof(late));
	rig_open(r, "sock");
	set_put(rig_set(r, "sc", "n/a", 1, 1, 0, 0777));
	rig_listen(r);
	r->l->auth = &auth_late;
}

#define RECORDS 200

/* A credential and much behind it, in one go. */
static void say_all(struct rig *r, struct raw *w)
{
	struct buf b = { 0 };

	put_auth(&b, "me", 3);
	for (uint32_t i = 0; i < RECORDS; i++) {
		char body[64];
		uint32_t n;

		snprintf(body + 4, sizeof(body) - 4, "record %u", i);
		n = htonl((uint32_t)strlen(body + 4));
		memcpy(body, &n, 4);
		put_ldms(&b, 0, 5, false, 0, body, 4 + ntohl(n)); /* SEND_MSG */
	}
	put_ldms(&b, 99, 0, false, 0, "\0\0\0\0", 4); /* DIR */
	raw_send(r, w, b.p, b.len);
	buf_fini(&b);
}

static void test_held_back_and_in_order(void **state)
{
	struct raw w;
	struct rig r;

	late_open(&r);
	w = stranger(&r, "late");
	say_all(&r, &w);
	rig_until(&r, late.messages);
	say_all(&r, &w); /* and more of it, while nobody reads; the second credential is out of place */
	rig_settle(&r);
	assert_int_equal(r.s_msgs, 0);
	assert_int_equal(raw_has(&w), 0);
	auth_approve(late.run, 5, 6);
	assert_int_equal(late.ended, 1);
	assert_int_equal(r.s_ups, 1);
	assert_int_equal(r.s_msgs, RECORDS);
	assert_string_equal(r.msg, "record 199");
	raw_until(&r, &w, raw_has(&w));
	assert_int_equal(raw_type(&w), 2); /* the directory */
	raw_until(&r, &w, (raw_fill(&w), w.eof));
	assert_int_equal(late.messages, 1);
	assert_int_equal(atomic_load(&r.env.stats.ended[XPRT_PROTO]), 1);
	raw_close(&w);
	rig_close(&r);
}

static void test_held_back_and_refused(void **state)
{
	struct raw w;
	struct rig r;

	late_open(&r);
	w = stranger(&r, "late");
	say_all(&r, &w);
	rig_until(&r, late.messages);
	auth_refuse(late.run, AUTH_EXPIRED, "too old");
	raw_until(&r, &w, (raw_fill(&w), w.eof));
	assert_int_equal(r.s_msgs, 0);
	assert_int_equal(late.ended, 1);
	assert_int_equal(atomic_load(&r.env.stats.auth_failed[AUTH_EXPIRED]), 1);
	raw_close(&w);
	rig_close(&r);
}

static void test_held_back_for_ever(void **state)
{
	struct raw w;
	struct rig r;

	late_open(&r);
	r.env.limits.handshake_us = 50 * MSEC_US;
	w = stranger(&r, "late");
	say_all(&r, &w);
	raw_until(&r, &w, (raw_fill(&w), w.eof));
	assert_int_equal(r.s_msgs, 0);
	assert_int_equal(late.ended, 1);
	raw_close(&w);
	rig_close(&r);
}

static void test_gone_while_held_back(void **state)
{
	struct raw w;
	struct rig r;

	late_open(&r);
	w = stranger(&r, "late");
	say_all(&r, &w);
	rig_until(&r, late.messages);
	raw_close(&w);
	rig_settle(&r);
	auth_approve(late.run, 5, 6); /* what it said before is done */
	assert_int_equal(r.s_msgs, RECORDS);
	rig_until(&r, r.s_downs);
	rig_close(&r);
}

/* Closed by its owner as soon as it is up. */
static void close_at_up(struct xprt *x, void *arg)
{
	xprt_close(x);
}

static void test_closed_when_approved(void **state)
{
	static const struct xprt_events ev = { .up = close_at_up };
	struct raw w;
	struct rig r;

	late_open(&r);
	r.l->ev = &ev;
	w = stranger(&r, "late");
	say_all(&r, &w);
	rig_until(&r, late.messages);
	auth_approve(late.run, 5, 6);
	assert_int_equal(r.s_msgs, 0);
	raw_until(&r, &w, (raw_fill(&w), w.eof));
	raw_close(&w);
	rig_close(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_held_back_and_in_order), cmocka_unit_test(test_held_back_and_refused),
		cmocka_unit_test(test_held_back_for_ever),     cmocka_unit_test(test_gone_while_held_back),
		cmocka_unit_test(test_closed_when_approved),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
