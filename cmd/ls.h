/* ls.h - listing a daemon's sets, for `ldms ls` and for `ldms_ls`, which have option tables of their own. */
#ifndef CMD_LS_H
#define CMD_LS_H

#include "cmd/tool.h"

struct ls_opts {
	const char *host, *port, *xprt, *auth, *format, *time;
	struct opt_list auth_args;
	uint64_t mem;
	int verbose;
	bool contents, udata, search, schema, instance, json, decomp, push, version, help;
};

#define LS_OPTS_INIT                                                                                                   \
	{                                                                                                              \
		.host = "localhost", .xprt = "sock", .auth = "none", .format = "text", .time = TOOL_TIME_DFLT          \
	}

/* argv[1..n] are the names; what is asked for goes to standard output, complaints begin with `self` and go to standard
 * error.  The options' list is given back. */
enum exit_status ls_main(const char *self, struct ls_opts *o, int n, char **argv);

#endif
