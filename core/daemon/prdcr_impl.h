/* prdcr_impl.h - what prdcr.c (connection) and prdset*.c (sets) share. */
#ifndef CORE_DAEMON_PRDCR_IMPL_H
#define CORE_DAEMON_PRDCR_IMPL_H

#include "core/daemon/prdcr.h"

/* A place for a lookup without answer. */
struct asking {
	struct prdset *ps; /* NULL: gone since */
	uint32_t next; /* of a free place: the next free one's ticket */
};

struct prdcr {
	struct node node; /* in the daemon's table */
	struct daemon *d;
	struct loop *loop;
	struct prdcr_conf conf; /* strings are ours */
	struct auth_domain *auth; /* a reference is held */
	enum prdcr_state state;
	struct xprt *x;
	struct resolve *resolve; /* PRDCR_PASSIVE: whose connections are looked for */
	ev_timer retry;
	unsigned int attempt; /* since the last good connection */
	char *why; /* in words, why it is not connected; NULL: nothing is to be said */
	enum xprt_fail fail; /* while there is a why */
	struct prdset *sets;
	struct prdgap_gone *gone; /* sets that went, as far as samples may be missing since */
	unsigned int sets_max; /* at a time, so far */
	struct membership *memberships; /* prdgroup.c's */
	struct updtr **updtrs; /* running ones that care */
	unsigned int updtrs_n;
	struct prdcr_stats stats;
	struct asking *asking; /* lookups without answer, by ticket - 1 */
	uint32_t asking_n, asking_free; /* places; the first free one's ticket, 0: none */
	uint32_t asking_out; /* places that are not free */
	int64_t up_us; /* monotonic time of the last good connection */
	struct setdb_listener local; /* PRDCR_LOCAL: tells of this daemon's own sets */
	bool local_on;
	struct prdcr_want *wants; /* streams and messages that it is asked for (prdcr_sub.h) */
	struct prdcr_want *gone_wants; /* taken back while they were asked for: the answer frees them */
	ev_timer ask_again; /* for those that it refused */
};

/* Why it is not connected, from now on (copied; NULL: no more); false when that is what is known already. */
bool prdcr_why_set(struct prdcr *p, const char *why);
/* What became of an attempt to connect. */
void prdcr_is_up(struct prdcr *p);
void prdcr_is_down(struct prdcr *p, enum xprt_fail fail, const char *why);
/* The peer has so long to answer while CONNECTING, and then the next look is due in DISCONNECTED; 0: never. */
void prdcr_deadline(struct prdcr *p, int64_t us);

/* PRDCR_PASSIVE: is there a connection for it?  Else it looks again after a while. */
void prdcr_look(struct prdcr *p);

/* Sets as the directory tells of them. */
void prdset_dir(struct xprt *x, void *arg, enum dir_event ev, const struct dir_set *set, int rc);
void prdset_free_all(struct prdcr *p);
/* Forget the lookups without answer: none comes. */
void prdset_asking_free(struct prdcr *p);
struct prdset *prdset_find(struct prdcr *p, const char *name);
/* Offer a set to the updaters that care for its producer; those that have it look again whether and when they want it. */
void prdset_offer(struct prdset *ps);
/* PRDCR_LOCAL. */
void prdset_local_start(struct prdcr *p);
void prdset_local_stop(struct prdcr *p);

#endif
