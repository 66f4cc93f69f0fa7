/* set.c - a set's life, and its readers; see set.h
 *
 * set_new.c lays out a local set, set_write.c, list.c and record.c write its samples, set_mirror.c is the writer of a
 * mirror, info.c keeps the pairs beside the image, seq.h is the lock.
 */
#include "core/set/set.h"

#include <errno.h>
#include <stdlib.h>

#include "core/set/about.h"
#include "core/set/set_impl.h"

struct set *set_alloc(struct pool *pool, const char *instance, size_t meta_sz, size_t data_sz, uint32_t array_card,
		      struct err *err)
{
	struct set *s = calloc(1, sizeof(*s));

	if (!s) {
		err_set(err, -ENOMEM, "set %s: the system is out of memory", instance);
		return NULL;
	}
	s->image = pool_alloc(pool, meta_sz + data_sz * array_card, err);
	if (!s->image) {
		err_prefix(err, -ENOMEM, "set %s: ", instance);
		free(s);
		return NULL;
	}
	s->pool = pool;
	s->meta_sz = (uint32_t)meta_sz;
	s->data_sz = (uint32_t)data_sz;
	s->array_card = array_card;
	s->refs = 1;
	return s;
}

void set_data_init(const struct set *s, struct set_data *d, uint32_t k, uint64_t meta_gn)
{
	size_t heap_sz = set_heap_sz(s);

	d->flags = htole32(SET_TRANS_NEVER);
	d->set_off = htole32((uint32_t)(set_elem(s, k) - s->image));
	d->gn = htole64(1);
	d->size = htole64(s->data_sz);
	d->meta_gn = htole64(meta_gn);
	d->curr_idx = htole32(s->array_card - 1);
	if (!heap_sz)
		return;
	d->heap_grain = htole32(HEAP_GRAIN_WORD);
	d->heap_sz = htole64(heap_sz);
	memcpy((uint8_t *)d + set_heap_off(s), HEAP_SIGNATURE, HEAP_SIGNATURE_SZ);
}

struct set *set_get(struct set *s)
{
	atomic_fetch_add_explicit(&s->refs, 1, memory_order_relaxed);
	return s;
}

void set_put(struct set *s)
{
	if (!s || atomic_fetch_sub_explicit(&s->refs, 1, memory_order_acq_rel) > 1)
		return;
	set_info_clear(s);
	about_put(s->about);
	free(s->work);
	pool_put(s->pool, s->image);
	free(s);
}

size_t set_size(const struct set *s)
{
	return s->meta_sz + (size_t)s->array_card * s->data_sz;
}

void set_copy(const struct set *s, size_t off, size_t len, void *to)
{
	unsigned int v;

	assert(off <= set_size(s) && len <= set_size(s) - off);
	do {
		v = seq_read_begin(&s->seq);
		seq_load(to, s->image + off, len);
	} while (seq_read_retry(&s->seq, v));
}

void set_copy_elem(const struct set *s, uint32_t k, void *to)
{
	unsigned int v;

	assert(k < s->array_card);
	do {
		v = seq_read_begin(&s->seq);
		seq_load(to, s->image, s->meta_sz);
		seq_load((uint8_t *)to + s->meta_sz, set_elem(s, k), s->data_sz);
	} while (seq_read_retry(&s->seq, v));
}

void set_stat(const struct set *s, struct set_stat *ret)
{
	struct set_meta m;
	struct set_data d;
	unsigned int v;

	do {
		v = seq_read_begin(&s->seq);
		seq_load(&m, s->image, sizeof(m));
		seq_load(&d, set_elem(s, set_newest(s)), sizeof(d));
	} while (seq_read_retry(&s->seq, v));
	*ret = (struct set_stat){
		.card = le32toh(m.card),
		.meta_sz = s->meta_sz,
		.data_sz = s->data_sz,
		.heap_sz = le32toh(m.heap_sz),
		.array_card = s->array_card,
		.uid = le32toh(m.uid),
		.gid = le32toh(m.gid),
		.perm = le32toh(m.perm),
		.meta_gn = le64toh(m.meta_gn),
		.gn = le64toh(d.gn),
		.ts_sec = le32toh(d.ts_sec),
		.ts_usec = le32toh(d.ts_usec),
		.dur_sec = le32toh(d.dur_sec),
		.dur_usec = le32toh(d.dur_usec),
		.consistent = le32toh(d.flags) == SET_TRANS_DONE,
	};
}

struct set_owner set_owner(const struct set *s)
{
	uint32_t o[3];

	set_copy(s, offsetof(struct set_meta, uid), sizeof(o), o);
	return (struct set_owner){ .uid = le32toh(o[0]), .gid = le32toh(o[1]), .perm = le32toh(o[2]) };
}

uint64_t set_gn(const struct set *s)
{
	return le64toh(seq_load64(set_elem(s, set_newest(s)) + offsetof(struct set_data, gn)));
}

uint32_t set_ring(const struct set *s, uint64_t *gns, uint64_t *ret_meta_gn)
{
	unsigned int v;
	uint32_t newest;

	do {
		v = seq_read_begin(&s->seq);
		newest = set_newest(s);
		*ret_meta_gn = le64toh(seq_load64(s->image + offsetof(struct set_meta, meta_gn)));
		for (uint32_t k = 0; k < s->array_card; k++) {
			const uint8_t *d = set_elem(s, k);
			bool done = le32toh(seq_load32(d + offsetof(struct set_data, flags))) == SET_TRANS_DONE;

			gns[k] = done ? le64toh(seq_load64(d + offsetof(struct set_data, gn))) : 0;
		}
	} while (seq_read_retry(&s->seq, v));
	return newest;
}
