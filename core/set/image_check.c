/* image_check.c - does a set image from a peer hold together?  Its metadata; image_check_data.c has its data.
 *
 * Two rules make the accessors of image.c safe and their work bounded.  Every part lies where it may (span_within), and
 * the parts together are not larger than what holds them: each one is paid for, by claim, from the bytes that are
 * there.  The second rule ends loops and refuses parts that overlap, by which a small image would tell of endless data.
 * The parts of an honest image do not overlap.
 *
 * Texts are printed only after they were found sane.
 */
#include "core/set/image.h"

#include <errno.h>

#include "core/base/rd.h"
#include "core/set/image_check.h"
#include "core/set/layout.h"

#define META_VERSION "\4\2\0" /* 4.2.0.0 with the literal's NUL */
#define META_FLAG_BE 1
#define META_FLAG_LE 2

/* Length of the NUL-terminated text in the n bytes at p; -1 without a NUL, or with control characters in it. */
static int text_len(const void *p, size_t n)
{
	const unsigned char *text = p;
	size_t i;

	for (i = 0; i < n && text[i]; i++)
		if (text[i] < ' ' || text[i] == 0x7f)
			return -1;
	return i < n ? (int)i : -1;
}

struct meta_check {
	const uint8_t *meta; /* any alignment */
	uint32_t card, meta_sz, data_sz, heap_sz;
	uint32_t names_end; /* offset: what follows is descriptors and values */
	uint64_t meta_left; /* bytes behind the names that no part has claimed */
	uint64_t data_left; /* the same of a data element's values and heap */
	struct err *err;
	struct set_meta hdr; /* a copy of the fixed part */
};

static int sizes_check(struct meta_check *c, size_t meta_len)
{
	const struct set_meta *h = &c->hdr;
	uint32_t array_card = le32toh(h->array_card);

	c->card = le32toh(h->card);
	c->meta_sz = le32toh(h->meta_sz);
	c->data_sz = le32toh(h->data_sz);
	c->heap_sz = le32toh(h->heap_sz);
	if (c->meta_sz != meta_len || c->meta_sz % 8)
		return err_set(c->err, -EPROTO, "its size is %u, but %zu bytes came (a multiple of 8 was expected)",
			       c->meta_sz, meta_len);
	if (c->card > SCHEMA_CARD_MAX)
		return err_set(c->err, -EPROTO, "%u metrics, at most %u are taken; split the set", c->card,
			       SCHEMA_CARD_MAX);
	if (4 * c->card > c->meta_sz - META_HDR_SZ)
		return err_set(c->err, -EPROTO, "a dictionary of %u metrics does not fit into %u bytes", c->card,
			       c->meta_sz);
	if (c->data_sz % 8 || c->data_sz < DATA_HDR_SZ)
		return err_set(c->err, -EPROTO, "a data size of %u bytes is no multiple of 8, or less than its header",
			       c->data_sz);
	if (c->heap_sz % 8 || c->heap_sz > c->data_sz - DATA_HDR_SZ)
		return err_set(c->err, -EPROTO, "a heap of %u bytes does not fit into a data size of %u bytes",
			       c->heap_sz, c->data_sz);
	if (!array_card)
		return err_set(c->err, -EPROTO, "it has no data element (array_card is 0)");
	if ((uint64_t)array_card * c->data_sz > SET_DATA_MAX)
		return err_set(c->err, -EPROTO,
			       "%u data elements of %u bytes, at most %u bytes are taken; make the set smaller",
			       array_card, c->data_sz, SET_DATA_MAX);
	return 0;
}

static int header_check(struct meta_check *c, size_t meta_len)
{
	const struct set_meta *h = &c->hdr;

	if (meta_len < META_HDR_SZ)
		return err_set(c->err, -EPROTO, "%zu bytes are less than its header", meta_len);
	if (meta_len > SET_META_MAX)
		return err_set(c->err, -EPROTO, "%zu bytes, at most %u are taken; split the set", meta_len,
			       SET_META_MAX);
	memcpy(&c->hdr, c->meta, META_HDR_SZ);
	if (memcmp(h->version, META_VERSION, sizeof(h->version)))
		return err_set(c->err, -EPROTO,
			       "its version is %u.%u.%u.%u, not 4.2.0.0; use a peer of LDMS 4.3.8 or later",
			       h->version[0], h->version[1], h->version[2], h->version[3]);
	if (h->flags == META_FLAG_BE)
		return err_set(c->err, -EPROTO,
			       "it was made on a big-endian machine; only sets of little-endian machines can be read");
	if (h->flags != META_FLAG_LE)
		return err_set(c->err, -EPROTO, "its flags are 0x%02x, not %u (little endian)", h->flags, META_FLAG_LE);
	if (text_len(h->producer, sizeof(h->producer)) < 0)
		return err_set(c->err, -EPROTO, "the producer name has no end, or control characters in it");
	return sizes_check(c, meta_len);
}

static int names_check(struct meta_check *c)
{
	size_t dict_end = META_HDR_SZ + 4 * (size_t)c->card;
	struct rd r = rd_over(c->meta + dict_end, c->meta_sz - dict_end);
	uint8_t instance_sz = rd_u8(&r);
	const uint8_t *instance = rd_take(&r, instance_sz);
	uint8_t schema_sz = rd_u8(&r);
	const uint8_t *schema = rd_take(&r, schema_sz);

	if (r.short_read)
		return err_set(c->err, -EPROTO, "the instance and schema names run over its end");
	if (text_len(instance, instance_sz) < 1)
		return err_set(c->err, -EPROTO, "the instance name is empty, has no end, or control characters in it");
	if (text_len(schema, schema_sz) < 1)
		return err_set(c->err, -EPROTO, "the schema name is empty, has no end, or control characters in it");
	c->meta_left = rd_left(&r);
	c->names_end = c->meta_sz - (uint32_t)c->meta_left;
	return 0;
}

static int meta_claim(struct meta_check *c, uint64_t n)
{
	if (image_claim(&c->meta_left, n))
		return 0;
	return err_set(c->err, -EPROTO, "descriptors and values take more bytes than there are: some overlap");
}

/* The descriptor at `off` of the image, with its texts. */
static int desc_check(struct meta_check *c, uint64_t off, const struct metric_desc **ret)
{
	const struct metric_desc *d;
	int n;

	if (!span_within(off, sizeof(*d), c->names_end, c->meta_sz))
		return err_set(c->err, -EPROTO, "its descriptor at %llu is not inside the metadata",
			       (unsigned long long)off);
	d = (const void *)(c->meta + off);
	if (d->name_unit_len > c->meta_sz - off - sizeof(*d))
		return err_set(c->err, -EPROTO, "its name at %llu runs over the end of the metadata",
			       (unsigned long long)(off + sizeof(*d)));
	n = text_len(d->name_unit, d->name_unit_len);
	if (n < 1)
		return err_set(c->err, -EPROTO, "its name is empty, has no end, or control characters in it");
	if (n + 1 < d->name_unit_len && text_len(d->name_unit + n + 1, d->name_unit_len - n - 1) < 0)
		return err_set(c->err, -EPROTO, "%s: its unit has no end, or control characters in it", d->name_unit);
	*ret = d;
	return meta_claim(c, sizeof(*d) + d->name_unit_len);
}

static int member_check(struct meta_check *c, const struct metric_desc *d, uint32_t inst_sz, uint64_t *inst_left)
{
	uint64_t size = desc_value_sz(d);

	if (!value_elem_size(d->type) || d->flags != (METRIC_DATA | METRIC_RECORD))
		return err_set(c->err, -EPROTO, "%s: type %u with flags %u can be no member of a record", d->name_unit,
			       d->type, d->flags);
	if (!span_within(le32toh(d->off), size, sizeof(struct record_head), inst_sz))
		return err_set(c->err, -EPROTO, "%s: %llu bytes at %u are not inside its record of %u bytes",
			       d->name_unit, (unsigned long long)size, le32toh(d->off), inst_sz);
	/* an array without elements costs a byte, too: else a few bytes of image could promise any number of members */
	if (!image_claim(inst_left, size ? size : 1))
		return err_set(c->err, -EPROTO, "%s: the members take more bytes than the record's %u: some overlap",
			       d->name_unit, inst_sz);
	return 0;
}

static int record_type_check(struct meta_check *c, uint32_t off)
{
	const struct metric_desc *member;
	const struct record_type *rt;
	uint32_t card, inst_sz, i;
	uint64_t inst_left;
	int rc;

	if (!span_within(off, sizeof(*rt), c->names_end, c->meta_sz))
		return err_set(c->err, -EPROTO, "its record type at %u is not inside the metadata", off);
	rt = (const void *)(c->meta + off);
	card = le32toh(rt->card);
	inst_sz = le32toh(rt->inst_sz);
	if (le32toh(rt->flags) != RECORD_TYPE_FLAGS)
		return err_set(c->err, -EPROTO, "there is no record type at %u", off);
	if (!span_within(off + sizeof(*rt), 4 * (uint64_t)card, c->names_end, c->meta_sz))
		return err_set(c->err, -EPROTO, "a dictionary of %u members does not fit into the metadata", card);
	if (inst_sz < sizeof(struct record_head))
		return err_set(c->err, -EPROTO, "a record of %u bytes has no room for its head", inst_sz);
	rc = meta_claim(c, sizeof(*rt) + 4 * (uint64_t)card);
	inst_left = inst_sz - sizeof(struct record_head);
	for (i = 0; !rc && i < card; i++) {
		rc = desc_check(c, (uint64_t)off + le32toh(rt->dict[i]), &member);
		if (!rc)
			rc = member_check(c, member, inst_sz, &inst_left);
		if (rc)
			err_prefix(c->err, rc, "member %u: ", i);
	}
	return rc;
}

/* Is there such a metric: its type, and the flags that go with the type? */
static bool type_flags_fit(const struct metric_desc *d)
{
	switch (d->type) {
	case V_LIST:
	case V_RECORD_ARRAY:
		return d->flags == METRIC_DATA;
	case V_RECORD_TYPE:
		return d->flags == (METRIC_META | METRIC_RECORD);
	default:
		return value_elem_size(d->type) && (d->flags == METRIC_DATA || d->flags == METRIC_META);
	}
}

static int metric_check(struct meta_check *c, uint32_t i)
{
	const struct metric_desc *d;
	uint64_t size;
	uint32_t off;
	int rc;

	memcpy(&off, c->meta + META_HDR_SZ + 4 * (size_t)i, sizeof(off));
	rc = desc_check(c, le32toh(off), &d);
	if (rc)
		return rc;
	if (!type_flags_fit(d))
		return err_set(c->err, -EPROTO, "%s: type %u with flags %u is unknown", d->name_unit, d->type,
			       d->flags);
	off = le32toh(d->off);
	size = desc_value_sz(d);
	if (d->type == V_RECORD_TYPE) {
		rc = record_type_check(c, off);
		return rc ? err_prefix(c->err, rc, "%s: ", d->name_unit) : 0;
	}
	if (d->flags & METRIC_META) {
		if (!span_within(off, size, c->names_end, c->meta_sz))
			return err_set(c->err, -EPROTO, "%s: %llu bytes at %u are not inside the metadata",
				       d->name_unit, (unsigned long long)size, off);
		return meta_claim(c, size);
	}
	if (desc_available(d, c->data_sz, c->heap_sz) && !image_claim(&c->data_left, size))
		return err_set(c->err, -EPROTO, "%s: the values take more bytes than a data element's %u: some overlap",
			       d->name_unit, c->data_sz);
	return 0;
}

int image_check_meta(const void *meta, size_t meta_len, struct err *err)
{
	struct meta_check c = { .meta = meta, .err = err };
	uint32_t i;
	int rc;

	rc = header_check(&c, meta_len);
	if (!rc)
		rc = names_check(&c);
	if (rc)
		return err_prefix(err, rc, "metadata: ");
	c.data_left = c.data_sz - DATA_HDR_SZ;
	for (i = 0; i < c.card; i++) {
		rc = metric_check(&c, i);
		if (rc)
			return err_prefix(err, rc, "metadata: metric %u: ", i);
	}
	return 0;
}
