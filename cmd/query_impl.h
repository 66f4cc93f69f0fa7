/* query_impl.h - the inside of the command `ldms query`: query.c (its options, and rows as they are), query_cols.c (which
 * columns), query_series.c (series of rows). */
#ifndef CMD_QUERY_IMPL_H
#define CMD_QUERY_IMPL_H

#include "cmd/cmd.h"
#include "cmd/query.h"

struct query_opts {
	struct opt_list nodes, metrics;
	const char *since, *until, *job, *agg, *by, *svg;
	int64_t every_us;
	bool list, csv, json, table, plot, help;
};

/* What a command line comes to. */
struct query {
	const struct query_opts *o;
	const struct query_src_type *type;
	struct query_src *src;
	const char *path;
	struct query_cols cols; /* the schema's */
	const char **metrics;   /* columns to show, then those that series are made by */
	size_t n_metrics, n_all;
	struct query_ask ask;
	enum query_fn fn;
	enum query_by by;
	bool has_entry;
	struct query_agg *agg;
};

static inline enum query_form query_form_of(const struct query_opts *o)
{
	return o->csv ? FORM_CSV : o->json ? FORM_JSON : FORM_TABLE;
}

/* -- query_cols.c -------------------------------------------------------------------------------------------------- */

const struct query_col *query_col_find(const struct query *q, const char *name);
/* Those that are asked for, or all of them; `numbers`: of numbers only. */
int query_metrics_pick(struct query *q, bool numbers, struct err *err);
/* The columns behind the metrics, which tell series apart. */
int query_keys_pick(struct query *q, struct err *err);

/* -- query_series.c ------------------------------------------------------------------------------------------------ */

int query_series_show(struct query *q, struct err *err);

#endif
