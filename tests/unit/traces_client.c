/* What recorded servers said is said to our client; and to who listened, by samplers that advertise. */
#include "tests/unit/trace.h"

#include "core/ctl/record.h"
#include "core/daemon/advert.h"
#include "xprt/xprt_impl.h"

struct fake { /* the recorded server */
	struct trace *t;
	struct rig *r;
	int fd;
	struct raw w;
	bool used[FRAMES_MAX];
	uint64_t push_id;
	bool ended; /* the reads that were recorded have all been asked for */
};

static struct frame *find(struct fake *k, bool from_client, uint16_t type, uint32_t cmd, const char *name)
{
	for (int i = 0; i < k->t->n; i++) {
		struct frame *f = &k->t->f[i];

		if (k->used[i] || f->from_client != from_client || f->conn || type_of(f) != type)
			continue;
		if (type == 2 && cmd_of(f) != cmd)
			continue;
		if (name && strcmp((char *)f->b.p + 40 + 48 + 1 + f->b.p[40 + 48] + 1, name))
			continue;
		k->used[i] = true;
		return f;
	}
	return NULL;
}

/* Answer what our client has said. */
static void fake_answer(struct fake *k)
{
	struct buf *in = &k->w.in;
	struct frame *f = NULL, *q;
	struct buf b = { 0 };

	switch (raw_type(&k->w)) {
	case 1:
		f = find(k, false, 8, 0, NULL);
		break;
	case 2:
		if (be32_at(in, 32) == 0)
			f = find(k, false, 2, 0x101, NULL);
		else if (be32_at(in, 32) == 2)
			f = find(k, false, 3, 0, (char *)in->p + 24 + 24);
		else if (be32_at(in, 32) == 7) {
			q = find(k, true, 2, 7, NULL);
			assert_memory_equal(in->p + 24, q->b.p + 24, 24);
			f = find(k, false, 2, 0x108, NULL);
		}
		break;
	case 3: /* all but the number that our client gives itself */
		q = find(k, true, 3, 0, NULL);
		assert_memory_equal(in->p + 40, q->b.p + 40, 24);
		assert_memory_equal(in->p + 40 + 32, q->b.p + 40 + 32, 4);
		k->push_id = be64_at(in, 40 + 24);
		f = find(k, false, 2, 0x108, NULL);
		break;
	case 4:
		/* the very reads of the recorded client, in its order */
		q = find(k, true, 4, 0, NULL);
		if (q) {
			assert_memory_equal(in->p + 20, q->b.p + 20, 16);
			f = find(k, false, 5, 0, NULL);
		} else {
			k->ended = true;
		}
		if (!f) {
			put_zap(&b, 5, 16);
			buf_be32(&b, 18 << 16); /* status: nothing more */
			buf_be64(&b, 0);
			buf_be32(&b, 0);
		}
		break;
	default:
		break;
	}
	if (f)
		buf_add(&b, f->b.p, f->b.len);
	if (b.len && raw_type(&k->w) == 4)
		memcpy(b.p + 8, in->p + 8, 12); /* xid, ctxt */
	if (b.len && f && type_of(f) == 2 && cmd_of(f) == 0x108) {
		uint64_t id = htobe64(k->push_id);

		memcpy(b.p + 24 + 20, &id, sizeof(id));
	} else if (b.len && raw_type(&k->w) == 2)
		memcpy(b.p + (f && type_of(f) == 3 ? 40 : 24), in->p + 24, 8); /* xid */
	if (b.len && f && type_of(f) == 3)
		memset(b.p + 40 + 24, 0, 4); /* more: each is looked up by its name here */
	raw_send(k->r, &k->w, b.p, b.len);
	buf_consume(in, raw_has(&k->w));
	buf_fini(&b);
}

#define fake_until(k, cond)                                                                                            \
	do {                                                                                                           \
		ev_io fake_io_;                                                                                        \
		ev_io_init(&fake_io_, raw_watch_cb, (k)->w.fd, EV_READ);                                               \
		ev_io_start(loop_ev((k)->r->loop), &fake_io_);                                                         \
		while (!(cond)) {                                                                                      \
			if (raw_has(&(k)->w))                                                                          \
				fake_answer(k);                                                                        \
			else if (!rig_turn((k)->r))                                                                    \
				fail_msg("never came true: %s (%s)", #cond, (k)->r->why);                              \
		}                                                                                                      \
		ev_io_stop(loop_ev((k)->r->loop), &fake_io_);                                                          \
	} while (0)

struct ear {
	int done, sets, results[4], finished, looked;
	uint64_t last_gn;
	struct rset *rs;
};

static void dir_cb(struct xprt *x, void *arg, enum dir_event ev, const struct dir_set *set, int rc)
{
	struct ear *e = arg;

	e->sets += ev == DIR_SET;
	e->done += ev == DIR_DONE;
}

static void updated_cb(struct rset *rs, enum update_result res, int rc, const struct set_data *d)
{
	struct ear *e = rs->arg;

	e->results[res]++;
	e->finished += !rs->busy;
	if (!d)
		return;
	assert_true(le64toh(d->gn) > e->last_gn);
	e->last_gn = le64toh(d->gn);
}

static void lookup_cb(struct xprt *x, void *arg, int rc, struct rset *rs, bool more, const char *why)
{
	struct ear *e = arg;

	if (rc)
		fail_msg("lookup: %s", why);
	rs->arg = e;
	rs->updated = updated_cb;
	e->rs = rs;
	e->looked++;
}

static void fake_open(struct fake *k, struct trace *t, struct rig *r)
{
	unsigned short port;
	ev_io io;

	*k = (struct fake){ .t = t, .r = r };
	rig_open(r, "sock");
	k->fd = raw_listen(&port);
	rig_connect_to(r, "127.0.0.1", port, 1);
	ev_io_init(&io, raw_watch_cb, k->fd, EV_READ);
	ev_io_start(loop_ev(r->loop), &io);
	rig_until(r, raw_accept(k->fd, &k->w));
	ev_io_stop(loop_ev(r->loop), &io);
	fake_until(k, r->c_ups);
}

static void fake_close(struct fake *k)
{
	assert_int_equal(k->r->c_downs, 0);
	raw_close(&k->w);
	close(k->fd);
	rig_close(k->r);
	trace_free(k->t);
}

/* min_new: samples that must come out of it. */
static void client_replay(const char *name, int sets, int min_new)
{
	struct ear e = { 0 };
	struct trace t;
	struct fake k;
	struct rig r;

	LOAD_OR_SKIP(&t, name);
	fake_open(&k, &t, &r);
	if (sets) {
		assert_int_equal(xprt_dir(r.c, false, dir_cb, &e, NULL), 0);
		fake_until(&k, e.done);
		assert_int_equal(e.sets, sets);
	}
	for (int i = 0; i < t.maps_n && min_new; i++) {
		assert_int_equal(xprt_lookup(r.c, t.maps[i].name, 0, lookup_cb, &e, NULL), 0);
		fake_until(&k, e.looked > i);
		assert_string_equal(e.rs->set->name, t.maps[i].name);
		while (!k.ended) {
			int before = e.finished;

			assert_int_equal(rset_update(e.rs), 0);
			fake_until(&k, e.finished > before);
		}
		assert_int_equal(e.results[UPDATE_FAIL], 1); /* the one that found the end */
		rset_free(e.rs);
	}
	assert_true(e.results[UPDATE_NEW] >= min_new);
	fake_close(&k);
}

static void test_client_04(void **state)
{
	struct ear e = { 0 };
	struct trace t;
	struct fake k;
	struct rig r;

	LOAD_OR_SKIP(&t, "04-push.txt");
	fake_open(&k, &t, &r);
	assert_int_equal(xprt_lookup(r.c, t.maps[0].name, 0, lookup_cb, &e, NULL), 0);
	fake_until(&k, e.looked);
	assert_int_equal(rset_push(e.rs, RSET_PUSH_CHANGE), 0);
	fake_until(&k, e.results[UPDATE_NEW]);
	assert_true(e.last_gn > 1);
	rset_push(e.rs, RSET_PULL);
	fake_until(&k, atomic_load(&r.cenv.stats.pushes_odd)); /* its confirmation, which nobody waits for */
	rset_free(e.rs);
	fake_close(&k);
}

/* Events that nobody asked for, with a number that nobody gave: they are passed over. */
static void test_client_17(void **state)
{
	struct ear e = { 0 };
	struct trace t;
	struct frame *f;
	struct fake k;
	struct rig r;
	int events = 0;

	LOAD_OR_SKIP(&t, "17-notify.txt");
	fake_open(&k, &t, &r);
	assert_int_equal(xprt_lookup(r.c, t.maps[0].name, 0, lookup_cb, &e, NULL), 0);
	fake_until(&k, e.looked);
	for (; (f = find(&k, false, 2, 0x105, NULL)); events++)
		raw_send(&r, &k.w, f->b.p, f->b.len);
	assert_int_equal(events, 6);
	rig_until(&r, r.c->odd == 6);
	rset_free(e.rs);
	fake_close(&k);
}

#define CLIENT(id, file, sets, min_new)                                                                                \
	static void test_client_##id(void **state)                                                                     \
	{                                                                                                              \
		client_replay(file, sets, min_new);                                                                    \
	}

CLIENT(01, "01-ls-dir.txt", 2, 0)
CLIENT(02, "02-ls-long.txt", 2, 1)
CLIENT(06, "06-agg-cycle.txt", 2, 6)
CLIENT(13, "13-set-array.txt", 0, 5)
CLIENT(14, "14-independent-server.txt", 2, 1)
CLIENT(16, "16-agg-set-array.txt", 6, 12)

/* -- advertising: who connected serves, and who listened asks ------------------------------------------------------ */

static void keep_record(void *arg, const void *rec, size_t len)
{
	buf_add(arg, rec, len);
}

/* Our aggregator: the recorded sampler connects and says its record; we take the connection over, and what the recorded
 * aggregator asked is asked by us. */
static void test_advertised(void **state)
{
	static const struct xprt_events ev = { .down = rig_s_down };
	struct ear e = { 0 };
	struct trace t;
	struct rig r;
	struct fake k = { .t = &t, .r = &r };
	struct record rec;
	struct record_attr attrs[8];
	struct buf done = { 0 };
	struct err err;
	int answers = 0;

	LOAD_OR_SKIP(&t, "18-advertise.txt");
	/* from here on the recording is read with its sides changed: the sampler is the one that answers */
	for (int i = 0; i < t.n; i++) {
		struct frame *f = &t.f[i];

		if (type_of(f) == 1 || type_of(f) == 10 || (type_of(f) == 2 && cmd_of(f) == 5 && f->from_client))
			buf_add(&done, f->b.p, f->b.len);
		answers += type_of(f) == 2 && cmd_of(f) == 5 && !f->from_client;
		f->from_client = !f->from_client;
	}
	assert_int_equal(answers, 1);
	rig_open(&r, "sock");
	rig_listen(&r);
	k.w = raw_connect(xprt_listener_port(r.l));
	raw_send(&r, &k.w, done.p, done.len);
	rig_until(&r, r.s_msgs);
	assert_int_equal(record_parse(r.msg, r.msg_len, &rec, &err), 0);
	assert_int_equal(rec.type, RECORD_REQUEST);
	assert_int_equal(rec.code, ADVERTISE);
	assert_int_equal(record_attrs(rec.body, rec.body_len, attrs, 8, &err), 3);
	assert_int_equal(attrs[0].id, ADVERTISE_NAME);
	assert_string_equal(attrs[0].value, "wirehost");
	assert_int_equal(attrs[1].id, ADVERTISE_HOST);
	assert_string_equal(attrs[1].value, "vm");
	assert_int_equal(attrs[2].id, ADVERTISE_PORT);
	assert_string_equal(attrs[2].value, "26152");
	assert_int_equal(xprt_adopt(r.s, &ev, &r, &err), 0);
	/* ACCEPTED of ours is taken away: the fake only answers */
	raw_until(&r, &k.w, raw_has(&k.w));
	assert_int_equal(raw_type(&k.w), 8);
	buf_consume(&k.w.in, raw_has(&k.w));
	assert_int_equal(xprt_dir(r.s, true, dir_cb, &e, NULL), 0);
	fake_until(&k, e.done);
	assert_int_equal(e.sets, 1);
	assert_int_equal(xprt_lookup(r.s, t.maps[0].name, 0, lookup_cb, &e, NULL), 0);
	fake_until(&k, e.looked);
	assert_string_equal(e.rs->set->name, "wirehost/procstat2");
	while (!k.ended) {
		int before = e.finished;

		assert_int_equal(rset_update(e.rs), 0);
		fake_until(&k, e.finished > before);
	}
	assert_true(e.results[UPDATE_NEW] >= 2);
	rset_free(e.rs);
	raw_close(&k.w);
	xprt_close(r.s);
	buf_fini(&done);
	rig_close(&r);
	trace_free(&t);
}

/* Our sampler: the bytes that we say are those of the recorded one, but for what differs by nature. */
static void test_advertiser(void **state)
{
	struct trace t;
	struct frame *said = NULL, *answer = NULL;
	struct buf body = { 0 }, rec_bytes = { 0 };

	LOAD_OR_SKIP(&t, "18-advertise.txt");
	for (int i = 0; i < t.n; i++) {
		struct frame *f = &t.f[i];

		if (type_of(f) == 2 && cmd_of(f) == 5)
			*(f->from_client ? &said : &answer) = f;
	}
	record_put(&body, ADVERTISE_NAME, "wirehost", 9);
	record_put(&body, ADVERTISE_HOST, "vm", 3);
	record_put(&body, ADVERTISE_PORT, "26152", 6);
	record_end(&body);
	record_send(RECORD_REQUEST, 1, ADVERTISE, &body, keep_record, &rec_bytes);
	assert_int_equal(be32_at(&said->b, 40), rec_bytes.len);
	assert_memory_equal(said->b.p + 44, rec_bytes.p, rec_bytes.len);
	/* and the answer is what we give when all is well */
	buf_reset(&body);
	buf_reset(&rec_bytes);
	record_end(&body);
	record_send(RECORD_RESPONSE, 1, 0, &body, keep_record, &rec_bytes);
	assert_int_equal(be32_at(&answer->b, 40), rec_bytes.len);
	assert_memory_equal(answer->b.p + 44, rec_bytes.p, rec_bytes.len);
	buf_fini(&body);
	buf_fini(&rec_bytes);
	trace_free(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_client_01),  cmocka_unit_test(test_client_02), cmocka_unit_test(test_client_06),
		cmocka_unit_test(test_client_13),  cmocka_unit_test(test_client_14), cmocka_unit_test(test_client_16),
		cmocka_unit_test(test_client_04),  cmocka_unit_test(test_client_17), cmocka_unit_test(test_advertised),
		cmocka_unit_test(test_advertiser),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
