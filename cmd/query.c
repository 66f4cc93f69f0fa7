/* query.c - `ldms query`: stored rows as tables and pictures */
#include "cmd/query.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "core/base/clock.h"
#include "core/base/str.h"
#include "core/base/unit.h"
#include "core/base/xalloc.h"

#define THREADS_MAX  8
#define COLUMNS_DFLT 80
#define PLOT_HEIGHT  16
#define SVG_SLOTS    430 /* one every two pixels */
#define BY_NODE_WORD "node"
#define BY_NONE_WORD "none"
#define ENTRY_SUFFIX "_entry_idx" /* of the column that numbers the entries of a list */
#define EXIT_NO_ROWS 8            /* nothing matches, as with ldms ls */

struct query_opts {
	struct opt_list nodes, metrics;
	const char *since, *until, *job, *agg, *by, *svg;
	int64_t every_us;
	bool list, csv, json, table, plot, help;
};
#define Q(field) offsetof(struct query_opts, field)

static const struct opt opts[] = {
	{ 0, "agg", OPT_TEXT, "FN", Q(agg), "avg, count, last, max, min, rate or sum of each slot of --every (avg)" },
	{ 0, "by", OPT_TEXT, "WHO", Q(by),
	  "series of each node, none: one of all nodes, or of each text of that column (node)" },
	{ 0, "csv", OPT_FLAG, NULL, Q(csv), "print comma-separated values; times are seconds since 1970" },
	{ 0, "every", OPT_TIME, "TIME", Q(every_us),
	  "slots of time; with --agg, --by or a picture alone: what fits (rows as they are)" },
	{ 0, "help", OPT_FLAG, NULL, Q(help), "print the options" },
	{ 0, "job", OPT_TEXT, "N", Q(job), "only rows with this job_id" },
	{ 0, "json", OPT_FLAG, NULL, Q(json), "print a JSON array of objects" },
	{ 'l', "list", OPT_FLAG, NULL, Q(list), "list the metrics, and their types" },
	{ 'm', "metric", OPT_LIST, "LIST", Q(metrics), "these metrics, separated by commas (all)" },
	{ 'n', "node", OPT_LIST, "LIST", Q(nodes), "only these producers, as n[1-8] (all)" },
	{ 0, "plot", OPT_FLAG, NULL, Q(plot), "draw into the terminal" },
	{ 0, "since", OPT_TEXT, "WHEN", Q(since),
	  "from then on: 1h (ago), 2026-11-21, \"2026-11-21 19:30\", seconds since 1970 (the first row)" },
	{ 0, "svg", OPT_TEXT, "FILE", Q(svg), "draw into a picture; - is standard output" },
	{ 0, "table", OPT_FLAG, NULL, Q(table), "print a table, as without --csv, --json, --plot, --svg" },
	{ 0, "until", OPT_TEXT, "WHEN", Q(until), "before then (the last row)" },
	{ 0 },
};

const struct cmd_usage usage_query = {
	.synopsis = "ldms query PATH\n"
		    "ldms query [option ...] PATH SCHEMA",
	.brief = "stored rows as tables, plots and pictures",
	.about = "Reads what `--to sqlite:FILE` or `--to csv:DIR` stored, also while it is being stored.  PATH is the "
		 "file, "
		 "or the folder; without SCHEMA the schemas and their metrics are listed.",
	.opts = opts,
	.examples = "ldms query ldms.db\n"
		    "ldms query ldms.db meminfo --metric MemFree,Active --since 1h\n"
		    "ldms query ldms.db loadavg --metric load1min --node 'n[1-8]' --since 1d --plot\n"
		    "ldms query ldms.db procnetdev2 --metric netdev_list_rx_bytes --agg rate --by none --svg rx.svg\n"
		    "ldms query ldms.db meminfo --metric Active --job 17 --every 10s --agg max --csv",
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

void query_cols_add(struct query_cols *c, const char *name, const char *type, bool number)
{
	c->v = xrealloc(c->v, (c->n + 1) * sizeof(*c->v));
	c->v[c->n++] = (struct query_col){ xstrdup(name), xstrdup(type), number };
}

void query_cols_fini(struct query_cols *c)
{
	for (size_t i = 0; i < c->n; i++) {
		free(c->v[i].name);
		free(c->v[i].type);
	}
	free(c->v);
	*c = (struct query_cols){ 0 };
}

/* -- what there is ------------------------------------------------------------------------------------------------- */

static int list_metrics(struct query *q, const char *schema, struct err *err)
{
	struct query_cols cols = { 0 };
	int rc = q->type->columns(q->src, schema, &cols, err);

	for (size_t i = 0; !rc && i < cols.n; i++)
		printf("    %-10s %s\n", cols.v[i].type, cols.v[i].name);
	query_cols_fini(&cols);
	return rc;
}

static int list_schema(struct query *q, const char *schema, bool metrics, struct err *err)
{
	char from[QUERY_TIME_MAX], to[QUERY_TIME_MAX];
	int64_t first, last;
	int rc = q->type->range(q->src, schema, &first, &last, err);

	if (rc)
		return rc;
	query_time_text(first / SEC_US * SEC_US, from);
	query_time_text(last / SEC_US * SEC_US, to);
	printf(first || last ? "%s: %s to %s\n" : "%s: no rows\n", schema, from, to);
	return metrics ? list_metrics(q, schema, err) : 0;
}

static int list(struct query *q, const char *schema, struct err *err)
{
	struct query_cols names = { 0 };
	int rc;

	if (schema) {
		rc = q->type->columns(q->src, schema, &names, err);
		query_cols_fini(&names);
		return rc ? rc : list_schema(q, schema, true, err);
	}
	rc = q->type->schemas(q->src, &names, err);
	for (size_t i = 0; !rc && i < names.n; i++)
		rc = list_schema(q, names.v[i].name, true, err);
	if (!rc && !names.n)
		rc = err_set(err, -ENOENT, "%s: holds no schema; name what a daemon's --to names", q->path);
	query_cols_fini(&names);
	return rc;
}

/* -- which columns ------------------------------------------------------------------------------------------------- */

static const struct query_col *col_find(const struct query *q, const char *name)
{
	for (size_t i = 0; i < q->cols.n; i++)
		if (!strcmp(q->cols.v[i].name, name))
			return &q->cols.v[i];
	return NULL;
}

static int col_unknown(const struct query *q, const char *name, struct err *err)
{
	const char **names = xcalloc(q->cols.n + 1, sizeof(*names)), *near;
	int rc;

	for (size_t i = 0; i < q->cols.n; i++)
		names[i] = q->cols.v[i].name;
	near = nearest(name, names);
	rc = err_set(err, -ENOENT, "%s: schema %s has no metric '%s'%s%s%s", q->path, q->ask.schema, name,
		     near ? "; did you mean '" : "; `ldms query --list` lists them", near ? near : "",
		     near ? "'?" : "");
	free(names);
	return rc;
}

static int metric_add(struct query *q, const char *name, struct err *err)
{
	const struct query_col *c = col_find(q, name);

	if (!c)
		return col_unknown(q, name, err);
	q->metrics = xrealloc(q->metrics, (q->n_all + 1) * sizeof(*q->metrics));
	q->metrics[q->n_all++] = c->name;
	return 0;
}

static int metrics_pick(struct query *q, bool numbers, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < q->o->metrics.n; i++) {
		char *words = xstrdup(q->o->metrics.v[i]), *at = words, *word;

		while (!rc && (word = strsep(&at, ",")))
			rc = *word ? metric_add(q, word, err) : 0;
		free(words);
	}
	for (size_t i = 0; !rc && !q->o->metrics.n && i < q->cols.n; i++)
		if (!numbers || q->cols.v[i].number)
			rc = metric_add(q, q->cols.v[i].name, err);
	for (size_t i = 0; !rc && numbers && i < q->n_all; i++)
		if (!col_find(q, q->metrics[i])->number)
			rc = err_set(err, -EINVAL,
				     "%s: metric %s is text, which no series can be made of; leave it out", q->path,
				     q->metrics[i]);
	q->n_metrics = q->n_all;
	return rc;
}

/* The columns behind the metrics, which tell series apart. */
static int keys_pick(struct query *q, struct err *err)
{
	const char *by = q->o->by ? q->o->by : BY_NODE_WORD;
	int rc = 0;

	q->by = !strcmp(by, BY_NODE_WORD) ? BY_NODE : !strcmp(by, BY_NONE_WORD) ? BY_NONE : BY_COLUMN;
	if (q->by == BY_COLUMN)
		rc = metric_add(q, by, err);
	for (size_t i = 0; !rc && !q->has_entry && i < q->cols.n; i++) {
		size_t len = strlen(q->cols.v[i].name), end = strlen(ENTRY_SUFFIX);

		q->has_entry = len > end && !strcmp(q->cols.v[i].name + len - end, ENTRY_SUFFIX);
		if (q->has_entry)
			rc = metric_add(q, q->cols.v[i].name, err);
	}
	return rc;
}

/* -- what is asked for --------------------------------------------------------------------------------------------- */

static int time_opt(const char *name, const char *text, int64_t dflt, int64_t *ret, struct err *err)
{
	int rc = 0;

	*ret = dflt;
	if (text)
		rc = query_time_parse(text, wall_us(), ret, err);
	return rc ? err_prefix(err, rc, "option --%s: ", name) : 0;
}

static int nodes_pick(struct query *q, struct err *err)
{
	struct buf all = { 0 };
	int rc = 0;

	for (size_t i = 0; i < q->o->nodes.n; i++)
		buf_addf(&all, "%s ", q->o->nodes.v[i]);
	if (q->o->nodes.n)
		rc = hostlist_parse(buf_str(&all), &q->ask.nodes, err);
	buf_fini(&all);
	return rc ? err_prefix(err, rc, "option --node: ") : 0;
}

static int fn_pick(struct query *q, struct err *err)
{
	if (!q->o->agg)
		return 0;
	for (q->fn = 0; q->fn < AGG_N; q->fn++)
		if (!strcmp(query_fn_names[q->fn], q->o->agg))
			return 0;
	return err_set(err, -EINVAL,
		       "option --agg: no function '%s'; there are avg, count, last, max, min, rate and sum", q->o->agg);
}

static int ask_make(struct query *q, const char *schema, struct err *err)
{
	const struct query_opts *o = q->o;
	int rc;

	q->ask.schema = schema;
	rc = time_opt("since", o->since, INT64_MIN, &q->ask.since_us, err);
	if (!rc)
		rc = time_opt("until", o->until, INT64_MAX, &q->ask.until_us, err);
	if (!rc && o->job) {
		rc = unit_u64(o->job, &q->ask.job, err);
		q->ask.has_job = true;
		rc = rc ? err_prefix(err, rc, "option --job: ") : 0;
	}
	if (!rc && o->every_us < 0)
		rc = err_set(err, -EINVAL, "option --every: must be more than 0, as 10s");
	if (!rc)
		rc = fn_pick(q, err);
	if (!rc)
		rc = nodes_pick(q, err);
	if (!rc)
		rc = q->type->columns(q->src, schema, &q->cols, err);
	if (!rc && o->job && !col_find(q, "job_id"))
		rc = err_set(err, -ENOENT, "%s: schema %s has no job_id; leave --job out", q->path, schema);
	return rc;
}

static enum query_form form_of(const struct query_opts *o)
{
	return o->csv ? FORM_CSV : o->json ? FORM_JSON : FORM_TABLE;
}

static int rows_show(struct query *q, struct err *err)
{
	struct query_out *out;
	int rc = metrics_pick(q, false, err);

	if (rc)
		return rc;
	q->ask.cols = q->metrics;
	q->ask.n_cols = q->n_metrics;
	q->ask.ordered = true;
	out = query_out_new(form_of(q->o), stdout, "producer", q->metrics, q->n_metrics);
	rc = q->type->rows(q->src, &q->ask, query_out_row, out, err);
	query_out_end(out);
	return rc > 0 ? 0 : rc; /* nobody reads on */
}

/* -- series -------------------------------------------------------------------------------------------------------- */

static unsigned int terminal_columns(void)
{
	const char *env = getenv("COLUMNS");
	struct winsize ws;

	if (!ioctl(STDOUT_FILENO, TIOCGWINSZ, &ws) && ws.ws_col)
		return ws.ws_col;
	return env && atoi(env) > 0 && atoi(env) < 1000 ? (unsigned int)atoi(env) : COLUMNS_DFLT;
}

/* Slots of time that hold all that is asked for. */
static int slots_make(struct query *q, struct query_agg_conf *conf, struct err *err)
{
	unsigned int want = q->o->svg ? SVG_SLOTS : 2 * terminal_columns();
	bool picture = q->o->svg || q->o->plot;
	int64_t first, last;
	int rc = q->type->range(q->src, q->ask.schema, &first, &last, err);

	if (rc)
		return rc;
	first = q->ask.since_us > first ? q->ask.since_us : first;
	last = q->ask.until_us <= last ? q->ask.until_us - 1 : last;
	if (last < first)
		last = first;
	conf->every_us = q->o->every_us;
	if (!conf->every_us && picture)
		conf->every_us = query_axis_every(last - first, want);
	conf->begin_us = conf->every_us ? first / conf->every_us * conf->every_us : first;
	conf->n_slots = conf->every_us ? (size_t)((last - conf->begin_us) / conf->every_us) + 1 : 1;
	return 0;
}

static unsigned int threads_for(const struct query *q)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);

	if (!q->type->rows_many || q->fn == AGG_RATE)
		return 1;
	return cores < 1 ? 1 : cores > THREADS_MAX ? THREADS_MAX : (unsigned int)cores;
}

static int series_read(struct query *q, const struct query_agg_conf *conf, struct err *err)
{
	unsigned int n = threads_for(q);
	void *aggs[THREADS_MAX] = { NULL };
	int rc = 0;

	for (unsigned int i = 0; !rc && i < n; i++)
		rc = query_agg_new(conf, (struct query_agg **)&aggs[i], err);
	q->ask.ordered = q->fn == AGG_RATE;
	if (!rc && n > 1)
		rc = q->type->rows_many(q->src, &q->ask, query_agg_row, aggs, n, err);
	else if (!rc)
		rc = q->type->rows(q->src, &q->ask, query_agg_row, aggs[0], err);
	for (unsigned int i = 1; !rc && i < n; i++)
		rc = query_agg_merge(aggs[0], aggs[i]);
	if (rc == -E2BIG)
		err_set(err, rc,
			"%s: these are too many series and slots of time; make --every longer, name nodes and "
			"metrics, or use --by none",
			q->path);
	for (unsigned int i = rc ? 0 : 1; i < n; i++)
		query_agg_free(aggs[i]);
	if (rc)
		return rc;
	query_agg_end(aggs[0]);
	q->agg = aggs[0];
	return 0;
}

static int svg_write(const char *path, const struct query_chart *c, struct err *err)
{
	FILE *f = strcmp(path, "-") ? fopen(path, "we") : stdout;
	struct buf b = { 0 };
	int rc = 0;

	if (!f)
		return err_set(err, -errno, "file %s: cannot be written: %s", path, err_name(errno));
	query_svg(&b, c);
	if (fwrite(b.p, 1, b.len, f) != b.len || fflush(f))
		rc = err_set(err, -errno, "file %s: cannot be written: %s", path, err_name(errno));
	if (f != stdout)
		fclose(f);
	buf_fini(&b);
	return rc;
}

static int chart_show(struct query *q, struct err *err)
{
	struct buf title = { 0 };
	struct query_chart c;
	int rc = 0;

	query_chart_init(&c, q->agg, q->metrics);
	buf_addf(&title, "%s", q->ask.schema);
	for (size_t i = 0; i < q->n_metrics && i < 4; i++)
		buf_addf(&title, "%s%s", i ? ", " : ": ", q->metrics[i]);
	c.title = buf_str(&title);
	c.unit = q->fn == AGG_RATE ? "rate, 1/s" : query_fn_names[q->fn];
	if (!c.n)
		rc = err_set(err, -ENOENT,
			     "%s: no values of schema %s match; see which there are with `ldms query --list`", q->path,
			     q->ask.schema);
	if (!rc && q->o->svg)
		rc = svg_write(q->o->svg, &c, err);
	if (!rc && q->o->plot)
		query_plot(stdout, &c, terminal_columns(), PLOT_HEIGHT, isatty(STDOUT_FILENO) && !getenv("NO_COLOR"));
	query_chart_fini(&c);
	buf_fini(&title);
	return rc;
}

static int series_show(struct query *q, struct err *err)
{
	struct query_agg_conf conf = { .fn = q->fn };
	const struct query_opts *o = q->o;
	struct query_out *out;
	int rc = metrics_pick(q, true, err);

	if (!rc)
		rc = keys_pick(q, err);
	if (!rc)
		rc = slots_make(q, &conf, err);
	if (rc)
		return rc;
	q->ask.cols = q->metrics;
	q->ask.n_cols = q->n_all;
	conf.n_metrics = q->n_metrics;
	conf.by = q->by;
	conf.has_entry = q->has_entry;
	rc = series_read(q, &conf, err);
	if (rc)
		return rc;
	if (o->plot || o->svg)
		return chart_show(q, err);
	out = query_out_new(form_of(o), stdout,
			    q->by == BY_NONE   ? NULL
			    : q->by == BY_NODE ? "producer"
					       : o->by,
			    q->metrics, q->n_metrics);
	query_out_agg(out, q->agg);
	query_out_end(out);
	return 0;
}

/* -- the command --------------------------------------------------------------------------------------------------- */

static int query_run(struct query *q, const char *schema, struct err *err)
{
	const struct query_opts *o = q->o;
	struct stat st;
	int rc;

	if (stat(q->path, &st))
		return err_set(err, -errno, "%s: %s; name the file or the folder that a daemon's --to names", q->path,
			       err_name(errno));
	q->type = S_ISDIR(st.st_mode) ? &query_csv : &query_db;
	rc = q->type->open(q->path, &q->src, err);
	if (rc)
		return rc;
	if (o->list || !schema)
		return list(q, schema, err);
	rc = ask_make(q, schema, err);
	if (rc)
		return rc;
	return o->every_us || o->agg || o->by || o->plot || o->svg ? series_show(q, err) : rows_show(q, err);
}

static int operands_check(const struct query_opts *o, int n, struct err *err)
{
	if (n < 1)
		return err_set(err, -EINVAL, "name the database, or the folder of CSV files");
	if (n > 2)
		return err_set(err, -EINVAL, "one PATH and one SCHEMA go there; lists want quotes or commas");
	if (o->csv + o->json + o->table + o->plot > 1)
		return err_set(err, -EINVAL, "one of --csv, --json, --plot and --table goes there");
	return 0;
}

int cmd_query(int argc, char **argv)
{
	struct query_opts o = { 0 };
	struct query q = { .o = &o };
	struct err err = { "" };
	int n = opt_parse(opts, argc, argv, &o, &err), rc = n < 0 ? n : 0;

	if (!rc && o.help) {
		opt_help(stdout, &usage_query);
		goto out;
	}
	if (!rc)
		rc = operands_check(&o, n, &err);
	if (rc) {
		fprintf(stderr, "ldms query: %s; `ldms help query` says more\n", err.msg);
		goto out;
	}
	q.path = argv[1];
	rc = query_run(&q, n > 1 ? argv[2] : NULL, &err);
	if (rc)
		fprintf(stderr, "ldms query: %s\n", err.msg);
out:
	if (q.src)
		q.type->close(q.src);
	query_agg_free(q.agg);
	query_cols_fini(&q.cols);
	hostlist_fini(&q.ask.nodes);
	free(q.metrics);
	opt_list_fini(&o.nodes);
	opt_list_fini(&o.metrics);
	return rc == -ENOENT ? EXIT_NO_ROWS : rc ? 1 : 0;
}
