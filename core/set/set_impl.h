/* set_impl.h - what the files of a set share: where things stand in its image, and the writer's private part. */
#ifndef CORE_SET_SET_IMPL_H
#define CORE_SET_SET_IMPL_H

#include "core/set/layout.h"
#include "core/set/seq.h"
#include "core/set/set.h"

#define HEAP_GRAIN_WORD 0x00004006u /* grain bits 6, grain 64: what ldmsd writes */
#define SET_PERM_BITS   0777

static_assert(offsetof(struct set_meta, gid) == offsetof(struct set_meta, uid) + 4 &&
		      offsetof(struct set_meta, perm) == offsetof(struct set_meta, uid) + 8,
	      "owner and permission are one run of bytes");

/* A list's own share of the heap: see list.c.  Offsets from the heap's base. */
struct arena {
	uint32_t metric;     /* the list's index */
	uint32_t start, end; /* the share */
	uint32_t next;       /* where the next entry goes */
	uint32_t high;       /* end of all entries there ever were */
};

/* Behind the work element of a local set. */
struct writer {
	uint32_t list_n;
	struct arena arenas[];
};

static inline struct writer *set_writer(const struct set *s)
{
	return (struct writer *)((uint8_t *)s->work + s->data_sz);
}

static inline struct set_meta *set_meta_of(const struct set *s)
{
	return (struct set_meta *)s->image;
}

static inline uint8_t *set_elem(const struct set *s, uint32_t k)
{
	return s->image + s->meta_sz + (size_t)k * s->data_sz;
}

static inline size_t set_heap_sz(const struct set *s)
{
	return le32toh(set_meta_of(s)->heap_sz);
}

/* Writers, under `seq`. */
static inline void set_meta_changed(struct set *s)
{
	seq_store32(&s->meta_version, s->meta_version + 1);
}

/* The heap's base, from the start of an element. */
static inline size_t set_heap_off(const struct set *s)
{
	return s->data_sz - set_heap_sz(s);
}

/* Index of the newest element; by a reader, between its two looks at the number. */
static inline uint32_t set_newest(const struct set *s)
{
	uint32_t k = le32toh(seq_load32(set_elem(s, 0) + offsetof(struct set_data, curr_idx)));

	return k < s->array_card ? k : 0;
}

static inline const struct metric_desc *set_desc(const struct set *s, int i)
{
	const struct set_meta *m = set_meta_of(s);

	assert(i >= 0 && (uint32_t)i < le32toh(m->card));
	return (const struct metric_desc *)(s->image + le32toh(m->dict[i]));
}

static inline const struct record_type *set_record_type(const struct set *s, uint32_t type)
{
	const struct metric_desc *d = set_desc(s, (int)type);

	assert(d->type == V_RECORD_TYPE);
	return (const struct record_type *)(s->image + le32toh(d->off));
}

/* Where a DATA metric is written, between begin and end. */
static inline uint8_t *set_work(const struct set *s, int i)
{
	const struct metric_desc *d = set_desc(s, i);

	assert(d->flags == METRIC_DATA && s->work);
	return (uint8_t *)s->work + le32toh(d->off);
}

/* The header of element k when there is no sample yet; the ring's newest is then the last. */
void set_data_init(const struct set *s, struct set_data *d, uint32_t k, uint64_t meta_gn);
/* Memory for a set whose metadata is `meta_sz` bytes; zeroed image, one reference.  NULL with words. */
struct set *set_alloc(struct pool *pool, const char *instance, size_t meta_sz, size_t data_sz, uint32_t array_card,
		      struct err *err);
/* Fill `room` bytes with the text and NULs. */
void set_text_put(void *to, size_t room, const char *text, size_t len);
/* Continue behind the last entry of each list: the element's bytes were replaced. */
void list_resume(struct set *s);
/* Write the head of a record into place. */
void record_init(const struct set *s, struct record_head *r, uint32_t type);

#endif
