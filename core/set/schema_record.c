/* schema_record.c - records in a schema, arrays of them, and the room that entries of lists take in the heap. */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "core/base/xalloc.h"
#include "core/set/layout.h"
#include "core/set/schema_impl.h"

#define HEAP_CHUNK 64 /* ldmsd's heap gives out multiples of this */

static int member_check(const struct schema *s, const struct schema_metric *rec, const struct metric_def *def,
			uint32_t count, struct err *err)
{
	int rc = schema_metric_name_check(s, def->name, def->unit, err);

	if (!rc)
		rc = schema_plain_check(s, def->name, def->type, count, err);
	if (rc)
		return rc;
	for (uint32_t i = 0; i < rec->member_n; i++)
		if (!strcmp(rec->members[i]->name, def->name))
			return err_set(err, -EEXIST,
				       "schema %s: record %s: member %s is there already; names are unique", s->name,
				       rec->name, def->name);
	if (rec->inst_sz + value_size(def->type, count) > SET_DATA_MAX)
		return err_set(err, -E2BIG,
			       "schema %s: record %s: with member %s a record has more than %u bytes; split it",
			       s->name, rec->name, def->name, SET_DATA_MAX);
	return 0;
}

int schema_add_record(struct schema *s, const char *name, const struct metric_def *members, size_t n, struct err *err)
{
	int rc = schema_metric_name_check(s, name, NULL, err);
	struct schema_metric *rec;

	if (rc)
		return rc;
	if (n == 0 || n > SCHEMA_CARD_MAX)
		return err_set(err, n ? -E2BIG : -EINVAL, "schema %s: record %s: %zu members; give from 1 to %d",
			       s->name, name, n, SCHEMA_CARD_MAX);
	rec = schema_metric_new(name, V_RECORD_TYPE, METRIC_META | METRIC_RECORD, 0, NULL);
	rec->members = xcalloc(n, sizeof(struct schema_metric *));
	rec->inst_sz = sizeof(struct record_head);
	for (size_t i = 0; i < n; i++) {
		const struct metric_def *def = &members[i];
		uint32_t count = def->count ? def->count : 1;

		rc = member_check(s, rec, def, count, err);
		if (rc) {
			schema_metric_free(rec);
			return rc;
		}
		rec->members[rec->member_n] =
			schema_metric_new(def->name, def->type, METRIC_DATA | METRIC_RECORD, count, def->unit);
		schema_metric_about_set(rec->members[rec->member_n++], def->kind, def->help);
		rec->inst_sz += (uint32_t)value_size(def->type, count);
	}
	return schema_take(s, rec, err);
}

bool schema_is_record(const struct schema *s, int i)
{
	return i >= 0 && (uint32_t)i < s->card && s->metrics[i]->type == V_RECORD_TYPE;
}

int schema_add_record_array(struct schema *s, const char *name, int record, uint32_t n, const char *unit,
			    struct err *err)
{
	int rc = schema_metric_name_check(s, name, unit, err);
	struct schema_metric *m;

	if (rc)
		return rc;
	if (!schema_is_record(s, record))
		return err_set(err, -EINVAL, "schema %s: record array %s: metric %d is no record type; add that first",
			       s->name, name, record);
	if (n == 0 || n > SCHEMA_ARRAY_MAX)
		return err_set(err, n ? -E2BIG : -EINVAL, "schema %s: record array %s: %u records; give from 1 to %u",
			       s->name, name, n, SCHEMA_ARRAY_MAX);
	m = schema_metric_new(name, V_RECORD_ARRAY, METRIC_DATA, n, unit);
	m->record = record;
	return schema_take(s, m, err);
}

/* ldmsd's heap takes a multiple of 64 for each entry and a count of 4 bytes in front.  Ours packs them closer and takes
 * 8 bytes of the list's share for itself (list.c), which the room between leaves, unless entries fill their chunks. */
static size_t entries_heap(size_t value_sz, size_t n)
{
	size_t entry = sizeof(struct list_entry) + value_sz + sizeof(uint32_t);
	size_t chunk = (entry + HEAP_CHUNK - 1) / HEAP_CHUNK * HEAP_CHUNK;

	return n * chunk + (n && chunk == entry ? HEAP_SIGNATURE_SZ : 0);
}

size_t schema_list_heap(enum value_type t, uint32_t count, size_t n)
{
	return entries_heap(value_size(t, count), n);
}

size_t schema_record_heap(const struct schema *s, int record, size_t n)
{
	assert(schema_is_record(s, record));
	return entries_heap(s->metrics[record]->inst_sz, n);
}
