/* query.h - the parts of `ldms query`: where rows come from, how they become series, how either is shown.
 *
 * A source (query_db.c, query_csv.c) gives rows; query_agg.c makes series of them; query_rows.c prints rows,
 * query_plot.c and query_svg.c draw series on the axes of query_axis.c.
 */
#ifndef CMD_QUERY_H
#define CMD_QUERY_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "core/base/buf.h"
#include "core/base/err.h"
#include "core/base/hostlist.h"

/* -- rows ---------------------------------------------------------------------------------------------------------- */

enum query_kind { QUERY_NONE, QUERY_INT, QUERY_REAL, QUERY_TEXT };

struct query_value {
	enum query_kind kind;
	union {
		int64_t i;
		double d;
		struct {
			const char *p; /* borrowed, not NUL-terminated */
			size_t len;
		} text;
	};
};

struct query_row {
	int64_t time_us;
	struct query_value producer; /* text */
	const struct query_value *v; /* of the columns asked for */
};

typedef int (*query_row_fn)(const struct query_row *row, void *arg); /* non-zero stops, and is returned */

struct query_col {
	char *name;
	char *type; /* "u64", "char[]" ...; "" when unknown */
	bool number;
};

struct query_cols {
	struct query_col *v;
	size_t n;
};

void query_cols_add(struct query_cols *c, const char *name, const char *type, bool number);
void query_cols_fini(struct query_cols *c);

/* What is asked for. */
struct query_ask {
	const char *schema;
	const char *const *cols; /* names as the source has them */
	size_t n_cols;
	struct hostlist nodes;      /* none: all */
	int64_t since_us, until_us; /* from the first, before the second */
	bool has_job;
	uint64_t job;
	bool ordered; /* by time */
};

struct query_src;
/* One kind of place that rows are in. */
struct query_src_type {
	int (*open)(const char *path, struct query_src **ret, struct err *err);
	void (*close)(struct query_src *s);
	/* The schemas, in alphabetical order, by their names alone. */
	int (*schemas)(struct query_src *s, struct query_cols *ret, struct err *err);
	/* -ENOENT with words (and what is near) where there is none of that name. */
	int (*columns)(struct query_src *s, const char *schema, struct query_cols *ret, struct err *err);
	/* The times of the first and of the last row; 0 and 0 when there is none. */
	int (*range)(struct query_src *s, const char *schema, int64_t *ret_first, int64_t *ret_last, struct err *err);
	int (*rows)(struct query_src *s, const struct query_ask *ask, query_row_fn fn, void *arg, struct err *err);
	/* As rows(), in any order, on up to n threads: row k of them is given to fn with args[k].  NULL: rows() does. */
	int (*rows_many)(struct query_src *s, const struct query_ask *ask, query_row_fn fn, void **args, size_t n,
			 struct err *err);
};
extern const struct query_src_type query_db, query_csv;

/* -- query_time.c -------------------------------------------------------------------------------------------------- */

/* "1h" (ago), "now", "2026-11-21", "2026-11-21 19:30[:05]" (or with a T), seconds since 1970. */
int query_time_parse(const char *text, int64_t now_us, int64_t *ret_us, struct err *err);
/* Local time: "2026-11-21 19:30:05.123456"; borrowed from `to`. */
#define QUERY_TIME_MAX 32
const char *query_time_text(int64_t us, char to[QUERY_TIME_MAX]);

/* -- query_agg.c: series ------------------------------------------------------------------------------------------- */

enum query_fn { AGG_AVG, AGG_COUNT, AGG_LAST, AGG_MAX, AGG_MIN, AGG_RATE, AGG_SUM, AGG_N };
extern const char *const query_fn_names[AGG_N + 1]; /* ended by NULL */

struct query_agg_conf {
	enum query_fn fn;
	int64_t begin_us, every_us; /* of the first slot; of each.  every_us 0: one slot for all */
	size_t n_slots, n_metrics;
	/* Who has a series: each node, each text of a column (behind the metrics: columns n_metrics), or all together. */
	enum query_by { BY_NODE, BY_NONE, BY_COLUMN } by;
	bool has_entry; /* behind these, a column that tells rows of one node and time apart: rates are of each */
};

struct query_agg;
int query_agg_new(const struct query_agg_conf *conf, struct query_agg **ret, struct err *err);
void query_agg_free(struct query_agg *a);
/* A query_row_fn.  -E2BIG when there would be too many cells. */
int query_agg_row(const struct query_row *row, void *agg);
/* Put what `from` has into `to`; not for rates. */
int query_agg_merge(struct query_agg *to, struct query_agg *from);
void query_agg_end(struct query_agg *a);
const struct query_agg_conf *query_agg_conf(const struct query_agg *a);

/* Groups in the order of their names. */
size_t query_agg_groups(const struct query_agg *a);
const char *query_agg_name(const struct query_agg *a, size_t group);
/* False: nothing was there. */
bool query_agg_at(const struct query_agg *a, size_t group, size_t metric, size_t slot, double *ret);

/* -- query_rows.c: tables, CSV, JSON ------------------------------------------------------------------------------- */

enum query_form { FORM_TABLE, FORM_CSV, FORM_JSON };
struct query_out;
/* A time, a name (called `who`; NULL: without) and columns. */
struct query_out *query_out_new(enum query_form form, FILE *to, const char *who, const char *const *cols, size_t n);
int query_out_row(const struct query_row *row, void *out); /* a query_row_fn */
void query_out_agg(struct query_out *o, const struct query_agg *a);
/* What is held back is printed, and it is freed.  rc: negative when reading the rows has failed. */
void query_out_end(struct query_out *o, int rc);

/* -- query_axis.c -------------------------------------------------------------------------------------------------- */

struct query_axis {
	double low, high, step; /* ticks at low, low + step, ... high */
};
/* Round numbers around [low, high], about n ticks. */
struct query_axis query_axis_values(double low, double high, unsigned int n);
/* Round times in [begin, end]: the first one, and the step between them, in microseconds; about n of them. */
int64_t query_axis_times(int64_t begin_us, int64_t end_us, unsigned int n, int64_t *ret_first);
/* A round interval that gives about n slots. */
int64_t query_axis_every(int64_t range_us, unsigned int n);
/* "1.5M", "12:30", "Nov 21" as the step asks for. */
#define QUERY_LABEL_MAX 32
const char *query_axis_value(double v, double step, char to[QUERY_LABEL_MAX]);
const char *query_axis_time(int64_t us, int64_t step_us, char to[QUERY_LABEL_MAX]);

/* Numbers whose differences are numbers. */
static inline bool query_drawable(double v)
{
	return v > -1e300 && v < 1e300;
}

/* A series to draw. */
struct query_line {
	char *name;
	size_t group, metric;
	size_t gap; /* slots between two points that are joined, at most */
};
struct query_chart {
	const struct query_agg *agg;
	const char *title, *unit;
	struct query_line *lines; /* those with any value */
	size_t n;
	double low, high; /* of the values */
};
void query_chart_init(struct query_chart *c, const struct query_agg *a, const char *const *metrics);
void query_chart_fini(struct query_chart *c);

/* -- query_plot.c, query_svg.c ------------------------------------------------------------------------------------- */

void query_plot(FILE *to, const struct query_chart *c, unsigned int width, unsigned int height, bool colours);
void query_svg(struct buf *to, const struct query_chart *c);

#endif
