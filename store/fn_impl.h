/* fn_impl.h - store function_csv: what its definitions say (fn_conf.c), and what they give (function_csv.c). */
#ifndef STORE_FN_IMPL_H
#define STORE_FN_IMPL_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/err.h"

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

#endif
