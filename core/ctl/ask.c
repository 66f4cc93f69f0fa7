/* ask.c - see ask.h */
#include "core/ctl/ask.h"

#include <errno.h>
#include <stdlib.h>
#include <uthash.h>

#include "core/base/log.h"
#include "core/base/rd.h"
#include "core/base/xalloc.h"

#define ASKS_MAX   256         /* requests without answer; more, and the peer does not answer */
#define ANSWER_MAX (64u << 10) /* bytes of one answer: most of what we ask is answered by a word, or why not */

struct ask {
	uint32_t msg_no;
	ask_fn fn;
	void *arg;
	struct buf answer;
	UT_hash_handle hh;
};

struct sending {
	struct asks *a;
	struct err *err;
	int rc;
};

static void send_record(void *arg, const void *rec, size_t len)
{
	struct sending *s = arg;

	if (!s->rc)
		s->rc = xprt_send(s->a->x, rec, len, s->err);
}

int ask_tell(struct asks *a, uint32_t code, const struct buf *body, struct err *err)
{
	struct sending s = { .a = a, .err = err };

	record_send(RECORD_REQUEST, ++a->last_no, code, body, send_record, &s);
	return s.rc;
}

int ask_send(struct asks *a, uint32_t code, const struct buf *body, ask_fn fn, void *arg, struct err *err)
{
	struct ask *q;
	int rc;

	if (HASH_COUNT(a->open) >= ASKS_MAX)
		return err_set(err, -E2BIG, "%s: %d requests wait for an answer already", xprt_peer(a->x), ASKS_MAX);
	rc = ask_tell(a, code, body, err);
	if (rc)
		return rc;
	q = xcalloc(1, sizeof(*q));
	q->msg_no = a->last_no;
	q->fn = fn;
	q->arg = arg;
	HASH_ADD(hh, a->open, msg_no, sizeof(q->msg_no), q);
	return 0;
}

static void settle(struct asks *a, struct ask *q, int rc, const char *text)
{
	HASH_DEL(a->open, q);
	q->fn(q->arg, rc, text);
	buf_fini(&q->answer);
	free(q);
}

/* The texts of the answer, a line each (`greeting level=3`), or its JSON; values may lack the NUL. */
static void answered(struct asks *a, struct ask *q, uint32_t code)
{
	struct rd r = rd_over(q->answer.p, q->answer.len);
	struct buf text = { 0 };

	while (rd_be32(&r)) {
		uint32_t id = rd_be32(&r), len = rd_be32(&r);
		const uint8_t *value = rd_take(&r, len);

		if (!value || (id != ATTR_STRING && id != ATTR_JSON))
			continue;
		if (text.len)
			buf_u8(&text, '\n');
		buf_add(&text, value, strnlen((const char *)value, len));
		if (id == ATTR_JSON)
			break;
	}
	settle(a, q, code > INT32_MAX ? EPROTO : (int)code, buf_str(&text));
	buf_fini(&text);
}

void asks_got(struct asks *a, const struct record *rec)
{
	struct ask *q;

	HASH_FIND(hh, a->open, &rec->msg_no, sizeof(rec->msg_no), q);
	if (!q) {
		log_debug("config", "%s: an answer to nothing that was asked", xprt_peer(a->x));
		return;
	}
	if (rec->flags & RECORD_FIRST)
		buf_reset(&q->answer);
	if (q->answer.len + rec->body_len > (a->answer_max ? a->answer_max : ANSWER_MAX)) {
		settle(a, q, -EMSGSIZE, "");
		return;
	}
	buf_add(&q->answer, rec->body, rec->body_len);
	if (rec->flags & RECORD_LAST)
		answered(a, q, rec->code);
}

void asks_end(struct asks *a, int rc)
{
	while (a->open)
		settle(a, a->open, rc, "");
}
