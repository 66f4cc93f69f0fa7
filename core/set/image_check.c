/* image_check.c - does a set image from a peer hold together?
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
#include "core/set/layout.h"

#define META_VERSION "\4\2\0" /* 4.2.0.0 with the literal's NUL */
#define META_FLAG_BE 1
#define META_FLAG_LE 2

/* Pay n bytes for a part out of what is left of the whole. */
static bool claim(uint64_t *left, uint64_t n)
{
	if (n > *left)
		return false;
	*left -= n;
	return true;
}

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

/* -- metadata ------------------------------------------------------------------------------------------------------ */

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
	if (claim(&c->meta_left, n))
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
	if (!claim(inst_left, size ? size : 1))
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
	if (desc_available(d, c->data_sz, c->heap_sz) && !claim(&c->data_left, size))
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

/* -- data ---------------------------------------------------------------------------------------------------------- */

struct data_check {
	struct image im; /* im.data of any alignment: bytes */
	const uint8_t *data, *heap;
	uint32_t data_sz, heap_sz;
	uint64_t heap_left;   /* bytes of the heap that no entry has claimed */
	uint64_t values_left; /* bytes of the values that no record has claimed */
	struct err *err;
};

static int data_header_check(struct data_check *c, const struct set_data *h)
{
	bool never = le32toh(h->flags) == SET_TRANS_NEVER;
	uint32_t array_card = le32toh(c->im.meta->array_card);
	static const uint8_t none[HEAP_SIGNATURE_SZ];

	if (le32toh(h->flags) > SET_TRANS_DONE)
		return err_set(c->err, -EPROTO, "its transaction flags are %u", le32toh(h->flags));
	if (le64toh(h->size) != c->data_sz && !(never && !h->size))
		return err_set(c->err, -EPROTO, "its size is %llu, the metadata say %u",
			       (unsigned long long)le64toh(h->size), c->data_sz);
	if (le64toh(h->heap_sz) != c->heap_sz && !(never && !h->heap_sz))
		return err_set(c->err, -EPROTO, "its heap's size is %llu, the metadata say %u",
			       (unsigned long long)le64toh(h->heap_sz), c->heap_sz);
	if (le32toh(h->curr_idx) >= array_card)
		return err_set(c->err, -EPROTO, "the newest element is number %u, there are %u", le32toh(h->curr_idx),
			       array_card);
	if (c->heap_sz && memcmp(c->heap, HEAP_SIGNATURE, HEAP_SIGNATURE_SZ) &&
	    !(never && !memcmp(c->heap, none, HEAP_SIGNATURE_SZ)))
		return err_set(c->err, -EPROTO, "its heap does not begin with the signature %s", HEAP_SIGNATURE);
	return 0;
}

/* Is metric `type` a record type, and if so, what is the size of its records? */
static int record_size(struct data_check *c, uint32_t type, uint32_t *ret)
{
	if (type >= image_card(c->im.meta) || desc_of(c->im.meta, type)->type != V_RECORD_TYPE)
		return err_set(c->err, -EPROTO, "its record type is metric %u, which is none", type);
	*ret = le32toh(record_type_at(c->im.meta, type)->inst_sz);
	return 0;
}

/* A record at `off` of the data element, all of it before `end`; returned is its size. */
static int record_check(struct data_check *c, uint64_t off, uint64_t end, uint32_t *ret_size)
{
	const struct record_head *rec;
	uint32_t size;
	int rc;

	if (!span_within(off, sizeof(*rec), DATA_HDR_SZ, end))
		return err_set(c->err, -EPROTO, "its head does not fit");
	rec = (const void *)(c->data + off);
	if (le32toh(rec->flags) != RECORD_FLAGS)
		return err_set(c->err, -EPROTO, "there is no record at %llu", (unsigned long long)off);
	if (le32toh(rec->set_data_off) != off)
		return err_set(c->err, -EPROTO, "it stands at %llu, and says at %u", (unsigned long long)off,
			       le32toh(rec->set_data_off));
	rc = record_size(c, le32toh(rec->type), &size);
	if (rc)
		return rc;
	if (!span_within(off, size, DATA_HDR_SZ, end))
		return err_set(c->err, -EPROTO, "%u bytes at %llu run over the end", size, (unsigned long long)off);
	*ret_size = size;
	return 0;
}

static int list_check(struct data_check *c, const struct list_head *head, unsigned int depth);

/* The value of the entry at `off` of the heap; the entry itself was found to lie inside. */
static int entry_check(struct data_check *c, uint32_t off, unsigned int depth)
{
	const struct list_entry *e = (const void *)(c->heap + off);
	uint64_t at = (uint64_t)off + sizeof(*e), size;
	uint32_t type_count = le32toh(e->type_count), rec_size = 0;
	enum value_type type = type_count & 0xff;
	int rc;

	if (type == V_RECORD_INST) {
		rc = record_check(c, c->data_sz - c->heap_sz + at, c->data_sz, &rec_size);
		if (rc)
			return rc;
		size = rec_size;
	} else if (type == V_LIST) {
		size = sizeof(struct list_head);
	} else if (value_elem_size(type)) {
		size = (uint64_t)value_elem_size(type) * (value_is_array(type) ? type_count >> 8 : 1);
	} else {
		return err_set(c->err, -EPROTO, "type %u can be no entry of a list", type);
	}
	if (!span_within(at, size, HEAP_SIGNATURE_SZ, c->heap_sz))
		return err_set(c->err, -EPROTO, "%llu bytes at %llu run over the end of the heap",
			       (unsigned long long)size, (unsigned long long)at);
	if (!claim(&c->heap_left, sizeof(*e) + size))
		return err_set(c->err, -EPROTO,
			       "the entries take more bytes than the heap's %u: a loop, or some overlap", c->heap_sz);
	return type == V_LIST ? list_check(c, (const void *)e->value, depth + 1) : 0;
}

static int list_check(struct data_check *c, const struct list_head *head, unsigned int depth)
{
	uint32_t off, prev = 0, n = 0, len = le32toh(head->len);
	const struct list_entry *e;
	int rc;

	if (depth > LIST_DEPTH_MAX)
		return err_set(c->err, -EPROTO, "lists in lists deeper than %u", LIST_DEPTH_MAX);
	for (off = le32toh(head->first); off; off = le32toh(e->next)) {
		if (n == len)
			return err_set(c->err, -EPROTO, "there are more entries than the %u that it tells", len);
		if (!span_within(off, sizeof(*e), HEAP_SIGNATURE_SZ, c->heap_sz))
			return err_set(c->err, -EPROTO, "entry %u at %u is not inside the heap", n, off);
		e = (const void *)(c->heap + off);
		if (le32toh(e->prev) != prev)
			return err_set(c->err, -EPROTO, "entry %u links back to %u, not to %u", n, le32toh(e->prev),
				       prev);
		rc = entry_check(c, off, depth);
		if (rc)
			return err_prefix(c->err, rc, "entry %u: ", n);
		prev = off;
		n++;
	}
	if (n != len || le32toh(head->last) != prev)
		return err_set(c->err, -EPROTO, "%u entries ending at %u, but it tells of %u ending at %u", n, prev,
			       len, le32toh(head->last));
	return 0;
}

static int record_array_check(struct data_check *c, uint32_t off, uint32_t count)
{
	const struct record_array_head *head = (const void *)(c->data + off);
	uint32_t type = le32toh(head->type), inst_sz = le32toh(head->inst_sz), len = le32toh(head->len), size, i;
	const struct record_head *rec;
	uint64_t at;
	int rc;

	rc = record_size(c, type, &size);
	if (rc)
		return rc;
	if (inst_sz != size)
		return err_set(c->err, -EPROTO, "its records take %u bytes, those of its type %u", inst_sz, size);
	if (len > count)
		return err_set(c->err, -EPROTO, "it tells of %u records, the metadata of %u", len, count);
	if (!claim(&c->values_left, sizeof(*head) + (uint64_t)len * inst_sz))
		return err_set(c->err, -EPROTO, "the record arrays take more bytes than a data element: some overlap");
	for (i = 0; i < len; i++) {
		at = off + sizeof(*head) + (uint64_t)i * inst_sz;
		rec = (const void *)(c->data + at);
		rc = record_check(c, at, c->data_sz - c->heap_sz, &size);
		if (!rc && le32toh(rec->type) != type)
			rc = err_set(c->err, -EPROTO, "it is of type %u, not %u", le32toh(rec->type), type);
		if (rc)
			return err_prefix(c->err, rc, "record %u: ", i);
	}
	return 0;
}

static int data_metric_check(struct data_check *c, uint32_t i)
{
	const struct metric_desc *d = desc_of(c->im.meta, i);
	struct value v;

	if (d->type != V_LIST && d->type != V_RECORD_ARRAY)
		return 0;
	v = image_value(&c->im, i);
	if (v.type == V_LIST)
		return list_check(c, (const void *)v.p, 1);
	if (v.type == V_RECORD_ARRAY)
		return record_array_check(c, le32toh(d->off), le32toh(d->count));
	return 0; /* unavailable: nobody will look */
}

static int data_links_check(struct data_check *c)
{
	uint32_t i;
	int rc;

	for (i = 0; i < image_card(c->im.meta); i++) {
		rc = data_metric_check(c, i);
		if (rc)
			return err_prefix(c->err, rc, "data: %s: ", desc_of(c->im.meta, i)->name_unit);
	}
	return 0;
}

bool image_is_linked(const struct set_meta *meta)
{
	for (uint32_t i = 0; i < image_card(meta); i++) {
		enum value_type t = desc_of(meta, i)->type;

		if (t == V_LIST || t == V_RECORD_ARRAY)
			return true;
	}
	return false;
}

int image_check_data(const struct set_meta *meta, const void *data, bool linked, struct err *err)
{
	uint32_t data_sz = le32toh(meta->data_sz), heap_sz = le32toh(meta->heap_sz);
	struct data_check c = {
		.im = { meta, data },
		.data = data,
		.heap = (const uint8_t *)data + data_sz - heap_sz,
		.data_sz = data_sz,
		.heap_sz = heap_sz,
		.heap_left = heap_sz,
		.values_left = data_sz - heap_sz - DATA_HDR_SZ,
		.err = err,
	};
	struct set_data h;
	int rc;

	memcpy(&h, data, sizeof(h));
	rc = data_header_check(&c, &h);
	if (rc)
		err_prefix(err, rc, "data: ");
	else if (linked)
		rc = data_links_check(&c);
	if (rc && le32toh(h.flags) == SET_TRANS_OPEN)
		return err_prefix(err, -EAGAIN, "the sample was being written: ");
	return rc;
}
