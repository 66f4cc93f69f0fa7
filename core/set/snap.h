/* snap.h - a consistent copy of a set at one moment, to keep: what stores and printers read. */
#ifndef CORE_SET_SNAP_H
#define CORE_SET_SNAP_H

#include "core/set/set.h"

struct snap {
	atomic_uint refs;
	uint32_t len;    /* bytes of the image */
	struct image im; /* into bytes[] */
	uint64_t bytes[];
};

/* The metadata and the newest data element.  NULL when memory is out. */
struct snap *snap_new(const struct set *s);
/* From bytes already in hand (metadata, one data element). */
struct snap *snap_of(const void *meta, size_t meta_sz, const void *data, size_t data_sz);
struct snap *snap_get(struct snap *sn);
void snap_put(struct snap *sn); /* NULL is fine */

#endif
