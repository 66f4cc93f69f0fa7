/* Recorded messages: of the bus, of a quota group, of streams. */
#include "tests/unit/trace.h"

#include "core/ctl/record.h"
#include "core/ctl/session.h"
#include "core/daemon/listener.h"
#include "core/daemon/stream.h"
#include "xprt/qgroup.h"
#include "xprt/xprt_impl.h"

/* -- the message bus ----------------------------------------------------------------------------------------------- */

/* The next message of the peer; its bytes are taken with raw_next(). */
static void expect(struct rig *r, struct raw *w, uint32_t cmd)
{
	raw_until(r, w, raw_has(w));
	assert_int_equal(raw_type(w), 2);
	assert_int_equal(be32_at(&w->in, 32), cmd);
}

/* Say what the recorded client said, from frame `from` on, up to the first that its server sends after it. */
static int say(struct rig *r, struct raw *w, const struct trace *t, int from)
{
	int i = from;

	for (; i < t->n && t->f[i].from_client; i++)
		raw_send(r, w, t->f[i].b.p, t->f[i].b.len);
	return i;
}

static struct raw open_like(struct rig *r, const struct trace *t)
{
	struct raw w = raw_connect(xprt_listener_port(r->l));

	assert_int_equal(say(r, &w, t, 0), 1);
	raw_until(r, &w, raw_has(&w));
	assert_int_equal(raw_type(&w), 8);
	assert_int_equal(raw_has(&w), t->f[1].b.len);
	assert_memory_equal(w.in.p + 44, t->f[1].b.p + 44, 16 + 8); /* no limits, connections, index */
	assert_memory_equal(w.in.p + 84, t->f[1].b.p + 84, 4);      /* the bus is on */
	raw_next(&w);
	return w;
}

/* A tool publishes and an aggregator has subscribed: what it gets is what it was given by the recorded server. */
static void test_bus_08_10(void **state)
{
	struct trace sub, pub;
	struct raw s, p;
	struct rig r;
	int at;

	LOAD_OR_SKIP(&sub, "08-bus-and-stream-subscriber.txt");
	assert_true(trace_load(&pub, "10-msg-publish.txt"));
	rig_open(&r, "sock");
	r.env.bus = bus_new(NULL);
	bus_enable(r.env.bus, true);
	rig_listen(&r);
	s = open_like(&r, &sub);
	at = say(&r, &s, &sub, 2);
	for (int i = at + 1; i <= at + 2; i++) {
		expect(&r, &s, 0x10b);
		assert_int_equal(raw_has(&s), sub.f[i].b.len);
		assert_memory_equal(s.in.p + 20, sub.f[i].b.p + 20, sub.f[i].b.len - 20);
		raw_next(&s);
	}
	expect(&r, &s, 0x101);
	raw_next(&s);
	p = open_like(&r, &pub);
	say(&r, &p, &pub, 2);
	expect(&r, &s, 11);
	at += 4;
	assert_int_equal(cmd_of(&sub.f[at]), 11);
	assert_int_equal(raw_has(&s), sub.f[at].b.len);
	assert_memory_equal(s.in.p + 20, sub.f[at].b.p + 20, 4 + 16 + 20);        /* header, source */
	assert_memory_equal(s.in.p + 72 + 64, sub.f[at].b.p + 72 + 64, 92 - 64);  /* length to hops */
	assert_memory_equal(s.in.p + 72 + 384, sub.f[at].b.p + 72 + 384, 5 + 16); /* channel, data */
	assert_memory_equal(s.in.p + 72 + 96, pub.f[3].b.p + 72 + 96, 32);        /* the first hop as it was said */
	assert_true(be64_at(&s.in, 72 + 128) >= be64_at(&s.in, 72 + 96));         /* ours */
	raw_next(&s);
	expect(&r, &p, 10); /* the publisher is paid */
	assert_memory_equal(p.in.p + 20, sub.f[at + 1].b.p + 20, sub.f[at + 1].b.len - 20);
	say(&r, &s, &sub, at + 1);
	raw_close(&s);
	raw_close(&p);
	rig_until(&r, !atomic_load(&r.env.stats.live));
	assert_int_equal(atomic_load(&r.env.stats.ended[XPRT_PROTO]), 0);
	rig_close(&r);
	bus_free(r.env.bus);
	trace_free(&sub);
	trace_free(&pub);
}

/* Members of a quota group: asked, we donate as the recorded server did, and take back what is left over. */
static void test_qgroup_19(void **state)
{
	/* one window since 1970: the recorded ones are long over */
	const struct qgroup_conf conf = {
		.quota = 1000, .ask_mark = 20, .ask_amount = 200, .ask_us = SEC_US, .reset_us = INT64_MAX
	};
	struct qgroup q;
	struct trace t;
	int64_t window;
	uint64_t left;
	struct raw w;
	struct rig r;

	LOAD_OR_SKIP(&t, "19-qgroup.txt");
	qgroup_init(&q);
	qgroup_conf_set(&q, &conf);
	assert_int_equal(qgroup_on(&q, NULL), 0);
	rig_open(&r, "sock");
	r.env.bus = bus_new(NULL);
	r.env.qgroup = &q;
	bus_enable(r.env.bus, true);
	rig_listen(&r);
	w = open_like(&r, &t);
	for (int i = 3; i < t.n; i++)
		memset(t.f[i].b.p + 24 + 24, 0, 8);
	for (int i = 2; i < t.n;) {
		i = say(&r, &w, &t, i);
		if (i == t.n)
			break;
		expect(&r, &w, 15);
		assert_memory_equal(w.in.p + 20, t.f[i].b.p + 20, t.f[i].b.len - 20);
		raw_next(&w);
		assert_true(qgroup_left(&q, &left, &window));
		assert_int_equal(left, 800);
		i++;
	}
	rig_until(&r, qgroup_left(&q, &left, &window) && left == 1000);
	raw_close(&w);
	rig_until(&r, !atomic_load(&r.env.stats.live));
	rig_close(&r);
	bus_free(r.env.bus);
	qgroup_fini(&q);
	trace_free(&t);
}

/* -- streams: a whole daemon in the place of the recorded one ------------------------------------------------------ */

/* The next record that comes; everything else is passed over. */
static void next_record(struct raw *w)
{
	for (;;) {
		struct pollfd p = { .fd = w->fd, .events = POLLIN };
		uint32_t len = raw_has(w);

		if (len && raw_type(w) == 2 && len > 40 && w->in.p[35] == 5)
			return;
		if (len)
			buf_consume(&w->in, len);
		else if (w->eof || poll(&p, 1, (int)(RIG_LIMIT_S * 1000)) != 1)
			fail_msg("no record came");
	}
}

/* What the recorded daemon passed on was published at it: do so at ours. */
static void publish_as(struct daemon *d, const struct record *rec)
{
	struct record_attr a[4];
	struct stream_msg m = { .type = STREAM_STRING };

	assert_int_equal(record_attrs(rec->body, rec->body_len, a, 4, NULL), 3);
	m.name = a[0].value;
	m.type = a[2].id == ATTR_JSON ? STREAM_JSON : STREAM_STRING;
	m.data = a[2].value;
	m.len = a[2].len;
	assert_int_equal(stream_publish(d->streams, &m, NULL, NULL), 0);
}

/* Say what the client said; our records must be those of the recorded daemon, byte for byte. */
static void stream_replay(const char *name, int records)
{
	const struct listener_conf at = { .xprt = "sock", .host = "127.0.0.1", .auth = "none" };
	const struct daemon_conf conf = { .name = "replay" };
	struct record_sink *sink;
	struct err err = { "" };
	struct daemon *d;
	struct trace t;
	struct raw w;
	int n = 0;

	LOAD_OR_SKIP(&t, name);
	log_level_set(LOG_QUIET_);
	assert_int_equal(daemon_new(&conf, &d, &err), 0);
	sessions_open(d);
	sink = d->sink;
	streams_enable(d->streams, true);
	assert_int_equal(listener_add(d, &at, &err), 0);
	assert_int_equal(loop_start(d->main, &err), 0);
	w = raw_connect(listener_port(d));
	for (int i = 0; i < t.n; i++) {
		struct frame *f = &t.f[i];
		struct record rec;

		if (f->from_client) {
			assert_int_equal(send(w.fd, f->b.p, f->b.len, MSG_NOSIGNAL), f->b.len);
			continue;
		}
		if (type_of(f) != 2 || cmd_of(f) != 5)
			continue;
		assert_int_equal(record_parse(f->b.p + 44, f->b.len - 44, &rec, &err), 0);
		if (rec.type == RECORD_REQUEST)
			publish_as(d, &rec);
		next_record(&w);
		assert_int_equal(raw_has(&w), f->b.len);
		assert_memory_equal(w.in.p + 20, f->b.p + 20, f->b.len - 20);
		buf_consume(&w.in, f->b.len);
		n++;
	}
	assert_int_equal(n, records);
	raw_close(&w);
	loop_join(d->main);
	sessions_stop(sink);
	daemon_free(d, 0);
	sessions_free(sink);
	trace_free(&t);
}

static void test_streams_subscriber(void **state)
{
	stream_replay("08-bus-and-stream-subscriber.txt", 2);
}

static void test_streams_publisher(void **state)
{
	stream_replay("09-stream-publish.txt", 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bus_08_10),
		cmocka_unit_test(test_qgroup_19),
		cmocka_unit_test(test_streams_subscriber),
		cmocka_unit_test(test_streams_publisher),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
