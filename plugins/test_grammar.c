/* test_grammar.c - see test_grammar.h; what the values are is test_fill.c's */
#include "plugins/test_grammar.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/base/xalloc.h"

#define FIELDS_MAX 6       /* of a metric */
#define LIST_MAX   1000000 /* entries; larger ones are somebody's mistake */

/* A piece of the text. */
struct span {
	const char *p;
	size_t n;
};

static int span_len(struct span s)
{
	return s.n < 60 ? (int)s.n : 60; /* as much of it as an error shows */
}

static char *span_dup(struct span s)
{
	return xstrndup(s.p, s.n);
}

static bool span_is(struct span s, const char *word)
{
	return strlen(word) == s.n && !strncasecmp(s.p, word, s.n);
}

/* Takes the piece up to the next `sep` that stands in no brackets; false at the end, and for brackets that do not
 * match. */
static bool span_next(struct span *rest, char sep, struct span *ret)
{
	char open[8];
	size_t depth = 0, i;

	if (!rest->p)
		return false;
	for (i = 0; i < rest->n && (depth || rest->p[i] != sep); i++) {
		char c = rest->p[i];

		if (c == '{' || c == '[') {
			if (depth == sizeof(open))
				return false;
			open[depth++] = c == '{' ? '}' : ']';
		} else if ((c == '}' || c == ']') && (!depth || open[--depth] != c)) {
			return false;
		}
	}
	if (depth)
		return false;
	*ret = (struct span){ rest->p, i };
	*rest = i < rest->n ? (struct span){ rest->p + i + 1, rest->n - i - 1 } : (struct span){ 0 };
	return true;
}

/* What stands between two brackets. */
static bool span_inside(struct span s, char open, char close, struct span *ret)
{
	*ret = (struct span){ s.p + 1, s.n - 2 };
	return s.n >= 2 && s.p[0] == open && s.p[s.n - 1] == close;
}

/* All pieces; how many, or -1 when they are more than `max` or brackets do not match. */
static int span_split(struct span s, char sep, struct span *ret, int max)
{
	int n = 0;

	while (s.p)
		if (n == max || !span_next(&s, sep, &ret[n++]))
			return -1;
	return n;
}

static int span_number(struct span s, uint64_t max, uint64_t *ret)
{
	uint64_t v = 0;

	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return -EINVAL;
		v = v * 10 + (uint64_t)(s.p[i] - '0');
		if (v > max)
			return -EINVAL;
	}
	*ret = v;
	return s.n ? 0 : -EINVAL;
}

/* -- types and values ---------------------------------------------------------------------------------------------- */

enum value_type test_type_find(const char *word, size_t len)
{
	static const char suffix[] = "_array", prefix[] = "ldms_v_";
	char name[32];
	enum value_type t;

	if (len > strlen(prefix) && !strncasecmp(word, prefix, strlen(prefix))) {
		word += strlen(prefix);
		len -= strlen(prefix);
	}
	if (len >= sizeof(name))
		return V_NONE;
	for (size_t i = 0; i < len; i++)
		name[i] = (char)(word[i] >= 'A' && word[i] <= 'Z' ? word[i] | 0x20 : word[i]);
	name[len] = 0;
	if (len > strlen(suffix) && !strcmp(name + len - strlen(suffix), suffix))
		memcpy(name + len - strlen(suffix), "[]", 3);
	t = value_type_find(name);
	return value_elem_size(t) && t != V_TIMESTAMP ? t : V_NONE;
}

bool test_init_parse(const char *text, uint64_t *ret)
{
	char *end;
	double d;

	errno = 0;
	*ret = *text == '-' ? (uint64_t)strtoll(text, &end, 0) : strtoull(text, &end, 0);
	if (end != text && !*end)
		return !errno;
	d = strtod(text, &end);
	if (end == text || *end || !(d > -0x1p63 && d < 0x1p63))
		return false;
	*ret = (uint64_t)(int64_t)d;
	return true;
}

/* TYPE:INIT:COUNT, three fields of `what`. */
static int value_parse(struct test_metric *m, const struct span *f, struct span what, struct err *err)
{
	uint64_t count = 1;
	char *init;
	bool ok;

	m->type = test_type_find(f[0].p, f[0].n);
	if (m->type == V_NONE)
		return err_set(err, -EINVAL,
			       "'%.*s': '%.*s' is no type; use u8 to d64, char, and u8_array to d64_array, "
			       "char_array",
			       span_len(what), what.p, span_len(f[0]), f[0].p);
	if (span_number(f[2], SCHEMA_ARRAY_MAX, &count) || !count)
		return err_set(err, -EINVAL, "'%.*s': '%.*s' is no length of an array, from 1 to %u", span_len(what),
			       what.p, span_len(f[2]), f[2].p, SCHEMA_ARRAY_MAX);
	m->count = value_is_array(m->type) ? (uint32_t)count : 1;
	if (value_elem_type(m->type) == V_CHAR) {
		m->init = f[1].n;
		return 0;
	}
	init = span_dup(f[1]);
	ok = test_init_parse(init, &m->init);
	free(init);
	return ok ? 0
		  : err_set(err, -EINVAL, "'%.*s': '%.*s' is no number to begin with", span_len(what), what.p,
			    span_len(f[1]), f[1].p);
}

/* -- metrics ------------------------------------------------------------------------------------------------------- */

static void metric_fini(struct test_metric *m)
{
	for (size_t i = 0; i < m->n_of; i++)
		metric_fini(&m->of[i]);
	free(m->of);
	free(m->name);
	free(m->unit);
}

static struct test_metric *metric_of(struct test_metric *m)
{
	m->of = xrealloc(m->of, (m->n_of + 1) * sizeof(*m->of));
	m->of[m->n_of] = (struct test_metric){ .record = -1 };
	return &m->of[m->n_of++];
}

/* name:TYPE:INIT:COUNT:UNIT */
static int member_parse(struct test_metric *m, struct span s, char delim, struct err *err)
{
	struct span f[5];
	int n = span_split(s, delim, f, 5);

	if (n != 4 && n != 5)
		return err_set(err, -EINVAL, "member '%.*s': must be name%cTYPE%cINIT%cCOUNT%cUNIT", span_len(s), s.p,
			       delim, delim, delim, delim);
	m->name = span_dup(f[0]);
	m->unit = n == 5 ? span_dup(f[4]) : xstrdup("");
	return value_parse(m, f + 1, s, err);
}

static int record_parse(struct test_metric *m, struct span body, char delim, struct err *err)
{
	struct span rest, member;
	int rc;

	m->type = V_RECORD_TYPE;
	m->meta = true;
	if (!span_inside(body, '{', '}', &rest))
		return err_set(err, -EINVAL, "'%s': a record's members stand in braces: {x:u64:1:1:unit;...}", m->name);
	while (rest.p) {
		if (!span_next(&rest, ';', &member))
			return err_set(err, -EINVAL, "'%s': its brackets do not match", m->name);
		rc = member_parse(metric_of(m), member, delim, err);
		if (rc)
			return err_prefix(err, rc, "record '%s': ", m->name);
	}
	return 0;
}

/* The record type of that name, among the metrics before this one. */
static int record_find(const struct test_schema *ts, struct test_metric *m, struct span name, struct err *err)
{
	for (size_t i = 0; i < ts->n; i++)
		if (ts->metrics[i].type == V_RECORD_TYPE && strlen(ts->metrics[i].name) == name.n &&
		    !memcmp(ts->metrics[i].name, name.p, name.n)) {
			m->record = (int)i;
			return 0;
		}
	return err_set(err, -EINVAL, "'%s': no record '%.*s' stands before it", m->name, span_len(name), name.p);
}

static int list_parse(const struct test_schema *ts, struct test_metric *m, struct span body, struct span max,
		      char delim, struct err *err)
{
	struct span inside, f[3];
	uint64_t v;
	int n;

	m->type = V_LIST;
	if (m->meta)
		return err_set(err, -EINVAL, "'%s': a list is data, not meta", m->name);
	if (!span_inside(body, '[', ']', &inside))
		return err_set(err, -EINVAL, "'%s': what a list holds stands in brackets: [u64:0:1] or [record:NAME:]",
			       m->name);
	if (span_number(max, LIST_MAX, &v) || !v)
		return err_set(err, -EINVAL, "'%s': '%.*s' is no length of a list, from 1 to %u", m->name,
			       span_len(max), max.p, LIST_MAX);
	m->max = (uint32_t)v;
	n = span_split(inside, delim, f, 3);
	if (n >= 2 && span_is(f[0], "record"))
		return record_find(ts, m, f[1], err);
	if (n != 3)
		return err_set(err, -EINVAL, "'%s': '%.*s' must be TYPE%cINIT%cCOUNT or record%cNAME%c", m->name,
			       span_len(inside), inside.p, delim, delim, delim, delim);
	return value_parse(metric_of(m), f, body, err);
}

static int record_array_parse(const struct test_schema *ts, struct test_metric *m, struct span record,
			      struct span count, struct err *err)
{
	uint64_t v;

	m->type = V_RECORD_ARRAY;
	if (m->meta)
		return err_set(err, -EINVAL, "'%s': an array of records is data, not meta", m->name);
	if (span_number(count, LIST_MAX, &v) || !v)
		return err_set(err, -EINVAL, "'%s': '%.*s' is no number of records, from 1 to %u", m->name,
			       span_len(count), count.p, LIST_MAX);
	m->count = (uint32_t)v;
	return record_find(ts, m, record, err);
}

static int metric_parse(const struct test_schema *ts, struct test_metric *m, struct span s, char delim, struct err *err)
{
	struct span f[FIELDS_MAX] = { 0 };
	int n = span_split(s, delim, f, FIELDS_MAX);
	bool record = n > 2 && span_is(f[2], "record");

	if (n < (record ? 4 : 5) || !f[0].n)
		return err_set(err, -EINVAL,
			       "'%.*s': must be name%cmeta|data%cTYPE%cINIT%cCOUNT%cUNIT, with brackets that match",
			       span_len(s), s.p, delim, delim, delim, delim, delim);
	m->name = span_dup(f[0]);
	m->unit = span_dup(record ? f[4].p ? f[4] : (struct span){ "", 0 } : f[5].p ? f[5] : (struct span){ "", 0 });
	m->meta = span_is(f[1], "meta");
	if (!m->meta && !span_is(f[1], "data"))
		return err_set(err, -EINVAL, "'%s': '%.*s' must be meta or data", m->name, span_len(f[1]), f[1].p);
	if (record)
		return record_parse(m, f[3], delim, err);
	if (span_is(f[2], "list"))
		return list_parse(ts, m, f[3], f[4], delim, err);
	if (span_is(f[2], "record_array"))
		return record_array_parse(ts, m, f[3], f[4], err);
	return value_parse(m, f + 2, s, err);
}

/* -- schemas ------------------------------------------------------------------------------------------------------- */

void test_schema_fini(struct test_schema *ts)
{
	for (size_t i = 0; i < ts->n; i++)
		metric_fini(&ts->metrics[i]);
	free(ts->metrics);
	*ts = (struct test_schema){ 0 };
}

static struct test_metric *schema_grow(struct test_schema *ts)
{
	ts->metrics = xrealloc(ts->metrics, (ts->n + 1) * sizeof(*ts->metrics));
	ts->metrics[ts->n] = (struct test_metric){ .record = -1, .count = 1 };
	return &ts->metrics[ts->n];
}

struct test_metric *test_schema_add(struct test_schema *ts, const char *name, const char *type)
{
	enum value_type t = test_type_find(type, strlen(type));
	struct test_metric *m;

	if (t == V_NONE)
		return NULL;
	m = schema_grow(ts);
	ts->n++;
	m->name = xstrdup(name);
	m->unit = xstrdup("unit");
	m->type = t;
	return m;
}

void test_schema_add_list(struct test_schema *ts, const char *name, const char *type, uint32_t min, uint32_t max)
{
	struct test_metric *m = test_schema_add(ts, name, type), *of = metric_of(m);

	of->type = m->type;
	of->count = m->count;
	m->type = V_LIST;
	m->min = min;
	m->max = max;
}

int test_schema_parse(struct test_schema *ret, const char *text, char delim, struct err *err)
{
	struct test_schema ts = { 0 };
	struct span rest = { text, strlen(text) }, s;
	int rc = 0;

	while (!rc && rest.p) {
		if (!span_next(&rest, ',', &s)) {
			rc = err_set(err, -EINVAL, "'%.*s': its brackets do not match", span_len(rest), rest.p);
			break;
		}
		if (ts.n == SCHEMA_CARD_MAX) {
			rc = err_set(err, -EINVAL, "more than %d metrics", SCHEMA_CARD_MAX);
			break;
		}
		rc = metric_parse(&ts, schema_grow(&ts), s, delim, err);
		ts.n++; /* what there is of it is freed */
	}
	if (rc) {
		test_schema_fini(&ts);
		*ret = ts;
		return err_prefix(err, rc, "metrics=: ");
	}
	*ret = ts;
	return 0;
}

static int record_build(const struct test_metric *m, struct schema *s, struct err *err)
{
	struct metric_def *defs = xcalloc(m->n_of, sizeof(*defs));
	int rc;

	for (size_t i = 0; i < m->n_of; i++)
		defs[i] = (struct metric_def){
			.name = m->of[i].name, .type = m->of[i].type, .unit = m->of[i].unit, .count = m->of[i].count
		};
	rc = schema_add_record(s, m->name, defs, m->n_of, err);
	free(defs);
	return rc;
}

/* -E2BIG for a heap that no set can have. */
static int list_build(const struct test_metric *m, struct schema *s, struct err *err)
{
	size_t heap = m->record >= 0 ? schema_record_heap(s, m->record, m->max)
				     : schema_list_heap(m->of[0].type, m->of[0].count, m->max);

	if (heap > SET_DATA_MAX)
		return err_set(err, -E2BIG, "'%s': %u entries take %zu bytes; at most %u fit", m->name, m->max, heap,
			       SET_DATA_MAX);
	return schema_add_list(s, m->name, m->unit, (uint32_t)heap, err);
}

static int metric_build(const struct test_metric *m, struct schema *s, struct err *err)
{
	switch (m->type) {
	case V_RECORD_TYPE:
		return record_build(m, s, err);
	case V_LIST:
		return list_build(m, s, err);
	case V_RECORD_ARRAY:
		return schema_add_record_array(s, m->name, m->record, m->count, m->unit, err);
	default:
		if (value_is_array(m->type))
			return m->meta ? schema_add_meta_array(s, m->name, m->type, m->count, m->unit, err)
				       : schema_add_array(s, m->name, m->type, m->count, m->unit, err);
		return m->meta ? schema_add_meta(s, m->name, m->type, m->unit, err)
			       : schema_add(s, m->name, m->type, m->unit, err);
	}
}

int test_schema_build(const struct test_schema *ts, struct schema *s, struct err *err)
{
	for (size_t i = 0; i < ts->n; i++) {
		int rc = metric_build(&ts->metrics[i], s, err);

		if (rc < 0)
			return rc;
	}
	return 0;
}
