/* What peers may take: names and values of the limits, the count of what was refused, and the memory kept for peers. */
#include "tests/unit/rig.h"

#include "xprt/xprt_impl.h"
#include "xprt/zap.h"

static void test_names_and_values(void **state)
{
	struct xprt_limits l = xprt_limits_dflt;
	struct err err;

	for (const struct xprt_limit *row = xprt_limit_rows; row->name; row++) {
		assert_true(xprt_limit_get(&l, row) > 0); /* nothing is without limit unless somebody says so */
		assert_int_equal(xprt_limit_set(&l, row->name, "0", &err), 0);
		assert_int_equal(xprt_limit_get(&l, row), 0);
		if (row[1].name)
			assert_true(strcmp(row->name, row[1].name) < 0); /* sorted, each once */
	}
	assert_int_equal(xprt_limit_set(&l, "conns", "30000", &err), 0);
	assert_int_equal(l.conns, 30000);
	assert_int_equal(xprt_limit_set(&l, "memory", "3G", &err), 0);
	assert_int_equal(l.memory, 3ull << 30);
	assert_int_equal(xprt_limit_set(&l, "dead", "1.5s", &err), 0);
	assert_int_equal(l.dead_us, 1500000);
	assert_int_equal(xprt_limit_set(&l, "conn", "1", &err), -ENOENT);
	assert_non_null(strstr(err.msg, "'conns'"));
	assert_int_equal(xprt_limit_set(&l, "conns", "many", &err), -EINVAL);
	assert_int_equal(xprt_limit_set(&l, "dead", "-1s", &err), -EINVAL);
	assert_int_equal(l.conns, 30000);
	for (int why = 0; why < REFUSALS; why++) {
		assert_non_null(refusal_name((enum refusal)why));
		assert_non_null(refusal_words((enum refusal)why));
	}
}

static unsigned long refused(struct rig *r, enum refusal why)
{
	return atomic_load(&r->env.stats.refusals.n[why]);
}

/* A peer may have two and no more; the counting helper says so, for each limit that is one. */
static void test_one_more(void **state)
{
	static const struct {
		enum refusal why;
		size_t off;
	} rows[] = {
		{ REFUSE_DIR, offsetof(struct xprt_limits, dir_bytes) },
		{ REFUSE_PARTS, offsetof(struct xprt_limits, parts_bytes) },
		{ REFUSE_SETS, offsetof(struct xprt_limits, sets) },
		{ REFUSE_REQUESTS, offsetof(struct xprt_limits, requests) },
		{ REFUSE_PUSHES, offsetof(struct xprt_limits, pushes) },
		{ REFUSE_SUBS, offsetof(struct xprt_limits, subs) },
	};
	struct rig r;

	rig_open(&r, "sock");
	rig_connect(&r, 1);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		*(_Atomic uint64_t *)((char *)&r.env.limits + rows[i].off) = 2;
		assert_true(xprt_allows(r.s, rows[i].why, 1));
		assert_false(xprt_allows(r.s, rows[i].why, 2));
		assert_int_equal(refused(&r, rows[i].why), 1);
		assert_int_not_equal(refusal_last(&r.env, rows[i].why).wall_us, 0);
		assert_int_equal(refusal_last(&r.env, rows[i].why).addr.ss_family, AF_INET);
		*(_Atomic uint64_t *)((char *)&r.env.limits + rows[i].off) = 0;
		assert_true(xprt_allows(r.s, rows[i].why, 1 << 20));
	}
	rig_close(&r);
}

/* Strangers that say nothing make room for who does. */
static void test_guests_make_room(void **state)
{
	struct raw idle[5], w;
	struct rig r;

	rig_open(&r, "sock");
	r.env.limits.guests = 2;
	rig_listen(&r);
	for (int i = 0; i < 5; i++) {
		idle[i] = raw_connect(xprt_listener_port(r.l));
		rig_until(&r, atomic_load(&r.env.stats.accepted) == (unsigned long)i + 1);
		assert_true(atomic_load(&r.env.stats.guests) <= 2);
	}
	assert_int_equal(refused(&r, REFUSE_GUESTS), 3);
	raw_until(&r, &idle[0], (raw_fill(&idle[0]), idle[0].eof)); /* the oldest */
	raw_fill(&idle[4]);
	assert_false(idle[4].eof);
	w = raw_handshake(&r);
	assert_int_equal(atomic_load(&r.env.stats.guests), 1); /* who is known is no guest */
	assert_int_equal(atomic_load(&r.env.stats.incoming), 2);
	for (int i = 0; i < 5; i++)
		raw_close(&idle[i]);
	raw_close(&w);
	rig_until(&r, r.s_downs == 1 && !atomic_load(&r.env.stats.incoming));
	assert_int_equal(atomic_load(&r.env.stats.guests), 0);
	rig_close(&r);
}

/* ... also those that asked to connect and then went quiet. */
static void test_half_connected_make_room(void **state)
{
	struct buf b = { 0 };
	struct raw half[3], w;
	struct rig r;

	rig_open(&r, "sock");
	r.env.limits.guests = 2;
	rig_listen(&r);
	for (int i = 0; i < 3; i++) {
		half[i] = raw_connect(xprt_listener_port(r.l));
		buf_reset(&b);
		put_connect(&b, "none", 1, 0, 1000 + (uint64_t)i);
		raw_send(&r, &half[i], b.p, b.len);
		raw_until(&r, &half[i], raw_has(&half[i]));
	}
	assert_int_equal(refused(&r, REFUSE_GUESTS), 1);
	w = raw_handshake(&r);
	for (int i = 0; i < 3; i++)
		raw_close(&half[i]);
	raw_close(&w);
	rig_until(&r, r.s_downs == 1 && !atomic_load(&r.env.stats.incoming));
	buf_fini(&b);
	rig_close(&r);
}

/* What is incomplete counts towards one ceiling, and is given back. */
static void test_memory_of_messages_in_pieces(void **state)
{
	static char half[600000];
	struct buf b = { 0 };
	struct raw w[4];
	struct rig r;
	int n;

	rig_open(&r, "sock");
	r.env.limits.memory = 3 << 20;
	rig_listen(&r);
	put_zap(&b, 2, 1000000);
	buf_add(&b, half, sizeof(half));
	for (n = 0; n < 4 && !r.s_downs;) {
		size_t before;

		w[n++] = raw_handshake(&r);
		before = atomic_load(&r.env.stats.bytes_in);
		raw_send(&r, &w[n - 1], b.p, b.len);
		rig_until(&r, r.s_downs || atomic_load(&r.env.stats.bytes_in) == before + b.len);
		assert_true(r.s_downs || atomic_load(&r.env.stats.memory) >= (unsigned long)n * 1000000);
	}
	assert_int_equal(r.s_downs, 1);
	assert_int_equal(r.s_fail, XPRT_LIMIT);
	assert_int_equal(refused(&r, REFUSE_MEMORY), 1);
	assert_true(atomic_load(&r.env.stats.memory) <= 3 << 20);
	for (int i = 0; i < n; i++)
		raw_close(&w[i]);
	rig_until(&r, !atomic_load(&r.env.stats.incoming));
	rig_settle(&r);
	assert_int_equal(atomic_load(&r.env.stats.memory), 0);
	buf_fini(&b);
	rig_close(&r);
}

/* What a slow reader makes us keep is counted. */
static void test_memory_of_slow_readers(void **state)
{
	static char text[100000];
	struct raw w;
	struct rig r;
	size_t waits;

	rig_open(&r, "sock");
	rig_listen(&r);
	w = raw_handshake(&r);
	for (int i = 0; i < 200 && !atomic_load(&r.env.stats.memory); i++) {
		assert_int_equal(xprt_send(r.s, text, sizeof(text), NULL), 0);
		rig_settle(&r);
	}
	waits = zap_pending((const struct zap *)r.s->lanes[0]->ep);
	assert_true(waits > 0);
	assert_true(atomic_load(&r.env.stats.memory) >= waits);
	assert_true(atomic_load(&r.env.stats.memory) <= 2 * waits + IO_BUF);
	while (atomic_load(&r.env.stats.memory)) { /* it reads after all */
		raw_fill(&w);
		buf_reset(&w.in);
		assert_true(rig_turn(&r));
	}
	r.env.limits.memory = 4 << 20;
	for (int i = 0; i < 500 && !r.s_downs; i++) {
		assert_true(!xprt_send(r.s, text, sizeof(text), NULL) || i > 10);
		rig_settle(&r);
	}
	assert_int_equal(r.s_fail, XPRT_LIMIT);
	assert_int_equal(refused(&r, REFUSE_MEMORY), 1);
	assert_int_equal(atomic_load(&r.env.stats.memory), 0);
	raw_close(&w);
	rig_close(&r);
}

/* A crowd of slow readers is kept in no more memory than it needs, not in a large buffer for each. */
static void test_memory_of_many_slow_readers(void **state)
{
	enum { PEERS = 30 };
	static char text[2000];
	struct raw w[PEERS];
	struct rig r;
	size_t waits = 0;

	rig_open(&r, "sock");
	rig_listen(&r);
	for (int i = 0; i < PEERS; i++) {
		int small = 4096;
		const struct zap *z;

		w[i] = raw_handshake(&r);
		setsockopt(w[i].fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
		z = (const struct zap *)r.s->lanes[0]->ep;
		while (!z->slow) {
			assert_int_equal(xprt_send(r.s, text, sizeof(text), NULL), 0);
			rig_settle(&r);
		}
		waits += zap_pending(z);
	}
	assert_true(atomic_load(&r.env.stats.memory) >= waits);
	assert_true(atomic_load(&r.env.stats.memory) <= 2 * waits + PEERS * 1024 + (IO_SPARES + 1) * IO_BUF);
	for (int i = 0; i < PEERS; i++)
		raw_close(&w[i]);
	rig_until(&r, r.s_downs == PEERS);
	rig_settle(&r);
	assert_int_equal(atomic_load(&r.env.stats.memory), 0);
	rig_close(&r);
}

/* 300 small peers of which each holds a few bytes back cost a few bytes each, not a buffer. */
static void test_idle_and_slow_peers_hold_no_buffers(void **state)
{
	struct buf b = { 0 };
	static struct raw w[300];
	struct rig r;

	rig_open(&r, "sock");
	rig_listen(&r);
	put_zap(&b, 2, 100);
	for (int i = 0; i < 300; i++) {
		size_t before;

		w[i] = raw_handshake(&r);
		before = atomic_load(&r.env.stats.bytes_in);
		raw_send(&r, &w[i], b.p, b.len); /* the beginning of a message */
		rig_until(&r, atomic_load(&r.env.stats.bytes_in) > before);
	}
	assert_true(atomic_load(&r.env.stats.memory) <= 300 * 1024);
	for (int i = 0; i < 300; i++)
		raw_close(&w[i]);
	rig_until(&r, r.s_downs == 300);
	rig_settle(&r);
	assert_int_equal(atomic_load(&r.env.stats.memory), 0);
	buf_fini(&b);
	rig_close(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names_and_values),
		cmocka_unit_test(test_one_more),
		cmocka_unit_test(test_guests_make_room),
		cmocka_unit_test(test_half_connected_make_room),
		cmocka_unit_test(test_memory_of_messages_in_pieces),
		cmocka_unit_test(test_memory_of_slow_readers),
		cmocka_unit_test(test_memory_of_many_slow_readers),
		cmocka_unit_test(test_idle_and_slow_peers_hold_no_buffers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
