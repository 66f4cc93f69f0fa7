/* zap.h - the framing of transports that are streams of bytes: messages, and reads of the peer's memory by messages.
 *
 * In front of every message, 20 bytes:
 *
 *   offset  size  field     order  meaning
 *      0     2    type      BE     enum zap_type
 *      2     2    -         -      write 0, ignore
 *      4     4    len       BE     of the whole message, these 20 bytes included
 *      8     4    xid       raw    the sender's number; a response repeats it
 *     12     8    ctxt      raw    the sender's cookie; a response repeats it.  At 12, not 16: packed to 4.
 *
 * then by type:
 *
 *   CONNECT     20 version[4] = 1 3 1 0 | 24 "SOCKET\0\0" | 32 data_len BE u32 | 36 data
 *   SENDRECV, ACCEPTED, REJECTED, ACK_ACCEPTED
 *               20 data_len BE u32 | 24 data
 *   RENDEZVOUS  20 key raw u32 | 24 access BE u32 | 28 addr BE u64 | 36 length BE u32 | 40 message
 *   READ_REQ    20 key raw u32 | 24 addr BE u64 | 32 data_len BE u32
 *   READ_RESP   20 status BE u16 | 22 - | 24 0 u64 | 32 data_len BE u32 | 36 data
 *   WRITE_REQ   20 key raw u32 | 24 addr BE u64 | 32 data_len BE u32 | 36 data
 *   WRITE_RESP  20 status BE u16 | 22 -
 *
 * This file knows no socket.  What carries the bytes (sock.c) gives them to zap_input() and takes what is to be sent
 * out of `out`, told so by ops->push.
 */
#ifndef XPRT_ZAP_H
#define XPRT_ZAP_H

#include <stdarg.h>
#include <uthash.h>

#include "xprt/ep.h"
#include "xprt/io.h"
#include "xprt/xprt.h"

enum zap_type {
	ZAP_CONNECT = 1,
	ZAP_SENDRECV = 2,
	ZAP_RENDEZVOUS = 3,
	ZAP_READ_REQ = 4,
	ZAP_READ_RESP = 5,
	ZAP_WRITE_REQ = 6,
	ZAP_WRITE_RESP = 7,
	ZAP_ACCEPTED = 8,
	ZAP_REJECTED = 9,
	ZAP_ACK_ACCEPTED = 10,
	ZAP_TYPES
};

/* Of READ_RESP and WRITE_RESP. */
enum zap_status {
	ZAP_OK = 0,
	ZAP_REMOTE_MAP = 17, /* unknown key */
	ZAP_REMOTE_LEN = 18, /* not within the map */
	ZAP_REMOTE_PERMISSION = 19,
};

#define ZAP_HDR_SZ        20
#define ZAP_CONNECT_SZ    36
#define ZAP_SENDRECV_SZ   24
#define ZAP_RENDEZVOUS_SZ 40
#define ZAP_READ_REQ_SZ   36
#define ZAP_READ_RESP_SZ  36
#define ZAP_WRITE_REQ_SZ  36
#define ZAP_WRITE_RESP_SZ 24
#define ZAP_MSG_MAX       (1u << 20)  /* bytes of any message but READ_RESP; whoever sends more is dropped */
#define ZAP_SHORT_MAX     4096u       /* ... of those by which strangers become peers: real ones have about 100 */
#define ZAP_FREE          (64u << 10) /* bytes that a peer may make us keep also when all memory for peers is used up */
#define ZAP_ACCESS        3 /* what real peers announce for a map: read 2, write 1; writes are refused all the same */
#define ZAP_BACKLOG_MAX   (1u << 20) /* bytes waiting to be sent while the peer's next requests are still handled */

#define ZAP_DEAD "its machine, or the way there, is dead: nothing is acknowledged any more"

static_assert(IO_SCRATCH >= ZAP_MSG_MAX, "a message fits the scratch area");

enum zap_state {
	ZAP_IDLE,         /* not connected yet */
	ZAP_WAIT_CONNECT, /* passive: the peer must say CONNECT */
	ZAP_ASKED,        /* passive: ... it did; accept or reject */
	ZAP_WAIT_ACK,     /* passive: accepted, the peer must say ACK_ACCEPTED */
	ZAP_WAIT_ACCEPT,  /* active: CONNECT is sent */
	ZAP_UP,
	ZAP_CLOSED,
};

struct zap;

struct zap_ops {
	/* Send what waits (zap_pending, zap_sent).  Called with something to send, at the end of a wake-up or when much
	 * has gathered; an error is told by zap_doom(). */
	void (*push)(struct zap *z);
	/* Shut the carrier down at once; then free everything with zap_fini() from the loop, later. */
	void (*close)(struct zap *z);
	/* Handle what was held, and read on: zap_resume(). */
	void (*resume)(struct zap *z);
};

struct zap_read { /* one that is outstanding */
	void *ctxt;
	uint32_t len, xid;
};

/* A set that the peer may read. */
struct zap_map {
	struct set *set; /* a reference is held; NULL: the slot is free */
	uint32_t slot;
	uint32_t gen;       /* of the slot: part of the key, so that an old key does not open a new set */
	uint32_t next_free; /* slot + 1 */
	UT_hash_handle hh;  /* by set */
};

struct zap {
	struct ep ep;
	const struct zap_ops *ops;
	struct io *io;
	enum zap_state state;
	/* input */
	/* Too much waits to be sent, or was done in this turn: the peer's requests wait (then `stash` may hold many
	 * messages). */
	bool held;
	bool paused;          /* ep_type.hold(): the layer above has a decision to make first; the same for `stash` */
	struct loop_job rest; /* to go on in the next turn */
	struct buf stash;     /* the incomplete message */
	struct buf conn; /* what CONNECT carries: ours until it is sent; the peer's while it moves to another loop */
	/* output */
	struct buf out;
	size_t out_off; /* bytes of out already sent */
	bool slow;      /* the peer does not take it at once: it counts as held */
	bool own;       /* `out` is not lent by the loop, and no larger than need be */
	size_t charged; /* bytes of stash and out that are counted as held: xprt_hold() */
	struct io_flush flush;
	int doom; /* enum xprt_fail, when sending failed: told at the end of the wake-up */
	char *doom_why;
	/* reads of the peer's memory: a ring, oldest first */
	struct zap_read *reads;
	uint32_t reads_head, reads_cap; /* how many: ep.reading */
	uint32_t xid;
	/* our sets that the peer may read */
	struct zap_map **maps;
	uint32_t maps_n, maps_cap, maps_free;
	struct zap_map *by_set;
};

void zap_init(struct zap *z, const struct ep_type *type, const struct zap_ops *ops, struct xprt_env *env,
	      struct loop *loop, const struct ep_events *ev, void *owner);
void zap_fini(struct zap *z);
/* Give up the loop, and take another (ep_type.move). */
void zap_leave(struct zap *z);
void zap_enter(struct zap *z, struct loop *loop);
void zap_ask_again(struct zap *z);

/* Count what it makes us keep, after that may have changed; dooms it when there is no more memory for peers. */
void zap_charge(struct zap *z);

/* -- for the carrier (zap.c, zap_in.c, zap_got.c) ------------------------------------------------------------------ */

/* Active side: the stream is there: say CONNECT. */
void zap_begin(struct zap *z);
/* Bytes that came, anywhere.  False when the endpoint is closed or held: stop reading. */
bool zap_input(struct zap *z, const uint8_t *p, size_t len);
/* Bytes that `stash` still wants, 0 when it is empty: they may be received straight into zap_stash_room(). */
size_t zap_wants(const struct zap *z);
void *zap_stash_room(struct zap *z, size_t len);
bool zap_stashed(struct zap *z, size_t len);
/* Less waits to be sent: handle what was held.  False as zap_input(). */
bool zap_resume(struct zap *z);
/* The peer said goodbye (rc 0) or the stream broke (a negative errno). */
void zap_ended(struct zap *z, int rc);
/* End the endpoint and tell why; not from inside a call of the layer above. */
void zap_fail(struct zap *z, enum xprt_fail fail, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* The same from inside: it is told at the end of the wake-up. */
void zap_doom(struct zap *z, enum xprt_fail fail, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
bool zap_is_closed(const struct zap *z);

/* -- output (zap_out.c) -------------------------------------------------------------------------------------------- */

static inline size_t zap_pending(const struct zap *z)
{
	return z->out.len - z->out_off;
}
/* n bytes are sent. */
void zap_sent(struct zap *z, size_t n);
/* The peer takes no more for now: what waits is kept in no more memory than it needs. */
void zap_park(struct zap *z);
/* Room for a whole message of len bytes with its header filled in; NULL when the endpoint is (or is now) doomed. */
uint8_t *zap_msg(struct zap *z, enum zap_type type, uint32_t len, uint32_t xid, const void *ctxt);
/* ... it is filled in. */
void zap_msg_done(struct zap *z, uint32_t len);
uint32_t zap_next_xid(struct zap *z);
/* A message of the SENDRECV form. */
int zap_data(struct zap *z, enum zap_type type, const void *data, size_t data_len);

/* -- our memory for the peer (zap_map.c) --------------------------------------------------------------------------- */

/* Answer a READ_REQ. */
void zap_map_read(struct zap *z, uint32_t xid, const void *ctxt, uint32_t key, uint64_t addr, uint32_t len);
void zap_maps_fini(struct zap *z);

/* -- the functions of struct ep_type that every carrier shares ----------------------------------------------------- */

int zap_accept(struct ep *ep, const void *conn, size_t len);
void zap_reject(struct ep *ep, const char *why);
int zap_send(struct ep *ep, const void *msg, size_t len);
uint64_t zap_set_id(struct ep *ep, struct set *set);
struct set *zap_set_by_id(const struct ep *ep, uint64_t id);
int zap_share(struct ep *ep, struct set *set, const void *msg, size_t len);
bool zap_unshare(struct ep *ep, struct set *set);
int zap_read(struct ep *ep, uint32_t key, uint64_t addr, uint32_t len, void *ctxt);
void zap_flush(struct ep *ep);
void zap_rest(struct ep *ep);
void zap_hold(struct ep *ep, bool on);
size_t zap_queued(const struct ep *ep);
void zap_close(struct ep *ep);
/* A REJECTED message as bytes, for who is turned away before there is an endpoint. */
size_t zap_reject_bytes(uint8_t *to, size_t cap, const char *why);

#endif
