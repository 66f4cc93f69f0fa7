/* plan.c - a cluster file as a whole: daemons, groups, who collects from whom; the lines and the picture of all of them,
 * whoever is alive; and the same file converted, which is YAML again, with the same daemons. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/xalloc.h"
#include "core/ctl/line.h"
#include "core/maestro/convert.h"
#include "core/maestro/graph.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define DAEMONS_MAX 50 /* whose lines are looked at */
#define SHARED_MAX  2000

static void on_note(void *arg, const struct conf_note *note)
{
	(void)arg;
	if (!note->words || !note->file || !note->line || !note->col)
		abort();
}

/* Every other one. */
static bool alive(void *arg, size_t daemon)
{
	(void)arg;
	return daemon % 2;
}

static void lines_check(const char *lines)
{
	char *copy = xstrdup(lines), *at = copy;

	for (char *ln; (ln = strsep(&at, "\n"));) {
		struct line l;
		struct err err;

		if (!line_split(&l, ln, &err))
			line_fini(&l);
	}
	free(copy);
}

static size_t looked_at(const struct plan *p)
{
	struct share *s = share_new(p, NULL);
	struct buf b = { 0 };
	size_t prdcrs = 0;

	for (size_t i = 0; i < p->n_groups; i++)
		prdcrs += p->groups[i].n_prdcrs;
	share_settle(s, p, alive, NULL, NULL);
	for (size_t i = 0; i < p->n_daemons && i < DAEMONS_MAX && prdcrs < SHARED_MAX; i++) {
		buf_reset(&b);
		plan_lines(p, i, s, i % 2 ? PLAN_STANDBY : 0, &b);
		lines_check(buf_str(&b));
	}
	buf_reset(&b);
	graph_text(p, s, &b);
	graph_dot(p, s, &b);
	buf_fini(&b);
	share_free(s);
	return p->n_daemons;
}

static void converted(const char *text, size_t daemons)
{
	unsigned int line, col;
	const struct yaml_node *root;
	struct yaml *y = NULL;
	struct plan *p = NULL;
	struct buf b = { 0 };
	struct err err;

	if (yaml_tree_parse(text, strlen(text), &y, &root, &line, &col, &err))
		return;
	if (!convert(root, NULL, NULL, &b, &err)) {
		struct yaml *again = NULL;

		if (yaml_tree_parse(buf_str(&b), b.len, &again, &root, &line, &col, &err))
			abort();
		yaml_tree_free(again);
		if (daemons &&
		    (plan_parse("new", buf_str(&b), b.len, on_note, NULL, &p, &err) || p->n_daemons != daemons))
			abort();
		plan_free(p);
	}
	yaml_tree_free(y);
	buf_fini(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = xstrndup((const char *)data, size);
	struct plan *p = NULL;
	size_t daemons = 0;
	struct err err;

	if (!plan_parse("fuzz", text, strlen(text), on_note, NULL, &p, &err))
		daemons = looked_at(p);
	plan_free(p);
	converted(text, daemons);
	free(text);
	return 0;
}
