/* limits.h - what peers may take of this daemon, and what they were refused.
 *
 * A limit is a row of a table: its name for operators, its unit, its default.  Options, the configuration line
 * `limits`, the answer of xprt_stats and the manual say the same names.  A limit of 0 is none.  So is a reason to
 * refuse: it is counted, and who met it last is remembered.
 */
#ifndef XPRT_LIMITS_H
#define XPRT_LIMITS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "core/base/err.h"
#include "xprt/addr.h"

struct xprt;
struct xprt_env;

/* Set by operators on the main loop, read by all loops. */
struct xprt_limits {
	_Atomic uint64_t conns;          /* accepted connections in all */
	_Atomic uint64_t conns_per_addr; /* ... from one address */
	_Atomic uint64_t guests;         /* ... that have not proved who they are: the oldest make room for new ones */
	_Atomic uint64_t memory;         /* bytes held for all peers: queues, incomplete messages, requests that wait */
	_Atomic uint64_t out_bytes;      /* waiting to be read by one peer */
	_Atomic uint64_t dir_bytes;      /* directory text of one peer in one message sequence */
	_Atomic uint64_t parts_bytes;    /* incomplete messages of the message bus, of one peer */
	_Atomic uint64_t sets;           /* of one peer, in its directory; and of ours that one peer looked up */
	_Atomic uint64_t requests;       /* control requests of one peer that wait for their answer */
	_Atomic uint64_t pushes;         /* sets that one peer wants pushed */
	_Atomic uint64_t subs;           /* subscriptions of one peer */
	_Atomic uint64_t handshake_us;   /* from TCP connect to authenticated */
	_Atomic uint64_t answer_us; /* from a request to its answer; a reader that takes nothing for so long goes */
	_Atomic uint64_t dead_us;   /* nothing that was sent is acknowledged, by the peer's machine */
};
extern const struct xprt_limits xprt_limits_dflt;

enum limit_unit { LIMIT_NUM, LIMIT_SIZE, LIMIT_TIME };

extern const struct xprt_limit {
	const char *name;
	size_t off; /* in struct xprt_limits */
	enum limit_unit unit;
} xprt_limit_rows[]; /* ended by a row without name */

/* "conns", "30000": -ENOENT with the nearest name, -EINVAL for a value that does not suit. */
int xprt_limit_set(struct xprt_limits *l, const char *name, const char *value, struct err *err);
uint64_t xprt_limit_get(const struct xprt_limits *l, const struct xprt_limit *row);

/* -- what was refused ---------------------------------------------------------------------------------------------- */

enum refusal {
	REFUSE_CONNS,
	REFUSE_CONNS_PER_ADDR,
	REFUSE_GUESTS,
	REFUSE_DESCRIPTORS,
	REFUSE_MEMORY,
	REFUSE_DIR,
	REFUSE_PARTS,
	REFUSE_SETS,
	REFUSE_REQUESTS,
	REFUSE_PUSHES,
	REFUSE_SUBS,
	REFUSE_HANDSHAKE,
	REFUSE_SILENT,
	REFUSE_SLOW,
	REFUSE_NOT_LDMS,
	REFUSE_VERSION,
	REFUSE_AUTH,
	REFUSE_PROTOCOL,
	REFUSE_EARLY,
	REFUSE_READ,
	REFUSE_WRITE,
	REFUSE_ODD,
	REFUSALS
};

struct refusal_last {
	struct sockaddr_storage addr;
	int64_t wall_us; /* 0: never */
};

struct refusals { /* part of struct xprt_stats */
	atomic_ulong n[REFUSALS];
	struct refusal_last last[REFUSALS]; /* read it with refusal_last() */
};

const char *refusal_name(enum refusal why);  /* one word */
const char *refusal_words(enum refusal why); /* for people */
/* Count it; any thread. */
void refuse(struct xprt_env *env, enum refusal why, const struct sockaddr_storage *from);
struct refusal_last refusal_last(struct xprt_env *env, enum refusal why);
/* May the peer have one more, when it has `have`?  If not, that is counted and logged (the first one at once). */
bool xprt_allows(struct xprt *x, enum refusal why, uint64_t have);
/* Memory kept for peers: all of it counts towards one ceiling.  False when that is reached: do not keep it. */
bool xprt_hold(struct xprt_env *env, size_t bytes);
void xprt_release(struct xprt_env *env, size_t bytes);

#endif
