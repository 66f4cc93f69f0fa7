/* function_csv.c - CSV files of what is computed from metrics, as ldmsd's store_function_csv makes them.
 *
 *	#Time,Time_usec,DT,DT_usec,ProducerName,component_id,job_id,TICK_DELTA,TICK_DELTA.Flag,TimeFlag
 *
 * Each row of a set becomes a row of its schema's definitions, which store csv writes: files, rolls and names are its.
 * DT is the time since the set's row before; the first one gives none.  Values are whole numbers that are not negative
 * (metrics with a fraction take no part); a Flag is 1 where one is not valid: it would be negative (a counter that
 * began anew), or a division by 0, or is made of such a one.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <uthash.h>

#include "core/base/log.h"
#include "core/base/unit.h"
#include "core/base/xalloc.h"
#include "store/csv_impl.h"
#include "store/fn_impl.h"
#include "store/row_impl.h"

#define SETS_MAX  100000 /* whose last rows are remembered, for one shape */
#define CELLS_MAX 65536  /* numbers in one row */

extern const struct store_type store_csv;

struct fn {
	struct csv csv; /* the first: what store csv takes for its own */
	struct fn_defs defs;
	uint64_t age_us;
};

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

struct fn_sink {
	struct fn *fn;
	struct store_sink *csv;
	struct fn_shape *shapes;
};

static const struct store_attr fn_attrs[] = {
	{ "path", NULL, "the folder below which files are written: PATH/CONTAINER/SCHEMA; required" },
	{ "ageusec", "0", "microseconds between two rows from which on TimeFlag is 1; 0: any time will do" },
	{ "altheader", "0", "1: the header goes to a file of its own, SCHEMA.HEADER" },
	{ "buffer", "1", "as of store csv" },
	{ "buffertype", NULL, "as of store csv" },
	{ "create_gid", NULL, "group of the files and folders that are made" },
	{ "create_perm", "0600", "mode of the files that are made, octal (folders: 0750)" },
	{ "create_uid", NULL, "owner of the files and folders that are made" },
	{ "derivedconf", NULL,
	  "the file of definitions, lines of SCHEMA NAME FUNCTION COUNT METRIC,METRIC... SCALE 0|1; required" },
	{ "keep", NULL, "how long files stay, as of store csv" },
	{ "rename_gid", NULL, "group of the files that are closed" },
	{ "rename_perm", NULL, "mode of the files that are closed, octal" },
	{ "rename_template", NULL, "what a closed file is called, as of store csv" },
	{ "rename_uid", NULL, "owner of the files that are closed" },
	{ "rollagain", NULL, "as of store csv" },
	{ "rollempty", "0", "as of store csv" },
	{ "rollover", NULL, "as of store csv" },
	{ "rolltype", NULL, "as of store csv" },
	{ 0 },
};

/* -- config -------------------------------------------------------------------------------------------------------- */

static int fn_config(struct store *st, struct err *err)
{
	struct fn *fn = store_state(st);
	const char *path = store_attr(st, "derivedconf");
	int rc;

	if (!path)
		return err_set(err, -EINVAL, "store %s: derivedconf is required: the file of definitions",
			       store_name(st));
	rc = store_attr_u64(st, "ageusec", 0, &fn->age_us, err);
	if (!rc)
		rc = (rc = fn_defs_load(path, &fn->defs, err))
			     ? err_prefix(err, rc, "store %s: derivedconf ", store_name(st))
			     : 0;
	if (!rc)
		rc = store_csv.config(st, err);
	if (rc)
		fn_defs_fini(&fn->defs);
	return rc;
}

static void fn_fini(struct store *st)
{
	struct fn *fn = store_state(st);

	store_csv.fini(st);
	fn_defs_fini(&fn->defs);
}

/* -- shapes -------------------------------------------------------------------------------------------------------- */

static bool is_whole(enum value_type type)
{
	enum value_type elem = value_elem_type(type);

	return elem >= V_U8 && elem <= V_S64;
}

static void shape_free(struct fn_shape *sh)
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

static int shape_new(struct fn_sink *sk, const struct row_schema *rs, struct err *err)
{
	struct fn_shape *sh = xcalloc(1, sizeof(*sh));
	const struct fn_defs *defs = &sk->fn->defs;

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
		shape_free(sh);
		return err_set(err, -EINVAL,
			       "schema %s: derivedconf defines nothing for it; add lines, or leave it to another store",
			       rs->name);
	}
	out_make(sh);
	sh->cell = xcalloc(sh->n_cell + 1, sizeof(*sh->cell));
	sh->v = xcalloc(sh->out->n_cols, sizeof(*sh->v));
	sh->next = sk->shapes;
	sk->shapes = sh;
	return 0;
}

static int shape_get(struct fn_sink *sk, const struct row_schema *rs, struct err *err)
{
	for (struct fn_shape **link = &sk->shapes, *sh; (sh = *link); link = &sh->next) {
		if (!row_schema_same(sh->in, rs))
			continue;
		*link = sh->next;
		sh->next = sk->shapes;
		sk->shapes = sh;
		return 0;
	}
	return shape_new(sk, rs, err);
}

/* -- numbers ------------------------------------------------------------------------------------------------------- */

static uint64_t scaled(double v, double scale)
{
	v *= scale;
	return v >= 0x1p64 ? UINT64_MAX : v > 0 ? (uint64_t)v : 0;
}

static uint64_t minus(uint64_t a, uint64_t b, uint64_t *flag)
{
	if (a >= b)
		return a - b;
	*flag = 1;
	return 0;
}

static uint64_t over(uint64_t a, uint64_t b, uint64_t *flag)
{
	if (b)
		return a / b;
	*flag = 1;
	return 0;
}

static uint64_t fold(enum fn_op op, uint64_t a, uint64_t b)
{
	switch (op) {
	case FN_MAX:
	case FN_MAX_N:
		return a > b ? a : b;
	case FN_MIN:
	case FN_MIN_N:
		return a < b ? a : b;
	default:
		return a + b;
	}
}

/* Number k of a term, before its scale; *flag is set when it is not valid. */
static uint64_t term_value(const struct fn_shape *sh, const struct fn_term *t, uint32_t k, const uint64_t *prev,
			   uint64_t *flag)
{
	const uint64_t *a = sh->cell + t->of[0], *b = t->def->n_of > 1 ? sh->cell + t->of[1] : a;
	uint64_t sum;

	switch (t->def->op) {
	case FN_DELTA:
	case FN_RATE:
		/* what is computed has no row before */
		if (t->of[0] >= sh->n_in) {
			*flag = 1;
			return 0;
		}
		return minus(a[k], prev[t->of[0] + k], flag);
	case FN_MAX:
	case FN_MIN:
	case FN_SUM:
	case FN_AVG:
		sum = a[0];
		for (uint32_t i = 1; i < t->dim[0]; i++)
			sum = fold(t->def->op, sum, a[i]);
		return t->def->op == FN_AVG ? sum / t->dim[0] : sum;
	case FN_SUM_N:
	case FN_AVG_N:
	case FN_MAX_N:
	case FN_MIN_N:
		sum = a[k];
		for (unsigned int i = 1; i < t->def->n_of; i++)
			sum = fold(t->def->op, sum, sh->cell[t->of[i] + k]);
		return t->def->op == FN_AVG_N ? sum / t->def->n_of : sum;
	case FN_SUB_AB:
		return minus(a[k], b[k], flag);
	case FN_MUL_AB:
		return a[k] * b[k];
	case FN_DIV_AB:
		return over(a[k], b[k], flag);
	case FN_SUM_VS:
		return a[k] + b[0];
	case FN_SUB_VS:
		return minus(a[k], b[0], flag);
	case FN_SUB_SV:
		return minus(a[0], b[k], flag);
	case FN_MUL_VS:
		return a[k] * b[0];
	case FN_DIV_VS:
		return over(a[k], b[0], flag);
	case FN_DIV_SV:
		return over(a[0], b[k], flag);
	default:
		return a[k];
	}
}

static void term_run(const struct fn_shape *sh, const struct fn_term *t, const uint64_t *prev, double dt)
{
	const struct fn_def *def = t->def;
	uint64_t *out = sh->cell + t->at, flag = 0;

	for (unsigned int i = 0; i < def->n_of; i++)
		if (t->of[i] >= sh->n_in) /* of another term: its flag is behind its numbers */
			flag |= sh->cell[t->of[i] + t->dim[i]];
	for (uint32_t k = 0; k < t->n; k++) {
		uint64_t v = term_value(sh, t, k, prev, &flag);

		if (def->op == FN_THRESH_GE)
			out[k] = (double)v >= def->scale;
		else if (def->op == FN_THRESH_LT)
			out[k] = (double)v < def->scale;
		else if (def->op == FN_RATE)
			out[k] = dt > 0 ? scaled((double)v / dt, def->scale) : 0;
		else
			out[k] = def->scale == 1 ? v : scaled((double)v, def->scale);
	}
	if (def->op == FN_RATE && dt <= 0)
		flag = 1;
	out[t->n] = flag;
}

/* -- rows ---------------------------------------------------------------------------------------------------------- */

static void cells_read(struct fn_shape *sh, const struct row *row)
{
	for (uint32_t c = 0; c < sh->in->n_cols; c++)
		for (uint32_t i = 0; sh->in_at[c] != UINT32_MAX && i < sh->in->cols[c].count; i++)
			sh->cell[sh->in_at[c] + i] = i < row->v[c].count ? value_u64(row->v[c], i) : 0;
}

static struct fn_prev *prev_get(struct fn_shape *sh, const char *instance, bool *ret_new)
{
	struct fn_prev *p, *tmp;
	size_t len = strlen(instance);

	HASH_FIND(hh, sh->prev, instance, len, p);
	*ret_new = !p;
	if (p)
		return p;
	if (HASH_COUNT(sh->prev) >= SETS_MAX) {
		log_warning("store", "schema %s: the rows before of %d sets are forgotten, to make room", sh->in->name,
			    SETS_MAX);
		HASH_ITER(hh, sh->prev, p, tmp) {
			HASH_DEL(sh->prev, p);
			free(p->v);
			free(p);
		}
	}
	p = xcalloc(1, sizeof(*p) + len + 1);
	memcpy(p->name, instance, len + 1);
	p->v = xcalloc(sh->n_in + 1, sizeof(*p->v));
	HASH_ADD_KEYPTR(hh, sh->prev, p->name, len, p);
	return p;
}

static struct value u64_value(const uint64_t *at)
{
	return (struct value){ V_U64, 1, (const uint8_t *)at };
}

/* The row of this moment; `p` is of the one before. */
static int row_make(struct fn_sink *sk, struct fn_shape *sh, const struct row *row, const struct fn_prev *p,
		    struct err *err)
{
	int64_t us = ((int64_t)row->ts_sec - p->sec) * SEC_US + (int64_t)row->ts_usec - p->usec, dt = us > 0 ? us : 0;
	const uint32_t now[2] = { htole32(row->ts_sec), htole32(row->ts_usec) };
	const uint32_t took[2] = { htole32((uint32_t)(dt / SEC_US)), htole32((uint32_t)(dt % SEC_US)) };
	const uint64_t time_flag = htole64(us <= 0 || (sk->fn->age_us && (uint64_t)us > sk->fn->age_us)), zero = 0;
	struct row out = { .schema = sh->out,
			   .producer = row->producer,
			   .instance = row->instance,
			   .ts_sec = row->ts_sec,
			   .ts_usec = row->ts_usec,
			   .v = sh->v,
			   .im = row->im };
	size_t n = 0;

	for (size_t i = 0; i < sh->n_terms; i++)
		term_run(sh, &sh->terms[i], p->v, (double)us / 1e6);
	for (uint32_t c = 0; c < sh->n_cell; c++)
		sh->cell[c] = htole64(sh->cell[c]);
	sh->v[n++] = (struct value){ V_TIMESTAMP, 1, (const uint8_t *)now };
	sh->v[n++] = (struct value){ V_TIMESTAMP, 1, (const uint8_t *)took };
	sh->v[n++] = (struct value){ V_CHAR_ARRAY, (uint32_t)strlen(row->producer), (const uint8_t *)row->producer };
	sh->v[n++] = u64_value(sh->component < 0 ? &zero : &sh->cell[sh->in_at[sh->component]]);
	sh->v[n++] = u64_value(sh->job < 0 ? &zero : &sh->cell[sh->in_at[sh->job]]);
	for (size_t i = 0; i < sh->n_terms; i++)
		for (uint32_t k = 0; sh->terms[i].def->written && k <= sh->terms[i].n; k++)
			sh->v[n++] = u64_value(&sh->cell[sh->terms[i].at + k]);
	sh->v[n++] = u64_value(&time_flag);
	return store_csv.row(sk->csv, &out, err);
}

static int fn_row(struct store_sink *sink, const struct row *row, struct err *err)
{
	struct fn_sink *sk = (struct fn_sink *)sink;
	int rc = shape_get(sk, row->schema, err);
	struct fn_shape *sh = sk->shapes;
	struct fn_prev *p;
	bool is_new;

	if (rc)
		return rc;
	p = prev_get(sh, row->instance, &is_new);
	cells_read(sh, row);
	if (!is_new)
		rc = row_make(sk, sh, row, p, err);
	if (rc) /* it is offered again */
		return rc;
	cells_read(sh, row);
	memcpy(p->v, sh->cell, sh->n_in * sizeof(*p->v));
	p->sec = row->ts_sec;
	p->usec = row->ts_usec;
	return 0;
}

static int fn_flush(struct store_sink *sink, struct err *err)
{
	return store_csv.flush(((struct fn_sink *)sink)->csv, err);
}

static int fn_open(struct store *st, const char *container, struct store_sink **ret, struct err *err)
{
	struct fn_sink *sk = xcalloc(1, sizeof(*sk));
	int rc = store_csv.open(st, container, &sk->csv, err);

	sk->fn = store_state(st);
	if (rc)
		free(sk);
	else
		*ret = (struct store_sink *)sk;
	return rc;
}

static void fn_close(struct store_sink *sink)
{
	struct fn_sink *sk = (struct fn_sink *)sink;

	store_csv.close(sk->csv);
	while (sk->shapes) {
		struct fn_shape *sh = sk->shapes;

		sk->shapes = sh->next;
		shape_free(sh);
	}
	free(sk);
}

const struct store_type store_function_csv = {
	.name = "function_csv",
	.brief = "text files of what is computed from metrics: rates, sums, thresholds",
	.attrs = fn_attrs,
	.dir_attr = "path",
	.state_size = sizeof(struct fn),
	.config = fn_config,
	.open = fn_open,
	.row = fn_row,
	.flush = fn_flush,
	.close = fn_close,
	.fini = fn_fini,
};
