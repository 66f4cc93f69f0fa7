/* print_long.c - the contents of sets as text: the recorded output of ldms_ls is read back into sets, which must print
 * the same bytes; and what ldms_ls cannot show. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cmd/print.h"
#include "core/base/xalloc.h"
#include "core/set/layout.h"
#include "core/set/snap.h"
#include "core/set/value_text.h"

#define DATA        "tests/data/ls/"
#define METRICS_MAX 256
#define COLS_MAX    64
#define ROWS_MAX    64

/* -- recorded text back to a set ----------------------------------------------------------------------------------- */

struct row {
	char *cell[COLS_MAX];
};

struct line { /* of a metric, with the lines of its table */
	bool meta;
	char type[16], *name, *value, *unit; /* unit NULL: none was given */
	uint64_t udata;
	struct row row[ROWS_MAX]; /* the titles, then the records */
	int rows, cols;
	int record; /* its record type, once in the schema */
};

struct text {
	char *bytes;
	char instance[64];
	bool consistent;
	struct tm tm;
	unsigned int usec;
	struct line line[METRICS_MAX];
	int lines;
};

static char *file_read(const char *name)
{
	char path[256];
	struct buf b = { 0 };
	size_t n;
	FILE *f;

	snprintf(path, sizeof(path), DATA "%s", name);
	f = fopen(path, "r");
	if (!f)
		fail_msg("%s: not there; run this from the root of the repository", path);
	while ((n = fread(buf_reserve(&b, 4096), 1, 4096, f)))
		b.len += n;
	fclose(f);
	buf_str(&b);
	return (char *)b.p;
}

static char *next_line(char **at)
{
	char *line = strsep(at, "\n");

	return line ? line : "";
}

/* Blanks end a cell, but not between quotes; a title takes its "(unit)" along. */
static void row_split(struct row *r, int *cols, char *line, bool titles)
{
	int n = 0;

	for (char *p = line; *p;) {
		char *start, quote = 0;

		while (*p == ' ')
			p++;
		if (!*p)
			break;
		for (start = p; *p && (quote || *p != ' '); p++) {
			if (quote ? *p == quote : *p == '"' || *p == '\'')
				quote = quote ? 0 : *p;
		}
		if (titles && p[0] == ' ' && p[1] == '(')
			p = strchr(p, ')') + 1;
		assert_true(n < COLS_MAX);
		r->cell[n++] = start;
		if (*p)
			*p++ = '\0';
	}
	*cols = n;
}

/* "value unit" of a line: one that ends with a blank has an empty unit, one without a blank has none. */
static void value_split(struct line *l, char *text)
{
	char *unit = strrchr(text, ' ');

	if (unit && !strchr(unit, '"')) {
		*unit = '\0';
		l->unit = unit + 1;
	}
	l->value = text;
}

static void table_read(struct line *l, char **at)
{
	while (*at && (*at)[0] == ' ' && (*at)[1] == ' ') {
		char *line = next_line(at), *end = line + strlen(line);

		assert_true(l->rows < ROWS_MAX);
		if (end[-1] == ' ') { /* an empty unit */
			end[-1] = '\0';
			l->unit = end;
		}
		row_split(&l->row[l->rows], &l->cols, line, !l->rows);
		l->rows++;
	}
}

static void metric_read(struct line *l, char *line, char **at, bool udata)
{
	l->meta = line[0] == 'M';
	sscanf(line + 2, "%15s", l->type);
	l->name = line + 15;
	line += 15 + strcspn(line + 15, " ");
	*line++ = '\0';
	line = line < l->name + 43 ? l->name + 43 : line;
	if (udata) {
		l->udata = strtoull(line, &line, 16);
		line++;
	}
	if (!strcmp(l->type, "record_type")) {
		l->value = line;
	} else if (strcmp(l->type, "list<>") && strcmp(l->type, "record[]")) {
		value_split(l, line);
	} else if (*line) {
		l->value = line;
		assert_string_equal(next_line(at), "");
	} else {
		table_read(l, at);
	}
}

static struct text *text_read(const char *name, bool udata)
{
	struct text *t = xcalloc(1, sizeof(*t));
	char *at, *line, state[16];

	t->bytes = at = file_read(name);
	line = next_line(&at);
	assert_int_equal(sscanf(line, "%63[^:]: %15[a-z]", t->instance, state), 2);
	t->consistent = !strcmp(state, "consistent");
	line = strstr(line, "update: ");
	line = strptime(line, "update: %a %b %d %H:%M:%S %Y +0000 [", &t->tm);
	assert_non_null(line);
	t->usec = (unsigned int)atoi(line);
	while (at && *at && *at != '\n')
		metric_read(&t->line[t->lines++], next_line(&at), &at, udata);
	return t;
}

static void text_free(struct text *t)
{
	free(t->bytes);
	free(t);
}

/* -- the types of what a text shows -------------------------------------------------------------------------------- */

/* Any type that prints like this cell. */
static struct metric_def def_of(const char *cell)
{
	struct metric_def def = { .count = 1 };
	bool array = false;

	if (cell[0] == '"')
		return (struct metric_def){ .type = V_CHAR_ARRAY, .count = 64 };
	if (cell[0] == '\'')
		return (struct metric_def){ .type = V_CHAR };
	for (const char *p = cell; (p = strchr(p, ',')); p++) {
		def.count++;
		array = true;
	}
	if (!strncmp(cell, "0x", 2))
		def.type = V_U8_ARRAY;
	else if (strchr(cell, '.'))
		def.type = array ? V_D64_ARRAY : V_D64;
	else if (strchr(cell, '-'))
		def.type = array ? V_S64_ARRAY : V_S64;
	else
		def.type = array ? V_U64_ARRAY : V_U64;
	return def;
}

static size_t elem_parse(enum value_type t, const char *text, char **end, void *to)
{
	uint64_t u = strtoull(text, end, 0);
	int64_t s = strtoll(text, NULL, 0);
	double d = 0;
	float f;

	switch (value_elem_type(t)) {
	case V_F32:
		f = strtof(text, end);
		memcpy(to, &f, sizeof(f));
		break;
	case V_D64:
		d = strtod(text, end);
		memcpy(to, &d, sizeof(d));
		break;
	default:
		if (*text == '-')
			u = (uint64_t)s;
		u = htole64(u);
		memcpy(to, &u, value_elem_size(t));
	}
	return value_elem_size(t);
}

/* The cell as bytes of a value of that type; how many. */
static size_t cell_parse(enum value_type t, const char *cell, uint8_t to[512])
{
	size_t len = 0;
	char *end;

	if (t == V_CHAR || t == V_CHAR_ARRAY) {
		len = strlen(cell) - 2;
		memcpy(to, cell + 1, len);
		return len;
	}
	do {
		len += elem_parse(t, cell, &end, to + len);
		cell = end + 1;
	} while (*end == ',');
	return len;
}

/* -- a set of it --------------------------------------------------------------------------------------------------- */

static struct line *line_before(struct text *t, struct line *l, const char *type)
{
	while (l-- > t->line)
		if (!strcmp(l->type, type))
			return l;
	fail_msg("no %s", type);
	return NULL;
}

/* A list of records names no record type: it is the last one in front of it. */
static void record_type_add(struct schema *s, struct text *t, struct line *type)
{
	struct metric_def members[COLS_MAX];
	struct line *l = type + 1;
	char *unit;

	while (l < t->line + t->lines && !l->rows)
		l++;
	if (l == t->line + t->lines) {
		members[0] = (struct metric_def){ .name = "unseen", .type = V_U64 };
		type->record = schema_add_record(s, type->name, members, 1, NULL);
		return;
	}
	for (int c = 0; c < l->cols; c++) {
		char *title = l->row[0].cell[c];

		members[c] = def_of(l->row[1].cell[c]);
		members[c].name = xstrdup(title);
		unit = strstr(members[c].name, " (");
		if (unit) {
			*unit = '\0';
			unit += 2;
			*strchr(unit, ')') = '\0';
			members[c].unit = unit;
		}
	}
	type->record = schema_add_record(s, type->name, members, (size_t)l->cols, NULL);
	for (int c = 0; c < l->cols; c++)
		free((char *)members[c].name);
}

static void metric_add(struct schema *s, struct text *t, struct line *l)
{
	enum value_type type = value_type_find(l->type);
	struct metric_def def;
	int rc;

	if (type == V_RECORD_TYPE) {
		record_type_add(s, t, l);
		return;
	}
	if (type == V_LIST || type == V_RECORD_ARRAY) {
		size_t n = l->rows ? (size_t)l->rows - 1 : ROWS_MAX;

		if (l->rows)
			l->record = line_before(t, l, "record_type")->record;
		if (type == V_LIST)
			rc = schema_add_list(s, l->name, l->unit,
					     (uint32_t)(l->rows ? schema_record_heap(s, l->record, n)
								: schema_list_heap(V_CHAR_ARRAY, 64, n)),
					     NULL);
		else
			rc = schema_add_record_array(s, l->name, l->record, (uint32_t)n, l->unit, NULL);
	} else if (value_is_array(type)) {
		def = def_of(l->value);
		rc = l->meta ? schema_add_meta_array(s, l->name, type, def.count, l->unit, NULL)
			     : schema_add_array(s, l->name, type, def.count, l->unit, NULL);
	} else {
		rc = l->meta ? schema_add_meta(s, l->name, type, l->unit, NULL)
			     : schema_add(s, l->name, type, l->unit, NULL);
	}
	assert_true(rc >= 0);
}

static void record_fill(struct set *set, struct record *r, struct row *row, int cols)
{
	for (int c = 0; c < cols; c++) {
		struct metric_def def = def_of(row->cell[c]);
		uint8_t bytes[512] = { 0 };
		size_t len = cell_parse(def.type, row->cell[c], bytes);

		memcpy(record_slot(set, r, c), bytes, len);
	}
}

static void list_fill(struct set *set, int i, char *text)
{
	char *save = NULL;

	for (char *cell = strtok_r(text, "[,]", &save); cell; cell = strtok_r(NULL, "[,]", &save)) {
		struct metric_def def = def_of(cell);
		uint8_t bytes[512];
		size_t len = cell_parse(def.type, cell, bytes);
		void *to = list_append(set, i, def.type, def.count);

		assert_non_null(to);
		memcpy(to, bytes, len);
	}
}

static void metric_fill(struct set *set, int i, struct line *l)
{
	enum value_type type = value_type_find(l->type);
	uint8_t bytes[512];
	size_t len;

	if (type == V_LIST && l->value)
		list_fill(set, i, l->value);
	for (int r = 1; r < l->rows; r++) {
		struct record *rec = type == V_LIST ? list_append_record(set, i, l->record)
						    : record_array_slot(set, i, (uint32_t)r - 1);

		assert_non_null(rec);
		record_fill(set, rec, &l->row[r], l->cols);
	}
	if (type == V_LIST || type == V_RECORD_ARRAY || type == V_RECORD_TYPE)
		return;
	len = cell_parse(type, l->value, bytes);
	if (l->meta)
		set_meta_u64(set, i, strtoull(l->value, NULL, 10));
	else if (type == V_CHAR_ARRAY)
		set_text(set, i, (char *)bytes, len);
	else
		set_bytes(set, i, bytes, len);
}

static struct snap *snap_of_set(struct set *set, struct text *t)
{
	struct snap *sn = snap_new(set);
	struct set_data *d = (struct set_data *)sn->im.data;
	struct set_meta *m = (struct set_meta *)sn->im.meta;

	d->ts_sec = htole32((uint32_t)timegm(&t->tm));
	d->ts_usec = htole32(t->usec);
	d->flags = htole32(t->consistent ? SET_TRANS_DONE : SET_TRANS_NEVER);
	for (int i = 0; i < t->lines; i++) {
		struct metric_desc *desc = (void *)((uint8_t *)m + le32toh(m->dict[i]));

		desc->user_data = htole64(t->line[i].udata);
	}
	return sn;
}

static struct snap *snap_of_text(struct text *t)
{
	struct schema *s = schema_new("recorded", NULL);
	struct pool *pool = pool_new(0);
	struct snap *sn;
	struct set *set;

	for (int i = 0; i < t->lines; i++)
		metric_add(s, t, &t->line[i]);
	assert_int_equal(set_new(pool, s, t->instance, "node-1", 0, 0, 0440, &set, NULL), 0);
	set_begin(set);
	for (int i = 0; i < t->lines; i++)
		metric_fill(set, i, &t->line[i]);
	set_end(set);
	sn = snap_of_set(set, t);
	set_put(set);
	schema_free(s);
	pool_free(pool);
	return sn;
}

/* -- tests --------------------------------------------------------------------------------------------------------- */

static void check_file(const char *name, bool udata)
{
	struct text *t = text_read(name, udata);
	struct snap *sn = snap_of_text(t);
	char *want = file_read(name);
	struct buf got = { 0 };

	print_long_set(&got, &sn->im, udata, "");
	assert_string_equal(buf_str(&got), want);
	buf_fini(&got);
	free(want);
	snap_put(sn);
	text_free(t);
}

static void test_recorded(void **state)
{
	static const char *const names[] = { "all_example.txt", "array_example.txt", "jobinfo.txt", "jss.txt",
					     "jss2.txt",        "loadavg.txt",       "meminfo.txt", "procnetdev2.txt",
					     "procstat2.txt",   "record_sampler.txt" };

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		check_file(names[i], false);
	check_file("procstat2-u.txt", true);
}

/* A set of one list, of u64 `a` and char[] `b` records, filled by the caller. */
struct listed {
	struct pool *pool;
	struct set *set;
	int record, list;
};

static void listed_open(struct listed *l)
{
	static const struct metric_def members[] = { { .name = "a", .type = V_U64 },
						     { .name = "b", .type = V_CHAR_ARRAY, .unit = "x", .count = 8 } };
	struct schema *s = schema_new("listed", NULL);

	l->pool = pool_new(0);
	l->record = schema_add_record(s, "r", members, 2, NULL);
	l->list = schema_add_list(s, "l", NULL, 4096, NULL);
	assert_int_equal(set_new(l->pool, s, "listed", "node-1", 0, 0, 0440, &l->set, NULL), 0);
	schema_free(s);
	set_begin(l->set);
}

static void listed_add_record(struct listed *l, uint64_t a, const char *b)
{
	struct record *r = list_append_record(l->set, l->list, l->record);

	record_u64(l->set, r, 0, a);
	record_text(l->set, r, 1, b, strlen(b));
}

static void listed_add_u64s(struct listed *l, uint32_t n)
{
	uint8_t *to = list_append(l->set, l->list, n > 1 ? V_U64_ARRAY : V_U64, n);

	for (uint32_t i = 0; i < n; i++)
		to[8 * i] = (uint8_t)(i + 1);
}

/* End of the sample: is this how the list looks? */
static void listed_check(struct listed *l, const char *want)
{
	struct buf got = { 0 };
	struct snap *sn;

	set_end(l->set);
	sn = snap_new(l->set);
	value_text_put(&got, &sn->im, image_value(&sn->im, (uint32_t)l->list));
	assert_string_equal(buf_str(&got), want);
	buf_fini(&got);
	snap_put(sn);
	set_put(l->set);
	pool_free(l->pool);
}

static void test_lists(void **state)
{
	struct listed l;

	(void)state;
	listed_open(&l);
	listed_check(&l, "[]\n");

	listed_open(&l);
	listed_add_u64s(&l, 2);
	listed_add_u64s(&l, 1);
	listed_check(&l, "[[1,2],1]\n");

	listed_open(&l);
	listed_add_record(&l, 5, "long text");
	listed_add_record(&l, 1234, "");
	listed_check(&l, "\n     a      b (x)\n     5 \"long tex\"\n  1234         \"\"");
}

/* Put together by hand: the first entry, an array, becomes the head of a list that holds the second one. */
static void test_nested_list(void **state)
{
	struct list_entry *outer, *inner;
	struct list_head *top, *head;
	struct listed l;

	(void)state;
	listed_open(&l);
	head = list_append(l.set, l.list, V_U32_ARRAY, sizeof(*head) / 4);
	outer = (void *)((uint8_t *)head - sizeof(*outer));
	inner = (void *)((uint8_t *)list_append(l.set, l.list, V_U8, 1) - sizeof(*inner));
	inner->value[0] = 5;
	top = set_slot(l.set, l.list);
	*head = (struct list_head){ .first = top->last, .last = top->last, .len = htole32(1) };
	outer->type_count = htole32(V_LIST | 1 << 8);
	outer->next = inner->prev = 0;
	top->last = top->first;
	top->len = htole32(1);
	listed_check(&l, "[[5]\n]\n");
}

/* ldms_ls gives up on these. */
static void test_mixed_list(void **state)
{
	struct listed l;

	(void)state;
	listed_open(&l);
	listed_add_u64s(&l, 1);
	listed_add_record(&l, 5, "t");
	listed_check(&l, "[1,{a=5,b=\"t\"}]\n");
}

/* A value that lies outside its data element, as behind a record array of ldmsd. */
static void test_unavailable(void **state)
{
	struct schema *s = schema_new("s", NULL);
	struct pool *pool = pool_new(0);
	struct buf got = { 0 };
	struct metric_desc *d;
	struct set_meta *m;
	struct snap *sn;
	struct set *set;

	(void)state;
	schema_add(s, "here", V_U64, "kB", NULL);
	schema_add(s, "outside", V_U64, NULL, NULL);
	assert_int_equal(set_new(pool, s, "n/s", "n", 0, 0, 0440, &set, NULL), 0);
	sn = snap_new(set);
	m = (struct set_meta *)sn->im.meta;
	d = (void *)((uint8_t *)m + le32toh(m->dict[1]));
	d->off = htole32(le32toh(m->data_sz));
	print_long_set(&got, &sn->im, false, "");
	assert_string_equal(buf_str(&got), "n/s: inconsistent, last update: Thu Jan 01 00:00:00 1970 +0000 [0us] \n"
					   "D u64          here                                       0 kB\n"
					   "D none         outside                                    unavailable\n\n");
	buf_fini(&got);
	snap_put(sn);
	set_put(set);
	schema_free(s);
	pool_free(pool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_recorded),    cmocka_unit_test(test_lists),
		cmocka_unit_test(test_nested_list), cmocka_unit_test(test_mixed_list),
		cmocka_unit_test(test_unavailable),
	};

	setenv("TZ", "UTC", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
