/* cluster.h - the verbs of `ldms cluster`.  To add one: cluster_NAME() and usage_cluster_NAME, and a row in cluster.c. */
#ifndef CMD_CLUSTER_H
#define CMD_CLUSTER_H

#include "cmd/subcmd.h"
#include "core/cluster/cluster.h"

#define CLUSTER_DFLT         "ldms"
#define CLUSTER_EXIT_NOT_RUN 125 /* exec, sh: the command was not even started */

/* What all verbs take. */
struct cluster_opts {
	const char *name, *dir;
	bool help;
};

#define CLUSTER_OPTS(at)                                                                                               \
	{ 0, "name", OPT_TEXT, "NAME", at(common.name), "the cluster's name (" CLUSTER_DFLT ")" },                     \
		{ 0,                                                                                                   \
		  "dir",                                                                                               \
		  OPT_TEXT,                                                                                            \
		  "DIR",                                                                                               \
		  at(common.dir),                                                                                      \
		  "where clusters are kept ($LDMS_CLUSTER_DIR, /run/ldms-cluster, or the user's own)" },               \
	{                                                                                                              \
		0, "help", OPT_FLAG, NULL, at(common.help), "print this help and exit"                                 \
	}

/* The cluster that is meant, which must run. */
int cluster_find(const struct cluster_opts *o, struct cluster **ret, struct err *err);

#define VERB(name)                                                                                                     \
	int cluster_verb_##name(const struct subcmd *v, int argc, char **argv);                                        \
	extern const struct cmd_usage usage_cluster_##name;
VERB(down)
VERB(exec)
VERB(fault)
VERB(logs)
VERB(ls)
VERB(restart)
VERB(sh)
VERB(start)
VERB(stop)
VERB(up)
#undef VERB

#endif
