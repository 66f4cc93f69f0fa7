/* maestro.h - the verbs of `ldms maestro`.  To add one: maestro_verb_NAME() and usage_maestro_NAME, and a row in
 * maestro.c. */
#ifndef CMD_MAESTRO_H
#define CMD_MAESTRO_H

#include "cmd/subcmd.h"
#include "core/ctl/conf.h"

struct plan;

/* Read the plan; what is wrong with it, or suspicious, goes to standard error. */
int maestro_plan(const char *path, struct plan **ret, struct err *err);

#define VERB(name)                                                                                                     \
	int maestro_verb_##name(const struct subcmd *v, int argc, char **argv);                                        \
	extern const struct cmd_usage usage_maestro_##name;
VERB(convert)
VERB(diff)
VERB(graph)
VERB(plan)
VERB(run)
#undef VERB

#endif
