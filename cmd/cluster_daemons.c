/* cluster_daemons.c - `ldms cluster start`, `stop` and `restart`: the daemons of a cluster's specification */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/cluster.h"
#include "core/base/hostlist.h"
#include "core/base/xalloc.h"
#include "core/cluster/daemons.h"

struct daemons_opts {
	struct cluster_opts common;
};

#define AT(field) offsetof(struct daemons_opts, field)
static const struct opt opts[] = {
	CLUSTER_OPTS(AT),
	{ 0 },
};
#undef AT

const struct cmd_usage usage_cluster_start = {
	.synopsis = "ldms cluster start NODES [DAEMON] [--name NAME] [--dir DIR]",
	.brief = "start daemons of the specification",
	.about = "Starts all daemons that the specification has for the nodes (a host list), or DAEMON on each, and "
		 "waits until they are up. Those that run are left as they are.",
	.opts = opts,
	.examples = "ldms cluster start node-1 s --name demo",
};

const struct cmd_usage usage_cluster_stop = {
	.synopsis = "ldms cluster stop NODES [DAEMON] [--name NAME] [--dir DIR]",
	.brief = "stop daemons of the specification",
	.about = "Ends all daemons that the specification has for the nodes (a host list), or DAEMON on each.",
	.opts = opts,
	.examples = "ldms cluster stop \"node-[1-2]\" --name demo",
};

const struct cmd_usage usage_cluster_restart = {
	.synopsis = "ldms cluster restart NODES [DAEMON] [--name NAME] [--dir DIR]",
	.brief = "stop daemons of the specification and start them again",
	.about = "Ends all daemons that the specification has for the nodes (a host list), or DAEMON on each, starts "
		 "them again and waits until they are up.",
	.opts = opts,
	.examples = "ldms cluster restart agg-1 --name demo",
};

/* The nodes of a host list, by their numbers or their aliases'. */
static int nodes_find(const struct cluster *c, const struct daemons *d, const char *list, size_t **ret, size_t *ret_n,
		      struct err *err)
{
	const struct spec *s = daemons_spec(d);
	struct hostlist hl = { 0 };
	size_t *nodes;
	int rc = hostlist_parse(list, &hl, err);

	if (!rc && !hl.n)
		rc = err_set(err, -EINVAL, "which node?");
	nodes = xcalloc(hl.n + 1, sizeof(*nodes));
	for (size_t i = 0; i < hl.n && !rc; i++) {
		const struct spec_node *n = spec_node_find(s, hl.names[i]);

		if (n)
			nodes[i] = (size_t)(n - s->nodes);
		else
			rc = cluster_node_find(c, hl.names[i], &nodes[i], err);
	}
	*ret_n = hl.n;
	hostlist_fini(&hl);
	if (rc)
		free(nodes);
	else
		*ret = nodes;
	return rc;
}

static int run(const struct cluster_opts *o, const char *list, const char *name, bool stop, bool start,
	       struct buf *said, struct err *err)
{
	struct cluster *c = NULL;
	struct daemons *d = NULL;
	size_t *nodes = NULL, n;
	int rc = cluster_find(o, &c, err);

	if (!rc)
		rc = cluster_lock(c, err);
	if (!rc)
		rc = daemons_open(c, &d, err);
	if (!rc)
		rc = nodes_find(c, d, list, &nodes, &n, err);
	if (!rc && stop)
		rc = daemons_stop(d, nodes, n, name, err);
	if (!rc && start)
		rc = daemons_start(d, nodes, n, name, said, err);
	free(nodes);
	daemons_free(d);
	cluster_close(c);
	return rc;
}

static int verb(const struct subcmd *v, int argc, char **argv, bool stop, bool start)
{
	struct daemons_opts o = { 0 };
	struct buf said = { 0 };
	struct err err = { "" };
	int status = 0, n = subcmd_parse(v, argc, argv, &o, &o.common.help, 1, 2, &status);

	if (n < 0)
		return status;
	if (run(&o.common, argv[1], n > 1 ? argv[2] : NULL, stop, start, &said, &err))
		status = subcmd_complain(v, &err);
	fputs(buf_str(&said), stderr);
	buf_fini(&said);
	return status;
}

int cluster_verb_start(const struct subcmd *v, int argc, char **argv)
{
	return verb(v, argc, argv, false, true);
}

int cluster_verb_stop(const struct subcmd *v, int argc, char **argv)
{
	return verb(v, argc, argv, true, false);
}

int cluster_verb_restart(const struct subcmd *v, int argc, char **argv)
{
	return verb(v, argc, argv, true, true);
}
