/* msg_pub.c - `ldms msg pub`: messages from the command line, a file or standard input to a daemon.
 *
 * One message is held at a time: the next one is read when the last one has left, so that a fast source waits for a
 * slow daemon.  It is over when the daemon has taken all: paid them back (the bus), or answered (streams).
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/msg_pub_impl.h"
#include "core/base/unit.h"

#define AT(field) offsetof(struct pub_opts, field)
static const struct opt opts[] = {
	{ 'f', "file", OPT_TEXT, "FILE", AT(file), "the message stands in this file; - is standard input (-)" },
	{ 'l', "line", OPT_FLAG, NULL, AT(line), "each line is a message" },
	{ 0, "json", OPT_FLAG, NULL, AT(json), "messages are JSON: checked here, one that is not is not sent" },
	{ 0, "string", OPT_FLAG, NULL, AT(string), "messages are texts (this is how it is)" },
	{ 'n', "count", OPT_NUM, "N", AT(count), "send the message so often (1)" },
	{ 'i', "interval", OPT_TIME, "TIME", AT(interval_us), "between messages (0)" },
	{ 0, "perm", OPT_TEXT, "PERM", AT(perm), "who may read the message, octal (0444)" },
	{ 's', "stream", OPT_FLAG, NULL, AT(stream), "publish on the older streams, not on the message bus" },
	MSG_PEER_OPTS(AT),
	{ 0 },
};
#undef AT

const struct cmd_usage usage_msg_pub = {
	.synopsis = "ldms msg pub [--json | --string] [-l | -n N] [-i TIME] [-f FILE] [--perm PERM] [-s]\n"
		    "[-h HOST] [-p PORT] [-x XPRT] [-a AUTH] [-A KEY=VALUE] [-w TIME]\n"
		    "CHANNEL [MESSAGE]",
	.brief = "publish messages at a running daemon",
	.about = "Sends MESSAGE, or what stands in a file or on standard input, to a daemon, which passes it on to "
		 "whoever subscribed to CHANNEL. Exit status: 0 the daemon took all, 1 wrong usage or a message that "
		 "cannot be sent, 2 the host does not resolve, 3 refused or unreachable, 4 not all was taken, 5 not an "
		 "LDMS daemon, 6 it speaks another protocol version, 7 it rejects the authentication.",
	.opts = opts,
	.examples = "ldms msg pub events 'the filter was changed'\n"
		    "ldms msg pub -h agg-1 --json slurm -f event.json\n"
		    "journalctl -f -o json | ldms msg pub --json --line journal",
};

/* -- the connection ------------------------------------------------------------------------------------------------ */

static void pause_cb(struct ev_loop *ev, ev_timer *t, int events)
{
	(void)ev;
	(void)events;
	pub_go(t->data);
}

static void on_down(struct xprt *x, void *arg, enum xprt_fail fail, const char *why);
static void on_up(struct xprt *x, void *arg);
static void on_msg(struct xprt *x, void *arg, const void *bytes, size_t len);
static void on_credit(struct xprt *x, void *arg);

static const struct xprt_events conn_events = { .up = on_up, .down = on_down, .msg = on_msg, .credit = on_credit };

static void retry_cb(struct ev_loop *ev, ev_timer *t, int revents)
{
	struct pub *p = t->data;
	struct err err = { "" };

	(void)ev;
	(void)revents;
	if (msg_connect(&p->m, &conn_events, p, &err))
		pub_over(p, msg_down(&p->m, XPRT_LOCAL, err.msg));
}

static void on_up(struct xprt *x, void *arg)
{
	struct pub *p = arg;

	msg_heard(&p->m);
	p->asks.x = x;
	p->was_up = true;
	if (p->m.face && p->m.face->connected)
		p->m.face->connected(&p->m);
	if (p->o->announce || p->o->announce_only)
		pub_announce(p);
	if (!p->o->stream && !xprt_msg_enabled(x))
		pub_off(p);
	else
		pub_go(p);
}

static void on_down(struct xprt *x, void *arg, enum xprt_fail fail, const char *why)
{
	struct pub *p = arg;

	if (p->m.over)
		return;
	if (!p->was_up && p->o->retry_us > 0) {
		xprt_close(x);
		p->m.x = NULL;
		msg_heard(&p->m);
		ev_timer_set(&p->retry, (double)p->o->retry_us / SEC_US, 0);
		ev_timer_start(loop_ev(p->m.loop), &p->retry);
		return;
	}
	pub_over(p, msg_down(&p->m, fail, why));
}

static void on_msg(struct xprt *x, void *arg, const void *bytes, size_t len)
{
	struct pub *p = arg;
	struct record rec;

	(void)x;
	if (!record_parse(bytes, len, &rec, NULL) && rec.type == RECORD_RESPONSE)
		asks_got(&p->asks, &rec);
}

static void on_credit(struct xprt *x, void *arg)
{
	(void)x;
	pub_go(arg);
}

static void on_late(struct ev_loop *ev, ev_timer *t, int events)
{
	struct pub *p = t->data;

	(void)ev;
	(void)events;
	if (!xprt_is_up(p->m.x)) {
		pub_over(p, msg_no_connection(&p->m));
		return;
	}
	msg_say(&p->m, "it takes nothing for %s", p->m.time_text);
	pub_over(p, EXIT_INCOMPLETE);
}

static void on_signal(struct ev_loop *ev, ev_signal *w, int events)
{
	struct pub *p = w->data;

	(void)ev;
	(void)events;
	p->refused = true;
	pub_over(p, EXIT_INCOMPLETE);
}

/* -- from the command line to the loop ----------------------------------------------------------------------------- */

static int source_open(struct pub *p, const char *text, struct err *err)
{
	p->fd = -1;
	if (text) {
		p->eof = true;
		return pub_message_set(p, text, strlen(text), err);
	}
	if (!strcmp(p->o->file, "-"))
		p->fd = STDIN_FILENO;
	else
		p->fd = open(p->o->file, O_RDONLY | O_CLOEXEC);
	if (p->fd < 0)
		return err_set(err, -errno, "%s: %s", p->o->file, err_name(errno));
	return 0;
}

static int check_opts(struct pub *p, const char *text, struct err *err)
{
	uint64_t uid = geteuid(), gid = getegid();
	char *end;
	int rc;

	if (!*p->channel)
		return err_set(err, -EINVAL, "the channel has no name");
	if (p->o->json && p->o->string)
		return err_set(err, -EINVAL, "--json and --string exclude each other");
	if (text && (p->o->file || p->o->line))
		return err_set(err, -EINVAL, "a MESSAGE, or %s; not both", p->o->file ? "--file" : "--line");
	if (p->o->line && p->o->count != 1)
		return err_set(err, -EINVAL, "--count repeats one message, and --line makes many; not both");
	if (!p->o->count)
		return err_set(err, -EINVAL, "--count 0 sends nothing");
	p->perm = (uint32_t)strtoul(p->o->perm, &end, 8);
	if (*end || !*p->o->perm || p->perm > 0777)
		return err_set(err, -EINVAL, "--perm: '%s' is no permission; write it octal, as 0440", p->o->perm);
	rc = p->o->uid ? unit_u64(p->o->uid, &uid, err) : 0;
	if (!rc && p->o->gid)
		rc = unit_u64(p->o->gid, &gid, err);
	if (!rc && (uid > UINT32_MAX || gid > UINT32_MAX))
		rc = err_set(err, -ERANGE, "users and groups are numbers below 4294967296");
	p->uid = (uint32_t)uid;
	p->gid = (uint32_t)gid;
	if (!p->o->file)
		p->o->file = "-";
	return rc;
}

static int pub_run(struct pub *p, const char *text, struct err *err)
{
	int rc = check_opts(p, text, err);

	if (!rc && !p->o->announce_only)
		rc = source_open(p, text, err);
	if (!rc)
		rc = msg_open(&p->m, &p->o->peer, on_late, on_signal, p, err);
	if (rc)
		return rc;
	loop_lock(p->m.loop);
	ev_io_init(&p->readable, pub_readable, p->fd, EV_READ);
	p->readable.data = p;
	ev_init(&p->pause, pause_cb);
	p->pause.data = p;
	ev_init(&p->retry, retry_cb);
	p->retry.data = p;
	rc = msg_connect(&p->m, &conn_events, p, err);
	loop_unlock(p->m.loop);
	if (rc)
		return rc;
	loop_run(p->m.loop);
	loop_lock(p->m.loop);
	if (!p->o->stream)
		p->taken = pub_waiting(p) ? p->sent - 1 : p->sent; /* the last one at least is open */
	asks_end(&p->asks, -ECANCELED);
	ev_io_stop(loop_ev(p->m.loop), &p->readable);
	ev_timer_stop(loop_ev(p->m.loop), &p->pause);
	ev_timer_stop(loop_ev(p->m.loop), &p->retry);
	loop_unlock(p->m.loop);
	if (p->m.status != EXIT_ALL && p->sent)
		msg_say(&p->m, "%" PRIu64 " messages (%" PRIu64 " bytes) were sent; it took %s%" PRIu64, p->sent,
			p->bytes, p->o->stream || p->taken == p->sent ? "" : "at most ", p->taken);
	return 0;
}

int msg_pub(const char *self, const struct msg_face *face, struct pub_opts *o, const char *channel, const char *text)
{
	struct pub p = { .m = { .self = self, .face = face }, .o = o, .channel = channel, .fd = -1 };
	struct err err = { "" };

	if (pub_run(&p, text, &err)) {
		fprintf(stderr, "%s: %s\n", self, err.msg);
		p.m.status = EXIT_USAGE;
	}
	msg_close(&p.m);
	if (p.fd > STDIN_FILENO)
		close(p.fd);
	buf_fini(&p.in);
	buf_fini(&p.msg);
	opt_list_fini(&o->peer.auth_args);
	return p.m.status;
}

int cmd_msg_pub(int argc, char **argv)
{
	struct pub_opts o = PUB_OPTS_INIT;
	struct err err = { "" };
	int n = opt_parse(opts, argc, argv, &o, &err);

	if (n >= 0 && !o.peer.help && (n < 1 || n > 2))
		n = err_set(&err, -EINVAL,
			    "write the channel, and behind it the message or nothing; a message with blanks in quotes");
	if (n >= 0 && !o.peer.help)
		return msg_pub("ldms msg pub", NULL, &o, argv[1], n == 2 ? argv[2] : NULL);
	opt_list_fini(&o.peer.auth_args);
	if (n < 0) {
		fprintf(stderr, "ldms msg pub: %s\n", err.msg);
		return EXIT_USAGE;
	}
	opt_help(stdout, &usage_msg_pub);
	return EXIT_ALL;
}
