/* query_csv.c - rows from a folder that store csv writes: PATH/SCHEMA or PATH/CONTAINER/SCHEMA, with what was added to
 * the name for another shape (_1a2b3c4) or at a roll over (.1795289466)
 *
 * Files are read from end to end, line by line, one after the other in the order of their first rows.  Each begins with
 * its header; what has none (altheader=1) is no file of ours.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cmd/query.h"
#include "core/base/str.h"
#include "core/base/unit.h"
#include "core/base/xalloc.h"

#define FIXED        3 /* columns in front: seconds, microseconds, producer */
#define SHAPE_DIGITS 7

struct csv_src_file {
	char *path, *schema;
	int64_t first_us;
};

struct query_src {
	char *path;
	struct csv_src_file *files;
	size_t n;
};

/* A line cut into fields, in place. */
struct fields {
	char *line;
	size_t cap;
	char **v;
	size_t n, room;
};

static void fields_fini(struct fields *f)
{
	free(f->line);
	free(f->v);
}

/* At commas that are not within double quotes, which are taken off. */
static void fields_split(struct fields *f)
{
	char *p = f->line;

	f->n = 0;
	for (;;) {
		char *from = p, *to = p;
		bool quoted = false, more;

		for (; *p && *p != '\n' && *p != '\r' && (quoted || *p != ','); p++) {
			if (*p == '"' && quoted && p[1] == '"')
				*to++ = *p++;
			else if (*p == '"')
				quoted = !quoted;
			else
				*to++ = *p;
		}
		more = *p == ',';
		*to = '\0';
		if (f->n == f->room) {
			f->room = f->room ? 2 * f->room : 64;
			f->v = xrealloc(f->v, f->room * sizeof(*f->v));
		}
		f->v[f->n++] = from;
		if (!more)
			return;
		p++;
	}
}

static bool line_read(struct fields *f, FILE *from)
{
	if (getline(&f->line, &f->cap, from) < 0)
		return false;
	fields_split(f);
	return true;
}

static bool is_header(const struct fields *f)
{
	return f->n > FIXED && (!strcmp(f->v[0], "#Time") || !strcmp(f->v[0], "#Time_msec")) &&
	       !strcmp(f->v[1], "Time_usec") && !strcmp(f->v[2], "ProducerName");
}

/* Of a row; false when it is none (a header again, a line cut short). */
static bool row_time(const struct fields *f, bool msec, int64_t *ret_us)
{
	char *end;
	double t;
	long usec;

	if (f->n < FIXED)
		return false;
	t = strtod(f->v[0], &end);
	if (end == f->v[0] || !(t >= 0 && t < 1e13))
		return false;
	usec = strtol(f->v[1], &end, 10);
	*ret_us = (msec ? (int64_t)t * MSEC_US : (int64_t)t * SEC_US) + usec;
	return true;
}

/* -- files --------------------------------------------------------------------------------------------------------- */

/* The schema that a file of this name is for: without what the store added. */
static char *schema_of(const char *name)
{
	size_t len = strlen(name), cut;
	const char *dot = strrchr(name, '.');

	if (dot && dot[1] && !dot[1 + strspn(dot + 1, "0123456789")])
		len = (size_t)(dot - name);
	cut = len > SHAPE_DIGITS + 1 ? len - SHAPE_DIGITS - 1 : 0;
	if (cut && name[cut] == '_' && strspn(name + cut + 1, "0123456789abcdef") >= SHAPE_DIGITS)
		len = cut;
	return xstrndup(name, len);
}

static void file_add(struct query_src *s, const char *path, const char *name)
{
	struct csv_src_file file = { 0 };
	struct fields f = { 0 };
	FILE *from = fopen(path, "re");

	if (!from)
		return;
	if (line_read(&f, from) && is_header(&f)) {
		bool msec = f.v[0][5] != '\0';

		if (!line_read(&f, from) || !row_time(&f, msec, &file.first_us))
			file.first_us = INT64_MAX;
		file.path = xstrdup(path);
		file.schema = schema_of(name);
		s->files = xrealloc(s->files, (s->n + 1) * sizeof(*s->files));
		s->files[s->n++] = file;
	}
	fields_fini(&f);
	fclose(from);
}

static void dir_read(struct query_src *s, const char *path, unsigned int depth)
{
	DIR *d = opendir(path);
	struct dirent *e;

	while (d && (e = readdir(d))) {
		const char *dot = strrchr(e->d_name, '.');
		char *below;
		struct stat st;

		if (e->d_name[0] == '.' || (dot && (!strcmp(dot, ".HEADER") || !strcmp(dot, ".KIND"))))
			continue;
		below = xasprintf("%s/%s", path, e->d_name);
		if (!stat(below, &st) && S_ISREG(st.st_mode))
			file_add(s, below, e->d_name);
		else if (depth && S_ISDIR(st.st_mode))
			dir_read(s, below, depth - 1);
		free(below);
	}
	if (d)
		closedir(d);
}

static int by_first(const void *a, const void *b)
{
	const struct csv_src_file *f = a, *g = b;
	int names = strcmp(f->schema, g->schema);

	return names ? names : (f->first_us > g->first_us) - (f->first_us < g->first_us);
}

static int csv_open(const char *path, struct query_src **ret, struct err *err)
{
	struct query_src *s = xcalloc(1, sizeof(*s));

	s->path = xstrdup(path);
	dir_read(s, path, 1);
	if (s->n)
		qsort(s->files, s->n, sizeof(*s->files), by_first);
	*ret = s;
	return 0;
}

static void csv_close(struct query_src *s)
{
	for (size_t i = 0; i < s->n; i++) {
		free(s->files[i].path);
		free(s->files[i].schema);
	}
	free(s->files);
	free(s->path);
	free(s);
}

static FILE *file_open(const struct csv_src_file *file, struct fields *f, struct err *err)
{
	FILE *from = fopen(file->path, "re");

	if (from && line_read(f, from) && is_header(f))
		return from;
	err_set(err, -EIO, "file %s: cannot be read: %s", file->path, from ? "its header is gone" : err_name(errno));
	if (from)
		fclose(from);
	return NULL;
}

/* -- what there is ------------------------------------------------------------------------------------------------- */

static int csv_schemas(struct query_src *s, struct query_cols *ret, struct err *err)
{
	for (size_t i = 0; i < s->n; i++)
		if (!i || strcmp(s->files[i].schema, s->files[i - 1].schema))
			query_cols_add(ret, s->files[i].schema, "", false);
	return 0;
}

static bool is_number(const char *text)
{
	char *end;

	strtod(text, &end);
	return end != text && !*end;
}

/* Those of a file that are not known yet; a column is of numbers when it has one in the first row. */
static void columns_add(struct query_cols *ret, FILE *from, struct fields *head)
{
	struct fields f = { 0 };
	bool any = line_read(&f, from);

	for (size_t i = FIXED; i < head->n; i++) {
		bool known = false, number = !any || i >= f.n || is_number(f.v[i]);

		for (size_t k = 0; k < ret->n; k++)
			known |= !strcmp(ret->v[k].name, head->v[i]);
		if (!known)
			query_cols_add(ret, head->v[i], number ? "number" : "text", number);
	}
	fields_fini(&f);
}

static int csv_columns(struct query_src *s, const char *schema, struct query_cols *ret, struct err *err)
{
	const char **names = xcalloc(s->n + 1, sizeof(*names)), *near;
	struct fields head = { 0 };
	int rc = 0;

	for (size_t i = 0; !rc && i < s->n; i++) {
		FILE *from;

		names[i] = s->files[i].schema;
		if (strcmp(schema, s->files[i].schema))
			continue;
		from = file_open(&s->files[i], &head, err);
		rc = from ? 0 : -EIO;
		if (from) {
			columns_add(ret, from, &head);
			fclose(from);
		}
	}
	near = nearest(schema, names);
	if (!rc && !ret->n)
		rc = err_set(err, -ENOENT, "folder %s: no schema '%s'%s%s%s", s->path, schema,
			     near ? "; did you mean '" : "; `ldms query DIR` lists what there is", near ? near : "",
			     near ? "'?" : "");
	fields_fini(&head);
	free(names);
	return rc;
}

/* -- rows ---------------------------------------------------------------------------------------------------------- */

static struct query_value value_of(char *text)
{
	struct query_value v = { .kind = QUERY_NONE };
	char *end;

	if (!*text)
		return v;
	errno = 0;
	v.i = strtoll(text, &end, 10);
	if (!*end && !errno) {
		v.kind = QUERY_INT;
		return v;
	}
	v.d = strtod(text, &end);
	if (!*end) {
		v.kind = QUERY_REAL;
		return v;
	}
	v.kind = QUERY_TEXT;
	v.text.p = text;
	v.text.len = strlen(text);
	return v;
}

static bool node_wanted(const struct query_ask *ask, const char *node)
{
	for (size_t i = 0; i < ask->nodes.n; i++)
		if (!strcmp(ask->nodes.names[i], node))
			return true;
	return !ask->nodes.n;
}

static size_t place_of(const struct fields *head, const char *name)
{
	for (size_t i = FIXED; i < head->n; i++)
		if (!strcmp(head->v[i], name))
			return i;
	return SIZE_MAX;
}

static bool job_wanted(const struct query_ask *ask, const struct fields *f, size_t place)
{
	return !ask->has_job || (place < f->n && strtoull(f->v[place], NULL, 10) == ask->job);
}

static int file_rows(const struct csv_src_file *file, const struct query_ask *ask, query_row_fn fn, void *arg,
		     struct err *err)
{
	struct query_value *v = xcalloc(ask->n_cols + 1, sizeof(*v));
	size_t *places = xcalloc(ask->n_cols + 1, sizeof(*places)), job;
	struct fields f = { 0 };
	FILE *from = file_open(file, &f, err);
	struct query_row row = { .v = v };
	int rc = from ? 0 : -EIO;
	bool msec = from && f.v[0][5];

	for (size_t i = 0; !rc && i < ask->n_cols; i++)
		places[i] = place_of(&f, ask->cols[i]);
	job = rc ? 0 : place_of(&f, "job_id");
	while (!rc && line_read(&f, from)) {
		if (!row_time(&f, msec, &row.time_us) || row.time_us < ask->since_us || row.time_us >= ask->until_us ||
		    !node_wanted(ask, f.v[2]) || !job_wanted(ask, &f, job))
			continue;
		row.producer = (struct query_value){ .kind = QUERY_TEXT, .text = { f.v[2], strlen(f.v[2]) } };
		for (size_t i = 0; i < ask->n_cols; i++)
			v[i] = places[i] < f.n ? value_of(f.v[places[i]]) : (struct query_value){ 0 };
		rc = fn(&row, arg);
	}
	if (from)
		fclose(from);
	fields_fini(&f);
	free(places);
	free(v);
	return rc;
}

static int csv_rows(struct query_src *s, const struct query_ask *ask, query_row_fn fn, void *arg, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < s->n; i++)
		if (!strcmp(s->files[i].schema, ask->schema))
			rc = file_rows(&s->files[i], ask, fn, arg, err);
	return rc;
}

struct range {
	int64_t first, last;
};

static int range_row(const struct query_row *row, void *arg)
{
	struct range *r = arg;

	r->first = row->time_us < r->first ? row->time_us : r->first;
	r->last = row->time_us > r->last ? row->time_us : r->last;
	return 0;
}

static int csv_range(struct query_src *s, const char *schema, int64_t *ret_first, int64_t *ret_last, struct err *err)
{
	const struct query_ask ask = { .schema = schema, .since_us = INT64_MIN, .until_us = INT64_MAX };
	struct range r = { INT64_MAX, 0 };
	int rc = csv_rows(s, &ask, range_row, &r, err);

	if (rc)
		return rc;
	*ret_first = r.first == INT64_MAX ? 0 : r.first;
	*ret_last = r.last;
	return 0;
}

const struct query_src_type query_csv = {
	.open = csv_open,
	.close = csv_close,
	.schemas = csv_schemas,
	.columns = csv_columns,
	.range = csv_range,
	.rows = csv_rows,
};
