/* daemon_opts.h - the options that samp, agg, store and up share, and the configuration lines that they stand for. */
#ifndef CMD_DAEMON_OPTS_H
#define CMD_DAEMON_OPTS_H

#include <stdint.h>

#include "cmd/opt.h"
#include "core/base/buf.h"

#define LDMS_PORT 411 /* its own, where none is given */

struct daemon_opts {
	struct opt_list xprt, conf, yaml, auth_arg, samp, prdcr, accept, strgp, to, limit, log_level;
	const char *name, *auth, *log_file, *log_format, *pid_file, *sysroot, *dir;
	const char *shard, *spool; /* of the policies that options make */
	const char *user, *sandbox; /* NULL: not given; sandbox: "" or "required" */
	struct opt_list sandbox_allow;
	const char *level_dflt; /* of the log, unless options say more */
	int64_t interval_us, offset_us, reconnect_us, timeout_us;
	uint64_t compid, mem, io_threads;
	bool help, list, once, autos, json, push, quiet, keep_going;
	/* what was given and what was not: the defaults are the role's */
	char *self; /* the daemon's name in the end; ours */
	int exit_status; /* of a failed start, where it is not the errno */
};

#define DAEMON_OPT(field) offsetof(struct daemon_opts, field)

/* The rows that all daemons have. */
#define DAEMON_OPTS_COMMON                                                                                             \
	{ 'x', "xprt", OPT_LIST, "XPRT:PORT[:HOST]", DAEMON_OPT(xprt), "listen here; repeatable (sock:411)" },         \
	{ 'c', "conf", OPT_LIST, "FILE", DAEMON_OPT(conf), "configuration file; repeatable" },                         \
	{ 'y', "yaml", OPT_LIST, "FILE", DAEMON_OPT(yaml), "cluster file: what it says for NAME; repeatable" },         \
	{ 0, "keep-going", OPT_FLAG, NULL, DAEMON_OPT(keep_going), "start without the lines that are wrong" },         \
	{ 'n', "name", OPT_TEXT, "NAME", DAEMON_OPT(name), "daemon and producer name (host name)" },                   \
	{ 0, "compid", OPT_NUM, "NUM", DAEMON_OPT(compid), "component_id (digits at the end of NAME)" },               \
	{ 0, "samp", OPT_LIST, "LIST", DAEMON_OPT(samp), "samplers to run; `ldms samp -l` lists them" },               \
	{ 0, "interval", OPT_TIME, "TIME", DAEMON_OPT(interval_us), "between samples or updates (1s)" },               \
	{ 0, "offset", OPT_TIME, "TIME", DAEMON_OPT(offset_us), "after the interval's multiple (0)" },                 \
	{ 0, "prdcr", OPT_LIST, "LIST", DAEMON_OPT(prdcr), "collect from HOST[:PORT]s: \"n[01-20] a:412\"" },          \
	{ 0, "accept", OPT_LIST, "WHO", DAEMON_OPT(accept), "collect from who uses --to: regex, or 10.0.0.0/8" },      \
	{ 0, "strgp", OPT_LIST, "LIST", DAEMON_OPT(strgp), "schemas to store (all, when --to is given)" },             \
	{ 0, "to", OPT_LIST, "WHERE", DAEMON_OPT(to), "rows go to STORE:PATH, see below; HOST[:PORT]s are to collect; repeatable" }, \
	{ 0, "spool", OPT_TEXT, "DIR", DAEMON_OPT(spool), "rows that a store does not take wait on disk there" }, \
	{ 0, "mem", OPT_SIZE, "SIZE", DAEMON_OPT(mem), "ceiling of set memory, 0 for none (512M)" },                   \
	{ 'a', "auth", OPT_TEXT, "NAME", DAEMON_OPT(auth), "authentication (none)" },                                  \
	{ 'A', "auth-arg", OPT_LIST, "K=V", DAEMON_OPT(auth_arg), "argument of the authentication; repeatable" },      \
	{ 0, "reconnect", OPT_TIME, "TIME", DAEMON_OPT(reconnect_us), "between attempts to connect (interval)" },      \
	{ 0, "timeout", OPT_TIME, "TIME", DAEMON_OPT(timeout_us), "drop peers silent or deaf for so long (30s)" },      \
	{ 0, "limit", OPT_LIST, "NAME=VALUE", DAEMON_OPT(limit), "what peers may take, as conns=1000; repeatable" },    \
	{ 0, "io-threads", OPT_NUM, "N", DAEMON_OPT(io_threads), "threads for connections (agg, store: cores, max 4)" }, \
	{ 0, "log-file", OPT_TEXT, "FILE", DAEMON_OPT(log_file), "log there; also syslog, journald (standard error)" }, \
	{ 0, "log-format", OPT_TEXT, "FORMAT", DAEMON_OPT(log_format), "text, ldmsd, json or logfmt (text)" },         \
	{ 'v', "log-level", OPT_LIST, "[SUBSYS=]LEVEL", DAEMON_OPT(log_level), "from DEBUG INFO WARNING ERROR on (INFO)" }, \
	{ 'q', "quiet", OPT_FLAG, NULL, DAEMON_OPT(quiet), "log nothing" },                                            \
	{ 0, "pid-file", OPT_TEXT, "FILE", DAEMON_OPT(pid_file), "write the process number there" },                   \
	{ 0, "sysroot", OPT_TEXT, "DIR", DAEMON_OPT(sysroot), "read DIR/proc and DIR/sys instead" },                   \
	{ 0, "user", OPT_TEXT, "USER[:GROUP]", DAEMON_OPT(user), "become this user when ports and files are open" },    \
	{ 0, "sandbox", OPT_MAYBE, "required", DAEMON_OPT(sandbox), "reach no files but those of the configuration" }, \
	{ 0, "sandbox-allow", OPT_LIST, "DIR", DAEMON_OPT(sandbox_allow), "write below DIR, too; repeatable" },        \
	{ 0, "help", OPT_FLAG, NULL, DAEMON_OPT(help), "this text" }

/* ... and those whose work is to collect. */
#define DAEMON_OPTS_COLLECT                                                                                            \
	{ 0, "push", OPT_FLAG, NULL, DAEMON_OPT(push), "have samples sent as they end; no reads" },                    \
	{ 0, "shard", OPT_TEXT, "K/N", DAEMON_OPT(shard), "of N daemons that share the rows this is the K-th" }

#define UNSET_TIME INT64_MIN
#define UNSET_NUM  UINT64_MAX

/* The configuration language has no quoting: a blank would end the value.  -EINVAL with words. */
int daemon_opts_no_blanks(const char *option, const char *value, struct err *err);
/* Write the configuration lines that the options stand for.  -EINVAL with words about an option's value. */
int daemon_opts_lines(const struct daemon_opts *o, struct buf *lines, struct err *err);
/* Call fn with each word of an option's values: blanks and commas part them.  Ends with its first failure. */
int daemon_opts_words(const struct opt_list *list, int (*fn)(const char *word, void *arg, struct err *err), void *arg,
		      struct err *err);
/* The line for -a and -A; to stand before all others, because the first one counts. */
int daemon_opts_auth(const struct daemon_opts *o, struct buf *lines, struct err *err);
/* The lines for the log's levels, the default's first: where a file says nothing else, they hold. */
void daemon_opts_levels(const struct daemon_opts *o, struct buf *lines);
/* The lines for listening: what -x says, or the default port. */
int daemon_opts_listen(const struct daemon_opts *o, struct buf *lines, struct err *err);
/* The log as the options want it: its format and levels. */
int daemon_opts_log(const struct daemon_opts *o, struct err *err);
void daemon_opts_fini(struct daemon_opts *o);

#endif
