/* csv_sample.h - sets made from recorded CSV files: from a header and rows, the set that gives them when it is stored.
 *
 * What the text does not tell (types other than u64, which columns are arrays or a list) is said by a table beside it.
 */
#ifndef TESTS_UNIT_CSV_SAMPLE_H
#define TESTS_UNIT_CSV_SAMPLE_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/base/buf.h"
#include "core/base/xalloc.h"
#include "core/set/snap.h"
#include "scratch.h"

#define SAMPLE_FIELDS 512 /* in one line */
#define SAMPLE_SNAPS  32

struct sample_type {
	const char *name; /* of a metric, or LIST_MEMBER */
	enum value_type type;
	uint32_t count; /* of an array */
};

struct sample {
	const char *schema;
	struct sample_type types[64]; /* of what is no u64; ended by a row without name */
};

struct sample_line {
	char *field[SAMPLE_FIELDS + 1];
	size_t n;
	char *text;
};

static inline char *file_text(const char *path)
{
	struct buf b = { 0 };
	FILE *f = fopen(path, "r");
	size_t n;

	if (!f)
		fail_msg("%s: cannot read it", path);
	while ((n = fread(buf_reserve(&b, 4096), 1, 4096, f)))
		b.len += n;
	fclose(f);
	return (char *)buf_str(&b);
}

static inline struct sample_line line_split(const char *line, size_t len)
{
	struct sample_line l = { .text = xstrndup(line, len) };
	char *p = l.text;

	while (p)
		l.field[l.n++] = strsep(&p, ",");
	return l;
}

static inline const struct sample_type *sample_type_of(const struct sample *s, const char *name)
{
	static const struct sample_type u64 = { "", V_U64, 1 };
	const struct sample_type *t;

	for (t = s->types; t->name; t++)
		if (!strcmp(t->name, name))
			return t;
	return &u64;
}

/* The array whose first element has this column. */
static inline const struct sample_type *sample_array_at(const struct sample *s, const char *column)
{
	char name[256];

	for (const struct sample_type *t = s->types; t->name; t++) {
		snprintf(name, sizeof(name), "%s0", t->name);
		if (value_is_array(t->type) && t->type != V_CHAR_ARRAY && !strcmp(name, column))
			return t;
	}
	return NULL;
}

/* One metric or member of the set to be made: from which column, of what type. */
struct sample_col {
	char name[256];
	enum value_type type;
	uint32_t count;
	size_t field;
	bool member;
	int index; /* in the set, or in its record */
};

struct sample_set {
	struct sample_col col[SAMPLE_FIELDS];
	size_t n;
	int list, record; /* metrics; -1 for none */
	struct set *set;
};

static inline void sample_cols(struct sample_set *ss, const struct sample *s, const struct sample_line *head,
			       char list[256])
{
	size_t list_len = 0;

	for (size_t i = 3; i < head->n; i++) {
		const char *column = head->field[i];
		const struct sample_type *t = sample_array_at(s, column);
		struct sample_col *c = &ss->col[ss->n++];
		size_t idx = strlen(column) > 10 ? strlen(column) - 10 : 0;

		if (idx && !strcmp(column + idx, "_entry_idx")) {
			snprintf(list, 256, "%.*s", (int)idx, column);
			list_len = idx;
			*c = (struct sample_col){ .type = V_LIST };
			snprintf(c->name, sizeof(c->name), "%s", list);
			continue;
		}
		*c = (struct sample_col){ .field = i };
		c->type = t ? t->type : sample_type_of(s, column)->type;
		c->count = t ? t->count : sample_type_of(s, column)->count;
		c->member = list_len && !strncmp(column, list, list_len) && column[list_len] == '_';
		snprintf(c->name, sizeof(c->name), "%s", (t ? t->name : column) + (c->member ? list_len + 1 : 0));
		if (t)
			i += t->count - 1;
	}
}

static inline int sample_add(struct schema *sc, struct sample_set *ss, const struct sample_col *c, struct err *err)
{
	if (!strcmp(c->name, "component_id"))
		return schema_add_meta(sc, c->name, c->type, NULL, err);
	if (c->type == V_LIST)
		return ss->list = schema_add_list(sc, c->name, NULL, (uint32_t)schema_record_heap(sc, ss->record, 16),
						  err);
	if (c->type == V_RECORD_ARRAY)
		return schema_add_record_array(sc, c->name, ss->record, 3, NULL, err);
	if (value_is_array(c->type))
		return schema_add_array(sc, c->name, c->type, c->count, NULL, err);
	return schema_add(sc, c->name, c->type, NULL, err);
}

static inline void sample_set_new(struct sample_set *ss, struct pool *pool, const struct sample *s,
				  const struct sample_line *head, const char *producer)
{
	struct metric_def members[SAMPLE_FIELDS];
	struct err err = { "" };
	struct schema *sc = schema_new(s->schema, &err);
	char list[256] = "", *instance = xasprintf("%s/%s", producer, s->schema);
	size_t n = 0;

	*ss = (struct sample_set){ .list = -1, .record = -1 };
	sample_cols(ss, s, head, list);
	for (size_t i = 0; i < ss->n; i++)
		if (ss->col[i].member) {
			ss->col[i].index = (int)n;
			members[n++] = (struct metric_def){ .name = ss->col[i].name,
							    .type = ss->col[i].type,
							    .count = ss->col[i].count };
		}
	if (n)
		ss->record = schema_add_record(sc, "a_record", members, n, &err);
	for (size_t i = 0; i < ss->n; i++)
		if (!ss->col[i].member && (ss->col[i].index = sample_add(sc, ss, &ss->col[i], &err)) < 0)
			fail_msg("%s", err.msg);
	if (set_new(pool, sc, instance, producer, 0, 0, 0777, &ss->set, &err))
		fail_msg("%s", err.msg);
	schema_free(sc);
	free(instance);
}

/* The bytes of one element from its text. */
static inline void sample_elem(enum value_type elem, const char *text, uint8_t *to)
{
	uint64_t bits = strtoull(text, NULL, 10); /* of negative ones, too */
	double d = strtod(text, NULL);
	float f = strtof(text, NULL);

	if (elem == V_F32)
		memcpy(to, &f, sizeof(f));
	else if (elem == V_D64)
		memcpy(to, &d, sizeof(d));
	else if (elem == V_CHAR)
		*to = (uint8_t)*text;
	else
		memcpy(to, &(uint64_t){ htole64(bits) }, value_elem_size(elem));
}

static inline size_t sample_value(const struct sample_col *c, const struct sample_line *l, uint8_t *to)
{
	enum value_type elem = value_elem_type(c->type);
	size_t size = value_elem_size(elem);

	if (c->type == V_CHAR_ARRAY)
		return (size_t)sprintf((char *)to, "%s", l->field[c->field]);
	for (uint32_t i = 0; i < c->count; i++)
		sample_elem(elem, l->field[c->field + i], to + i * size);
	return c->count * size;
}

/* The set as these lines have it, which are of one moment. */
static inline struct snap *sample_snap(struct sample_set *ss, const struct sample_line *lines, size_t n)
{
	uint8_t value[4096];
	struct snap *sn;
	struct set_data *data;

	set_begin(ss->set);
	for (size_t i = 0; i < ss->n; i++) {
		const struct sample_col *c = &ss->col[i];

		if (c->member || c->type == V_LIST || c->type == V_RECORD_ARRAY)
			continue;
		if (!strcmp(c->name, "component_id"))
			set_meta_u64(ss->set, c->index, strtoull(lines->field[c->field], NULL, 10));
		else
			set_bytes(ss->set, c->index, value, sample_value(c, lines, value));
	}
	if (ss->list >= 0)
		list_clear(ss->set, ss->list);
	for (size_t k = 0; ss->list >= 0 && k < n; k++) {
		struct record *rec = list_append_record(ss->set, ss->list, ss->record);

		assert_non_null(rec);
		for (size_t i = 0; i < ss->n; i++)
			if (ss->col[i].member) {
				size_t len = sample_value(&ss->col[i], &lines[k], value);

				memcpy(record_slot(ss->set, rec, ss->col[i].index), value, len);
			}
	}
	set_end(ss->set);
	sn = snap_new(ss->set);
	data = (struct set_data *)sn->im.data;
	data->ts_sec = htole32((uint32_t)strtoul(lines->field[0], NULL, 10));
	data->ts_usec = htole32((uint32_t)strtoul(lines->field[1], NULL, 10));
	return sn;
}

/* The snapshots that a recorded file was made of; returns how many, each of them yours. */
static inline size_t sample_snaps(struct pool *pool, const struct sample *s, const char *path,
				  struct snap *snaps[SAMPLE_SNAPS])
{
	char *text = file_text(path), *p = text;
	struct sample_line lines[64], head;
	struct sample_set *ss = xcalloc(1, sizeof(*ss));
	size_t n_lines = 0, n = 0;

	head = line_split(p, strcspn(p, "\n"));
	while (*(p += strcspn(p, "\n") + 1))
		lines[n_lines++] = line_split(p, strcspn(p, "\n"));
	sample_set_new(ss, pool, s, &head, lines->field[2]);
	for (size_t i = 0, k; i < n_lines; i = k) {
		for (k = i + 1; ss->list >= 0 && k < n_lines && !strcmp(lines[k].field[0], lines[i].field[0]); k++)
			;
		snaps[n++] = sample_snap(ss, &lines[i], k - i);
	}
	for (size_t i = 0; i < n_lines; i++)
		free(lines[i].text);
	set_put(ss->set);
	free(ss);
	free(head.text);
	free(text);
	return n;
}

#endif
