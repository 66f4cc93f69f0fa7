/* query_agg.c - series: what rows of one group (a node, say) say in each slot of time.
 *
 * A rate is the growth of a counter by the second: the sum of what it grew between rows of one slot and the row before
 * each, by the time between them; where it fell (a restart) nothing is known.  Of several counters in one group (the
 * nodes, with --by none; the entries of a list) it is the sum of their rates.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "cmd/query.h"
#include "core/base/unit.h"
#include "core/base/xalloc.h"

#include "core/base/small_hash.h"

#define CELLS_MAX (32u << 20) /* half a gigabyte of them: more is a slip of the finger */

const char *const query_fn_names[AGG_N + 1] = {
	[AGG_AVG] = "avg", [AGG_COUNT] = "count", [AGG_LAST] = "last", [AGG_MAX] = "max",
	[AGG_MIN] = "min", [AGG_RATE] = "rate",   [AGG_SUM] = "sum",
};

struct cell {
	double v;
	int64_t n; /* values; AGG_LAST: the time, plus 1 */
};

struct group {
	UT_hash_handle hh;
	struct group *after; /* the one of the row that came after, last time: rows of one moment come in one order */
	size_t len;
	struct cell *cells; /* by metric, slot */
	char name[];
};

/* A counter of which rates are made. */
struct counter {
	double v, grown;
	int64_t time_us, during_us;
	size_t slot;
};

/* One node, or one entry of one node. */
struct origin {
	UT_hash_handle hh;
	struct group *group;
	size_t len;
	char *key;
	struct counter counters[]; /* by metric; time_us 0: none yet */
};

struct query_agg {
	struct query_agg_conf conf;
	struct group *groups, *last, **sorted;
	struct origin *origins;
	size_t cells;
	struct buf key;
};

int query_agg_new(const struct query_agg_conf *conf, struct query_agg **ret, struct err *err)
{
	struct query_agg *a;

	if (conf->n_slots * conf->n_metrics > CELLS_MAX)
		return err_set(err, -E2BIG, "these are %zu slots of time; make --every longer, or name a shorter time",
			       conf->n_slots);
	a = xcalloc(1, sizeof(*a));
	a->conf = *conf;
	*ret = a;
	return 0;
}

static void groups_free(struct query_agg *a)
{
	struct group *g, *next;

	HASH_ITER(hh, a->groups, g, next) {
		HASH_DEL(a->groups, g);
		free(g->cells);
		free(g);
	}
}

void query_agg_free(struct query_agg *a)
{
	struct origin *o, *next;

	if (!a)
		return;
	groups_free(a);
	HASH_ITER(hh, a->origins, o, next) {
		HASH_DEL(a->origins, o);
		free(o->key);
		free(o);
	}
	buf_fini(&a->key);
	free(a->sorted);
	free(a);
}

const struct query_agg_conf *query_agg_conf(const struct query_agg *a)
{
	return &a->conf;
}

static bool group_is(const struct group *g, const char *name, size_t len)
{
	return g && g->len == len && !memcmp(g->name, name, len);
}

static struct group *group_get(struct query_agg *a, const char *name, size_t len)
{
	size_t n = a->conf.n_slots * a->conf.n_metrics;
	struct group *g = a->last;

	if (g && group_is(g->after, name, len))
		return a->last = g->after;
	if (group_is(g, name, len))
		return g;
	HASH_FIND(hh, a->groups, name, len, g);
	if (!g) {
		if (a->cells + n > CELLS_MAX)
			return NULL;
		a->cells += n;
		g = xcalloc(1, sizeof(*g) + len + 1);
		memcpy(g->name, name, len);
		g->len = len;
		g->cells = xcalloc(n, sizeof(*g->cells));
		HASH_ADD_KEYPTR(hh, a->groups, g->name, len, g);
	}
	if (a->last)
		a->last->after = g;
	a->last = g;
	return g;
}

/* -- a value into its slot ----------------------------------------------------------------------------------------- */

static void cell_add(enum query_fn fn, struct cell *c, double v, int64_t n, int64_t time_us)
{
	switch (fn) {
	case AGG_LAST:
		if (time_us < c->n)
			return;
		c->v = v;
		c->n = time_us + 1;
		return;
	case AGG_MAX:
		c->v = c->n && c->v > v ? c->v : v;
		break;
	case AGG_MIN:
		c->v = c->n && c->v < v ? c->v : v;
		break;
	default: /* AVG, COUNT, RATE, SUM */
		c->v += v;
	}
	c->n += n;
}

/* The rate of the slot that is over. */
static void counter_end(struct query_agg *a, struct group *g, struct counter *c, size_t metric)
{
	if (c->during_us)
		cell_add(AGG_RATE, &g->cells[metric * a->conf.n_slots + c->slot],
			 c->grown * SEC_US / (double)c->during_us, 1, 0);
	c->grown = 0;
	c->during_us = 0;
}

static void counter_add(struct query_agg *a, struct group *g, struct counter *c, size_t metric, size_t slot, double v,
			int64_t time_us)
{
	if (c->time_us && c->slot != slot)
		counter_end(a, g, c, metric);
	c->slot = slot;
	if (c->time_us && v >= c->v && time_us > c->time_us) {
		c->grown += v - c->v;
		c->during_us += time_us - c->time_us;
	}
	c->v = v;
	c->time_us = time_us;
}

static void key_add(struct buf *b, const struct query_value *v)
{
	if (v->kind == QUERY_TEXT)
		buf_add(b, v->text.p, v->text.len);
	else if (v->kind == QUERY_INT)
		buf_addf(b, "%lld", (long long)v->i);
	else if (v->kind == QUERY_REAL)
		buf_addf(b, "%.15g", v->d);
}

static struct origin *origin_get(struct query_agg *a, struct group *g, const struct query_row *row)
{
	struct origin *o;

	buf_reset(&a->key);
	key_add(&a->key, &row->producer);
	for (size_t i = 0; i < (size_t)a->conf.has_entry + (a->conf.by == BY_COLUMN); i++) {
		buf_u8(&a->key, 0);
		key_add(&a->key, &row->v[a->conf.n_metrics + i]);
	}
	buf_str(&a->key); /* there is memory, also of an empty one */
	HASH_FIND(hh, a->origins, a->key.p, a->key.len, o);
	if (o)
		return o;
	o = xcalloc(1, sizeof(*o) + a->conf.n_metrics * sizeof(*o->counters));
	o->group = g;
	o->len = a->key.len;
	o->key = xmalloc(o->len + 1);
	memcpy(o->key, a->key.p, o->len);
	HASH_ADD_KEYPTR(hh, a->origins, o->key, o->len, o);
	return o;
}

static struct group *group_of(struct query_agg *a, const struct query_row *row)
{
	const struct query_value *who = &row->producer;

	if (a->conf.by == BY_NONE)
		return group_get(a, "all", 3);
	if (a->conf.by == BY_COLUMN)
		who = &row->v[a->conf.n_metrics];
	if (who->kind == QUERY_TEXT)
		return group_get(a, who->text.p ? who->text.p : "", who->text.len);
	buf_reset(&a->key);
	key_add(&a->key, who);
	return group_get(a, buf_str(&a->key), a->key.len);
}

int query_agg_row(const struct query_row *row, void *agg)
{
	struct query_agg *a = agg;
	int64_t at = row->time_us - a->conf.begin_us;
	size_t slot = a->conf.every_us ? (size_t)(at / a->conf.every_us) : 0;
	struct origin *o = NULL;
	struct group *g;

	if (at < 0 || slot >= a->conf.n_slots)
		return 0; /* it came while we were asking */
	g = group_of(a, row);
	if (!g)
		return -E2BIG;
	if (a->conf.fn == AGG_RATE)
		o = origin_get(a, g, row);
	for (size_t i = 0; i < a->conf.n_metrics; i++) {
		const struct query_value *v = &row->v[i];
		double d = v->kind == QUERY_INT ? (double)v->i : v->d;

		if (v->kind != QUERY_INT && v->kind != QUERY_REAL)
			continue;
		if (o)
			counter_add(a, o->group, &o->counters[i], i, slot, d, row->time_us);
		else
			cell_add(a->conf.fn, &g->cells[i * a->conf.n_slots + slot], d, 1, row->time_us);
	}
	return 0;
}

int query_agg_merge(struct query_agg *to, struct query_agg *from)
{
	size_t n = to->conf.n_slots * to->conf.n_metrics;

	for (struct group *g = from->groups; g; g = g->hh.next) {
		struct group *mine = group_get(to, g->name, g->len);

		if (!mine)
			return -E2BIG;
		for (size_t i = 0; i < n; i++)
			if (g->cells[i].n)
				cell_add(to->conf.fn, &mine->cells[i], g->cells[i].v, g->cells[i].n, g->cells[i].n - 1);
	}
	return 0;
}

/* -- reading it ---------------------------------------------------------------------------------------------------- */

static int by_name(const void *a, const void *b)
{
	return strverscmp((*(struct group *const *)a)->name, (*(struct group *const *)b)->name);
}

void query_agg_end(struct query_agg *a)
{
	size_t n = 0;

	for (struct origin *o = a->origins; o; o = o->hh.next)
		for (size_t i = 0; i < a->conf.n_metrics; i++)
			counter_end(a, o->group, &o->counters[i], i);
	a->sorted = xcalloc(HASH_COUNT(a->groups) + 1, sizeof(*a->sorted));
	for (struct group *g = a->groups; g; g = g->hh.next)
		a->sorted[n++] = g;
	qsort(a->sorted, n, sizeof(*a->sorted), by_name);
}

size_t query_agg_groups(const struct query_agg *a)
{
	return HASH_COUNT(a->groups);
}

const char *query_agg_name(const struct query_agg *a, size_t group)
{
	return a->sorted[group]->name;
}

bool query_agg_at(const struct query_agg *a, size_t group, size_t metric, size_t slot, double *ret)
{
	const struct cell *c = &a->sorted[group]->cells[metric * a->conf.n_slots + slot];

	if (!c->n)
		return false;
	*ret = a->conf.fn == AGG_AVG ? c->v / (double)c->n : a->conf.fn == AGG_COUNT ? (double)c->n : c->v;
	return true;
}
