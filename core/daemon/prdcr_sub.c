/* prdcr_sub.c - see prdcr_sub.h */
#include "core/daemon/prdcr_sub.h"

#include <errno.h>
#include <stdlib.h>

#include "core/base/log.h"
#include "core/base/regex.h"
#include "core/base/unit.h"
#include "core/base/xalloc.h"
#include "core/daemon/mirrored.h"
#include "core/daemon/prdcr_impl.h"
#include "core/daemon/records.h"
#include "core/daemon/stream.h"

#define REGEX_CHARS "$()*+.:?[\\]^{|}" /* a channel with one of these is an expression, as ldmsd has it */

struct prdcr_rule {
	struct prdcr_rule *next;
	struct rx rx;                /* on producers' names */
	struct prdcr_want_conf conf; /* text is ours */
};

static const char *const state_names[WANT_STATES] = { "WAITS", "ASKED", "OK", "REFUSED" };

const char *prdcr_want_state_name(enum prdcr_want_state s)
{
	return state_names[s];
}

static bool same(const struct prdcr_want_conf *a, const struct prdcr_want_conf *b)
{
	return a->kind == b->kind && !strcmp(a->text, b->text);
}

static const char *kind_name(const struct prdcr_want *w)
{
	return w->conf.kind == WANT_STREAM ? "stream" : "message channel";
}

/* -- wants of a producer ------------------------------------------------------------------------------------------- */

static void want_free(struct prdcr_want *w)
{
	free((char *)w->conf.text);
	free(w->why);
	free(w);
}

static void unlink_want(struct prdcr_want **list, struct prdcr_want *w)
{
	while (*list != w)
		list = &(*list)->next;
	*list = w->next;
}

static void answered(void *arg, int rc, const char *words)
{
	struct prdcr_want *w = arg;
	struct prdcr *p = w->prdcr;

	if (w->gone) {
		unlink_want(&p->gone_wants, w);
		want_free(w);
		return;
	}
	w->state = rc < 0 ? WANT_WAITS : !rc || rc == EEXIST ? WANT_TAKEN : WANT_REFUSED;
	if (w->state == WANT_REFUSED) {
		if (!w->why || strcmp(w->why, words))
			log_warning("producer", "%s: %s %s: it refuses to pass it on: %s%s%s%s", p->conf.name,
				    kind_name(w), w->conf.text, *words ? words : err_name(rc),
				    rc == ENOSYS || rc == ENOTSUP ? "; `" : "",
				    rc == ENOSYS    ? "stream_enable` there"
				    : rc == ENOTSUP ? "msg_enable` there"
						    : "",
				    "; it is asked again from time to time");
		free(w->why);
		w->why = xstrdup(words);
		if (!ev_is_active(&p->ask_again)) { /* somebody may enable it meanwhile */
			p->ask_again.repeat = (double)p->conf.reconnect_us / SEC_US;
			ev_timer_again(loop_ev(p->loop), &p->ask_again);
		}
	} else if (w->state == WANT_TAKEN) {
		log_debug("producer", "%s: %s %s: subscribed", p->conf.name, kind_name(w), w->conf.text);
		free(w->why);
		w->why = NULL;
	}
}

static void ignored(void *arg, int rc, const char *words)
{
}

static void msg_answered(struct xprt *x, void *arg, int rc, const char *words)
{
	answered(arg, -rc, words);
}

static void msg_ignored(struct xprt *x, void *arg, int rc, const char *words)
{
}

/* Ask for it, or take that back. */
static int want_say(struct prdcr_want *w, bool on, struct err *err)
{
	const struct record_pair pair = { STREAM_ATTR_NAME, w->conf.text };
	struct prdcr *p = w->prdcr;

	if (w->conf.kind == WANT_STREAM)
		return on ? records_ask(p->d, p->x, STREAM_SUBSCRIBE, &pair, 1, answered, w, err)
			  : records_ask(p->d, p->x, STREAM_UNSUBSCRIBE, &pair, 1, ignored, NULL, err);
	return on ? xprt_msg_sub(p->x, w->conf.text, w->regex, w->conf.rate, msg_answered, w, err)
		  : xprt_msg_unsub(p->x, w->conf.text, w->regex, msg_ignored, NULL, err);
}

static void want_ask(struct prdcr_want *w)
{
	struct err err = { "" };
	int rc;

	w->state = WANT_ASKED;
	rc = want_say(w, true, &err);
	if (rc)
		answered(w, -rc, err.msg);
}

static void want_take_back(struct prdcr_want *w)
{
	struct prdcr *p = w->prdcr;

	if (w->state == WANT_ASKED || w->state == WANT_TAKEN)
		want_say(w, false, NULL);
	if (w->state == WANT_ASKED) {
		w->gone = true;
		w->next = p->gone_wants;
		p->gone_wants = w;
	} else {
		want_free(w);
	}
}

const struct prdcr_want *prdcr_wants(const struct prdcr *p)
{
	return p->wants;
}

void prdcr_wants_up(struct prdcr *p)
{
	for (struct prdcr_want *w = p->wants; w; w = w->next)
		want_ask(w);
}

static void wants_free(struct prdcr_want **list)
{
	struct prdcr_want *w;

	while ((w = *list)) {
		*list = w->next;
		want_free(w);
	}
}

void prdcr_wants_down(struct prdcr *p)
{
	ev_timer_stop(loop_ev(p->loop), &p->ask_again);
	for (struct prdcr_want *w = p->wants; w; w = w->next)
		w->state = WANT_WAITS;
	wants_free(&p->gone_wants);
}

void prdcr_wants_free(struct prdcr *p)
{
	wants_free(&p->wants);
	wants_free(&p->gone_wants);
}

static void ask_again_cb(struct ev_loop *ev, ev_timer *t, int events)
{
	struct prdcr *p = t->data;

	(void)events;
	ev_timer_stop(ev, t);
	for (struct prdcr_want *w = p->wants; w; w = w->next)
		if (w->state == WANT_REFUSED)
			want_ask(w);
}

static struct prdcr_want **want_find(struct prdcr *p, const struct prdcr_want_conf *conf)
{
	struct prdcr_want **at = &p->wants;

	while (*at && !same(&(*at)->conf, conf))
		at = &(*at)->next;
	return at;
}

static void want_add(struct prdcr *p, const struct prdcr_want_conf *conf)
{
	struct prdcr_want *w, **at = want_find(p, conf);

	if (*at || p->conf.type == PRDCR_LOCAL)
		return;
	if (!p->ask_again.data) {
		ev_init(&p->ask_again, ask_again_cb);
		p->ask_again.data = p;
	}
	w = xcalloc(1, sizeof(*w));
	w->prdcr = p;
	w->conf = *conf;
	w->conf.text = xstrdup(conf->text);
	w->regex = conf->kind == WANT_MESSAGES && strpbrk(conf->text, REGEX_CHARS);
	*at = w;
	if (p->state == PRDCR_CONNECTED)
		want_ask(w);
}

static void want_del(struct prdcr *p, const struct prdcr_want_conf *conf)
{
	struct prdcr_want **at = want_find(p, conf), *w = *at;

	if (!w)
		return;
	*at = w->next;
	want_take_back(w);
}

/* -- rules --------------------------------------------------------------------------------------------------------- */

static void rule_free(struct prdcr_rule *r)
{
	rx_fini(&r->rx);
	free((char *)r->conf.text);
	free(r);
}

static struct prdcr_rule **rule_find(struct daemon *d, const char *regex, const struct prdcr_want_conf *conf)
{
	struct prdcr_rule **at = &d->prdcr_rules;

	while (*at && (strcmp((*at)->rx.text, regex) || !same(&(*at)->conf, conf)))
		at = &(*at)->next;
	return at;
}

static void each(struct daemon *d, const struct rx *rx, const struct prdcr_want_conf *conf,
		 void (*fn)(struct prdcr *p, const struct prdcr_want_conf *conf))
{
	struct daemon_turn turn = { 0 };

	NODE_EACH(n, d->prdcrs) {
		if (is_mirrored(n->name) || !rx_match(rx, n->name))
			continue;
		daemon_step(d, &turn);
		fn((struct prdcr *)n, conf);
	}
	daemon_steps_end(d, &turn);
}

int prdcr_subscribe(struct daemon *d, const char *regex, const struct prdcr_want_conf *conf, struct err *err)
{
	struct prdcr_rule *r, **at = rule_find(d, regex, conf);
	struct rx channel = { 0 };
	int rc = 0;

	if (*at) {
		each(d, &(*at)->rx, conf, want_add);
		return 0;
	}
	if (conf->kind == WANT_MESSAGES && strpbrk(conf->text, REGEX_CHARS))
		rc = rx_init(&channel, conf->text, err);
	rx_fini(&channel);
	if (rc)
		return rc;
	r = xcalloc(1, sizeof(*r));
	rc = rx_init(&r->rx, regex, err);
	if (rc) {
		free(r);
		return rc;
	}
	r->conf = *conf;
	r->conf.text = xstrdup(conf->text);
	*at = r;
	each(d, &r->rx, conf, want_add);
	return 0;
}

int prdcr_unsubscribe(struct daemon *d, const char *regex, const struct prdcr_want_conf *conf, struct err *err)
{
	struct prdcr_rule *r, **at = rule_find(d, regex, conf);
	struct rx rx = { 0 };
	int rc = rx_init(&rx, regex, err);

	if (rc)
		return rc;
	r = *at;
	if (r) {
		*at = r->next;
		rule_free(r);
	}
	each(d, &rx, conf, want_del);
	rx_fini(&rx);
	return 0;
}

void prdcr_want(struct prdcr *p, const struct prdcr_want_conf *conf)
{
	loop_enter(p->loop);
	want_add(p, conf);
	loop_leave(p->loop);
}

void prdcr_rules_apply(struct daemon *d, struct prdcr *p)
{
	if (is_mirrored(p->conf.name))
		return;
	for (struct prdcr_rule *r = d->prdcr_rules; r; r = r->next) {
		if (rx_match(&r->rx, p->conf.name))
			prdcr_want(p, &r->conf);
	}
}

void prdcr_rules_free(struct daemon *d)
{
	struct prdcr_rule *r;

	while ((r = d->prdcr_rules)) {
		d->prdcr_rules = r->next;
		rule_free(r);
	}
}
