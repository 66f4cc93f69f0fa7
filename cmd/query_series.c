/* query_series.c - `ldms query` with series: rows put together by node and time, and shown */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cmd/query_impl.h"
#include "core/base/unit.h"

#define THREADS_MAX  8
#define COLUMNS_DFLT 80
#define PLOT_HEIGHT  16
#define SVG_SLOTS    430 /* one every two pixels */

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

int query_series_show(struct query *q, struct err *err)
{
	struct query_agg_conf conf = { .fn = q->fn };
	const struct query_opts *o = q->o;
	struct query_out *out;
	int rc = query_metrics_pick(q, true, err);

	if (!rc)
		rc = query_keys_pick(q, err);
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
	out = query_out_new(query_form_of(o), stdout,
			    q->by == BY_NONE   ? NULL
			    : q->by == BY_NODE ? "producer"
					       : o->by,
			    q->metrics, q->n_metrics);
	query_out_agg(out, q->agg);
	query_out_end(out, 0);
	return 0;
}
