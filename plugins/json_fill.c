/* json_fill.c - the values of a JSON object into a set that was made for it: see json_shape.h */
#include <stdlib.h>
#include <string.h>

#include "plugins/fill.h"
#include "plugins/json_shape.h"

static void text_put(char *to, uint32_t count, const char *text, size_t len)
{
	if (len >= count)
		len = count - 1;
	memcpy(to, text, len);
	memset(to + len, 0, count - len);
}

/* What it looks like as JSON, for what has no type of its own. */
static void dump_put(char *to, uint32_t count, const json_t *value)
{
	char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);

	text_put(to, count, text ? text : "", text ? strlen(text) : 0);
	free(text);
}

static double real_of(const json_t *value)
{
	return json_is_boolean(value) ? json_is_true(value) : json_number_value(value);
}

static uint64_t int_of(const json_t *value)
{
	return json_is_boolean(value) ? json_is_true(value) : (uint64_t)json_integer_value(value);
}

/* One value of a scalar type, or of a text. */
static void value_put(void *to, enum value_type t, uint32_t count, const json_t *value)
{
	if (t == V_CHAR_ARRAY && json_is_string(value))
		text_put(to, count, json_string_value(value), json_string_length(value));
	else if (t == V_CHAR_ARRAY)
		dump_put(to, count, value);
	else if (value_elem_type(t) == V_S64)
		fill_ints(to, t, 1, int_of(value), 0);
	else
		fill_reals(to, t, 1, real_of(value), 0);
}

static void member_put(void *to, const struct json_attr *m, const json_t *value)
{
	size_t size = value_elem_size(m->type);
	bool array = value_is_array(m->type) && m->type != V_CHAR_ARRAY;

	if (!array) {
		value_put(to, m->type, m->count, value);
		return;
	}
	memset(to, 0, size * m->count);
	for (uint32_t i = 0; i < m->count && i < json_array_size(value); i++)
		value_put((char *)to + i * size, value_elem_type(m->type), 1, json_array_get(value, i));
}

static void record_put(struct set *set, struct record *r, const struct json_attr *a, const json_t *object)
{
	for (size_t i = 0; i < a->n_members; i++) {
		const json_t *value = json_object_get(object, a->members[i].name);

		if (value && !json_is_null(value))
			member_put(record_slot(set, r, (int)i), &a->members[i], value);
	}
}

static void list_put(struct set *set, const struct json_attr *a, const json_t *array)
{
	list_clear(set, a->metric);
	for (size_t i = 0; i < json_array_size(array); i++) {
		const json_t *value = json_array_get(array, i);

		if (a->form == JSON_RECORDS_) {
			struct record *r = list_append_record(set, a->metric, a->record);

			if (r)
				record_put(set, r, a, value);
		} else {
			void *to = list_append(set, a->metric, a->type, a->count);

			if (to)
				value_put(to, a->type, a->count, value);
		}
	}
}

void json_shape_fill(const struct json_shape *sh, struct set *set, const json_t *object)
{
	for (size_t i = 0; i < sh->n; i++) {
		const struct json_attr *a = &sh->v[i];
		const json_t *value = json_object_get(object, a->name);

		if (!value || json_is_null(value) || a->form == JSON_NOTHING_)
			continue;
		if (a->form == JSON_VALUE_ && json_is_array(value))
			continue; /* an empty one, which is nothing */
		if (a->form == JSON_VALUE_)
			value_put(set_slot(set, a->metric), a->type, a->count, value);
		else if (a->form == JSON_RECORD_)
			record_put(set, record_array_slot(set, a->metric, 0), a, value);
		else
			list_put(set, a, value);
	}
}
