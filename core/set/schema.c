/* schema.c - see schema.h
 *
 * Sizes are counted as ldmsd counts them (man ldms-wire, "sizes"), so that a set of ours has the sizes of its set: its
 * sum for the metadata is a little more than what is laid out there.
 */
#include "core/set/schema.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "core/base/xalloc.h"
#include "core/set/image.h"
#include "core/set/layout.h"
#include "core/set/schema_impl.h"

#define HEAP_DEFAULT  512 /* for a list whose maker gave no size */
#define NAME_UNIT_MAX 255 /* name, NUL, unit, NUL: what a descriptor's length byte can say */

/* -- names --------------------------------------------------------------------------------------------------------- */

/* They stand unescaped in the JSON of a directory. */
int schema_name_check(const char *what, const char *name, size_t max, struct err *err)
{
	size_t len = strlen(name);

	if (!len)
		return err_set(err, -EINVAL, "%s: the name is empty; give one", what);
	if (len > max)
		return err_set(err, -EINVAL, "%s %.32s...: the name has %zu bytes, at most %zu fit; shorten it", what,
			       name, len, max);
	for (const unsigned char *p = (const unsigned char *)name; *p; p++)
		if (*p < ' ' || *p > '~' || strchr("\"'\\", *p))
			return err_set(err, -EINVAL,
				       "%s %s: byte %zu of the name is 0x%02x; use printable ASCII without quotes and "
				       "backslashes",
				       what, name, (size_t)(p - (const unsigned char *)name), *p);
	return 0;
}

static bool has_control(const char *text)
{
	for (const unsigned char *p = (const unsigned char *)text; *p; p++)
		if (*p < ' ' || *p == 0x7f)
			return true;
	return false;
}

int schema_metric_name_check(const struct schema *s, const char *name, const char *unit, struct err *err)
{
	size_t len = strlen(name), unit_sz = unit ? strlen(unit) + 1 : 0;

	if (!len)
		return err_set(err, -EINVAL, "schema %s: a metric's name is empty; give one", s->name);
	if (len > METRIC_NAME_MAX || len + 1 + unit_sz > NAME_UNIT_MAX)
		return err_set(err, -EINVAL,
			       "schema %s: metric %.32s...: name and unit have %zu bytes, at most %d fit; shorten them",
			       s->name, name, len + (unit ? unit_sz - 1 : 0), METRIC_NAME_MAX);
	if (has_control(name) || (unit && has_control(unit)))
		return err_set(err, -EINVAL, "schema %s: metric %s: a control character in the %s; leave it out",
			       s->name, name, has_control(name) ? "name" : "unit");
	return 0;
}

/* -- one metric ---------------------------------------------------------------------------------------------------- */

void schema_metric_about_set(struct schema_metric *m, enum metric_kind kind, const char *help)
{
	m->kind = kind;
	m->help = help;
}

struct schema_metric *schema_metric_new(const char *name, enum value_type t, uint8_t flags, uint32_t count,
					const char *unit)
{
	size_t name_sz = strlen(name) + 1, unit_sz = unit ? strlen(unit) + 1 : 0;
	struct schema_metric *m = xcalloc(1, sizeof(*m) + name_sz + unit_sz);

	m->type = t;
	m->flags = flags;
	m->count = count;
	memcpy(m->name, name, name_sz);
	if (unit)
		m->unit = memcpy(m->name + name_sz, unit, unit_sz);
	return m;
}

void schema_metric_free(struct schema_metric *m)
{
	if (!m)
		return;
	for (uint32_t i = 0; i < m->member_n; i++)
		schema_metric_free(m->members[i]);
	free(m->members);
	free(m);
}

/* Type and count of what holds numbers or text: scalars and arrays. */
int schema_plain_check(const struct schema *s, const char *name, enum value_type t, uint32_t count, struct err *err)
{
	if (!value_elem_size(t))
		return err_set(err, -EINVAL, "schema %s: metric %s: type %s (%d) is not a scalar or an array", s->name,
			       name, value_type_name(t), (int)t);
	if (!value_is_array(t) && count != 1)
		return err_set(err, -EINVAL,
			       "schema %s: metric %s: %u elements of type %s, which is no array; use an array type",
			       s->name, name, count, value_type_name(t));
	if (!count)
		return err_set(err, -EINVAL, "schema %s: metric %s: an array of no elements; give at least 1", s->name,
			       name);
	if (count > SCHEMA_ARRAY_MAX)
		return err_set(err, -E2BIG, "schema %s: metric %s: %u elements, at most %u fit; split it", s->name,
			       name, count, SCHEMA_ARRAY_MAX);
	return 0;
}

size_t schema_desc_sz(const struct schema_metric *m)
{
	/* one byte more than the fields have */
	return VALUE_ROUND(offsetof(struct metric_desc, name_unit) + 1 + strlen(m->name) + 1 +
			   (m->unit ? strlen(m->unit) + 1 : 0));
}

static size_t record_type_sz(const struct schema_metric *m)
{
	size_t sz = sizeof(struct record_type);

	for (uint32_t i = 0; i < m->member_n; i++)
		sz += sizeof(uint32_t) + schema_desc_sz(m->members[i]);
	return VALUE_ROUND(sz);
}

size_t schema_value_sz(const struct schema *s, const struct schema_metric *m)
{
	switch (m->type) {
	case V_LIST:
		return VALUE_ROUND(sizeof(struct list_head));
	case V_RECORD_TYPE:
		return record_type_sz(m);
	case V_RECORD_ARRAY:
		return VALUE_ROUND(sizeof(struct record_array_head) +
				   (size_t)m->count * s->metrics[m->record]->inst_sz);
	default:
		return value_size(m->type, m->count);
	}
}

/* What a metric adds to the metadata by ldmsd's count, which takes a record type's table of members twice. */
static size_t meta_share(const struct schema *s, const struct schema_metric *m)
{
	size_t sz = schema_desc_sz(m) + sizeof(uint32_t);

	if (m->type == V_RECORD_TYPE) {
		sz += sizeof(struct record_type);
		for (uint32_t i = 0; i < m->member_n; i++)
			sz += 2 * (schema_desc_sz(m->members[i]) + sizeof(uint32_t));
	} else if (m->flags & METRIC_META) {
		sz += schema_value_sz(s, m);
	}
	return sz;
}

size_t schema_arena_sz(const struct schema_metric *list)
{
	return list->count ? VALUE_ROUND((size_t)list->count) : HEAP_DEFAULT;
}

/* -- the schema ---------------------------------------------------------------------------------------------------- */

struct schema *schema_new(const char *name, struct err *err)
{
	struct schema *s;

	if (schema_name_check("schema", name, SCHEMA_NAME_MAX, err))
		return NULL;
	s = xcalloc(1, sizeof(*s));
	s->name = xstrdup(name);
	s->array_card = 1;
	return s;
}

/* Forget the metrics from index `card` on. */
static void schema_cut(struct schema *s, uint32_t card)
{
	while (s->card > card) {
		struct schema_metric *m = s->metrics[--s->card];

		s->meta_sz -= meta_share(s, m);
		if (m->flags & METRIC_DATA)
			s->value_sz -= schema_value_sz(s, m);
		if (m->type == V_LIST)
			s->heap_sz -= schema_arena_sz(m);
		HASH_DEL(s->by_name, m);
		schema_metric_free(m);
	}
}

void schema_free(struct schema *s)
{
	if (!s)
		return;
	schema_cut(s, 0);
	free(s->metrics);
	free(s->name);
	free(s);
}

const char *schema_name(const struct schema *s)
{
	return s->name;
}

uint32_t schema_card(const struct schema *s)
{
	return s->card;
}

/* Takes m, also on failure. */
int schema_take(struct schema *s, struct schema_metric *m, struct err *err)
{
	size_t value_sz = m->flags & METRIC_DATA ? schema_value_sz(s, m) : 0;
	size_t heap_sz = m->type == V_LIST ? schema_arena_sz(m) : 0;
	int rc;

	if (schema_find(s, m->name) >= 0) {
		rc = err_set(err, -EEXIST, "schema %s: metric %s is there already; names within a schema are unique",
			     s->name, m->name);
		goto out;
	}
	if (s->card == SCHEMA_CARD_MAX) {
		rc = err_set(err, -E2BIG,
			     "schema %s: metric %s: there are %u metrics already, more do not fit; make two sets",
			     s->name, m->name, s->card);
		goto out;
	}
	if (DATA_HDR_SZ + s->value_sz + value_sz + s->heap_sz + heap_sz > SET_DATA_MAX ||
	    META_HDR_SZ + s->meta_sz + meta_share(s, m) > SET_META_MAX) {
		rc = err_set(err, -E2BIG,
			     "schema %s: metric %s: with it a set has more than %u bytes of data or %u of metadata; "
			     "make it smaller",
			     s->name, m->name, SET_DATA_MAX, SET_META_MAX);
		goto out;
	}
	if (s->card == s->room) {
		s->room = s->room ? 2 * s->room : 16;
		s->metrics = xrealloc(s->metrics, s->room * sizeof(*s->metrics));
	}
	HASH_ADD_KEYPTR(hh, s->by_name, m->name, strlen(m->name), m);
	m->index = s->card;
	s->metrics[s->card] = m;
	s->meta_sz += meta_share(s, m);
	s->value_sz += value_sz;
	s->heap_sz += heap_sz;
	return (int)s->card++;
out:
	schema_metric_free(m);
	return rc;
}

static int add_plain(struct schema *s, const char *name, enum value_type t, uint32_t n, uint8_t flags, const char *unit,
		     struct err *err)
{
	int rc = schema_metric_name_check(s, name, unit, err);

	if (!rc)
		rc = schema_plain_check(s, name, t, n, err);
	return rc ? rc : schema_take(s, schema_metric_new(name, t, flags, n, unit), err);
}

static int add_scalar(struct schema *s, const char *name, enum value_type t, uint8_t flags, const char *unit,
		      struct err *err)
{
	if (value_is_array(t))
		return err_set(err, -EINVAL,
			       "schema %s: metric %s: type %s needs a number of elements; add it as an array", s->name,
			       name, value_type_name(t));
	return add_plain(s, name, t, 1, flags, unit, err);
}

static int add_array(struct schema *s, const char *name, enum value_type t, uint32_t n, uint8_t flags, const char *unit,
		     struct err *err)
{
	if (!value_is_array(t))
		return err_set(err, -EINVAL, "schema %s: metric %s: type %s is no array; use an array type", s->name,
			       name, value_type_name(t));
	return add_plain(s, name, t, n, flags, unit, err);
}

int schema_add(struct schema *s, const char *name, enum value_type t, const char *unit, struct err *err)
{
	return add_scalar(s, name, t, METRIC_DATA, unit, err);
}

int schema_add_array(struct schema *s, const char *name, enum value_type t, uint32_t n, const char *unit,
		     struct err *err)
{
	return add_array(s, name, t, n, METRIC_DATA, unit, err);
}

int schema_add_meta(struct schema *s, const char *name, enum value_type t, const char *unit, struct err *err)
{
	return add_scalar(s, name, t, METRIC_META, unit, err);
}

int schema_add_meta_array(struct schema *s, const char *name, enum value_type t, uint32_t n, const char *unit,
			  struct err *err)
{
	return add_array(s, name, t, n, METRIC_META, unit, err);
}

void schema_about_set(struct schema *s, int i, enum metric_kind kind, const char *help)
{
	assert(i >= 0 && (uint32_t)i < s->card);
	schema_metric_about_set(s->metrics[i], kind, help);
}

void schema_about_fill(struct schema *s, const struct metric_def *defs)
{
	for (const struct metric_def *d = defs; d && d->name; d++) {
		int i = schema_find(s, d->name);

		if (i >= 0 && !s->metrics[i]->help && s->metrics[i]->kind == METRIC_GAUGE)
			schema_metric_about_set(s->metrics[i], d->kind, d->help);
	}
}

int schema_add_defs(struct schema *s, const struct metric_def *defs, size_t n, struct err *err)
{
	uint32_t first = s->card;

	for (size_t i = 0; i < n; i++) {
		uint32_t count = defs[i].count ? defs[i].count : 1;
		uint8_t flags = defs[i].kind == METRIC_INFO ? METRIC_META : METRIC_DATA;
		int rc = add_plain(s, defs[i].name, defs[i].type, count, flags, defs[i].unit, err);

		if (rc < 0) {
			schema_cut(s, first);
			return rc;
		}
		schema_about_set(s, rc, defs[i].kind, defs[i].help);
	}
	return (int)first;
}

int schema_add_list(struct schema *s, const char *name, const char *unit, uint32_t heap, struct err *err)
{
	int rc = schema_metric_name_check(s, name, unit, err);

	if (rc)
		return rc;
	if (heap > SET_DATA_MAX)
		return err_set(err, -E2BIG, "schema %s: list %s: a heap of %u bytes, at most %u fit; make it smaller",
			       s->name, name, heap, SET_DATA_MAX);
	return schema_take(s, schema_metric_new(name, V_LIST, METRIC_DATA, heap, unit), err);
}

void schema_tag_set(struct schema *s, const void *tag)
{
	s->tag = tag;
}

const void *schema_tag(const struct schema *s)
{
	return s->tag;
}

void schema_array_card_set(struct schema *s, uint32_t n)
{
	s->array_card = n ? n : 1;
}

int schema_find(const struct schema *s, const char *name)
{
	struct schema_metric *m;

	HASH_FIND_STR(s->by_name, name, m);
	return m ? (int)m->index : -ENOENT;
}
