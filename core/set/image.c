/* image.c - see image.h
 *
 * Everything here trusts image_check.c, which walked the same bytes by the same rules.  What it leaves open is decided
 * in image_metric() and image_value(), each time: whether a metric's value lies inside its data element.
 */
#include "core/set/image.h"

#include <errno.h>

#include "core/set/layout.h"

/* -- names --------------------------------------------------------------------------------------------------------- */

/* Behind the dictionary: length byte, instance name, NUL; length byte, schema name, NUL, digest. */
static const uint8_t *names_of(const struct set_meta *m)
{
	return (const uint8_t *)m + META_HDR_SZ + 4 * (size_t)image_card(m);
}

static const uint8_t *schema_of(const struct set_meta *m)
{
	const uint8_t *instance = names_of(m);

	return instance + 1 + instance[0];
}

const char *image_instance(const struct set_meta *m)
{
	return (const char *)names_of(m) + 1;
}

const char *image_schema(const struct set_meta *m)
{
	return (const char *)schema_of(m) + 1;
}

const uint8_t *image_digest(const struct set_meta *m)
{
	const uint8_t *schema = schema_of(m);
	size_t name_sz = strlen(image_schema(m)) + 1;

	return schema[0] >= name_sz + DIGEST_LEN ? schema + 1 + name_sz : NULL;
}

/* -- metrics ------------------------------------------------------------------------------------------------------- */

static const struct metric_desc *member_of(const struct record_type *rt, uint32_t i)
{
	assert(i < le32toh(rt->card));
	return (const void *)((const uint8_t *)rt + le32toh(rt->dict[i]));
}

static struct metric metric_of(const struct metric_desc *d)
{
	size_t name_sz = strlen(d->name_unit) + 1;

	return (struct metric){
		.name = d->name_unit,
		.unit = name_sz < d->name_unit_len ? d->name_unit + name_sz : "",
		.has_unit = name_sz < d->name_unit_len,
		.type = d->type,
		.meta = d->flags & METRIC_META,
		.count = desc_count(d),
		.user_data = le64toh(d->user_data),
	};
}

struct metric image_metric(const struct set_meta *m, uint32_t i)
{
	const struct metric_desc *d = desc_of(m, i);
	struct metric metric = metric_of(d);

	if (!desc_available(d, le32toh(m->data_sz), le32toh(m->heap_sz)))
		metric.type = V_NONE;
	return metric;
}

int image_find(const struct set_meta *m, const char *name)
{
	uint32_t i;

	for (i = 0; i < image_card(m); i++)
		if (!strcmp(desc_of(m, i)->name_unit, name))
			return (int)i;
	return -ENOENT;
}

/* -- values -------------------------------------------------------------------------------------------------------- */

static struct value list_at(const uint8_t *p)
{
	const struct list_head *head = (const void *)p;

	return (struct value){ V_LIST, le32toh(head->len), p };
}

/* An array that was never filled in, or whose records do not all lie among the values, is unavailable. */
static struct value record_array_at(const struct image *im, uint32_t off)
{
	const uint8_t *p = (const uint8_t *)im->data + off;
	const struct record_array_head *head = (const void *)p;
	uint64_t records = (uint64_t)le32toh(head->len) * le32toh(head->inst_sz);
	uint32_t end = le32toh(im->meta->data_sz) - le32toh(im->meta->heap_sz);

	if (!head->inst_sz || !span_within(off + sizeof(*head), records, DATA_HDR_SZ, end))
		return (struct value){ .type = V_NONE };
	return (struct value){ V_RECORD_ARRAY, le32toh(head->len), p };
}

struct value image_value(const struct image *im, uint32_t i)
{
	const struct set_meta *m = im->meta;
	const struct metric_desc *d = desc_of(m, i);
	uint32_t off = le32toh(d->off);
	const uint8_t *p;

	if (!desc_available(d, le32toh(m->data_sz), le32toh(m->heap_sz)))
		return (struct value){ .type = V_NONE };
	p = (d->flags & METRIC_META ? (const uint8_t *)m : (const uint8_t *)im->data) + off;
	switch (d->type) {
	case V_LIST:
		return list_at(p);
	case V_RECORD_ARRAY:
		return record_array_at(im, off);
	default:
		return (struct value){ d->type, desc_count(d), p };
	}
}

/* -- lists --------------------------------------------------------------------------------------------------------- */

static const struct list_entry *entry_of(const struct image *im, struct list_it it)
{
	const uint8_t *heap = (const uint8_t *)im->data + le32toh(im->meta->data_sz) - le32toh(im->meta->heap_sz);

	assert(it.off);
	return (const void *)(heap + it.off);
}

uint32_t list_len(struct value list)
{
	assert(list.type == V_LIST);
	return list.count;
}

struct list_it list_first(struct value list)
{
	const struct list_head *head = (const void *)list.p;

	assert(list.type == V_LIST);
	return (struct list_it){ le32toh(head->first) };
}

struct list_it list_next(const struct image *im, struct list_it it)
{
	return (struct list_it){ le32toh(entry_of(im, it)->next) };
}

struct value list_value(const struct image *im, struct list_it it)
{
	const struct list_entry *e = entry_of(im, it);
	uint32_t type_count = le32toh(e->type_count);
	enum value_type type = type_count & 0xff;

	if (type == V_LIST)
		return list_at(e->value);
	return (struct value){ type, value_is_array(type) ? type_count >> 8 : 1, e->value };
}

/* -- records ------------------------------------------------------------------------------------------------------- */

uint32_t record_type_of(struct value rec)
{
	const struct record_head *head = (const void *)rec.p;

	assert(rec.type == V_RECORD_INST);
	return le32toh(head->type);
}

uint32_t record_card(const struct set_meta *m, uint32_t type)
{
	return le32toh(record_type_at(m, type)->card);
}

struct metric record_member(const struct set_meta *m, uint32_t type, uint32_t i)
{
	return metric_of(member_of(record_type_at(m, type), i));
}

struct value record_value(const struct image *im, struct value rec, uint32_t i)
{
	const struct metric_desc *d = member_of(record_type_at(im->meta, record_type_of(rec)), i);

	return (struct value){ d->type, desc_count(d), rec.p + le32toh(d->off) };
}

uint32_t record_array_len(struct value arr)
{
	assert(arr.type == V_RECORD_ARRAY);
	return arr.count;
}

uint32_t record_array_type(struct value arr)
{
	const struct record_array_head *head = (const void *)arr.p;

	assert(arr.type == V_RECORD_ARRAY);
	return le32toh(head->type);
}

struct value record_array_get(const struct image *im, struct value arr, uint32_t i)
{
	const struct record_array_head *head = (const void *)arr.p;

	assert(i < record_array_len(arr));
	return (struct value){ V_RECORD_INST, 1, head->records + (size_t)i * le32toh(head->inst_sz) };
}
