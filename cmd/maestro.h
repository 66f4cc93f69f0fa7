/* maestro.h - the verbs of `ldms maestro`.  To add one: maestro_verb_NAME() and usage_maestro_NAME, and a row in
 * maestro.c. */
#ifndef CMD_MAESTRO_H
#define CMD_MAESTRO_H

#include "cmd/cmd.h"
#include "core/ctl/conf.h"

#define MAESTRO_EXIT_FAILED 1

struct plan;

struct maestro_verb {
	const char *name;
	const struct cmd_usage *usage;
	/* argv[0] is the verb; returns the exit status */
	int (*run)(const struct maestro_verb *v, int argc, char **argv);
};

/* Options and the one operand, FILE; -1: it is over, with *status.  `help` is one of the options' flags. */
int maestro_parse(const struct maestro_verb *v, int argc, char **argv, void *into, const bool *help, int *status);
int maestro_complain(const struct maestro_verb *v, const struct err *err);
/* Read the plan; what is wrong with it, or suspicious, goes to standard error. */
int maestro_plan(const char *path, struct plan **ret, struct err *err);

#define VERB(name)                                                                                                     \
	int maestro_verb_##name(const struct maestro_verb *v, int argc, char **argv);                                  \
	extern const struct cmd_usage usage_maestro_##name;
VERB(convert)
VERB(diff)
VERB(graph)
VERB(plan)
VERB(run)
#undef VERB

#endif
