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

#include "cmd/msg.h"
#include "core/base/json_scan.h"
#include "core/base/unit.h"
#include "core/base/xalloc.h"
#include "core/ctl/ask.h"
#include "core/daemon/stream.h"

#define WINDOW     64 /* messages of a stream without answer */
#define READ_BYTES 65536
#define LEAVE_S    0.01 /* between looks whether all has left */

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

struct pub {
	struct msg_conn m;
	struct pub_opts *o;
	const char *channel;
	uint32_t perm, uid, gid;
	/* source */
	int fd; /* -1: the message is there */
	ev_io readable;
	struct buf in; /* read; with --line, more than the message */
	bool eof;
	/* the message in hand, its NUL included; points into `in`, or at the argument */
	struct buf msg;
	bool ready;
	ev_timer pause, retry;
	uint64_t loops; /* of the file so far */
	uint64_t left; /* times that it is still to be sent */
	/* account */
	uint64_t number; /* of the message in hand, from 1 */
	uint64_t sent, taken, bytes;
	bool refused, was_up;
	struct asks asks;  /* streams */
	unsigned int open; /* without answer */
};

static void pub_go(struct pub *p);

static uint64_t waiting(const struct pub *p)
{
	return p->o->stream ? p->open : p->m.x ? (uint64_t)xprt_msg_unpaid(p->m.x) : 0;
}

/* -- the source ---------------------------------------------------------------------------------------------------- */

static size_t size_max(const struct pub *p)
{
	return p->o->stream ? MSG_STREAM_MAX : BUS_MSG_MAX - strlen(p->channel) - 1;
}

/* The text becomes the message in hand, with a NUL behind. */
static int message_set(struct pub *p, const void *text, size_t len, struct err *err)
{
	p->number++;
	if (len + 1 > size_max(p))
		return err_set(err, -EMSGSIZE, "message %" PRIu64 " has %zu bytes; at most %zu fit%s", p->number, len,
			       size_max(p) - 1, p->o->line ? "" : "; --line sends each line by itself");
	if (p->o->json && !p->o->unchecked && json_check(text, len, err))
		return err_prefix(err, -EINVAL, "message %" PRIu64 ": ", p->number);
	buf_reset(&p->msg);
	buf_add(&p->msg, text, len);
	buf_u8(&p->msg, 0);
	p->ready = true;
	p->left = p->o->count;
	return 0;
}

static void bad_message(struct pub *p, const struct err *err)
{
	fprintf(stderr, "%s: %s\n", p->m.self, err->msg);
	p->refused = true;
}

/* Take the next message out of what was read; false: there is none (yet). */
static bool message_next(struct pub *p)
{
	struct err err = { "" };

	while (!p->ready && p->in.len) {
		const char *nl = p->o->line ? memchr(p->in.p, '\n', p->in.len) : NULL;
		size_t len = nl ? (size_t)(nl - (const char *)p->in.p) : p->in.len;
		bool with_nl = nl && p->o->whole_lines;

		if (!nl && !p->eof && p->in.len <= size_max(p))
			return false;
		if (p->o->line && !len && !with_nl) { /* an empty line is no message */
			buf_consume(&p->in, 1);
			continue;
		}
		if (message_set(p, p->in.p, len + with_nl, &err)) {
			bad_message(p, &err);
			if (!nl && !p->eof) { /* the rest of it would be read for nothing */
				p->eof = true;
				buf_reset(&p->in);
				return false;
			}
		}
		buf_consume(&p->in, len + (nl != NULL));
	}
	return p->ready;
}

/* At the end of the file: begin with it again, where it is wanted more often (and is no pipe, which is read once). */
static void loop_again(struct pub *p)
{
	if (p->fd < 0 || !p->number || ++p->loops >= p->o->loops || lseek(p->fd, 0, SEEK_SET))
		return;
	p->eof = false;
	if (p->m.face && p->m.face->repeats)
		p->m.face->repeats(&p->m, p->loops);
	if (p->o->loop_us > 0) {
		ev_timer_set(&p->pause, (double)p->o->loop_us / SEC_US, 0);
		ev_timer_start(loop_ev(p->m.loop), &p->pause);
	}
}

static void on_readable(struct ev_loop *ev, ev_io *w, int events)
{
	struct pub *p = w->data;
	ssize_t n = read(p->fd, buf_reserve(&p->in, READ_BYTES), READ_BYTES);

	(void)events;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n < 0) {
		fprintf(stderr, "%s: %s: %s\n", p->m.self, p->o->file, err_name(errno));
		p->refused = true;
	}
	if (n > 0)
		p->in.len += (size_t)n;
	else
		p->eof = true;
	ev_io_stop(ev, w);
	pub_go(p);
}

/* -- sending ------------------------------------------------------------------------------------------------------- */

static void pub_over(struct pub *p, int status)
{
	msg_over(&p->m, status);
}

static void off(struct pub *p)
{
	if (p->o->stream)
		msg_say(&p->m, "streams are off there: `stream_enable` in the daemon's configuration turns them on "
			       "(or publish on the message bus, without --stream)");
	else
		msg_say(&p->m, "its message bus is off: `msg_enable` in the daemon's configuration turns it on");
	pub_over(p, EXIT_INCOMPLETE);
}

static void on_answer(void *arg, int rc, const char *text)
{
	struct pub *p = arg;

	p->open--;
	if (rc < 0 || p->m.over)
		return;
	if (rc == ENOSYS) {
		off(p);
		return;
	}
	if (rc) {
		msg_say(&p->m, "a message was refused: %s", *text ? text : err_name(rc));
		p->refused = true;
	} else {
		p->taken++;
	}
	pub_go(p);
}

static int stream_send(struct pub *p, struct err *err)
{
	struct buf body = { 0 };
	int rc;

	if (p->open >= WINDOW)
		return -EAGAIN;
	record_put(&body, ATTR_NAME, p->channel, strlen(p->channel) + 1);
	record_put(&body, p->o->json ? ATTR_JSON : ATTR_STRING, p->msg.p, p->msg.len);
	record_end(&body);
	rc = ask_send(&p->asks, STREAM_PUBLISH, &body, on_answer, p, err);
	p->open += !rc;
	buf_fini(&body);
	return rc;
}

static int bus_send(struct pub *p, struct err *err)
{
	const struct bus_msg m = {
		.channel = p->channel,
		.data = p->msg.p,
		.len = (uint32_t)p->msg.len,
		.type = p->o->avro ? BUS_AVRO : p->o->json ? BUS_JSON : BUS_STRING,
		.uid = p->uid,
		.gid = p->gid,
		.perm = p->perm,
	};

	return xprt_msg_send(p->m.x, &m, err);
}

/* That there will be messages under this name. */
static void announce(struct pub *p)
{
	struct buf body = { 0 };
	struct err err = { "" };

	record_put(&body, ATTR_NAME, p->channel, strlen(p->channel) + 1);
	record_end(&body);
	if (ask_tell(&p->asks, STREAM_NEW, &body, &err)) {
		msg_say(&p->m, "%s", err.msg);
		p->refused = true;
	}
	buf_fini(&body);
}

/* Nothing answers an announcement: it has left when nothing waits to leave. */
static void announced(struct pub *p)
{
	if (!xprt_backlog(p->m.x)) {
		pub_over(p, p->refused ? EXIT_INCOMPLETE : EXIT_ALL);
		return;
	}
	ev_timer_set(&p->pause, LEAVE_S, 0);
	ev_timer_start(loop_ev(p->m.loop), &p->pause);
}

/* Send the message in hand; false when it must wait. */
static bool send_one(struct pub *p)
{
	struct err err = { "" };
	int rc = p->o->stream ? stream_send(p, &err) : bus_send(p, &err);

	if (rc == -EAGAIN)
		return false;
	if (rc == -ENOTSUP) {
		off(p);
		return false;
	}
	if (rc) {
		msg_say(&p->m, "message %" PRIu64 ": %s", p->number, err.msg);
		p->refused = true;
		p->left = 1;
	} else {
		p->sent++;
		p->bytes += p->msg.len;
	}
	if (!--p->left)
		p->ready = false;
	else if (p->m.face && p->m.face->repeats)
		p->m.face->repeats(&p->m, p->o->count - p->left);
	if (p->o->interval_us > 0 && (p->left || !p->eof || p->in.len)) {
		ev_timer_set(&p->pause, (double)p->o->interval_us / SEC_US, 0);
		ev_timer_start(loop_ev(p->m.loop), &p->pause);
		return false;
	}
	return true;
}

static void pub_go(struct pub *p)
{
	struct ev_loop *ev = loop_ev(p->m.loop);

	if (p->m.over || !p->m.x || !xprt_is_up(p->m.x))
		return;
	if (p->o->announce_only) {
		announced(p);
		return;
	}
	while (!ev_is_active(&p->pause) && message_next(p) && send_one(p) && !p->m.over)
		;
	if (p->m.over)
		return;
	if (p->eof && !p->ready && !p->in.len && !ev_is_active(&p->pause))
		loop_again(p);
	if (!p->ready && !p->eof && !ev_is_active(&p->pause))
		ev_io_start(ev, &p->readable);
	if (waiting(p) || (p->ready && !ev_is_active(&p->pause))) {
		msg_await(&p->m);
		return;
	}
	msg_heard(&p->m);
	if (p->ready || !p->eof || p->in.len || ev_is_active(&p->pause))
		return;
	if (!p->number && !p->o->line) {
		fprintf(stderr, "%s: %s: there is nothing in it, and nothing was sent\n", p->m.self, p->o->file);
		p->refused = true;
	}
	pub_over(p, p->refused ? EXIT_INCOMPLETE : EXIT_ALL);
}

static void pause_cb(struct ev_loop *ev, ev_timer *t, int events)
{
	(void)ev;
	(void)events;
	pub_go(t->data);
}

/* -- the connection ------------------------------------------------------------------------------------------------ */

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
		announce(p);
	if (!p->o->stream && !xprt_msg_enabled(x))
		off(p);
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
		return message_set(p, text, strlen(text), err);
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
	ev_io_init(&p->readable, on_readable, p->fd, EV_READ);
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
		p->taken = waiting(p) ? p->sent - 1 : p->sent; /* the last one at least is open */
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
