/* The transport `sock`: peers that misbehave, and what they cost. */
#include "tests/unit/rig.h"

#include "xprt/xprt_impl.h"
#include "xprt/zap.h"

/* Bytes in the smallest pieces are as good as any. */
static void test_byte_by_byte(void **state)
{
	struct buf b = { 0 };
	const uint8_t flags[4] = { 0 };
	struct rig r;
	struct raw w;
	struct set *s;

	rig_open(&r, "sock");
	s = rig_set(&r, "one", "n/a", 3, 1, 0, 0777);
	rig_listen(&r);
	w = raw_connect(xprt_listener_port(r.l));
	put_connect(&b, "none", 1, 0, 5);
	put_ack(&b);
	for (int i = 0; i < 3; i++)
		put_ldms(&b, 100 + (uint64_t)i, 0, false, 0, flags, 4);
	for (size_t i = 0; i < b.len; i++) {
		unsigned long before = atomic_load(&r.env.stats.bytes_in);

		if (i == 100) /* an active side waits for ACCEPTED */
			raw_until(&r, &w, raw_has(&w));
		raw_send(&r, &w, b.p + i, 1);
		rig_until(&r, atomic_load(&r.env.stats.bytes_in) > before);
	}
	raw_until(&r, &w, raw_has(&w));
	buf_consume(&w.in, raw_has(&w)); /* ACCEPTED */
	for (int i = 0; i < 3; i++) {
		raw_until(&r, &w, raw_has(&w));
		assert_int_equal(w.in.p[24], 100 + i);
		buf_consume(&w.in, raw_has(&w));
	}
	raw_close(&w);
	rig_until(&r, r.s_downs);
	set_put(s);
	buf_fini(&b);
	rig_close(&r);
}

static void put_read(struct buf *b, uint32_t key, uint64_t addr, uint32_t len)
{
	put_zap(b, 4, 16);
	buf_raw32(b, key);
	buf_be64(b, addr);
	buf_be32(b, len);
}

/* Each of these ends the connection, and harms nobody. */
static void test_violations(void **state)
{
	struct buf b = { 0 };
	struct rig r;

	rig_open(&r, "sock");
	rig_listen(&r);
	for (int i = 0; i < 12; i++) {
		struct raw w = raw_handshake(&r);
		int downs = r.s_downs;

		buf_reset(&b);
		switch (i) {
		case 0: /* unknown type */
			put_zap(&b, 11, 0);
			break;
		case 1: /* shorter than its header */
			put_zap(&b, 2, 0);
			b.p[7] = 19;
			break;
		case 2: /* longer than any */
			put_zap(&b, 2, (1 << 20) - 19);
			break;
		case 3: /* an answer that was not asked for */
			put_zap(&b, 5, 16);
			buf_add(&b, "0123456789abcdef", 16);
			break;
		case 4: /* CONNECT again */
			put_connect(&b, "none", 1, 0, 3);
			break;
		case 5: /* data_len lies */
			put_zap(&b, 2, 4 + 16);
			buf_be32(&b, 17);
			buf_add(&b, "0123456789abcdef", 16);
			break;
		case 6: /* the inner length lies */
			put_ldms(&b, 1, 0, false, 0, "\0\0\0", 4);
			b.p[24 + 15] = 99;
			break;
		case 7: /* DIR without its flags */
			put_ldms(&b, 1, 0, false, 0, NULL, 0);
			break;
		case 8: /* LOOKUP whose name has no end */
			put_ldms(&b, 1, 2, false, 0, "\0\0\0\0\0\0\0\4abcd", 12);
			break;
		case 9: /* authentication when there is nothing to authenticate */
			put_ldms(&b, 0, 6, false, 0, "\0\0\0\1x", 5);
			break;
		case 10: /* SET_DELETE with a length beyond the message */
			put_ldms(&b, 1, 9, false, 0, "\x7f\xff\xff\xff\0", 5);
			break;
		default: /* a short RENDEZVOUS */
			put_zap(&b, 3, 20 + 4);
			buf_add(&b, "0123456789abcdef01234567", 24);
			break;
		}
		raw_send(&r, &w, b.p, b.len);
		raw_until(&r, &w, (raw_fill(&w), w.eof));
		assert_int_equal(r.s_downs, downs + 1);
		assert_int_equal(r.s_fail, XPRT_PROTO);
		raw_close(&w);
	}
	buf_fini(&b);
	rig_close(&r);
}

/* What a server that has no message bus and takes no writes says, and what it lets pass. */
static void test_requests_that_are_refused(void **state)
{
	static const uint8_t zero[64];
	struct buf b = { 0 };
	struct rig r;
	struct raw w;

	rig_open(&r, "sock");
	rig_listen(&r);
	w = raw_handshake(&r);
	for (uint32_t cmd = 0; cmd < 24; cmd++) /* those without an answer: the next one's answer comes first */
		if (cmd == 3 || cmd == 4 || cmd == 7 || cmd == 8 || cmd == 10 || cmd >= 14)
			put_ldms(&b, 9, cmd, false, 0, zero, 32);
	put_ldms(&b, 9, 0x105, true, 0, zero, 32);
	put_ldms(&b, 9, 0x101, true, 0, zero, 12); /* stale */
	put_ldms(&b, 9, 0x104, true, 2, zero, 0);
	put_ldms(&b, 9, 0x7777, true, 2, zero, 0);
	put_ldms(&b, 0, 11, false, 0, zero, 64); /* MSG */
	raw_send(&r, &w, b.p, b.len);
	raw_until(&r, &w, raw_has(&w));
	assert_memory_equal(w.in.p + 24 + 8, "\0\0\0\xa\0\0\0\x18\0\0\0\0\0\0\0\x5f", 16); /* SEND_QUOTA 0, 95 */
	buf_consume(&w.in, raw_has(&w));

	buf_reset(&b);
	put_ldms(&b, 42, 12, false, 0, zero, 20); /* MSG_SUB */
	raw_send(&r, &w, b.p, b.len);
	raw_until(&r, &w, raw_has(&w));
	assert_int_equal(w.in.p[24], 42);
	assert_memory_equal(w.in.p + 24 + 8, "\0\0\1\xb", 4);
	assert_memory_equal(w.in.p + 24 + 16, "\0\0\0\x5f", 4);
	assert_string_equal((char *)w.in.p + 24 + 24, "LDMS Message Service disabled");
	buf_consume(&w.in, raw_has(&w));

	buf_reset(&b);
	put_zap(&b, 6, 16 + 8); /* WRITE_REQ */
	buf_add(&b, zero, 24);
	put_read(&b, 1, 1ull << 32, 8); /* unknown key */
	put_read(&b, 0, 0, 8);
	raw_send(&r, &w, b.p, b.len);
	raw_until(&r, &w, raw_has(&w));
	assert_int_equal(raw_type(&w), 7);
	assert_int_equal(w.in.p[21], 19);
	buf_consume(&w.in, raw_has(&w));
	for (int i = 0; i < 2; i++) {
		raw_until(&r, &w, raw_has(&w));
		assert_int_equal(raw_type(&w), 5);
		assert_int_equal(w.in.p[21], 17);
		buf_consume(&w.in, raw_has(&w));
	}
	raw_close(&w);
	rig_until(&r, r.s_downs);
	buf_fini(&b);
	rig_close(&r);
}

static struct raw raw_lookup(struct rig *r, const char *name, uint32_t *key, uint64_t *addr, uint32_t *len)
{
	struct raw w = raw_handshake(r);
	struct buf b = { 0 }, body = { 0 };

	buf_be32(&body, 0);
	buf_be32(&body, (uint32_t)strlen(name) + 1);
	buf_add(&body, name, strlen(name) + 1);
	put_ldms(&b, 7, 2, false, 0, body.p, (uint32_t)body.len);
	raw_send(r, &w, b.p, b.len);
	raw_until(r, &w, raw_has(&w));
	assert_int_equal(raw_type(&w), 3);
	memcpy(key, w.in.p + 20, 4);
	memcpy(addr, w.in.p + 28, 8);
	memcpy(len, w.in.p + 36, 4);
	*addr = be64toh(*addr);
	*len = ntohl(*len);
	buf_consume(&w.in, raw_has(&w));
	buf_fini(&b);
	buf_fini(&body);
	return w;
}

static void test_reads_stay_inside(void **state)
{
	struct buf b = { 0 };
	uint32_t key, len;
	uint64_t addr;
	struct rig r;
	struct set *s;
	struct raw w;

	rig_open(&r, "sock");
	s = rig_set(&r, "one", "n/a", 3, 2, 0, 0777);
	rig_listen(&r);
	w = raw_lookup(&r, "n/a", &key, &addr, &len);
	assert_int_equal(len, set_size(s));
	assert_int_not_equal(key, 0);
	assert_int_not_equal(addr, 0);
	const struct {
		uint32_t key;
		uint64_t addr;
		uint32_t len;
		int status;
	} rows[] = {
		{ key, addr, len, 0 },      { key, addr + len, 0, 0 },        { key, addr + len - 1, 1, 0 },
		{ key, addr, len + 1, 18 }, { key, addr + len, 1, 18 },       { key, addr - 1, 1, 18 },
		{ key, 0, 8, 18 },          { key, UINT64_MAX, 8, 18 },       { key, addr + 8, UINT32_MAX, 18 },
		{ key + 1, addr, 8, 17 },   { key + (1 << 20), addr, 8, 17 }, /* another generation of the slot */
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		put_read(&b, rows[i].key, rows[i].addr, rows[i].len);
	raw_send(&r, &w, b.p, b.len);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		raw_until(&r, &w, raw_has(&w));
		assert_int_equal(w.in.p[21], rows[i].status);
		assert_int_equal(raw_has(&w), 36 + (rows[i].status ? 0 : rows[i].len));
		if (!i)
			assert_memory_equal(w.in.p + 36, s->image, len);
		buf_consume(&w.in, raw_has(&w));
	}
	raw_close(&w);
	rig_until(&r, r.s_downs);
	set_put(s);
	buf_fini(&b);
	rig_close(&r);
}

/* A peer that asks and asks and does not read: its requests wait, its queue stays small, and in the end it is dropped.
 */
static void test_reader_that_does_not_read(void **state)
{
	struct buf b = { 0 };
	uint32_t key, len;
	uint64_t addr;
	struct rig r;
	struct set *s;
	struct raw w;

	rig_open(&r, "sock");
	r.env.limits.answer_us = 200 * MSEC_US;
	s = rig_set(&r, "one", "n/a", 4000, 1, 0, 0777);
	rig_listen(&r);
	w = raw_lookup(&r, "n/a", &key, &addr, &len);
	for (int i = 0; i < 200; i++)
		put_read(&b, key, addr, len);
	for (int i = 0; i < 10 && !r.s_downs; i++) { /* 2,000 answers of 200 kB */
		if (send(w.fd, b.p, b.len, MSG_NOSIGNAL) < 0)
			break;
		rig_settle(&r);
		if (r.s) {
			const struct zap *z = (const struct zap *)r.s->lanes[0]->ep;

			assert_true(zap_pending(z) < ZAP_BACKLOG_MAX + 2 * len);
		}
	}
	rig_until(&r, r.s_downs);
	assert_int_equal(r.s_fail, XPRT_SLOW);
	raw_close(&w);
	set_put(s);
	buf_fini(&b);
	rig_close(&r);
}

/* ... but one that reads late gets everything, in order. */
static void test_reader_that_is_late(void **state)
{
	const int asked = 300;
	struct buf b = { 0 };
	uint32_t key, len;
	uint64_t addr;
	struct rig r;
	struct set *s;
	struct raw w;

	rig_open(&r, "sock");
	s = rig_set(&r, "one", "n/a", 1000, 1, 0, 0777);
	rig_listen(&r);
	w = raw_lookup(&r, "n/a", &key, &addr, &len);
	for (int i = 0; i < asked; i++)
		put_read(&b, key, addr, len - (uint32_t)i);
	raw_send(&r, &w, b.p, b.len);
	rig_settle(&r);
	for (int i = 0; i < asked; i++) {
		raw_until(&r, &w, raw_has(&w));
		assert_int_equal(raw_has(&w), 36 + len - (uint32_t)i);
		buf_consume(&w.in, raw_has(&w));
	}
	raw_close(&w);
	rig_until(&r, r.s_downs);
	set_put(s);
	buf_fini(&b);
	rig_close(&r);
}

/* News for a peer that does not read fill its queue, up to the limit. */
static void test_queue_is_bounded(void **state)
{
	static char text[100000];
	struct rig r;
	struct raw w;

	rig_open(&r, "sock");
	r.env.limits.out_bytes = 1 << 20;
	rig_listen(&r);
	w = raw_handshake(&r);
	for (int i = 0; i < 1000 && !r.s_downs; i++) {
		assert_true(!xprt_send(r.s, text, sizeof(text), NULL) || i > 10);
		rig_settle(&r);
	}
	assert_int_equal(r.s_downs, 1);
	assert_int_equal(r.s_fail, XPRT_SLOW);
	raw_close(&w);
	rig_close(&r);
}

struct many {
	struct rset *rs[1000];
	int found, finished, fresh;
};

static void many_updated(struct rset *rs, enum update_result res, int rc, const struct set_data *data)
{
	struct many *m = rs->arg;

	m->finished++;
	m->fresh += res == UPDATE_NEW;
}

static void many_found(struct xprt *x, void *arg, int rc, struct rset *rs, bool more, const char *why)
{
	struct many *m = arg;

	assert_int_equal(rc, 0);
	rs->arg = m;
	rs->updated = many_updated;
	m->rs[m->found++] = rs;
}

/* Updating 1,000 sets of one peer costs a handful of system calls, on both sides together. */
static void test_calls_of_1000_updates(void **state)
{
	static struct many m;
	struct set *sets[1000];
	unsigned long calls;
	struct rig r;
	char name[32];

	memset(&m, 0, sizeof(m));
	rig_open(&r, "sock");
	for (int i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "n/%03d", i);
		sets[i] = rig_set(&r, "one", name, 50, 1, 0, 0777);
	}
	rig_connect(&r, 1);
	xprt_lookup(r.c, ".", LOOKUP_REGEX, many_found, &m, NULL);
	rig_until(&r, m.found == 1000);
	for (int round = 1; round <= 3; round++) {
		for (int i = 0; i < 1000; i++)
			rig_sample(sets[i], (uint64_t)round);
		calls = atomic_load(&r.env.stats.calls_recv) + atomic_load(&r.env.stats.calls_send) +
			atomic_load(&r.cenv.stats.calls_recv) + atomic_load(&r.cenv.stats.calls_send);
		m.finished = m.fresh = 0;
		for (int i = 0; i < 1000; i++)
			assert_int_equal(rset_update(m.rs[i]), 0);
		rig_until(&r, m.finished == 1000);
		assert_int_equal(m.fresh, 1000);
		calls = atomic_load(&r.env.stats.calls_recv) + atomic_load(&r.env.stats.calls_send) +
			atomic_load(&r.cenv.stats.calls_recv) + atomic_load(&r.cenv.stats.calls_send) - calls;
		if (getenv("V"))
			print_message("round %d: %lu calls\n", round, calls);
		assert_true(calls <= 80);
	}
	for (int i = 0; i < 1000; i++) {
		rset_free(m.rs[i]);
		set_put(sets[i]);
	}
	rig_close(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_byte_by_byte),
		cmocka_unit_test(test_violations),
		cmocka_unit_test(test_requests_that_are_refused),
		cmocka_unit_test(test_reads_stay_inside),
		cmocka_unit_test(test_reader_that_does_not_read),
		cmocka_unit_test(test_reader_that_is_late),
		cmocka_unit_test(test_queue_is_bounded),
		cmocka_unit_test(test_calls_of_1000_updates),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
