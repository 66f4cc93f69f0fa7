/* prdcr.h - producers: the daemons whose sets are mirrored here, each with its connection and its sets.
 *
 * A producer lives on one I/O loop; one that uses a connection of its peer's making moves to that connection's loop
 * when it takes it over.  Everything below is called with that loop held (loop_lock(prdcr_loop(p)) from the main loop),
 * but prdcr_new, prdcr_free and prdcr_loop.
 *
 * What else connects and keeps at it is a producer, too: a bridge and an advertiser (advert.h) have no sets.
 */
#ifndef CORE_DAEMON_PRDCR_H
#define CORE_DAEMON_PRDCR_H

#include "core/daemon/daemon.h"
#include "core/daemon/prdgap.h"

enum prdcr_type {
	PRDCR_ACTIVE,     /* we connect */
	PRDCR_LOCAL,      /* this daemon's own sets: nothing to connect, so that a sampler can store what it samples */
	PRDCR_BRIDGE,     /* we connect, so that the peer can read our sets; we read none of its */
	PRDCR_ADVERTISER, /* the same, and we tell the peer to read them */
	PRDCR_PASSIVE,    /* the peer connects (a bridge of its side), and we find its connection */
	PRDCR_ADVERTISED, /* the peer connected and told us to read its sets */
	PRDCR_ADVERTISED_ACTIVE, /* the peer told us, and we connect */
	PRDCR_TYPES
};
const char *prdcr_type_name(enum prdcr_type t); /* "advertised, passive" */

enum prdcr_state {
	PRDCR_STOPPED,
	PRDCR_DISCONNECTED,
	PRDCR_CONNECTING,
	PRDCR_CONNECTED,
	PRDCR_STANDBY, /* the peer is there, but the producer was not started */
	PRDCR_STATES
};
const char *prdcr_state_name(enum prdcr_state s);

enum prdset_state { PRDSET_START, PRDSET_LOOKUP, PRDSET_READY, PRDSET_UPDATING };
const char *prdset_state_name(enum prdset_state s);

struct prdcr_conf {
	const char *name, *xprt, *host;
	const char *auth; /* the name of a domain: auth_domain.h */
	unsigned short port;
	enum prdcr_type type;
	int64_t reconnect_us;
	unsigned int rail;
	struct xprt_quota quota;
	uint32_t uid, gid, perm;
	const char *listen; /* the prdcr_listen that made it; NULL: an operator */
};

/* How long a set's updates take, from asking to the last byte; of pushes, how far apart they come. */
struct prdset_times {
	uint64_t sum_us;
	uint32_t n, min_us, max_us, skipped, oversampled;
};

/* A set of a producer. */
struct prdset {
	struct prdcr *prdcr;
	struct set *set; /* the mirror (or the local set itself); NULL before the lookup's end */
	struct rset *rs; /* its remote side; NULL for local sets and before the lookup's end */
	struct updtr_member *members; /* schedules that update it */
	struct strgp **strgps; /* policies that take it; NULL-terminated; good while strgp_gen is the daemon's */
	struct snap_meta *meta; /* what the snapshots for them share */
	unsigned int strgp_gen;
	uint32_t ticket; /* of its lookup */
	uint8_t state; /* enum prdset_state */
	bool published, told; /* told: a lasting trouble was logged */
	bool hint_loose; /* the hint has no offset */
	bool pushed; /* a push came: the next one's distance counts */
	bool stored; /* a sample of it went to policies */
	uint64_t gn; /* generation of the last sample taken from a local set */
	int64_t hint_interval_us, hint_offset_us; /* the schedule that it is written on, as its side says; 0: not said */
	uint32_t asked_us; /* when the update that is outstanding was asked for, or the last push came; wraps around */
	uint16_t rest, failures; /* turns to let pass before the next lookup, and lookups that failed in a row */
	char *schema;
	struct prdset_times times;
	struct prdgap gap; /* samples that did not come */
	struct prdgroup *group; /* a set group; NULL: a set like others (prdgroup.h) */
	UT_hash_handle hh;
	char name[];
};

struct prdcr_stats {
	uint64_t connects, disconnects, failures;
	uint64_t updates, oversampled, torn, failed, skipped;
	uint64_t missed; /* samples that did not come: prdgap.h */
	unsigned int sets;
};

struct prdcr *prdcr_new(struct daemon *d, const struct prdcr_conf *conf, struct err *err);
/* Stopped first; not on the producer's own callbacks. */
void prdcr_free(struct prdcr *p);
struct loop *prdcr_loop(const struct prdcr *p);

int prdcr_start(struct prdcr *p, int64_t reconnect_us, struct err *err); /* 0: as configured; -EBUSY when running */
/* Disconnect; its sets go. */
void prdcr_stop(struct prdcr *p);

/* A peer that connected to us is this producer's: from the main loop, with the peer's loop held.  Only one that waits
 * for it (prdcr_waits, with the producer's own loop held). */
bool prdcr_waits(const struct prdcr *p);
void prdcr_take(struct prdcr *p, struct xprt *x);

const struct prdcr_conf *prdcr_conf(const struct prdcr *p);
enum prdcr_state prdcr_state(const struct prdcr *p);
struct xprt *prdcr_xprt(const struct prdcr *p); /* NULL while it is not connected */
void prdcr_stats(const struct prdcr *p, struct prdcr_stats *ret);
const char *prdcr_why(const struct prdcr *p); /* why it is not connected; "" */
struct prdset *prdcr_sets(struct prdcr *p); /* a uthash table; walk with hh.next */
struct prdset *prdcr_sets_sorted(struct prdcr *p); /* the same, in order of name */

/* For updtr.c: an updater begins (ends) to care for this producer's sets. */
void prdcr_updtr_add(struct prdcr *p, struct updtr *u);
void prdcr_updtr_del(struct prdcr *p, struct updtr *u);
/* One turn of a set's life: look it up, or update it; skipped (and counted) while the last one is outstanding. */
void prdset_turn(struct prdset *ps);
/* The same for an updater whose sets come by themselves: look it up, ask for pushes; no reads. */
void prdset_push_turn(struct prdset *ps);
/* Its updaters are others than before: how it comes, and the hint that is shown downstream, follow them. */
void prdset_updtrs_changed(struct prdset *ps);

#endif
