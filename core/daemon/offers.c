/* offers.c - see offers.h */
#include "core/daemon/offers.h"

#include <stdlib.h>

#include "core/base/xalloc.h"

#define OFFERS_MAX 64 /* snapshots for one policy: what its worker takes at a time */

/* Those for one policy; without any it holds no reference, and may become another's. */
struct offer {
	struct strgp *sg;
	struct snap *sn[OFFERS_MAX];
	size_t n;
};

struct offers {
	struct loop *loop;
	ev_prepare prepare;
	struct offer **v; /* those that hold something, then spare ones */
	size_t n, cap;
};

static void hand_over(struct offer *o)
{
	strgp_offer_all(o->sg, o->sn, o->n);
	o->n = 0;
}

static void hand_all_over(struct offers *os)
{
	while (os->n) {
		struct offer *o = os->v[--os->n];

		hand_over(o);
		strgp_put(o->sg);
	}
}

static void prepare_cb(struct ev_loop *ev, ev_prepare *w, int events)
{
	(void)ev;
	(void)events;
	hand_all_over(w->data);
}

struct offers *offers_new(struct loop *l)
{
	struct offers *os = xcalloc(1, sizeof(*os));

	os->loop = l;
	ev_prepare_init(&os->prepare, prepare_cb);
	os->prepare.data = os;
	ev_prepare_start(loop_ev(l), &os->prepare);
	ev_unref(loop_ev(l)); /* it alone does not keep the loop turning */
	return os;
}

void offers_free(struct offers *os)
{
	if (!os)
		return;
	hand_all_over(os);
	ev_ref(loop_ev(os->loop));
	ev_prepare_stop(loop_ev(os->loop), &os->prepare);
	for (size_t i = 0; i < os->cap; i++)
		free(os->v[i]);
	free(os->v);
	free(os);
}

/* The policy's; sets of one come in a row, mostly, so that the last one is looked at first. */
static struct offer *offer_of(struct offers *os, struct strgp *sg)
{
	size_t i = os->n;

	while (i && os->v[i - 1]->sg != sg)
		i--;
	if (!i) {
		if (os->n == os->cap) {
			os->v = xrealloc(os->v, (os->cap + 1) * sizeof(struct offer *));
			os->v[os->cap++] = xcalloc(1, sizeof(struct offer));
		}
		i = ++os->n;
		os->v[i - 1]->sg = strgp_get(sg);
	}
	return os->v[i - 1];
}

void offers_add(struct offers *os, struct strgp *sg, struct snap *sn)
{
	struct offer *o = offer_of(os, sg);

	o->sn[o->n++] = sn;
	if (o->n == OFFERS_MAX)
		hand_over(o);
}
