/* ctl_prdcr_sub.c - the verbs on what producers are asked to pass on */
#include <errno.h>
#include <stdlib.h>

#include "core/base/json_scan.h"
#include "core/base/log.h"
#include "core/base/regex.h"
#include "core/base/unit.h"
#include "core/base/xalloc.h"
#include "core/ctl/ctl_prdcr_sub.h"
#include "core/ctl/reply.h"
#include "core/ctl/session.h"
#include "core/ctl/verbs.h"
#include "core/daemon/prdcr.h"
#include "core/daemon/prdcr_sub.h"
#include "core/daemon/records.h"
#include "core/daemon/stream.h"

static int want_of(struct ctl *c, struct prdcr_want_conf *ret, struct err *err)
{
	const char *stream = ctl_text(c, ATTR_STREAM, NULL), *tag = ctl_text(c, ATTR_MESSAGE_TAG, NULL);

	if (!stream && !tag)
		return err_set(err, -EINVAL, "One of the 'stream' or `msg` attributes is required.");
	if (stream && tag)
		return err_set(err, -EINVAL,
			       "Only one of the 'stream' or `msg` attributes can be specified. Got: stream=%s and "
			       "message=%s",
			       stream, tag);
	*ret = (struct prdcr_want_conf){
		.kind = stream ? WANT_STREAM : WANT_MESSAGES,
		.text = stream ? stream : tag,
		.rate = ctl_num(c, ATTR_RX_RATE, -1),
	};
	return 0;
}

int ctl_prdcr_subscribe(struct ctl *c, struct err *err)
{
	struct prdcr_want_conf want;
	int rc = want_of(c, &want, err);

	return rc ? rc : prdcr_subscribe(c->d, ctl_text(c, ATTR_REGEX, ""), &want, err);
}

int ctl_prdcr_unsubscribe(struct ctl *c, struct err *err)
{
	struct prdcr_want_conf want;
	int rc = want_of(c, &want, err);

	return rc ? rc : prdcr_unsubscribe(c->d, ctl_text(c, ATTR_REGEX, ""), &want, err);
}

void prdcr_put_wants(struct buf *b, const struct prdcr *p)
{
	const char *sep = "";

	buf_addf(b, ",\"subscriptions\":[");
	for (const struct prdcr_want *w = prdcr_wants(p); w; w = w->next, sep = ",") {
		buf_addf(b, "%s{\"%s\":", sep, w->conf.kind == WANT_STREAM ? "stream" : "message_tag");
		reply_string(b, w->conf.text);
		buf_addf(b, ",\"state\":\"%s\",\"why\":", prdcr_want_state_name(w->state));
		reply_string(b, w->why ? w->why : "");
		buf_addf(b, "}");
	}
	buf_addf(b, "]");
}

/* -- prdcr_stream_status: every producer is asked, and answered is when all have ----------------------------------- */

#define WAIT_S 4.0 /* for producers; who asks waits for 5 s */

struct gathering { /* the main loop's */
	struct daemon *d;
	struct ctl_later *later; /* NULL: answered */
	ev_timer limit;
	unsigned int out; /* producers that have not answered */
	struct part {
		char *prdcr, *json;
	} * parts; /* answers */
	size_t n;
};

struct asked { /* a producer */
	struct gathering *g;
	char *prdcr, *json; /* NULL: it did not answer */
};

/* The members of `json`, which is an object per stream, that the asker wants: all but the publishers. */
static void put_member(struct buf *b, const char *json, size_t len)
{
	struct json_walk w;
	struct json_member m;
	const char *sep = "";

	buf_addf(b, "{");
	if (json_walk_init(&w, json, len))
		while (json_walk_next(&w, &m)) {
			if (m.key_len == 10 && !memcmp(m.key, "publishers", 10))
				continue;
			buf_addf(b, "%s\"%.*s\":%.*s", sep, (int)m.key_len, m.key, (int)m.value_len, m.value);
			sep = ",";
		}
	buf_addf(b, "}");
}

static bool member_find(const char *json, const struct json_member *key, struct json_member *ret)
{
	struct json_walk w;

	if (json_walk_init(&w, json, strlen(json)))
		while (json_walk_next(&w, ret))
			if (ret->key_len == key->key_len && !memcmp(ret->key, key->key, key->key_len))
				return true;
	return false;
}

/* One stream as all producers have it, unless a producer before the i-th had it already. */
static bool put_stream(struct buf *b, const struct gathering *g, size_t i, const struct json_member *key,
		       const char *sep)
{
	struct json_member m;

	for (size_t k = 0; k < i; k++)
		if (member_find(g->parts[k].json, key, &m))
			return false;
	buf_addf(b, "%s\"%.*s\":{", sep, (int)key->key_len, key->key);
	for (size_t k = i; k < g->n; k++) {
		if (!member_find(g->parts[k].json, key, &m))
			continue;
		if (k > i)
			buf_addf(b, ",");
		reply_string(b, g->parts[k].prdcr);
		buf_addf(b, ":");
		put_member(b, m.value, m.value_len);
	}
	buf_addf(b, "}");
	return true;
}

static void gathering_answer(struct gathering *g)
{
	struct buf json = { 0 };
	const char *sep = "";

	ev_timer_stop(loop_ev(g->d->main), &g->limit);
	if (!g->later)
		return;
	buf_addf(&json, "{");
	for (size_t i = 0; i < g->n; i++) {
		struct json_walk w;
		struct json_member m;

		if (json_walk_init(&w, g->parts[i].json, strlen(g->parts[i].json)))
			while (json_walk_next(&w, &m))
				if (put_stream(&json, g, i, &m, sep))
					sep = ",";
	}
	buf_addf(&json, "}");
	ctl_later_json(g->later, &json);
	g->later = NULL;
	buf_fini(&json);
}

static void gathering_put(struct gathering *g)
{
	if (g->out)
		return;
	gathering_answer(g);
	for (size_t i = 0; i < g->n; i++) {
		free(g->parts[i].prdcr);
		free(g->parts[i].json);
	}
	free(g->parts);
	free(g);
}

static void came_cb(void *arg)
{
	struct asked *a = arg;
	struct gathering *g = a->g;

	g->out--;
	if (a->json && !json_check(a->json, strlen(a->json), NULL)) {
		g->parts = xrealloc(g->parts, (g->n + 1) * sizeof(*g->parts));
		g->parts[g->n++] = (struct part){ a->prdcr, a->json };
	} else {
		free(a->prdcr);
		free(a->json);
	}
	free(a);
	gathering_put(g);
}

/* On the producer's loop. */
static void answered(void *arg, int rc, const char *words)
{
	struct asked *a = arg;

	a->json = rc ? NULL : xstrdup(words);
	loop_call(a->g->d->main, came_cb, a);
}

static void limit_cb(struct ev_loop *ev, ev_timer *t, int events)
{
	(void)ev;
	(void)events;
	gathering_answer(t->data);
}

static void ask_one(struct gathering *g, struct prdcr *p)
{
	struct asked *a = xcalloc(1, sizeof(*a));

	a->g = g;
	a->prdcr = xstrdup(prdcr_conf(p)->name);
	loop_enter(prdcr_loop(p));
	if (prdcr_xprt(p) && !records_ask(g->d, prdcr_xprt(p), STREAM_STATUS, NULL, 0, answered, a, NULL)) {
		g->out++;
		a = NULL;
	}
	loop_leave(prdcr_loop(p));
	if (a)
		free(a->prdcr);
	free(a);
}

int ctl_prdcr_stream_status(struct ctl *c, struct err *err)
{
	struct gathering *g;
	struct rx rx = { 0 };
	int rc = rx_init(&rx, ctl_text(c, ATTR_REGEX, ""), err);

	if (rc)
		return rc;
	g = xcalloc(1, sizeof(*g));
	g->d = c->d;
	g->later = ctl_defer(c);
	ev_timer_init(&g->limit, limit_cb, WAIT_S, 0);
	g->limit.data = g;
	ev_timer_start(loop_ev(c->d->main), &g->limit);
	node_sort(&c->d->prdcrs);
	g->out = 1; /* this one: nobody answers before all are asked */
	NODE_EACH(n, c->d->prdcrs) {
		if (rx_match(&rx, n->name))
			ask_one(g, (struct prdcr *)n);
	}
	rx_fini(&rx);
	g->out--;
	gathering_put(g);
	return 0;
}
