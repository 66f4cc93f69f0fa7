/* subcmd.h - commands that have verbs: `ldms cluster up`, `ldms maestro plan FILE`. */
#ifndef CMD_SUBCMD_H
#define CMD_SUBCMD_H

#include "cmd/cmd.h"

#define SUBCMD_FAILED 1 /* exit status */

struct subcmd {
	const char *of; /* the command: "cluster" */
	const char *name;
	const struct cmd_usage *usage;
	/* argv[0] is the verb; returns the exit status */
	int (*run)(const struct subcmd *v, int argc, char **argv);
};

/* Runs the verb that argv[1] names, or prints the command's --help; `table` is ended by a row without name.  False:
 * argv[1] is none of these, or missing. */
bool subcmd_run(const struct subcmd *table, const struct cmd_usage *usage, int argc, char **argv, int *status);
/* "; did you mean 'up'?", or "", in `to`. */
const char *subcmd_near(const struct subcmd *table, const char *name, char to[64]);
/* Options (`help` is one of their flags) and the number of operands, which must be from min to max; -1: it is over,
 * with *status. */
int subcmd_parse(const struct subcmd *v, int argc, char **argv, void *into, const bool *help, int min, int max,
		 int *status);
/* Say what went wrong, for the verb; returns SUBCMD_FAILED. */
int subcmd_complain(const struct subcmd *v, const struct err *err);

#endif
