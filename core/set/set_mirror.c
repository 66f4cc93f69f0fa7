/* set_mirror.c - the writer of a mirror: what a peer sent becomes the image; see set.h
 *
 * The bytes were checked (image.h) before they come here.
 */
#include <errno.h>

#include "core/set/set_impl.h"
#include "core/set/watch.h"

int set_mirror_new(struct pool *pool, const struct set_meta *meta, struct set **ret, struct err *err)
{
	struct set *s = set_alloc(pool, image_instance(meta), le32toh(meta->meta_sz), le32toh(meta->data_sz),
				  le32toh(meta->array_card), err);

	if (!s)
		return -ENOMEM;
	memcpy(s->image, meta, s->meta_sz);
	s->name = image_instance(set_meta_of(s));
	s->linked = image_is_linked(meta);
	s->heap_used = (uint32_t)set_heap_sz(s); /* which of it, the peer knows */
	for (uint32_t k = 0; k < s->array_card; k++)
		set_data_init(s, (struct set_data *)set_elem(s, k), k, 1);
	*ret = s;
	return 0;
}

/* Only words that differ are stored: names, offsets and types are read without the lock, and stay. */
void set_mirror_meta(struct set *s, const void *meta)
{
	const uint8_t *from = meta;
	uint32_t owner[3];

	seq_write_begin(&s->seq);
	memcpy(owner, s->image + offsetof(struct set_meta, uid), sizeof(owner));
	for (size_t off = 0; off < s->meta_sz; off += sizeof(uint64_t))
		if (memcmp(s->image + off, from + off, sizeof(uint64_t)))
			seq_store(s->image + off, from + off, sizeof(uint64_t));
	set_meta_changed(s);
	if (s->pinned)
		seq_store(s->image + offsetof(struct set_meta, uid), owner, sizeof(owner));
	seq_write_end(&s->seq);
}

/* When its sample ended. */
static uint64_t elem_stamp(const struct set *s, uint32_t k)
{
	const struct set_data *d = (const struct set_data *)set_elem(s, k);

	return (uint64_t)le32toh(d->ts_sec) << 32 | le32toh(d->ts_usec);
}

/* The peer's curr_idx may be ahead of what was fetched: here it says what we have. */
static void point_to_newest(struct set *s, uint32_t newest, uint32_t from, uint32_t n)
{
	for (uint32_t k = from; k < from + n; k++)
		if (elem_stamp(s, k) > elem_stamp(s, newest))
			newest = k;
	for (uint32_t k = 0; k < s->array_card; k++)
		seq_store32(set_elem(s, k) + offsetof(struct set_data, curr_idx), htole32(newest));
}

void set_mirror_data(struct set *s, uint32_t from, uint32_t n, const void *data)
{
	const uint8_t *p = data;
	uint32_t newest;

	assert(from <= s->array_card && n <= s->array_card - from);
	seq_write_begin(&s->seq);
	newest = set_newest(s); /* now: the bytes that come have the peer's */
	for (uint32_t k = from; k < from + n; k++, p += s->data_sz) {
		seq_store(set_elem(s, k), p, s->data_sz);
		seq_store32(set_elem(s, k) + offsetof(struct set_data, set_off),
			    htole32((uint32_t)(set_elem(s, k) - s->image)));
	}
	point_to_newest(s, newest, from, n);
	seq_write_end(&s->seq);
	set_tell(s);
}
