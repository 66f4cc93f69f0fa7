/* Recorded conversations between real peers, replayed: what their client said is said to our server, and what their
 * server said is said to our client.
 *
 * The recordings are in tests/data/traces (or the folder that LDMS_TRACES names), with a README.  "# N C>S words" begins
 * a frame, lines of hexadecimal digits follow up to an empty line; C2>S2 is the second connection of a scenario.
 */
#include "tests/unit/rig.h"

#include <ctype.h>

#include "core/base/work.h"
#include "core/ctl/record.h"
#include "core/ctl/session.h"
#include "core/daemon/advert.h"
#include "core/daemon/listener.h"
#include "core/daemon/stream.h"
#include "core/set/setdb.h"
#include "xprt/auth.h"
#include "xprt/auth_ovis.h"
#include "xprt/qgroup.h"
#include "xprt/xprt_impl.h"

#define FRAMES_MAX 128
#define CONNS_MAX  8
#define MAPS_MAX   8

struct frame {
	bool from_client;
	int conn;
	struct buf b;
};

struct map { /* a set that was looked up */
	char name[64];
	uint32_t key, meta_len, data_len, array_card;
	uint64_t addr;
	uint8_t *image;
	bool have_meta;
	/* ours, in the replay */
	uint32_t our_key;
	uint64_t our_addr, our_id, id;
};

struct trace {
	struct frame f[FRAMES_MAX];
	int n;
	struct map maps[MAPS_MAX];
	int maps_n;
};

static const char *folder(void)
{
	const char *dir = getenv("LDMS_TRACES");

	return dir ? dir : "tests/data/traces";
}

static uint32_t be32_at(const struct buf *b, size_t at)
{
	uint32_t v;

	memcpy(&v, b->p + at, 4);
	return ntohl(v);
}

static uint64_t be64_at(const struct buf *b, size_t at)
{
	uint64_t v;

	memcpy(&v, b->p + at, 8);
	return be64toh(v);
}

static uint32_t raw32_at(const struct buf *b, size_t at)
{
	uint32_t v;

	memcpy(&v, b->p + at, 4);
	return v;
}

static uint16_t type_of(const struct frame *f)
{
	return (uint16_t)(f->b.p[0] << 8 | f->b.p[1]);
}

/* The command of a SENDRECV. */
static uint32_t cmd_of(const struct frame *f)
{
	return be32_at(&f->b, 32);
}

static int hex_digit(int c)
{
	return isdigit(c) ? c - '0' : tolower(c) - 'a' + 10;
}

static struct map *map_of(struct trace *t, uint32_t key)
{
	for (int i = 0; i < t->maps_n; i++)
		if (t->maps[i].key == key)
			return &t->maps[i];
	return NULL;
}

/* Take the image out of the reads of a trace. */
static void collect(struct trace *t)
{
	int head[CONNS_MAX] = { 0 }, queue[CONNS_MAX][FRAMES_MAX], tail[CONNS_MAX] = { 0 };

	for (int i = 0; i < t->n; i++) {
		struct frame *f = &t->f[i];

		if (type_of(f) == 3 && be32_at(&f->b, 48) == 1 && !map_of(t, raw32_at(&f->b, 20))) {
			struct map *m = &t->maps[t->maps_n++];
			size_t at = 40 + 48, n = f->b.p[at];

			m->key = raw32_at(&f->b, 20);
			m->addr = be64_at(&f->b, 28);
			m->id = be64_at(&f->b, 40 + 16);
			m->meta_len = be32_at(&f->b, 40 + 28);
			m->data_len = be32_at(&f->b, 40 + 32);
			m->array_card = be32_at(&f->b, 40 + 44);
			snprintf(m->name, sizeof(m->name), "%s", (char *)f->b.p + at + 1 + n + 1);
			m->image = calloc(1, m->meta_len + (size_t)m->data_len * m->array_card);
		}
		if (type_of(f) == 4)
			queue[f->conn][tail[f->conn]++] = i;
		if (type_of(f) == 5) {
			struct frame *q = &t->f[queue[f->conn][head[f->conn]++]];
			struct map *m = map_of(t, raw32_at(&q->b, 20));
			uint64_t off = m ? be64_at(&q->b, 24) - m->addr : 0;
			uint32_t len = be32_at(&f->b, 32);

			if (!m || !len)
				continue;
			memcpy(m->image + off, f->b.p + 36, len);
			m->have_meta |= !off;
		}
	}
}

static bool trace_load(struct trace *t, const char *name)
{
	char path[512], line[4096];
	FILE *in;

	memset(t, 0, sizeof(*t));
	snprintf(path, sizeof(path), "%s/%s", folder(), name);
	in = fopen(path, "r");
	if (!in)
		return false;
	while (fgets(line, sizeof(line), in)) {
		if (line[0] == '#' && line[1] == ' ') {
			char from[8], to[8];

			if (sscanf(line, "# %*d %7[^>]>%7s", from, to) != 2)
				continue;
			assert_true(t->n < FRAMES_MAX);
			t->f[t->n++] =
				(struct frame){ .from_client = from[0] == 'C', .conn = from[1] ? from[1] - '1' : 0 };
		} else if (isxdigit((unsigned char)line[0]) && t->n) {
			for (char *p = line; isxdigit((unsigned char)p[0]) && isxdigit((unsigned char)p[1]); p += 2)
				buf_u8(&t->f[t->n - 1].b, (uint8_t)(hex_digit(p[0]) << 4 | hex_digit(p[1])));
		}
	}
	fclose(in);
	collect(t);
	return true;
}

static void trace_free(struct trace *t)
{
	for (int i = 0; i < t->n; i++)
		buf_fini(&t->f[i].b);
	for (int i = 0; i < t->maps_n; i++)
		free(t->maps[i].image);
}

#define LOAD_OR_SKIP(t, name)                                                                                          \
	do {                                                                                                           \
		if (!trace_load(t, name)) {                                                                            \
			print_message("skipped: %s/%s is not there (LDMS_TRACES)\n", folder(), name);                  \
			skip();                                                                                        \
		}                                                                                                      \
	} while (0)

/* -- our server ---------------------------------------------------------------------------------------------------- */

/* The sets of the recorded server, made from what was read of them. */
static void publish(struct rig *r, struct trace *t)
{
	for (int i = 0; i < t->maps_n; i++) {
		struct map *m = &t->maps[i];
		struct err err = { "" };
		struct set *s;

		if (!m->have_meta)
			continue;
		if (image_check_meta(m->image, m->meta_len, &err))
			fail_msg("%s", err.msg);
		assert_int_equal(set_mirror_new(r->env.pool, (struct set_meta *)m->image, &s, &err), 0);
		if (setdb_add(r->env.sets, s, &err))
			fail_msg("%s", err.msg);
		set_put(s);
	}
}

/* Is this one said by itself, not in answer? */
static bool is_news(const struct frame *f)
{
	uint32_t cmd;

	if (type_of(f) != 2)
		return false;
	cmd = cmd_of(f);
	return cmd == 5 || cmd == 9 || cmd == 0x103 || cmd == 0x105;
}

/* Where a client names a set by the server's number: its place in the frame, or 0. */
static size_t id_at(const struct frame *f)
{
	if (type_of(f) == 3)
		return 40 + 16;
	return type_of(f) == 2 && (cmd_of(f) == 3 || cmd_of(f) == 4 || cmd_of(f) == 7) ? 24 + 16 : 0;
}

/* The same number as our server gave it. */
static void put_our_id(struct trace *t, struct frame *f)
{
	size_t at = id_at(f);

	for (int i = 0; at && i < t->maps_n; i++)
		if (t->maps[i].id == be64_at(&f->b, at)) {
			uint64_t id = htobe64(t->maps[i].our_id);

			memcpy(f->b.p + at, &id, sizeof(id));
			return;
		}
}

/* The sample that the recorded server pushed ends at ours. */
static void sample_as_pushed(struct rig *r, struct trace *t, const struct frame *f)
{
	struct map *m = &t->maps[0];
	struct set *s = setdb_find(r->env.sets, m->name);

	rig_until(r, s->watches);
	set_mirror_data(s, 0, 1, f->b.p + 24 + 40 + m->meta_len);
	set_put(s);
}

static void compare(struct trace *t, const struct frame *want, struct raw *w)
{
	const struct buf *got = &w->in;
	struct map *m;
	size_t n;

	assert_int_equal(raw_type(w), type_of(want));
	switch (type_of(want)) {
	case 2: /* cmd, xid, rc */
		assert_memory_equal(got->p + 24, want->b.p + 24, 12);
		assert_memory_equal(got->p + 24 + 16, want->b.p + 24 + 16, 4);
		if (cmd_of(want) == 0x108) /* every byte of it */
			assert_memory_equal(got->p + 20, want->b.p + 20, want->b.len - 20);
		break;
	case 3:
		assert_memory_equal(got->p + 40, want->b.p + 40, 12); /* xid, cmd */
		assert_memory_equal(got->p + 64, want->b.p + 64, 24); /* more, sizes */
		n = want->b.p[88];
		assert_string_equal((char *)got->p + 89, (char *)want->b.p + 89); /* schema */
		assert_string_equal((char *)got->p + 89 + got->p[88] + 1,
				    (char *)want->b.p + 89 + n + 1); /* instance */
		m = map_of(t, raw32_at(&want->b, 20));
		m->our_key = raw32_at(got, 20);
		m->our_addr = be64_at(got, 28);
		m->our_id = be64_at(got, 40 + 16);
		break;
	case 5: /* status, length */
		assert_memory_equal(got->p + 8, want->b.p + 8, 14);
		assert_memory_equal(got->p + 32, want->b.p + 32, 4);
		break;
	case 8:
		assert_int_equal(raw_has(w), want->b.len);
		assert_memory_equal(got->p + 20, want->b.p + 20, 24); /* length, version, method */
		if (want->b.len == 24 + 64)
			assert_memory_equal(got->p + 44, want->b.p + 44, 4 + 16 + 8); /* up to idx */
		break;
	default:
		assert_memory_equal(got->p + 20, want->b.p + 20, want->b.len - 20);
		break;
	}
}

static void server_replay(const char *name)
{
	struct raw w[CONNS_MAX], old[CONNS_MAX];
	struct trace t;
	struct rig r;
	int old_n = 0;

	LOAD_OR_SKIP(&t, name);
	memset(w, 0, sizeof(w));
	rig_open(&r, "sock");
	publish(&r, &t);
	rig_listen(&r);
	for (int i = 0; i < t.n; i++) {
		struct frame *f = &t.f[i];
		struct raw *c = &w[f->conn];

		if (f->from_client) {
			struct map *m = type_of(f) == 4 ? map_of(&t, raw32_at(&f->b, 20)) : NULL;

			if (type_of(f) == 1 && c->fd) /* some recordings do not number their connections */
				old[old_n++] = *c;
			if (type_of(f) == 1)
				*c = raw_connect(xprt_listener_port(r.l));
			if (m) {
				uint64_t addr = htobe64(be64_at(&f->b, 24) - m->addr + m->our_addr);

				memcpy(f->b.p + 20, &m->our_key, 4);
				memcpy(f->b.p + 24, &addr, 8);
			}
			put_our_id(&t, f);
			raw_send(&r, c, f->b.p, f->b.len);
			continue;
		}
		if (is_news(f))
			continue;
		if (type_of(f) == 2 && cmd_of(f) == 0x108 && be32_at(&f->b, 24 + 36))
			sample_as_pushed(&r, &t, f);
		raw_until(&r, c, raw_has(c));
		compare(&t, f, c);
		buf_consume(&c->in, raw_has(c));
	}
	for (int i = 0; i < CONNS_MAX; i++)
		if (w[i].fd)
			raw_close(&w[i]);
	while (old_n)
		raw_close(&old[--old_n]);
	rig_until(&r, !atomic_load(&r.env.stats.live));
	assert_int_equal(atomic_load(&r.env.stats.ended[XPRT_PROTO]), 0);
	rig_close(&r);
	trace_free(&t);
}

/* -- our client ---------------------------------------------------------------------------------------------------- */

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

/* -- the message bus ----------------------------------------------------------------------------------------------- */

/* The next message of the peer; its bytes are taken with raw_next(). */
static void expect(struct rig *r, struct raw *w, uint32_t cmd)
{
	raw_until(r, w, raw_has(w));
	assert_int_equal(raw_type(w), 2);
	assert_int_equal(be32_at(&w->in, 32), cmd);
}

static void raw_next(struct raw *w)
{
	buf_consume(&w->in, raw_has(w));
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

/* -- authentication ------------------------------------------------------------------------------------------------ */

#define WORD     "swordfish-42" /* of the recording */
#define AUTH_OFF 44             /* of what an AUTH_MSG carries, in its frame */

/* The digest that answers the challenge of a frame. */
static void answer_to(const struct buf *challenge, char digest[OVIS_DIGEST_SZ])
{
	ovis_digest(be64_at(challenge, AUTH_OFF + 4), WORD, strlen(WORD), digest);
}

/* An AUTH_MSG of ours against a recorded one: `n` bytes of what it carries are the same. */
static void auth_compare(const struct raw *w, const struct frame *want, size_t n)
{
	assert_memory_equal(w->in.p, want->b.p, 8); /* type, length */
	assert_memory_equal(w->in.p + 20, want->b.p + 20, AUTH_OFF - 20 + n);
}

static void secret_file(char path[64])
{
	int fd;

	snprintf(path, 64, "/tmp/ldms-traces-%d-XXXXXX", getpid());
	fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "secretword=" WORD "\n", strlen("secretword=" WORD "\n")),
			 strlen("secretword=" WORD "\n"));
	close(fd);
}

/* Frames: 1 CONNECT, 2 ACCEPTED, 3 ACK, 4 and 5 the challenges of server and client, 6 and 7 their answers. */
static void test_ovis_recorded(void **state)
{
	char digest[OVIS_DIGEST_SZ];
	struct trace t;

	LOAD_OR_SKIP(&t, "03-auth-ovis.txt");
	answer_to(&t.f[3].b, digest);
	assert_memory_equal(t.f[6].b.p + AUTH_OFF + 4, digest, sizeof(digest));
	answer_to(&t.f[4].b, digest);
	assert_memory_equal(t.f[5].b.p + AUTH_OFF + 4, digest, sizeof(digest));
	trace_free(&t);
}

static void test_ovis_server(void **state)
{
	char path[64];
	struct trace t;
	struct raw w;
	struct rig r;

	LOAD_OR_SKIP(&t, "03-auth-ovis.txt");
	secret_file(path);
	rig_open(&r, "sock");
	r.auth = "ovis";
	kv_add(&r.args, "conf", path);
	rig_listen(&r);
	w = raw_connect(xprt_listener_port(r.l));
	raw_send(&r, &w, t.f[0].b.p, t.f[0].b.len);
	raw_until(&r, &w, raw_has(&w));
	compare(&t, &t.f[1], &w);
	buf_consume(&w.in, raw_has(&w));
	raw_send(&r, &w, t.f[2].b.p, t.f[2].b.len);
	raw_until(&r, &w, raw_has(&w));
	auth_compare(&w, &t.f[3], 4);
	answer_to(&w.in, (char *)t.f[6].b.p + AUTH_OFF + 4); /* its challenge is another one today */
	buf_consume(&w.in, raw_has(&w));
	raw_send(&r, &w, t.f[4].b.p, t.f[4].b.len);
	raw_send(&r, &w, t.f[6].b.p, t.f[6].b.len);
	raw_until(&r, &w, raw_has(&w));
	auth_compare(&w, &t.f[5], 4 + OVIS_DIGEST_SZ);
	buf_consume(&w.in, raw_has(&w));
	raw_send(&r, &w, t.f[7].b.p, t.f[7].b.len);
	raw_until(&r, &w, raw_has(&w));
	compare(&t, &t.f[8], &w);
	raw_close(&w);
	rig_close(&r);
	unlink(path);
	trace_free(&t);
}

static void test_ovis_client(void **state)
{
	unsigned short port;
	char path[64];
	struct trace t;
	struct raw w;
	struct rig r;
	int fd;
	ev_io io;

	LOAD_OR_SKIP(&t, "03-auth-ovis.txt");
	secret_file(path);
	rig_open(&r, "sock");
	r.c_auth = "ovis";
	kv_add(&r.c_args, "conf", path);
	fd = raw_listen(&port);
	rig_connect_to(&r, "127.0.0.1", port, 1);
	ev_io_init(&io, raw_watch_cb, fd, EV_READ);
	ev_io_start(loop_ev(r.loop), &io);
	rig_until(&r, raw_accept(fd, &w));
	ev_io_stop(loop_ev(r.loop), &io);
	raw_until(&r, &w, raw_has(&w));
	buf_consume(&w.in, raw_has(&w)); /* CONNECT */
	raw_send(&r, &w, t.f[1].b.p, t.f[1].b.len);
	raw_until(&r, &w, raw_has(&w));
	assert_int_equal(raw_type(&w), 10);
	buf_consume(&w.in, raw_has(&w));
	raw_until(&r, &w, raw_has(&w));
	auth_compare(&w, &t.f[4], 4);
	answer_to(&w.in, (char *)t.f[5].b.p + AUTH_OFF + 4);
	buf_consume(&w.in, raw_has(&w));
	raw_send(&r, &w, t.f[3].b.p, t.f[3].b.len);
	raw_until(&r, &w, raw_has(&w));
	auth_compare(&w, &t.f[6], 4 + OVIS_DIGEST_SZ);
	assert_int_equal(r.c_ups, 0);
	raw_send(&r, &w, t.f[5].b.p, t.f[5].b.len);
	rig_until(&r, r.c_ups);
	raw_close(&w);
	close(fd);
	rig_close(&r);
	unlink(path);
	trace_free(&t);
}

/* The credential of the recording is long void; but that it is one, and whom to ask, is seen. */
static void test_munge_server(void **state)
{
	struct auth_conf *ac = NULL;
	struct kv args = { 0 };
	struct trace t;
	struct raw w;
	struct rig r;

	kv_add(&args, "socket", "/tmp/ldms-traces-no-munged");
	if (auth_open("munge", &args, &ac, NULL)) {
		kv_fini(&args);
		skip(); /* libmunge is not installed */
	}
	auth_conf_put(ac);
	LOAD_OR_SKIP(&t, "15-auth-munge.txt");
	rig_open(&r, "sock");
	r.auth = "munge";
	r.args = args;
	r.env.work = work_new("traces", 1);
	rig_listen(&r);
	w = raw_connect(xprt_listener_port(r.l));
	raw_send(&r, &w, t.f[0].b.p, t.f[0].b.len);
	raw_until(&r, &w, raw_has(&w));
	compare(&t, &t.f[1], &w);
	buf_consume(&w.in, raw_has(&w));
	raw_send(&r, &w, t.f[2].b.p, t.f[2].b.len);
	raw_send(&r, &w, t.f[4].b.p, t.f[4].b.len);
	raw_until(&r, &w, (raw_fill(&w), w.eof));
	assert_int_equal(w.in.len, 0);
	assert_int_equal(atomic_load(&r.env.stats.auth_failed[AUTH_HELPER]), 1);
	raw_close(&w);
	assert_true(work_free(r.env.work, 20 * SEC_US));
	rig_close(&r);
	trace_free(&t);
}

#define SERVER(id, file)                                                                                               \
	static void test_server_##id(void **state)                                                                     \
	{                                                                                                              \
		server_replay(file);                                                                                   \
	}
#define CLIENT(id, file, sets, min_new)                                                                                \
	static void test_client_##id(void **state)                                                                     \
	{                                                                                                              \
		client_replay(file, sets, min_new);                                                                    \
	}

SERVER(01, "01-ls-dir.txt")
SERVER(02, "02-ls-long.txt")
SERVER(04, "04-push.txt")
SERVER(06, "06-agg-cycle.txt")
SERVER(07, "07-rail2.txt")
SERVER(11, "11-connect-rejects.txt")
SERVER(12, "12-lookup-and-read-errors.txt")
SERVER(13, "13-set-array.txt")
SERVER(14, "14-independent-server.txt")
SERVER(16, "16-agg-set-array.txt")
SERVER(17, "17-notify.txt")
CLIENT(01, "01-ls-dir.txt", 2, 0)
CLIENT(02, "02-ls-long.txt", 2, 1)
CLIENT(06, "06-agg-cycle.txt", 2, 6)
CLIENT(13, "13-set-array.txt", 0, 5)
CLIENT(14, "14-independent-server.txt", 2, 1)
CLIENT(16, "16-agg-set-array.txt", 6, 12)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_server_01),         cmocka_unit_test(test_server_04),
		cmocka_unit_test(test_server_17),         cmocka_unit_test(test_client_04),
		cmocka_unit_test(test_client_17),         cmocka_unit_test(test_server_02),
		cmocka_unit_test(test_server_06),         cmocka_unit_test(test_server_07),
		cmocka_unit_test(test_server_11),         cmocka_unit_test(test_server_12),
		cmocka_unit_test(test_server_13),         cmocka_unit_test(test_server_14),
		cmocka_unit_test(test_server_16),         cmocka_unit_test(test_client_01),
		cmocka_unit_test(test_client_02),         cmocka_unit_test(test_client_06),
		cmocka_unit_test(test_advertised),        cmocka_unit_test(test_advertiser),
		cmocka_unit_test(test_client_13),         cmocka_unit_test(test_client_14),
		cmocka_unit_test(test_client_16),         cmocka_unit_test(test_bus_08_10),
		cmocka_unit_test(test_qgroup_19),         cmocka_unit_test(test_streams_subscriber),
		cmocka_unit_test(test_streams_publisher), cmocka_unit_test(test_ovis_recorded),
		cmocka_unit_test(test_ovis_server),       cmocka_unit_test(test_ovis_client),
		cmocka_unit_test(test_munge_server),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
