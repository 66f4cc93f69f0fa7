/* draft.h - a cluster file for a number of nodes: so many aggregators, so many stores, and what each of them will have to
 * do. */
#ifndef CORE_MAESTRO_DRAFT_H
#define CORE_MAESTRO_DRAFT_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/buf.h"
#include "core/maestro/nodes.h"

/* The sets of a sampler on one node. */
struct draft_samp {
	const char *name;
	unsigned int sets;
	size_t data, image; /* bytes of all of them: values alone; with metadata and heap */
	bool guessed;       /* it does not run on this machine */
};

/* Daemons of one kind: on hosts of their own, or several on each. */
struct draft_kind {
	size_t n;
	struct nodes hosts; /* none: each is on a host of its own name */
	unsigned short port;
};

struct draft {
	struct nodes nodes;
	struct draft_samp *samps;
	size_t n_samps;
	int64_t interval_us;
	unsigned short port;            /* of samplers */
	struct draft_kind aggs, stores; /* stores.n: of each aggregator */
	const char *auth;               /* NULL: none */
	const char *auth_conf;          /* "k=v ...", or a path; NULL */
	/* where rows go; NULL: nowhere yet */
	const char *store, *store_path; /* a plugin; or the file of another maker's */
	const char *store_conf;         /* "NAME=VALUE ..." */
	const char *container;          /* NULL: the schema's name */
	const char *asked;              /* the command that asked for this */
};

/* So many aggregators that none gets more than so many sets a second. */
size_t draft_aggs(const struct draft *d, double sets_per_s);
/* -EINVAL for what cannot be: more aggregators than nodes, hosts that do not suit them. */
int draft_check(const struct draft *d, struct err *err);
void draft_put(const struct draft *d, struct buf *to);

#endif
