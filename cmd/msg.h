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

struct buf;
struct bus_msg;
struct msg_conn;
/* How a program tells what became of it, where that is not the way of `ldms msg`.  Parts may be NULL. */
struct msg_face {
	const void *arg; /* the program's own */
	/* There is no connection: the program's words on standard output, and its exit status. */
	int (*unconnected)(const struct msg_conn *m, enum xprt_fail fail);
	void (*connected)(const struct msg_conn *m);
	/* The message, or all lines of the file, was sent for the n-th time, and will be again. */
	void (*repeats)(const struct msg_conn *m, uint64_t n);
};

/* A peer, and the loop on which everything happens. */
struct msg_conn {
	const char *self; /* "ldms msg pub" */
	const struct msg_face *face;
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
	int status; /* enum exit_status, or what the face said */
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
int msg_no_connection(const struct msg_conn *m);
/* The connection could not be made or was lost: say so; the exit status. */
int msg_down(const struct msg_conn *m, enum xprt_fail fail, const char *why);
void msg_over(struct msg_conn *m, int status);
void msg_close(struct msg_conn *m);
void msg_say(const struct msg_conn *m, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* -- publishing (msg_pub.c) -- */

struct pub_opts {
	struct msg_peer_opts peer;
	const char *file, *perm; /* file: "-" is standard input */
	uint64_t count; /* times that a message is sent */
	uint64_t loops; /* with `line`: times that the file is; UINT64_MAX: for ever */
	int64_t interval_us, loop_us, retry_us; /* between messages; between loops; 0: do not try again to connect */
	const char *uid, *gid; /* the messages' owner, by number; NULL: ours */
	bool json, string, line, stream;
	bool avro; /* messages are serialized */
	bool whole_lines; /* with their line ends */
	bool unchecked; /* JSON is not looked at */
	bool announce, announce_only; /* streams: tell of the stream before, or without any message */
};

/* The exit status of the program `self`.  `text` is the message, NULL: it stands in the file.  The options' list is
 * given back. */
int msg_pub(const char *self, const struct msg_face *face, struct pub_opts *o, const char *channel, const char *text);
#define PUB_OPTS_INIT                                                                                                  \
	{                                                                                                              \
		.peer = MSG_PEER_OPTS_INIT, .count = 1, .loops = 1, .perm = "0444"                                     \
	}

/* -- subscribing (msg_sub.c) -- */

struct msg_shown { /* a message, wherever it came from */
	const char *channel, *data;
	size_t len;   /* without the NUL */
	size_t given; /* ... as it was published */
	bool json;
	const struct bus_msg *bus; /* NULL: a stream's */
};

struct sub_opts {
	struct msg_peer_opts peer;
	const char *listen;      /* a port to wait at for publishers, in place of a daemon */
	const char *listen_host; /* an address; NULL: all */
	uint64_t count, rate;
	bool regex, json, stream;
	bool background; /* go there when publishers can come */
	bool quiet;      /* without the account at the end */
	const char *file; /* append to it; NULL: standard output */
	/* Append what is to be seen of a message; NULL: as `ldms msg sub` has it. */
	void (*put)(const struct sub_opts *o, struct buf *to, const struct msg_shown *m);
	const void *arg; /* put's */
};
#define SUB_OPTS_INIT                                                                                                  \
	{                                                                                                              \
		.peer = MSG_PEER_OPTS_INIT                                                                             \
	}

/* The exit status of the program `self`.  `channel` NULL: all that comes.  The options' list is given back. */
int msg_sub(const char *self, struct sub_opts *o, const char *channel);

/* -- printing (msg_put.c) -- */

/* How a message's type is called: "avro", "json", "string". */
const char *msg_type_name(const struct msg_shown *m);
/* Append what `ldms msg sub` shows of it: a line. */
void msg_put_line(const struct sub_opts *o, struct buf *to, const struct msg_shown *m);

/* Operands and options of a form; the number of operands or a negative errno with words said. */
extern const struct cmd_usage usage_msg_pub, usage_msg_sub;
int cmd_msg_pub(int argc, char **argv);
int cmd_msg_sub(int argc, char **argv);

#endif
