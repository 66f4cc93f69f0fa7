/* snap.c - see snap.h */
#include "core/set/snap.h"

#include <stdlib.h>

#include "core/set/set_impl.h"

static struct snap *snap_alloc(size_t meta_sz, size_t data_sz)
{
	struct snap *sn = malloc(sizeof(*sn) + meta_sz + data_sz);

	if (!sn)
		return NULL;
	sn->refs = 1;
	sn->len = (uint32_t)(meta_sz + data_sz);
	sn->im.meta = (const struct set_meta *)sn->bytes;
	sn->im.data = (const struct set_data *)((uint8_t *)sn->bytes + meta_sz);
	return sn;
}

struct snap *snap_new(const struct set *s)
{
	struct snap *sn = snap_alloc(s->meta_sz, s->data_sz);
	unsigned int v;
	size_t used; /* of the data element: the rest of the heap is zero */
	uint8_t *to;

	if (!sn)
		return NULL;
	to = (uint8_t *)sn->bytes;
	do {
		v = seq_read_begin(&s->seq);
		seq_load(to, s->image, s->meta_sz);
		used = set_heap_off(s) + seq_load32(&s->heap_used);
		seq_load(to + s->meta_sz, set_elem(s, set_newest(s)), used);
	} while (seq_read_retry(&s->seq, v));
	memset(to + s->meta_sz + used, 0, s->data_sz - used);
	return sn;
}

struct snap *snap_of(const void *meta, size_t meta_sz, const void *data, size_t data_sz)
{
	struct snap *sn = snap_alloc(meta_sz, data_sz);

	if (!sn)
		return NULL;
	memcpy(sn->bytes, meta, meta_sz);
	memcpy((uint8_t *)sn->bytes + meta_sz, data, data_sz);
	return sn;
}

struct snap *snap_get(struct snap *sn)
{
	atomic_fetch_add_explicit(&sn->refs, 1, memory_order_relaxed);
	return sn;
}

void snap_put(struct snap *sn)
{
	if (sn && atomic_fetch_sub_explicit(&sn->refs, 1, memory_order_acq_rel) == 1)
		free(sn);
}
