/* plan.h - a cluster file, read once: its daemons, who collects from whom, and the configuration of each daemon.
 *
 * The file's form is in ldms.conf(5), CLUSTER FILES; core/ctl/conf_yaml.h reads it.  A plan does not change; what does
 * (which aggregator runs which producer, see share.h) stands beside it.
 */
#ifndef CORE_MAESTRO_PLAN_H
#define CORE_MAESTRO_PLAN_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/buf.h"
#include "core/base/err.h"
#include "core/base/kv.h"
#include "core/ctl/conf.h"

#define PLAN_NONE ((size_t)-1)

struct share;

struct plan_daemon {
	const char *name;
	/* Where maestro connects: the endpoint with maestro_comm: true; in a file that has none such (by_first), the first
	 * one.  The daemon listens there before anybody configures it. */
	const char *endpoint; /* NULL, as is host: it has none, nobody connects to it */
	const char *host;
	const char *xprt;
	unsigned short port;
	const char *auth;           /* the method: "none" */
	const struct kv *auth_args; /* NULL: none */
	bool by_first;
	unsigned int level; /* in the tree: 0 collects from nobody, 1 from those at most, ... */
	bool advertises;    /* ... to aggregators that listen: who collects from it is known when it runs */
};

/* A producer of a group: all its aggregators may run it, one does. */
struct plan_prdcr {
	const char *name; /* of the producer, which is the endpoint's */
	size_t daemon;    /* whose endpoint it is */
	size_t entry;     /* which of the group's peers, from 0 */
};

enum plan_balance { PLAN_BY_PRODUCERS, PLAN_BY_BYTES /* per second */ };
enum plan_rebalance {
	PLAN_EAGER,  /* who was taken over goes back as soon as his aggregator is there again */
	PLAN_STICKY, /* ... stays until the one who took him over is gone, or the file changes */
};

/* Aggregators that share producers: an entry of `aggregators`. */
struct plan_group {
	const char *name;   /* as written */
	const size_t *aggs; /* daemons, in the order of writing */
	size_t n_aggs;
	const struct plan_prdcr *prdcrs; /* in the order of their numbers */
	size_t n_prdcrs;
	size_t n_listens; /* entries of prdcr_listen: who advertises is collected from, too */
	enum plan_balance balance;
	enum plan_rebalance rebalance;
};

struct plan {
	const char *file;                  /* for complaints */
	const struct plan_daemon *daemons; /* in the order of writing */
	size_t n_daemons;
	const struct plan_group *groups;
	size_t n_groups;
	const size_t *order; /* all daemons, lower levels first: who is configured in this order leaves no gap */
};

/* What is wrong or suspicious is handed to `note`, with its place; after an error there is no plan: -EINVAL, err has the
 * first.  -ENOENT and the like for the file itself. */
int plan_read(const char *path, void (*note)(void *arg, const struct conf_note *note), void *arg, struct plan **ret,
	      struct err *err);
int plan_parse(const char *origin, const char *text, size_t len, void (*note)(void *arg, const struct conf_note *note),
	       void *arg, struct plan **ret, struct err *err);
void plan_free(struct plan *p); /* NULL is fine */
/* PLAN_NONE: there is none of that name. */
size_t plan_find(const struct plan *p, const char *name);

enum plan_lines_flag {
	PLAN_STANDBY = 1, /* also the producers of others in its groups, not started: who wants updaters to know them
			   * before (ldmsd 4.5.3) needs only a start to take them over */
};
/* The daemon's configuration: a command in each line, in an order in which they can be carried out.  The same plan and
 * share give the same bytes.  `s` NULL: everybody is alive. */
void plan_lines(const struct plan *p, size_t daemon, const struct share *s, unsigned int flags, struct buf *to);

#endif
