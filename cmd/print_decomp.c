/* print_decomp.c - a decomposition to begin with, for the schemas of some sets: `ldms ls -d`
 *
 * As `ldms_ls -d`: one static decomposition for each schema (each digest), its columns in the order of the metrics, the
 * members of records in lists and arrays as columns of their own; and which digest takes which.  It wants an editor:
 * what the columns cannot be made of (an empty list does not tell what it holds) says so in the place of its name.
 */
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "cmd/print.h"
#include "core/base/json_put.h"
#include "core/base/xalloc.h"

struct print_seen {
	char *digest, *schema;
	UT_hash_handle hh; /* by digest, or by schema where a set has none */
};

struct cols {
	struct buf *to;
	unsigned int n;
};

static void key(struct buf *to, const char *name, const char *value)
{
	buf_addf(to, "\"%s\" : ", name);
	json_put_str(to, value);
}

/* A column; `member` of a record, or NULL. */
static void put_col(struct cols *c, const char *src, const char *member, const char *type, uint32_t array_len)
{
	struct buf *to = c->to;

	buf_addf(to, "%s              { ", c->n++ ? ",\n" : "");
	key(to, "src", src);
	if (member) {
		buf_addf(to, ", ");
		key(to, "rec_member", member);
	}
	buf_addf(to, ", ");
	key(to, "dst", member ? member : src);
	buf_addf(to, ", ");
	key(to, "type", type);
	if (array_len)
		buf_addf(to, ", \"array_len\" : %u", array_len);
	buf_addf(to, " }");
}

static void put_metric(struct cols *c, const struct metric *m, const char *list)
{
	put_col(c, list ? list : m->name, list ? m->name : NULL, value_type_name(m->type),
		value_is_array(m->type) ? m->count : 0);
}

static void put_record(struct cols *c, const struct set_meta *meta, uint32_t type, const char *list)
{
	for (uint32_t i = 0; i < record_card(meta, type); i++) {
		struct metric m = record_member(meta, type, i);

		put_metric(c, &m, list);
	}
	buf_u8(c->to, '\n');
}

static void put_impossible(struct cols *c, const char *name, const char *why)
{
	buf_addf(c->to, "%s              { ", c->n++ ? ",\n" : "");
	key(c->to, "src", name);
	buf_addf(c->to, ", ");
	key(c->to, "dst", why);
	buf_addf(c->to, " }");
}

static void put_list(struct cols *c, const struct image *im, const struct metric *m, struct value list)
{
	struct value first;

	if (!list_len(list)) {
		put_impossible(c, m->name, "ERROR: Cannot generate decomposition for an empty list");
		return;
	}
	first = list_value(im, list_first(list));
	if (first.type == V_RECORD_INST)
		put_record(c, im->meta, record_type_of(first), m->name);
	else if (first.type == V_LIST)
		put_impossible(c, m->name, "ERROR: Cannot generate decomposition for a list of lists");
	else
		put_col(c, m->name, NULL, value_type_name(first.type), value_is_array(first.type) ? first.count : 0);
}

static void put_cols(struct buf *to, const struct image *im)
{
	struct cols c = { .to = to };

	put_col(&c, "timestamp", NULL, "ts", 0);
	for (uint32_t i = 0; i < image_card(im->meta); i++) {
		struct metric m = image_metric(im->meta, i);
		struct value v = image_value(im, i);

		if (v.type == V_LIST)
			put_list(&c, im, &m, v);
		else if (v.type == V_RECORD_ARRAY)
			put_record(&c, im->meta, record_array_type(v), m.name);
		else if (m.type != V_RECORD_TYPE)
			put_metric(&c, &m, NULL);
	}
}

static void all_begin(struct print *p)
{
	buf_addf(&p->out, "{\n  \"type\" : \"flex\",\n  \"decomposition\" : {\n");
}

static struct print_seen *seen_find(struct print *p, const struct dir_set *d)
{
	const char *name = *d->digest ? d->digest : d->schema;
	struct print_seen *s;

	HASH_FIND_STR(p->seen, name, s);
	if (s)
		return NULL;
	s = xcalloc(1, sizeof(*s));
	s->digest = xstrdup(d->digest);
	s->schema = xstrdup(d->schema);
	name = *s->digest ? s->digest : s->schema;
	HASH_ADD_KEYPTR(hh, p->seen, name, strlen(name), s);
	return s;
}

/* A schema that was not there yet. */
static void schema_put(struct print *p, const struct dir_set *d, const struct image *im)
{
	bool first = !p->seen;
	struct print_seen *s = seen_find(p, d);
	struct buf *to = &p->out;
	char *name;

	if (!s)
		return;
	name = xasprintf("%s_decomp", d->schema);
	buf_addf(to, "%s     ", first ? "" : ",\n");
	json_put_str(to, name);
	buf_addf(to, " : {\n       \"type\" : \"static\",\n       \"rows\" : [\n          {\n            ");
	key(to, "schema", d->schema);
	buf_addf(to, ",\n            \"cols\" : [\n");
	put_cols(to, im);
	buf_addf(to, "\n            ],\n            \"indices\" : [\n            ]\n         }\n      ]\n    }");
	free(name);
}

static int by_digest(const struct print_seen *a, const struct print_seen *b)
{
	return strcmp(a->digest, b->digest);
}

static void all_end(struct print *p)
{
	struct print_seen *s, *next;
	struct buf *to = &p->out;
	bool first = true;

	buf_addf(to, "%s  },\n  \"digest\" : {", p->seen ? "\n" : "");
	HASH_SORT(p->seen, by_digest);
	HASH_ITER(hh, p->seen, s, next) {
		if (*s->digest) {
			char *name = xasprintf("%s_decomp", s->schema);

			buf_addf(to, "%s    ", first ? "\n" : ",\n");
			key(to, s->digest, name);
			free(name);
			first = false;
		}
		HASH_DEL(p->seen, s);
		free(s->digest);
		free(s->schema);
		free(s);
	}
	buf_addf(to, "\n  }\n}\n");
}

const struct print_format print_decomp = {
	.name = "decomp",
	.begin = all_begin,
	.end = all_end,
	.contents = { .set = schema_put },
};
