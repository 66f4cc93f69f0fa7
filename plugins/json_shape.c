/* json_shape.c - see json_shape.h; writing values: json_fill.c */
#include "plugins/json_shape.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/xalloc.h"

#define LIST_MAX   1000000 /* entries that NAME_max_len may ask for */
#define ROOM_TIMES 2       /* a list that is made has room for so many times its entries */

static void attr_fini(struct json_attr *a)
{
	for (size_t i = 0; i < a->n_members; i++)
		attr_fini(&a->members[i]);
	free(a->members);
	free(a->name);
}

static void attrs_free(struct json_attr *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		attr_fini(&v[i]);
	free(v);
}

void json_shape_fini(struct json_shape *sh)
{
	attrs_free(sh->v, sh->n);
	*sh = (struct json_shape){ 0 };
}

static struct json_attr *attr_find(struct json_attr *v, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(v[i].name, name))
			return &v[i];
	return NULL;
}

/* The type of one value; V_NONE for what is none. */
static enum value_type type_of(const json_t *value)
{
	switch (json_typeof(value)) {
	case JSON_INTEGER:
		return V_S64;
	case JSON_REAL:
		return V_D64;
	case JSON_TRUE:
	case JSON_FALSE:
		return V_S8;
	case JSON_STRING:
		return V_CHAR_ARRAY;
	default:
		return V_NONE;
	}
}

/* What holds both; V_NONE: nothing does. */
static enum value_type type_both(enum value_type a, enum value_type b)
{
	if (a == b)
		return a;
	return (a == V_S64 || a == V_D64) && (b == V_S64 || b == V_D64) ? V_D64 : V_NONE;
}

/* The type of all values of an array; V_NONE when they have no common one. */
static enum value_type type_of_all(const json_t *array)
{
	enum value_type t = type_of(json_array_get(array, 0));

	for (size_t i = 1; t != V_NONE && i < json_array_size(array); i++)
		t = type_both(t, type_of(json_array_get(array, i)));
	return t;
}

/* Room for the texts of an array, in steps: they may be longer the next time. */
static uint32_t text_room(const json_t *array)
{
	size_t most = 0;

	for (size_t i = 0; i < json_array_size(array); i++)
		if (json_string_length(json_array_get(array, i)) > most)
			most = json_string_length(json_array_get(array, i));
	for (uint32_t room = 32; room < JSON_TEXT_SIZE; room *= 2)
		if (most < room)
			return room;
	return JSON_TEXT_SIZE;
}

/* -- records ------------------------------------------------------------------------------------------------------- */

static enum value_type array_type(enum value_type elem)
{
	return elem == V_S64 ? V_S64_ARRAY : elem == V_D64 ? V_D64_ARRAY : V_S8_ARRAY;
}

/* A member as that value wants it; false: it wants none. */
static bool member_of(const json_t *value, struct json_attr *ret)
{
	enum value_type t = json_is_array(value) && json_array_size(value) ? type_of_all(value) : V_NONE;

	*ret = (struct json_attr){ .form = JSON_VALUE_, .type = type_of(value), .count = 1 };
	if (json_is_null(value) || (json_is_array(value) && !json_array_size(value)))
		return false;
	if (t != V_NONE && t != V_CHAR_ARRAY && json_array_size(value) <= SCHEMA_ARRAY_MAX) {
		ret->type = array_type(t);
		ret->count = (uint32_t)json_array_size(value);
	} else if (ret->type == V_NONE || ret->type == V_CHAR_ARRAY) { /* a text, or one that tells of it */
		ret->type = V_CHAR_ARRAY;
		ret->count = JSON_TEXT_SIZE;
	}
	return true;
}

static bool is_number(enum value_type t)
{
	return t == V_S64 || t == V_D64 || t == V_S64_ARRAY || t == V_D64_ARRAY;
}

/* Make `a` what holds `b`, too.  Does it change? */
static bool member_widen(struct json_attr *a, const struct json_attr *b)
{
	struct json_attr was = *a;

	if (a->type == b->type && a->count >= b->count)
		return false;
	if (a->type == b->type) {
		a->count = b->count;
	} else if (is_number(a->type) && is_number(b->type) && value_is_array(a->type) == value_is_array(b->type)) {
		a->type = value_is_array(a->type) ? V_D64_ARRAY : V_D64;
		a->count = a->count > b->count ? a->count : b->count;
	} else { /* a text can say everything */
		a->type = V_CHAR_ARRAY;
		a->count = JSON_TEXT_SIZE;
	}
	return a->type != was.type || a->count != was.count;
}

static bool members_learn(struct json_attr *a, const json_t *object)
{
	bool changed = false;
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)object, key, value)
	{
		struct json_attr m, *have = attr_find(a->members, a->n_members, key);

		if (!member_of(value, &m))
			continue;
		if (have) {
			changed |= member_widen(have, &m);
			continue;
		}
		m.name = xstrdup(key);
		a->members = xrealloc(a->members, (a->n_members + 1) * sizeof(*a->members));
		a->members[a->n_members++] = m;
		changed = true;
	}
	return changed;
}

/* -- attributes ---------------------------------------------------------------------------------------------------- */

static uint32_t list_room(const json_t *array, const json_t *max)
{
	size_t n = json_array_size(array) * ROOM_TIMES;
	json_int_t want = json_is_integer(max) ? json_integer_value(max) : 0;

	if (want > LIST_MAX)
		want = LIST_MAX;
	return (uint32_t)(want > 0 && (size_t)want > n ? (size_t)want : n);
}

static int array_learn(struct json_attr *a, const char *name, const json_t *array, const json_t *max, bool *changed,
		       struct err *err)
{
	struct json_attr was = *a;
	bool objects = json_is_object(json_array_get(array, 0));
	enum value_type t = objects ? V_RECORD_INST : type_of_all(array);
	uint32_t count = t == V_CHAR_ARRAY ? text_room(array) : 1;

	for (size_t i = 0; objects && i < json_array_size(array); i++)
		if (!json_is_object(json_array_get(array, i)))
			t = V_NONE;
	if (t == V_NONE)
		return err_set(err, -EINVAL,
			       "'%s': its entries are not of one kind, or lists themselves; no set can hold that",
			       name);
	if (json_array_size(array) > LIST_MAX)
		return err_set(err, -EINVAL, "'%s': %zu entries; at most %d fit", name, json_array_size(array),
			       LIST_MAX);
	if (!objects && a->form == JSON_LIST_ && type_both(a->type, t) != V_NONE)
		t = type_both(a->type, t);
	a->form = objects ? JSON_RECORDS_ : JSON_LIST_;
	a->type = t;
	a->count = a->type == was.type && was.count > count ? was.count : count;
	if (a->room < json_array_size(array))
		a->room = list_room(array, max);
	for (size_t i = 0; objects && i < json_array_size(array); i++)
		*changed |= members_learn(a, json_array_get(array, i));
	*changed |= a->form != was.form || a->type != was.type || a->count != was.count || a->room != was.room;
	return 0;
}

static void value_learn(struct json_attr *a, const json_t *value, bool *changed)
{
	struct json_attr was = *a;

	a->type = type_of(value);
	if (was.form == JSON_VALUE_ && type_both(was.type, a->type) != V_NONE)
		a->type = type_both(was.type, a->type);
	a->form = JSON_VALUE_;
	a->count = a->type == V_CHAR_ARRAY ? JSON_TEXT_SIZE : 1;
	*changed |= a->form != was.form || a->type != was.type;
}

static int attr_learn(struct json_attr *a, const char *name, const json_t *value, const json_t *max, bool *changed,
		      struct err *err)
{
	enum json_form was;

	if (json_is_array(value))
		return array_learn(a, name, value, max, changed, err);
	if (!json_is_object(value)) {
		value_learn(a, value, changed);
		return 0;
	}
	*changed |= members_learn(a, value);
	was = a->form;
	a->form = a->n_members ? JSON_RECORD_ : JSON_NOTHING_; /* LDMS has no record without members */
	*changed |= a->form != was;
	return 0;
}

static struct json_attr *attrs_copy(const struct json_attr *v, size_t n, size_t more)
{
	struct json_attr *copy = xcalloc(n + more + 1, sizeof(*copy));

	for (size_t i = 0; i < n; i++) {
		copy[i] = v[i];
		copy[i].name = xstrdup(v[i].name);
		copy[i].members = attrs_copy(v[i].members, v[i].n_members, 0);
	}
	return copy;
}

static const json_t *max_len_of(const json_t *object, const char *name)
{
	char *key = xasprintf("%s_max_len", name);
	const json_t *value = json_object_get(object, key);

	free(key);
	return value;
}

int json_shape_learn(const struct json_shape *old, const json_t *object, struct json_shape *ret, struct err *err)
{
	struct json_attr *v = attrs_copy(old->v, old->n, json_object_size(object));
	size_t n = old->n;
	bool changed = false;
	const char *key;
	json_t *value;
	int rc = 0;

	json_object_foreach((json_t *)object, key, value)
	{
		struct json_attr *a = attr_find(v, n, key);

		if (json_is_null(value) || (json_is_array(value) && !json_array_size(value)))
			continue;
		if (!a) {
			a = &v[n++];
			a->name = xstrdup(key);
		}
		rc = attr_learn(a, key, value, max_len_of(object, key), &changed, err);
		if (rc)
			break;
	}
	if (rc || !changed)
		attrs_free(v, n);
	else
		*ret = (struct json_shape){ v, n };
	return rc ? rc : changed;
}

/* -- the schema ---------------------------------------------------------------------------------------------------- */

static int record_build(struct json_attr *a, struct schema *s, struct err *err)
{
	struct metric_def *defs = xcalloc(a->n_members + 1, sizeof(*defs));
	char *name = xasprintf("%s_record", a->name);

	for (size_t i = 0; i < a->n_members; i++)
		defs[i] = (struct metric_def){
			.name = a->members[i].name, .type = a->members[i].type, .unit = "", .count = a->members[i].count
		};
	a->record = schema_add_record(s, name, defs, a->n_members, err);
	free(name);
	free(defs);
	return a->record < 0 ? a->record : 0;
}

static size_t list_heap(const struct json_attr *a, const struct schema *s)
{
	return a->form == JSON_RECORDS_ ? schema_record_heap(s, a->record, a->room)
					: schema_list_heap(a->type, a->count, a->room);
}

/* `heap`: what is still to be given out; the last list takes it all. */
static int list_build(struct json_attr *a, struct schema *s, bool last, uint64_t *heap, struct err *err)
{
	size_t want = list_heap(a, s);

	if (last && want < *heap)
		want = *heap;
	if (want > SET_DATA_MAX)
		return err_set(err, -E2BIG, "'%s': its entries take %zu bytes; at most %u fit", a->name, want,
			       SET_DATA_MAX);
	*heap -= want < *heap ? want : *heap;
	return schema_add_list(s, a->name, "", (uint32_t)want, err);
}

static bool is_list(const struct json_attr *a)
{
	return a->form == JSON_LIST_ || a->form == JSON_RECORDS_;
}

static int attr_build(struct json_attr *a, struct schema *s, bool last, uint64_t *heap, struct err *err)
{
	int rc = 0;

	if (a->form == JSON_RECORD_ || a->form == JSON_RECORDS_)
		rc = record_build(a, s, err);
	if (rc)
		return rc;
	if (is_list(a))
		return list_build(a, s, last, heap, err);
	if (a->form == JSON_RECORD_)
		return schema_add_record_array(s, a->name, a->record, 1, "", err);
	return value_is_array(a->type) ? schema_add_array(s, a->name, a->type, a->count, "", err)
				       : schema_add(s, a->name, a->type, "", err);
}

static bool is_schema(const struct json_attr *a)
{
	return !strcmp(a->name, "schema");
}

int json_shape_build(struct json_shape *sh, struct schema *s, uint64_t heap, struct err *err)
{
	size_t lists = 0;

	for (size_t i = 0; i < sh->n; i++)
		lists += is_list(&sh->v[i]);
	for (size_t k = 0; k < 2 * sh->n; k++) {
		struct json_attr *a = &sh->v[k % sh->n];

		if (a->form == JSON_NOTHING_ || is_schema(a) != (k >= sh->n))
			continue;
		a->metric = attr_build(a, s, is_list(a) && !--lists, &heap, err);
		if (a->metric < 0)
			return a->metric;
	}
	return 0;
}
