/* query.c - `ldms query`: stored rows as tables and pictures */
#include "cmd/query_impl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "cmd/held_out.h"
#include "core/base/clock.h"
#include "core/base/term.h"
#include "core/base/unit.h"

#define EXIT_NO_ROWS 8 /* nothing matches, as with ldms ls */

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
		 "file, or the folder; without SCHEMA the schemas and their metrics are listed.",
	.opts = opts,
	.examples = "ldms query ldms.db\n"
		    "ldms query ldms.db meminfo --metric MemFree,Active --since 1h\n"
		    "ldms query ldms.db loadavg --metric load1min --node 'n[1-8]' --since 1d --plot\n"
		    "ldms query ldms.db procnetdev2 --metric netdev_list_rx_bytes --agg rate --by none --svg rx.svg\n"
		    "ldms query ldms.db meminfo --metric Active --job 17 --every 10s --agg max --csv",
};

/* Names are those of whoever was stored. */
static void print_name(FILE *to, const char *name)
{
	struct buf b = { 0 };

	term_put(&b, name, strlen(name), TERM_LINE);
	fputs(buf_str(&b), to);
	buf_fini(&b);
}

/* -- what there is ------------------------------------------------------------------------------------------------- */

static int list_metrics(struct query *q, const char *schema, struct err *err)
{
	struct query_cols cols = { 0 };
	int rc = q->type->columns(q->src, schema, &cols, err);

	for (size_t i = 0; !rc && i < cols.n; i++) {
		printf("    %-10s ", cols.v[i].type);
		print_name(stdout, cols.v[i].name);
		putchar('\n');
	}
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
	print_name(stdout, schema);
	printf(first || last ? ": %s to %s\n" : ": no rows\n", from, to);
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

static void query_src_close(struct query *q)
{
	if (q->src)
		q->type->close(q->src);
	q->src = NULL;
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
	if (!rc && o->job && !query_col_find(q, "job_id"))
		rc = err_set(err, -ENOENT, "%s: schema %s has no job_id; leave --job out", q->path, schema);
	return rc;
}

/* The rows are read while they are printed, and a database that is read keeps its log, however large that becomes: a pager
 * that is left open must not hold the reading up. */
static int rows_show(struct query *q, struct err *err)
{
	struct query_out *out;
	int rc = query_metrics_pick(q, false, err);
	FILE *to;
	bool bad;

	if (rc)
		return rc;
	to = held_out_new(STDOUT_FILENO);
	if (!to)
		return err_set(err, -ENOMEM, "no memory");
	q->ask.cols = q->metrics;
	q->ask.n_cols = q->n_metrics;
	q->ask.ordered = true;
	out = query_out_new(query_form_of(q->o), to, "producer", q->metrics, q->n_metrics);
	rc = q->type->rows(q->src, &q->ask, query_out_row, out, err);
	query_out_end(out, rc);
	query_src_close(q); /* whoever reads the rest does not need it */
	/* stopped by the output: that says why */
	bad = ferror(to);
	bad |= fclose(to) != 0;
	if (bad && rc >= 0)
		return err_set(err, -EIO, "the rows could not all be printed: %s", err_name(-errno));
	return rc;
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
	return o->every_us || o->agg || o->by || o->plot || o->svg ? query_series_show(q, err) : rows_show(q, err);
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
	if (rc) {
		fputs("ldms query: ", stderr);
		print_name(stderr, err.msg);
		fputc('\n', stderr);
	}
out:
	query_src_close(&q);
	query_agg_free(q.agg);
	query_cols_fini(&q.cols);
	hostlist_fini(&q.ask.nodes);
	free(q.metrics);
	opt_list_fini(&o.nodes);
	opt_list_fini(&o.metrics);
	return rc == -ENOENT ? EXIT_NO_ROWS : rc ? 1 : 0;
}
