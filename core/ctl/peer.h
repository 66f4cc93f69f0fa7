/* peer.h - records between daemons that are carried out on the peer's own loop, at once: messages of streams do not
 * queue behind the configuration.
 *
 * To add one: its handler, and a row in peer_verbs[] (peer_stream.c).
 */
#ifndef CORE_CTL_PEER_H
#define CORE_CTL_PEER_H

#include "core/ctl/ask.h"
#include "core/daemon/daemon.h"

struct peer_sub;

struct peer { /* part of a session; everything on the peer's loop */
	struct daemon *d;
	struct xprt *x;
	char *prdcr;                /* the name of the producer that it is; NULL: it is none */
	struct asks *asks;          /* what goes to it */
	const atomic_bool *closing; /* the daemon ends: x may be gone already */
	struct peer_sub *subs;      /* streams that it wants */
};

struct peer_call {
	struct peer *peer;
	const struct record_attr *attrs;
	int n;
	const char *text; /* the answer when all is well; NULL: there is none */
};

struct peer_verb {
	uint32_t code;
	uint32_t perm; /* who may: 0111 everybody, 0110 owner and group of the daemon */
	int (*run)(struct peer_call *c, struct err *err);
	bool silent; /* never answered, good or bad */
};

/* What the failover peer has (failover_take.c). */
int peer_has_prdcr(struct peer_call *c, struct err *err);
int peer_has_updtr(struct peer_call *c, struct err *err);
int peer_has_strgp(struct peer_call *c, struct err *err);

/* NULL: not one of these. */
const struct peer_verb *peer_verb_by_code(uint32_t code);
/* Is an answer wanted, good or bad?  (Messages that daemons pass on to each other are not answered.) */
bool peer_wants_answer(const struct peer_verb *v, const struct record_attr *attrs, int n);
/* The peer is gone: it wants nothing any more.  On its loop. */
void peer_gone(struct peer *p);
/* Behind peer_gone(), or when the daemon is gone. */
void peer_fini(struct peer *p);

#endif
