/* ask.h - our own requests to a peer, and its answers: everything on the peer's loop. */
#ifndef CORE_CTL_ASK_H
#define CORE_CTL_ASK_H

#include "core/ctl/record.h"
#include "xprt/xprt.h"

/* The answer: rc 0 or a positive errno from the peer with its words or JSON (a text; "" for none), or a negative one:
 * there is no answer and will be none. */
typedef void (*ask_fn)(void *arg, int rc, const char *text);

struct asks { /* zero but for x */
	struct xprt *x;
	size_t answer_max; /* bytes of one answer; 0: 64 KiB, a word or a line */
	uint32_t last_no;  /* of a message of ours */
	struct ask *open;  /* without answer */
};

/* Send a request; -E2BIG when too many wait for an answer.  `body` is ended with record_end(). */
int ask_send(struct asks *a, uint32_t code, const struct buf *body, ask_fn fn, void *arg, struct err *err);
/* The same for what wants no answer. */
int ask_tell(struct asks *a, uint32_t code, const struct buf *body, struct err *err);
/* A record of an answer has come. */
void asks_got(struct asks *a, const struct record *rec);
/* Nothing more comes: each fn is called with rc. */
void asks_end(struct asks *a, int rc);

#endif
