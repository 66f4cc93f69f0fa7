/* session.c - see session.h
 *
 * A record comes on the peer's loop.  Records of one message are gathered there; a whole one goes to the main loop as a
 * copy with the session's number, never a pointer to the peer, which may be gone by then.  The answer finds the session
 * by its number, under the loop's lock.  Requests wait in one queue and are carried out for a little while in each turn
 * of the main loop, so that a peer that asks a thousand questions at once delays no sampler.  What we ask of a peer waits
 * in its session for the answer.
 */
#include "core/ctl/session.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/queue.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/unit.h"
#include "core/base/xalloc.h"
#include "core/ctl/ask.h"
#include "core/ctl/names.h"
#include "core/ctl/peer.h"
#include "core/ctl/record.h"
#include "core/ctl/verb.h"
#include "core/set/perm.h"

#define BYTES_MAX   (4u << 20) /* of a session's requests that are half here, or wait for the main loop */
#define PARTS_MAX   8 /* messages of one peer that are half here */
#define ATTRS_MAX   128 /* attributes of one request */
#define TURN_US	    (5 * MSEC_US) /* of requests carried out in one turn, the last one's end not counted */

struct part { /* a message that is half here */
	uint32_t msg_no;
	struct buf body;
};

struct session {
	uint64_t id;
	struct xprt *x;
	struct loop *loop;
	struct part *parts; /* PARTS_MAX of them; NULL: it never asked, as an aggregator's thousands of producers */
	unsigned int parts_n;
	struct asks asks; /* what we asked it */
	struct peer peer; /* what is carried out here, at once */
	atomic_size_t bytes; /* see BYTES_MAX; what waits for the main loop is taken off there */
	atomic_uint waiting; /* requests without answer */
	bool held; /* its requests wait for one that is answered later; the sink's lock */
	UT_hash_handle hh; /* by x */
	UT_hash_handle by_id;
};

struct sink {
	struct record_sink face;
	struct daemon *d;
	struct loop_job job; /* to carry out requests */
	TAILQ_HEAD(, request) queue; /* guarded by lock */
	pthread_mutex_t lock; /* guards the tables; taken with a loop held, or with none */
	struct session *sessions, *ids;
	uint64_t last_id;
	atomic_bool closing;
};

struct request {
	struct sink *sink;
	TAILQ_ENTRY(request) entry;
	uint64_t session;
	struct loop *loop;
	uint32_t msg_no, code, uid, gid;
	bool holds; /* the session's other requests */
	bool named; /* the users and groups that it names are known */
	struct buf body;
};

/* -- on the peer's loop ---------------------------------------------------------------------------------------------- */

static void send_record(void *arg, const void *rec, size_t len)
{
	struct err err = { "" };

	if (xprt_send(arg, rec, len, &err))
		log_debug("config", "%s: the answer was not sent: %s", xprt_peer(arg), err.msg);
}

/* `body` holds attributes. */
static void answer_body(struct xprt *x, uint32_t msg_no, int rc, struct buf *body)
{
	record_end(body);
	record_send(RECORD_RESPONSE, msg_no, (uint32_t)abs(rc), body, send_record, x);
}

static void answer(struct xprt *x, uint32_t msg_no, int rc, uint32_t id, const void *text, size_t len)
{
	struct buf body = { 0 };

	if (len)
		record_put(&body, id, text, len);
	answer_body(x, msg_no, rc, &body);
	buf_fini(&body);
}

static struct session *session_find(struct sink *sk, struct xprt *x)
{
	struct session *s;

	pthread_mutex_lock(&sk->lock);
	HASH_FIND_PTR(sk->sessions, &x, s);
	pthread_mutex_unlock(&sk->lock);
	return s;
}

static struct session *session_get(struct sink *sk, struct xprt *x)
{
	struct session *s;

	pthread_mutex_lock(&sk->lock);
	HASH_FIND_PTR(sk->sessions, &x, s);
	if (!s) {
		s = xcalloc(1, sizeof(*s));
		s->x = s->asks.x = x;
		s->peer = (struct peer){ .d = sk->d, .x = x, .asks = &s->asks, .closing = &sk->closing };
		s->loop = xprt_loop(x);
		s->id = ++sk->last_id;
		HASH_ADD_PTR(sk->sessions, x, s);
		HASH_ADD(by_id, sk->ids, id, sizeof(s->id), s);
	}
	pthread_mutex_unlock(&sk->lock);
	return s;
}

static struct part *part_find(struct session *s, uint32_t msg_no)
{
	for (unsigned int i = 0; i < s->parts_n; i++)
		if (s->parts[i].msg_no == msg_no)
			return &s->parts[i];
	return NULL;
}

static void part_drop(struct session *s, struct part *p)
{
	s->bytes -= p->body.len;
	if (s->x)
		xprt_release(xprt_env(s->x), p->body.len);
	buf_fini(&p->body);
	*p = s->parts[--s->parts_n];
}

static void request_post(struct sink *sk, struct session *s, const struct record *rec, struct buf body)
{
	struct request *rq = xcalloc(1, sizeof(*rq));

	rq->sink = sk;
	rq->session = s->id;
	rq->loop = s->loop;
	rq->msg_no = rec->msg_no;
	rq->code = rec->code;
	rq->body = body;
	xprt_peer_cred(s->x, &rq->uid, &rq->gid);
	s->waiting++;
	pthread_mutex_lock(&sk->lock);
	TAILQ_INSERT_TAIL(&sk->queue, rq, entry);
	pthread_mutex_unlock(&sk->lock);
	loop_post(sk->d->main, &sk->job);
}

/* Add a record to its message; the whole message's body when it was the last one. */
static bool gather(struct session *s, const struct record *rec, struct buf *whole)
{
	struct part *p = part_find(s, rec->msg_no);
	char why[64];

	if (rec->flags & RECORD_FIRST) {
		if (p || s->parts_n == PARTS_MAX) {
			/* ldmsd's words: the number, which connection, and no blank */
			snprintf(why, sizeof(why), "Duplicate message number %u:%llureceived", rec->msg_no,
				 (unsigned long long)s->id);
			answer(s->x, rec->msg_no, EADDRINUSE, ATTR_STRING, why, strlen(why));
			return false;
		}
		if (!s->parts)
			s->parts = xcalloc(PARTS_MAX, sizeof(*s->parts));
		p = &s->parts[s->parts_n++];
		*p = (struct part){ .msg_no = rec->msg_no };
	} else if (!p) {
		snprintf(why, sizeof(why), "The message no %u was not found.", rec->msg_no);
		answer(s->x, rec->msg_no, ENOENT, ATTR_STRING, why, strlen(why));
		return false;
	}
	if (s->bytes + rec->body_len > BYTES_MAX) {
		refuse(xprt_env(s->x), REFUSE_REQUESTS, (const struct sockaddr_storage *)xprt_peer_addr(s->x));
		snprintf(why, sizeof(why), "more than %u bytes of requests wait", BYTES_MAX);
		answer(s->x, rec->msg_no, E2BIG, ATTR_STRING, why, strlen(why) + 1);
		part_drop(s, p);
		return false;
	}
	if (!xprt_allows(s->x, REFUSE_REQUESTS, s->waiting + s->parts_n - 1)) {
		snprintf(why, sizeof(why), "%u requests wait for their answers; ask again", s->waiting);
		answer(s->x, rec->msg_no, EAGAIN, ATTR_STRING, why, strlen(why) + 1);
		part_drop(s, p);
		return false;
	}
	if (!xprt_hold(xprt_env(s->x), rec->body_len)) {
		refuse(xprt_env(s->x), REFUSE_MEMORY, (const struct sockaddr_storage *)xprt_peer_addr(s->x));
		snprintf(why, sizeof(why), "the memory for peers is used up; ask again");
		answer(s->x, rec->msg_no, ENOMEM, ATTR_STRING, why, strlen(why) + 1);
		part_drop(s, p);
		return false;
	}
	buf_add(&p->body, rec->body, rec->body_len);
	s->bytes += rec->body_len;
	if (!(rec->flags & RECORD_LAST))
		return false;
	*whole = p->body;
	*p = s->parts[--s->parts_n];
	return true;
}

/* What does not go over the main loop. */
static void peer_run(struct session *s, const struct peer_verb *v, const struct record *rec, struct buf *body)
{
	struct peer_call c = { .peer = &s->peer };
	const struct daemon *d = s->peer.d;
	struct record_attr attrs[ATTRS_MAX];
	struct err err = { "" };
	uint32_t uid, gid;
	bool wanted;
	int rc;

	s->bytes -= body->len;
	xprt_release(xprt_env(s->x), body->len);
	c.attrs = attrs;
	c.n = record_attrs(body->p, body->len, attrs, ATTRS_MAX, &err);
	wanted = peer_wants_answer(v, attrs, c.n);
	xprt_peer_cred(s->x, &uid, &gid);
	if (c.n < 0)
		rc = c.n;
	else if (!perm_allows(uid, gid, 0111, d->uid, d->gid, v->perm))
		rc = err_set(&err, -EPERM, "Operation not permitted.");
	else
		rc = v->run(&c, &err);
	if (rc && wanted)
		answer(s->x, rec->msg_no, rc, ATTR_STRING, err.msg, strlen(err.msg) + 1);
	else if (wanted)
		answer(s->x, rec->msg_no, 0, ATTR_STRING, c.text, strlen(c.text) + 1);
	buf_fini(body);
}

static int on_ask(struct record_sink *face, struct xprt *x, uint32_t code, const struct record_pair *pairs, size_t n,
		  record_answer_fn fn, void *arg, struct err *err)
{
	struct buf body = { 0 };
	int rc;

	for (size_t i = 0; i < n; i++)
		record_put(&body, pairs[i].id, pairs[i].value, strlen(pairs[i].value) + 1);
	record_end(&body);
	rc = ask_send(&session_get((struct sink *)face, x)->asks, code, &body, fn, arg, err);
	buf_fini(&body);
	return rc;
}

static void on_msg(struct record_sink *face, struct xprt *x, const void *bytes, size_t len)
{
	struct sink *sk = (struct sink *)face;
	struct err err = { "" };
	struct buf whole = { 0 };
	struct record rec;
	uint32_t max = RECORD_MAX;
	const struct peer_verb *v;
	struct session *s;
	int rc = record_parse(bytes, len, &rec, &err);

	if (rc == -E2BIG) {
		answer(x, rec.msg_no, rc, ATTR_REC_LEN, &max, sizeof(max)); /* host order, as ldmsd has it */
		return;
	}
	if (rc == -EPROTO) {
		answer(x, RECORD_MARKER, EINVAL, ATTR_STRING, err.msg, strlen(err.msg));
		return;
	}
	if (rc) {
		if (rec.type == RECORD_REQUEST)
			answer(x, rec.msg_no, rc, ATTR_STRING, err.msg, strlen(err.msg) + 1);
		return;
	}
	if (rec.type == RECORD_RESPONSE) {
		s = session_find(sk, x);
		if (s)
			asks_got(&s->asks, &rec); /* may close the connection */
	}
	if (rec.type != RECORD_REQUEST)
		return;
	s = session_get(sk, x);
	if (!gather(s, &rec, &whole))
		return;
	v = peer_verb_by_code(rec.code);
	if (v)
		peer_run(s, v, &rec, &whole);
	else
		request_post(sk, s, &rec, whole);
}

static void on_prdcr(struct record_sink *face, struct xprt *x, const char *name)
{
	struct session *s = session_get((struct sink *)face, x);

	free(s->peer.prdcr);
	s->peer.prdcr = xstrdup(name);
}

static void session_unlist(struct sink *sk, struct session *s)
{
	HASH_DEL(sk->sessions, s);
	HASH_DELETE(by_id, sk->ids, s);
}

static void session_free(struct session *s)
{
	if (!s)
		return;
	asks_end(&s->asks, -ENOTCONN);
	peer_fini(&s->peer);
	while (s->parts_n)
		part_drop(s, &s->parts[0]);
	free(s->parts);
	free(s);
}

static void on_gone(struct record_sink *face, struct xprt *x)
{
	struct sink *sk = (struct sink *)face;
	struct session *s;

	pthread_mutex_lock(&sk->lock);
	HASH_FIND_PTR(sk->sessions, &x, s);
	if (s)
		session_unlist(sk, s);
	pthread_mutex_unlock(&sk->lock);
	if (s)
		peer_gone(&s->peer);
	session_free(s);
}

/* -- on the main loop ------------------------------------------------------------------------------------------------ */

/* The session that a request came from, or NULL; the sink's lock is held. */
static struct session *session_find_id(const struct request *rq)
{
	struct session *s;

	HASH_FIND(by_id, rq->sink->ids, &rq->session, sizeof(rq->session), s);
	return s;
}

/* Likewise; its loop is held. */
static struct session *session_of(const struct request *rq)
{
	struct session *s;

	pthread_mutex_lock(&rq->sink->lock);
	s = session_find_id(rq);
	pthread_mutex_unlock(&rq->sink->lock);
	return s;
}

/* Let the session's other requests wait for this one, or no longer. */
static void session_hold(struct request *rq, bool hold)
{
	struct session *s;

	rq->holds = hold;
	pthread_mutex_lock(&rq->sink->lock);
	s = session_find_id(rq);
	if (s)
		s->held = hold;
	pthread_mutex_unlock(&rq->sink->lock);
	if (!hold)
		loop_post(rq->sink->d->main, &rq->sink->job);
}

struct xprt *ctl_peer_enter(struct ctl *c)
{
	struct session *s;

	if (!c->from)
		return NULL;
	loop_enter(c->from->loop);
	s = session_of(c->from);
	if (s)
		return s->x;
	loop_leave(c->from->loop);
	return NULL;
}

void ctl_peer_leave(struct ctl *c)
{
	loop_leave(c->from->loop);
}

int ctl_peer_tell(struct ctl *c, uint32_t code, const struct buf *body, struct err *err)
{
	struct session *s;
	int rc;

	if (!c->from)
		return -ENOTCONN;
	loop_enter(c->from->loop);
	s = session_of(c->from);
	rc = s ? ask_tell(&s->asks, code, body, err) : -ENOTCONN;
	loop_leave(c->from->loop);
	return rc;
}

static void reply(struct request *rq, int rc, const struct ctl *c, const char *why)
{
	struct buf said = { 0 };
	struct session *s;
	struct xprt *x;

	loop_enter(rq->loop);
	s = session_of(rq);
	x = s ? s->x : NULL;
	if (s) {
		s->bytes -= rq->body.len;
		s->waiting--;
	}
	if (x && rc && c->tell)
		buf_addf(&said, "%s", buf_str((struct buf *)&c->reply));
	if (rc)
		buf_addf(&said, "%s", why);
	if (x && rc)
		answer(x, rq->msg_no, rc, ATTR_STRING, buf_str(&said), said.len + 1);
	else if (x && c->raw)
		answer_body(x, rq->msg_no, 0, (struct buf *)&c->reply);
	else if (x && c->json)
		answer(x, rq->msg_no, 0, ATTR_JSON, buf_str((struct buf *)&c->reply), c->reply.len + c->nul);
	else if (x)
		answer(x, rq->msg_no, 0, ATTR_STRING, c->reply.len ? buf_str((struct buf *)&c->reply) : "",
		       c->reply.len ? c->reply.len + 1 : 0);
	loop_leave(rq->loop);
	buf_fini(&said);
}

static void carry_out(struct request *rq);

static void names_known(void *arg)
{
	carry_out(arg);
}

static int run(struct request *rq, struct ctl *c, struct err *err)
{
	const struct verb *v = verb_by_id((uint16_t)(rq->code > UINT16_MAX ? 0 : rq->code));
	struct record_attr attrs[ATTRS_MAX];
	struct ctl_arg args[ATTRS_MAX];
	int n, rc;

	if (!v)
		return err_set(err, -ENOSYS, "The request is not implemented");
	n = record_attrs(rq->body.p, rq->body.len, attrs, ATTRS_MAX, err);
	if (n < 0)
		return n;
	for (int i = 0; i < n; i++)
		args[i] = (struct ctl_arg){ .id = attrs[i].id, .value = attrs[i].value };
	if (!rq->named && ctl_may(c, v) && names_ask(rq->sink->d, v, args, (size_t)n, names_known, rq)) {
		rq->named = true;
		ctl_defer_in_order(c);
		return 0;
	}
	rc = ctl_run(c, v, args, (size_t)n, err);
	if (v->flags & VERB_MODIFIES && !c->deferred)
		log_at(rc ? LOG_ERROR_ : LOG_INFO_, "config", "%s: %s", v->name, rc ? err->msg : "done");
	if (!rc && v->flags & VERB_MODIFIES)
		atomic_fetch_add(&c->d->changes, 1);
	return rc;
}

/* Who asked may be gone; a question then needs no answer, an order was given all the same. */
static bool is_wanted(const struct request *rq)
{
	const struct verb *v = rq->code > UINT16_MAX ? NULL : verb_by_id((uint16_t)rq->code);

	if (rq->sink->closing)
		return false;
	return (v && v->flags & VERB_MODIFIES) || session_of(rq);
}

static void request_end(struct request *rq)
{
	if (rq->holds && !rq->sink->closing)
		session_hold(rq, false);
	xprt_release(&rq->sink->d->xprt, rq->body.len);
	buf_fini(&rq->body);
	free(rq);
}

struct ctl_later *ctl_defer(struct ctl *c)
{
	c->deferred = c->from;
	return (struct ctl_later *)c->from;
}

struct ctl_later *ctl_defer_in_order(struct ctl *c)
{
	if (c->from)
		session_hold(c->from, true);
	return ctl_defer(c);
}

void ctl_later_json(struct ctl_later *later, struct buf *json)
{
	struct request *rq = (struct request *)later;
	const struct ctl c = { .d = rq->sink->d, .reply = *json, .json = true, .nul = true };

	if (!rq->sink->closing)
		reply(rq, 0, &c, NULL);
	request_end(rq);
}

void ctl_later_text(struct ctl_later *later, int rc, const char *text)
{
	struct request *rq = (struct request *)later;
	struct ctl c = { .d = rq->sink->d };

	buf_addf(&c.reply, "%s", rc ? "" : text);
	if (!rq->sink->closing)
		reply(rq, rc, &c, text);
	buf_fini(&c.reply);
	request_end(rq);
}

static void carry_out(struct request *rq)
{
	struct ctl c = { .d = rq->sink->d, .uid = rq->uid, .gid = rq->gid, .from = rq };
	struct err err = { "" };
	int rc;

	if (is_wanted(rq)) {
		rc = run(rq, &c, &err);
		if (rc || !c.deferred)
			reply(rq, rc, &c, err.msg);
		if (!rc && c.after)
			c.after(&c);
	}
	ctl_fini(&c);
	if (!c.deferred)
		request_end(rq);
}

static struct request *next_request(struct sink *sk)
{
	struct request *rq;

	pthread_mutex_lock(&sk->lock);
	TAILQ_FOREACH (rq, &sk->queue, entry) {
		struct session *s = session_find_id(rq);

		if (!s || !s->held)
			break;
	}
	if (rq)
		TAILQ_REMOVE(&sk->queue, rq, entry);
	pthread_mutex_unlock(&sk->lock);
	return rq;
}

static void requests_cb(struct loop_job *job)
{
	struct sink *sk = (struct sink *)((char *)job - offsetof(struct sink, job));
	int64_t until_us = mono_us() + TURN_US;
	struct request *rq;

	while ((rq = next_request(sk))) {
		carry_out(rq);
		if (mono_us() < until_us)
			continue;
		loop_post(sk->d->main, job); /* the rest in the next turn */
		return;
	}
}

void sessions_open(struct daemon *d)
{
	struct sink *sk = xcalloc(1, sizeof(*sk));

	sk->face = (struct record_sink){ .msg = on_msg, .gone = on_gone, .ask = on_ask, .prdcr = on_prdcr };
	sk->d = d;
	sk->job.fn = requests_cb;
	TAILQ_INIT(&sk->queue);
	pthread_mutex_init(&sk->lock, NULL);
	d->sink = &sk->face;
}

void sessions_stop(struct record_sink *sink)
{
	((struct sink *)sink)->closing = true;
}

void sessions_free(struct record_sink *sink)
{
	struct sink *sk = (struct sink *)sink;

	while (sk->sessions) {
		struct session *s = sk->sessions;

		s->x = NULL; /* the peers are gone, and the daemon */
		session_unlist(sk, s);
		session_free(s);
	}
	while (!TAILQ_EMPTY(&sk->queue)) {
		struct request *rq = next_request(sk); /* no session is left that could hold one back */

		buf_fini(&rq->body);
		free(rq);
	}
	pthread_mutex_destroy(&sk->lock);
	free(sk);
}
