/* snap.h - a consistent copy of a set at one moment, to keep: what stores and printers read.
 *
 * The metadata are most of a set's bytes and hardly ever change: snapshots that one holder takes of a set one after the
 * other share a copy of them (snap_next()).
 */
#ifndef CORE_SET_SNAP_H
#define CORE_SET_SNAP_H

#include "core/set/set.h"

#define SNAP_FITS 4

struct snap;
struct snap_meta {
	atomic_uint refs;
	uint32_t len, version; /* which of the set's; see struct set */
	/* Readers that looked whether they know metadata like these note their marks, so as not to look again; a mark is
	 * never another reader's, 0 is none. */
	_Atomic uint64_t fits[SNAP_FITS];
	/* One that was put: the next one's memory.  Who makes them and who puts them are different threads, which makes
	 * the usual allocator slow. */
	struct snap *_Atomic spare;
	uint64_t bytes[];
};

struct snap {
	atomic_uint refs;
	uint32_t len; /* bytes of the data element */
	bool shares;  /* its metadata are an earlier one's */
	struct snap_meta *meta;
	struct image im; /* into meta->bytes[] and bytes[] */
	uint64_t bytes[];
};

/* The metadata and the newest data element.  NULL when memory is out. */
struct snap *snap_new(const struct set *s);
/* The same, or of a data element already in hand (data_sz bytes); the metadata are *kept unless they have changed since.
 * *kept is the holder's, NULL at first, and put by it in the end. */
struct snap *snap_next(const struct set *s, const void *data, struct snap_meta **kept);
/* From bytes already in hand (metadata, one data element). */
struct snap *snap_of(const void *meta, size_t meta_sz, const void *data, size_t data_sz);
/* ... and metadata that are kept. */
struct snap *snap_with(struct snap_meta *meta, const void *data, size_t data_sz);
struct snap *snap_get(struct snap *sn);
void snap_put(struct snap *sn); /* NULL is fine */
/* Of memory that it takes; of those that share metadata the first one counts these. */
size_t snap_bytes(const struct snap *sn);

/* Who makes snapshots and who reads them are different threads: ask for the bytes of one before they are needed, and for
 * its head before that.  (Always inline: as functions of their own, which give nothing, GCC 12 leaves them out.) */
#define SNAP_FETCH_MAX 1024 /* bytes: the processor fetches what is behind by itself */
static inline __attribute__((always_inline)) void snap_fetch_head(const struct snap *sn)
{
	__builtin_prefetch(sn);
}

static inline __attribute__((always_inline)) void snap_fetch(const struct snap *sn)
{
	__builtin_prefetch(sn->meta, 1);
	__builtin_prefetch(sn->meta->bytes);
	for (size_t at = 0; at < sn->len && at < SNAP_FETCH_MAX; at += 64)
		__builtin_prefetch((const char *)sn->bytes + at);
}

struct snap_meta *snap_meta_of(const void *meta, size_t meta_sz); /* NULL when memory is out */
struct snap_meta *snap_meta_get(struct snap_meta *m);
void snap_meta_put(struct snap_meta *m); /* NULL is fine */

#endif
