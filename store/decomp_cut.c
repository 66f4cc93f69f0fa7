/* decomp_cut.c - the rows that a decomposition makes of a set
 *
 * Lists give the rows: one for each entry, all lists of a row schema advance together, and one that has ended goes on
 * with its columns' fills, or zeros.  Record arrays advance with them; alone they give one row, of the first record.
 */
#include <errno.h>
#include <stdlib.h>

#include "core/base/clock.h"
#include "core/base/xalloc.h"
#include "store/decomp_impl.h"

/* -- making it ----------------------------------------------------------------------------------------------------- */

static struct row_cut *cut_make(struct decomp *d, const struct image *im, unsigned int made_again)
{
	struct row_cut *base = row_cut_begin(im);
	struct decomp_cut *dc = xcalloc(1, sizeof(*dc));

	base->decomp = dc;
	dc->d = d;
	dc->base = base;
	dc->made_again = made_again;
	digest_hex(base->digest, dc->digest);
	d->type->cut(d, dc, im);
	if (!base->has_digest) /* then the names of metrics tell one shape from another */
		for (uint32_t i = 0; i < image_card(im->meta); i++)
			part_watch(dc, im, i);
	row_cut_ready(base, im);
	return base;
}

struct row_cut *decomp_cut_new(struct decomp *d, const struct image *im)
{
	return cut_make(d, im, 0);
}

void decomp_cut_free(struct decomp_cut *dc)
{
	if (!dc)
		return;
	if (dc->d->type->cut_free)
		dc->d->type->cut_free(dc);
	for (uint32_t i = 0; i < dc->n_parts; i++)
		part_fini(&dc->parts[i]);
	free(dc->parts);
	free(dc->lists);
	free(dc);
}

/* Lists hold something else than when it was made. */
static void cut_again(struct row_cut *c, const struct image *im)
{
	unsigned int made_again = c->decomp->made_again + 1;
	struct row_cut *fresh = cut_make(c->decomp->d, im, made_again), old = *c;

	*c = *fresh;
	*fresh = old;
	c->decomp->base = c;
	row_cut_free(fresh);
}

/* -- lists --------------------------------------------------------------------------------------------------------- */

static bool lister_is(const struct lister *l, struct value first)
{
	if (first.type == V_NONE)
		return true;
	return l->known && first.type == l->type && (first.type != V_RECORD_INST || record_type_of(first) == l->record);
}

/* Find the lists of this set; false: one of them holds something that we did not expect. */
static bool listers_set(struct row_cut *c, const struct image *im)
{
	struct decomp_cut *dc = c->decomp;
	bool as_expected = true;

	for (uint32_t i = 0; i < dc->n_lists; i++) {
		struct lister *l = &dc->lists[i];

		l->all = image_value(im, l->metric);
		as_expected &= lister_is(l, lister_first(im, l->all));
	}
	return as_expected;
}

static struct value lister_now(const struct lister *l, const struct image *im)
{
	struct value v = { .type = V_NONE };

	if (l->all.type == V_LIST && l->it.off)
		v = list_value(im, l->it);
	else if (l->all.type == V_RECORD_ARRAY && l->i < record_array_len(l->all))
		v = record_array_get(im, l->all, l->i);
	return lister_is(l, v) ? v : (struct value){ .type = V_NONE };
}

static void lists_begin(struct decomp_cut *dc, const struct part *p, const struct image *im)
{
	for (uint32_t i = 0; i < p->n_lists; i++) {
		struct lister *l = &dc->lists[p->lists[i]];

		l->it = l->all.type == V_LIST ? list_first(l->all) : (struct list_it){ 0 };
		l->i = 0;
		l->now = lister_now(l, im);
	}
}

static void lists_next(struct decomp_cut *dc, const struct part *p, const struct image *im)
{
	for (uint32_t i = 0; i < p->n_lists; i++) {
		struct lister *l = &dc->lists[p->lists[i]];

		if (l->it.off)
			l->it = list_next(im, l->it);
		l->i++;
		l->now = lister_now(l, im);
	}
}

/* Is there a further row? */
static bool lists_go_on(const struct decomp_cut *dc, const struct part *p, bool first)
{
	if (!p->expands)
		return first;
	for (uint32_t i = 0; i < p->n_lists; i++)
		if (dc->lists[p->lists[i]].it.off)
			return true;
	return false;
}

/* -- rows ---------------------------------------------------------------------------------------------------------- */

static struct value col_value(const struct decomp_cut *dc, const struct col *c, const struct image *im)
{
	const struct lister *l;

	switch (c->from) {
	case FROM_SPECIAL:
		return specials[c->at].value(dc, im);
	case FROM_METRIC:
		return dc->base->v[c->at];
	case FROM_ENTRY:
		l = &dc->lists[c->at];
		return l->now.type == V_RECORD_INST ? (struct value){ .type = V_NONE } : l->now;
	case FROM_MEMBER:
		l = &dc->lists[c->at];
		if (l->now.type == V_RECORD_INST)
			return record_value(im, l->now, c->member);
		break;
	case FROM_NOTHING:
		break;
	}
	return (struct value){ .type = V_NONE };
}

static void col_set(const struct decomp_cut *dc, struct part *p, uint32_t i, const struct image *im)
{
	const struct row_col *rc = &p->schema->cols[i];
	const struct col *c = &p->cols[i];
	struct value v = col_value(dc, c, im);

	if (v.type == V_NONE)
		v = c->missing;
	else if (c->convert)
		v = num_convert(v, rc->type, rc->count, c->room);
	p->v[i] = v;
}

static int part_rows(struct decomp_cut *dc, struct part *p, struct row *row, int64_t now_us,
		     int (*fn)(const struct row *row, void *arg), void *arg)
{
	const struct image *im = row->im;
	int rc = 0;

	if (p->refused)
		return 0;
	row->schema = p->schema;
	row->v = p->v;
	lists_begin(dc, p, im);
	if (!lists_go_on(dc, p, true))
		return 0;
	for (uint32_t k = 0; k < p->n_runs; k++)
		memcpy(&p->v[p->runs[k].col], &dc->base->v[p->runs[k].at], p->runs[k].n * sizeof(*p->v));
	for (uint32_t k = 0; k < p->n_once; k++)
		col_set(dc, p, p->each[p->n_each + k], im);
	for (bool first = true; !rc && lists_go_on(dc, p, first); first = false) {
		for (uint32_t k = 0; k < p->n_each; k++)
			col_set(dc, p, p->each[k], im);
		if (p->ops)
			ops_apply(p->ops, p, now_us);
		rc = fn(row, arg);
		if (!rc && p->ops)
			ops_keep(p->ops);
		if (rc == ROW_HAD)
			rc = 0;
		lists_next(dc, p, im);
	}
	return rc;
}

int decomp_cut_each(struct row_cut *c, struct row *row, int (*fn)(const struct row *row, void *arg), void *arg)
{
	struct decomp_cut *dc = c->decomp;
	int64_t now_us = mono_us();
	const bool *chosen;
	int rc = 0;

	if (!listers_set(c, row->im)) {
		cut_again(c, row->im);
		dc = c->decomp;
		row_cut_metrics(c, row_seen(c, row->im->meta), row->im);
		listers_set(c, row->im);
	}
	chosen = dc->d->type->choose ? dc->d->type->choose(dc->d, dc, row->im) : NULL;
	for (uint32_t i = 0; i < dc->n_parts && !rc; i++)
		if (!chosen || chosen[dc->parts[i].of])
			rc = part_rows(dc, &dc->parts[i], row, now_us, fn, arg);
	return rc;
}

void decomp_refuse(const struct row *row)
{
	struct decomp_cut *dc = row->cut->decomp;

	for (uint32_t i = 0; i < dc->n_parts; i++)
		dc->parts[i].refused |= dc->parts[i].schema == row->schema;
	dc->refuses = true;
}

bool decomp_refuses(const struct row_cut *c)
{
	return c->decomp && c->decomp->refuses;
}
