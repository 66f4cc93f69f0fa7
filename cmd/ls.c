/* ls.c - `ldms ls`: the sets of a running daemon, and what is in them (ls_items.c).
 *
 * One connection, one loop, one deadline for everything.  The directory comes first; for -l each set is then looked up
 * and read, so many at a time, in the order in which they are shown, and each is shown as soon as it and all
 * before it are there.  Whatever ends the run early, the sets that came are shown, and the others named.
 */
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <arpa/inet.h>

#include "cmd/cmd.h"
#include "cmd/ls_impl.h"
#include "core/base/clock.h"
#include "core/base/unit.h"
#include "core/base/work.h"
#include "core/base/xalloc.h"

#define WORK_END_US (100 * MSEC_US) /* a worker that is idle needs less to end */

/* -- options ------------------------------------------------------------------------------------------------------- */

#define AT(field) offsetof(struct ls_opts, field)
static const struct opt opts[] = {
	{ 'h', "host", OPT_TEXT, "HOST", AT(host), "name or address of the daemon's host, also HOST:PORT (localhost)" },
	{ 'p', "port", OPT_TEXT, "PORT", AT(port), "its port (" TOOL_PORT_DFLT ")" },
	{ 'x', "xprt", OPT_TEXT, "XPRT", AT(xprt), "transport (sock)" },
	{ 'a', "auth", OPT_TEXT, "AUTH", AT(auth), "authentication method (none)" },
	{ 'A', "auth-arg", OPT_LIST, "KEY=VALUE", AT(auth_args), "an argument of the authentication method" },
	{ 'v', "verbose", OPT_COUNT, NULL, AT(verbose), "a table of the sets; twice: with digests" },
	{ 'l', "long", OPT_FLAG, NULL, AT(contents), "the metrics of each set and their values" },
	{ 'd', "decomp", OPT_FLAG, NULL, AT(decomp),
	  "a `flex` decomposition to begin with, for the schemas of these sets" },
	{ 'P', "push", OPT_FLAG, NULL, AT(push), "the contents of each set as it is pushed next; waits for that" },
	{ 'u', "udata", OPT_FLAG, NULL, AT(udata), "with -l: the metrics' user data, too" },
	{ 'E', "regex", OPT_FLAG, NULL, AT(search),
	  "search for each NAME as an extended regular expression, anywhere (otherwise it must match as a whole)" },
	{ 'S', "schema", OPT_FLAG, NULL, AT(schema), "NAMEs are schema names" },
	{ 'I', "instance", OPT_FLAG, NULL, AT(instance), "NAMEs are instance names (this is how it is)" },
	{ 'w', "timeout", OPT_TEXT, "TIME", AT(time),
	  "time for everything together; a bare number is seconds (" TOOL_TIME_DFLT "s)" },
	{ 'm', "mem", OPT_SIZE, "SIZE", AT(mem), "memory for sets, at most (no limit)" },
	{ 0, "json", OPT_FLAG, NULL, AT(json), "print JSON" },
	{ 'f', "format", OPT_TEXT, "FORMAT", AT(format), "json, tab (between tabs) or text (text)" },
	{ 'V', "version", OPT_FLAG, NULL, AT(version), "print the version and exit" },
	{ 0, "help", OPT_FLAG, NULL, AT(help), "print this help and exit" },
	{ 0 },
};
#undef AT

const struct cmd_usage usage_ls = {
	.synopsis =
		"ldms ls [-lv] [-u] [-d | -P] [-E] [-S | -I] [-h HOST] [-p PORT] [-x XPRT] [-a AUTH] [-A KEY=VALUE]\n"
		"[-w TIME] [--json | -f FORMAT] [NAME ...]",
	.brief = "the sets of a running daemon, and what is in them",
	.about = "Lists the sets that a daemon serves: all, or those that match a NAME. A set group brings its members "
		 "along. Exit status: 0 all was shown, 1 wrong usage, 2 the host does not resolve, 3 refused or "
		 "unreachable, 4 not all came in time, 5 not an LDMS daemon, 6 it speaks another protocol version, "
		 "7 it rejects the authentication, 8 no set matches.",
	.opts = opts,
	.examples = "ldms ls                        the names of the sets on this host\n"
		    "ldms ls -h n17 -v              a table of n17's sets\n"
		    "ldms ls -h n17 -l n17/meminfo  the values of one set\n"
		    "ldms ls -h agg-1 -S -E '^lus'  those whose schema begins so\n"
		    "ldms ls -l --json | jq .       for programs",
};

/* -- the run ------------------------------------------------------------------------------------------------------- */

void ls_say(struct ls *ls, const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "%s: %s: ", ls->self, ls->peer);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}

void ls_over(struct ls *ls, enum exit_status status)
{
	ls->phase = PHASE_OVER;
	ls->status = status;
	loop_stop(ls->loop);
}

/* -- the directory ------------------------------------------------------------------------------------------------- */

static void peer_ip(struct xprt *x, char ip[INET6_ADDRSTRLEN])
{
	const struct sockaddr *sa = xprt_peer_addr(x);
	const void *addr = NULL;
	int family = AF_INET;

	if (sa->sa_family == AF_INET) {
		addr = &((const struct sockaddr_in *)sa)->sin_addr;
	} else if (sa->sa_family == AF_INET6) {
		const struct in6_addr *in6 = &((const struct sockaddr_in6 *)sa)->sin6_addr;

		family = IN6_IS_ADDR_V4MAPPED(in6) ? AF_INET : AF_INET6;
		addr = family == AF_INET ? &in6->s6_addr[12] : in6->s6_addr;
	}
	if (addr)
		inet_ntop(family, addr, ip, INET6_ADDRSTRLEN);
}

/* An empty or short list must not look like a daemon without sets. */
static void hidden_say(struct ls *ls)
{
	const struct dir_hidden h = xprt_dir_hidden(ls->x);

	if (h.sets && ls->dir.n)
		ls_say(ls,
		       "%" PRIu64 " of %" PRIu64 " sets are hidden from uid %" PRIu32 ", gid %" PRIu32
		       ": their owner and permission (uid, gid, perm of the sets) do not let it read them",
		       h.sets, h.sets + ls->dir.n, h.uid, h.gid);
	else if (h.sets)
		ls_say(ls,
		       "all %" PRIu64 " sets are hidden from uid %" PRIu32 ", gid %" PRIu32
		       ": their owner and permission (uid, gid, perm of the sets) do not let it read any of them",
		       h.sets, h.uid, h.gid);
}

static void dir_done(struct ls *ls)
{
	ls->picked_n = ls_dir_pick(&ls->dir, &ls->names, &ls->picked);
	peer_ip(ls->x, ls->p.peer.ip);
	ls->p.now_us = wall_us();
	print_begin(&ls->p);
	print_listing(&ls->p, ls->picked, ls->picked_n);
	print_contents_begin(&ls->p);
	hidden_say(ls);
	if (!ls->picked_n && ls->names.n) {
		ls_say(ls, "no set matches the given names; `ldms ls` without names lists them all");
		ls_over(ls, EXIT_NO_MATCH);
		return;
	}
	if (!ls->p.contents) {
		ls_over(ls, EXIT_ALL);
		return;
	}
	ls->phase = PHASE_SETS;
	ls->items = xcalloc(ls->picked_n, sizeof(*ls->items));
	for (size_t i = 0; i < ls->picked_n; i++) /* contents are shown the last one first, as ldms_ls does */
		ls->items[i] = (struct ls_item){ .ls = ls, .d = ls->picked[ls->picked_n - 1 - i] };
	ls_items_ask(ls);
}

static void on_dir(struct xprt *x, void *arg, enum dir_event ev, const struct dir_set *set, int rc)
{
	struct ls *ls = arg;

	(void)x;
	if (ls->phase == PHASE_OVER)
		return;
	switch (ev) {
	case DIR_SET:
		ls_dir_add(&ls->dir, set);
		break;
	case DIR_DONE:
		dir_done(ls);
		break;
	case DIR_FAIL:
		ls_say(ls, "it does not tell its directory: %s", err_name(rc));
		ls_over(ls, EXIT_INCOMPLETE);
		break;
	default:
		break; /* changes: not asked for */
	}
}

static void on_up(struct xprt *x, void *arg)
{
	struct ls *ls = arg;
	struct err err;

	ls->phase = PHASE_DIR;
	if (xprt_dir(x, false, on_dir, ls, &err)) {
		ls_say(ls, "%s", err.msg);
		ls_over(ls, EXIT_REFUSED);
	}
}

static void on_down(struct xprt *x, void *arg, enum xprt_fail fail, const char *why)
{
	struct ls *ls = arg;

	(void)x;
	if (ls->phase == PHASE_OVER)
		return;
	if (!strncmp(why, ls->peer, strlen(ls->peer))) /* it names the peer, and the address, too */
		fprintf(stderr, "%s: %s\n", ls->self, why);
	else
		ls_say(ls, "%s", why);
	ls_over(ls, tool_exit_of[fail]);
}

static void on_deadline(struct ev_loop *ev, ev_timer *w, int revents)
{
	struct ls *ls = w->data;
	struct err why;

	(void)ev;
	(void)revents;
	if (ls->phase == PHASE_OVER)
		return;
	ls->late = true;
	if (ls->phase == PHASE_CONNECT && xprt_authenticating(ls->x, &why)) {
		ls_say(ls, "%s (after %s)", why.msg, ls->time_text);
		ls_over(ls, EXIT_AUTH);
		return;
	}
	if (ls->phase == PHASE_CONNECT)
		ls_say(ls, "no connection within %s; see whether the host is up, or give it more time with -w",
		       ls->time_text);
	else if (ls->phase == PHASE_DIR)
		ls_say(ls, "connected, but no directory came within %s; give it more time with -w", ls->time_text);
	ls_over(ls, EXIT_INCOMPLETE);
}

/* -- from the command line to the loop ----------------------------------------------------------------------------- */

static int peer_parse(struct ls *ls, char **ret_host, struct err *err)
{
	struct print_peer *peer = &ls->p.peer;
	int rc;

	rc = tool_peer_parse(ls->o->host, ls->o->port, ret_host, &peer->port, err);
	if (rc)
		return rc;
	peer->host = *ret_host;
	peer->xprt = ls->o->xprt;
	ls->peer = xasprintf(strchr(*ret_host, ':') ? "[%s]:%u" : "%s:%u", *ret_host, peer->port);
	return 0;
}

static int format_parse(struct ls *ls, struct err *err)
{
	const char *name = ls->o->json ? "json" : ls->o->format;

	ls->p.format = ls->o->decomp ? &print_decomp : print_format_find(name);
	if (!ls->p.format)
		return err_set(err, -EINVAL, "option --format: \"%s\" is no format; write json, tab or text", name);
	ls->p.verbose = ls->o->verbose;
	ls->p.contents = ls->o->contents || ls->o->decomp || ls->o->push;
	ls->p.pushed = ls->o->push;
	ls->p.udata = ls->o->udata;
	return 0;
}

/* Connect, turn until it is over, show the rest. */
static int ls_run(struct ls *ls, struct err *err)
{
	static const struct xprt_events events = { .up = on_up, .down = on_down };
	struct kv auth_args = { 0 };
	struct xprt_conf conf = {
		.type = ls->o->xprt,
		.host = ls->p.peer.host,
		.port = ls->p.peer.port,
		.auth = ls->o->auth,
		.auth_args = &auth_args,
	};
	int rc;

	for (size_t i = 0; i < ls->o->auth_args.n; i++)
		kv_parse(&auth_args, ls->o->auth_args.v[i]);
	ls->env.limits = xprt_limits_dflt;
	ls->env.limits.handshake_us = ls->env.limits.answer_us =
		2 * (uint64_t)ls->time_us; /* our deadline comes first */
	ls->env.pool = pool_new(ls->o->mem);
	ls->env.work = work_new("ls", 1);
	loop_lock(ls->loop);
	rc = xprt_connect(&ls->env, ls->loop, &conf, &events, ls, &ls->x, err);
	if (!rc) {
		ev_timer_init(&ls->deadline, on_deadline, (double)ls->time_us / SEC_US, 0);
		ls->deadline.data = ls;
		ev_timer_start(loop_ev(ls->loop), &ls->deadline);
	}
	loop_unlock(ls->loop);
	kv_fini(&auth_args);
	if (rc)
		return rc;
	loop_run(ls->loop);
	return 0;
}

/* What came is shown; what was begun is ended. */
static void ls_end(struct ls *ls)
{
	loop_lock(ls->loop);
	if (ls->items)
		ls_items_end(ls);
	if (ls->picked)
		print_end(&ls->p);
	ls_flush(ls);
	ev_timer_stop(loop_ev(ls->loop), &ls->deadline);
	xprt_close(ls->x);
	loop_unlock(ls->loop);
	free(ls->items);
	free(ls->picked);
	ls_dir_fini(&ls->dir);
	buf_fini(&ls->p.out);
}

static int list(struct ls *ls, int n, char **argv, struct err *err)
{
	char *host = NULL;
	int rc;

	rc = tool_time_parse(ls->o->time, &ls->time_us, err);
	if (!rc)
		rc = format_parse(ls, err);
	if (!rc)
		rc = ls_names_init(&ls->names, (const char *const *)argv + 1, (size_t)n, ls->o->search,
				   ls->o->schema && !ls->o->instance, err);
	if (rc)
		return rc;
	unit_time_text(ls->time_us, ls->time_text);
	rc = peer_parse(ls, &host, err);
	if (rc)
		goto out_peer;
	ls->loop = loop_new("ls", err);
	if (!ls->loop) {
		rc = -ENOMEM;
		goto out_peer;
	}
	rc = ls_run(ls, err);
	if (!rc)
		ls_end(ls);
	/* A name service or a munged that hangs keeps its thread, and what that would post to; the process ends under it. */
	if (!ls->env.work || work_free(ls->env.work, WORK_END_US))
		loop_free(ls->loop);
	pool_free(ls->env.pool);
out_peer:
	free(ls->peer);
	free(host);
	ls_names_fini(&ls->names);
	return rc;
}

enum exit_status ls_main(const char *self, struct ls_opts *o, int n, char **argv)
{
	struct ls ls = { .self = self, .o = o };
	struct err err = { "" };

	if (list(&ls, n, argv, &err)) {
		fprintf(stderr, "%s: %s\n", self, err.msg);
		ls.status = EXIT_USAGE;
	}
	opt_list_fini(&o->auth_args);
	if (fflush(stdout) || ferror(stdout)) {
		fprintf(stderr, "%s: the output cannot be written: %s\n", self, err_name(errno));
		ls.status = EXIT_INCOMPLETE;
	}
	return ls.status;
}

int cmd_ls(int argc, char **argv)
{
	struct ls_opts o = LS_OPTS_INIT;
	struct err err = { "" };
	int n = opt_parse(opts, argc, argv, &o, &err);

	if (n >= 0 && !o.help && !o.version)
		return ls_main("ldms ls", &o, n, argv);
	opt_list_fini(&o.auth_args);
	if (n < 0) {
		fprintf(stderr, "ldms ls: %s\n", err.msg);
		return EXIT_USAGE;
	}
	if (o.help)
		opt_help(stdout, &usage_ls);
	else
		printf("LDMS_LS Version: %s\nLDMS Protocol Version: 4.2.0.0\n", LDMS_VERSION);
	return EXIT_ALL;
}
