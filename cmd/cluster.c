/* cluster.c - `ldms cluster`: a virtual cluster on this machine: its verbs, and what they share */
#include "cmd/cluster.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROW(name)                                                                                                      \
	{                                                                                                              \
		"cluster", #name, &usage_cluster_##name, cluster_verb_##name                                           \
	}
static const struct subcmd verbs[] = {
	ROW(up),      ROW(ls),   ROW(exec),  ROW(sh),   ROW(start),       ROW(stop),
	ROW(restart), ROW(logs), ROW(fault), ROW(down), { .name = NULL },
};
#undef ROW

const struct cmd_usage usage_cluster = {
	.synopsis = "ldms cluster up [-n N] [option ...]\nldms cluster ls|exec|sh|start|stop|restart|logs|fault|down "
		    "[option ...]",
	.brief = "many hosts on this machine, to try things on",
	.about = "Makes a virtual cluster: hosts with names, addresses, processes and files of their own, on this "
		 "machine, as root or not. `ldms cluster VERB --help` lists a verb's options.",
	.examples = "ldms cluster up -n 3                                    node1, node2, node3\n"
		    "ldms cluster exec node1 -- ldms samp --samp meminfo &\n"
		    "ldms cluster exec node2 -- ldms ls -h node1\n"
		    "ldms cluster sh node2\n"
		    "ldms cluster ls --name ldms\n"
		    "ldms cluster down",
};

int cluster_find(const struct cluster_opts *o, struct cluster **ret, struct err *err)
{
	char *base = cluster_base(o->dir);
	struct cluster *c = NULL;
	int rc = cluster_open(base, o->name ? o->name : CLUSTER_DFLT, &c, err);

	if (!rc && !cluster_alive(c))
		rc = err_set(err, -ESRCH, "cluster %s is dead; `ldms cluster down %s` clears it away", c->name,
			     c->name);
	if (rc)
		cluster_close(c);
	else
		*ret = c;
	free(base);
	return rc;
}

int cmd_cluster(int argc, char **argv)
{
	char near[64];
	int status;

	if (subcmd_run(verbs, &usage_cluster, argc, argv, &status))
		return status;
	if (argc > 1)
		fprintf(stderr, "ldms cluster: no verb '%s'%s; `ldms help cluster` lists them\n", argv[1],
			subcmd_near(verbs, argv[1], near));
	else
		fprintf(stderr,
			"ldms cluster: what? `ldms cluster up -n 3` makes one; `ldms help cluster` says more\n");
	return SUBCMD_FAILED;
}
