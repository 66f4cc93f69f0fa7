/* fn_shape.c - the definitions of store function_csv, laid out for the rows of one schema: which numbers stand where.
 */
#include <errno.h>
#include <stdlib.h>

#include "core/base/log.h"
#include "core/base/xalloc.h"
#include "store/csv_impl.h"
#include "store/fn_impl.h"
#include "store/row_impl.h"

#define CELLS_MAX 65536 /* numbers in one row */

static bool is_whole(enum value_type type)
{
	enum value_type elem = value_elem_type(type);

	return elem >= V_U8 && elem <= V_S64;
}

void fn_shape_free(struct fn_shape *sh)
{
	struct fn_prev *p, *tmp;

	HASH_ITER(hh, sh->prev, p, tmp) {
		HASH_DEL(sh->prev, p);
		free(p->v);
		free(p);
	}
	for (size_t i = 0; i < sh->n_terms; i++) {
		free(sh->terms[i].of);
		free(sh->terms[i].dim);
	}
	free(sh->terms);
	free(sh->in_at);
	free(sh->cell);
	free(sh->v);
	row_schema_put(sh->in);
	row_schema_put(sh->out);
	free(sh);
}

/* Where a source stands: a metric, or a term before. */
static bool source_find(const struct fn_shape *sh, const char *name, uint32_t *at, uint32_t *dim)
{
	for (size_t i = sh->n_terms; i--;)
		if (!strcmp(sh->terms[i].def->name, name)) {
			*at = sh->terms[i].at;
			*dim = sh->terms[i].n;
			return true;
		}
	for (uint32_t c = 0; c < sh->in->n_cols; c++)
		if (sh->in_at[c] != UINT32_MAX && !strcmp(sh->in->cols[c].name, name)) {
			*at = sh->in_at[c];
			*dim = sh->in->cols[c].count;
			return true;
		}
	return false;
}

/* How many numbers it gives; 0: its sources do not fit together. */
static uint32_t term_dim(const struct fn_term *t)
{
	uint32_t n = t->dim[0];

	switch (t->def->op) {
	case FN_MAX:
	case FN_MIN:
	case FN_SUM:
	case FN_AVG:
		return 1;
	case FN_SUB_SV:
	case FN_DIV_SV:
		return t->dim[0] == 1 ? t->dim[1] : 0;
	case FN_SUM_VS:
	case FN_SUB_VS:
	case FN_MUL_VS:
	case FN_DIV_VS:
		return t->dim[1] == 1 ? n : 0;
	default:
		for (unsigned int i = 1; i < t->def->n_of; i++)
			if (t->dim[i] != n)
				return 0;
		return n;
	}
}

static void term_add(struct fn_shape *sh, const struct fn_def *def)
{
	struct fn_term t = { .def = def,
			     .of = xcalloc(def->n_of, sizeof(*t.of)),
			     .dim = xcalloc(def->n_of, sizeof(*t.dim)) };
	const char *why = NULL;

	for (unsigned int i = 0; !why && i < def->n_of; i++)
		if (!source_find(sh, def->of[i], &t.of[i], &t.dim[i]))
			why = "its sources are no metrics of whole numbers, and not defined before it";
	if (!why) {
		t.n = term_dim(&t);
		why = !t.n                               ? "its sources have different lengths"
		      : t.n > CELLS_MAX - sh->n_cell - 1 ? "there are too many numbers"
							 : NULL;
	}
	if (why) {
		log_error("store", "schema %s: %s is left out: %s", sh->in->name, def->name, why);
		free(t.of);
		free(t.dim);
		return;
	}
	t.at = sh->n_cell;
	sh->n_cell += t.n + 1;
	sh->terms = xrealloc(sh->terms, (sh->n_terms + 1) * sizeof(*sh->terms));
	sh->terms[sh->n_terms++] = t;
}

static void col_add(struct row_schema *rs, char *name, enum value_type type, uint32_t count, enum row_what what)
{
	rs->cols = xrealloc(rs->cols, (rs->n_cols + 1) * sizeof(*rs->cols));
	rs->cols[rs->n_cols++] = (struct row_col){ .name = name, .type = type, .count = count, .what = what };
}

static void out_make(struct fn_shape *sh)
{
	struct row_schema *rs = xcalloc(1, sizeof(*rs));

	rs->name = xstrdup(sh->in->name);
	rs->decomposed = true;
	atomic_init(&rs->refs, 1);
	col_add(rs, xstrdup("timestamp"), V_TIMESTAMP, 1, ROW_TIME);
	col_add(rs, xstrdup("DT"), V_TIMESTAMP, 1, ROW_DURATION);
	col_add(rs, xstrdup("ProducerName"), V_CHAR_ARRAY, CSV_PRODUCER_SZ, ROW_PRODUCER);
	col_add(rs, xstrdup("component_id"), V_U64, 1, ROW_METRIC);
	col_add(rs, xstrdup("job_id"), V_U64, 1, ROW_METRIC);
	for (size_t i = 0; i < sh->n_terms; i++) {
		const struct fn_term *t = &sh->terms[i];

		if (!t->def->written)
			continue;
		for (uint32_t k = 0; k < t->n; k++)
			col_add(rs, t->n == 1 ? xstrdup(t->def->name) : xasprintf("%s.%u", t->def->name, k), V_U64, 1,
				ROW_METRIC);
		col_add(rs, xasprintf("%s.Flag", t->def->name), V_U64, 1, ROW_METRIC);
	}
	col_add(rs, xstrdup("TimeFlag"), V_U64, 1, ROW_METRIC);
	row_schema_digest(rs);
	sh->out = rs;
}

int fn_shape_new(const struct fn_defs *defs, const struct row_schema *rs, struct fn_shape **ret, struct err *err)
{
	struct fn_shape *sh = xcalloc(1, sizeof(*sh));

	sh->in = row_schema_get(rs);
	sh->in_at = xcalloc(rs->n_cols + 1, sizeof(*sh->in_at));
	sh->component = sh->job = -1;
	for (uint32_t c = 0; c < rs->n_cols; c++) {
		sh->in_at[c] = UINT32_MAX;
		if (!is_whole(rs->cols[c].type) || rs->cols[c].count > CELLS_MAX - sh->n_cell)
			continue;
		sh->in_at[c] = sh->n_cell;
		sh->n_cell += rs->cols[c].count;
		if (!strcmp(rs->cols[c].name, "component_id"))
			sh->component = (int)c;
		if (!strcmp(rs->cols[c].name, "job_id"))
			sh->job = (int)c;
	}
	sh->n_in = sh->n_cell;
	for (size_t i = 0; i < defs->n; i++)
		if (!strcmp(defs->v[i].schema, rs->name))
			term_add(sh, &defs->v[i]);
	if (!sh->n_terms) {
		fn_shape_free(sh);
		return err_set(err, -EINVAL,
			       "schema %s: derivedconf defines nothing for it; add lines, or leave it to another store",
			       rs->name);
	}
	out_make(sh);
	sh->cell = xcalloc(sh->n_cell + 1, sizeof(*sh->cell));
	sh->v = xcalloc(sh->out->n_cols, sizeof(*sh->v));
	*ret = sh;
	return 0;
}
