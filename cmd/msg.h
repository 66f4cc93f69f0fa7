/* msg.h - what `ldms msg pub` and `ldms msg sub` share. */
#ifndef CMD_MSG_H
#define CMD_MSG_H

#include "cmd/cmd.h"
#include "cmd/tool.h"

#define MSG_STREAM_MAX (4000u << 10) /* bytes of a message of a stream: what daemons take */

struct msg_peer_opts {
	const char *host, *port, *xprt, *auth, *time;
	struct opt_list auth_args;
	bool help;
};

#define MSG_PEER_OPTS_INIT                                                                                             \
	{                                                                                                              \
		.host = "localhost", .xprt = "sock", .auth = "none", .time = TOOL_TIME_DFLT                            \
	}
#define MSG_PEER_OPTS(at)                                                                                                   \
	{ 'h',    "host",        OPT_TEXT,                                                                                  \
	  "HOST", at(peer.host), "name or address of the daemon's host, also HOST:PORT (localhost)" },                      \
		{ 'p', "port", OPT_TEXT, "PORT", at(peer.port), "its port (" TOOL_PORT_DFLT ")" },                          \
		{ 'x', "xprt", OPT_TEXT, "XPRT", at(peer.xprt), "transport (sock)" },                                       \
		{ 'a', "auth", OPT_TEXT, "AUTH", at(peer.auth), "authentication method (none)" },                           \
		{ 'A', "auth-arg", OPT_LIST, "KEY=VALUE", at(peer.auth_args), "an argument of the authentication method" }, \
		{ 'w',                                                                                                      \
		  "timeout",                                                                                                \
		  OPT_TEXT,                                                                                                 \
		  "TIME",                                                                                                   \
		  at(peer.time),                                                                                            \
		  "how long the daemon may keep us waiting; a bare number is seconds (" TOOL_TIME_DFLT "s)" },              \
	{                                                                                                                   \
		0, "help", OPT_FLAG, NULL, at(peer.help), "print this help and exit"                                        \
	}

/* A peer, and the loop on which everything happens. */
struct msg_conn {
	const char *self; /* "ldms msg pub" */
	const struct msg_peer_opts *o;
	char *host, *peer; /* peer: "n17:411" */
	unsigned short port;
	int64_t time_us;
	char time_text[32];
	struct kv auth_args;
	struct xprt_env env;
	struct loop *loop;
	struct xprt *x; /* NULL: not (any more) */
	ev_timer deadline;
	ev_signal ints[2];
	enum exit_status status;
	bool over;
};

/* Parse the options and make the loop; `late` is called when msg_await() was not followed by msg_heard() in time, and
 * `interrupted` for Ctrl-C, both with `arg` in data. */
int msg_open(struct msg_conn *m, const struct msg_peer_opts *o, void (*late)(struct ev_loop *, ev_timer *, int),
	     void (*interrupted)(struct ev_loop *, ev_signal *, int), void *arg, struct err *err);
int msg_connect(struct msg_conn *m, const struct xprt_events *ev, void *arg, struct err *err);
/* Something is due from now on; it has come. */
void msg_await(struct msg_conn *m);
void msg_heard(struct msg_conn *m);
/* Time is up and there is no connection: say why; the exit status. */
enum exit_status msg_no_connection(const struct msg_conn *m);
void msg_over(struct msg_conn *m, enum exit_status status);
void msg_close(struct msg_conn *m);
void msg_say(const struct msg_conn *m, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Operands and options of a form; the number of operands or a negative errno with words said. */
extern const struct cmd_usage usage_msg_pub, usage_msg_sub;
int cmd_msg_pub(int argc, char **argv);
int cmd_msg_sub(int argc, char **argv);

#endif
