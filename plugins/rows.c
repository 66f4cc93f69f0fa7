/* rows.c - see rows.h */
#include "plugins/rows.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "core/base/xalloc.h"

static void *entry_append(struct rows *rows)
{
	struct record *r;

	if (rows->record == ROWS_U64)
		return list_append(rows->set, rows->list, V_U64, 1);
	r = list_append_record(rows->set, rows->list, rows->record);
	return r ? record_slot(rows->set, r, 0) : NULL;
}

void *rows_grow(struct rows *rows, size_t i)
{
	void *slot;

	assert(i == rows->n);
	slot = entry_append(rows);
	if (!slot)
		return NULL;
	if (i == rows->cap) {
		rows->cap = rows->cap ? 2 * rows->cap : 8;
		rows->slots = xrealloc(rows->slots, rows->cap * sizeof(*rows->slots));
	}
	rows->slots[rows->n++] = slot;
	return slot;
}

bool rows_cut(struct rows *rows, size_t n)
{
	if (n == rows->n)
		return false;
	list_clear(rows->set, rows->list);
	rows->n = 0;
	for (size_t i = 0; i < n; i++)
		rows_grow(rows, i); /* there was room for more */
	return true;
}

int rows_add(struct rows *rows, struct schema *s, const struct rows_type *type, size_t n, size_t min, struct err *err)
{
	size_t room = 2 * n > min ? 2 * n : min;

	rows->record = schema_add_record(s, type->record, type->members, type->n_members, err);
	if (rows->record < 0)
		return rows->record;
	rows->list =
		schema_add_list(s, type->list, type->unit, (uint32_t)schema_record_heap(s, rows->record, room), err);
	return rows->list < 0 ? rows->list : 0;
}

int rows_set_new(struct rows *rows, struct samp *sp, const char *schema, const char *suffix,
		 const struct rows_type *type, size_t n, size_t min, struct err *err)
{
	struct schema *s = samp_schema_new(sp, schema, err);
	int rc = s ? rows_add(rows, s, type, n, min, err) : -EINVAL;

	if (rc) {
		schema_free(s);
		return rc;
	}
	rows->set = samp_set_new(sp, s, suffix, err);
	return rows->set ? 0 : -ENOMEM;
}

void rows_fini(struct rows *rows)
{
	free(rows->slots);
	*rows = (struct rows){ 0 };
}
