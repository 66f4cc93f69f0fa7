/* prdset_local.c - the sets of a local producer, which are this daemon's own: there as soon as they are made, and never
 * fetched. */
#include <stdlib.h>

#include "core/base/xalloc.h"
#include "core/daemon/prdgroup.h"
#include "core/daemon/prdset_impl.h"

void prdset_local_turn(struct prdset *ps)
{
	struct prdcr *p = ps->prdcr;
	uint64_t gn = set_gn(ps->set);
	struct snap *sn;

	if (gn == ps->gn) {
		prdset_nothing_new(ps);
		return;
	}
	ps->gn = gn;
	if (!prdset_strgps(ps)) {
		ps->gap.end_us = 0;
		return;
	}
	sn = snap_next(ps->set, NULL, &ps->meta);
	if (sn && le32toh(sn->im.data->flags) == SET_TRANS_DONE) {
		ps->gn = le64toh(sn->im.data->gn); /* it may have been written since it was asked for its generation */
		p->stats.updates++;
		prdgap_count(ps, sn->im.data);
		prdset_store(ps, sn);
	} else {
		if (sn && prdset_is_unsampled(sn->im.data))
			prdset_nothing_new(ps);
		else
			p->stats.torn++;
		snap_put(sn);
	}
}

struct local_news {
	struct prdcr *p;
	struct set *set;
	enum setdb_event ev;
};

/* What our own set says of itself, and who wants it therefore. */
static void local_info(struct prdset *ps)
{
	unsigned int n;
	struct info_pair *info = setdb_info_copy(ps->prdcr->d->sets, ps->set, &n);

	prdset_hint_take(ps, info, n);
	prdgroup_read(ps, info, n);
	info_copy_free(info, n);
	prdset_offer(ps);
}

static void local_add(struct prdcr *p, struct set *s)
{
	struct prdset *ps;

	if (!s->local || prdset_find(p, s->name))
		return;
	ps = prdset_new(p, s->name, image_schema((const struct set_meta *)s->image));
	ps->set = set_get(s);
	ps->state = PRDSET_READY;
	local_info(ps);
}

static void local_cb(void *arg)
{
	struct local_news *n = arg;
	struct prdset *ps = n->p->local_on ? prdset_find(n->p, n->set->name) : NULL;

	if (ps && ps->set != n->set)
		ps = NULL;
	if (n->p->local_on && n->ev == SETDB_ADD && !n->set->deleted)
		local_add(n->p, n->set);
	if (ps && n->ev == SETDB_UPDATE)
		local_info(ps);
	if (ps && n->ev == SETDB_DEL)
		prdset_free(ps);
	set_put(n->set);
	free(n);
}

static void local_changed(struct setdb_listener *l, enum setdb_event ev, struct set *s)
{
	struct prdcr *p = (struct prdcr *)((char *)l - offsetof(struct prdcr, local));
	struct local_news *n;

	if (!s->local || ev == SETDB_PERM)
		return;
	n = xcalloc(1, sizeof(*n));
	*n = (struct local_news){ .p = p, .set = set_get(s), .ev = ev };
	loop_call(p->loop, local_cb, n);
}

struct local_found {
	struct set **v;
	size_t n;
};

static int local_collect(struct set *s, void *arg)
{
	struct local_found *f = arg;

	if (!s->local)
		return 0;
	f->v = xrealloc(f->v, (f->n + 1) * sizeof(*f->v));
	f->v[f->n++] = set_get(s);
	return 0;
}

void prdset_local_start(struct prdcr *p)
{
	struct local_found f = { 0 };

	p->local_on = true;
	p->local.fn = local_changed;
	setdb_listen(p->d->sets, &p->local);
	setdb_each(p->d->sets, local_collect, &f);
	for (size_t i = 0; i < f.n; i++) {
		local_add(p, f.v[i]);
		set_put(f.v[i]);
	}
	free(f.v);
}

void prdset_local_stop(struct prdcr *p)
{
	setdb_unlisten(p->d->sets, &p->local);
	p->local_on = false;
}
