/* client.c - see client.h */
#include "core/ctl/client.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "core/base/unit.h"
#include "core/base/xalloc.h"
#include "core/ctl/ask.h"

#define ANSWER_MAX  (1u << 30)      /* bytes: the status of 100,000 producers with some dozens of sets each */
#define WORK_END_US (100 * MSEC_US) /* a worker that is idle needs less to end */

enum client_state { CLIENT_CONNECTING, CLIENT_UP, CLIENT_DOWN };

struct client {
	struct xprt_env env;
	struct loop *loop;
	struct asks asks; /* the loop's */
	int64_t time_us;
	char time_text[32];
	char *peer;
	/* what the loop's thread tells the caller */
	pthread_mutex_t lock;
	pthread_cond_t news;
	enum client_state state;
	enum xprt_fail fail; /* CLIENT_DOWN: */
	struct err why;
	bool was_up;  /* seen by await() */
	bool waiting; /* for an answer */
	int rc;
	struct buf answer;
};

static void on_up(struct xprt *x, void *arg)
{
	struct client *c = arg;

	(void)x;
	pthread_mutex_lock(&c->lock);
	c->state = CLIENT_UP;
	pthread_cond_signal(&c->news);
	pthread_mutex_unlock(&c->lock);
}

static void on_down(struct xprt *x, void *arg, enum xprt_fail fail, const char *why)
{
	struct client *c = arg;

	(void)x;
	pthread_mutex_lock(&c->lock);
	c->state = CLIENT_DOWN;
	c->fail = fail;
	err_set(&c->why, 0, "%s", why);
	pthread_cond_signal(&c->news);
	pthread_mutex_unlock(&c->lock);
}

static void on_msg(struct xprt *x, void *arg, const void *bytes, size_t len)
{
	struct client *c = arg;
	struct record rec;

	(void)x;
	if (!record_parse(bytes, len, &rec, NULL) && rec.type == RECORD_RESPONSE)
		asks_got(&c->asks, &rec);
}

static void on_answer(void *arg, int rc, const char *text)
{
	struct client *c = arg;

	pthread_mutex_lock(&c->lock);
	c->waiting = false;
	c->rc = rc;
	buf_add(&c->answer, text, strlen(text));
	pthread_cond_signal(&c->news);
	pthread_mutex_unlock(&c->lock);
}

/* Wait for the connection, or for the answer: -ENOTCONN when it is lost, -ETIMEDOUT when nothing comes in time. */
static int await(struct client *c)
{
	struct timespec until;
	int rc = 0;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += c->time_us / SEC_US;
	until.tv_nsec += c->time_us % SEC_US * 1000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	pthread_mutex_lock(&c->lock);
	while (!rc && (c->state == CLIENT_CONNECTING || (c->state == CLIENT_UP && c->waiting)))
		rc = -pthread_cond_timedwait(&c->news, &c->lock, &until);
	if (c->state == CLIENT_DOWN && (c->waiting || !c->was_up))
		rc = -ENOTCONN;
	c->was_up |= c->state == CLIENT_UP;
	pthread_mutex_unlock(&c->lock);
	return rc;
}

/* There is no connection: why, in words that name the peer. */
static int is_down(struct client *c, enum xprt_fail *fail, struct err *err)
{
	size_t n = strlen(c->peer);

	*fail = c->fail;
	err_set(err, 0, "%s", c->why.msg);
	if (strncmp(c->why.msg, c->peer, n))
		err_prefix(err, 0, "%s: ", c->peer);
	return -ENOTCONN;
}

static int connect_late(struct client *c, enum xprt_fail *fail, struct err *err)
{
	struct err why = { "" };
	bool auth;

	loop_lock(c->loop);
	auth = xprt_authenticating(c->asks.x, &why);
	loop_unlock(c->loop);
	*fail = auth ? XPRT_AUTH : XPRT_TIMEOUT;
	if (auth)
		return err_set(err, -ETIMEDOUT, "%s: %s (after %s)", c->peer, why.msg, c->time_text);
	return err_set(err, -ETIMEDOUT,
		       "%s: no connection within %s; see whether the host is up, or give it more time with -w", c->peer,
		       c->time_text);
}

int client_open(const struct client_conf *conf, struct client **ret, enum xprt_fail *fail, struct err *err)
{
	static const struct xprt_events events = { .up = on_up, .down = on_down, .msg = on_msg };
	const struct xprt_conf xc = {
		.type = conf->xprt,
		.host = conf->host,
		.port = conf->port,
		.auth = conf->auth,
		.auth_args = conf->auth_args,
	};
	struct client *c = xcalloc(1, sizeof(*c));
	pthread_condattr_t attr;
	int rc;

	*fail = XPRT_LOCAL;
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&c->news, &attr);
	pthread_condattr_destroy(&attr);
	pthread_mutex_init(&c->lock, NULL);
	c->peer = xasprintf(strchr(conf->host, ':') ? "[%s]:%u" : "%s:%u", conf->host, conf->port);
	c->time_us = conf->time_us;
	c->asks.answer_max = ANSWER_MAX;
	unit_time_text(c->time_us, c->time_text);
	c->env.limits = xprt_limits_dflt;
	c->env.limits.handshake_us = c->env.limits.answer_us = 2 * (uint64_t)c->time_us; /* our deadline comes first */
	c->env.work = work_new("client", 1);
	c->loop = loop_new("client", err);
	rc = c->loop ? 0 : -ENOMEM;
	if (rc)
		goto out;
	loop_lock(c->loop);
	rc = xprt_connect(&c->env, c->loop, &xc, &events, c, &c->asks.x, err);
	loop_unlock(c->loop);
	if (!rc)
		rc = loop_start(c->loop, err);
	if (rc)
		goto out;
	rc = await(c);
	if (rc) {
		rc = rc == -ENOTCONN ? is_down(c, fail, err) : connect_late(c, fail, err);
		goto out;
	}
	*ret = c;
	return 0;
out:
	client_close(c);
	return rc;
}

static bool is_given(const struct ctl_arg *args, size_t n, enum attr_id id)
{
	for (size_t i = 0; i < n; i++)
		if (args[i].id == id)
			return true;
	return false;
}

void client_put(struct buf *body, const struct verb *v, const struct ctl_arg *args, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const char *value = args[i].value;

		record_put(body, args[i].id, value, value ? strlen(value) + 1 : 0);
	}
	/* as ldmsd's own tools: bridge_add says type=bridge */
	for (const struct attr_use *u = v->attrs; u && u->name; u++)
		if (u->type == AT_WORD && !strchr(u->words, '|') && !is_given(args, n, u->id))
			record_put(body, u->id, u->words, strlen(u->words) + 1);
	record_end(body);
}

int client_ask(struct client *c, const struct verb *v, const struct ctl_arg *args, size_t n, struct buf *answer,
	       enum xprt_fail *fail, struct err *err)
{
	struct buf body = { 0 };
	bool down;
	int rc = 0;

	*fail = XPRT_LOCAL;
	client_put(&body, v, args, n);
	buf_reset(&c->answer);
	loop_lock(c->loop);
	down = c->state == CLIENT_DOWN;
	if (!down) {
		rc = ask_send(&c->asks, v->id, &body, on_answer, c, err);
		c->waiting = !rc;
	}
	loop_unlock(c->loop);
	buf_fini(&body);
	if (rc)
		return rc;
	if (!down)
		rc = await(c);
	if (down || rc == -ENOTCONN)
		return is_down(c, fail, err);
	if (rc) {
		*fail = XPRT_TIMEOUT;
		return err_set(err, rc, "%s: no answer to %s within %s; give it more time with -w", c->peer, v->name,
			       c->time_text);
	}
	if (c->rc < 0) {
		*fail = XPRT_PROTO;
		return err_set(err, c->rc, "%s: its answer to %s is of no use: %s", c->peer, v->name, err_name(c->rc));
	}
	buf_add(answer, buf_str(&c->answer), c->answer.len);
	return c->rc;
}

void client_close(struct client *c)
{
	if (!c)
		return;
	if (c->loop) {
		loop_lock(c->loop);
		xprt_close(c->asks.x);
		asks_end(&c->asks, -ECANCELED);
		loop_unlock(c->loop);
		loop_join(c->loop);
	}
	/* A name service or a munged that hangs keeps its thread, and what that would post to; the process ends under
	 * it. */
	if (!work_free(c->env.work, WORK_END_US))
		return;
	if (c->loop)
		loop_free(c->loop);
	pthread_cond_destroy(&c->news);
	pthread_mutex_destroy(&c->lock);
	buf_fini(&c->answer);
	free(c->peer);
	free(c);
}
