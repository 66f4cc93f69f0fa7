/* old.h - the programs of LDMS whose place this one takes when it is called by their names.
 *
 * Each has its own option table and words (cmd/old_*.c) over the same engine as a subcommand, and ends with its own
 * status.  To add one: cmd/old_NAME.c with old_NAME() and usage_old_NAME, and a row in old.c.
 */
#ifndef CMD_OLD_H
#define CMD_OLD_H

#include "cmd/cmd.h"

extern const struct cmd old_programs[]; /* ended by a row without name */
/* NULL: not one of them. */
const struct cmd *old_find(const char *name);

/* Parse the options of an old program; the number of operands, or -1 when it is over, with *status.  Complaints come
 * with the option's nearest name; --help lists the options.  `help` is where --help goes. */
int old_parse(const char *name, int argc, char **argv, void *into, const bool *help, int *status);

/* Each has a '='; else -EINVAL, and it was said as the old programs do. */
int old_auth_args_check(const struct opt_list *args);

#define OLD(name)                                                                                                      \
	int old_##name(int argc, char **argv);                                                                         \
	extern const struct cmd_usage usage_old_##name;
OLD(ldms_ls)
OLD(ldms_msg_publish)
OLD(ldms_msg_subscribe)
OLD(ldmsctl)
OLD(ldmsd)
OLD(ldmsd_controller)
OLD(ldmsd_stream_publish)
OLD(ldmsd_stream_subscribe)
#undef OLD

#define OLD_EXIT_USAGE 1

#endif
