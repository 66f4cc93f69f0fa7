/* The message bus: in one process, and between peers over the transport in memory. */
#include "tests/unit/rig.h"


#include "xprt/bus_impl.h"
#include "xprt/msg_rail.h"
#include "xprt/proto.h"
#include "bus_rig.h"

/* -- in one process ------------------------------------------------------------------------------------------------ */

static void test_hash_and_subscription_of_the_specification(void **state)
{
	assert_int_equal(bus_hash("tag1"), 0x1d06cf40);
	assert_int_equal(bus_hash("real"), 0x4ec1c14f);
}

static void test_subscribers_by_name_and_expression(void **state)
{
	struct ear a = { 0 }, b = { 0 }, c = { 0 };
	struct bus_sub *sa, *sb, *sc;
	struct rig r;

	open_buses(&r, "mem", NULL);
	sa = subscribe(&r, r.env.bus, "jobs", false, &a);
	publish(r.env.bus, "jobs", "one");
	sb = subscribe(&r, r.env.bus, "^job", true, &b); /* to a channel that is known already */
	sc = subscribe(&r, r.env.bus, "job", false, &c);
	publish(r.env.bus, "jobs", "two");
	publish(r.env.bus, "jobless", "three");
	publish(r.env.bus, "other", "nobody's");
	rig_until(&r, a.n == 2 && b.n == 2);
	assert_string_equal(a.data[1], "two");
	assert_string_equal(b.channel[1], "jobless");
	assert_int_equal(a.last.len, 4); /* with its NUL */
	assert_int_equal(a.last.hop_cnt, 0);
	assert_true(a.last.hops[0].recv_ns > 0);
	assert_true(b.last.gn > a.last.gn);
	assert_int_equal(c.n, 0);
	bus_unsubscribe(sa);
	bus_unsubscribe(sb);
	bus_unsubscribe(sc);
	publish(r.env.bus, "jobs", "four");
	rig_settle(&r);
	assert_int_equal(a.n, 2);
	close_buses(&r);
}

static void test_unsubscribing_from_inside(void **state)
{
	struct ear a = { 0 };
	struct rig r;

	open_buses(&r, "mem", NULL);
	a.quit = subscribe(&r, r.env.bus, "c", false, &a);
	publish(r.env.bus, "c", "1");
	publish(r.env.bus, "c", "2");
	rig_until(&r, a.n);
	rig_settle(&r);
	assert_int_equal(a.n, 1);
	assert_int_equal(lost(r.env.bus, BUS_LOST_GONE), 1);
	close_buses(&r);
}

static void test_what_cannot_be_published_is_said(void **state)
{
	static char big[BUS_MSG_MAX + 1], name[BUS_NAME_MAX + 2];
	struct bus_msg m = text("c", "x");
	struct err err = { "" };
	struct ear e = { 0 };
	struct rig r;

	open_buses(&r, "mem", NULL);
	bus_enable(r.env.bus, false);
	assert_int_equal(bus_publish(r.env.bus, &m, &err), -ENOTSUP);
	assert_non_null(strstr(err.msg, "msg_enable"));
	bus_enable(r.env.bus, true);
	m.data = big;
	m.len = BUS_MSG_MAX - 2;
	assert_int_equal(bus_publish(r.env.bus, &m, &err), 0);
	m.len++;
	assert_int_equal(bus_publish(r.env.bus, &m, &err), -EMSGSIZE);
	assert_non_null(strstr(err.msg, "1048103 bytes; at most 1048102"));
	memset(name, 'n', sizeof(name) - 1);
	m = text(name, "x");
	assert_int_equal(bus_publish(r.env.bus, &m, &err), -EINVAL);
	m = text("", "x");
	assert_int_equal(bus_publish(r.env.bus, &m, &err), -EINVAL);
	assert_null(bus_subscribe(r.env.bus, "(", true, r.loop, hear, &e, &err));
	assert_null(bus_subscribe(r.env.bus, "", false, r.loop, hear, &e, &err));
	close_buses(&r);
}

static void test_queues_are_bounded_and_losses_counted(void **state)
{
	struct bus_limits lim = bus_limits_dflt;
	struct ear a = { 0 };
	struct bus_sub *s;
	struct rig r;

	lim.queue_msgs = 10;
	open_buses(&r, "mem", &lim);
	s = subscribe(&r, r.env.bus, "c", false, &a);
	for (int i = 0; i < 25; i++)
		publish(r.env.bus, "c", "x"); /* the loop does not turn meanwhile */
	rig_until(&r, a.n == 10);
	rig_settle(&r);
	assert_int_equal(a.n, 10);
	assert_int_equal(lost(r.env.bus, BUS_LOST_FULL), 15);
	bus_unsubscribe(s);
	close_buses(&r);
}

static void test_what_is_held_is_bounded(void **state)
{
	static char data[100000];
	struct bus_limits lim = bus_limits_dflt;
	struct bus_msg m = text("c", "x");
	struct ear a = { 0 }, b = { 0 };
	struct bus_sub *sa, *sb;
	struct err err = { "" };
	struct rig r;
	int taken = 0;

	lim.held_bytes = 1 << 20;
	open_buses(&r, "mem", &lim);
	sa = subscribe(&r, r.env.bus, "c", false, &a);
	sb = subscribe(&r, r.env.bus, "c", false, &b);
	m.data = data;
	m.len = sizeof(data);
	for (int i = 0; i < 30; i++)
		taken += !bus_publish(r.env.bus, &m, &err);
	assert_int_equal(taken, 10);
	assert_int_equal(lost(r.env.bus, BUS_LOST_MEMORY), 20);
	rig_until(&r, a.n == 10 && b.n == 10);
	assert_int_equal(bus_publish(r.env.bus, &m, &err), 0);
	bus_unsubscribe(sa);
	bus_unsubscribe(sb);
	close_buses(&r);
}

static void test_channels_are_forgotten(void **state)
{
	struct bus_limits lim = bus_limits_dflt;
	struct ear a = { 0 };
	struct bus_sub *s;
	struct rig r;
	char name[16];

	lim.channels = 8;
	open_buses(&r, "mem", &lim);
	s = subscribe(&r, r.env.bus, "^c", true, &a);
	for (int i = 0; i < 50; i++) {
		snprintf(name, sizeof(name), "c%d", i);
		publish(r.env.bus, name, "x");
		if (i % 3 == 0)
			rig_settle(&r);
	}
	rig_until(&r, a.n == 50);
	publish(r.env.bus, "c50", "x");
	assert_true(r.env.bus->n_chans <= 8);
	bus_unsubscribe(s);
	close_buses(&r);
}

/* -- between peers ------------------------------------------------------------------------------------------------- */

static void test_a_peer_subscribes(void **state)
{
	struct ear e = { 0 };
	struct bus_sub *s;
	struct answer a;
	struct rig r;

	open_buses(&r, "mem", NULL);
	rig_connect(&r, 1);
	assert_true(xprt_msg_enabled(r.c));
	assert_true(xprt_msg_enabled(r.s));
	a = ask(&r, "tag1", false, -1, false);
	assert_int_equal(a.rc, 0);
	assert_string_equal(a.text, "OK");
	a = ask(&r, "tag1", false, -1, false);
	assert_int_equal(a.rc, -EEXIST);
	assert_string_equal(a.text, "Subscription already existed");
	a = ask(&r, "[", true, -1, false);
	assert_int_equal(a.rc, -EINVAL);
	a = ask(&r, "^x", true, -1, false);
	assert_int_equal(a.rc, 0);
	s = subscribe(&r, r.cenv.bus, ".*", true, &e);
	publish(r.env.bus, "tag1", "hello");
	publish(r.env.bus, "tag2", "nobody's");
	publish(r.env.bus, "xyz", "more");
	rig_until(&r, e.n == 2);
	assert_string_equal(e.channel[0], "tag1");
	assert_string_equal(e.data[0], "hello");
	assert_string_equal(e.channel[1], "xyz");
	assert_int_equal(e.last.hop_cnt, 1);
	assert_true(e.last.hops[0].recv_ns <= e.last.hops[0].send_ns);
	assert_true(e.last.hops[0].send_ns <= e.last.hops[1].recv_ns);
	assert_int_equal(e.last.hops[1].send_ns, 0);
	/* what was sent is paid back, though there is no quota */
	rig_until(&r, !xprt_msg_unpaid(r.s));
	a = ask(&r, "tag1", false, -1, true);
	assert_int_equal(a.rc, 0);
	a = ask(&r, "tag1", false, -1, true);
	assert_int_equal(a.rc, -ENOENT);
	publish(r.env.bus, "tag1", "gone");
	publish(r.env.bus, "xyz", "last");
	rig_until(&r, e.n == 3);
	assert_string_equal(e.data[2], "last");
	bus_unsubscribe(s);
	close_buses(&r);
}

static void test_a_peer_publishes(void **state)
{
	struct bus_msg m = text("c", "from a tool");
	struct err err = { "" };
	struct ear e = { 0 };
	struct bus_sub *s;
	struct rig r;

	open_buses(&r, "mem", NULL);
	s = subscribe(&r, r.env.bus, "c", false, &e);
	rig_connect(&r, 3);
	assert_int_equal(xprt_msg_send(r.c, &m, &err), 0);
	assert_int_equal(xprt_msg_unpaid(r.c), 2 + 12);
	rig_until(&r, e.n == 1 && !xprt_msg_unpaid(r.c));
	assert_string_equal(e.data[0], "from a tool");
	bus_unsubscribe(s);
	close_buses(&r);
}

static void test_a_peer_without_bus(void **state)
{
	struct bus_msg m = text("c", "x");
	struct err err = { "" };
	struct rig r;

	open_buses(&r, "mem", NULL);
	bus_enable(r.env.bus, false);
	rig_connect(&r, 1);
	assert_false(xprt_msg_enabled(r.c));
	assert_int_equal(xprt_msg_send(r.c, &m, &err), -ENOTSUP);
	assert_int_equal(xprt_msg_sub(r.c, "c", false, -1, answer_cb, NULL, &err), -ENOTSUP);
	/* it said that it was on, and was switched off meanwhile */
	xprt_close(r.c);
	bus_enable(r.env.bus, true);
	rig_connect(&r, 1);
	bus_enable(r.env.bus, false);
	assert_int_equal(xprt_msg_send(r.c, &m, &err), 0);
	rig_until(&r, !xprt_msg_enabled(r.c));
	assert_int_equal(xprt_msg_send(r.c, &m, &err), -ENOTSUP);
	close_buses(&r);
}

/* Names spread over connections as real peers do it; a source spreads them anew. */
static void test_lanes_of_the_specification(void **state)
{
	const struct bus_msg m = text("tag1", "x");
	struct bus_body *body;

	assert_int_equal(bus_body_new(NULL, &m, &body, NULL), 0);
	assert_int_equal(bus_lane(body, 1), 0);
	assert_int_equal(bus_lane(body, 3), 0x1d06cf40 % 1033 % 3);
	body->m.src.family = AF_INET;
	body->m.src.port = 4711;
	memcpy(body->m.src.addr, "\12\1\2\3", 4);
	assert_int_equal(bus_lane(body, 7), ((UINT64_C(0x0a010203) << 16 | 4711) << 32 | 0x1d06cf40) % 1033 % 7);
	body->m.src.family = AF_INET6;
	memcpy(body->m.src.addr + 12, "\12\1\2\3", 4);
	assert_int_equal(bus_lane(body, 5), ((UINT64_C(0x0a010203) << 16 | 4711) << 32 | 0x1d06cf40) % 1033 % 5);
	bus_body_put(body);
}

static void test_a_rail_spreads_channels_and_keeps_their_order(void **state)
{
	struct ear e = { 0 };
	struct bus_sub *s;
	struct rig r;
	char name[16];
	bool used[3] = { false };

	open_buses(&r, "mem", NULL);
	rig_connect(&r, 3);
	assert_int_equal(ask(&r, ".*", true, -1, false).rc, 0);
	s = subscribe(&r, r.cenv.bus, ".*", true, &e);
	for (int i = 0; i < 30; i++) {
		snprintf(name, sizeof(name), "c%d", i % 10);
		publish(r.env.bus, name, i < 10 ? "1" : i < 20 ? "2" : "3");
	}
	for (int i = 0; i < 3; i++)
		used[i] = r.s->msg->lanes[i].port.n > 0;
	assert_true(used[0] && used[1] && used[2]);
	rig_until(&r, e.n == 30 && !xprt_msg_unpaid(r.s));
	for (int i = 0; i < 30; i++)
		for (int k = i + 1; k < 30; k++)
			assert_true(strcmp(e.channel[i], e.channel[k]) || e.data[i][0] < e.data[k][0]);
	bus_unsubscribe(s);
	close_buses(&r);
}

/* -- credit and rates ---------------------------------------------------------------------------------------------- */

static void test_a_sender_keeps_to_the_quota(void **state)
{
	struct bus_msg m = text("c", "1234567"); /* 10 bytes */
	struct err err = { "" };
	struct rig r;

	open_buses(&r, "mem", NULL);
	rig_connect(&r, 1);
	r.c->peer_quota.recv_quota = 25;
	assert_int_equal(xprt_msg_send(r.c, &m, &err), 0);
	assert_int_equal(xprt_msg_send(r.c, &m, &err), 0);
	assert_int_equal(xprt_msg_send(r.c, &m, &err), -EAGAIN);
	assert_int_equal(r.c_credits, 0);
	rig_until(&r, r.c_credits && !xprt_msg_unpaid(r.c));
	assert_int_equal(xprt_msg_send(r.c, &m, &err), 0);
	m.data = "123456789012345678901234567890";
	m.len = 30;
	assert_int_equal(xprt_msg_send(r.c, &m, &err), -EMSGSIZE);
	assert_non_null(strstr(err.msg, "32 bytes on channel c; it takes no more than 25"));
	close_buses(&r);
}

static void test_a_quota_that_changes(void **state)
{
	struct ear e = { 0 };
	struct bus_sub *s;
	struct rig r;

	s = begin_hearing(&r, &e, -1);
	r.s->peer_quota = (struct xprt_quota){ 20, -1 };
	r.s->msg->lanes[0].spent = 15; /* as if not paid back */
	publish(r.env.bus, "c", "1234567");
	rig_settle(&r);
	assert_int_equal(e.n, 0);
	assert_int_equal(r.s->msg->lanes[0].hold, HOLD_CREDIT);
	/* the client says QUOTA_RECONFIG by hand */
	struct buf *b = proto_req(r.c->lanes[0], CMD_QUOTA_RECONFIG, 0);

	buf_be64(b, 25);
	proto_put(r.c->lanes[0], b);
	rig_until(&r, e.n == 1);
	rig_until(&r, r.s->msg->lanes[0].spent == 15);
	b = proto_req(r.c->lanes[0], CMD_RATE_RECONFIG, 0);
	buf_be64(b, 5);
	proto_put(r.c->lanes[0], b);
	rig_until(&r, r.s->peer_quota.rate == 5);
	publish(r.env.bus, "c", "1234567"); /* more than it takes in any second */
	rig_settle(&r);
	assert_int_equal(lost(r.env.bus, BUS_LOST_QUOTA), 1);
	bus_unsubscribe(s);
	close_buses(&r);
}

static void test_a_server_changes_its_mind(void **state)
{
	struct bus_msg m = text("c", "1234567");
	struct err err = { "" };
	struct rig r;

	open_buses(&r, "mem", NULL);
	rig_connect(&r, 1);
	assert_int_equal(xprt_msg_send(r.c, &m, &err), 0);
	xprt_quota_set(r.s, &(struct xprt_quota){ .recv_quota = 7, .rate = 5000 });
	rig_until(&r, r.c->peer_quota.rate == 5000);
	assert_int_equal(xprt_msg_send(r.c, &m, &err), -EMSGSIZE);
	xprt_quota_set(r.s, &(struct xprt_quota){ 0 });
	rig_until(&r, r.c->peer_quota.rate == -1);
	assert_int_equal(xprt_msg_send(r.c, &m, &err), 0);
	close_buses(&r);
}

/* What it takes no more of in this second waits for the next. */
static void test_a_rate_delays(void **state)
{
	struct ear e = { 0 };
	struct bus_sub *s;
	struct rig r;

	s = begin_hearing(&r, &e, -1);
	r.s->peer_quota = (struct xprt_quota){ -1, 25 };
	for (int i = 0; i < 5; i++)
		publish(r.env.bus, "c", "1234567");
	rig_until(&r, e.n == 5);
	for (int i = 0; i < BUS_LOSSES; i++)
		assert_int_equal(lost(r.env.bus, i), 0);
	bus_unsubscribe(s);
	close_buses(&r);
}

/* What is beyond the rate of a subscription is dropped. */
static void test_a_subscription_has_a_rate(void **state)
{
	struct ear e = { 0 };
	struct bus_sub *s;
	struct rig r;

	s = begin_hearing(&r, &e, 20);
	for (int i = 0; i < 100; i++)
		publish(r.env.bus, "c", "1234567");
	rig_until(&r, (uint64_t)e.n + lost(r.env.bus, BUS_LOST_RATE) == 100);
	assert_in_range(e.n, 2, 4); /* a second may have ended meanwhile */
	bus_unsubscribe(s);
	close_buses(&r);
}

static void test_who_may_say_and_read_what(void **state)
{
	struct bus_msg m = text("c", "x");
	struct err err = { "" };
	struct ear e = { 0 };
	struct bus_sub *s;
	struct rig r;

	s = begin_hearing(&r, &e, -1);
	r.s->uid = r.s->gid = 54321;
	m.uid = 54321;
	m.perm = 0400;
	assert_int_equal(xprt_msg_send(r.c, &m, &err), 0); /* in the name of group 0 */
	rig_until(&r, lost(r.env.bus, BUS_LOST_FORGED) == 1 && !xprt_msg_unpaid(r.c));
	m.gid = 54321;
	assert_int_equal(xprt_msg_send(r.c, &m, &err), 0);
	rig_until(&r, e.n == 1); /* its own comes back to it, as it subscribed */
	m.uid = m.gid = 0;
	assert_int_equal(bus_publish(r.env.bus, &m, &err), 0);
	rig_until(&r, lost(r.env.bus, BUS_LOST_ACCESS) == 1);
	assert_int_equal(e.n, 1);
	bus_unsubscribe(s);
	close_buses(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hash_and_subscription_of_the_specification),
		cmocka_unit_test(test_subscribers_by_name_and_expression),
		cmocka_unit_test(test_unsubscribing_from_inside),
		cmocka_unit_test(test_what_cannot_be_published_is_said),
		cmocka_unit_test(test_queues_are_bounded_and_losses_counted),
		cmocka_unit_test(test_what_is_held_is_bounded),
		cmocka_unit_test(test_channels_are_forgotten),
		cmocka_unit_test(test_a_peer_subscribes),
		cmocka_unit_test(test_a_peer_publishes),
		cmocka_unit_test(test_a_peer_without_bus),
		cmocka_unit_test(test_lanes_of_the_specification),
		cmocka_unit_test(test_a_rail_spreads_channels_and_keeps_their_order),
		cmocka_unit_test(test_a_sender_keeps_to_the_quota),
		cmocka_unit_test(test_a_quota_that_changes),
		cmocka_unit_test(test_a_server_changes_its_mind),
		cmocka_unit_test(test_a_rate_delays),
		cmocka_unit_test(test_a_subscription_has_a_rate),
		cmocka_unit_test(test_who_may_say_and_read_what),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
