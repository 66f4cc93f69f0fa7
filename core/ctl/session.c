/* session.c - sessions: what connected peers ask, and what is asked of them.  See session.h
 *
 * A record comes on the peer's loop.  Records of one message are gathered there; a whole one goes to the main loop as a
 * copy with the session's number, never a pointer to the peer, which may be gone by then: session_run.c.  What we ask of
 * a peer waits in its session for the answer.
 */
#include "core/ctl/session.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/log.h"
#include "core/base/xalloc.h"
#include "core/ctl/record.h"
#include "core/ctl/session_impl.h"
#include "core/set/perm.h"

#define BYTES_MAX (4u << 20) /* of a session's requests that are half here, or wait for the main loop */
#define PARTS_MAX 8          /* messages of one peer that are half here */

struct part { /* a message that is half here */
	uint32_t msg_no;
	struct buf body;
};

static void send_record(void *arg, const void *rec, size_t len)
{
	struct err err = { "" };

	if (xprt_send(arg, rec, len, &err))
		log_debug("config", "%s: the answer was not sent: %s", xprt_peer(arg), err.msg);
}

/* `body` holds attributes. */
void session_answer_body(struct xprt *x, uint32_t msg_no, int rc, struct buf *body)
{
	record_end(body);
	record_send(RECORD_RESPONSE, msg_no, (uint32_t)abs(rc), body, send_record, x);
}

void session_answer(struct xprt *x, uint32_t msg_no, int rc, uint32_t id, const void *text, size_t len)
{
	struct buf body = { 0 };

	if (len)
		record_put(&body, id, text, len);
	session_answer_body(x, msg_no, rc, &body);
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
			session_answer(s->x, rec->msg_no, EADDRINUSE, ATTR_STRING, why, strlen(why));
			return false;
		}
		if (!s->parts)
			s->parts = xcalloc(PARTS_MAX, sizeof(*s->parts));
		p = &s->parts[s->parts_n++];
		*p = (struct part){ .msg_no = rec->msg_no };
	} else if (!p) {
		snprintf(why, sizeof(why), "The message no %u was not found.", rec->msg_no);
		session_answer(s->x, rec->msg_no, ENOENT, ATTR_STRING, why, strlen(why));
		return false;
	}
	if (s->bytes + rec->body_len > BYTES_MAX) {
		refuse(xprt_env(s->x), REFUSE_REQUESTS, (const struct sockaddr_storage *)xprt_peer_addr(s->x));
		snprintf(why, sizeof(why), "more than %u bytes of requests wait", BYTES_MAX);
		session_answer(s->x, rec->msg_no, E2BIG, ATTR_STRING, why, strlen(why) + 1);
		part_drop(s, p);
		return false;
	}
	if (!xprt_allows(s->x, REFUSE_REQUESTS, s->waiting + s->parts_n - 1)) {
		snprintf(why, sizeof(why), "%u requests wait for their answers; ask again", s->waiting);
		session_answer(s->x, rec->msg_no, EAGAIN, ATTR_STRING, why, strlen(why) + 1);
		part_drop(s, p);
		return false;
	}
	if (!xprt_hold(xprt_env(s->x), rec->body_len)) {
		refuse(xprt_env(s->x), REFUSE_MEMORY, (const struct sockaddr_storage *)xprt_peer_addr(s->x));
		snprintf(why, sizeof(why), "the memory for peers is used up; ask again");
		session_answer(s->x, rec->msg_no, ENOMEM, ATTR_STRING, why, strlen(why) + 1);
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
		session_answer(s->x, rec->msg_no, rc, ATTR_STRING, err.msg, strlen(err.msg) + 1);
	else if (wanted)
		session_answer(s->x, rec->msg_no, 0, ATTR_STRING, c.text, strlen(c.text) + 1);
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
		session_answer(x, rec.msg_no, rc, ATTR_REC_LEN, &max, sizeof(max)); /* host order, as ldmsd has it */
		return;
	}
	if (rc == -EPROTO) {
		session_answer(x, RECORD_MARKER, EINVAL, ATTR_STRING, err.msg, strlen(err.msg));
		return;
	}
	if (rc) {
		if (rec.type == RECORD_REQUEST)
			session_answer(x, rec.msg_no, rc, ATTR_STRING, err.msg, strlen(err.msg) + 1);
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

void sessions_open(struct daemon *d)
{
	struct sink *sk = xcalloc(1, sizeof(*sk));

	sk->face = (struct record_sink){ .msg = on_msg, .gone = on_gone, .ask = on_ask, .prdcr = on_prdcr };
	sk->d = d;
	sk->job.fn = sessions_turn;
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
		struct request *rq = session_next(sk); /* no session is left that could hold one back */

		buf_fini(&rq->body);
		free(rq);
	}
	pthread_mutex_destroy(&sk->lock);
	free(sk);
}
