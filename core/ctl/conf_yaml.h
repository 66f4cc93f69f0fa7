/* conf_yaml.h - a cluster file read whole: its daemons, their endpoints, who collects from whom; and the commands of each
 * daemon.  Made for who plans a cluster (core/maestro) or checks a file; one daemon takes its part by conf.h.
 */
#ifndef CORE_CTL_CONF_YAML_H
#define CORE_CTL_CONF_YAML_H

#include <stdbool.h>
#include <stddef.h>
#include <uthash.h>

#include "core/base/yaml.h"
#include "core/ctl/conf.h"

#define YNONE ((size_t)-1)

/* Where a daemon listens; producers are called so. */
struct yendpoint {
	UT_hash_handle hh;
	const char *host, *port;
	size_t daemon;
	const struct yaml_node *spec;
	char name[];
};

struct yentry; /* of `daemons` */

struct ydaemon {
	UT_hash_handle hh;
	const char *name, *host;
	const struct yentry *entry;
	size_t at;          /* its own index */
	size_t i;           /* which one of its entry */
	unsigned int level; /* in the tree: 0 collects from nobody */
	bool advertises;    /* ... to others */
};

struct yprdcr {
	const struct yendpoint *ep;
	size_t peer; /* which entry of peers */
};

struct ypeer {
	const struct yaml_node *map;
	char **regexes; /* for exactly its producers; n of them, made when they are asked for */
	size_t n_regexes;
	unsigned int updtr; /* the number of its first updater */
};

/* An entry of `aggregators`. */
struct ygroup {
	const struct yaml_node *map;
	char *name; /* its `daemons`, as written */
	const size_t *aggs;
	size_t n_aggs;
	struct yprdcr *prdcrs; /* in the order of their numbers */
	size_t n_prdcrs;
	struct ypeer *peers, *listens;
	size_t n_peers, n_listens;
};

struct ygen; /* a file, and the commands in the making */

/* Read it; what is wrong with it is said by `cf` (borrowed), as is a text that is no YAML: then there are no daemons.
 * `self`, if not NULL: only what concerns this daemon is complained of. */
struct ygen *ygen_new(struct conf *cf, const char *origin, const char *text, size_t len, const char *self);
/* The same for a file; -ENOENT and the like when it cannot be read. */
int ygen_read(struct conf *cf, const char *path, const char *self, struct ygen **ret, struct err *err);
void ygen_free(struct ygen *g); /* NULL is fine */

size_t ygen_daemons_n(const struct ygen *g);
const struct ydaemon *ygen_daemon(const struct ygen *g, size_t i);
size_t ygen_find(const struct ygen *g, const char *name); /* YNONE */
/* See conf_yaml_here(); the name is borrowed. */
int ygen_here(const struct ygen *g, const char *host, bool collects, const char **ret, struct err *err);
/* The k-th endpoint of a daemon, NULL behind the last one. */
const struct yendpoint *ygen_endpoint(const struct ygen *g, size_t daemon, size_t k);
size_t ygen_groups_n(const struct ygen *g);
const struct ygroup *ygen_group(const struct ygen *g, size_t i);
/* The whole file; NULL: it is no YAML. */
const struct yaml_node *ygen_root(const struct ygen *g);
/* Do two daemons have the same sections, so that what is wrong with the commands of one is wrong with the other's? */
bool ygen_alike(const struct ygen *g, size_t a, size_t b);

/* Which producers of a group an aggregator (by its place in it) has. */
enum yhas { YHAS_NOT, YHAS_STANDBY /* known, not started */, YHAS_RUNS };
struct yshare {
	enum yhas (*has)(void *arg, size_t group, size_t prdcr, size_t agg);
	void *arg;
};
/* Producers in the order of their numbers, in blocks of the same size or one more: [*from, *to) of n. */
void yshare_block(size_t n, size_t aggs, size_t agg, size_t *from, size_t *to);

/* A daemon's commands, into `cf` with their places, or as lines of text.  `share` NULL: blocks.  Into `cf`: commands
 * that are carried out while reading (env, include) are only put into it when `now`. */
void ygen_commands(struct ygen *g, size_t daemon, const struct yshare *share, struct conf *cf, bool now);
void ygen_lines(struct ygen *g, size_t daemon, const struct yshare *share, struct buf *to);

#endif
