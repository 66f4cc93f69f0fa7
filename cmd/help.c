/* help.c - `ldms help [CMD]` and `ldms version` */
#include <stdio.h>

#include "cmd/cmd.h"
#include "cmd/help_verbs.h"

const struct cmd_usage usage_help = {
	.synopsis = "ldms help [COMMAND]",
	.brief = "what there is, or how to use one command",
};

const struct cmd_usage usage_version = {
	.synopsis = "ldms version",
	.brief = "which ldms this is, and what it speaks",
};

int cmd_help(int argc, char **argv)
{
	const struct cmd *c;

	if (argc > 1 && help_verbs(stdout, argv[1], argc > 2 ? argv[2] : NULL))
		return 0;
	if (argc > 1) {
		c = cmd_find(argv[1]);
		if (!c)
			return cmd_unknown(argv[1]);
		opt_help(stdout, c->usage);
		return 0;
	}
	printf("ldms %s - metrics of a cluster: sample, aggregate, store, look\n\n", LDMS_VERSION);
	for (c = cmds; c->name; c++)
		if (c->usage->brief)
			printf("  ldms %-9s %s\n", c->name, c->usage->brief);
	printf("\n`ldms help COMMAND` says more; so does `man ldms`.  To begin: `ldms up`, then `ldms ls -v`.\n");
	return 0;
}

int cmd_version(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	printf("ldms %s\nLDMSD Version: 4.5.3 (compatible)\nLDMS Protocol Version: 4.2.0.0\n", LDMS_VERSION);
	return 0;
}
