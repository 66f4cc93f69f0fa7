/* msg_sub.c - `ldms msg sub`: what is published, as it passes.
 *
 * It connects and subscribes; when the connection is lost it comes back by itself, and says so.  Or it listens, and
 * prints what publishers send to it.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/background.h"
#include "cmd/msg.h"
#include "core/base/unit.h"
#include "core/base/xalloc.h"
#include "core/ctl/ask.h"
#include "core/daemon/stream.h"

#define RETRY_S   1.0 /* between attempts to come back */
#define ATTRS_MAX 8   /* of a message of a stream: name, type, data */

#define AT(field) offsetof(struct sub_opts, field)
static const struct opt opts[] = {
	{ 'E', "regex", OPT_FLAG, NULL, AT(regex),
	  "CHANNEL is an extended regular expression, found anywhere in a name" },
	{ 0, "json", OPT_FLAG, NULL, AT(json), "print an object for each message: where it came from, and when" },
	{ 'n', "count", OPT_NUM, "N", AT(count), "end after so many messages (0: never)" },
	{ 0, "rate", OPT_SIZE, "BYTES", AT(rate),
	  "not more than so many bytes a second; the others are dropped (0: all)" },
	{ 0, "listen", OPT_TEXT, "PORT", AT(listen), "do not connect: wait here for publishers" },
	{ 's', "stream", OPT_FLAG, NULL, AT(stream), "subscribe to the older streams, not on the message bus" },
	MSG_PEER_OPTS(AT),
	{ 0 },
};
#undef AT

const struct cmd_usage usage_msg_sub = {
	.synopsis = "ldms msg sub [-E] [--json] [-n N] [--rate BYTES] [--listen PORT] [-s]\n"
		    "[-h HOST] [-p PORT] [-x XPRT] [-a AUTH] [-A KEY=VALUE] [-w TIME]\n"
		    "[CHANNEL]",
	.brief = "print the messages that pass a running daemon",
	.about = "Subscribes to CHANNEL at a daemon and prints each message on a line, until it is interrupted. A "
		 "connection that is lost is made again; what is published meanwhile does not come. With --listen, "
		 "and no CHANNEL, everything that is sent here is printed. Exit status: 0 interrupted, or N messages "
		 "came, 1 wrong usage, 2 the host does not resolve, 3 refused or unreachable, 4 no answer, or the "
		 "subscription was refused, 5 not an LDMS daemon, 6 it speaks another protocol version, 7 it rejects "
		 "the authentication.",
	.opts = opts,
	.examples = "ldms msg sub events\n"
		    "ldms msg sub -h agg-1 --regex '^slurm' --json | jq .data\n"
		    "ldms msg sub --listen 10411              for ldms_msg_publish",
};

struct sub {
	struct msg_conn m;
	const struct sub_opts *o;
	FILE *out;
	const char *channel; /* NULL: all */
	struct xprt_listener *l;
	struct bus_sub *bus_sub;
	struct asks asks;
	struct buf part; /* a message of a stream that is half here */
	uint32_t part_no;
	ev_timer retry;
	ev_prepare flush;
	bool was_up;
	int parent; /* it waits for a word on this, where we go to the background; else -1 */
	uint64_t n, bytes;
	struct buf line;
};

static void sub_over(struct sub *s, int status)
{
	msg_over(&s->m, status);
}

/* -- printing ------------------------------------------------------------------------------------------------------ */

static void show(struct sub *s, struct msg_shown *m)
{
	if (s->m.over)
		return;
	s->n++;
	s->bytes += m->len;
	m->given = m->len;
	if (m->len && !m->data[m->len - 1])
		m->len--;
	buf_reset(&s->line);
	(s->o->put ? s->o->put : msg_put_line)(s->o, &s->line, m);
	if (s->line.len)
		fwrite(s->line.p, 1, s->line.len, s->out);
	if (s->n == s->o->count)
		sub_over(s, EXIT_ALL);
}

static void flush_cb(struct ev_loop *ev, ev_prepare *w, int events)
{
	struct sub *s = w->data;

	(void)ev;
	(void)events;
	if ((fflush(s->out) || ferror(s->out)) && !s->m.over) {
		fprintf(stderr, "%s: the output cannot be written: %s\n", s->m.self, err_name(errno));
		sub_over(s, EXIT_INCOMPLETE);
	}
}

/* -- the message bus ----------------------------------------------------------------------------------------------- */

static void on_bus(void *arg, const struct bus_msg *m)
{
	struct msg_shown sh = {
		.channel = m->channel, .data = m->data, .len = m->len, .json = m->type == BUS_JSON, .bus = m
	};

	show(arg, &sh);
}

static int bus_open(struct sub *s, struct err *err)
{
	s->m.env.bus = bus_new(NULL);
	bus_enable(s->m.env.bus, true);
	s->bus_sub = bus_subscribe(s->m.env.bus, s->channel ? s->channel : ".*", s->o->regex || !s->channel, s->m.loop,
				   on_bus, s, err);
	return s->bus_sub ? 0 : -EINVAL;
}

static void refused(struct sub *s, const char *words, const char *remedy)
{
	msg_say(&s->m, "it refuses the subscription: %s%s", words, remedy);
	sub_over(s, EXIT_INCOMPLETE);
}

static void on_subscribed(struct xprt *x, void *arg, int rc, const char *text)
{
	struct sub *s = arg;

	(void)x;
	msg_heard(&s->m);
	if (rc)
		refused(s, text, rc == -ENOTSUP ? "; `msg_enable` in its configuration turns the message bus on" : "");
}

static void bus_ask(struct sub *s)
{
	struct err err = { "" };

	if (!xprt_msg_enabled(s->m.x))
		refused(s, "its message bus is off", "; `msg_enable` in its configuration turns it on");
	else if (xprt_msg_sub(s->m.x, s->channel, s->o->regex, s->o->rate ? (int64_t)s->o->rate : -1, on_subscribed, s,
			      &err))
		refused(s, err.msg, "");
}

/* -- streams ------------------------------------------------------------------------------------------------------- */

static void on_stream_subscribed(void *arg, int rc, const char *text)
{
	struct sub *s = arg;

	if (rc < 0)
		return;
	msg_heard(&s->m);
	if (rc)
		refused(s, *text ? text : err_name(rc),
			rc == ENOSYS ? " `stream_enable` in its configuration turns streams on" : "");
}

static void stream_ask(struct sub *s)
{
	struct buf body = { 0 };
	struct err err = { "" };

	record_put(&body, ATTR_NAME, s->channel, strlen(s->channel) + 1);
	record_end(&body);
	if (ask_send(&s->asks, STREAM_SUBSCRIBE, &body, on_stream_subscribed, s, &err))
		refused(s, err.msg, "");
	buf_fini(&body);
}

static void send_record(void *arg, const void *rec, size_t len)
{
	xprt_send(arg, rec, len, NULL);
}

/* A whole message; publishers that listen to an answer get one. */
static void stream_got(struct sub *s, struct xprt *x, const struct record *rec)
{
	struct record_attr attrs[ATTRS_MAX];
	int n = record_attrs(s->part.p, s->part.len, attrs, ATTRS_MAX, NULL);
	struct msg_shown sh = { .channel = NULL };
	struct buf ack = { 0 };
	bool quiet = false;

	for (int i = 0; i < n; i++) {
		if (attrs[i].id == ATTR_NAME)
			sh.channel = attrs[i].value;
		quiet |= attrs[i].id == ATTR_TYPE;
		if (attrs[i].id != ATTR_STRING && attrs[i].id != ATTR_JSON)
			continue;
		sh.data = attrs[i].value;
		sh.len = attrs[i].len;
		sh.json = attrs[i].id == ATTR_JSON;
	}
	if (!quiet) {
		record_put(&ack, ATTR_STRING, "ACK", sizeof("ACK"));
		record_end(&ack);
		record_send(RECORD_RESPONSE, rec->msg_no, 0, &ack, send_record, x);
		buf_fini(&ack);
	}
	if (sh.channel && sh.data && (!s->channel || !strcmp(s->channel, sh.channel)))
		show(s, &sh);
}

static void on_msg(struct xprt *x, void *arg, const void *bytes, size_t len)
{
	struct sub *s = arg;
	struct record rec;

	if (record_parse(bytes, len, &rec, NULL))
		return;
	if (rec.type == RECORD_RESPONSE && x == s->m.x)
		asks_got(&s->asks, &rec);
	if (rec.type != RECORD_REQUEST || rec.code != STREAM_PUBLISH)
		return;
	if (rec.flags & RECORD_FIRST) {
		buf_reset(&s->part);
		s->part_no = rec.msg_no;
	}
	if (rec.msg_no != s->part_no || s->part.len + rec.body_len > MSG_STREAM_MAX)
		return;
	buf_add(&s->part, rec.body, rec.body_len);
	if (rec.flags & RECORD_LAST)
		stream_got(s, x, &rec);
}

/* -- the connection ------------------------------------------------------------------------------------------------ */

static void on_up(struct xprt *x, void *arg)
{
	struct sub *s = arg;

	if (s->was_up)
		msg_say(&s->m, "connected again");
	s->was_up = true;
	s->asks.x = x;
	msg_await(&s->m);
	if (s->o->stream)
		stream_ask(s);
	else
		bus_ask(s);
}

static void on_down(struct xprt *x, void *arg, enum xprt_fail fail, const char *why);

static const struct xprt_events conn_events = { .up = on_up, .down = on_down, .msg = on_msg };

static void retry_cb(struct ev_loop *ev, ev_timer *t, int events)
{
	struct sub *s = t->data;
	struct err err = { "" };

	(void)ev;
	(void)events;
	if (msg_connect(&s->m, &conn_events, s, &err))
		on_down(NULL, s, XPRT_LOCAL, err.msg);
}

static void on_down(struct xprt *x, void *arg, enum xprt_fail fail, const char *why)
{
	struct sub *s = arg;

	msg_heard(&s->m);
	asks_end(&s->asks, -ENOTCONN);
	if (!s->was_up) {
		fprintf(stderr, "%s: %s\n", s->m.self, why);
		sub_over(s, tool_exit_of[fail]);
		return;
	}
	if (s->asks.x) /* the first of many attempts */
		fprintf(stderr, "%s: %s; messages are missed until it is back\n", s->m.self, why);
	s->asks.x = NULL;
	xprt_close(s->m.x);
	s->m.x = NULL;
	ev_timer_set(&s->retry, RETRY_S, 0);
	ev_timer_start(loop_ev(s->m.loop), &s->retry);
}

static void on_guest_down(struct xprt *x, void *arg, enum xprt_fail fail, const char *why)
{
}

static const struct xprt_events listen_events = { .down = on_guest_down, .msg = on_msg };

static int listen_open(struct sub *s, struct err *err)
{
	struct xprt_listen_conf conf = {
		.type = s->o->peer.xprt,
		.host = s->o->listen_host,
		.auth = s->o->peer.auth,
		.auth_args = &s->m.auth_args,
	};
	int rc = tool_port_parse(s->o->listen, &conf.port, err);

	return rc ? rc : xprt_listen(&s->m.env, &s->m.loop, 1, &conf, &listen_events, s, &s->l, err);
}

static void on_late(struct ev_loop *ev, ev_timer *t, int events)
{
	struct sub *s = t->data;

	(void)ev;
	(void)events;
	if (s->m.x && xprt_is_up(s->m.x)) {
		msg_say(&s->m, "no answer to the subscription within %s", s->m.time_text);
		sub_over(s, EXIT_INCOMPLETE);
	} else if (s->was_up) {
		on_down(NULL, s, XPRT_TIMEOUT, "");
	} else {
		sub_over(s, msg_no_connection(&s->m));
	}
}

static void on_signal(struct ev_loop *ev, ev_signal *w, int events)
{
	(void)ev;
	(void)events;
	sub_over(w->data, EXIT_ALL);
}

/* -- from the command line to the loop ----------------------------------------------------------------------------- */

static int check_opts(struct sub *s, struct err *err)
{
	if (!s->o->listen && (!s->channel || !*s->channel))
		return err_set(err, -EINVAL, "write the CHANNEL to subscribe to; --regex '.*' subscribes to all");
	if (s->o->stream && s->o->regex)
		return err_set(err, -EINVAL, "streams are subscribed to by name; --regex is for the message bus");
	if (s->o->stream && s->o->rate)
		return err_set(err, -EINVAL, "--rate is for the message bus; streams have no limit");
	if (s->o->listen && s->o->rate)
		return err_set(err, -EINVAL, "--rate is what we ask a daemon for; it does not go with --listen");
	return 0;
}

static int out_open(struct sub *s, struct err *err)
{
	s->out = s->o->file ? fopen(s->o->file, "ae") : stdout;
	return s->out ? 0
		      : err_set(err, -errno, "%s: %s; messages cannot be written there", s->o->file, err_name(errno));
}

static int begin(struct sub *s, struct err *err)
{
	int rc = s->o->stream ? 0 : bus_open(s, err);

	if (rc)
		return rc;
	ev_prepare_init(&s->flush, flush_cb);
	s->flush.data = s;
	ev_prepare_start(loop_ev(s->m.loop), &s->flush);
	ev_init(&s->retry, retry_cb);
	s->retry.data = s;
	return s->o->listen ? listen_open(s, err) : msg_connect(&s->m, &conn_events, s, err);
}

static void end(struct sub *s)
{
	if (!s->m.loop)
		return;
	loop_lock(s->m.loop);
	ev_prepare_stop(loop_ev(s->m.loop), &s->flush);
	ev_timer_stop(loop_ev(s->m.loop), &s->retry);
	asks_end(&s->asks, -ECANCELED);
	xprt_listener_close(s->l);
	bus_unsubscribe(s->bus_sub);
	loop_unlock(s->m.loop);
}

static int sub_run(struct sub *s, struct err *err)
{
	int rc = check_opts(s, err);

	if (!rc)
		rc = out_open(s, err);
	if (!rc && s->o->background)
		rc = background_begin(&s->parent, err);
	if (!rc)
		rc = msg_open(&s->m, &s->o->peer, on_late, on_signal, s, err);
	if (rc)
		return rc;
	loop_lock(s->m.loop);
	rc = begin(s, err);
	loop_unlock(s->m.loop);
	if (rc)
		return rc;
	if (s->o->background)
		background_ready(&s->parent);
	loop_run(s->m.loop);
	if (!s->o->quiet && (s->was_up || s->o->listen))
		fprintf(stderr, "%s: %" PRIu64 " messages, %" PRIu64 " bytes\n", s->m.self, s->n, s->bytes);
	return 0;
}

int msg_sub(const char *self, struct sub_opts *o, const char *channel)
{
	struct sub s = { .m = { .self = self }, .o = o, .channel = channel, .parent = -1 };
	struct err err = { "" };

	if (sub_run(&s, &err)) {
		fprintf(stderr, "%s: %s\n", self, err.msg);
		s.m.status = EXIT_USAGE;
	}
	end(&s);
	msg_close(&s.m);
	buf_fini(&s.part);
	buf_fini(&s.line);
	opt_list_fini(&o->peer.auth_args);
	if (s.out && (fflush(s.out) || ferror(s.out)))
		s.m.status = s.m.status ? s.m.status : EXIT_INCOMPLETE;
	if (s.out && s.out != stdout)
		fclose(s.out);
	return s.m.status;
}

int cmd_msg_sub(int argc, char **argv)
{
	struct sub_opts o = SUB_OPTS_INIT;
	struct err err = { "" };
	int n = opt_parse(opts, argc, argv, &o, &err);

	if (n > 1)
		n = err_set(&err, -EINVAL, "one CHANNEL, please; --regex finds several: '^(a|b)$'");
	if (n >= 0 && !o.peer.help)
		return msg_sub("ldms msg sub", &o, n ? argv[1] : NULL);
	opt_list_fini(&o.peer.auth_args);
	if (n < 0) {
		fprintf(stderr, "ldms msg sub: %s\n", err.msg);
		return EXIT_USAGE;
	}
	opt_help(stdout, &usage_msg_sub);
	return EXIT_ALL;
}
