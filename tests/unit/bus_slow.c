/* The message bus: peers that do not read, or overrun, or go. */
#include "tests/unit/rig.h"

#include <pthread.h>

#include "xprt/bus_impl.h"
#include "xprt/msg_rail.h"
#include "xprt/proto.h"
#include "bus_rig.h"

static struct raw raw_subscriber(struct rig *r)
{
	static const uint8_t body[] = "\0\0\0\4\xff\xff\xff\xff\xff\xff\xff\xff"
				      "c";
	struct raw w = raw_handshake(r);
	struct buf b = { 0 };

	put_ldms(&b, 1, CMD_MSG_SUB, false, 0, body, sizeof(body));
	raw_send(r, &w, b.p, b.len);
	raw_until(r, &w, raw_has(&w));
	buf_consume(&w.in, raw_has(&w));
	buf_fini(&b);
	return w;
}

static void test_one_that_does_not_read_is_passed_over(void **state)
{
	static char data[100000];
	struct bus_limits lim = bus_limits_dflt;
	struct bus_msg m = text("c", "x");
	struct err err = { "" };
	struct ear e = { 0 };
	struct bus_sub *s;
	struct raw w;
	struct rig r;
	uint64_t all;
	size_t held;
	int sent = 0, got = 0;

	lim.stall_us = 20 * MSEC_US;
	open_buses(&r, "sock", &lim);
	rig_listen(&r);
	w = raw_subscriber(&r);
	s = subscribe(&r, r.env.bus, "c", false, &e);
	m.data = data;
	m.len = sizeof(data);
	while (!lost(r.env.bus, BUS_LOST_STALLED) || sent % 100) {
		assert_int_equal(bus_publish(r.env.bus, &m, &err), 0);
		sent++;
		rig_until(&r, e.n == sent); /* the other one has each at once */
	}
	bus_totals(r.env.bus, (uint64_t[BUS_LOSSES]){ 0 }, &held);
	assert_int_equal(held, 0); /* and nothing is kept for who does not want it */
	/* it reads again: what the network had, and what comes from then on */
	m.len = 1;
	do {
		while (raw_has(&w)) {
			assert_int_equal(raw_type(&w), 2);
			got += raw_has(&w) > 1000;
			if (raw_has(&w) < 1000)
				m.len = 0; /* a new one */
			buf_consume(&w.in, raw_has(&w));
		}
		assert_int_equal(bus_publish(r.env.bus, &m, &err), 0);
		rig_settle(&r);
	} while (m.len);
	all = (uint64_t)got + lost(r.env.bus, BUS_LOST_STALLED) + lost(r.env.bus, BUS_LOST_FULL);
	assert_true(all >= (uint64_t)sent); /* small ones were passed over, too */
	bus_unsubscribe(s);
	raw_close(&w);
	rig_until(&r, !atomic_load(&r.env.stats.live));
	close_buses(&r);
}

/* One that takes messages but gives no credit back: its publishers wait, then it is passed over. */
static void test_one_that_gives_no_credit_is_passed_over(void **state)
{
	struct bus_msg m = text("c", "1234567");
	struct bus_limits lim = bus_limits_dflt;
	struct err err = { "" };
	struct raw w;
	struct rig r;

	lim.credit_us = 20 * MSEC_US;
	open_buses(&r, "sock", &lim);
	rig_connect(&r, 1);
	w = raw_subscriber(&r);
	r.s->peer_quota.recv_quota = 15;
	assert_int_equal(xprt_msg_send(r.c, &m, &err), 0);
	assert_int_equal(xprt_msg_send(r.c, &m, &err), 0);
	rig_until(&r, xprt_msg_unpaid(r.c) == 10); /* the second waits for the credit of the first */
	rig_until(&r, !xprt_msg_unpaid(r.c));
	assert_int_equal(lost(r.env.bus, BUS_LOST_STALLED), 1);
	raw_close(&w);
	rig_until(&r, r.s_downs == 1);
	close_buses(&r);
}

/* A peer that has more outstanding than it may is not kept in memory. */
static void test_a_sender_that_overruns(void **state)
{
	static char data[1000000];
	struct bus_msg m = text("c", "x");
	struct err err = { "" };
	struct raw w;
	struct rig r;

	open_buses(&r, "sock", NULL);
	rig_connect(&r, 1);
	w = raw_subscriber(&r);
	r.s->peer_quota.recv_quota = 1500000;
	r.s = NULL;
	/* the server's idea of what the client may have outstanding */
	for (struct xprt *x = LIST_FIRST(&io_of(r.loop)->xprts); x; x = LIST_NEXT(x, entry))
		x->quota.recv_quota = x->l ? 100 : -1;
	m.data = data;
	m.len = sizeof(data);
	for (int i = 0; i < 6; i++)
		assert_int_equal(xprt_msg_send(r.c, &m, &err) == 0 || i > 0, 1);
	while (!lost(r.env.bus, BUS_LOST_OVERRUN)) {
		if (xprt_msg_send(r.c, &m, &err))
			rig_turn(&r);
	}
	raw_close(&w);
	rig_until(&r, !xprt_msg_unpaid(r.c));
	close_buses(&r);
}

/* A peer of before the bus is told nothing of it, whatever it says. */
static void test_a_peer_of_before_the_bus(void **state)
{
	static const uint8_t sub[] = "\0\0\0\4\xff\xff\xff\xff\xff\xff\xff\xff"
				     "c";
	struct buf b = { 0 };
	struct raw w;
	struct rig r;

	open_buses(&r, "sock", NULL);
	rig_listen(&r);
	w = raw_connect(xprt_listener_port(r.l));
	put_zap(&b, 1, 16 + 20);
	buf_add(&b, "\1\3\1\0SOCKET\0\0", 12);
	buf_be32(&b, 20);
	buf_add(&b, "\4\2\0\0none\0\0\0\0\0\0\0\0\0\0\0\0", 20);
	put_ack(&b);
	put_ldms(&b, 1, CMD_MSG_SUB, false, 0, sub, sizeof(sub));
	put_ldms(&b, 2, CMD_DIR, false, 0, "\0\0\0", 4);
	raw_send(&r, &w, b.p, b.len);
	raw_until(&r, &w, raw_has(&w));
	assert_int_equal(raw_type(&w), 8);
	assert_int_equal(raw_has(&w), 44);
	buf_consume(&w.in, 44);
	raw_until(&r, &w, raw_has(&w));
	assert_int_equal(w.in.p[35], 0x01); /* the directory, and nothing before it */
	assert_int_equal(w.in.p[34], 0x01);
	assert_true(LIST_EMPTY(&r.env.bus->subs));
	assert_int_equal(xprt_msg_sub(r.s, "c", false, -1, answer_cb, NULL, NULL), -ENOTSUP);
	raw_close(&w);
	buf_fini(&b);
	rig_until(&r, !atomic_load(&r.env.stats.live));
	close_buses(&r);
}

/* Everything may go while messages wait. */
static void test_closing_with_messages_on_their_way(void **state)
{
	struct bus_msg m = text("c", "x");
	struct err err = { "" };
	struct ear e = { 0 };
	struct bus_sub *s;
	struct rig r;

	open_buses(&r, "mem", NULL);
	rig_connect(&r, 2);
	ask(&r, "c", false, -1, false);
	s = subscribe(&r, r.env.bus, "c", false, &e);
	for (int i = 0; i < 10; i++) {
		publish(r.env.bus, "c", "x");
		assert_int_equal(xprt_msg_send(r.c, &m, &err), 0);
	}
	ev_run(loop_ev(r.loop), EVRUN_NOWAIT);
	publish(r.env.bus, "c", "x");
	xprt_close(r.c);
	r.c = NULL;
	publish(r.env.bus, "c", "x");
	rig_until(&r, r.s_downs == 1);
	bus_unsubscribe(s);
	close_buses(&r);
}

#define MANY 3000

static void *publisher(void *arg)
{
	for (int i = 0; i < MANY; i++)
		publish(arg, "c", "x");
	return NULL;
}

/* Others publish to a peer on their threads, while its own loop sends to it. */
static void test_threads_publish_to_one_peer(void **state)
{
	struct bus_msg m = text("c", "y");
	uint64_t all = 0, dropped = 0;
	pthread_t threads[2];
	struct ear e = { 0 };
	struct bus_sub *s;
	struct rig r;

	s = begin_hearing(&r, &e, -1);
	for (int i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, publisher, r.env.bus), 0);
	for (; all < MANY; all += !xprt_msg_send(r.s, &m, NULL))
		rig_turn(&r);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	rig_until(&r, !r.s->msg->lanes[0].port.n && !xprt_msg_unpaid(r.s));
	for (int i = 0; i < BUS_LOSSES; i++)
		dropped += lost(r.env.bus, i) + lost(r.cenv.bus, i);
	assert_int_equal(dropped, 0);
	assert_int_equal(e.n, 3 * MANY);
	bus_unsubscribe(s);
	close_buses(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_that_does_not_read_is_passed_over),
		cmocka_unit_test(test_one_that_gives_no_credit_is_passed_over),
		cmocka_unit_test(test_a_sender_that_overruns),
		cmocka_unit_test(test_a_peer_of_before_the_bus),
		cmocka_unit_test(test_closing_with_messages_on_their_way),
		cmocka_unit_test(test_threads_publish_to_one_peer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
