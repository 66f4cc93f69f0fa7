/* cluster_exec.c - `ldms cluster exec` and `ldms cluster sh`: something runs in nodes */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/cluster_exec.h"
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
	.about = "Runs the command in the node, with this input, output and environment, in this folder where the "
		 "node has it, and ends with the command's exit status, or 128 and the signal that ended it; 125 when "
		 "it could not be started. Signals are passed on, and the command dies with this program. In several "
		 "nodes it runs at once, without input; lines have the node's name in front, and the worst status "
		 "counts.",
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

int exec_one(const struct cluster *c, size_t node, char **argv, const int *fds, struct err *err)
{
	char *cwd = getcwd(NULL, 0);
	struct node_cmd cmd = { .argv = argv, .cwd = cwd, .fds = { fds[0], fds[1], fds[2] } };
	int status, rc = node_run(c, node, &cmd, &status, err);

	free(cwd);
	return rc ? rc : status;
}

static int run(const struct cluster_opts *o, const char *nodes, char **argv, struct err *err)
{
	static const int ours[3] = { 0, 1, 2 };
	struct hostlist hl = { 0 };
	struct cluster *c = NULL;
	size_t i;
	int rc;

	rc = hostlist_parse(nodes, &hl, err);
	if (!rc && !hl.n)
		rc = err_set(err, -EINVAL, "in which node?");
	if (!rc)
		rc = cluster_find(o, &c, err);
	if (!rc && hl.n > 1) {
		rc = exec_many(c, &hl, argv, err);
	} else if (!rc) {
		rc = cluster_node_find(c, hl.names[0], &i, err);
		if (!rc)
			rc = exec_one(c, i, argv, ours, err);
	}
	cluster_close(c);
	hostlist_fini(&hl);
	return rc;
}

int cluster_verb_exec(const struct subcmd *v, int argc, char **argv)
{
	struct exec_opts o = { 0 };
	struct err err = { "" };
	int status = 0, cut = 1, n;

	while (cut < argc && strcmp(argv[cut], "--"))
		cut++;
	argv[cut] = NULL; /* what is behind it is the command's */
	n = subcmd_parse(v, cut, argv, &o, &o.common.help, 1, 1, &status);
	if (n < 0)
		return status ? CLUSTER_EXIT_NOT_RUN : 0;
	if (cut + 1 >= argc)
		n = err_set(&err, -EINVAL, "what shall run in %s? Write -- and the command behind the node", argv[1]);
	else
		n = run(&o.common, argv[1], argv + cut + 1, &err);
	if (n >= 0)
		return n;
	subcmd_complain(v, &err);
	return CLUSTER_EXIT_NOT_RUN;
}

int cluster_verb_sh(const struct subcmd *v, int argc, char **argv)
{
	const char *shell = getenv("SHELL");
	char *sh[] = { (char *)(uintptr_t)(shell && *shell ? shell : "/bin/sh"), NULL };
	struct exec_opts o = { 0 };
	struct err err = { "" };
	int status = 0, n = subcmd_parse(v, argc, argv, &o, &o.common.help, 1, 1, &status);

	if (n < 0)
		return status;
	n = run(&o.common, argv[1], sh, &err);
	if (n >= 0)
		return n;
	subcmd_complain(v, &err);
	return CLUSTER_EXIT_NOT_RUN;
}
