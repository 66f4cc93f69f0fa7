/* daemon.h - running a daemon in the foreground until it is told to end. */
#ifndef CMD_DAEMON_H
#define CMD_DAEMON_H

#include "cmd/daemon_opts.h"

struct daemon_role {
	const char *name; /* "samp", for messages */
	bool io_loops; /* connections get threads of their own */
	void (*started)(const struct daemon_opts *o, unsigned short port); /* said when all is up; or NULL */
	/* How it ends, into the log; NULL: what went wrong is said on standard error. */
	void (*ended)(const struct daemon_opts *o, int status, const char *why);
};

/* Fill the defaults that depend on nothing but the options.  `o` was filled by opt_parse over UNSET_* values. */
void daemon_opts_init(struct daemon_opts *o);
void daemon_opts_defaults(struct daemon_opts *o);
/* Configure and run; the exit status: 0 at a signal or daemon_exit, else ldmsd's (the errno of the failing line, 7 for a
 * port that cannot be listened on). */
int daemon_main(const struct daemon_role *role, struct daemon_opts *o);

#endif
