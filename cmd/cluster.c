/* cluster.c - `ldms cluster`: a virtual cluster on this machine: its verbs, and what they share */
#include "cmd/cluster.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROW(name)                                                                                                      \
	{                                                                                                              \
#name, &usage_cluster_##name, cluster_verb_##name                                                      \
	}
static const struct cluster_verb verbs[] = {
	ROW(up),
	ROW(ls),
	ROW(exec),
	ROW(sh),
	ROW(start),
	ROW(stop),
	ROW(restart),
	ROW(logs),
	ROW(fault),
	ROW(down),
	{ .name = NULL },
};
#undef ROW

const struct cmd_usage usage_cluster = {
	.synopsis = "ldms cluster up [-n N] [option ...]\nldms cluster ls|exec|sh|start|stop|restart|logs|fault|down [option ...]",
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

int cluster_parse(const struct cluster_verb *v, int argc, char **argv, void *into, const struct cluster_opts *common,
		  int min, int max, int *status)
{
	struct err err = { "" };
	int n = opt_parse(v->usage->opts, argc, argv, into, &err);

	if (n >= 0 && common->help) {
		opt_help(stdout, v->usage);
		*status = 0;
		return -1;
	}
	if (n >= 0 && n < min)
		n = err_set(&err, -EINVAL, "something is missing: %s", v->usage->synopsis);
	else if (n > max)
		n = err_set(&err, -EINVAL, "'%s' is left over", argv[max + 1]);
	if (n >= 0)
		return n;
	fprintf(stderr, "ldms cluster %s: %s; `ldms cluster %s --help` says more\n", v->name, err.msg, v->name);
	*status = CLUSTER_EXIT_FAILED;
	return -1;
}

int cluster_complain(const struct cluster_verb *v, const struct err *err)
{
	fprintf(stderr, "ldms cluster %s: %s\n", v->name, err->msg);
	return CLUSTER_EXIT_FAILED;
}

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
	const char *names[sizeof(verbs) / sizeof(*verbs)], *near;
	size_t n = 0;

	if (argc > 1 && !strcmp(argv[1], "--help")) {
		opt_help(stdout, &usage_cluster);
		return 0;
	}
	for (const struct cluster_verb *v = verbs; v->name; v++) {
		if (argc > 1 && !strcmp(argv[1], v->name))
			return v->run(v, argc - 1, argv + 1);
		names[n++] = v->name;
	}
	names[n] = NULL;
	near = argc > 1 ? nearest(argv[1], names) : NULL;
	if (argc > 1)
		fprintf(stderr, "ldms cluster: no verb '%s'%s%s%s; `ldms help cluster` lists them\n", argv[1],
			near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
	else
		fprintf(stderr,
			"ldms cluster: what? `ldms cluster up -n 3` makes one; `ldms help cluster` says more\n");
	return CLUSTER_EXIT_FAILED;
}
