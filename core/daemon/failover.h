/* failover.h - two aggregators that stand in for each other.
 *
 * Each connects to the other, pairs with it, and is told what the other collects: its producers, updaters and storage
 * policies, which are kept here with a mark before their names (mirrored.h), stopped.  Then it pings the other.  When no
 * answer comes for too long, what is kept is started here; when the other answers again, it is stopped again.
 *
 * All of it is the main loop's, the connection to the peer as well.  What the peer has is kept by the control plane
 * (struct failover_keeper), which knows how such objects are made.
 */
#ifndef CORE_DAEMON_FAILOVER_H
#define CORE_DAEMON_FAILOVER_H

#include "core/daemon/daemon.h"
#include "core/daemon/pings.h"

/* Numbers of the wire, frozen (man ldms-wire): requests, and what they say. */
#define FAILOVER_PAIR      0x705
#define FAILOVER_RESET     0x706
#define FAILOVER_CFGPRDCR  0x707
#define FAILOVER_CFGUPDTR  0x708
#define FAILOVER_CFGSTRGP  0x709
#define FAILOVER_PING      0x70a
#define FAILOVER_PEERCFG   0x70b
#define FAILOVER_NAME      1  /* of PING: the sender's */
#define FAILOVER_PEER_NAME 29 /* of PAIR: the sender's */

/* Numbers of the wire, too: what a ping is answered with. */
enum failover_state { FAILOVER_STOP, FAILOVER_START, FAILOVER_STOPPING };
enum failover_conn {
	FAILOVER_DISCONNECTED,
	FAILOVER_CONNECTING,
	FAILOVER_PAIRING,
	FAILOVER_PAIRING_RETRY,
	FAILOVER_RESETTING,
	FAILOVER_CONFIGURING,
	FAILOVER_CONFIGURED,
	FAILOVER_UNPAIRING,
};
const char *failover_state_name(enum failover_state s);
const char *failover_conn_name(enum failover_conn c);
enum failover_flag {
	FAILOVER_HAS_CONF = 1,
	FAILOVER_STANDS_IN = 2, /* what the peer had runs here */
	FAILOVER_HAS_PEER = 4,  /* what the peer has is known */
	FAILOVER_PINGING = 8,   /* a ping has no answer yet */
	FAILOVER_OWN = 16,      /* our own configuration runs */
};

struct failover_conf {
	const char *host, *xprt, *peer; /* peer: the daemon's name */
	unsigned short port;
	int64_t interval_us; /* between pings */
	double factor;       /* of the interval: the longest silence */
	bool auto_switch;    /* else the operator says when to stand in */
};

/* Who keeps what the peer has; called on the main loop. */
struct failover_keeper {
	void (*told)(struct failover_keeper *k);   /* all that the peer has is here */
	void (*begin)(struct failover_keeper *k);  /* collect as the peer did */
	void (*cease)(struct failover_keeper *k);  /* the peer does it again */
	void (*forget)(struct failover_keeper *k); /* nothing of it is wanted any more; ceased before */
};

struct failover *failover_new(struct daemon *d);
/* For the end of the daemon: nothing is said or begun any more. */
void failover_end(struct failover *f);
void failover_free(struct failover *f); /* ended, and the main loop is gone; NULL is fine */
void failover_keeper_set(struct failover *f, struct failover_keeper *k);
struct failover_keeper *failover_keeper(struct failover *f); /* NULL: nobody keeps anything */

/* -EINVAL; -EBUSY while it is started.  Strings are copied. */
int failover_config(struct failover *f, const struct failover_conf *conf, struct err *err);
const struct failover_conf *failover_conf(const struct failover *f); /* NULL: there is none */
int failover_start(struct failover *f, struct err *err);             /* -EINVAL: nothing is configured; -EBUSY */
/* Unpair: what the peer has is forgotten here, and ours there.  -EBUSY when it is not started. */
int failover_stop(struct failover *f, struct err *err);
enum failover_state failover_state(const struct failover *f);

/* Begin (cease) to collect what the peer did, because the operator says so: with auto_switch until the next ping.
 * -ENOENT: what it has is not known. */
int failover_stand_in(struct failover *f, bool yes, struct err *err);

/* What the peer asks.  May a daemon of that name pair with this one?  -EAGAIN: nothing is configured; -EPERM. */
int failover_may_pair(const struct failover *f, const char *peer, struct err *err);
/* It unpairs. */
void failover_reset(struct failover *f);
/* Is the connection ours to the peer?  It alone is told what the peer has. */
bool failover_is_link(const struct failover *f, const struct xprt *x);

struct failover_status {
	enum failover_state state;
	enum failover_conn conn;
	uint32_t flags; /* enum failover_flag */
	struct pings_sum pings;
	uint64_t skipped; /* pings that were due while the last one had no answer */
	int64_t sent_us, echo_us,
		limit_us; /* wall clock: of the last ping, the last answer, and when its silence is too long;
					     * 0: never */
	const char *why;  /* why it is not connected; "" */
};
void failover_status(const struct failover *f, struct failover_status *ret);

#endif
