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
#include <stdlib.h>

#include "core/base/log.h"
#include "core/base/unit.h"
#include "core/base/xalloc.h"
#include "store/csv_impl.h"
#include "store/fn_impl.h"

#define SETS_MAX 100000 /* whose last rows are remembered, for one shape */

extern const struct store_type store_csv;

struct fn {
	struct csv csv; /* the first: what store csv takes for its own */
	struct fn_defs defs;
	uint64_t age_us;
};

struct fn_sink {
	struct fn *fn;
	struct store_sink *csv;
	struct fn_shape *shapes;
};

static const struct store_attr fn_attrs[] = {
	{ "path", NULL, "the folder below which files are written: PATH/CONTAINER/SCHEMA; required", "folder" },
	{ "ageusec", "0", "microseconds between two rows from which on TimeFlag is 1; 0: any time will do", "number" },
	{ "altheader", "0", "1: the header goes to a file of its own, SCHEMA.HEADER", "boolean" },
	{ "buffer", "1", "as of store csv", "number" },
	{ "buffertype", NULL, "as of store csv", "3|4" },
	{ "create_gid", NULL, "group of the files and folders that are made", "number" },
	{ "create_perm", "0600", "mode of the files that are made, octal (folders: 0750)", "octal" },
	{ "create_uid", NULL, "owner of the files and folders that are made", "number" },
	{ "derivedconf", NULL,
	  "the file of definitions, lines of SCHEMA NAME FUNCTION COUNT METRIC,METRIC... SCALE 0|1; required", "file" },
	{ "keep", NULL, "how long files stay, as of store csv", "time/size" },
	{ "rename_gid", NULL, "group of the files that are closed", "number" },
	{ "rename_perm", NULL, "mode of the files that are closed, octal", "octal" },
	{ "rename_template", NULL, "what a closed file is called, as of store csv", "template" },
	{ "rename_uid", NULL, "owner of the files that are closed", "number" },
	{ "rollagain", NULL, "as of store csv", "number" },
	{ "rollempty", "0", "as of store csv", "boolean" },
	{ "rollover", NULL, "as of store csv", "number" },
	{ "rolltype", NULL, "as of store csv", "1|2|3|4|5" },
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

/* -- rows ---------------------------------------------------------------------------------------------------------- */

/* See that the shape of these rows is the first one. */
static int shape_get(struct fn_sink *sk, const struct row_schema *rs, struct err *err)
{
	struct fn_shape *sh;
	int rc;

	for (struct fn_shape **link = &sk->shapes; (sh = *link); link = &sh->next) {
		if (!row_schema_same(sh->in, rs))
			continue;
		*link = sh->next;
		sh->next = sk->shapes;
		sk->shapes = sh;
		return 0;
	}
	rc = fn_shape_new(&sk->fn->defs, rs, &sh, err);
	if (rc)
		return rc;
	sh->next = sk->shapes;
	sk->shapes = sh;
	return 0;
}

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
		fn_term_run(sh, &sh->terms[i], p->v, (double)us / 1e6);
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

static void fn_undo(struct store_sink *sink, struct undo *undo)
{
	store_csv.undo(((struct fn_sink *)sink)->csv, undo);
}

static void fn_close(struct store_sink *sink)
{
	struct fn_sink *sk = (struct fn_sink *)sink;

	store_csv.close(sk->csv);
	while (sk->shapes) {
		struct fn_shape *sh = sk->shapes;

		sk->shapes = sh->next;
		fn_shape_free(sh);
	}
	free(sk);
}

static const struct store_about function_csv_about = {
	.example = "load name=fn plugin=function_csv\n"
		   "config name=fn path=/var/lib/ldms/fn derivedconf=/etc/ldms/derived.conf\n"
		   "strgp_add name=fn plugin=fn container=rates schema=vmstat\n"
		   "strgp_start name=fn\n",
	.flush = "as store csv",
	.once = "with a spool, rows that were written, and come again after a kill, are cut off the files first, so "
		"that each is there once; after "
		"a restart the first row of a set gives nothing: differences begin with the second",
};

const struct store_type store_function_csv = {
	.name = "function_csv",
	.brief = "text files of what is computed from metrics: rates, sums, thresholds",
	.about = &function_csv_about,
	.attrs = fn_attrs,
	.dir_attr = "path",
	.state_size = sizeof(struct fn),
	.config = fn_config,
	.open = fn_open,
	.undo = fn_undo,
	.row = fn_row,
	.flush = fn_flush,
	.close = fn_close,
	.fini = fn_fini,
};
