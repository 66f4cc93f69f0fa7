/* The message bus: in one process, and between peers over the transport in memory. */
#include "tests/unit/rig.h"

#include "core/base/clock.h"
#include "xprt/bus_impl.h"
#include "xprt/msg_rail.h"
#include "xprt/proto.h"

#define LOG_MAX 64

struct ear { /* what a subscriber heard */
	int n;
	char channel[LOG_MAX][32], data[LOG_MAX][64];
	struct bus_msg last;
	struct bus_sub *quit; /* unsubscribe this one from inside */
};

static void hear(void *arg, const struct bus_msg *m)
{
	struct ear *e = arg;
	int i = e->n++ % LOG_MAX;

	snprintf(e->channel[i], sizeof(e->channel[i]), "%s", m->channel);
	snprintf(e->data[i], sizeof(e->data[i]), "%.*s", (int)m->len, (const char *)m->data);
	e->last = *m;
	bus_unsubscribe(e->quit);
	e->quit = NULL;
}

static struct bus_msg text(const char *channel, const char *data)
{
	return (struct bus_msg){
		.channel = channel, .data = data, .len = (uint32_t)strlen(data) + 1, .type = BUS_STRING, .perm = 0777
	};
}

static void publish(struct bus *b, const char *channel, const char *data)
{
	const struct bus_msg m = text(channel, data);
	struct err err = { "" };

	if (bus_publish(b, &m, &err))
		fail_msg("%s", err.msg);
}

static struct bus_sub *subscribe(struct rig *r, struct bus *b, const char *match, bool regex, struct ear *e)
{
	struct err err = { "" };
	struct bus_sub *s = bus_subscribe(b, match, regex, r->loop, hear, e, &err);

	if (!s)
		fail_msg("%s", err.msg);
	return s;
}

static void open_buses(struct rig *r, const char *type, const struct bus_limits *lim)
{
	rig_open(r, type);
	r->env.bus = bus_new(lim);
	r->cenv.bus = bus_new(lim);
	bus_enable(r->env.bus, true);
	bus_enable(r->cenv.bus, true);
}

static void close_buses(struct rig *r)
{
	struct bus *s = r->env.bus, *c = r->cenv.bus;
	size_t held;
	uint64_t lost[BUS_LOSSES];

	rig_close(r);
	bus_totals(s, lost, &held);
	assert_int_equal(held, 0);
	bus_totals(c, lost, &held);
	assert_int_equal(held, 0);
	bus_free(s);
	bus_free(c);
}

struct answer {
	int n, rc;
	char text[128];
};

static void answer_cb(struct xprt *x, void *arg, int rc, const char *words)
{
	struct answer *a = arg;

	a->n++;
	a->rc = rc;
	snprintf(a->text, sizeof(a->text), "%s", words);
}

static struct answer ask(struct rig *r, const char *match, bool regex, int64_t rate, bool un)
{
	struct answer a = { 0 };
	struct err err = { "" };
	int rc = un ? xprt_msg_unsub(r->c, match, regex, answer_cb, &a, &err)
		    : xprt_msg_sub(r->c, match, regex, rate, answer_cb, &a, &err);

	if (rc)
		fail_msg("%s", err.msg);
	rig_until(r, a.n);
	return a;
}

static uint64_t lost(struct bus *b, enum bus_loss why)
{
	uint64_t all[BUS_LOSSES];
	size_t held;

	bus_totals(b, all, &held);
	return all[why];
}

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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
