/* adopt.c - a peer that came through a listener and was taken over: who hears of it, and who ends it */
#include "tests/unit/rig.h"

struct owner {
	struct rig *r;
	int ups, downs, msgs, sets, done;
	enum xprt_fail fail;
	bool keep; /* do not close it at its end (the test does) */
	struct xprt *x;
};

static void on_up(struct xprt *x, void *arg)
{
	((struct owner *)arg)->ups++;
}

static void on_down(struct xprt *x, void *arg, enum xprt_fail fail, const char *why)
{
	struct owner *o = arg;

	o->downs++;
	o->fail = fail;
	if (!o->keep) {
		xprt_close(x);
		o->x = NULL;
	}
}

static void on_msg(struct xprt *x, void *arg, const void *bytes, size_t len)
{
	((struct owner *)arg)->msgs++;
}

static const struct xprt_events owner_events = { .up = on_up, .down = on_down, .msg = on_msg };

static void dir_cb(struct xprt *x, void *arg, enum dir_event ev, const struct dir_set *set, int rc)
{
	struct owner *o = arg;

	o->sets += ev == DIR_SET;
	o->done += ev == DIR_DONE;
}

/* Connected, and the server's side of it taken over. */
static void adopt(struct rig *r, struct owner *o, const char *type, unsigned int n_eps)
{
	struct err err;

	rig_open(r, type);
	rig_connect(r, n_eps);
	*o = (struct owner){ .r = r, .x = r->s };
	assert_true(xprt_is_adoptable(r->s));
	assert_int_equal(xprt_adopt(r->s, &owner_events, o, &err), 0);
	assert_false(xprt_is_adoptable(r->s));
	assert_int_equal(xprt_adopt(r->s, &owner_events, o, &err), -EBUSY);
	assert_ptr_equal(xprt_arg(r->s), o);
	assert_false(xprt_is_adoptable(r->c)); /* ours already */
	assert_int_equal(xprt_adopt(r->c, &owner_events, o, &err), -EBUSY);
}

static void events_go_to_the_owner(const char *type)
{
	struct owner o;
	struct rig r;

	adopt(&r, &o, type, 1);
	assert_int_equal(xprt_send(r.c, "hello", 5, NULL), 0);
	rig_until(&r, o.msgs);
	assert_int_equal(r.s_msgs, 0);
	assert_int_equal(xprt_dir(o.x, true, dir_cb, &o, NULL), 0); /* who connected serves */
	rig_until(&r, o.done);
	xprt_close(r.c);
	r.c = NULL;
	rig_until(&r, o.downs);
	assert_int_equal(o.fail, XPRT_LOST);
	assert_int_equal(r.s_downs, 0);
	assert_null(o.x);
	rig_close(&r);
}

static void test_events(void **state)
{
	events_go_to_the_owner("mem");
	events_go_to_the_owner("sock");
}

static void test_listener_closes(void **state)
{
	struct owner o;
	struct rig r;

	adopt(&r, &o, "sock", 2);
	xprt_listener_close(r.l);
	r.l = NULL;
	rig_settle(&r);
	assert_int_equal(o.downs + r.c_downs, 0);
	assert_int_equal(xprt_send(r.c, "hello", 5, NULL), 0);
	rig_until(&r, o.msgs);
	xprt_close(o.x);
	rig_until(&r, r.c_downs);
	assert_int_equal(o.downs, 0); /* we closed it */
	rig_close(&r);
}

/* Its end and the listener's, and the owner lets go later still. */
static void test_owner_is_last(void **state)
{
	struct owner o;
	struct rig r;

	adopt(&r, &o, "sock", 1);
	o.keep = true;
	xprt_close(r.c);
	r.c = NULL;
	rig_until(&r, o.downs);
	xprt_listener_close(r.l);
	r.l = NULL;
	rig_settle(&r);
	assert_int_equal(xprt_send(o.x, "hello", 5, NULL), -ENOTCONN);
	xprt_close(o.x);
	rig_close(&r);
}

/* The first connection of a rail of two, with a record; the other has not come yet. */
static struct raw half_a_rail(struct rig *r)
{
	struct raw w;
	struct buf b = { 0 };
	struct ask {
		uint32_t len;
		char text[4];
	} ask = { htonl(4), "now" };

	rig_open(r, "sock");
	rig_listen(r);
	w = raw_connect(xprt_listener_port(r->l));
	put_connect(&b, "none", 2, 0, 99);
	put_ack(&b);
	put_ldms(&b, 0, 5, false, 0, &ask, sizeof(ask));
	raw_send(r, &w, b.p, b.len);
	rig_until(r, r->s_msgs);
	assert_int_equal(r->s_ups, 0);
	buf_fini(&b);
	return w;
}

/* The record on the first connection of a rail may come before the others do. */
static void test_half_a_rail(void **state)
{
	struct owner o = { 0 };
	struct rig r;
	struct raw w = half_a_rail(&r);

	assert_int_equal(xprt_adopt(r.s_msg_from, &owner_events, &o, NULL), 0);
	raw_close(&w);
	rig_until(&r, o.downs); /* also what never got up is told to its owner */
	assert_int_equal(o.ups, 0);
	rig_close(&r);
}

/* It is answered, and whoever heard it is told of its end. */
static void test_half_a_rail_is_heard(void **state)
{
	struct rig r;
	struct raw w = half_a_rail(&r);

	raw_until(&r, &w, raw_has(&w));
	buf_consume(&w.in, raw_has(&w)); /* ACCEPTED */
	assert_int_equal(xprt_send(r.s_msg_from, "well", 5, NULL), 0);
	raw_until(&r, &w, raw_has(&w));
	assert_string_equal((const char *)w.in.p + 24 + 20, "well");
	raw_close(&w);
	rig_until(&r, !atomic_load(&r.env.stats.live));
	assert_int_equal(r.s_downs, 1);
	assert_int_equal(r.s_ups, 0);
	rig_close(&r);
}

/* Who is up and asks for nothing is found by its address. */
static void test_quiet(void **state)
{
	struct in6_addr here = { .s6_addr = { [10] = 0xff, [11] = 0xff, [12] = 127, [15] = 1 } }, there = here;
	struct owner o = { 0 };
	struct rig r;

	there.s6_addr[15] = 2;
	rig_open(&r, "sock");
	rig_connect(&r, 1);
	assert_ptr_equal(xprt_find_quiet(r.loop, &here, 0), r.s);
	assert_null(xprt_find_quiet(r.loop, &there, 0));
	assert_null(xprt_find_quiet(r.loop, &here, 3600 * SEC_US)); /* not for so long */
	assert_int_equal(xprt_dir(r.c, false, dir_cb, &o, NULL), 0);
	rig_until(&r, o.done);
	assert_null(xprt_find_quiet(r.loop, &here, 0)); /* it wants something */
	xprt_close(r.c);
	rig_until(&r, r.s_downs);
	rig_connect(&r, 2);
	assert_ptr_equal(xprt_find_quiet(r.loop, &here, 0), r.s);
	o.x = r.s;
	assert_int_equal(xprt_adopt(r.s, &owner_events, &o, NULL), 0);
	assert_null(xprt_find_quiet(r.loop, &here, 0)); /* somebody's */
	xprt_close(o.x);
	rig_until(&r, r.c_downs);
	rig_close(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_events),
		cmocka_unit_test(test_listener_closes),
		cmocka_unit_test(test_owner_is_last),
		cmocka_unit_test(test_half_a_rail),
		cmocka_unit_test(test_half_a_rail_is_heard),
		cmocka_unit_test(test_quiet),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
