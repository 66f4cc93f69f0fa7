/* layout.h - what stands in a set's image behind the two headers of image.h: descriptors, record types, records, lists.
 *
 * The structs are packed, so that they may be laid over any address; integers are little endian.
 *
 *   descriptor     one a metric, found by the dictionary: offset from the start of the image
 *   record type    the value of a V_RECORD_TYPE metric, in the metadata; has descriptors of its own, found by its dict
 *   record         in a list entry or a record array; its values stand where its type's descriptors say
 *   record array   a head of 12 bytes, then the records: not on multiples of 8
 *   list           a head of 12 bytes among the values; the entries are chained through the heap
 *   heap           the last heap_sz bytes of a data element; offsets in it count from its base, 0 is "none"
 */
#ifndef CORE_SET_LAYOUT_H
#define CORE_SET_LAYOUT_H

#include <assert.h>
#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "core/set/image.h"

#define HEAP_SIGNATURE    "BOHEAP0" /* 8 bytes with its NUL, at the heap's base */
#define HEAP_SIGNATURE_SZ 8

enum metric_flag { METRIC_DATA = 1, METRIC_META = 2, METRIC_RECORD = 4 };

struct metric_desc {
	uint64_t user_data;
	uint32_t off;   /* DATA: in the data element; META: in the image; member: in the record */
	uint32_t count; /* see struct metric in image.h; scalars: 1, though some writers leave 0 */
	uint8_t reserved[8];
	uint8_t type;  /* enum value_type */
	uint8_t flags; /* enum metric_flag */
	uint8_t name_unit_len;
	char name_unit[]; /* name NUL [unit NUL] */
} __attribute__((packed));

struct record_type {
	uint32_t flags; /* RECORD_TYPE_FLAGS */
	uint32_t pad;
	uint32_t card;    /* members */
	uint32_t inst_sz; /* bytes of a record, its head included */
	uint32_t dict[];  /* of each member's descriptor from the start of this struct */
} __attribute__((packed));

struct record_head {
	uint32_t flags; /* RECORD_FLAGS */
	uint32_t pad;
	uint32_t set_data_off; /* of this record from the start of its data element */
	uint32_t type;         /* index of its type's metric */
} __attribute__((packed));

enum { RECORD_TYPE_FLAGS = 1, RECORD_FLAGS = 2 };

struct record_array_head {
	uint32_t inst_sz;
	uint32_t type;
	uint32_t len;
	uint8_t records[];
} __attribute__((packed));

struct list_head {
	uint32_t first, last; /* entries in the heap */
	uint32_t len;
} __attribute__((packed));

struct list_entry {
	uint32_t next, prev;
	uint32_t type_count; /* bits 0-7 enum value_type, 8-31 elements of an array */
	uint8_t value[];
} __attribute__((packed));

static_assert(offsetof(struct metric_desc, name_unit) == 27, "not 28");
static_assert(sizeof(struct record_type) == 16 && sizeof(struct record_head) == 16, "wire");
static_assert(sizeof(struct record_array_head) == 12, "wire");
static_assert(sizeof(struct list_head) == 12 && sizeof(struct list_entry) == 12, "wire");

/* Do `size` bytes at `off` lie within [from, end)?  Nothing is added before it is compared. */
static inline bool span_within(uint64_t off, uint64_t size, uint64_t from, uint64_t end)
{
	return off >= from && off <= end && size <= end - off;
}

/* The descriptor of metric i, of checked metadata. */
static inline const struct metric_desc *desc_of(const struct set_meta *m, uint32_t i)
{
	assert(i < image_card(m));
	return (const void *)((const uint8_t *)m + le32toh(m->dict[i]));
}

/* `count` as struct metric tells it. */
static inline uint32_t desc_count(const struct metric_desc *d)
{
	return value_elem_size(d->type) && !value_is_array(d->type) ? 1 : le32toh(d->count);
}

/* Bytes of its value: all of a scalar or an array, the head of a list, a record array or a record type. */
static inline uint64_t desc_value_sz(const struct metric_desc *d)
{
	switch (d->type) {
	case V_LIST:
		return sizeof(struct list_head);
	case V_RECORD_TYPE:
		return sizeof(struct record_type);
	case V_RECORD_ARRAY:
		return sizeof(struct record_array_head);
	default:
		return (uint64_t)value_elem_size(d->type) * desc_count(d);
	}
}

/* Does its value lie inside the data element?  Lists and record arrays must also keep out of the heap, which would
 * write over them; a scalar or an array there still reads as its writer reads it. */
static inline bool desc_available(const struct metric_desc *d, uint32_t data_sz, uint32_t heap_sz)
{
	bool plain = value_elem_size(d->type);

	if (d->flags & METRIC_META)
		return true;
	return span_within(le32toh(d->off), desc_value_sz(d), DATA_HDR_SZ, plain ? data_sz : data_sz - heap_sz);
}

/* The record type that is the value of metric `type`. */
static inline const struct record_type *record_type_at(const struct set_meta *m, uint32_t type)
{
	const struct metric_desc *d = desc_of(m, type);

	assert(d->type == V_RECORD_TYPE);
	return (const void *)((const uint8_t *)m + le32toh(d->off));
}

#endif
