/* msg.c - `ldms msg`: messages to and from running daemons; what its two forms share */
#include "cmd/msg.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/log.h"
#include "core/base/unit.h"
#include "core/base/xalloc.h"

#define WORK_END_US (100 * MSEC_US) /* a worker that is idle needs less to end */

const struct cmd_usage usage_msg = {
	.synopsis = "ldms msg pub [option ...] CHANNEL [MESSAGE]\nldms msg sub [option ...] [CHANNEL]",
	.brief = "publish messages at a running daemon, and see those that pass",
	.about = "pub sends messages to a daemon, which passes them on to whoever subscribed to the channel. sub "
		 "subscribes, and prints what comes. `ldms msg pub --help` and `ldms msg sub --help` list the options.",
	.examples = "ldms msg sub events &                        print what is published on this host\n"
		    "ldms msg pub events 'hello'                  a text\n"
		    "ldms msg pub --json events '{\"job\":17}'      JSON, checked\n"
		    "ldms msg pub --line events <lines            one message a line\n"
		    "ldms msg sub -h agg-1 --regex '.*' --json    everything, with where it came from",
};

int cmd_msg(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "pub"))
		return cmd_msg_pub(argc - 1, argv + 1);
	if (argc > 1 && !strcmp(argv[1], "sub"))
		return cmd_msg_sub(argc - 1, argv + 1);
	if (argc > 1 && !strcmp(argv[1], "--help")) {
		opt_help(stdout, &usage_msg);
		return EXIT_ALL;
	}
	fprintf(stderr,
		"ldms msg: write `ldms msg pub CHANNEL MESSAGE` or `ldms msg sub CHANNEL`; `ldms help msg` says "
		"more\n");
	return EXIT_USAGE;
}

void msg_say(const struct msg_conn *m, const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "%s: %s: ", m->self, m->peer);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}

int msg_open(struct msg_conn *m, const struct msg_peer_opts *o, void (*late)(struct ev_loop *, ev_timer *, int),
	     void (*interrupted)(struct ev_loop *, ev_signal *, int), void *arg, struct err *err)
{
	static const int signals[] = { SIGINT, SIGTERM };
	int rc;

	m->o = o;
	rc = tool_time_parse(o->time, &m->time_us, err);
	if (!rc)
		rc = tool_peer_parse(o->host, o->port, &m->host, &m->port, err);
	if (rc)
		return rc;
	unit_time_text(m->time_us, m->time_text);
	m->peer = xasprintf(strchr(m->host, ':') ? "[%s]:%u" : "%s:%u", m->host, m->port);
	for (size_t i = 0; i < o->auth_args.n; i++)
		kv_parse(&m->auth_args, o->auth_args.v[i]);
	m->loop = loop_new("msg", err);
	if (!m->loop)
		return -ENOMEM;
	log_level_set(LOG_QUIET_); /* what matters is said by us */
	m->env.limits = xprt_limits_dflt;
	m->env.limits.handshake_us = m->env.limits.answer_us = 2 * m->time_us; /* our deadline comes first */
	m->env.work = work_new("msg", 1);
	loop_lock(m->loop);
	ev_init(&m->deadline, late);
	m->deadline.data = arg;
	for (size_t i = 0; i < 2; i++) {
		ev_signal_init(&m->ints[i], interrupted, signals[i]);
		m->ints[i].data = arg;
		ev_signal_start(loop_ev(m->loop), &m->ints[i]);
	}
	loop_unlock(m->loop);
	return 0;
}

int msg_connect(struct msg_conn *m, const struct xprt_events *ev, void *arg, struct err *err)
{
	const struct xprt_conf conf = {
		.type = m->o->xprt,
		.host = m->host,
		.port = m->port,
		.auth = m->o->auth,
		.auth_args = &m->auth_args,
	};
	int rc = xprt_connect(&m->env, m->loop, &conf, ev, arg, &m->x, err);

	if (!rc)
		msg_await(m);
	return rc;
}

void msg_await(struct msg_conn *m)
{
	ev_timer_stop(loop_ev(m->loop), &m->deadline);
	ev_now_update(loop_ev(m->loop));
	ev_timer_set(&m->deadline, (double)m->time_us / SEC_US, 0);
	ev_timer_start(loop_ev(m->loop), &m->deadline);
}

void msg_heard(struct msg_conn *m)
{
	ev_timer_stop(loop_ev(m->loop), &m->deadline);
}

/* What is on standard error is for people; the face says what its program always said. */
static int status_of(const struct msg_conn *m, enum xprt_fail fail)
{
	return m->face && m->face->unconnected ? m->face->unconnected(m, fail) : (int)tool_exit_of[fail];
}

int msg_down(const struct msg_conn *m, enum xprt_fail fail, const char *why)
{
	fprintf(stderr, "%s: %s\n", m->self, why);
	return status_of(m, fail);
}

int msg_no_connection(const struct msg_conn *m)
{
	struct err why;

	if (m->x && xprt_authenticating(m->x, &why)) {
		msg_say(m, "%s (after %s)", why.msg, m->time_text);
		return status_of(m, XPRT_AUTH);
	}
	msg_say(m, "no connection within %s; see whether the host is up, or give it more time with -w", m->time_text);
	return status_of(m, XPRT_TIMEOUT);
}

void msg_over(struct msg_conn *m, int status)
{
	if (m->over)
		return;
	m->over = true;
	m->status = status;
	loop_stop(m->loop);
}

void msg_close(struct msg_conn *m)
{
	if (m->loop) {
		loop_lock(m->loop);
		ev_timer_stop(loop_ev(m->loop), &m->deadline);
		for (size_t i = 0; i < 2; i++)
			ev_signal_stop(loop_ev(m->loop), &m->ints[i]);
		xprt_close(m->x);
		loop_unlock(m->loop);
		/* a name service that hangs keeps its thread, and what that would post to; the process ends under it */
		if (work_free(m->env.work, WORK_END_US)) {
			loop_free(m->loop);
			bus_free(m->env.bus);
		}
	}
	kv_fini(&m->auth_args);
	free(m->host);
	free(m->peer);
}
