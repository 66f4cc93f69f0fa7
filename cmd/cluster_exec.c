/* cluster_exec.c - `ldms cluster exec` and `ldms cluster sh`: something runs in nodes */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/cluster.h"
#include "core/base/hostlist.h"
#include "core/cluster/node.h"

struct exec_opts {
	struct cluster_opts common;
};

#define AT(field) offsetof(struct exec_opts, field)
static const struct opt opts[] = {
	CLUSTER_OPTS(AT),
	{ 0 },
};
#undef AT

const struct cmd_usage usage_cluster_exec = {
	.synopsis = "ldms cluster exec [--name NAME] [--dir DIR] NODE[,NODE ...] -- COMMAND [ARGUMENT ...]",
	.brief = "run a command in nodes",
	.about = "Runs the command in the node, with this input, output and environment, in this folder where the node "
		 "has it, "
		 "and ends with the command's exit status, or 128 and the signal that ended it; 125 when it could not "
		 "be "
		 "started. Signals are passed on, and the command dies with this program. In several nodes it runs at "
		 "once, "
		 "without input; lines have the node's name in front, and the worst status counts.",
	.opts = opts,
	.examples = "ldms cluster exec node1 -- ldms ls -v\nldms cluster exec 'node[1-20]' -- hostname",
};

const struct cmd_usage usage_cluster_sh = {
	.synopsis = "ldms cluster sh [--name NAME] [--dir DIR] NODE",
	.brief = "a shell in a node",
	.about = "Runs $SHELL, or /bin/sh, in the node.",
	.opts = opts,
	.examples = "ldms cluster sh node2",
};

static int run_one(const struct cluster_opts *o, const char *node, char **argv, struct err *err)
{
	char *cwd = getcwd(NULL, 0);
	struct node_cmd cmd = { .argv = argv, .cwd = cwd, .fds = { 0, 1, 2 } };
	struct cluster *c = NULL;
	int status = CLUSTER_EXIT_NOT_RUN, rc;
	size_t i;

	rc = cluster_find(o, &c, err);
	if (!rc)
		rc = cluster_node_find(c, node, &i, err);
	if (!rc)
		rc = node_run(c, i, &cmd, &status, err);
	cluster_close(c);
	free(cwd);
	return rc ? rc : status;
}

int cluster_verb_exec(const struct cluster_verb *v, int argc, char **argv)
{
	struct exec_opts o = { 0 };
	struct hostlist nodes = { 0 };
	struct err err = { "" };
	int status = 0, cut = 1, n;

	while (cut < argc && strcmp(argv[cut], "--"))
		cut++;
	argv[cut] = NULL; /* what is behind it is the command's */
	n = cluster_parse(v, cut, argv, &o, &o.common, 1, 1, &status);
	if (n < 0)
		return status ? CLUSTER_EXIT_NOT_RUN : 0;
	if (cut + 1 >= argc)
		n = err_set(&err, -EINVAL, "what shall run in %s? Write -- and the command behind the node", argv[1]);
	else
		n = hostlist_parse(argv[1], &nodes, &err);
	if (n >= 0)
		n = run_one(&o.common, nodes.names[0], argv + cut + 1, &err);
	hostlist_fini(&nodes);
	if (n >= 0)
		return n;
	cluster_complain(v, &err);
	return CLUSTER_EXIT_NOT_RUN;
}

int cluster_verb_sh(const struct cluster_verb *v, int argc, char **argv)
{
	const char *shell = getenv("SHELL");
	char *sh[] = { (char *)(uintptr_t)(shell && *shell ? shell : "/bin/sh"), NULL };
	struct exec_opts o = { 0 };
	struct err err = { "" };
	int status = 0, n = cluster_parse(v, argc, argv, &o, &o.common, 1, 1, &status);

	if (n < 0)
		return status;
	n = run_one(&o.common, argv[1], sh, &err);
	if (n >= 0)
		return n;
	cluster_complain(v, &err);
	return CLUSTER_EXIT_NOT_RUN;
}
