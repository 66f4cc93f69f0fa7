/* record.c - the writer of records, in lists and record arrays of a local set; see set.h.  (Readers: image.c.)
 *
 * A `struct record` is its record_head.  Those of a record array stand on 4 beyond a multiple of 8, so that values are
 * stored by memcpy().
 */
#include "core/set/set_impl.h"

void record_init(const struct set *s, struct record_head *r, uint32_t type)
{
	r->flags = htole32(RECORD_FLAGS);
	r->set_data_off = htole32((uint32_t)((uint8_t *)r - (uint8_t *)s->work));
	r->type = htole32(type);
}

struct record *record_array_slot(struct set *s, int i, uint32_t k)
{
	struct record_array_head *arr = (struct record_array_head *)set_work(s, i);

	assert(set_desc(s, i)->type == V_RECORD_ARRAY && k < le32toh(arr->len));
	return (struct record *)(arr->records + (size_t)k * le32toh(arr->inst_sz));
}

static const struct metric_desc *member_desc(const struct set *s, const struct record *r, int member)
{
	const struct record_head *head = (const struct record_head *)r;
	const struct record_type *rt = set_record_type(s, le32toh(head->type));

	assert(member >= 0 && (uint32_t)member < le32toh(rt->card));
	return (const struct metric_desc *)((const uint8_t *)rt + le32toh(rt->dict[member]));
}

void *record_slot(struct set *s, struct record *r, int member)
{
	return (uint8_t *)r + le32toh(member_desc(s, r, member)->off);
}

void record_u64(struct set *s, struct record *r, int member, uint64_t v)
{
	assert(member_desc(s, r, member)->type == V_U64);
	v = htole64(v);
	memcpy(record_slot(s, r, member), &v, sizeof(v));
}

void record_d64(struct set *s, struct record *r, int member, double v)
{
	uint64_t bits;

	assert(member_desc(s, r, member)->type == V_D64);
	memcpy(&bits, &v, sizeof(bits));
	bits = htole64(bits);
	memcpy(record_slot(s, r, member), &bits, sizeof(bits));
}

void record_text(struct set *s, struct record *r, int member, const char *text, size_t len)
{
	const struct metric_desc *d = member_desc(s, r, member);

	assert(d->type == V_CHAR_ARRAY);
	set_text_put((uint8_t *)r + le32toh(d->off), le32toh(d->count), text, len);
}
