/* advert.h - producers that come by advertisement, as an aggregator says it has them. */
#ifndef CORE_MAESTRO_ADVERT_H
#define CORE_MAESTRO_ADVERT_H

#include <stdbool.h>
#include <stddef.h>
#include <uthash.h>

#include "core/base/err.h"

struct advert {
	UT_hash_handle hh;
	bool there; /* its daemon is connected */
	bool runs;  /* it is collected from, or will be when it is there */
	bool ran;   /* so it was when this was asked the last time, */
	bool gone;  /* and its daemon was not connected either time */
	unsigned int
		told; /* to start: an ldmsd takes up to a second until that shows, so many answers may be without it */
	char name[];
};

/* From the answer to prdcr_status; what was there before is forgotten.  -EPROTO: it is none. */
int adverts_take(struct advert **all, const char *answer, struct err *err);
void adverts_free(struct advert **all);
struct advert *adverts_find(struct advert *all, const char *name);

/* An aggregator of a group. */
struct advert_agg {
	struct advert *all;
	size_t others; /* producers that it runs beside those */
	bool told;     /* it can be told to start and stop */
};

/* Who is to start and to stop whom, so that each of them runs once: where it runs already, or else where least do;
 * elsewhere, too, when its daemon has not come back to who runs it, and is connected to another one.
 * `even`: also so that none runs more than one more than another.  Calls fn for each; what is in `aggs` is then so.  One
 * that is to move is stopped now, and started at the next call. */
void adverts_settle(struct advert_agg *aggs, size_t n, bool even,
		    void (*fn)(void *arg, size_t agg, const char *name, bool start), void *arg);

#endif
