/* xprt.h - a peer: what daemons and tools do with another LDMS process.
 *
 * A peer is a rail of one or more endpoints that form one logical connection.  Roles do not depend on who connected:
 * either side may list, look up and read the other's sets.  The serving side needs no calls: the sets of env->sets that
 * the peer may read are served, changes are announced to peers that follow the directory.
 *
 * Everything about a peer happens on its loop: call these with the loop held (loop_is_mine), and its callbacks come
 * there.  A call that fails has begun nothing and its callback is not called.
 */
#ifndef XPRT_XPRT_H
#define XPRT_XPRT_H

#include <netinet/in.h>
#include <sys/socket.h>

#include "core/base/kv.h"
#include "core/base/loop.h"
#include "core/base/work.h"
#include "core/set/setdb.h"
#include "xprt/bus.h"
#include "xprt/limits.h"

struct auth_conf;
struct qgroup;
struct xprt;
struct xprt_listener;

/* Why a connection could not be made or ended: one word each for exit codes, counters and people. */
enum xprt_fail {
	XPRT_CLOSED = 0, /* we closed it */
	XPRT_RESOLVE,    /* the name does not resolve */
	XPRT_REFUSED,    /* refused, unreachable: nobody listens there */
	XPRT_TIMEOUT,    /* no answer in time (connect, handshake, a read) */
	XPRT_NOT_LDMS,   /* somebody answers, but does not speak LDMS */
	XPRT_VERSION,    /* another protocol version */
	XPRT_AUTH,       /* authentication rejected (or another method) */
	XPRT_LOST,       /* the peer went away */
	XPRT_PROTO,      /* the peer broke the protocol */
	XPRT_SLOW,       /* the peer does not read: its queue was full */
	XPRT_LIMIT,      /* a ceiling of ours: connections, descriptors, memory */
	XPRT_LOCAL,      /* an error on this side */
	XPRT_FAILS
};
const char *xprt_fail_name(enum xprt_fail f);

/* Why an authentication failed: one word each for counters. */
enum auth_why {
	AUTH_METHOD,   /* the other side uses another method */
	AUTH_SECRET,   /* it has another secret, or another munge key */
	AUTH_EXPIRED,  /* its credential is too old */
	AUTH_REWOUND,  /* ... of the future */
	AUTH_REPLAYED, /* ... was used before */
	AUTH_HELPER,   /* our munged is not there, or does not answer */
	AUTH_SILENT,   /* the peer did not go on in time */
	AUTH_HUNG_UP,  /* the peer ended the connection in the middle of it, or at once behind it */
	AUTH_BROKEN,   /* what it said is nothing of the method */
	AUTH_WHYS
};
const char *auth_why_name(enum auth_why why);

/* What xprt_stats tells of. */
enum xprt_op {
	OP_LOOKUP,
	OP_UPDATE,
	OP_PUBLISH,
	OP_SET_DELETE,
	OP_DIR_REQ, /* asked for a directory and got it */
	OP_DIR_REP, /* answered such a request */
	OP_SEND,
	OP_RECV,
	OP_MSG_PUBLISH,
	OP_MSG_SUBSCRIBE,
	OP_MSG_UNSUBSCRIBE,
	XPRT_OPS
};
struct op_stat {
	unsigned long n;
	int64_t total_us, min_us, max_us;
	struct sockaddr_storage min_addr, max_addr;
};

/* The counters when they were last reset. */
struct xprt_base {
	int64_t since_us; /* monotonic */
	unsigned long accepted, connected, ended, rejected, auth;
};

struct xprt_stats { /* of a process; read any time */
	atomic_ulong accepted, connected, ended[XPRT_FAILS], refused[XPRT_FAILS];
	atomic_ulong auth_failed[AUTH_WHYS];
	atomic_ulong live;        /* connections now, */
	atomic_ulong incoming;    /* of these accepted, */
	atomic_ulong guests;      /* of these not authenticated */
	atomic_ulong guests_peak; /* ... at most, since memory was last given back */
	atomic_ulong memory;      /* bytes held for peers: see xprt_hold() */
	struct refusals refusals;
	struct op_stat ops[XPRT_OPS]; /* see stats.h */
	struct xprt_base base;        /* the main loop's */
	atomic_ulong bytes_in, bytes_out, calls_recv, calls_send;
	atomic_ulong pushes_out, pushes_in; /* samples */
	atomic_ulong pushes_merged; /* samples (and changes) that a newer one replaced before they could be sent */
	atomic_ulong pushes_odd;    /* not asked for, out of order: passed over */
};

/* What the peers of a process share; borrowed, outlives them. */
struct xprt_env {
	struct setdb *sets;     /* what is served; NULL: nothing (tools) */
	struct pool *pool;      /* where mirrors go */
	struct work *work;      /* names are resolved there */
	struct work *auth_work; /* a method of authentication waits there; NULL: the same */
	struct bus *bus;        /* messages of peers go there; NULL: there is no message bus */
	struct qgroup *qgroup;  /* what may be paid back for them; NULL: all at once (xprt/qgroup.h) */
	struct work *users;     /* the user database is asked there; NULL: on the loop, which then waits */
	struct xprt_limits limits;
	struct xprt_stats stats;
};

/* How many bytes of bus messages a peer may send us; 0 or negative: any. */
struct xprt_quota {
	int64_t recv_quota; /* outstanding: not yet done with, on one connection of its rail */
	int64_t rate;       /* in a second of the wall clock */
};

struct xprt_conf {
	const char *type; /* "sock" */
	const char *host; /* a name or an address */
	unsigned short port;
	const char *auth;            /* "none", ... */
	const struct kv *auth_args;  /* may be NULL */
	struct auth_conf *auth_kept; /* what to use where the arguments cannot be opened any more; NULL: fail */
	unsigned int n_eps;          /* 0 means 1 */
	struct xprt_quota quota;
};

/* What the owner of a peer wants to hear.  All but `down` may be NULL. */
struct xprt_events {
	void (*up)(struct xprt *x, void *arg); /* connected and authenticated */
	/* then xprt_close() it; what was asked and not answered is forgotten without a callback, rsets have gone dead */
	void (*down)(struct xprt *x, void *arg, enum xprt_fail fail, const char *why);
	void (*msg)(struct xprt *x, void *arg, const void *bytes, size_t len); /* SEND_MSG: a record */
	/* it paid bus messages back, or xprt_msg_send() may be tried again; may be NULL */
	void (*credit)(struct xprt *x, void *arg);
};

/* Connect; resolving and everything else goes on in the background, `up` or `down` comes.  Strings are copied. */
int xprt_connect(struct xprt_env *env, struct loop *loop, const struct xprt_conf *conf, const struct xprt_events *ev,
		 void *arg, struct xprt **ret, struct err *err);
/* Take over a peer that came through a listener: from now on its events come to the caller, who also closes it, and the
 * listener's end does not touch it.  -EBUSY when somebody has done so before, or for a peer that we connected to. */
bool xprt_is_adoptable(const struct xprt *x);
int xprt_adopt(struct xprt *x, const struct xprt_events *ev, void *arg, struct err *err);
/* A peer from that address (v4 as v4-mapped) that nobody has taken over, and that has been up for so long without
 * asking for anything; NULL: there is none on this loop. */
struct xprt *xprt_find_quiet(struct loop *loop, const struct in6_addr *ip, int64_t quiet_us);
/* End it: no callback comes any more, its lookups and updates are forgotten, rsets go dead.  NULL is fine. */
void xprt_close(struct xprt *x);
/* Connected, but not yet authenticated: what it waits for, in words; false when that is not so. */
bool xprt_authenticating(const struct xprt *x, struct err *ret);
bool xprt_is_up(const struct xprt *x);
struct loop *xprt_loop(const struct xprt *x);
struct xprt_env *xprt_env(const struct xprt *x);
const char *xprt_peer(const struct xprt *x); /* "n17:411" or "10.1.2.3:49152", for messages */
const struct sockaddr *xprt_peer_addr(const struct xprt *x);
void xprt_peer_cred(const struct xprt *x, uint32_t *uid, uint32_t *gid);
void *xprt_arg(const struct xprt *x);
/* Send one SEND_MSG, also as answer to a peer whose other connections are still to come.  -EMSGSIZE beyond 1,048,516
 * bytes. */
int xprt_send(struct xprt *x, const void *bytes, size_t len, struct err *err);

/* Bytes of messages that wait for the peer to take them: who sends much looks first, because beyond limits.out_bytes a
 * peer is dropped. */
size_t xprt_backlog(const struct xprt *x);

/* -- listening ----------------------------------------------------------------------------------------------------- */

struct xprt_listen_conf {
	const char *type, *host; /* host NULL: all addresses, both families */
	unsigned short port;     /* 0: one that is free */
	const char *auth;
	const struct kv *auth_args;
	struct xprt_quota quota;
};
/* Accept peers; each is put on the next of `loops` (n of them) for life.  `ev` and `arg` are for the peers that come;
 * a peer that ends is closed by the transport itself after ev->down (unless somebody took it over).  Errors name the
 * port and the remedy (in use by whom where that can be found; below 1024 without the capability). */
int xprt_listen(struct xprt_env *env, struct loop *const *loops, unsigned int n, const struct xprt_listen_conf *conf,
		const struct xprt_events *ev, void *arg, struct xprt_listener **ret, struct err *err);
/* Stop accepting; the peers that came stay, until it is closed. */
void xprt_listener_shut(struct xprt_listener *l);
/* Stop accepting and close the peers that came through it, but for those that were taken over. */
void xprt_listener_close(struct xprt_listener *l);
unsigned short xprt_listener_port(const struct xprt_listener *l);

/* -- directory (proto_dir.c) --------------------------------------------------------------------------------------- */

enum dir_event {
	DIR_SET,  /* a set of the list */
	DIR_DONE, /* the list is complete (set NULL) */
	DIR_ADD,  /* later: a set came */
	DIR_UPD,  /* ... its info changed */
	DIR_DEL,  /* ... it went (only name is given) */
	DIR_FAIL, /* the request failed: rc; nothing follows */
};

struct dir_set { /* borrowed, valid in the callback */
	const char *name, *schema, *digest /* hex or "" */, *flags /* "CL " */, *perm /* "-rw-r-----" */;
	uint64_t meta_size, data_size, heap_size;
	uint32_t uid, gid, card, array_card;
	uint64_t meta_gn, data_gn;
	uint32_t ts_sec, ts_usec, dur_sec, dur_usec;
	const struct info_pair *info;
	unsigned int info_n;
};

/* Sets that the peer kept back from us: their permission does not let us read them. */
struct dir_hidden {
	uint64_t sets;     /* 0: none, or an ldmsd, which does not say */
	uint32_t uid, gid; /* who we are to it */
};

typedef void (*dir_fn)(struct xprt *x, void *arg, enum dir_event ev, const struct dir_set *set, int rc);
/* List the peer's sets; with `follow` go on with changes until the end (set deletions are answered by themselves). */
int xprt_dir(struct xprt *x, bool follow, dir_fn fn, void *arg, struct err *err);
/* From DIR_DONE on: what the list lacks. */
struct dir_hidden xprt_dir_hidden(const struct xprt *x);

/* -- remote sets: lookup (proto_lookup_ask.c) and update (proto_read.c) -------------------------------------------- */

enum update_result {
	UPDATE_NEW,  /* a new consistent sample: `data` */
	UPDATE_SAME, /* nothing new ("oversampled") */
	UPDATE_TORN, /* the peer was in the middle of a sample: the mirror keeps the last whole one */
	UPDATE_FAIL, /* rc and words: the peer refused, the data do not hold together, ... */
};

/* How a set comes: by rset_update() alone, or by itself, too.  The numbers are the wire's. */
enum rset_push {
	RSET_PULL = 0,
	RSET_PUSH_REQUEST = 1, /* when its side decides to: aggregators do after each update, samplers never */
	RSET_PUSH_CHANGE = 3,  /* at the end of each sample */
};

/* A set of the peer, mirrored here.  The owner may use `set` (e.g. publish it) and keep references to it. */
struct rset {
	struct xprt *x;     /* NULL when the peer is gone */
	struct set *set;    /* a reference is held */
	uint64_t remote_id; /* the peer's set_id, raw */
	uint64_t addr;
	uint32_t key;
	uint32_t elem;  /* the element held, of the ring */
	uint16_t ep;    /* endpoint it was looked up on */
	uint8_t pushed; /* enum rset_push: what the peer was asked for */
	bool busy;      /* an update is outstanding */
	bool gone;      /* its owner knows that the peer has it no more: nothing is said about it any more */
	bool freed;
	/* Called for each update's result (several UPDATE_NEW for a ring, then busy is false), and for each push.  `data` is the element,
	 * checked, borrowed; with UPDATE_TORN it is what the peer is still writing, or NULL where that does not hold
	 * together. */
	void (*updated)(struct rset *rs, enum update_result res, int rc, const struct set_data *data);
	void *arg;
};

#define LOOKUP_SCHEMA 1 /* `what` is a schema name */
#define LOOKUP_REGEX  2 /* `what` is an extended regular expression */

/* rc 0: rs is yours (rset_free), `more` follow; else nothing was found or it failed: rs is NULL and it is the end. */
typedef void (*lookup_fn)(struct xprt *x, void *arg, int rc, struct rset *rs, bool more, const char *why);
int xprt_lookup(struct xprt *x, const char *what, unsigned int flags, lookup_fn fn, void *arg, struct err *err);

/* Ask for the newest data; rs->updated is called.  -EBUSY while one is outstanding, -ENOTCONN when the peer is gone.
 * Any number of sets may be asked in one go: the requests leave together. */
int rset_update(struct rset *rs);
/* Let the peer push it from its next sample on, or not any more (RSET_PULL).  Nothing says whether it will; when the peer
 * ends it, rs->pushed says so.  -ENOTCONN when the peer is gone. */
int rset_push(struct rset *rs, enum rset_push when);
/* Also while an update is outstanding (its callback is not called any more).  NULL is fine. */
void rset_free(struct rset *rs);

/* -- the message bus (proto_msg.c, proto_quota.c) ------------------------------------------------------------------ */

/* Messages of the peer go to env->bus, and so do those that it subscribed to there come to it; that needs no calls. */

/* The peer said that its bus is on. */
bool xprt_msg_enabled(const struct xprt *x);
/* rc 0: from now on they come; else a negative errno and the peer's words. */
typedef void (*xprt_msg_fn)(struct xprt *x, void *arg, int rc, const char *text);
/* Ask the peer for messages of a channel, or of those that match; at most `rate` bytes of data a second (negative: any).
 * -ENOTSUP: its bus is off. */
int xprt_msg_sub(struct xprt *x, const char *match, bool regex, int64_t rate, xprt_msg_fn fn, void *arg,
		 struct err *err);
int xprt_msg_unsub(struct xprt *x, const char *match, bool regex, xprt_msg_fn fn, void *arg, struct err *err);
/* One message of this process to this peer alone, whether our own bus is on or not (tools).  -EAGAIN: no credit, or it
 * does not read so fast: ev->credit() comes; -ENOTSUP: its bus is off; -EMSGSIZE: it takes none of that length. */
int xprt_msg_send(struct xprt *x, const struct bus_msg *m, struct err *err);
/* It may send us so much from now on. */
void xprt_quota_set(struct xprt *x, const struct xprt_quota *quota);
/* Bytes (channel names with NUL, and data) sent to it that it has not paid back: 0 when it is done with all. */
int64_t xprt_msg_unpaid(const struct xprt *x);

#endif
