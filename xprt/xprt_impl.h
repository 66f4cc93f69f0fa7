/* xprt_impl.h - inside a peer: shared by rail.c, lane.c, guest.c, listen.c, xprt.c and proto_*.c, and by nobody else. */
#ifndef XPRT_XPRT_IMPL_H
#define XPRT_XPRT_IMPL_H

#include <pthread.h>
#include <sys/queue.h>
#include <uthash.h>

#include "xprt/addr.h"
#include "xprt/auth.h"
#include "xprt/ep.h"
#include "xprt/io.h"
#include "xprt/xprt.h"

#define RAIL_EPS_MAX 64 /* connections of one rail; real sites use up to 8 */

struct announce;
struct lane_subs;
struct msg_rail;
struct push_in;
struct hold;
struct req;
struct resolve;
struct rset_impl;

/* -- a rail (rail.c), its lanes (lane.c), guests (guest.c) --------------------------------------------------------- */

enum lane_state {
	LANE_WAITING, /* the connection is being made, or its CONNECT has not come */
	LANE_AUTH,    /* connected; authenticating */
	LANE_OPEN,    /* the peer is who it says: requests are answered */
	LANE_SHUT,
};

/* One connection of a rail. */
struct lane {
	struct ep *ep;            /* NULL when shut */
	struct xprt *x;           /* NULL: a guest that has not said who it is */
	struct xprt_listener *l;  /* NULL: we connected; else a reference is held */
	struct rail_place *place; /* passive, not of an old peer: a reference is held */
	bool placed;              /* it is on the loop where it stays */
	bool heard;               /* the peer, once authenticated, said something */
	unsigned int idx;
	enum lane_state state;
	struct auth_run auth;
	ev_timer deadline;        /* to connect and authenticate */
	int64_t since_us;         /* when that began; monotonic */
	struct lane_subs *subs;   /* what the peer wants to hear of on it; NULL: nothing yet */
	bool guest;               /* counted as one: accepted, not authenticated */
	bool listed;              /* in io->guests of its loop; as a guest that moves is not */
	TAILQ_ENTRY(lane) guests; /* io->guests */
	struct loop_job bury;
	unsigned int at; /* active: which of x->addrs is being tried */
};

/* Which peer a connection belongs to: what all connections of a rail have in common.  Processes in containers often have
 * the same pid, and real ones number their rails from 1: only the address tells them apart. */
struct rail_id { /* without gaps: it is a key */
	struct in6_addr ip;
	uint64_t gn, pid;
};

struct peer_addr {
	struct sockaddr_storage ss;
	socklen_t len;
};

struct rail_place { /* where the connections of a rail meet; guarded by the listener's lock, but for x */
	struct rail_id id;
	struct loop *loop;
	struct xprt *x; /* touched on `loop` only */
	unsigned int refs;
	UT_hash_handle hh;
};

struct xprt {
	struct xprt_env *env;
	struct loop *loop;
	struct io *io;
	const struct ep_type *type;
	const struct xprt_events *ev;
	void *arg;
	const struct auth_type *auth;
	struct auth_conf *auth_conf; /* active: a reference is held; passive: the listener's */
	struct xprt_listener *l;     /* NULL: we connected */
	char *peer;                  /* what people call it */
	struct sockaddr_storage addr;
	uint32_t uid, gid; /* who it proved to be */
	bool up, down, closed;
	int64_t up_us;                       /* monotonic time of being up */
	bool asked;                          /* the peer wanted something of us */
	bool adopted;                        /* came through a listener, and has another owner since */
	enum auth_why auth_why;              /* of an end by XPRT_AUTH */
	bool legacy;                         /* it knows no rails: never send it a command >= 10 */
	bool msg_on;                         /* its message bus is on */
	bool quota_late;                     /* it is to be told of `quota` when it is up */
	struct xprt_quota peer_quota, quota; /* what it lets us send, what we let it */
	struct {
		uint64_t asked_xid, asked; /* of the newest ask, 0: answered */
		uint64_t donated;          /* and not given back */
	} qgroup;
	struct msg_rail *msg;   /* its side of the bus; NULL: no message came or went (msg_rail.h) */
	LIST_ENTRY(xprt) entry; /* io->xprts */
	/* active */
	struct resolve *resolve;
	struct peer_addr *addrs; /* where it may be reached, to be tried in this order; none once it is up */
	unsigned int n_addrs;
	struct loop_job dial;
	uint64_t rail_gn;
	/* lanes */
	struct lane **lanes; /* n_eps of them; passive: NULL until that connection comes */
	unsigned int n_eps, n_open;
	struct loop_job bury;
	/* asking (proto.c) */
	struct req *reqs; /* by xid */
	uint64_t xid;
	unsigned int next_lane;   /* lookups go round */
	ev_timer answer;          /* runs while an answer is wanted */
	struct req *dir;          /* the directory we list or follow */
	struct dir_hidden hidden; /* ... and what the last list lacked */
	LIST_HEAD(, rset_impl) rsets;
	struct push_in *pushes; /* sets that the peer pushes, by number */
	uint64_t push_id;       /* the last number */
	/* answering */
	struct hold *hold; /* requests wait there; NULL: they need not */
	bool followed;     /* the peer wants to hear of changes */
	struct lane *follow_lane;
	uint64_t follow_xid;
	unsigned int subs;         /* sets that it wants to hear of, on all lanes */
	uint64_t follow_from;      /* changes up to this one it knows from the list */
	struct announce *announce; /* joined; NULL: it has asked for nothing of which changes are told */
	LIST_ENTRY(xprt) told;     /* io->told, when joined */
	unsigned long odd;         /* messages that were ignored: unknown, stale, for what this daemon lacks */
};

struct xprt *rail_new(struct xprt_env *env, struct loop *loop, const struct ep_type *type, const struct xprt_events *ev,
		      void *arg, unsigned int n_eps);
/* Connect all lanes, to the first of x->addrs that answers. */
void rail_dial(struct xprt *x);
/* It is over: tell the owner. */
void rail_down(struct xprt *x, enum xprt_fail fail, const char *why);
/* Free what has been closed. */
void rail_free(struct xprt *x);
/* A connection that we end: counted, and a line in the log; the first of its kind at once, the others as a number. */
void rail_log(const char *peer, enum xprt_fail fail, enum auth_why auth, const char *why);
void rail_count(struct xprt_env *env, enum xprt_fail fail, bool was_up, const struct sockaddr_storage *from);

extern const struct ep_events lane_events;
struct lane *lane_new(struct xprt *x, unsigned int idx);
/* Connect it to the address that is its turn. */
int lane_dial(struct lane *lane, struct err *err);
/* While it authenticates: what it waits for, in words. */
void lane_waits(const struct lane *lane, enum auth_why *why, struct err *ret);
/* From now on it has so long to be up. */
void lane_deadline(struct lane *lane);
/* It has ended by itself: try the next address, or the peer (or the guest) is down. */
void lane_down(struct lane *lane, enum xprt_fail fail, const char *why);
/* Let go of all it holds but its memory; no-op when that is done. */
void lane_shut(struct lane *lane);
void lane_free(struct lane *lane); /* NULL is fine */

/* A connection that was accepted: it is a guest until it says who it is. */
void guest_new(struct xprt_listener *l, struct ep *ep);
struct conn;
struct rail_id guest_rail_id(const struct sockaddr_storage *from, const struct conn *c);
void guest_asked(struct ep *ep, const void *bytes, size_t len); /* ep_events.asked */
void guest_end(struct lane *lane, enum xprt_fail fail, const char *why);
/* End those of a listener; the loop is held. */
void guests_end(struct xprt_listener *l, struct io *io);
/* End the oldest one of this loop to make room; false when there is none. */
bool guests_evict(struct io *io);
/* It has proved who it is, or ends: no guest any more.  No-op for others. */
void guest_left(struct lane *lane);

/* -- listening (listen.c) ------------------------------------------------------------------------------------------ */

struct addr_count { /* connections from one address */
	struct in6_addr ip;
	unsigned int n;
	UT_hash_handle hh;
};

struct xprt_listener {
	struct xprt_env *env;
	const struct ep_type *type;
	struct loop **loops;
	unsigned int n_loops, next_loop;
	const struct xprt_events *ev;
	void *arg;
	char *host;
	unsigned short port;
	const struct auth_type *auth;
	struct auth_conf *auth_conf; /* a reference is held */
	struct xprt_quota quota;
	void *door; /* the transport's */
	atomic_bool closed;
	atomic_uint refs;     /* the owner's, each lane's */
	pthread_mutex_t lock; /* guards the tables; innermost */
	struct rail_place *places;
	struct addr_count *addrs;
};

struct xprt_listener *listener_get(struct xprt_listener *l);
void listener_put(struct xprt_listener *l);
/* May one more come from there?  Counts it for its address; else why not. */
bool listener_admit(struct xprt_listener *l, const struct sockaddr_storage *addr, enum refusal *why);
void listener_left(struct xprt_listener *l, const struct sockaddr_storage *addr);
/* The loop for a connection of that rail (NULL: of its own), and the place where they meet. */
struct loop *listener_place(struct xprt_listener *l, const struct rail_id *id, struct rail_place **ret);
void listener_place_put(struct xprt_listener *l, struct rail_place *p);

/* -- the conn message (proto_conn.c) ------------------------------------------------------------------------------- */

/*   offset  size  field        order   meaning
 *      0     4    version      bytes   4 2 0 0
 *      4    16    auth         -       name of the method, NUL padded
 *     20     4    type         BE      1: rail
 *     24     8    rate_limit   BE      bytes a second we are willing to receive, -1: any
 *     32     8    recv_quota   BE      bytes outstanding that we are willing to have, -1: any
 *     40     4    n_eps        BE      connections of the rail
 *     44     4    idx          BE      which of them this is
 *     48     4    pid          BE
 *     52     8    rail_gn      BE      tells the rails of one process apart
 *     60     4    msg_enabled  BE      1: the message bus is on
 * A peer of before rails sends the first 20 bytes alone, or fewer: the name is not padded.
 */
#define CONN_SZ        64
#define CONN_LEGACY_SZ 20

struct conn {
	uint32_t n_eps, idx, pid;
	uint64_t gn;
	struct xprt_quota quota;
	bool msg_on;
	bool legacy;
};

struct conn_verdict {
	const char *text; /* for the peer, in the words that it knows; NULL: it is fine */
	enum xprt_fail fail;
};

/* As it is said to a peer: negative is any. */
extern const struct xprt_quota conn_no_quota;
struct xprt_quota conn_quota(const struct xprt_quota *q);
void conn_put(uint8_t to[CONN_SZ], const char *auth, const struct conn *c);
/* The method's name of a message that is long enough to have one, for people. */
void conn_auth_name(const void *bytes, size_t len, char ret[AUTH_NAME_MAX + 1]);
const struct conn_verdict *conn_get(const void *bytes, size_t len, const char *auth, struct conn *ret);

#endif
