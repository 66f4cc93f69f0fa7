/* tool.h - what commands that talk to a running daemon have in common: to whom, how long, and what became of it. */
#ifndef CMD_TOOL_H
#define CMD_TOOL_H

#include "cmd/opt.h"
#include "xprt/xprt.h"

#define TOOL_PORT_DFLT "411"
#define TOOL_TIME_DFLT "10"

/* Documented in the manuals of the commands; scripts rely on them. */
enum exit_status {
	EXIT_ALL = 0,
	EXIT_USAGE = 1,
	EXIT_RESOLVE = 2,
	EXIT_REFUSED = 3,
	EXIT_INCOMPLETE = 4, /* time was up, or not all came, or was taken */
	EXIT_NOT_LDMS = 5,
	EXIT_VERSION = 6,
	EXIT_AUTH = 7,
	EXIT_NO_MATCH = 8,
	EXIT_PERM = 9, /* the daemon knows who asks, and does not let him */
};
extern const enum exit_status tool_exit_of[XPRT_FAILS];

/* As `ldms_ls -w`: a number alone is seconds. */
int tool_time_parse(const char *text, int64_t *ret_us, struct err *err);
int tool_port_parse(const char *text, unsigned short *ret, struct err *err);
/* Host and port from -h HOST[:PORT] and -p PORT (or NULL); the host is yours. */
int tool_peer_parse(const char *host, const char *port, char **ret_host, unsigned short *ret_port, struct err *err);

#endif
