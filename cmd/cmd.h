/* cmd.h - the subcommands.  To add one: cmd/NAME.c with cmd_NAME() and usage_NAME, and a row in cmds.c. */
#ifndef CMD_CMD_H
#define CMD_CMD_H

#include "cmd/opt.h"

struct cmd {
	const char *name;
	const struct cmd_usage *usage;
	int (*run)(int argc, char **argv); /* argv[0] is the subcommand (or old program) name; returns the exit status */
};

extern const struct cmd cmds[]; /* ended by a row without name */
const struct cmd *cmd_find(const char *name);
int cmd_unknown(const char *name);

#define CMD(name)                                                                                                      \
	int cmd_##name(int argc, char **argv);                                                                         \
	extern const struct cmd_usage usage_##name;
CMD(agg)
CMD(auth)
CMD(check)
CMD(child)
CMD(cluster)
CMD(ctl)
CMD(help)
CMD(ls)
CMD(maestro)
CMD(msg)
CMD(plan)
CMD(query)
CMD(samp)
CMD(store)
CMD(up)
CMD(version)
#undef CMD

#endif
