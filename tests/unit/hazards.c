/* What has killed LDMS daemons, and what else a peer may try: none of it harms ours, in either role. */
#include "tests/unit/rig.h"

#include "core/base/xalloc.h"
#include "xprt/xprt_impl.h"
#include "xprt/zap.h"

static unsigned long refused(const struct xprt_env *env, enum refusal why)
{
	return atomic_load(&env->stats.refusals.n[why]);
}

static void tick_cb(struct ev_loop *ev, ev_timer *w, int events)
{
}

/* One turn, that comes back after a while also when nothing happens. */
static void turn_within(struct rig *r, double seconds)
{
	ev_timer tick;

	ev_timer_init(&tick, tick_cb, seconds, 0);
	ev_timer_start(loop_ev(r->loop), &tick);
	assert_true(rig_turn(r));
	ev_timer_stop(loop_ev(r->loop), &tick);
}

static void put_lookup(struct buf *b, uint64_t xid, uint32_t flags, const char *what)
{
	struct buf body = { 0 };

	buf_be32(&body, flags);
	buf_be32(&body, (uint32_t)strlen(what) + 1);
	buf_add(&body, what, strlen(what) + 1);
	put_ldms(b, xid, 2, false, 0, body.p, (uint32_t)body.len);
	buf_fini(&body);
}

/* -- before it is known who asks ----------------------------------------------------------------------------------- */

static struct auth_run *undecided;

static void undecided_begin(struct auth_run *a)
{
	undecided = a;
}

static void undecided_message(struct auth_run *a, const void *bytes, size_t len)
{
}

static const struct auth_type auth_undecided = {
	.name = "none",
	.begin = undecided_begin,
	.message = undecided_message,
};

/* Directory, lookup, a control record, a read: nothing is answered before authentication is over, and then all is. */
static void test_requests_before_authentication(void **state)
{
	static const uint8_t zero[64];
	struct buf b = { 0 };
	struct rig r;
	struct raw w;
	struct set *s;

	rig_open(&r, "sock");
	s = rig_set(&r, "one", "n/a", 3, 1, 0, 0777);
	rig_listen(&r);
	r.l->auth = &auth_undecided;
	w = raw_connect(xprt_listener_port(r.l));
	put_connect(&b, "none", 1, 0, 77);
	raw_send(&r, &w, b.p, b.len);
	raw_until(&r, &w, raw_has(&w));
	buf_consume(&w.in, raw_has(&w));
	buf_reset(&b);
	put_ack(&b);
	put_ldms(&b, 1, 0, false, 0, zero, 4); /* DIR */
	put_lookup(&b, 2, 0, "n/a");
	put_lookup(&b, 3, 2, ".*");
	put_ldms(&b, 4, 5, false, 0, "\0\0\0\4abcd", 8); /* SEND_MSG */
	put_ldms(&b, 5, 9, false, 0, "\0\0\0\2x", 6);    /* SET_DELETE */
	put_ldms(&b, 6, 12, false, 0, zero, 20);         /* MSG_SUB */
	raw_send(&r, &w, b.p, b.len);
	rig_until(&r, refused(&r.env, REFUSE_EARLY) == 6);
	rig_settle(&r);
	assert_int_equal(raw_has(&w), 0);
	assert_int_equal(r.s_ups, 0);
	assert_int_equal(r.s_msgs, 0);
	assert_int_equal(atomic_load(&r.env.stats.guests), 1);
	auth_approve(undecided, 0, 0);
	assert_int_equal(r.s_ups, 1);
	buf_reset(&b);
	put_ldms(&b, 7, 0, false, 0, zero, 4);
	raw_send(&r, &w, b.p, b.len);
	raw_until(&r, &w, raw_has(&w));
	assert_int_equal(w.in.p[24], 7);
	raw_close(&w);
	rig_until(&r, r.s_downs);
	set_put(s);
	buf_fini(&b);
	rig_close(&r);
}

/* Messages by which strangers become peers are short. */
static void test_long_hello(void **state)
{
	struct buf b = { 0 };
	struct rig r;
	struct raw w;

	rig_open(&r, "sock");
	rig_listen(&r);
	w = raw_connect(xprt_listener_port(r.l));
	put_zap(&b, 1, 100000);
	raw_send(&r, &w, b.p, b.len);
	raw_until(&r, &w, (raw_fill(&w), w.eof));
	assert_int_equal(refused(&r.env, REFUSE_NOT_LDMS), 1);
	raw_close(&w);
	buf_fini(&b);
	rig_close(&r);
}

/* A byte now and then does not move the deadline of the handshake. */
static void test_slow_hello(void **state)
{
	struct buf b = { 0 };
	struct rig r;
	struct raw w;
	size_t sent = 0;

	rig_open(&r, "sock");
	r.env.limits.handshake_us = 100 * MSEC_US;
	rig_listen(&r);
	w = raw_connect(xprt_listener_port(r.l));
	put_connect(&b, "none", 1, 0, 77);
	while (!refused(&r.env, REFUSE_HANDSHAKE)) {
		if (sent < b.len - 1 && send(w.fd, b.p + sent, 1, MSG_NOSIGNAL) == 1)
			sent++;
		turn_within(&r, 0.005);
	}
	raw_close(&w);
	buf_fini(&b);
	rig_close(&r);
}

/* -- hazards of real peers, at our server -------------------------------------------------------------------------- */

/* Each row is said to a connected server: it lives, the connection lives or ends as told, and the counter moves. */
static void test_hazards_at_the_server(void **state)
{
	static const uint8_t zero[512];
	static const struct {
		const char *what;
		bool reply;
		uint32_t cmd, len;
		enum refusal counter; /* REFUSALS: an answer says it */
		bool ends;
	} rows[] = {
		{ "LOOKUP_REPLY never asked for", true, 0x104, 0, REFUSE_ODD, false },
		{ "DIR_REPLY never asked for", true, 0x101, 12, REFUSE_ODD, false },
		{ "DIR_UPDATE not followed", true, 0x103, 12, REFUSE_ODD, false },
		{ "request 8", false, 8, 16, REFUSE_ODD, false },
		{ "request 19", false, 19, 16, REFUSE_ODD, false },
		{ "request 0x100", false, 0x100, 16, REFUSE_ODD, false },
		{ "reply 0x1ff", true, 0x1ff, 16, REFUSE_ODD, false },
		{ "AUTH_MSG after approval", false, 6, 4, REFUSE_PROTOCOL, true },
		{ "QGROUP_ASK without quota groups", false, 14, 16, REFUSALS, false },
		{ "QGROUP_DONATE", false, 15, 16, REFUSALS, false },
		{ "NOTIFY_EVENT with xid 0", true, 0x105, 16, REFUSALS, false },
	};
	struct buf b = { 0 };
	struct rig r;

	rig_open(&r, "sock");
	rig_listen(&r);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct raw w = raw_handshake(&r);
		unsigned long before = rows[i].counter < REFUSALS ? refused(&r.env, rows[i].counter) : 0;
		int downs = r.s_downs;

		buf_reset(&b);
		put_ldms(&b, 0, rows[i].cmd, rows[i].reply, 0, zero, rows[i].len);
		put_ldms(&b, 99, 0, false, 0, zero, 4); /* DIR: is it well? */
		raw_send(&r, &w, b.p, b.len);
		if (rows[i].ends) {
			raw_until(&r, &w, (raw_fill(&w), w.eof));
			assert_int_equal(r.s_downs, downs + 1);
		} else {
			raw_until(&r, &w, raw_has(&w));
			assert_int_equal(w.in.p[24], 99); /* nothing came before it */
			assert_memory_equal(w.in.p + 32, "\0\0\1\1", 4);
		}
		if (rows[i].counter < REFUSALS)
			assert_int_equal(refused(&r.env, rows[i].counter), before + 1);
		raw_close(&w);
		rig_until(&r, r.s_downs == downs + 1);
	}
	buf_fini(&b);
	rig_close(&r);
}

/* SET_DELETE from somebody whose directory we never asked for is answered, and does nothing. */
static void test_set_delete_at_the_server(void **state)
{
	struct buf b = { 0 };
	struct set *s, *found;
	struct rig r;
	struct raw w;

	rig_open(&r, "sock");
	s = rig_set(&r, "one", "n/a", 3, 1, 0, 0777);
	rig_listen(&r);
	w = raw_handshake(&r);
	put_ldms(&b, 5, 9, false, 0, "\0\0\0\4n/a", 8);
	raw_send(&r, &w, b.p, b.len);
	raw_until(&r, &w, raw_has(&w));
	assert_memory_equal(w.in.p + 32, "\0\0\1\xa", 4);
	found = setdb_find(r.env.sets, "n/a");
	assert_ptr_equal(found, s);
	set_put(found);
	raw_close(&w);
	rig_until(&r, r.s_downs);
	set_put(s);
	buf_fini(&b);
	rig_close(&r);
}

static void put_write(struct buf *b, uint32_t key, uint64_t addr, const void *bytes, uint32_t len)
{
	put_zap(b, 6, 16 + len);
	buf_raw32(b, key);
	buf_be64(b, addr);
	buf_be32(b, len);
	buf_add(b, bytes, len);
}

/* Who looked a set up may not write it, whatever the access bits of the map say; nor anything beside it. */
static void test_writes_change_nothing(void **state)
{
	static const uint8_t junk[64] = { 0xff, 0xff, 0xff };
	struct buf b = { 0 };
	uint8_t *before;
	uint64_t addr;
	uint32_t key;
	struct set *s;
	struct rig r;
	struct raw w;

	rig_open(&r, "sock");
	s = rig_set(&r, "one", "n/a", 8, 1, 0, 0777);
	rig_sample(s, 5);
	before = xmalloc(set_size(s));
	memcpy(before, s->image, set_size(s));
	rig_listen(&r);
	w = raw_handshake(&r);
	put_lookup(&b, 1, 0, "n/a");
	raw_send(&r, &w, b.p, b.len);
	raw_until(&r, &w, raw_has(&w));
	assert_int_equal(raw_type(&w), 3);
	memcpy(&key, w.in.p + 20, 4);
	memcpy(&addr, w.in.p + 28, 8);
	addr = be64toh(addr);
	buf_consume(&w.in, raw_has(&w));
	const struct {
		uint64_t addr;
		uint32_t len;
	} rows[] = { { addr, 64 },
		     { addr + set_size(s) - 8, 8 },
		     { addr + set_size(s) - 8, 64 },
		     { 0, 64 },
		     { UINT64_MAX - 3, 64 } };
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		buf_reset(&b);
		put_write(&b, key, rows[i].addr, junk, rows[i].len);
		raw_send(&r, &w, b.p, b.len);
		raw_until(&r, &w, raw_has(&w));
		assert_int_equal(raw_type(&w), 7);
		assert_int_equal(w.in.p[21], 19);
		buf_consume(&w.in, raw_has(&w));
	}
	assert_memory_equal(s->image, before, set_size(s));
	assert_int_equal(refused(&r.env, REFUSE_WRITE), sizeof(rows) / sizeof(*rows));
	free(before);
	raw_close(&w);
	rig_until(&r, r.s_downs);
	set_put(s);
	buf_fini(&b);
	rig_close(&r);
}

/* Searches and directories by the hundred, of a peer that asks for all at once: it takes many turns, in which another
 * one is served; and every question has its answer in the end. */
static void test_long_work_gives_way(void **state)
{
	enum { SETS = 1200, ASKED = 60 };
	static const uint8_t zero[4];
	struct set *sets[SETS];
	struct buf b = { 0 };
	int answers = 0, turns = 0, at = 0;
	struct raw w, other;
	struct rig r;
	char name[16];

	rig_open(&r, "sock");
	for (int i = 0; i < SETS; i++) {
		snprintf(name, sizeof(name), "n/%d", i);
		sets[i] = rig_set(&r, "one", name, 1, 1, 0, 0777);
	}
	rig_listen(&r);
	w = raw_handshake(&r);
	other = raw_handshake(&r);
	for (int i = 0; i < ASKED; i++)
		put_lookup(&b, 1 + (uint64_t)i, 2, "(nothing|like)+.*x$");
	raw_send(&r, &w, b.p, b.len);
	buf_reset(&b);
	put_ldms(&b, 99, 0, false, 0, zero, 4);
	raw_send(&r, &other, b.p, b.len);
	while (answers < ASKED) {
		turns++;
		assert_true(rig_turn(&r));
		for (; raw_has(&w); answers++) {
			assert_int_equal(w.in.p[24], 1 + answers);
			buf_consume(&w.in, raw_has(&w));
		}
		if (!at && raw_has(&other))
			at = answers + 1;
	}
	assert_true(turns >= ASKED / 2);
	assert_true(at && at < ASKED);
	raw_close(&w);
	raw_close(&other);
	rig_until(&r, r.s_downs == 2);
	for (int i = 0; i < SETS; i++)
		set_put(sets[i]);
	buf_fini(&b);
	rig_close(&r);
}

/* The directory a hundred thousand times without reading it: the requests wait, the memory stays small. */
static void test_directories_that_nobody_reads(void **state)
{
	static const uint8_t zero[4];
	struct set *sets[200];
	struct buf b = { 0 };
	struct rig r;
	struct raw w;
	char name[16];

	rig_open(&r, "sock");
	r.env.limits.answer_us = 300 * MSEC_US;
	for (int i = 0; i < 200; i++) {
		snprintf(name, sizeof(name), "n/%d", i);
		sets[i] = rig_set(&r, "one", name, 1, 1, 0, 0777);
	}
	rig_listen(&r);
	w = raw_handshake(&r);
	for (int i = 0; i < 1000; i++)
		put_ldms(&b, 1, 0, false, 0, zero, 4);
	for (int i = 0; i < 100 && !r.s_downs; i++) {
		if (send(w.fd, b.p, b.len, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 && errno != EAGAIN)
			break;
		rig_settle(&r);
		assert_true(atomic_load(&r.env.stats.memory) < 8 << 20);
	}
	rig_until(&r, r.s_downs);
	assert_int_equal(r.s_fail, XPRT_SLOW);
	assert_int_equal(refused(&r.env, REFUSE_SLOW), 1);
	raw_close(&w);
	for (int i = 0; i < 200; i++)
		set_put(sets[i]);
	buf_fini(&b);
	rig_close(&r);
}

/* It reads, but so little that it never ends: as bad as not at all. */
static void test_reader_by_drops(void **state)
{
	static char text[100000];
	struct rig r;
	struct raw w;
	char c;

	rig_open(&r, "sock");
	r.env.limits.answer_us = 100 * MSEC_US;
	rig_listen(&r);
	w = raw_handshake(&r);
	for (int i = 0; i < 100 && !atomic_load(&r.env.stats.memory); i++) {
		assert_int_equal(xprt_send(r.s, text, sizeof(text), NULL), 0);
		rig_settle(&r);
	}
	while (!r.s_downs) {
		if (recv(w.fd, &c, 1, 0) < 0)
			assert_int_equal(errno, EAGAIN);
		assert_true(rig_turn(&r));
	}
	assert_int_equal(r.s_fail, XPRT_SLOW);
	raw_close(&w);
	rig_close(&r);
}

/* -- at our client ------------------------------------------------------------------------------------------------- */

struct server { /* a raw one, and our client connected to it */
	struct rig r;
	struct raw w;
	int fd;
	int found, rc;
	struct rset *rs;
};

static void lookup_cb(struct xprt *x, void *arg, int rc, struct rset *rs, bool more, const char *why)
{
	struct server *sv = arg;

	sv->found++;
	sv->rc = rc;
	sv->rs = rs;
}

static void server_open(struct server *sv, int64_t answer_us)
{
	struct buf b = { 0 };
	unsigned short port;
	ev_io io;

	memset(sv, 0, sizeof(*sv));
	rig_open(&sv->r, "sock");
	sv->r.cenv.limits.answer_us = (uint64_t)answer_us;
	sv->fd = raw_listen(&port);
	rig_connect_to(&sv->r, "127.0.0.1", port, 1);
	ev_io_init(&io, raw_watch_cb, sv->fd, EV_READ);
	ev_io_start(loop_ev(sv->r.loop), &io);
	rig_until(&sv->r, raw_accept(sv->fd, &sv->w));
	ev_io_stop(loop_ev(sv->r.loop), &io);
	put_accepted(&b);
	raw_send(&sv->r, &sv->w, b.p, b.len);
	rig_until(&sv->r, sv->r.c_ups);
	for (int i = 0; i < 2; i++) { /* CONNECT, ACK_ACCEPTED */
		raw_until(&sv->r, &sv->w, raw_has(&sv->w));
		buf_consume(&sv->w.in, raw_has(&sv->w));
	}
	buf_fini(&b);
}

static void server_close(struct server *sv)
{
	raw_close(&sv->w);
	close(sv->fd);
	rig_close(&sv->r);
}

/* Our client looks "n/a" up; the xid of its LOOKUP. */
static uint64_t server_looked_up(struct server *sv)
{
	uint64_t xid;

	assert_int_equal(xprt_lookup(sv->r.c, "n/a", 0, lookup_cb, sv, NULL), 0);
	raw_until(&sv->r, &sv->w, raw_has(&sv->w));
	memcpy(&xid, sv->w.in.p + 24, sizeof(xid));
	buf_consume(&sv->w.in, raw_has(&sv->w));
	return xid;
}

static void put_rendezvous(struct buf *b, uint64_t xid, uint32_t key, uint64_t addr, uint32_t map_len,
			   uint32_t meta_len, uint32_t data_len, uint32_t array_card)
{
	put_zap(b, 3, 20 + 48 + 5 + 5 + 1);
	buf_raw32(b, key);
	buf_be32(b, 3);
	buf_be64(b, addr);
	buf_be32(b, map_len);
	buf_raw64(b, xid);
	buf_be32(b, 1);
	buf_be32(b, 0);
	buf_raw64(b, 4711);
	buf_be32(b, 0);
	buf_be32(b, meta_len);
	buf_be32(b, data_len);
	buf_be32(b, 1);
	buf_be32(b, 0);
	buf_be32(b, array_card);
	buf_add(b, "\4one", 5);
	buf_add(b, "\4n/a", 5);
	buf_u8(b, 0);
}

/* Maps that cannot be: the connection ends before anything is read. */
static void test_lying_maps(void **state)
{
	static const struct {
		const char *what;
		uint32_t key;
		uint64_t addr;
		uint32_t map_len, meta_len, data_len, array_card;
	} rows[] = {
		{ "key 0", 0, 1 << 20, 1000, 500, 500, 1 },
		{ "beyond the end of all addresses", 2, UINT64_MAX - 100, 1000, 500, 500, 1 },
		{ "smaller than its parts", 2, 1 << 20, 999, 500, 500, 1 },
		{ "smaller than its ring", 2, 1 << 20, 1000, 500, 500, 2 },
		{ "parts that wrap around", 2, 1 << 20, 1000, 500, 0x80000000, 2 },
		{ "no metadata", 2, 1 << 20, 1000, 0, 500, 1 },
		{ "enormous metadata", 2, 1 << 20, UINT32_MAX, UINT32_MAX - 500, 500, 1 },
		{ "no data", 2, 1 << 20, 1000, 500, 0, 1 },
		{ "no elements", 2, 1 << 20, 1000, 500, 500, 0 },
	};
	struct buf b = { 0 };

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct server sv;
		uint64_t xid;

		server_open(&sv, 20 * SEC_US);
		xid = server_looked_up(&sv);
		buf_reset(&b);
		put_rendezvous(&b, xid, rows[i].key, rows[i].addr, rows[i].map_len, rows[i].meta_len, rows[i].data_len,
			       rows[i].array_card);
		raw_send(&sv.r, &sv.w, b.p, b.len);
		rig_until(&sv.r, sv.r.c_downs);
		assert_int_equal(sv.r.c_fail, XPRT_PROTO);
		assert_int_equal(sv.found, 0);
		assert_int_equal(refused(&sv.r.cenv, REFUSE_PROTOCOL), 1);
		server_close(&sv);
	}
	buf_fini(&b);
}

/* Answers in the name of nobody: let pass and counted, or the end; never more. */
static void test_hazards_at_the_client(void **state)
{
	static const uint8_t zero[64];
	struct buf b = { 0 };
	struct server sv;

	server_open(&sv, 20 * SEC_US);
	put_rendezvous(&b, 12345, 2, 1 << 20, 1000, 500, 500, 1); /* a set that was not looked up */
	put_ldms(&b, 12345, 0x104, true, 2, NULL, 0);
	put_ldms(&b, 12345, 0x101, true, 0, zero, 12);
	put_ldms(&b, 0, 0x105, true, 0, zero, 16); /* NOTIFY_EVENT, xid 0 */
	put_ldms(&b, 0, 14, false, 0, zero, 16);   /* QGROUP_ASK */
	put_ldms(&b, 0, 200, false, 0, zero, 16);
	put_ldms(&b, 7, 0, false, 0, zero, 4); /* DIR: we serve nothing, and say so */
	raw_send(&sv.r, &sv.w, b.p, b.len);
	raw_until(&sv.r, &sv.w, raw_has(&sv.w));
	assert_int_equal(sv.w.in.p[24], 7);
	assert_true(refused(&sv.r.cenv, REFUSE_ODD) >= 4);
	assert_int_equal(sv.r.c_downs, 0);

	buf_reset(&b);
	put_zap(&b, 5, 16); /* READ_RESP to no read */
	buf_add(&b, zero, 16);
	raw_send(&sv.r, &sv.w, b.p, b.len);
	rig_until(&sv.r, sv.r.c_downs);
	assert_int_equal(sv.r.c_fail, XPRT_PROTO);
	server_close(&sv);
	buf_fini(&b);
}

/* Metadata that are not what the lookup announced, of any other size: no set comes of it, and no harm. */
static void test_metadata_that_lie(void **state)
{
	for (int i = 0; i < 4; i++) {
		struct buf b = { 0 };
		struct server sv;
		uint8_t meta[500] = { 0 };
		uint64_t ctxt, xid;
		uint32_t zxid;

		server_open(&sv, 20 * SEC_US);
		xid = server_looked_up(&sv);
		put_rendezvous(&b, xid, 2, 1 << 20, 1000, 500, 500, 1);
		raw_send(&sv.r, &sv.w, b.p, b.len);
		raw_until(&sv.r, &sv.w, raw_has(&sv.w));
		assert_int_equal(raw_type(&sv.w), 4);
		memcpy(&zxid, sv.w.in.p + 8, 4);
		memcpy(&ctxt, sv.w.in.p + 12, 8);
		buf_consume(&sv.w.in, raw_has(&sv.w));
		memset(meta, i == 1 ? 0xff : i == 2 ? 0x7f : 0, sizeof(meta));
		buf_reset(&b);
		put_zap(&b, 5, 16 + (i == 3 ? 499 : 500));
		memcpy(b.p + 8, &zxid, 4);
		memcpy(b.p + 12, &ctxt, 8);
		buf_be32(&b, 0);
		buf_be64(&b, 0);
		buf_be32(&b, i == 3 ? 499 : 500);
		buf_add(&b, meta, i == 3 ? 499 : 500);
		raw_send(&sv.r, &sv.w, b.p, b.len);
		rig_until(&sv.r, sv.found || sv.r.c_downs);
		assert_null(sv.rs);
		assert_true(i == 3 ? sv.r.c_fail == XPRT_PROTO : sv.rc < 0);
		server_close(&sv);
		buf_fini(&b);
	}
}

/* It talks and talks, but a read is not answered: its time is its own. */
static void test_talkative_peer_that_answers_no_read(void **state)
{
	struct buf b = { 0 };
	struct server sv;
	uint64_t xid;
	int said = 0;

	server_open(&sv, 150 * MSEC_US);
	xid = server_looked_up(&sv);
	put_rendezvous(&b, xid, 2, 1 << 20, 1000, 500, 500, 1);
	raw_send(&sv.r, &sv.w, b.p, b.len);
	buf_reset(&b);
	put_ldms(&b, 0, 10, false, 0, "\0\0\0\0\0\0\0\0", 8); /* SEND_QUOTA */
	while (!sv.r.c_downs) {
		if (send(sv.w.fd, b.p, b.len, MSG_NOSIGNAL) > 0)
			said++;
		turn_within(&sv.r, 0.01);
	}
	assert_int_equal(sv.r.c_fail, XPRT_TIMEOUT);
	assert_non_null(strstr(sv.r.why, "it talks"));
	assert_int_equal(refused(&sv.r.cenv, REFUSE_SILENT), 1);
	assert_true(said > 3);
	server_close(&sv);
	buf_fini(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_requests_before_authentication),
		cmocka_unit_test(test_long_hello),
		cmocka_unit_test(test_slow_hello),
		cmocka_unit_test(test_hazards_at_the_server),
		cmocka_unit_test(test_set_delete_at_the_server),
		cmocka_unit_test(test_writes_change_nothing),
		cmocka_unit_test(test_long_work_gives_way),
		cmocka_unit_test(test_directories_that_nobody_reads),
		cmocka_unit_test(test_reader_by_drops),
		cmocka_unit_test(test_lying_maps),
		cmocka_unit_test(test_hazards_at_the_client),
		cmocka_unit_test(test_metadata_that_lie),
		cmocka_unit_test(test_talkative_peer_that_answers_no_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
