/* set_new.c - laying out the image of a local set (image.h draws it). */
#include <errno.h>
#include <stdlib.h>

#include "core/set/about.h"
#include "core/set/schema_impl.h"
#include "core/set/set_impl.h"

#define META_HDR_COUNTED 144 /* what ldmsd counts for the header; the dictionary stands at META_HDR_SZ all the same */
#define HEAP_UNIT        512 /* a heap's size is a multiple */
#define SCHEMA_NAME_ROOM (DIGEST_LEN + 2) /* NUL, digest, one spare */

static const uint8_t image_version[4] = { 4, 2, 0, 0 };
enum { IMAGE_LITTLE_ENDIAN = 2 };

struct sizes {
	size_t meta, data, heap;
};

static struct sizes sizes_of(const struct schema *s, const char *instance)
{
	struct sizes sz = {
		.meta = VALUE_ROUND(META_HDR_COUNTED + s->meta_sz + strlen(s->name) + SCHEMA_NAME_ROOM +
				    strlen(instance) + 2),
		.heap = (s->heap_sz + HEAP_UNIT - 1) / HEAP_UNIT * HEAP_UNIT,
	};

	sz.data = DATA_HDR_SZ + s->value_sz + sz.heap;
	return sz;
}

static int sizes_check(const struct schema *s, const char *instance, const struct sizes *sz, struct err *err)
{
	if (sz->meta <= SET_META_MAX && sz->data <= SET_DATA_MAX / s->array_card)
		return 0;
	return err_set(err, -E2BIG,
		       "set %s: %zu bytes of metadata and %u times %zu bytes of data; at most %u and %u fit; make the "
		       "schema %s or its ring smaller",
		       instance, sz->meta, s->array_card, sz->data, SET_META_MAX, SET_DATA_MAX, s->name);
}

/* -- metadata ------------------------------------------------------------------------------------------------------ */

static size_t put_desc(uint8_t *at, const struct schema_metric *m, size_t off)
{
	struct metric_desc *d = (struct metric_desc *)at;

	d->off = htole32((uint32_t)off);
	d->count = htole32(m->count);
	d->type = (uint8_t)m->type;
	d->flags = m->flags;
	d->name_unit_len = (uint8_t)(strlen(m->name) + 1 + (m->unit ? strlen(m->unit) + 1 : 0));
	memcpy(d->name_unit, m->name, d->name_unit_len); /* the unit is behind the name there as here */
	return schema_desc_sz(m);
}

static void put_record_type(uint8_t *at, const struct schema_metric *m)
{
	struct record_type *rt = (struct record_type *)at;
	size_t desc = sizeof(*rt) + m->member_n * sizeof(rt->dict[0]), off = sizeof(struct record_head);

	rt->flags = htole32(RECORD_TYPE_FLAGS);
	rt->card = htole32(m->member_n);
	rt->inst_sz = htole32(m->inst_sz);
	for (uint32_t i = 0; i < m->member_n; i++) {
		rt->dict[i] = htole32((uint32_t)desc);
		desc += put_desc(at + desc, m->members[i], off);
		off += value_size(m->members[i]->type, m->members[i]->count);
	}
}

static uint8_t *put_name(uint8_t *at, const char *name, size_t room)
{
	*at++ = (uint8_t)(strlen(name) + room);
	memcpy(at, name, strlen(name));
	return at + strlen(name) + room;
}

/* Behind the dictionary; returns where the first descriptor goes. */
static size_t put_names(struct set *s, const struct schema *schema, const char *instance)
{
	uint8_t *at = (uint8_t *)set_meta_of(s)->dict + schema->card * sizeof(uint32_t);

	s->name = (const char *)at + 1;
	at = put_name(at, instance, 1);
	schema_digest(schema, at + 1 + strlen(schema->name) + 1);
	at = put_name(at, schema->name, SCHEMA_NAME_ROOM);
	return VALUE_ROUND((size_t)(at - s->image));
}

static void put_meta(struct set *s, const struct schema *schema, const char *instance)
{
	struct set_meta *meta = set_meta_of(s);
	size_t desc = put_names(s, schema, instance), meta_off = desc, data_off = DATA_HDR_SZ;

	for (uint32_t i = 0; i < schema->card; i++)
		meta_off += schema_desc_sz(schema->metrics[i]);
	for (uint32_t i = 0; i < schema->card; i++) {
		const struct schema_metric *m = schema->metrics[i];
		size_t *off = m->flags & METRIC_META ? &meta_off : &data_off;

		meta->dict[i] = htole32((uint32_t)desc);
		desc += put_desc(s->image + desc, m, *off);
		if (m->type == V_RECORD_TYPE)
			put_record_type(s->image + *off, m);
		*off += schema_value_sz(schema, m);
	}
	assert(meta_off <= s->meta_sz && data_off == set_heap_off(s));
}

/* -- data ---------------------------------------------------------------------------------------------------------- */

static void put_record_array(struct set *s, uint32_t i, const struct schema *schema)
{
	const struct schema_metric *m = schema->metrics[i];
	struct record_array_head *arr = (struct record_array_head *)set_work(s, (int)i);
	uint32_t inst_sz = schema->metrics[m->record]->inst_sz;

	arr->inst_sz = htole32(inst_sz);
	arr->type = htole32((uint32_t)m->record);
	arr->len = htole32(m->count);
	for (uint32_t k = 0; k < m->count; k++)
		record_init(s, (struct record_head *)(arr->records + (size_t)k * inst_sz), (uint32_t)m->record);
}

/* The lists share the heap in their order; the last one has what rounding left. */
static void put_arenas(struct set *s, const struct schema *schema)
{
	struct writer *w = set_writer(s);
	uint32_t start = 0;

	for (uint32_t i = 0; i < schema->card; i++) {
		if (schema->metrics[i]->type != V_LIST)
			continue;
		w->arenas[w->list_n++] = (struct arena){
			.metric = i,
			.start = start,
			.end = start + (uint32_t)schema_arena_sz(schema->metrics[i]),
			.high = start,
		};
		start = w->arenas[w->list_n - 1].end;
	}
	if (!w->list_n)
		return;
	w->arenas[w->list_n - 1].end = (uint32_t)set_heap_sz(s);
	s->heap_used = HEAP_SIGNATURE_SZ;
	list_resume(s);
}

static int put_data(struct set *s, const struct schema *schema, struct err *err)
{
	uint32_t lists = 0;

	for (uint32_t i = 0; i < schema->card; i++)
		lists += schema->metrics[i]->type == V_LIST;
	s->work = calloc(1, s->data_sz + sizeof(struct writer) + lists * sizeof(struct arena));
	if (!s->work)
		return err_set(err, -ENOMEM, "set %s: the system is out of memory", s->name);
	for (uint32_t i = 0; i < schema->card; i++)
		if (schema->metrics[i]->type == V_RECORD_ARRAY)
			put_record_array(s, i, schema);
	for (uint32_t k = 0; k < s->array_card; k++) {
		memcpy(set_elem(s, k) + DATA_HDR_SZ, (uint8_t *)s->work + DATA_HDR_SZ, set_heap_off(s) - DATA_HDR_SZ);
		set_data_init(s, (struct set_data *)set_elem(s, k), k, 1);
	}
	set_data_init(s, s->work, s->array_card - 1, 1);
	put_arenas(s, schema);
	return 0;
}

int set_new(struct pool *pool, const struct schema *schema, const char *instance, const char *producer, uint32_t uid,
	    uint32_t gid, uint32_t perm, struct set **ret, struct err *err)
{
	const struct sizes sz = sizes_of(schema, instance);
	struct set_meta *m;
	struct set *s;
	int rc;

	rc = schema_name_check("set", instance, SET_NAME_MAX, err);
	if (!rc)
		rc = sizes_check(schema, instance, &sz, err);
	if (rc)
		return rc;
	s = set_alloc(pool, instance, sz.meta, sz.data, schema->array_card, err);
	if (!s)
		return -ENOMEM;
	s->local = true;
	m = set_meta_of(s);
	memcpy(m->producer, producer, strnlen(producer, SET_PRODUCER_MAX));
	m->meta_gn = htole64(1);
	memcpy(m->version, image_version, sizeof(m->version));
	m->flags = IMAGE_LITTLE_ENDIAN;
	m->card = htole32(schema->card);
	m->meta_sz = htole32(s->meta_sz);
	m->data_sz = htole32(s->data_sz);
	m->uid = htole32(uid);
	m->gid = htole32(gid);
	m->perm = htole32(perm & SET_PERM_BITS);
	m->array_card = htole32(s->array_card);
	m->heap_sz = htole32((uint32_t)sz.heap);
	put_meta(s, schema, instance);
	rc = put_data(s, schema, err);
	if (rc) {
		set_put(s);
		return rc;
	}
	s->about = about_new(schema);
	*ret = s;
	return 0;
}
