/* msg_pub_send.c - messages of `ldms msg pub` on their way: read, one held at a time, sent, taken.  See msg_pub.c. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cmd/msg_pub_impl.h"
#include "core/base/json_scan.h"
#include "core/base/unit.h"
#include "core/daemon/stream.h"

#define WINDOW     64 /* messages of a stream without answer */
#define READ_BYTES 65536
#define LEAVE_S    0.01 /* between looks whether all has left */

uint64_t pub_waiting(const struct pub *p)
{
	return p->o->stream ? p->open : p->m.x ? (uint64_t)xprt_msg_unpaid(p->m.x) : 0;
}

/* -- the source ---------------------------------------------------------------------------------------------------- */

static size_t size_max(const struct pub *p)
{
	return p->o->stream ? MSG_STREAM_MAX : BUS_MSG_MAX - strlen(p->channel) - 1;
}

int pub_message_set(struct pub *p, const void *text, size_t len, struct err *err)
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
		if (pub_message_set(p, p->in.p, len + with_nl, &err)) {
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

void pub_readable(struct ev_loop *ev, ev_io *w, int events)
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

void pub_over(struct pub *p, int status)
{
	msg_over(&p->m, status);
}

void pub_off(struct pub *p)
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
		pub_off(p);
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
		.type = p->o->avro   ? BUS_AVRO
			: p->o->json ? BUS_JSON
				     : BUS_STRING,
		.uid = p->uid,
		.gid = p->gid,
		.perm = p->perm,
	};

	return xprt_msg_send(p->m.x, &m, err);
}

void pub_announce(struct pub *p)
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
		pub_off(p);
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

void pub_go(struct pub *p)
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
	if (pub_waiting(p) || (p->ready && !ev_is_active(&p->pause))) {
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
