/* set_write.c - the writer of a local set: samples, META values and permissions; see set.h
 *
 * A sample is written into the work element, which no reader sees; set_end() copies it to the ring.  Lists and records:
 * list.c, record.c.
 */
#include "core/set/set_impl.h"

#include <stdlib.h>

#include "core/base/clock.h"
#include "core/base/xalloc.h"
#include "core/set/watch.h"

#define US_PER_SEC 1000000

static void stamp(struct set_data *d, int64_t us)
{
	d->ts_sec = htole32((uint32_t)(us / US_PER_SEC));
	d->ts_usec = htole32((uint32_t)(us % US_PER_SEC));
}

static int64_t stamp_us(const struct set_data *d)
{
	return (int64_t)le32toh(d->ts_sec) * US_PER_SEC + le32toh(d->ts_usec);
}

void set_begin(struct set *s)
{
	s->work->flags = htole32(SET_TRANS_OPEN);
	stamp(s->work, wall_us());
}

/* What a sample may have changed, from the work element to the next one of the ring.  Under the lock. */
static void publish(struct set *s)
{
	struct set_data *work = s->work;
	const struct writer *w = set_writer(s);
	uint32_t k = le32toh(work->curr_idx) + 1;
	const uint8_t *from = (const uint8_t *)work;
	size_t heap = set_heap_off(s);
	uint8_t *to;

	if (k >= s->array_card)
		k = 0;
	to = set_elem(s, k);
	work->curr_idx = htole32(k);
	work->set_off = htole32((uint32_t)(to - s->image));
	work->meta_gn = set_meta_of(s)->meta_gn;
	seq_store(to, from, heap);
	for (uint32_t i = 0; i < w->list_n; i++) {
		const struct arena *a = &w->arenas[i];

		seq_store(to + heap + a->start, from + heap + a->start, a->high - a->start);
		if (a->high > s->heap_used)
			__atomic_store_n(&s->heap_used, a->high, __ATOMIC_RELEASE);
	}
	for (uint32_t i = 0; s->array_card > 1 && i < s->array_card; i++)
		seq_store32(set_elem(s, i) + offsetof(struct set_data, curr_idx), work->curr_idx);
}

void set_end(struct set *s)
{
	struct set_data *work = s->work;
	int64_t now = wall_us(), dur = now - stamp_us(work);

	assert(le32toh(work->flags) == SET_TRANS_OPEN);
	if (dur < 0)
		dur = 0; /* the clock was set back */
	work->dur_sec = htole32((uint32_t)(dur / US_PER_SEC));
	work->dur_usec = htole32((uint32_t)(dur % US_PER_SEC));
	stamp(work, now);
	work->flags = htole32(SET_TRANS_DONE);
	work->gn = htole64(le64toh(work->gn) + 1);
	seq_write_begin(&s->seq);
	publish(s);
	seq_write_end(&s->seq);
	set_tell(s);
}

/* The half-written values go, lest the next sample publishes those that it leaves alone. */
void set_cancel(struct set *s)
{
	const struct writer *w = set_writer(s);
	size_t at = (size_t)(set_elem(s, le32toh(s->work->curr_idx)) - s->image), heap = set_heap_off(s);
	uint8_t *to = (uint8_t *)s->work;

	set_copy(s, at, heap, to);
	for (uint32_t i = 0; i < w->list_n; i++) {
		const struct arena *a = &w->arenas[i];

		set_copy(s, at + heap + a->start, a->high - a->start, to + heap + a->start);
	}
	list_resume(s);
}

void set_show(struct set *s)
{
	const uint8_t *from = (const uint8_t *)s->work + DATA_HDR_SZ;

	seq_write_begin(&s->seq);
	for (uint32_t k = 0; k < s->array_card; k++)
		seq_store(set_elem(s, k) + DATA_HDR_SZ, from, set_heap_off(s) - DATA_HDR_SZ);
	seq_write_end(&s->seq);
}

/* -- values -------------------------------------------------------------------------------------------------------- */

void set_u64(struct set *s, int i, uint64_t v)
{
	assert(set_desc(s, i)->type == V_U64);
	v = htole64(v);
	memcpy(set_work(s, i), &v, sizeof(v));
}

void set_s64(struct set *s, int i, int64_t v)
{
	uint64_t le = htole64((uint64_t)v);

	assert(set_desc(s, i)->type == V_S64);
	memcpy(set_work(s, i), &le, sizeof(le));
}

void set_d64(struct set *s, int i, double v)
{
	uint64_t bits;

	assert(set_desc(s, i)->type == V_D64);
	memcpy(&bits, &v, sizeof(bits));
	bits = htole64(bits);
	memcpy(set_work(s, i), &bits, sizeof(bits));
}

void set_f32(struct set *s, int i, float v)
{
	uint32_t bits;

	assert(set_desc(s, i)->type == V_F32);
	memcpy(&bits, &v, sizeof(bits));
	bits = htole32(bits);
	memcpy(set_work(s, i), &bits, sizeof(bits));
}

/* Numbers of `elem` bytes from host order. */
static void put_numbers(uint8_t *to, const void *from, size_t len, size_t elem)
{
	memcpy(to, from, len);
	if (BYTE_ORDER == LITTLE_ENDIAN)
		return;
	for (size_t at = 0; at + elem <= len; at += elem)
		for (size_t k = 0; k < elem / 2; k++) {
			uint8_t b = to[at + k];

			to[at + k] = to[at + elem - 1 - k];
			to[at + elem - 1 - k] = b;
		}
}

void set_bytes(struct set *s, int i, const void *p, size_t len)
{
	const struct metric_desc *d = set_desc(s, i);
	size_t elem = value_elem_size(d->type), room = elem * le32toh(d->count);
	uint8_t *to = set_work(s, i);

	assert(room);
	if (len > room)
		len = room;
	put_numbers(to, p, len, d->type == V_TIMESTAMP ? sizeof(uint32_t) : elem);
	memset(to + len, 0, room - len);
}

void set_text_put(void *to, size_t room, const char *text, size_t len)
{
	if (len > room)
		len = room;
	memcpy(to, text, len);
	memset((char *)to + len, 0, room - len);
}

void set_text(struct set *s, int i, const char *text, size_t len)
{
	const struct metric_desc *d = set_desc(s, i);

	assert(d->type == V_CHAR_ARRAY);
	set_text_put(set_work(s, i), le32toh(d->count), text, len);
}

void *set_slot(struct set *s, int i)
{
	return set_work(s, i);
}

/* -- metadata ------------------------------------------------------------------------------------------------------ */

/* Replace bytes of the metadata; every data element tells which generation of it there is. */
static void meta_store(struct set *s, size_t off, const void *p, size_t len)
{
	uint64_t gn;

	seq_write_begin(&s->seq);
	gn = htole64(le64toh(set_meta_of(s)->meta_gn) + 1);
	seq_store(s->image + off, p, len);
	seq_store64(s->image + offsetof(struct set_meta, meta_gn), gn);
	set_meta_changed(s);
	for (uint32_t k = 0; k < s->array_card; k++)
		seq_store64(set_elem(s, k) + offsetof(struct set_data, meta_gn), gn);
	seq_write_end(&s->seq);
}

void set_meta_u64(struct set *s, int i, uint64_t v)
{
	const struct metric_desc *d = set_desc(s, i);

	assert(d->type == V_U64 && d->flags == METRIC_META);
	v = htole64(v);
	meta_store(s, le32toh(d->off), &v, sizeof(v));
}

void set_meta_text(struct set *s, int i, const char *text, size_t len)
{
	const struct metric_desc *d = set_desc(s, i);
	uint32_t room = le32toh(d->count);
	char *value;

	assert(d->type == V_CHAR_ARRAY && d->flags == METRIC_META);
	value = xmalloc(room);
	set_text_put(value, room, text, len);
	meta_store(s, le32toh(d->off), value, room);
	free(value);
}

void set_meta_put(struct set *s, int i, const void *p, size_t len)
{
	const struct metric_desc *d = set_desc(s, i);
	size_t room = value_elem_size(d->type) * desc_count(d);
	uint8_t *value = xcalloc(1, room);

	assert(room && d->flags == METRIC_META);
	memcpy(value, p, len < room ? len : room);
	if (memcmp(s->image + le32toh(d->off), value, room))
		meta_store(s, le32toh(d->off), value, room);
	free(value);
}

void set_perm_set(struct set *s, uint32_t uid, uint32_t gid, uint32_t perm)
{
	uint32_t owner[3] = { htole32(uid), htole32(gid), htole32(perm & SET_PERM_BITS) };

	if (s->local) {
		meta_store(s, offsetof(struct set_meta, uid), owner, sizeof(owner));
		return;
	}
	seq_write_begin(&s->seq); /* the generation stays the peer's: it tells when to read the metadata again */
	seq_store(s->image + offsetof(struct set_meta, uid), owner, sizeof(owner));
	set_meta_changed(s);
	s->pinned = true;
	seq_write_end(&s->seq);
}

void set_user_data_put(struct set *s, int i, uint64_t v)
{
	size_t off = le32toh(set_meta_of(s)->dict[i]) + offsetof(struct metric_desc, user_data);

	v = htole64(v);
	if (s->local) {
		meta_store(s, off, &v, sizeof(v));
		return;
	}
	seq_write_begin(&s->seq); /* see set_perm_set() */
	seq_store(s->image + off, &v, sizeof(v));
	set_meta_changed(s);
	seq_write_end(&s->seq);
}
