/* stream.c - records of streams, as an authenticated peer may send them to a daemon.
 *
 * Reaches core/ctl/session.c (gathering, answers, answers to questions of ours), peer_stream.c and
 * core/daemon/stream.c, stream_sub.c, through the transport.  Input: pieces (feed.h); the selector says what the bytes become:
 *   0-5 the attributes of a request 0x900 + selector  6 a piece of a longer request  7 a record as it is
 *   8 an answer  9 somebody in the daemon publishes  10 streams are switched
 */
#include "tests/fuzz/feed.h"

#include "core/ctl/record.h"
#include "core/ctl/session.h"
#include "core/daemon/records.h"
#include "core/daemon/stream.h"

static struct daemon *d;
static struct xprt *peer;

static void on_up(struct xprt *x, void *arg)
{
	const struct record_pair pair = { ATTR_NAME, "a" };

	peer = x;
	records_prdcr(d, x, "p");
	records_ask(d, x, 0x901, &pair, 1, (record_answer_fn)arg, NULL, NULL);
}

static void on_down(struct xprt *x, void *arg, enum xprt_fail fail, const char *why)
{
	records_gone(d, x);
	peer = NULL;
}

static void on_msg(struct xprt *x, void *arg, const void *bytes, size_t len)
{
	records_msg(d, x, bytes, len);
}

static const struct xprt_events events = { .up = on_up, .down = on_down, .msg = on_msg };

static void answered(void *arg, int rc, const char *words)
{
	if (!words)
		abort();
}

static void begin(void)
{
	const struct daemon_conf conf = { .name = "fuzz" };

	feed_init();
	log_level_set(LOG_QUIET_);
	if (daemon_new(&conf, &d, NULL))
		abort();
	sessions_open(d);
	fuzz.l.ev = &events;
	fuzz.l.arg = (void *)answered;
}

static void settle(void)
{
	feed_settle();
	loop_lock(d->main);
	ev_run(loop_ev(d->main), EVRUN_NOWAIT);
	loop_unlock(d->main);
	feed_settle();
}

static void put_record(struct buf *b, uint32_t type, uint32_t flags, uint32_t msg_no, uint32_t code,
		       const struct piece *p)
{
	buf_be32(b, RECORD_MARKER);
	buf_be32(b, type);
	buf_be32(b, flags);
	buf_be32(b, msg_no);
	buf_be32(b, code);
	buf_be32(b, RECORD_HDR_SZ + p->len);
	buf_add(b, p->p, p->len);
}

static void publish(const struct piece *p)
{
	const struct stream_msg m = {
		.name = "a", .type = p->len & 1 ? STREAM_JSON : STREAM_STRING, .data = p->p, .len = p->len
	};

	stream_publish(d->streams, &m, NULL, NULL);
}

static void say(struct zap *z, const struct piece *p)
{
	struct buf rec = { 0 }, b = { 0 };
	unsigned int sel = p->sel % 16;

	switch (sel) {
	case 6:
		put_record(&rec, RECORD_REQUEST, p->sel >> 4 & 3, 7, 0x900, p);
		break;
	case 7:
		buf_add(&rec, p->p, p->len);
		if (rec.len > 19 && (rec.p[18] != 9 || rec.p[19] > 5)) /* verbs may write files */
			rec.p[18] = 9, rec.p[19] &= 3;
		break;
	case 8:
		put_record(&rec, RECORD_RESPONSE, p->sel >> 4 & 3, 1 + (p->sel >> 6), p->len & 1, p);
		break;
	default:
		put_record(&rec, RECORD_REQUEST, 3, p->len, 0x900 + sel % 6, p);
		break;
	}
	feed_header(&b, ZAP_SENDRECV, 4 + REPLY_HDR_SZ + (uint32_t)rec.len);
	buf_be32(&b, REPLY_HDR_SZ + (uint32_t)rec.len);
	buf_raw64(&b, 0);
	buf_be32(&b, CMD_SEND_MSG);
	buf_be32(&b, REPLY_HDR_SZ + (uint32_t)rec.len);
	buf_be32(&b, (uint32_t)rec.len);
	buf_add(&b, rec.p, rec.len);
	zap_input(z, b.p, b.len);
	buf_fini(&rec);
	buf_fini(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t len)
{
	struct rd r = rd_over(in, len);
	struct buf b = { 0 };
	struct piece p;
	struct zap *z;

	if (!d)
		begin();
	streams_free(d->streams); /* nothing is left of the last run; nobody is connected */
	d->streams = streams_new(&d->xprt);
	streams_enable(d->streams, true);
	z = feed_peer("none");
	while (!zap_is_closed(z) && feed_piece(&r, &p)) {
		if (p.sel % 16 == 9)
			publish(&p);
		else if (p.sel % 16 == 10)
			streams_enable(d->streams, p.len & 1);
		else
			say(z, &p);
		if (p.sel & 0x80)
			settle();
	}
	if (!zap_is_closed(z))
		zap_ended(z, 0);
	settle();
	buf_fini(&b);
	return 0;
}
