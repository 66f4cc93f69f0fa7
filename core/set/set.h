/* set.h - a metric set in this process: local (a sampler writes it) or a mirror (the network writes it).
 *
 * A set is one allocation of a pool, byte for byte the wire's image.  It has one writer; readers take consistent copies
 * under a sequence lock and never make the writer wait, which also never leaves the image half written for longer than
 * one copy: a local writer fills a private data element between set_begin() and set_end() and the end publishes it.
 *
 * Sets are reference counted: the set database, a connection that exported one, and a lookup may each outlive the other.
 */
#ifndef CORE_SET_SET_H
#define CORE_SET_SET_H

#include <stdatomic.h>
#include <stdbool.h>
#include <time.h>
#include <uthash.h>

#include "core/set/image.h"
#include "core/set/pool.h"

struct set_watch;
struct about;

struct info_pair {
	char *key, *value;
};

struct set_owner { /* who it belongs to, and who may do what with it */
	uint32_t uid, gid, perm;
};

struct set {
	uint8_t *image;        /* of the pool: metadata, then array_card data elements */
	struct set_data *work; /* local sets: the element being written; NULL in a mirror */
	struct pool *pool;
	const char *name; /* instance name, in the image */
	atomic_uint seq;  /* odd while the writer copies */
	atomic_uint refs;
	uint32_t meta_sz, data_sz, array_card;
	uint32_t heap_used;    /* bytes from the heap's base that were ever used */
	uint32_t meta_version; /* counts all changes of the metadata, those without a generation, too; under `seq` */
	bool local;
	bool linked;                         /* mirrors: image_is_linked() */
	atomic_bool deleted;                 /* taken out of the set database; its readers are told */
	atomic_uint pushed;                  /* registrations for a push at the end of each sample */
	_Atomic(struct set_watch *) watches; /* who wants to know of new samples; see watch.h */
	bool pinned;                         /* mirrors: owner and permission were set here, the peer's do not count */
	struct set_owner was;   /* before the last change; guarded by the set database's lock (SETDB_PERM) */
	struct about *about;    /* what its metrics are: about.h; NULL: not known */
	void *keeper;           /* local sets: the maker's own note of it */
	struct info_pair *info; /* guarded by the set database's lock once published */
	uint16_t info_n;
	UT_hash_handle hh; /* the set database's */
};

/* Make a local set.  producer is cut to SET_PRODUCER_MAX bytes.  -EINVAL for a bad name, -ENOMEM when the pool is full. */
int set_new(struct pool *pool, const struct schema *schema, const char *instance, const char *producer, uint32_t uid,
	    uint32_t gid, uint32_t perm, struct set **ret, struct err *err);
/* Make a mirror from (checked) metadata of a peer; the data elements are zero but for what a reader needs to see "never
 * updated" (meta_gn 1, curr_idx array_card - 1, gn 1, own set_off and size). */
int set_mirror_new(struct pool *pool, const struct set_meta *meta, struct set **ret, struct err *err);

struct set *set_get(struct set *s);
void set_put(struct set *s); /* NULL is fine; the last one frees */

/* -- the writer of a local set ------------------------------------------------------------------------------------- */

void set_begin(struct set *s); /* a new sample begins now */
void set_end(struct set *s);   /* ... and is published: timestamp, duration, generation, consistent */
/* End without publishing; the published sample stays the last whole one. */
void set_cancel(struct set *s);

/* Before the first sample: what was written already is what readers of the (never updated) set see. */
void set_show(struct set *s);

/* Between begin and end, into a DATA metric (index, type as in the schema). */
void set_u64(struct set *s, int i, uint64_t v);
void set_s64(struct set *s, int i, int64_t v);
void set_d64(struct set *s, int i, double v);
void set_f32(struct set *s, int i, float v);
/* Any scalar, array or char[]: `len` bytes from p in host order, the rest of the array zeroed. */
void set_bytes(struct set *s, int i, const void *p, size_t len);
void set_text(struct set *s, int i, const char *text, size_t len); /* char[]; cut to fit */
/* Where the value stands, for writers that fill many; little endian; valid as long as the set.  DATA metrics that are
 * neighbours in the schema are neighbours there, each VALUE_ROUND()ed. */
void *set_slot(struct set *s, int i);
/* META values, at any time; they take effect at once and raise meta_gn. */
void set_meta_u64(struct set *s, int i, uint64_t v);
void set_meta_text(struct set *s, int i, const char *text, size_t len);
/* Any scalar, array or char[]: `len` bytes of it as the set has them, the rest zeroed.  Nothing happens when that is what
 * stands there. */
void set_meta_put(struct set *s, int i, const void *p, size_t len);
/* Also of a mirror: what its peer says of them does not count any more.  For published sets: setdb_perm_set(). */
void set_perm_set(struct set *s, uint32_t uid, uint32_t gid, uint32_t perm);
/* The number that operators attach to a metric; that of a mirror stays until its peer changes the metadata. */
void set_user_data_put(struct set *s, int i, uint64_t v);

/* Lists of a local set, between begin and end.  A rebuilt list (list_clear, then appends) reuses the same places, so a
 * steady source allocates nothing.  All return NULL when the heap is full: make the set anew with a larger one. */
void list_clear(struct set *s, int i);
void *list_append(struct set *s, int i, enum value_type t, uint32_t count); /* room for the value, zeroed */
struct record *list_append_record(struct set *s, int i, int record);
struct record *record_array_slot(struct set *s, int i, uint32_t k);
void record_u64(struct set *s, struct record *r, int member, uint64_t v);
void record_d64(struct set *s, struct record *r, int member, double v);
void record_text(struct set *s, struct record *r, int member, const char *text, size_t len);
/* First value of the members in order, each VALUE_ROUND()ed: for writers that fill many. */
void *record_slot(struct set *s, struct record *r, int member);

/* -- the writer of a mirror ---------------------------------------------------------------------------------------- */

/* Replace the metadata (already checked to have the same sizes and names). */
void set_mirror_meta(struct set *s, const void *meta);
/* Replace data elements from..from+n-1 by the (checked) bytes of a peer; set_off is made ours, and curr_idx names the
 * newest element that is here (the peer's may be ahead of what was fetched). */
void set_mirror_data(struct set *s, uint32_t from, uint32_t n, const void *data);

/* -- readers ------------------------------------------------------------------------------------------------------- */

/* Copy bytes [off, off+len) of the image, all from one moment; the range must lie inside. */
void set_copy(const struct set *s, size_t off, size_t len, void *to);
/* The metadata and data element k behind them, both from one moment; k is below array_card. */
void set_copy_elem(const struct set *s, uint32_t k, void *to);
size_t set_size(const struct set *s); /* of the whole image */

/* What `ls` and dir say about a set, all from one moment. */
struct set_stat {
	uint32_t card, meta_sz, data_sz, heap_sz, array_card, uid, gid, perm;
	uint64_t meta_gn, gn;
	uint32_t ts_sec, ts_usec, dur_sec, dur_usec;
	bool consistent;
};
void set_stat(const struct set *s, struct set_stat *ret);
struct set_owner set_owner(const struct set *s);
/* The newest element's generation alone; cheap. */
uint64_t set_gn(const struct set *s);
/* Generations of the ring from one moment: of each element of a consistent sample its own, of others 0 (gns has room for
 * array_card).  Returns the newest element; *ret_meta_gn is the metadata's. */
uint32_t set_ring(const struct set *s, uint64_t *gns, uint64_t *ret_meta_gn);

/* Info pairs (text beside the set, not in the image). */
const char *set_info_find(const struct set *s, const char *key);
void set_info_put(struct set *s, const char *key, const char *value); /* copied; replaces */
void set_info_del(struct set *s, const char *key);
void set_info_clear(struct set *s);
void info_copy_free(struct info_pair *pairs, unsigned int n);

#endif
