/* decomp_part.c - where the columns of a row schema come from, for sets of one shape
 *
 * What a list holds is seen in its entries alone.  Where one has been empty so far, the columns of its members have the
 * type that the file says, or that the set's record types say of members of that name; the first entry tells, and then
 * all is made again (decomp_cut.c).
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/log.h"
#include "core/base/xalloc.h"
#include "core/set/layout.h"
#include "store/decomp_impl.h"

void cut_warn(const struct decomp_cut *dc, const struct image *im, const char *fmt, ...)
{
	char words[ERR_MAX];
	va_list ap;

	if (dc->made_again > 1)
		return; /* lists hold this, then that: said by then */
	va_start(ap, fmt);
	vsnprintf(words, sizeof(words), fmt, ap);
	va_end(ap);
	log_warning("store", "policy %s: sets of schema %s, digest %.7s: %s (seen in set %s)", dc->d->who,
		    image_schema(im->meta), dc->digest, words, image_instance(im->meta));
}

/* -- lists --------------------------------------------------------------------------------------------------------- */

/* A column of the base cut for a metric that is used: once each. */
static uint32_t base_col(struct decomp_cut *dc, const struct image *im, uint32_t metric, enum src_kind kind)
{
	const struct metric_desc *d = desc_of(im->meta, metric);
	struct row_cut *base = dc->base;

	for (uint32_t i = 0; i < base->schema->n_cols; i++)
		if (base->src[i].metric == metric)
			return i;
	row_cut_col(base, xstrdup(d->name_unit), d->type, desc_count(d), (struct src){ kind, metric, 0 });
	return base->schema->n_cols - 1;
}

void part_watch(struct decomp_cut *dc, const struct image *im, uint32_t metric)
{
	enum value_type type = desc_of(im->meta, metric)->type;

	base_col(dc, im, metric, type == V_RECORD_ARRAY || type == V_RECORD_TYPE ? SRC_NOTHING : SRC_METRIC);
}

struct value lister_first(const struct image *im, struct value all)
{
	if (all.type == V_RECORD_ARRAY && record_array_len(all))
		return record_array_get(im, all, 0);
	if (all.type == V_LIST && list_first(all).off)
		return list_value(im, list_first(all));
	return (struct value){ .type = V_NONE };
}

uint32_t lister_of(struct decomp_cut *dc, const struct image *im, uint32_t metric)
{
	bool is_list = desc_of(im->meta, metric)->type == V_LIST;
	struct value all = image_value(im, metric), first = lister_first(im, all);
	struct lister *l;

	for (uint32_t i = 0; i < dc->n_lists; i++)
		if (dc->lists[i].metric == metric)
			return i;
	dc->lists = xrealloc(dc->lists, (dc->n_lists + 1) * sizeof(*dc->lists));
	l = &dc->lists[dc->n_lists++];
	*l = (struct lister){ .metric = metric, .is_list = is_list };
	l->base = base_col(dc, im, metric, is_list ? SRC_METRIC : SRC_NOTHING);
	l->known = first.type != V_NONE;
	l->type = first.type;
	l->count = first.count;
	if (first.type == V_RECORD_INST) {
		l->record = record_type_of(first);
		row_cut_type(dc->base, l->record);
	}
	return dc->n_lists - 1;
}

static void part_list(struct decomp_cut *dc, struct part *p, uint32_t list)
{
	for (uint32_t i = 0; i < p->n_lists; i++)
		if (p->lists[i] == list)
			return;
	p->lists = xrealloc(p->lists, (p->n_lists + 1) * sizeof(*p->lists));
	p->lists[p->n_lists++] = list;
	p->expands |= dc->lists[list].is_list;
}

/* -- making a part ------------------------------------------------------------------------------------------------- */

struct part *part_new(struct decomp_cut *dc, const char *schema)
{
	struct part *p;

	dc->parts = xrealloc(dc->parts, (dc->n_parts + 1) * sizeof(*dc->parts));
	p = &dc->parts[dc->n_parts++];
	*p = (struct part){ .schema = row_schema_new(schema), .of = dc->of };
	p->schema->decomposed = true;
	return p;
}

/* Zeros, or the fill, at the column's full length. */
static struct value missing_of(enum value_type type, uint32_t count, struct value fill, uint8_t **ret)
{
	bool text = type == V_CHAR_ARRAY;
	uint32_t n = text ? fill.count : value_is_array(type) ? count : 1, have = fill.count < n ? fill.count : n;

	*ret = xcalloc(1, value_size(type, n) + 1);
	if (fill.type != V_NONE)
		memcpy(*ret, fill.p, have * value_elem_size(type));
	return (struct value){ type, text && !n ? 1 : n, *ret };
}

/* What is known of a column before it is added. */
struct draft {
	struct col col;
	enum value_type from; /* the source's type; V_NONE: unknown */
	uint32_t count;
	enum row_what what;
	const char *why; /* there is nothing for it; or NULL */
};

static void part_add(struct part *p, const struct draft *dr, const char *name, enum value_type type, struct value fill)
{
	enum value_type t = type != V_NONE ? type : dr->from != V_NONE ? dr->from : V_CHAR_ARRAY;
	uint32_t count = dr->from != V_NONE ? dr->count : fill.type != V_NONE ? fill.count : 1;
	struct col *c;

	row_schema_col(p->schema, xstrdup(name), t, count ? count : 1);
	p->schema->cols[p->schema->n_cols - 1].what = t == V_TIMESTAMP || t == V_CHAR_ARRAY ? dr->what : ROW_METRIC;
	p->cols = xrealloc(p->cols, p->schema->n_cols * sizeof(*p->cols));
	c = &p->cols[p->schema->n_cols - 1];
	*c = dr->col;
	c->convert = dr->from != V_NONE && dr->from != t;
	c->missing = (struct value){ .type = V_NONE };
	if (fill.type != V_NONE || ((c->from == FROM_ENTRY || c->from == FROM_MEMBER) && !dr->why))
		c->missing = missing_of(t, p->schema->cols[p->schema->n_cols - 1].count, fill, &c->fill);
	if (c->convert || c->op)
		c->room = xcalloc(1, value_size(t, p->schema->cols[p->schema->n_cols - 1].count) + 8);
}

void part_special(struct decomp_cut *dc, struct part *p, const char *name)
{
	const struct special *s = special_find(name);
	struct draft dr = { .col = { .from = FROM_SPECIAL, .at = (uint32_t)(s - specials) },
			    .from = s->type,
			    .count = s->count,
			    .what = s->what };

	part_add(p, &dr, name, V_NONE, (struct value){ .type = V_NONE });
}

/* -- columns of the file ------------------------------------------------------------------------------------------- */

/* Members of that name in the set's record types, if they agree: what a list that is empty most likely holds. */
static void draft_guess(struct draft *dr, const struct image *im, const char *member)
{
	for (uint32_t t = 0; t < image_card(im->meta); t++) {
		if (desc_of(im->meta, t)->type != V_RECORD_TYPE)
			continue;
		for (uint32_t i = 0, n = record_card(im->meta, t); i < n; i++) {
			struct metric m = record_member(im->meta, t, i);

			if (strcmp(m.name, member))
				continue;
			if (dr->from != V_NONE && (dr->from != m.type || dr->count != m.count)) {
				dr->from = V_NONE;
				return;
			}
			dr->from = m.type;
			dr->count = m.count;
		}
	}
}

static void draft_list(struct decomp_cut *dc, struct part *p, struct draft *dr, const struct image *im,
		       const struct decomp_col *def, uint32_t metric)
{
	uint32_t at = lister_of(dc, im, metric), n, i;
	const struct lister *l = &dc->lists[at];

	part_list(dc, p, at);
	dr->col.from = def->member ? FROM_MEMBER : FROM_ENTRY;
	dr->col.at = at;
	if (!l->known) {
		if (def->member)
			draft_guess(dr, im, def->member);
	} else if (!def->member) {
		dr->from = value_elem_size(l->type) ? l->type : V_NONE;
		dr->count = l->count;
		if (dr->from == V_NONE)
			dr->why = l->type == V_RECORD_INST ? "its entries are records; name a member: LIST[MEMBER]"
							   : "no row can hold entries of that type";
	} else if (l->type != V_RECORD_INST) {
		dr->why = "its entries are no records and have no members";
	} else {
		n = record_card(im->meta, l->record);
		for (i = 0; i < n && strcmp(record_member(im->meta, l->record, i).name, def->member); i++)
			;
		dr->col.member = i;
		if (i < n) {
			dr->from = record_member(im->meta, l->record, i).type;
			dr->count = record_member(im->meta, l->record, i).count;
		} else {
			dr->why = "its records have no such member";
		}
	}
}

static void draft_col(struct decomp_cut *dc, struct part *p, struct draft *dr, const struct image *im,
		      const struct decomp_col *def)
{
	const struct special *s = def->member ? NULL : special_find(def->src);
	int metric = s ? -1 : image_find(im->meta, def->src);
	enum value_type type = metric >= 0 ? desc_of(im->meta, (uint32_t)metric)->type : V_NONE;

	if (s) {
		dr->col.from = FROM_SPECIAL;
		dr->col.at = (uint32_t)(s - specials);
		dr->from = s->type;
		dr->count = s->count;
		dr->what = s->what;
	} else if (metric < 0) {
		dr->why = "there is no such metric";
	} else if (type == V_LIST || type == V_RECORD_ARRAY) {
		draft_list(dc, p, dr, im, def, (uint32_t)metric);
	} else if (def->member) {
		dr->why = "it is no list and has no members";
	} else if (type == V_RECORD_TYPE) {
		dr->why = "it is a record type, which has no value";
	} else {
		dr->col.from = FROM_METRIC;
		dr->col.at = base_col(dc, im, (uint32_t)metric, SRC_METRIC);
		dr->from = type;
		dr->count = desc_count(desc_of(im->meta, (uint32_t)metric));
	}
}

void part_col(struct decomp_cut *dc, struct part *p, const struct image *im, const struct decomp_col *def)
{
	struct draft dr = { .col = { .op = def->op } };
	enum value_type to;

	draft_col(dc, p, &dr, im, def);
	to = def->type != V_NONE ? def->type : dr.from;
	if (!dr.why && dr.from != V_NONE && to != dr.from && !num_converts(dr.from, to))
		dr.why = "text and numbers are not converted";
	if (!dr.why && def->op && to == V_CHAR_ARRAY)
		dr.why = "operators want numbers";
	if (dr.why) {
		dr.col.from = FROM_NOTHING;
		dr.from = V_NONE;
	}
	if (dr.why && def->fill.type == V_NONE)
		cut_warn(dc, im,
			 "row schema %s: column %s (%s%s%s%s): %s; the column stays empty; correct src, or give it "
			 "a type and a fill",
			 p->schema->name, def->dst, def->src, def->member ? "[" : "", def->member ? def->member : "",
			 def->member ? "]" : "", dr.why);
	part_add(p, &dr, def->dst, def->type, def->fill);
}

/* -- columns of a set as it is ------------------------------------------------------------------------------------- */

static void members(struct decomp_cut *dc, struct part *p, const struct image *im, uint32_t at, const char *name)
{
	const struct lister *l = &dc->lists[at];

	for (uint32_t i = 0, n = record_card(im->meta, l->record); i < n; i++) {
		struct metric m = record_member(im->meta, l->record, i);
		struct draft dr = { .col = { .from = FROM_MEMBER, .at = at, .member = i },
				    .from = m.type,
				    .count = m.count };
		char *dst = xasprintf("%s.%s", name, m.name);

		part_add(p, &dr, dst, V_NONE, (struct value){ .type = V_NONE });
		free(dst);
	}
}

void part_metric(struct decomp_cut *dc, struct part *p, const struct image *im, uint32_t metric)
{
	const struct metric_desc *d = desc_of(im->meta, metric);
	struct draft dr = { .from = d->type, .count = desc_count(d) };
	uint32_t at;

	if (d->type == V_RECORD_TYPE)
		return;
	if (d->type != V_LIST && d->type != V_RECORD_ARRAY) {
		dr.col = (struct col){ .from = FROM_METRIC, .at = base_col(dc, im, metric, SRC_METRIC) };
		part_add(p, &dr, d->name_unit, V_NONE, (struct value){ .type = V_NONE });
		return;
	}
	at = lister_of(dc, im, metric);
	part_list(dc, p, at);
	if (!dc->lists[at].known)
		return; /* its columns come with its first entry */
	if (dc->lists[at].type == V_RECORD_INST) {
		members(dc, p, im, at, d->name_unit);
	} else if (value_elem_size(dc->lists[at].type)) {
		dr.col = (struct col){ .from = FROM_ENTRY, .at = at };
		dr.from = dc->lists[at].type;
		dr.count = dc->lists[at].count;
		part_add(p, &dr, d->name_unit, V_NONE, (struct value){ .type = V_NONE });
	} else {
		cut_warn(dc, im, "row schema %s: list %s: no row can hold its entries, of type %s; it has no column",
			 p->schema->name, d->name_unit, value_type_name(dc->lists[at].type));
	}
}

/* -- the end ------------------------------------------------------------------------------------------------------- */

void part_index(struct part *p, const char *name, const uint32_t *cols, uint32_t n)
{
	struct row_schema *rs = p->schema;
	struct row_index *ix;

	rs->indices = xrealloc(rs->indices, (rs->n_indices + 1) * sizeof(*rs->indices));
	ix = &rs->indices[rs->n_indices++];
	*ix = (struct row_index){ xstrdup(name), xcalloc(n + 1, sizeof(*ix->cols)), n };
	memcpy(ix->cols, cols, n * sizeof(*cols));
}

static void run_add(struct part *p, uint32_t col, uint32_t at)
{
	struct run *r = p->n_runs ? &p->runs[p->n_runs - 1] : NULL;

	if (r && r->col + r->n == col && r->at + r->n == at) {
		r->n++;
		return;
	}
	p->runs = xrealloc(p->runs, (p->n_runs + 1) * sizeof(*p->runs));
	p->runs[p->n_runs++] = (struct run){ col, at, 1 };
}

void part_ready(struct part *p)
{
	uint32_t n = p->schema->n_cols;

	row_schema_digest(p->schema);
	p->v = xcalloc(n + 1, sizeof(*p->v));
	p->each = xcalloc(n + 1, sizeof(*p->each));
	for (uint32_t i = 0; i < n; i++)
		if (p->cols[i].op || p->cols[i].from == FROM_ENTRY || p->cols[i].from == FROM_MEMBER)
			p->each[p->n_each++] = i;
	for (uint32_t i = 0; i < n; i++) {
		const struct col *c = &p->cols[i];

		if (c->op || c->from == FROM_ENTRY || c->from == FROM_MEMBER)
			continue;
		if (c->from == FROM_METRIC && !c->convert && c->missing.type == V_NONE)
			run_add(p, i, c->at);
		else
			p->each[p->n_each + p->n_once++] = i;
	}
}

void part_fini(struct part *p)
{
	for (uint32_t i = 0; i < p->schema->n_cols; i++) {
		free(p->cols[i].fill);
		free(p->cols[i].room);
	}
	row_schema_put(p->schema);
	free(p->cols);
	free(p->v);
	free(p->each);
	free(p->runs);
	free(p->lists);
}
