/* session_run.c - requests of peers on the main loop: carried out, and answered.  See session.h.
 *
 * They wait in one queue and are carried out for a little while in each turn of the main loop, so that a peer that asks a
 * thousand questions at once delays no sampler.  A session is found by its number, under its loop's lock: the peer may be
 * gone by then.
 */
#include <errno.h>
#include <stdlib.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/unit.h"
#include "core/ctl/names.h"
#include "core/ctl/record.h"
#include "core/ctl/session.h"
#include "core/ctl/session_impl.h"

#define TURN_US (5 * MSEC_US) /* of requests carried out in one turn, the last one's end not counted */

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
		session_answer(x, rq->msg_no, rc, ATTR_STRING, buf_str(&said), said.len + 1);
	else if (x && c->raw)
		session_answer_body(x, rq->msg_no, 0, (struct buf *)&c->reply);
	else if (x && c->json)
		session_answer(x, rq->msg_no, 0, ATTR_JSON, buf_str((struct buf *)&c->reply), c->reply.len + c->nul);
	else if (x)
		session_answer(x, rq->msg_no, 0, ATTR_STRING, c->reply.len ? buf_str((struct buf *)&c->reply) : "",
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

struct request *session_next(struct sink *sk)
{
	struct request *rq;

	pthread_mutex_lock(&sk->lock);
	TAILQ_FOREACH(rq, &sk->queue, entry) {
		struct session *s = session_find_id(rq);

		if (!s || !s->held)
			break;
	}
	if (rq)
		TAILQ_REMOVE(&sk->queue, rq, entry);
	pthread_mutex_unlock(&sk->lock);
	return rq;
}

void sessions_turn(struct loop_job *job)
{
	struct sink *sk = (struct sink *)((char *)job - offsetof(struct sink, job));
	int64_t until_us = mono_us() + TURN_US;
	struct request *rq;

	while ((rq = session_next(sk))) {
		carry_out(rq);
		if (mono_us() < until_us)
			continue;
		loop_post(sk->d->main, job); /* the rest in the next turn */
		return;
	}
}
