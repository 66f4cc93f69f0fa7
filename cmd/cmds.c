/* cmds.c - every subcommand, in the order in which a newcomer meets them. */
#include <stdio.h>
#include <string.h>

#include "cmd/cmd.h"
#include "core/base/str.h"

const struct cmd cmds[] = {
	{ "up", &usage_up, cmd_up, NULL },
	{ "samp", &usage_samp, cmd_samp, NULL },
	{ "agg", &usage_agg, cmd_agg, NULL },
	{ "store", &usage_store, cmd_store, NULL },
	{ "ls", &usage_ls, cmd_ls, "ldms_ls" },
	{ "ctl", &usage_ctl, cmd_ctl, NULL },
	{ "msg", &usage_msg, cmd_msg, NULL },
	{ "auth", &usage_auth, cmd_auth, NULL },
	{ "help", &usage_help, cmd_help, NULL },
	{ "version", &usage_version, cmd_version, NULL },
	{ .name = NULL },
};

const struct cmd *cmd_find(const char *name)
{
	for (const struct cmd *c = cmds; c->name; c++)
		if (!strcmp(c->name, name))
			return c;
	return NULL;
}

const struct cmd *cmd_by_old_name(const char *name)
{
	for (const struct cmd *c = cmds; c->name; c++)
		if (c->old_name && !strcmp(c->old_name, name))
			return c;
	return NULL;
}

int cmd_unknown(const char *name)
{
	const char *names[sizeof(cmds) / sizeof(*cmds)], *near;
	size_t n = 0;

	for (const struct cmd *c = cmds; c->name; c++)
		names[n++] = c->name;
	names[n] = NULL;
	near = nearest(name, names);
	fprintf(stderr, "ldms: no subcommand '%s'%s%s%s; `ldms help` lists them\n", name, near ? "; did you mean '" : "",
		near ? near : "", near ? "'?" : "");
	return 1;
}
