/* share.c - see share.h */
#include "core/maestro/share.h"

#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "core/base/xalloc.h"
#include "core/ctl/conf_yaml.h"

#define UNEVEN 0.1 /* of the mean load: less is not worth moving what was measured */

static double weight(const struct plan *p, const struct share_weigh *w, size_t group, size_t prdcr)
{
	double v = w && p->groups[group].balance == PLAN_BY_BYTES ? w->weight(w->arg, group, prdcr) : 1;

	return v > 1 ? v : 1; /* what sends nothing yet is still a connection */
}

/* -- homes --------------------------------------------------------------------------------------------------------- */

static void home_blocks(const struct plan *p, size_t group, const struct share_weigh *w, uint32_t *home)
{
	const struct plan_group *gr = &p->groups[group];
	double total = 0, sum = 0;

	if (!w || gr->balance != PLAN_BY_BYTES) {
		for (size_t a = 0; a < gr->n_aggs; a++) {
			size_t from, to;

			yshare_block(gr->n_prdcrs, gr->n_aggs, a, &from, &to);
			for (size_t i = from; i < to; i++)
				home[i] = (uint32_t)a;
		}
		return;
	}
	for (size_t i = 0; i < gr->n_prdcrs; i++)
		total += weight(p, w, group, i);
	for (size_t i = 0; i < gr->n_prdcrs; i++) {
		double own = weight(p, w, group, i);
		size_t a = (size_t)((sum + own / 2) * (double)gr->n_aggs / total);

		home[i] = (uint32_t)(a < gr->n_aggs ? a : gr->n_aggs - 1);
		sum += own;
	}
}

struct share *share_new(const struct plan *p, const struct share_weigh *w)
{
	struct share *s = xcalloc(1, sizeof(*s));

	s->n = p->n_groups;
	s->groups = xcalloc(s->n + 1, sizeof(*s->groups));
	for (size_t i = 0; i < s->n; i++) {
		struct share_group *sg = &s->groups[i];

		sg->n = p->groups[i].n_prdcrs;
		sg->home = xcalloc(sg->n + 1, sizeof(*sg->home));
		sg->runs = xcalloc(sg->n + 1, sizeof(*sg->runs));
		home_blocks(p, i, w, sg->home);
		memcpy(sg->runs, sg->home, sg->n * sizeof(*sg->runs));
	}
	return s;
}

void share_free(struct share *s)
{
	for (size_t i = 0; s && i < s->n; i++) {
		free(s->groups[i].home);
		free(s->groups[i].runs);
	}
	if (s)
		free(s->groups);
	free(s);
}

/* -- what was before ----------------------------------------------------------------------------------------------- */

/* A producer of the earlier plan: the same name may stand in several groups. */
struct earlier {
	UT_hash_handle hh;
	struct earlier *more;
	size_t group, prdcr;
};

static void earlier_note(struct earlier **all, const char *name, size_t group, size_t prdcr)
{
	struct earlier *e = xcalloc(1, sizeof(*e)), *first = NULL;

	e->group = group;
	e->prdcr = prdcr;
	HASH_FIND_STR(*all, name, first);
	if (first) {
		e->more = first->more;
		first->more = e;
	} else {
		HASH_ADD_KEYPTR(hh, *all, name, strlen(name), e);
	}
}

/* The place of an earlier group's aggregator in a group of now. */
static uint32_t agg_now(const struct plan *p, size_t group, const struct plan *old_plan, size_t old_group, uint32_t agg)
{
	const struct plan_group *gr = &p->groups[group];
	const char *name;

	if (agg == SHARE_NOBODY)
		return SHARE_NOBODY;
	name = old_plan->daemons[old_plan->groups[old_group].aggs[agg]].name;
	for (size_t i = 0; i < gr->n_aggs; i++)
		if (!strcmp(p->daemons[gr->aggs[i]].name, name))
			return (uint32_t)i;
	return SHARE_NOBODY;
}

static void inherit_one(struct share *s, const struct plan *p, size_t group, size_t prdcr, const struct share *old,
			const struct plan *old_plan, struct earlier *all)
{
	struct share_group *sg = &s->groups[group];
	struct earlier *e = NULL;

	sg->home[prdcr] = sg->runs[prdcr] = SHARE_NOBODY;
	HASH_FIND_STR(all, p->groups[group].prdcrs[prdcr].name, e);
	for (; e; e = e->more) {
		const struct share_group *og = &old->groups[e->group];
		uint32_t home = agg_now(p, group, old_plan, e->group, og->home[e->prdcr]);
		uint32_t runs = agg_now(p, group, old_plan, e->group, og->runs[e->prdcr]);

		if (home != SHARE_NOBODY)
			sg->home[prdcr] = home;
		if (runs != SHARE_NOBODY)
			sg->runs[prdcr] = runs;
	}
}

void share_inherit(struct share *s, const struct plan *p, const struct share *old, const struct plan *old_plan)
{
	struct earlier *all = NULL, *e, *next;

	for (size_t i = 0; i < old->n; i++)
		for (size_t k = 0; k < old->groups[i].n; k++)
			earlier_note(&all, old_plan->groups[i].prdcrs[k].name, i, k);
	for (size_t i = 0; i < s->n; i++)
		for (size_t k = 0; k < s->groups[i].n; k++)
			inherit_one(s, p, i, k, old, old_plan, all);
	HASH_ITER(hh, all, e, next) {
		HASH_DEL(all, e);
		for (struct earlier *m = e->more, *m_next; m; m = m_next) {
			m_next = m->more;
			free(m);
		}
		free(e);
	}
}

void share_found(struct share *s, size_t group, size_t prdcr, uint32_t agg)
{
	s->groups[group].home[prdcr] = s->groups[group].runs[prdcr] = agg;
}

/* -- balance ------------------------------------------------------------------------------------------------------- */

/* Loads of aggregators; those that do not count have a negative one. */
static uint32_t least(const double *load, size_t n)
{
	uint32_t best = SHARE_NOBODY;

	for (size_t i = 0; i < n; i++)
		if (load[i] >= 0 && (best == SHARE_NOBODY || load[i] < load[best]))
			best = (uint32_t)i;
	return best;
}

static uint32_t most(const double *load, size_t n)
{
	uint32_t best = 0;

	for (size_t i = 1; i < n; i++)
		if (load[i] > load[best])
			best = (uint32_t)i;
	return best;
}

/* A new home; who ran at the old one, or nowhere, goes with it. */
static void home_move(struct share_group *sg, size_t prdcr, uint32_t to)
{
	if (sg->runs[prdcr] == sg->home[prdcr] || sg->runs[prdcr] == SHARE_NOBODY)
		sg->runs[prdcr] = to;
	sg->home[prdcr] = to;
}

/* A producer that is at home at `from`, the last of several that are alike: the heaviest whose move leaves `to` with no more
 * than `from` has then, else the lightest that leaves it with less than `from` has now, by more than `uneven`; the group's
 * n: there is none. */
static size_t movable(const struct plan *p, const struct share *s, size_t group, const struct share_weigh *w,
		      uint32_t from, double gap, double uneven)
{
	const struct share_group *sg = &s->groups[group];
	bool alike = !w || p->groups[group].balance != PLAN_BY_BYTES;
	size_t best = sg->n, next = sg->n;
	double best_weight = 0, next_weight = gap - uneven;

	for (size_t i = sg->n; i--;) {
		double own = sg->home[i] == from ? weight(p, w, group, i) : 0;

		if (own > best_weight && 2 * own <= gap) {
			best = i;
			best_weight = own;
		} else if (2 * own > gap && own < next_weight) {
			next = i;
			next_weight = own;
		}
		if (alike && best != sg->n)
			break;
	}
	return best != sg->n ? best : next;
}

static void group_balance(struct share *s, const struct plan *p, size_t group, const struct share_weigh *w)
{
	const struct plan_group *gr = &p->groups[group];
	struct share_group *sg = &s->groups[group];
	double *load = xcalloc(gr->n_aggs + 1, sizeof(*load)), total = 0, uneven;

	for (size_t i = 0; i < sg->n; i++) {
		double own = weight(p, w, group, i);

		total += own;
		if (sg->home[i] != SHARE_NOBODY)
			load[sg->home[i]] += own;
	}
	for (size_t i = 0; i < sg->n; i++) {
		uint32_t to;

		if (sg->home[i] != SHARE_NOBODY)
			continue;
		to = least(load, gr->n_aggs);
		load[to] += weight(p, w, group, i);
		home_move(sg, i, to);
	}
	uneven = w && gr->balance == PLAN_BY_BYTES ? UNEVEN * total / (double)gr->n_aggs : 0;
	for (size_t moves = 0; moves < sg->n; moves++) {
		uint32_t from = most(load, gr->n_aggs), to = least(load, gr->n_aggs);
		double gap = load[from] - load[to];
		size_t i = gap > uneven ? movable(p, s, group, w, from, gap, uneven) : sg->n;

		if (i == sg->n)
			break;
		load[from] -= weight(p, w, group, i);
		load[to] += weight(p, w, group, i);
		home_move(sg, i, to);
	}
	free(load);
}

void share_balance(struct share *s, const struct plan *p, const struct share_weigh *w)
{
	for (size_t i = 0; i < s->n; i++)
		group_balance(s, p, i, w);
}

/* -- who is alive -------------------------------------------------------------------------------------------------- */

/* Who is to run it, if he lives: himself at home, or he who does now. */
static uint32_t wanted(const struct plan_group *gr, const struct share_group *sg, size_t prdcr, const bool *lives)
{
	uint32_t home = sg->home[prdcr], runs = sg->runs[prdcr];
	uint32_t first = gr->rebalance == PLAN_STICKY ? runs : home, second = first == runs ? home : runs;

	if (first != SHARE_NOBODY && lives[first])
		return first;
	return second != SHARE_NOBODY && lives[second] ? second : SHARE_NOBODY;
}

static size_t group_settle(struct share *s, const struct plan *p, size_t group, const bool *lives,
			   const struct share_weigh *w)
{
	const struct plan_group *gr = &p->groups[group];
	struct share_group *sg = &s->groups[group];
	uint32_t *next = xcalloc(sg->n + 1, sizeof(*next));
	double *load = xcalloc(gr->n_aggs + 1, sizeof(*load));
	size_t moved = 0;

	for (size_t i = 0; i < gr->n_aggs; i++)
		load[i] = lives[i] ? 0 : -1;
	for (size_t i = 0; i < sg->n; i++) {
		next[i] = wanted(gr, sg, i, lives);
		if (next[i] != SHARE_NOBODY)
			load[next[i]] += weight(p, w, group, i);
	}
	for (size_t i = 0; i < sg->n; i++) {
		if (next[i] == SHARE_NOBODY)
			next[i] = least(load, gr->n_aggs);
		else
			continue;
		if (next[i] != SHARE_NOBODY)
			load[next[i]] += weight(p, w, group, i);
	}
	for (size_t i = 0; i < sg->n; i++) {
		moved += sg->runs[i] != next[i];
		sg->runs[i] = next[i];
	}
	free(next);
	free(load);
	return moved;
}

size_t share_settle(struct share *s, const struct plan *p, bool (*alive)(void *arg, size_t daemon), void *arg,
		    const struct share_weigh *w)
{
	size_t moved = 0;

	for (size_t i = 0; i < s->n; i++) {
		const struct plan_group *gr = &p->groups[i];
		bool *lives = xcalloc(gr->n_aggs + 1, sizeof(*lives));

		for (size_t k = 0; k < gr->n_aggs; k++)
			lives[k] = alive(arg, gr->aggs[k]);
		moved += group_settle(s, p, i, lives, w);
		free(lives);
	}
	return moved;
}
