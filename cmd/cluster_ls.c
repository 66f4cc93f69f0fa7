/* cluster_ls.c - `ldms cluster ls`: clusters, or the nodes of one */
#include <stdio.h>
#include <stdlib.h>

#include "cmd/cluster.h"
#include "core/base/buf.h"
#include "core/base/json_put.h"
#include "core/cluster/daemon_rec.h"

struct ls_opts {
	struct cluster_opts common;
	bool json;
};

#define AT(field) offsetof(struct ls_opts, field)
static const struct opt opts[] = {
	{ 0, "json", OPT_FLAG, NULL, AT(json), "one JSON object, for programs" },
	CLUSTER_OPTS(AT),
	{ 0 },
};
#undef AT

const struct cmd_usage usage_cluster_ls = {
	.synopsis = "ldms cluster ls [--json] [--name NAME] [--dir DIR]",
	.brief = "virtual clusters, or the nodes of one",
	.about = "Lists the clusters, or with --name the cluster's nodes: name, address, state and the daemons that "
		 "were started there, with their process numbers here.",
	.opts = opts,
	.examples = "ldms cluster ls\nldms cluster ls --name ldms --json",
};

static const char *state_of(bool alive)
{
	return alive ? "up" : "dead";
}

static void put(struct buf *b, const char *key, const char *text)
{
	buf_addf(b, "\"%s\":", key);
	text ? json_put_str(b, text) : buf_addf(b, "null");
}

/* -- one cluster --------------------------------------------------------------------------------------------------- */

static void daemons_json(struct buf *b, const struct daemon_rec *recs, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		buf_addf(b, "%s{", i ? "," : "");
		put(b, "name", recs[i].name);
		buf_addf(b, ",\"pid\":%d,", (int)recs[i].pid);
		put(b, "state", daemon_rec_state(&recs[i]));
		buf_addf(b, ",");
		put(b, "log", recs[i].log);
		buf_addf(b, "}");
	}
}

static void daemons_text(struct buf *b, const struct daemon_rec *recs, size_t n)
{
	for (size_t i = 0; i < n; i++)
		buf_addf(b, "%s%s %d %s", i ? ", " : "  ", recs[i].name, (int)recs[i].pid, daemon_rec_state(&recs[i]));
}

static void nodes_json(struct buf *b, const struct cluster *c)
{
	buf_addf(b, "{");
	put(b, "name", c->name);
	buf_addf(b, ",");
	put(b, "dir", c->dir);
	buf_addf(b, ",");
	put(b, "state", state_of(cluster_alive(c)));
	buf_addf(b, ",\"keeper\":%d,\"nodes\":[", (int)c->keeper);
	for (size_t i = 0; i < c->n; i++) {
		const struct cluster_node *n = &c->nodes[i];
		size_t n_recs;
		struct daemon_rec *recs = daemon_rec_list(c, i, &n_recs);

		buf_addf(b, "%s{", i ? ",\n" : "\n");
		put(b, "name", n->name);
		buf_addf(b, ",");
		put(b, "address", n->addr);
		buf_addf(b, ",");
		put(b, "address6", n->addr6);
		buf_addf(b, ",");
		put(b, "state", state_of(cluster_node_alive(n)));
		buf_addf(b, ",\"pid\":%d,\"daemons\":[", (int)n->pid);
		daemons_json(b, recs, n_recs);
		buf_addf(b, "]}");
		daemon_rec_free(recs, n_recs);
	}
	buf_addf(b, "\n]}\n");
}

static void nodes_text(struct buf *b, const struct cluster *c)
{
	for (size_t i = 0; i < c->n; i++) {
		const struct cluster_node *n = &c->nodes[i];
		size_t n_recs;
		struct daemon_rec *recs = daemon_rec_list(c, i, &n_recs);

		buf_addf(b, "%-16s %-15s %s%s%-4s", n->name, n->addr, n->addr6 ? n->addr6 : "", n->addr6 ? " " : "",
			 state_of(cluster_node_alive(n)));
		daemons_text(b, recs, n_recs);
		buf_addf(b, "\n");
		daemon_rec_free(recs, n_recs);
	}
}

static int ls_nodes(const char *base, const struct ls_opts *o, struct buf *b, struct err *err)
{
	struct cluster *c;
	int rc = cluster_open(base, o->common.name, &c, err);

	if (rc)
		return rc;
	o->json ? nodes_json(b, c) : nodes_text(b, c);
	cluster_close(c);
	return 0;
}

/* -- all ----------------------------------------------------------------------------------------------------------- */

static void ls_clusters(const char *base, bool json, struct buf *b)
{
	char **names = cluster_list(base);
	const char *between = "\n";

	if (json)
		buf_addf(b, "{\"clusters\":[");
	for (char **name = names; *name; name++) {
		struct cluster *c = NULL;
		const char *state = cluster_open(base, *name, &c, NULL) ? "incomplete" : state_of(cluster_alive(c));

		if (json) {
			buf_addf(b, "%s{", between);
			put(b, "name", *name);
			buf_addf(b, ",");
			put(b, "state", state);
			buf_addf(b, ",\"nodes\":%zu}", c ? c->n : 0);
			between = ",\n";
		} else {
			buf_addf(b, "%-16s %-10s %zu nodes\n", *name, state, c ? c->n : 0);
		}
		cluster_close(c);
	}
	if (json)
		buf_addf(b, "\n]}\n");
	cluster_list_free(names);
}

int cluster_verb_ls(const struct subcmd *v, int argc, char **argv)
{
	struct ls_opts o = { 0 };
	struct buf b = { 0 };
	struct err err = { "" };
	int status = 0, n = subcmd_parse(v, argc, argv, &o, &o.common.help, 0, 0, &status);
	char *base;

	if (n < 0)
		return status;
	base = cluster_base(o.common.dir);
	if (!o.common.name)
		ls_clusters(base, o.json, &b);
	else if (ls_nodes(base, &o, &b, &err))
		status = subcmd_complain(v, &err);
	fputs(buf_str(&b), stdout);
	buf_fini(&b);
	free(base);
	return status;
}
