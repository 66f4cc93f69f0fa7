/* cmds.c - every subcommand, in the order in which a newcomer meets them. */
#include <stdio.h>
#include <string.h>

#include "cmd/cmd.h"
#include "core/base/str.h"
#include "core/ctl/verb.h"

const struct cmd cmds[] = {
	{ "up", &usage_up, cmd_up },
	{ "samp", &usage_samp, cmd_samp },
	{ "agg", &usage_agg, cmd_agg },
	{ "store", &usage_store, cmd_store },
	{ "ls", &usage_ls, cmd_ls },
	{ "ctl", &usage_ctl, cmd_ctl },
	{ "msg", &usage_msg, cmd_msg },
	{ "query", &usage_query, cmd_query },
	{ "plan", &usage_plan, cmd_plan },
	{ "maestro", &usage_maestro, cmd_maestro },
	{ "check", &usage_check, cmd_check },
	{ "cluster", &usage_cluster, cmd_cluster },
	{ "auth", &usage_auth, cmd_auth },
	{ "help", &usage_help, cmd_help },
	{ "version", &usage_version, cmd_version },
	{ "child", &usage_child, cmd_child }, /* not for people */
	{ .name = NULL },
};

const struct cmd *cmd_find(const char *name)
{
	for (const struct cmd *c = cmds; c->name; c++)
		if (!strcmp(c->name, name))
			return c;
	return NULL;
}

int cmd_unknown(const char *name)
{
	const char *names[sizeof(cmds) / sizeof(*cmds)], *near;
	size_t n = 0;

	if (verb_find(name)) {
		fprintf(stderr,
			"ldms: '%s' is a verb of daemons: `ldms ctl %s` sends it, `ldms ctl help %s` explains it\n",
			name, name, name);
		return 1;
	}
	for (const struct cmd *c = cmds; c->name; c++)
		if (c->usage->brief)
			names[n++] = c->name;
	names[n] = NULL;
	near = nearest(name, names);
	fprintf(stderr, "ldms: no subcommand '%s'%s%s%s; `ldms help` lists them\n", name, near ? "; did you mean '" : "",
		near ? near : "", near ? "'?" : "");
	return 1;
}
