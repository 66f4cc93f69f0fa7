/* daemon.h - the objects of one daemon and what they share.
 *
 * There is no global: whoever needs the daemon is handed it.  The main loop owns the tables below; producers (with their
 * sets and connection) live on an I/O loop and are looked at under its lock.  Locks, outermost first: main loop, an I/O
 * loop, strgp_lock, the set database's, the pool's.
 */
#ifndef CORE_DAEMON_DAEMON_H
#define CORE_DAEMON_DAEMON_H

#include <pthread.h>

#include "core/base/loop.h"
#include "core/base/work.h"
#include "core/daemon/confine.h"
#include "core/daemon/samp.h"
#include "core/daemon/scribe.h"
#include "core/daemon/strgp.h"
#include "core/set/setdb.h"
#include "xprt/xprt.h"

#define DAEMON_IO_LOOPS_MAX 64 /* I/O loops of one daemon */

struct offers;
struct prdcr;
struct updtr;
struct listener;
struct qgroups;
struct prdcr_outage;
struct streams;
struct failover;
struct prdcr_rule;
struct book;
struct reload;

/* A table of named objects; the objects begin with their node.  Owned by the main loop. */
struct node {
	const char *name; /* borrowed from the object */
	UT_hash_handle hh;
};

struct daemon {
	char *name; /* the daemon's, and the default producer name */
	struct loop *main;
	struct loop *io[DAEMON_IO_LOOPS_MAX]; /* io[0] may be the main loop itself */
	unsigned int n_io, next_io;
	struct offers *offers[DAEMON_IO_LOOPS_MAX]; /* of io[]; NULL: of the main loop, which a policy may stop on */
	struct pool *pool;
	struct setdb *sets;
	struct work *work, *auth_work, *users; /* for names, munged, the user database: one may hang, the others go on */
	struct xprt_env xprt;
	struct qgroups *qgroups;
	struct failover *failover;
	struct xprt_quota quota; /* of peers for which none is configured */
	struct samp_env samp;
	struct strgp_pool *strgp_pool;
	struct scribe_env scribe;
	struct node *samps, *stores, *scribes, *strgps, *prdcrs, *updtrs, *listeners, *auths;
	struct node *plain_auths; /* those that are there without having been made */
	struct prdcr_outage *outages; /* what is said of many producers at once; any thread */
	struct listener *shut; /* ports that were closed: peers that came through them are still there */
	struct node *adverts, *prdcr_listens; /* adverts: struct prdcr, too */
	atomic_uint listen_port; /* the first that was listened on; 0: none */
	/* which policies run: changed by the main loop, read on I/O loops when `strgp_gen` has moved */
	pthread_mutex_t strgp_lock;
	atomic_uint strgp_gen;
	struct prdlast *lasts; /* of sets that went, what was stored last; any thread */
	uint32_t uid, gid, perm; /* of objects made by configuration files */
	struct confine *confine; /* what was given up at the start; borrowed, NULL: nothing */
	struct record_sink *sink; /* the control plane: takes the records of peers (records.h) */
	struct book *book; /* the configuration so far (core/ctl/book.h); borrowed, NULL: nobody notes it */
	struct reload *reload; /* how to read it anew; borrowed, NULL: nobody can */
	struct streams *streams; /* any thread */
	struct prdcr_rule *prdcr_rules; /* what is asked of producers, also of those to come (prdcr_sub.h) */
	atomic_uint changes; /* configuration changes so far */
	char *pid_file; /* that files ask for; NULL: none */
	int64_t began_us; /* monotonic */
	bool ready; /* all configuration was carried out */
	bool draft; /* tries a configuration: objects are made, and nothing runs */
	const struct daemon *draft_of; /* the one that it is tried for; borrowed, NULL: none */
	bool listen_failed; /* a port could not be listened on */
	bool name_fixed, mem_fixed; /* given on the command line: files do not change them */
};

struct daemon_conf {
	const char *name; /* NULL: the host's */
	uint64_t mem; /* ceiling of set memory, bytes; 0: none */
	bool name_fixed, mem_fixed; /* files do not change them */
	unsigned int io_loops; /* threads for connections; 0: all on the main loop */
	uint64_t component_id;
	const char *sysroot;
	struct confine *confine; /* borrowed */
	bool hold; /* make no thread before daemon_begin() */
	bool draft; /* one that never begins: see struct daemon */
	int64_t timeout_us; /* a peer that does not answer, or read, for so long is dropped; 0: the transport's default */
};

int daemon_new(const struct daemon_conf *conf, struct daemon **ret, struct err *err);
/* The threads of a daemon that was held back: those that serve peers, and those that sample. */
int daemon_begin(struct daemon *d, struct err *err);
/* Stop everything in order (samplers, updaters, producers, listeners, policies: their rows are flushed within
 * `deadline_us`), and free it.  The main loop must not be turning; the caller holds nothing.  For the end of the process:
 * what hangs (a name server) is left behind. */
void daemon_free(struct daemon *d, int64_t deadline_us);
/* The loop for the next connection or producer. */
struct loop *daemon_next_io(struct daemon *d);
/* Where snapshots for policies are gathered on that loop; NULL: they are offered at once. */
struct offers *daemon_offers(const struct daemon *d, const struct loop *l);

/* Main loop: all loops of connections are held, for a turn of some milliseconds at a time, so that going through
 * thousands of producers is not a wait for a busy loop with each.  A step before each object, an end behind the last; the
 * turn begins as all zero.  Handlers may enter the loops again meanwhile. */
struct daemon_turn {
	unsigned int steps;
	int64_t end_us; /* monotonic */
};
void daemon_step(struct daemon *d, struct daemon_turn *t);
void daemon_steps_end(struct daemon *d, struct daemon_turn *t);

/* Objects by name, NULL when absent. */
void *node_find(struct node *table, const char *name);
void node_add(struct node **table, struct node *n);
void node_del(struct node **table, struct node *n);
void node_sort(struct node **table); /* by name, for people who read lists */
#define NODE_EACH(n, table) for (struct node *n = (table); n; n = n->hh.next)

/* Entries of the tables of samplers, stores, stores of messages and policies (the modules themselves know nothing of
 * tables). */
struct samp_node {
	struct node node;
	struct samp *samp;
};
struct store_node {
	struct node node;
	struct store *store;
};
struct scribe_node {
	struct node node;
	struct scribe *scribe;
};
struct strgp_node {
	struct node node;
	struct strgp *strgp;
};

#endif
