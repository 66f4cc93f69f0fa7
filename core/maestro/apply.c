/* apply.c - see apply.h */
#include "core/maestro/apply.h"

#include <errno.h>
#include <stdlib.h>

#include "core/base/xalloc.h"

#define WINDOW      64  /* commands without answer: a round trip for many */
#define REFUSED_MAX 100 /* the rest would be refused as well */

struct order {
	struct apply *a;
	struct book_step st; /* its texts are ours */
	bool skip;
};

struct apply {
	struct link *l;
	bool ldmsd;
	const struct apply_events *ev;
	void *arg;
	struct order *v;
	size_t n, next, open, did, refused;
	int rc;
	bool going, ended;
};

static int take(void *arg, const struct book_step *st, struct err *err)
{
	struct apply *a = arg;

	(void)err;
	if (!(a->n & (a->n - 1))) /* 0, and the powers of two */
		a->v = xrealloc(a->v, (a->n ? 2 * a->n : 1) * sizeof(*a->v));
	a->v[a->n] = (struct order){ .a = a, .st = *st };
	a->v[a->n].st.name = xstrdup(st->name);
	a->v[a->n].st.line = xstrdup(st->line);
	a->n++;
	return 0;
}

struct apply *apply_new(struct link *l, const struct compared *c, bool ldmsd, const struct apply_events *ev, void *arg)
{
	struct apply *a = xcalloc(1, sizeof(*a));

	a->l = l;
	a->ldmsd = ldmsd;
	a->ev = ev;
	a->arg = arg;
	compared_steps(c, take, a, NULL);
	return a;
}

static bool stays(enum book_kind kind)
{
	return kind == BOOK_PRDCR || kind == BOOK_ADVERTISER || kind == BOOK_PRDCR_LISTEN;
}

/* An ldmsd does not say who samples, which domains it has, ...: so it is told what it may have already. */
static bool is_so_already(const struct apply *a, const struct book_step *st, int rc)
{
	switch (st->what) {
	case BOOK_STEP_MAKE:
		return rc == EEXIST && (st->kind == BOOK_AUTH || st->kind == BOOK_LISTEN || st->kind == BOOK_PLUGIN);
	case BOOK_STEP_RUN:
		return rc == EBUSY;
	case BOOK_STEP_HALT:
		return rc == EINVAL || rc == EBUSY;
	case BOOK_STEP_DEL: /* it keeps who ever ran, stopped */
		return rc == EBUSY && stays(st->kind);
	default:
		return false;
	}
}

static void refused(struct apply *a, struct order *o, int rc, const char *words)
{
	a->ev->refused(a->arg, &o->st, rc, words);
	a->refused++;
	/* what an ldmsd could not make anew goes on as it was */
	if (a->ldmsd && rc == EEXIST && stays(o->st.kind))
		return;
	for (size_t i = a->next; i < a->n; i++)
		a->v[i].skip |= rc == EPERM || a->refused >= REFUSED_MAX ||
				(a->v[i].st.kind == o->st.kind && !strcmp(a->v[i].st.name, o->st.name));
}

static void on_answer(void *arg, int rc, const char *words)
{
	struct order *o = arg;
	struct apply *a = o->a;

	a->open--;
	if (rc < 0) {
		a->rc = rc;
		a->next = a->n;
	} else if (rc && !(a->ldmsd && is_so_already(a, &o->st, rc))) {
		if (!o->skip) /* else it is why the first one was refused */
			refused(a, o, rc, words);
		for (size_t i = 0; i < a->next; i++) /* those on their way */
			a->v[i].skip |=
				rc != EEXIST && a->v[i].st.kind == o->st.kind && !strcmp(a->v[i].st.name, o->st.name);
	} else {
		a->did += !rc;
		a->ev->did(a->arg, &o->st);
	}
	apply_go(a);
}

void apply_go(struct apply *a)
{
	if (!a || a->going || a->ended)
		return;
	a->going = true; /* an answer may come before the call returns */
	while (a->next < a->n && a->open < WINDOW) {
		struct order *o = &a->v[a->next];

		if (!o->skip && o->st.what == BOOK_STEP_RUN && !a->ev->may(a->arg, &o->st))
			break;
		a->next++;
		if (o->skip)
			continue;
		a->open++;
		link_ask(a->l, o->st.line, on_answer, o);
	}
	a->going = false;
	if (a->next < a->n || a->open)
		return;
	a->ended = true;
	a->ev->done(a->arg, a->rc);
}

size_t apply_n(const struct apply *a)
{
	return a->n;
}

size_t apply_did(const struct apply *a)
{
	return a->did;
}

void apply_free(struct apply *a)
{
	if (!a)
		return;
	for (size_t i = 0; i < a->n; i++) {
		free((char *)a->v[i].st.name);
		free((char *)a->v[i].st.line);
	}
	free(a->v);
	free(a);
}
