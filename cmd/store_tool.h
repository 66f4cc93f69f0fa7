/* store_tool.h - `ldms store -l` and `ldms store help NAME`: the stores of this program, and those of others. */
#ifndef CMD_STORE_TOOL_H
#define CMD_STORE_TOOL_H

#include "cmd/daemon_opts.h"

/* Is that asked for?  Then it is answered, and *ret_status is the exit status. */
bool store_tool(const struct daemon_opts *o, char **words, int *ret_status);

#endif
