/* fn_impl.h - store function_csv: what its definitions say (fn_conf.c), what they mean for a schema's rows (fn_shape.c),
 * and what they give (fn_value.c, function_csv.c). */
#ifndef STORE_FN_IMPL_H
#define STORE_FN_IMPL_H

#include <stdbool.h>
#include <stdint.h>
#include <uthash.h>

#include "core/base/err.h"
#include "store/row.h"

enum fn_op {
	FN_RAW,
	FN_DELTA,
	FN_RATE,
	FN_MAX,
	FN_MIN,
	FN_SUM,
	FN_AVG,
	FN_THRESH_GE,
	FN_THRESH_LT,
	FN_SUM_N,
	FN_AVG_N,
	FN_MAX_N,
	FN_MIN_N,
	FN_SUB_AB,
	FN_MUL_AB,
	FN_DIV_AB,
	FN_SUM_VS,
	FN_SUB_VS,
	FN_SUB_SV,
	FN_MUL_VS,
	FN_DIV_VS,
	FN_DIV_SV,
};

/* One line: a column that is made of others. */
struct fn_def {
	char *schema, *name;
	enum fn_op op;
	char **of; /* metrics, or columns defined before */
	unsigned int n_of;
	double scale; /* or threshold */
	bool written; /* or only there for others */
};

struct fn_defs {
	struct fn_def *v;
	size_t n;
};

int fn_defs_parse(const char *text, struct fn_defs *ret, struct err *err);
int fn_defs_load(const char *path, struct fn_defs *ret, struct err *err);
void fn_defs_fini(struct fn_defs *d);

/* -- fn_shape.c ---------------------------------------------------------------------------------------------------- */

/* A term: a definition with places. */
struct fn_term {
	const struct fn_def *def;
	uint32_t *of;   /* cells where its sources begin */
	uint32_t *dim;  /* ... how many each has */
	uint32_t at, n; /* its own cells; flag cell at at + n */
};

struct fn_prev {
	UT_hash_handle hh;
	uint32_t sec, usec;
	uint64_t *v; /* n_in */
	char name[];
};

struct fn_shape {
	struct fn_shape *next;
	struct row_schema *in, *out;
	struct fn_term *terms;
	size_t n_terms;
	uint32_t n_in;   /* cells of metrics, first of all */
	uint32_t n_cell; /* all */
	uint32_t *in_at; /* by column of `in`: its first cell; UINT32_MAX: not a number of ours */
	int component, job;
	uint64_t *cell;  /* the row being made */
	struct value *v; /* out->n_cols */
	struct fn_prev *prev;
};

/* -EINVAL with words when nothing is defined for rows of that schema. */
int fn_shape_new(const struct fn_defs *defs, const struct row_schema *rs, struct fn_shape **ret, struct err *err);
void fn_shape_free(struct fn_shape *sh);

/* -- fn_value.c ---------------------------------------------------------------------------------------------------- */

/* Fill the cells of a term; `prev` are those of metrics, `dt` seconds before. */
void fn_term_run(const struct fn_shape *sh, const struct fn_term *t, const uint64_t *prev, double dt);

#endif
