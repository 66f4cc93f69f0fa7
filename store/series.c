/* series.c - see series.h */
#include "store/series.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "core/base/log.h"
#include "core/base/utf8.h"
#include "core/base/xalloc.h"

/* -- configuration ------------------------------------------------------------------------------------------------- */

static char **words_split(const char *text)
{
	char *copy, *at, **v;
	size_t n = 0;

	if (!text)
		return NULL;
	copy = at = xstrdup(text);
	v = xcalloc(strlen(text) + 2, sizeof(*v));
	for (char *word; (word = strsep(&at, ","));)
		if (*word)
			v[n++] = xstrdup(word);
	free(copy);
	return v;
}

static bool among(char *const *v, const char *name)
{
	for (; v && *v; v++)
		if (!strcmp(*v, name))
			return true;
	return false;
}

int series_conf_read(struct store *st, struct series_conf *ret, struct err *err)
{
	struct series_conf c = { .who = store_name(st),
				 .tags = words_split(store_attr(st, "tags")),
				 .notags = words_split(store_attr(st, "notags")) };

	for (char **tag = c.tags; tag && *tag; tag++)
		if (among(c.notags, *tag)) {
			int rc =
				err_set(err, -EINVAL, "store %s: %s is in tags= and in notags=; in one of them, please",
					store_name(st), *tag);

			series_conf_fini(&c);
			return rc;
		}
	*ret = c;
	return 0;
}

static void words_free(char **v)
{
	for (char **w = v; w && *w; w++)
		free(*w);
	free(v);
}

void series_conf_fini(struct series_conf *c)
{
	words_free(c->tags);
	words_free(c->notags);
	*c = (struct series_conf){ NULL };
}

/* -- columns ------------------------------------------------------------------------------------------------------- */

int series_check(const struct row_schema *rs, struct err *err)
{
	uint64_t n = 0;

	for (uint32_t i = 0; i < rs->n_cols; i++)
		n += rs->cols[i].type == V_CHAR_ARRAY ? 1 : rs->cols[i].count;
	if (n <= SERIES_NUMBERS_MAX)
		return 0;
	return err_set(err, -EINVAL,
		       "row schema %s: a row has %" PRIu64
		       " numbers, at most %u can be stored as series; take the arrays "
		       "out by a decomposition",
		       rs->name, n, SERIES_NUMBERS_MAX);
}

/* The column of an entry's number: "NAME_entry_idx". */
static bool is_idx(const struct row_schema *rs, uint32_t i)
{
	static const char tail[] = "_entry_idx";
	size_t len = strlen(rs->cols[i].name);

	return !rs->decomposed && len >= sizeof(tail) && !strcmp(rs->cols[i].name + len - (sizeof(tail) - 1), tail);
}

uint32_t series_list(const struct row_schema *rs, uint32_t i, uint32_t list)
{
	return is_idx(rs, i) ? i : list;
}

/* Is column i of an entry, as those behind the column of its number whose names begin as that one's? */
static bool is_of_entry(const struct row_schema *rs, uint32_t i, uint32_t list)
{
	const char *number = list == SERIES_NO_LIST ? NULL : rs->cols[list].name;

	return number && !strncmp(rs->cols[i].name, number, strlen(number) - strlen("entry_idx"));
}

bool series_is_of_list(const struct row_schema *rs, uint32_t i, uint32_t list)
{
	return is_idx(rs, i) || is_of_entry(rs, i, list);
}

static bool is_tag_by_itself(const struct row_schema *rs, uint32_t i, uint32_t list)
{
	const struct row_col *c = &rs->cols[i];

	if (c->type == V_CHAR_ARRAY)
		return rs->decomposed || is_of_entry(rs, i, list);
	return !strcmp(c->name, "component_id") || !strcmp(c->name, "job_id") || is_idx(rs, i);
}

enum series_role series_role(const struct series_conf *c, const struct row_schema *rs, uint32_t i, uint32_t list)
{
	const struct row_col *col = &rs->cols[i];
	bool can = col->type == V_CHAR_ARRAY || (!value_is_array(col->type) && value_elem_size(col->type));

	if (rs->decomposed && col->what == ROW_TIME)
		return SERIES_NOTHING;
	if (can && !among(c->notags, col->name) && (among(c->tags, col->name) || is_tag_by_itself(rs, i, list)))
		return SERIES_TAG;
	return SERIES_VALUE;
}

bool series_has_own(const struct series_conf *c, const struct row_schema *rs, enum row_what what, const char *name)
{
	if (among(c->notags, name))
		return false;
	for (uint32_t i = 0; i < rs->n_cols; i++)
		if (rs->decomposed && rs->cols[i].what == what && series_role(c, rs, i, SERIES_NO_LIST) == SERIES_TAG)
			return false;
	return true;
}

/* -- text ---------------------------------------------------------------------------------------------------------- */

static bool is_plain(unsigned char c)
{
	return c >= ' ' && c < 0x7f;
}

void series_text(struct buf *to, const char *text, size_t len)
{
	const unsigned char *p = (const unsigned char *)text, *end = p + len;
	size_t n;

	while (p < end) {
		for (n = 0; p + n < end && is_plain(p[n]);)
			n++;
		if (!n && *p >= 0x80)
			n = utf8_len(p, (size_t)(end - p));
		if (n) {
			buf_add(to, p, n);
		} else if (*p >= 0x80) {
			buf_u8(to, (uint8_t)(0xc0 | *p >> 6));
			buf_u8(to, (uint8_t)(0x80 | (*p & 0x3f)));
			n = 1;
		} else {
			buf_u8(to, ' ');
			n = 1;
		}
		p += n;
	}
}

/* -- shapes -------------------------------------------------------------------------------------------------------- */

void *series_shape_find(struct series_shapes *s, const struct row_schema *rs,
			const struct row_schema *(*schema)(const void *shape))
{
	void *found;

	if (s->n && schema(s->v[0]) == rs)
		return s->v[0];
	for (size_t i = 0; i < s->n; i++)
		if (row_schema_same(schema(s->v[i]), rs)) {
			found = s->v[i];
			memmove(s->v + 1, s->v, i * sizeof(*s->v));
			s->v[0] = found;
			return found;
		}
	return NULL;
}

void series_shape_add(struct series_shapes *s, void *shape)
{
	s->v = xrealloc(s->v, (s->n + 1) * sizeof(*s->v));
	memmove(s->v + 1, s->v, s->n++ * sizeof(*s->v));
	s->v[0] = shape;
}

/* Most sets give one row: of these no key is kept. */
void series_watch(struct series_shapes *s, const struct series_conf *c, const struct row *row, const void *key,
		  size_t len)
{
	struct series_last *l = &s->last;
	bool beside = l->schema == row->schema && l->im == row->im && l->sec == row->ts_sec && l->usec == row->ts_usec;

	if (beside && l->kept && !l->said && l->key.len == len && (!len || !memcmp(l->key.p, key, len))) {
		l->said = true;
		log_warning(
			"store",
			"store %s: rows of %s come with the same tags at the same time (set %s): the database takes "
			"each in place of the one before; name the columns that tell them apart in tags=",
			c->who, row->schema->name, row->instance);
	}
	l->keep |= beside;
	l->kept = l->keep && !l->said;
	if (l->kept) {
		buf_reset(&l->key);
		buf_add(&l->key, key ? key : "", len);
	}
	l->schema = row->schema;
	l->im = row->im;
	l->sec = row->ts_sec;
	l->usec = row->ts_usec;
}

void series_unwatch(struct series_shapes *s)
{
	s->last.schema = NULL;
}

void series_shapes_fini(struct series_shapes *s, void (*shape_free)(void *shape))
{
	for (size_t i = 0; i < s->n; i++)
		shape_free(s->v[i]);
	free(s->v);
	buf_fini(&s->last.key);
}
