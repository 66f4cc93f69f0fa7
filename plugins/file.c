/* file.c - values out of any text files, picked by regular expressions
 *
 * conf= names a file of lines
 *
 *	# name	type	path			expression
 *	temp	D64	/run/sensors/chassis	^inlet:[ ]*([0-9.]+)
 *
 * The value is what stands in the first pair of parentheses of the first place that matches, or the whole of that place.
 * A file that several lines name is read once a sample.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "core/base/regex.h"
#include "core/base/xalloc.h"
#include "plugins/attr.h"
#include "plugins/fill.h"
#include "plugins/proc.h"
#include "plugins/samp.h"
#include "plugins/test_grammar.h"

#define BLANKS       " \t\r\n"
#define CONF_EXAMPLE "conf=/etc/ldms/files.conf"
#define TEXT_SIZE    256 /* bytes of a text, with its NUL */

static const struct samp_attr attrs[] = {
	{ "conf", NULL, "a file of lines `name type path expression`; must be given; types are U8 to D64, and TEXT" },
	{ NULL, NULL, NULL },
};

static const struct metric_def metrics[] = {
	{ "NAME", V_NONE, "", METRIC_GAUGE, "what the expression matches in the file; 0 or \"\": nothing does", 1 },
	{ NULL, V_NONE, NULL, METRIC_GAUGE, NULL, 0 },
};

struct row {
	enum value_type type;
	struct rx rx;
	size_t file;
	int metric;
};

struct file {
	struct set *set;
	struct row *rows;
	size_t n;
	struct proc_file *files;
	char **paths;
	size_t n_files;
};

/* The file of that path, below the root. */
static size_t file_of(struct file *f, const struct samp *sp, const char *path)
{
	char *full = xasprintf("%s%s", samp_root(sp), path);

	for (size_t i = 0; i < f->n_files; i++)
		if (!strcmp(f->paths[i], full)) {
			free(full);
			return i;
		}
	f->paths = xrealloc(f->paths, (f->n_files + 1) * sizeof(*f->paths));
	f->files = xrealloc(f->files, (f->n_files + 1) * sizeof(*f->files));
	f->files[f->n_files] = (struct proc_file){ 0 };
	f->paths[f->n_files] = full;
	return f->n_files++;
}

/* A line; it is cut up. */
static int line_take(struct file *f, struct samp *sp, struct schema *s, char *line, struct err *err)
{
	char *save, *name = strtok_r(line, BLANKS, &save), *type, *path, *expr;
	struct metric_def def = metrics[0];
	struct row row = { 0 };
	int rc;

	if (!name || *name == '#')
		return 0;
	type = strtok_r(NULL, BLANKS, &save);
	path = strtok_r(NULL, BLANKS, &save);
	expr = strtok_r(NULL, "\r\n", &save);
	if (!expr || !*(expr += strspn(expr, BLANKS)))
		return err_set(err, -EINVAL, "a line is `name type path expression`");
	if (*path != '/')
		return err_set(err, -EINVAL, "path %s: must begin with /", path);
	def.type = row.type = strcasecmp(type, "TEXT") ? test_type_find(type, strlen(type)) : V_CHAR_ARRAY;
	if (row.type != V_CHAR_ARRAY && (row.type == V_NONE || row.type == V_CHAR || value_is_array(row.type)))
		return err_set(err, -EINVAL, "type %s: is none of U8 S8 U16 S16 U32 S32 U64 S64 F32 D64 TEXT", type);
	def.name = name;
	def.count = row.type == V_CHAR_ARRAY ? TEXT_SIZE : 1;
	rc = rx_init_find(&row.rx, expr, err);
	if (rc)
		return rc;
	rc = row.metric = schema_add_defs(s, &def, 1, err);
	if (rc < 0) {
		rx_fini(&row.rx);
		return rc;
	}
	row.file = file_of(f, sp, path);
	f->rows = xrealloc(f->rows, (f->n + 1) * sizeof(*f->rows));
	f->rows[f->n++] = row;
	return 0;
}

static int conf_read(struct file *f, struct samp *sp, struct schema *s, struct err *err)
{
	const char *path;
	size_t room = 0, number = 0;
	char *line = NULL;
	FILE *in;
	int rc = attr_needed(sp, "conf", CONF_EXAMPLE, &path, err);

	if (rc)
		return rc;
	in = fopen(path, "re");
	if (!in)
		return err_set(err, -EINVAL, "conf=%s: cannot be opened: %s", path, err_name(errno));
	while (!rc && getline(&line, &room, in) >= 0) {
		number++;
		rc = line_take(f, sp, s, line, err);
	}
	if (rc)
		err_prefix(err, rc, "conf=%s:%zu: ", path, number);
	else if (!f->n)
		rc = err_set(err, -EINVAL, "conf=%s: has no line `name type path expression`", path);
	free(line);
	fclose(in);
	return rc;
}

static int file_check(struct samp *sp, struct err *err)
{
	const char *path;

	return attr_needed(sp, "conf", CONF_EXAMPLE, &path, err);
}

static int file_open(struct samp *sp, struct err *err)
{
	struct file *f = samp_state(sp);
	struct schema *s = samp_schema_new(sp, "file", err);
	int rc = s ? conf_read(f, sp, s, err) : -EINVAL;

	if (rc) {
		schema_free(s);
		return rc;
	}
	f->set = samp_set_new(sp, s, "", err);
	return f->set ? 0 : -ENOMEM;
}

static void value_put(struct file *f, const struct row *row, const char *text, size_t len)
{
	char number[64];
	uint64_t whole;

	if (row->type == V_CHAR_ARRAY) {
		set_text(f->set, row->metric, text, len < TEXT_SIZE ? len : TEXT_SIZE - 1);
		return;
	}
	snprintf(number, sizeof(number), "%.*s", (int)(len < sizeof(number) ? len : sizeof(number) - 1), text);
	if (row->type == V_F32 || row->type == V_D64)
		fill_reals(set_slot(f->set, row->metric), row->type, 1, strtod(number, NULL), 0);
	else
		fill_ints(set_slot(f->set, row->metric), row->type, 1, test_init_parse(number, &whole) ? whole : 0, 0);
}

static void row_sample(struct file *f, const struct row *row, const char *text)
{
	size_t from, len;

	if (text && rx_find(&row->rx, text, &from, &len))
		value_put(f, row, text + from, len);
	else
		value_put(f, row, "", 0);
}

/* Files are opened for each sample: whoever writes them puts new ones in their place. */
static int file_sample(struct samp *sp, struct err *err)
{
	struct file *f = samp_state(sp);
	int rc = 0;

	samp_begin(sp, f->set);
	for (size_t k = 0; k < f->n_files; k++) {
		struct proc_file *pf = &f->files[k];
		int one = proc_open(pf, "", f->paths[k], rc ? NULL : err);

		if (!one)
			one = proc_read(pf, rc ? NULL : err);
		for (size_t i = 0; i < f->n; i++)
			if (f->rows[i].file == k)
				row_sample(f, &f->rows[i], one ? NULL : pf->buf);
		proc_close(pf);
		rc = rc ? rc : one;
	}
	samp_end(sp, f->set);
	return rc;
}

static void file_close(struct samp *sp)
{
	struct file *f = samp_state(sp);

	for (size_t i = 0; i < f->n; i++)
		rx_fini(&f->rows[i].rx);
	for (size_t i = 0; i < f->n_files; i++)
		free(f->paths[i]);
	free(f->rows);
	free(f->files);
	free(f->paths);
}

const struct samp_type samp_file = {
	.name = "file",
	.brief = "values out of text files, by expressions",
	.source = "files",
	.attrs = attrs,
	.metrics = metrics,
	.state_size = sizeof(struct file),
	.check = file_check,
	.open = file_open,
	.sample = file_sample,
	.close = file_close,
};
