/* proto.h - LDMS messages: what peers say to each other once they are connected.
 *
 * A request begins with 16 bytes, a reply with 20 (packed: nothing in front of u64 is padded):
 *
 *   offset  size  field   order   meaning
 *      0     8    xid     raw     of the request; a reply repeats it.  0 where no reply is wanted
 *      8     4    cmd     BE      enum proto_cmd; > 0x100: a reply
 *     12     4    len     BE      of the whole message
 *     16     4    rc      BE      replies: an errno, 0 is good
 *
 * Real peers take a reply's xid for an address: a reply to something that was not asked, or a second final one, kills
 * them.  So an xid is echoed as it came, and used once.
 */
#ifndef XPRT_PROTO_H
#define XPRT_PROTO_H

#include "core/base/rd.h"
#include "xprt/xprt_impl.h"

struct lookup_set;

enum proto_cmd {
	CMD_DIR = 0,
	CMD_DIR_CANCEL = 1,
	CMD_LOOKUP = 2,
	CMD_REQ_NOTIFY = 3,
	CMD_CANCEL_NOTIFY = 4,
	CMD_SEND_MSG = 5,
	CMD_AUTH_MSG = 6,
	CMD_CANCEL_PUSH = 7,
	CMD_SET_DELETE = 9,
	CMD_SEND_QUOTA = 10,
	CMD_MSG = 11,
	CMD_MSG_SUB = 12,
	CMD_MSG_UNSUB = 13,
	CMD_QGROUP_ASK = 14,
	CMD_QGROUP_DONATE = 15,
	CMD_QGROUP_DONATE_BACK = 16,
	CMD_QUOTA_RECONFIG = 17,
	CMD_RATE_RECONFIG = 18,
	CMD_DIR_REPLY = 0x101,
	CMD_DIR_CANCEL_REPLY = 0x102,
	CMD_DIR_UPDATE = 0x103,
	CMD_LOOKUP_REPLY = 0x104,
	CMD_NOTIFY_EVENT = 0x105,
	CMD_PUSH = 0x108,
	CMD_SET_DELETE_REPLY = 0x10a,
	CMD_MSG_SUB_REPLY = 0x10b,
	CMD_MSG_UNSUB_REPLY = 0x10c,
};

enum { RENDEZVOUS_LOOKUP = 1, RENDEZVOUS_PUSH = 2 }; /* cmd of the message beside exported memory */
enum { DIR_TYPE_LIST = 0, DIR_TYPE_DEL = 1, DIR_TYPE_ADD = 2, DIR_TYPE_UPD = 3 };

#define REQ_HDR_SZ   16
#define REPLY_HDR_SZ 20
#define SEND_MSG_MAX (EP_MSG_MAX - REPLY_HDR_SZ) /* bytes of one SEND_MSG, and of one directory message */

/* -- from the rail (proto.c) --------------------------------------------------------------------------------------- */

void proto_up(struct xprt *x);   /* its first lane is open: requests may come */
void proto_down(struct xprt *x); /* forget everything that was asked */
void proto_message(struct lane *lane, const void *msg, size_t len);
void proto_shared(struct lane *lane, uint32_t key, uint64_t addr, uint32_t map_len, const void *msg, size_t len);

/* -- requests that come too early (proto_hold.c) ------------------------------------------------------------------- */

void hold_begin(struct xprt *x); /* the peer is known: are its groups? */
void hold_end(struct xprt *x);   /* forget what waits */
/* Shall that request wait?  Then it was copied, and comes again. */
bool hold_keeps(struct lane *lane, const void *msg, size_t len);

/* -- a message that came ------------------------------------------------------------------------------------------- */

struct msg {
	struct lane *lane;
	struct xprt *x;
	uint64_t xid; /* raw */
	uint32_t rc;  /* replies */
	struct rd r;  /* behind the header */
};

/* The peer broke the protocol: end the connection. */
void proto_violation(struct lane *lane, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Something that is not for us; counted. */
void proto_odd(struct xprt *x, const char *what);
/* So many sets were looked at for the peer; when that was much, what else it has asked waits for the next turn. */
void proto_work(struct lane *lane, size_t sets);

/* -- messages that go: begin, add to the buf, send ----------------------------------------------------------------- */

struct buf *proto_req(struct lane *lane, enum proto_cmd cmd, uint64_t xid);
struct buf *proto_reply(struct lane *lane, enum proto_cmd cmd, uint64_t xid, uint32_t rc);
int proto_put(struct lane *lane, struct buf *b); /* length filled in; b is empty again */

/* -- requests of ours that want an answer -------------------------------------------------------------------------- */

struct req_type {
	const char *name;
	/* No answer came in time (the peer is alive): tell the asker.  The request is over. */
	void (*expired)(struct req *rq);
};

struct req { /* a request's own struct begins with it; freed with free() */
	uint64_t xid;
	const struct req_type *type;
	struct lane *lane;
	int64_t asked_us;
	int64_t since_us; /* asked, or partly answered */
	bool settled;     /* no answer is due (but later news may come) */
	UT_hash_handle hh;
};

void req_add(struct lane *lane, struct req *rq, const struct req_type *type);       /* gives it an xid */
struct req *req_find(struct lane *lane, uint64_t xid, const struct req_type *type); /* NULL: not asked, there */
void req_settle(struct req *rq);     /* the answer is complete; what follows comes in its own time */
void req_del(struct req *rq);        /* it is over; frees it */
void proto_await(struct lane *lane); /* an answer is wanted from now on: mind the time */
/* A lane for a request. */
struct lane *proto_lane(struct xprt *x, struct err *err);
struct lane *proto_next_lane(struct xprt *x, struct err *err);

/* -- one exchange a file ------------------------------------------------------------------------------------------- */

void dir_got(struct msg *m); /* DIR */
void dir_cancel_got(struct msg *m);
void dir_reply_got(struct msg *m);
void dir_update_got(struct msg *m);
/* A set of ours came, changed (`was`: SETDB_PERM) or went: tell a peer that follows. */
void dir_tell(struct xprt *x, enum setdb_event ev, struct set *s, const struct set_owner *was, uint64_t serial);
/* A set of the peer is gone: tell who follows. */
void dir_deleted(struct xprt *x, const char *name);

bool proto_may_read(const struct xprt *x, const struct set *s); /* proto_lookup.c */
#define LOOKUP_NAME_MAX    511
#define LOOKUP_MATCHES_MAX (1u << 20) /* sets that one lookup may find */
void lookup_got(struct msg *m);
/* proto_lookup_ask.c */
void lookup_reply_got(struct msg *m);
void lookup_shared(struct lane *lane, uint32_t key, uint64_t addr, uint32_t map_len, struct msg *m);
/* The metadata of a set that is being looked up have come, or could not be read. */
void lookup_meta_done(struct rset_impl *ri, int rc, const void *meta, size_t len);
void lookup_set_free(struct lookup_set *ls);

struct rset_impl { /* what a struct rset is really */
	struct rset rs;
	LIST_ENTRY(rset_impl) entry; /* x->rsets */
	struct lane *lane;
	struct lookup_set *looking; /* NULL once the lookup is through */
	uint32_t from, to;          /* the elements that are being read */
	uint8_t what;               /* enum in proto_read.c */
	uint8_t reads;              /* outstanding */
	uint8_t rounds;             /* reads of one update so far */
	bool walking;               /* in the callbacks of one update */
	bool meta_known;            /* the mirror's metadata are those that the held element was written with */
	uint32_t peer_idx;          /* the newest element of the peer, as far as we know */
	int rc;                     /* the first of two reads failed */
	struct push_in *push;       /* NULL: not pushed */
};

struct rset_impl *rset_new(struct lane *lane);
/* The mirror has changed. */
void rset_mirrored(struct rset_impl *ri);
int rset_read_meta(struct rset_impl *ri, uint32_t meta_len); /* for the lookup */
void rset_read_done(struct ep *ep, void *ctxt, int rc, const void *bytes, size_t len);
void rset_orphan(struct rset_impl *ri); /* the peer is gone */
/* Metadata (NULL: as they were) and n elements from `from` on have been pushed; not checked yet. */
void rset_take_push(struct rset_impl *ri, const uint8_t *meta, uint32_t from, uint32_t n, const uint8_t *bytes);

void push_register_got(struct lane *lane, struct msg *m);
void cancel_push_got(struct msg *m);
void push_got(struct msg *m);
void push_cancel(struct rset_impl *ri); /* no-op when it is not pushed */
void push_orphan(struct rset_impl *ri);

void req_notify_got(struct msg *m);
void cancel_notify_got(struct msg *m);
void notify_event_got(struct msg *m);

void set_delete_got(struct msg *m);
void set_delete_reply_got(struct msg *m);
/* A set of ours is gone: tell a peer that follows. */
void set_delete_send(struct xprt *x, struct lane *lane, struct set *s);

void send_msg_got(struct msg *m);

/* The message bus. */
void msg_got(struct msg *m);
void msg_sub_got(struct msg *m);
void msg_unsub_got(struct msg *m);
void msg_sub_reply_got(struct msg *m);
void msg_unsub_reply_got(struct msg *m);
void send_quota_got(struct msg *m);
void quota_reconfig_got(struct msg *m);
void rate_reconfig_got(struct msg *m);
void qgroup_ask_got(struct msg *m);
void qgroup_donate_got(struct msg *m);
void qgroup_donate_back_got(struct msg *m);

/* What is let pass (proto_none.c). */
void ignored_got(struct msg *m);

#endif
