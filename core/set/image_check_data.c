/* image_check_data.c - does a data element from a peer hold together, under metadata that do?  The rules: image_check.c. */
#include <errno.h>

#include "core/set/image_check.h"
#include "core/set/layout.h"

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

/* The value of the entry at `off` of the heap; the entry itself was found to lie inside. */
static int list_check(struct data_check *c, const struct list_head *head, unsigned int depth);

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
	if (!image_claim(&c->heap_left, sizeof(*e) + size))
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
	if (!image_claim(&c->values_left, sizeof(*head) + (uint64_t)len * inst_sz))
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
