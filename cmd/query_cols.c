/* query_cols.c - columns of stored rows, and which of them `ldms query` shows */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/query_impl.h"
#include "core/base/str.h"
#include "core/base/xalloc.h"

#define BY_NODE_WORD "node"
#define BY_NONE_WORD "none"
#define ENTRY_SUFFIX "_entry_idx" /* of the column that numbers the entries of a list */

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

const struct query_col *query_col_find(const struct query *q, const char *name)
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
	const struct query_col *c = query_col_find(q, name);

	if (!c)
		return col_unknown(q, name, err);
	q->metrics = xrealloc(q->metrics, (q->n_all + 1) * sizeof(*q->metrics));
	q->metrics[q->n_all++] = c->name;
	return 0;
}

int query_metrics_pick(struct query *q, bool numbers, struct err *err)
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
		if (!query_col_find(q, q->metrics[i])->number)
			rc = err_set(err, -EINVAL,
				     "%s: metric %s is text, which no series can be made of; leave it out", q->path,
				     q->metrics[i]);
	q->n_metrics = q->n_all;
	return rc;
}

int query_keys_pick(struct query *q, struct err *err)
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
