/* answer.c - what a peer may answer to our questions: whole, in pieces, twice, or to what was never asked.
 *
 * Reaches core/ctl/ask.c and record_parse().  Input: pieces (feed.h); the selector says how the bytes become a record:
 *   bit 7: they are one, header included; else bits 0-2: the question's number, 3-4: the flags, 5-6: the error
 * Each question must be settled exactly once.
 */
#include "core/ctl/ask.h"

#include <assert.h>
#include <errno.h>

#include "tests/fuzz/feed.h"

#define QUESTIONS 4

static unsigned int settled[QUESTIONS];

static void on_answer(void *arg, int rc, const char *text)
{
	settled[(uintptr_t)arg]++;
	assert(rc >= 0 || !*text);
	assert(strlen(text) <= RECORD_MAX);
}

static void down(struct xprt *x, void *arg, enum xprt_fail fail, const char *why)
{
}

static void one_record(struct asks *asks, const struct piece *p)
{
	struct record rec = { .type = RECORD_RESPONSE,
			      .flags = p->sel >> 3 & 3,
			      .msg_no = p->sel & 7,
			      .code = p->sel >> 5 & 3,
			      .body = p->p,
			      .body_len = p->len };
	struct err err;

	if (p->sel & 0x80 && (record_parse(p->p, p->len, &rec, &err) || rec.type != RECORD_RESPONSE))
		return;
	asks_got(asks, &rec);
}

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t len)
{
	static const struct xprt_events ev = { .down = down };
	struct rd r = rd_over(in, len);
	struct buf b = { 0 };
	struct asks asks = { 0 };
	struct piece p;

	feed_init();
	memset(settled, 0, sizeof(settled));
	asks.x = feed_client(&ev, NULL);
	feed_conn(&b, ZAP_ACCEPTED);
	zap_input(fuzz.client, b.p, b.len);
	buf_reset(&b);
	record_end(&b);
	for (uintptr_t i = 0; i < QUESTIONS; i++)
		assert(!ask_send(&asks, 0x100, &b, on_answer, (void *)i, NULL));
	while (feed_piece(&r, &p))
		one_record(&asks, &p);
	asks_end(&asks, -ENOTCONN);
	for (size_t i = 0; i < QUESTIONS; i++)
		assert(settled[i] == 1);
	xprt_close(asks.x);
	feed_settle();
	buf_fini(&b);
	return 0;
}
