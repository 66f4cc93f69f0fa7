/* snap.c - see snap.h */
#include "core/set/snap.h"

#include <stdlib.h>

#include "core/set/set_impl.h"

static struct snap_meta *meta_alloc(size_t len)
{
	struct snap_meta *m = malloc(sizeof(*m) + len);

	if (!m)
		return NULL;
	*m = (struct snap_meta){ .len = (uint32_t)len };
	atomic_init(&m->refs, 1);
	return m;
}

/* Takes the metadata, also when it fails. */
static struct snap *snap_alloc(struct snap_meta *meta, size_t data_sz)
{
	struct snap *sn = meta ? atomic_exchange_explicit(&meta->spare, NULL, memory_order_acquire) : NULL;

	if (sn && sn->len != data_sz) {
		free(sn);
		sn = NULL;
	}
	if (!sn && meta)
		sn = malloc(sizeof(*sn) + data_sz);
	if (!sn) {
		snap_meta_put(meta);
		return NULL;
	}
	atomic_init(&sn->refs, 1);
	sn->len = (uint32_t)data_sz;
	sn->shares = false;
	sn->meta = meta;
	sn->im.meta = (const struct set_meta *)meta->bytes;
	sn->im.data = (const struct set_data *)sn->bytes;
	return sn;
}

/* Between two looks at the number. */
static void load_data(const struct set *s, const void *data, uint8_t *to)
{
	size_t used; /* the rest of the heap is zero */

	if (data) {
		memcpy(to, data, s->data_sz);
		return;
	}
	used = set_heap_off(s) + seq_load32(&s->heap_used);
	seq_load(to, set_elem(s, set_newest(s)), used);
	memset(to + used, 0, s->data_sz - used);
}

struct snap *snap_next(const struct set *s, const void *data, struct snap_meta **kept)
{
	struct snap_meta *fresh = NULL, *m;
	struct snap *sn = NULL;
	unsigned int v;

	if (*kept) {
		sn = snap_alloc(snap_meta_get(*kept), s->data_sz);
		if (!sn)
			return NULL;
	}
	do {
		v = seq_read_begin(&s->seq);
		if (!fresh && (!sn || (*kept)->version != seq_load32(&s->meta_version))) {
			snap_put(sn);
			fresh = meta_alloc(s->meta_sz);
			sn = snap_alloc(fresh, s->data_sz);
			if (!sn)
				return NULL;
		}
		if (fresh) {
			fresh->version = seq_load32(&s->meta_version);
			seq_load(fresh->bytes, s->image, s->meta_sz);
		}
		load_data(s, data, (uint8_t *)sn->bytes);
	} while (seq_read_retry(&s->seq, v));
	sn->shares = !fresh;
	if (fresh) {
		m = *kept;
		*kept = snap_meta_get(fresh);
		snap_meta_put(m);
	}
	return sn;
}

struct snap *snap_new(const struct set *s)
{
	struct snap_meta *kept = NULL;
	struct snap *sn = snap_next(s, NULL, &kept);

	snap_meta_put(kept);
	return sn;
}

struct snap *snap_with(struct snap_meta *meta, const void *data, size_t data_sz)
{
	struct snap *sn = snap_alloc(snap_meta_get(meta), data_sz);

	if (!sn)
		return NULL;
	sn->shares = true;
	memcpy(sn->bytes, data, data_sz);
	return sn;
}

struct snap *snap_of(const void *meta, size_t meta_sz, const void *data, size_t data_sz)
{
	struct snap *sn = snap_alloc(snap_meta_of(meta, meta_sz), data_sz);

	if (sn)
		memcpy(sn->bytes, data, data_sz);
	return sn;
}

struct snap_meta *snap_meta_of(const void *meta, size_t meta_sz)
{
	struct snap_meta *m = meta_alloc(meta_sz);

	if (m)
		memcpy(m->bytes, meta, meta_sz);
	return m;
}

size_t snap_bytes(const struct snap *sn)
{
	return sizeof(*sn) + sn->len + (sn->shares ? 0 : sizeof(*sn->meta) + sn->meta->len);
}

struct snap_meta *snap_meta_get(struct snap_meta *m)
{
	atomic_fetch_add_explicit(&m->refs, 1, memory_order_relaxed);
	return m;
}

void snap_meta_put(struct snap_meta *m)
{
	if (!m || atomic_fetch_sub_explicit(&m->refs, 1, memory_order_acq_rel) > 1)
		return;
	free(m->spare);
	free(m);
}

struct snap *snap_get(struct snap *sn)
{
	atomic_fetch_add_explicit(&sn->refs, 1, memory_order_relaxed);
	return sn;
}

void snap_put(struct snap *sn)
{
	struct snap_meta *m;

	if (!sn || atomic_fetch_sub_explicit(&sn->refs, 1, memory_order_acq_rel) > 1)
		return;
	m = sn->meta;
	free(atomic_exchange_explicit(&m->spare, sn, memory_order_acq_rel));
	snap_meta_put(m);
}
