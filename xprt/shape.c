/* shape.c - see shape.h */
#include "xprt/shape.h"

#include "core/set/image.h"
#include "core/set/layout.h"

static uint32_t u32_at(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return le32toh(v);
}

/* Descriptors, from the offset to the end of the names; user data stand in front of it. */
static bool same_desc(const uint8_t *a, const uint8_t *b)
{
	size_t len = offsetof(struct metric_desc, name_unit) + ((const struct metric_desc *)a)->name_unit_len;

	return !memcmp(a + offsetof(struct metric_desc, off), b + offsetof(struct metric_desc, off),
		       len - offsetof(struct metric_desc, off));
}

static bool same_record_type(const uint8_t *a, const uint8_t *b)
{
	const struct record_type *ra = (const struct record_type *)a;
	uint32_t card = le32toh(ra->card);

	if (memcmp(a, b, sizeof(*ra) + card * sizeof(uint32_t)))
		return false;
	for (uint32_t i = 0; i < card; i++) {
		uint32_t off = u32_at(a + sizeof(*ra) + i * sizeof(uint32_t));

		if (!same_desc(a + off, b + off))
			return false;
	}
	return true;
}

bool shape_is_same(const void *am, const void *bm)
{
	const uint8_t *a = am, *b = bm;
	uint32_t card = u32_at(a + offsetof(struct set_meta, card));
	size_t names = META_HDR_SZ + card * sizeof(uint32_t), names_end;

	/* card, the sizes */
	if (memcmp(a + offsetof(struct set_meta, card), b + offsetof(struct set_meta, card), 3 * sizeof(uint32_t)) ||
	    memcmp(a + offsetof(struct set_meta, array_card), b + offsetof(struct set_meta, array_card),
		   2 * sizeof(uint32_t)) ||
	    memcmp(a + META_HDR_SZ, b + META_HDR_SZ, names - META_HDR_SZ))
		return false;
	names_end = names + 1 + a[names];      /* the instance's, */
	names_end += 1 + (size_t)a[names_end]; /* the schema's with the digest */
	if (memcmp(a + names, b + names, names_end - names))
		return false;
	for (uint32_t i = 0; i < card; i++) {
		uint32_t at = u32_at(a + META_HDR_SZ + i * sizeof(uint32_t));
		const struct metric_desc *d = (const struct metric_desc *)(a + at);

		if (!same_desc(a + at, b + at))
			return false;
		if (d->type == V_RECORD_TYPE && !same_record_type(a + le32toh(d->off), b + le32toh(d->off)))
			return false;
	}
	return true;
}
