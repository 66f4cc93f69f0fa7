/* row.c - cutting snapshots to rows */
#include "store/row.h"

#include <errno.h>

#include "store/decomp.h"
#include "store/row_impl.h"

/* The values of the metrics that are the same in all rows, one by one: some of them are unavailable. */
static void cut_metrics_slowly(struct row_cut *c, const struct image *im)
{
	for (uint32_t i = 0; i < c->schema->n_cols; i++)
		if (c->src[i].kind == SRC_METRIC)
			c->v[i] = image_value(im, c->src[i].metric);
	c->v_plain = false;
}

static inline void place_put(struct value *v, const struct place *at, const void *from)
{
	const uint8_t *p = (const uint8_t *)from + at->off;
	struct value *end = v + at->col + at->n;

#pragma GCC unroll 4
	for (v += at->col; v < end; v++, p += PLACE_STEP)
		v->p = p;
}

void row_cut_metrics(struct row_cut *c, const struct seen *s, const struct image *im)
{
	const struct place *at = s->places, *data = at + s->n_meta, *end = at + s->n_places;
	struct value *v = c->v;

	if (!s->plain) {
		cut_metrics_slowly(c, im);
		return;
	}
	for (uint32_t i = 0; !c->v_plain && i < c->schema->n_cols; i++)
		if (c->src[i].kind == SRC_METRIC)
			v[i] = (struct value){ .type = c->schema->cols[i].type, .count = c->schema->cols[i].count };
	c->v_plain = true;
	for (; at < data; at++)
		place_put(v, at, im->meta);
	for (; at < end; at++)
		place_put(v, at, im->data);
}

/* The columns of one entry.  An entry of another kind than the first one's, which made the columns, has no value. */
static void cut_entry(struct row_cut *c, const struct image *im, struct value entry)
{
	bool same = c->records ? entry.type == V_RECORD_INST && record_type_of(entry) == c->record
			       : value_elem_size(entry.type);
	struct value *v = c->v + c->list_col;

	for (uint32_t i = 1; i < c->list_cols; i++) {
		if (!same)
			v[i] = (struct value){ .type = V_NONE };
		else if (c->records)
			v[i] = record_value(im, entry, i - 1);
		else
			v[i] = entry;
	}
}

static int give(const struct row *row, int (*fn)(const struct row *row, void *arg), void *arg)
{
	int rc = fn(row, arg);

	return rc == ROW_HAD ? 0 : rc;
}

static int cut_entries(struct row_cut *c, const struct row *row, int (*fn)(const struct row *row, void *arg), void *arg)
{
	struct value list = image_value(row->im, c->list);
	struct list_it it = list.type == V_LIST ? list_first(list) : (struct list_it){ 0 };
	uint64_t idx = 0;
	int rc = 0;

	for (; !rc && it.off; it = list_next(row->im, it), idx++) {
		c->idx = htole64(idx);
		cut_entry(c, row->im, list_value(row->im, it));
		rc = give(row, fn, arg);
	}
	for (; !rc && list.type == V_RECORD_ARRAY && idx < record_array_len(list); idx++) {
		c->idx = htole64(idx);
		cut_entry(c, row->im, record_array_get(row->im, list, (uint32_t)idx));
		rc = give(row, fn, arg);
	}
	return rc;
}

int row_cut_each(struct row_cut *c, const struct snap *sn, int (*fn)(const struct row *row, void *arg), void *arg)
{
	const struct image *im = &sn->im;
	const struct seen *s = row_seen_again(c, sn->meta);
	struct row row = {
		.schema = c->schema,
		.producer = im->meta->producer,
		.instance = image_instance(im->meta),
		.ts_sec = le32toh(im->data->ts_sec),
		.ts_usec = le32toh(im->data->ts_usec),
		.v = c->v,
		.cut = c,
		.im = im,
	};

	if (!s)
		return -ESTALE;
	row_cut_metrics(c, s, im);
	if (c->decomp)
		return decomp_cut_each(c, &row, fn, arg);
	if (s->plain && s->longest < s->n_places) {
		row.flat = s->places[s->longest].col;
		row.n_flat = s->places[s->longest].n;
	}
	return c->expands ? cut_entries(c, &row, fn, arg) : give(&row, fn, arg);
}

uint64_t row_user_data(const struct row *row, uint32_t i)
{
	/* that of record members is no data of anybody's (ldmsd writes a constant, and prints 0) */
	if (!row->cut || row->cut->decomp || row->cut->src[i].kind == SRC_MEMBER)
		return 0;
	return image_metric(row->im->meta, row->cut->src[i].metric).user_data;
}
