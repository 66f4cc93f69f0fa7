/* graph.c - see graph.h
 *
 * Aggregators are drawn one by one, those that collect from nobody in few words: samp-[1-1000].  Who is collected from by
 * several is drawn whole where he is met first.
 */
#include "core/maestro/graph.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/hostlist.h"
#include "core/base/xalloc.h"

#define LEAVES_MAX 300 /* bytes of names on a line */

struct edge {
	size_t agg, from; /* daemons: who collects from whom */
};

struct graph {
	const struct plan *p;
	struct buf *to;
	struct edge *edges; /* by who collects */
	size_t n;
	size_t *edges_of; /* of daemon i: from edges_of[i] to edges_of[i + 1] */
	bool *collected;  /* somebody collects from it */
	bool *listens;    /* it collects from who advertises */
	bool *drawn;
};

/* -- who collects from whom ---------------------------------------------------------------------------------------- */

static void edge_take(struct graph *gr, struct edge *all, size_t agg, size_t from)
{
	gr->edges_of[agg + 1] += !all;
	gr->collected[from] = true;
	if (all)
		all[gr->n++] = (struct edge){ agg, from };
}

static void edges_walk(struct graph *gr, const struct share *s, struct edge *all)
{
	for (size_t i = 0; i < gr->p->n_groups; i++) {
		const struct plan_group *g = &gr->p->groups[i];

		for (size_t k = 0; k < g->n_aggs; k++)
			gr->listens[g->aggs[k]] |= g->n_listens != 0;
		for (size_t k = 0; k < g->n_prdcrs; k++)
			if (s->groups[i].runs[k] != SHARE_NOBODY)
				edge_take(gr, all, g->aggs[s->groups[i].runs[k]], g->prdcrs[k].daemon);
	}
}

static void graph_init(struct graph *gr, const struct plan *p, const struct share *s, struct buf *to)
{
	struct edge *all;
	size_t *fill = xcalloc(p->n_daemons + 1, sizeof(*fill));

	*gr = (struct graph){ .p = p, .to = to };
	gr->edges_of = xcalloc(p->n_daemons + 2, sizeof(*gr->edges_of));
	gr->collected = xcalloc(p->n_daemons + 1, sizeof(*gr->collected));
	gr->listens = xcalloc(p->n_daemons + 1, sizeof(*gr->listens));
	gr->drawn = xcalloc(p->n_daemons + 1, sizeof(*gr->drawn));
	edges_walk(gr, s, NULL);
	for (size_t i = 0; i < p->n_daemons; i++)
		gr->edges_of[i + 1] += gr->edges_of[i];
	all = xcalloc(gr->edges_of[p->n_daemons] + 1, sizeof(*all));
	gr->edges = xcalloc(gr->edges_of[p->n_daemons] + 1, sizeof(*gr->edges));
	edges_walk(gr, s, all);
	for (size_t i = 0; i < gr->n; i++)
		gr->edges[gr->edges_of[all[i].agg] + fill[all[i].agg]++] = all[i];
	free(all);
	free(fill);
}

static void graph_fini(struct graph *gr)
{
	free(gr->edges);
	free(gr->edges_of);
	free(gr->collected);
	free(gr->listens);
	free(gr->drawn);
}

static bool is_leaf(const struct graph *gr, size_t daemon)
{
	return !gr->listens[daemon] && gr->edges_of[daemon] == gr->edges_of[daemon + 1];
}

/* The names of those that fit, in few words; how many they are. */
static size_t leaves(struct graph *gr, size_t agg, struct buf *to)
{
	size_t n = gr->edges_of[agg + 1] - gr->edges_of[agg], k = 0;
	const char **names = xcalloc(n + 1, sizeof(*names));

	for (size_t i = gr->edges_of[agg]; i < gr->edges_of[agg + 1]; i++)
		if (is_leaf(gr, gr->edges[i].from))
			names[k++] = gr->p->daemons[gr->edges[i].from].name;
	hostlist_fold(names, k, LEAVES_MAX, to);
	free(names);
	return k;
}

/* Who neither collects nor is collected from; those that advertise, or the others. */
static size_t alone(const struct graph *gr, bool advertise, struct buf *to)
{
	const char **names = xcalloc(gr->p->n_daemons + 1, sizeof(*names));
	size_t k = 0;

	for (size_t i = 0; i < gr->p->n_daemons; i++)
		if (!gr->collected[i] && is_leaf(gr, i) && !gr->p->daemons[i].level &&
		    gr->p->daemons[i].advertises == advertise)
			names[k++] = gr->p->daemons[i].name;
	hostlist_fold(names, k, LEAVES_MAX, to);
	free(names);
	return k;
}

/* -- text ---------------------------------------------------------------------------------------------------------- */

static void place(struct graph *gr, size_t daemon)
{
	const struct plan_daemon *d = &gr->p->daemons[daemon];

	buf_addf(gr->to, "%s", d->name);
	if (d->host)
		buf_addf(gr->to, " (%s:%s:%u)", d->xprt, d->host, d->port);
}

static void subtree(struct graph *gr, size_t agg, struct buf *in)
{
	struct buf names = { 0 };
	size_t n = leaves(gr, agg, &names), inner = 0, done = 0, len = in->len;

	for (size_t i = gr->edges_of[agg]; i < gr->edges_of[agg + 1]; i++)
		inner += !is_leaf(gr, gr->edges[i].from);
	for (size_t i = gr->edges_of[agg]; i < gr->edges_of[agg + 1]; i++) {
		size_t from = gr->edges[i].from;
		bool last = ++done == inner && !n && !gr->listens[agg], again = gr->drawn[from];

		if (is_leaf(gr, from)) {
			done--;
			continue;
		}
		buf_addf(gr->to, "%s%s", buf_str(in), last ? "`- " : "|- ");
		place(gr, from);
		buf_addf(gr->to, "%s\n", again ? ", see above" : "");
		gr->drawn[from] = true;
		buf_addf(in, "%s", last ? "   " : "|  ");
		if (!again)
			subtree(gr, from, in);
		in->len = len;
	}
	if (n)
		buf_addf(gr->to, "%s%s %s: %zu\n", buf_str(in), gr->listens[agg] ? "|-" : "`-", buf_str(&names), n);
	if (gr->listens[agg])
		buf_addf(gr->to, "%s`- who advertises\n", buf_str(in));
	buf_fini(&names);
}

void graph_text(const struct plan *p, const struct share *s, struct buf *to)
{
	struct buf in = { 0 }, names = { 0 };
	struct graph gr;
	size_t n;

	graph_init(&gr, p, s, to);
	for (size_t i = 0; i < p->n_daemons; i++) {
		if (gr.collected[i] || (is_leaf(&gr, i) && !p->daemons[i].level))
			continue;
		place(&gr, i);
		buf_addf(to, "\n");
		subtree(&gr, i, &in);
	}
	n = alone(&gr, true, &names);
	if (n)
		buf_addf(to, "who advertises: %s: %zu\n", buf_str(&names), n);
	buf_reset(&names);
	n = alone(&gr, false, &names);
	if (n)
		buf_addf(to, "collected from by nobody: %s: %zu\n", buf_str(&names), n);
	buf_fini(&in);
	buf_fini(&names);
	graph_fini(&gr);
}

/* -- graphviz ------------------------------------------------------------------------------------------------------ */

static void quoted(struct buf *to, const char *text)
{
	buf_u8(to, '"');
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			buf_u8(to, '\\');
		buf_u8(to, (uint8_t)*text);
	}
	buf_u8(to, '"');
}

static void node(struct graph *gr, size_t daemon)
{
	const struct plan_daemon *d = &gr->p->daemons[daemon];
	char *label = d->host ? xasprintf("%s: %s:%u", d->name, d->host, d->port) : xstrdup(d->name);

	buf_addf(gr->to, "\t");
	quoted(gr->to, d->name);
	buf_addf(gr->to, " [label=");
	quoted(gr->to, label);
	buf_addf(gr->to, "];\n");
	free(label);
}

static void arrow(struct graph *gr, const char *from, const char *agg)
{
	buf_addf(gr->to, "\t");
	quoted(gr->to, from);
	buf_addf(gr->to, " -> ");
	quoted(gr->to, agg);
	buf_addf(gr->to, ";\n");
}

static void dot_agg(struct graph *gr, size_t agg)
{
	struct buf names = { 0 };
	size_t n = leaves(gr, agg, &names);

	node(gr, agg);
	for (size_t i = gr->edges_of[agg]; i < gr->edges_of[agg + 1]; i++)
		if (!is_leaf(gr, gr->edges[i].from))
			arrow(gr, gr->p->daemons[gr->edges[i].from].name, gr->p->daemons[agg].name);
	if (n)
		arrow(gr, buf_str(&names), gr->p->daemons[agg].name);
	if (gr->listens[agg])
		arrow(gr, "who advertises", gr->p->daemons[agg].name);
	buf_fini(&names);
}

void graph_dot(const struct plan *p, const struct share *s, struct buf *to)
{
	struct buf names = { 0 };
	struct graph gr;

	graph_init(&gr, p, s, to);
	buf_addf(to, "digraph ldms {\n\trankdir=BT;\n\tnode [shape=box];\n");
	for (size_t i = 0; i < p->n_daemons; i++)
		if (!is_leaf(&gr, i) || p->daemons[i].level)
			dot_agg(&gr, i);
	if (alone(&gr, true, &names))
		arrow(&gr, buf_str(&names), "who advertises");
	buf_reset(&names);
	if (alone(&gr, false, &names)) {
		buf_addf(to, "\t");
		quoted(to, buf_str(&names));
		buf_addf(to, ";\n");
	}
	buf_addf(to, "}\n");
	buf_fini(&names);
	graph_fini(&gr);
}
