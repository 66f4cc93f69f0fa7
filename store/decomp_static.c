/* decomp_static.c - the decomposition that lists its rows, column by column */
#include <errno.h>
#include <stdlib.h>

#include "core/base/xalloc.h"
#include "store/decomp_impl.h"

struct decomp_static_ {
	struct decomp d;
	struct decomp_row *rows;
	uint32_t n_rows;
};

static int static_read(struct decomp *d, const struct jat *at, struct err *err)
{
	struct decomp_static_ *s = (struct decomp_static_ *)d;
	struct jat rows = jat_get(at, "rows");
	int rc = 0;

	if (!json_is_array(rows.v))
		return jat_err(&rows, -EINVAL, err,
			       "strgp '%s': The 'rows' attribute is missing, or its value is not a list.", d->who);
	s->rows = xcalloc(json_array_size(rows.v), sizeof(*s->rows));
	for (size_t i = 0; i < json_array_size(rows.v) && !rc; i++) {
		struct jat row = jat_nth(&rows, i);

		rc = decomp_row_read(&s->rows[s->n_rows++], d->who, &row, err);
	}
	return rc;
}

static void static_free(struct decomp *d)
{
	struct decomp_static_ *s = (struct decomp_static_ *)d;

	for (uint32_t i = 0; i < s->n_rows; i++)
		decomp_row_fini(&s->rows[i]);
	free(s->rows);
}

static void static_reset(struct decomp *d)
{
	struct decomp_static_ *s = (struct decomp_static_ *)d;

	for (uint32_t i = 0; i < s->n_rows; i++) {
		ops_free(s->rows[i].ops);
		s->rows[i].ops = NULL;
	}
}

static void static_cut(struct decomp *d, struct decomp_cut *dc, const struct image *im)
{
	struct decomp_static_ *s = (struct decomp_static_ *)d;

	for (uint32_t r = 0; r < s->n_rows; r++) {
		struct decomp_row *row = &s->rows[r];
		struct part *p = part_new(dc, row->schema);

		for (uint32_t i = 0; i < row->n_cols; i++)
			part_col(dc, p, im, &row->cols[i]);
		for (uint32_t i = 0; i < row->n_indices; i++)
			part_index(p, row->indices[i].name, row->indices[i].cols, row->indices[i].n_cols);
		part_ready(p);
		if (row->n_ops)
			p->ops = ops_get(row, p->schema);
	}
}

const struct decomp_type decomp_static = {
	.name = "static",
	.size = sizeof(struct decomp_static_),
	.read = static_read,
	.free = static_free,
	.reset = static_reset,
	.cut = static_cut,
};
