/* io.h - what all endpoints of one loop share: memory to receive into, memory to send from, and the end of a wake-up.
 *
 * Input is received into one scratch area, whichever endpoint it is for, and used where it stands; only the part of a
 * message that is still incomplete is kept by its endpoint.  Output is gathered in a buffer that an endpoint borrows
 * while it has something to say, and leaves in one call just before the loop waits again.  So an idle connection costs
 * no buffer, a busy one no allocation.
 */
#ifndef XPRT_IO_H
#define XPRT_IO_H

#include <sys/queue.h>

#include "core/base/buf.h"
#include "core/base/loop.h"

#define IO_SCRATCH (1u << 20)   /* bytes of one recv(); also the largest message but for a read's answer */
#define IO_GATHER  (256u << 10) /* send when so much has gathered, while it is still in the cache */
#define IO_BUF     (512u << 10) /* a spare output buffer's size: what is gathered, and a large message on top */
#define IO_BUF_MAX (2u << 20)   /* one that had to grow is kept up to this: 10,000 requests of one peer are 360 kB */
#define IO_SPARES  4            /* spare output buffers kept by a loop */
#define IO_STASH   (64u << 10)  /* a stash up to this size is kept for the next message in pieces */
#define IO_TURN    (4u << 20)   /* bytes handled for one endpoint before others get their turn */

struct xprt;
struct lane;

/* Something that wants to be called once before the loop waits. */
struct io_flush {
	void (*fn)(struct io_flush *f);
	TAILQ_ENTRY(io_flush) entry;
	bool queued;
};

struct io {
	struct loop *loop;
	uint8_t *scratch;
	struct buf text; /* for building one message; empty between uses */
	struct buf spares[IO_SPARES];
	unsigned int spares_n, lent; /* buffers here, and with endpoints */
	struct buf stash;            /* a spare one for a message that comes in pieces */
	TAILQ_HEAD(, io_flush) flushes;
	ev_prepare prepare;
	LIST_HEAD(, xprt) xprts;   /* the peers on this loop */
	LIST_HEAD(, xprt) told;    /* of these, who is told of changes (announce.c) */
	TAILQ_HEAD(, lane) guests; /* accepted connections that have not proved who they are, oldest first */
	int lobby;                 /* an epoll descriptor of their own (sock.c says why); -1: none yet */
	ev_io lobby_io;
};

/* The loop's; made on first use.  The loop is held. */
struct io *io_of(struct loop *l);

void io_flush_add(struct io *io, struct io_flush *f); /* no-op when it is in */
void io_flush_del(struct io *io, struct io_flush *f); /* no-op when it is not */

/* An empty output buffer, and giving it back (b becomes all zero). */
struct buf io_buf_take(struct io *io);
void io_buf_put(struct io *io, struct buf *b);

#endif
