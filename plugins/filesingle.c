/* filesingle.c - single numbers of any files: counters of /sys, sensors, what a script leaves behind
 *
 * conf= names a file of lines
 *
 *	# name	path					type	default
 *	cpu_temp /sys/class/thermal/thermal_zone0/temp	S32	-1
 *
 * What the file begins with is the value; when it cannot be read, or its number does not fit the type, the default is.
 */
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "core/base/clock.h"
#include "core/base/xalloc.h"
#include "plugins/attr.h"
#include "plugins/samp.h"
#include "plugins/sysnum.h"

#define LINE_BLANKS " \t\r\n"

static const struct metric_def metrics[] = {
	{ "NAME", V_NONE, "", METRIC_GAUGE, "what the file says, in the type that its line gives", 1 },
	{ "NAME.time", V_S64, "", METRIC_GAUGE, "with `timing`: microseconds that the read took", 1 },
	{ NULL, V_NONE, NULL, METRIC_GAUGE, NULL, 0 },
};

static const struct samp_attr attrs[] = {
	{ "conf", NULL, "a file of lines `name path type default`; must be given" },
	{ "timing", "false", "metrics NAME.time behind the values: microseconds of each read" },
	{ NULL, NULL, NULL },
};

/* clang-format off */
static const struct type_row {
	const char *name;
	enum value_type type;
	int64_t min;
	uint64_t max;
} types[] = {
	{ "CHAR", V_CHAR, 0, 0 },
	{ "U8",   V_U8,   0, UINT8_MAX },
	{ "S8",   V_S8,   INT8_MIN, INT8_MAX },
	{ "U16",  V_U16,  0, UINT16_MAX },
	{ "S16",  V_S16,  INT16_MIN, INT16_MAX },
	{ "U32",  V_U32,  0, UINT32_MAX },
	{ "S32",  V_S32,  INT32_MIN, INT32_MAX },
	{ "U64",  V_U64,  0, UINT64_MAX },
	{ "S64",  V_S64,  INT64_MIN, INT64_MAX },
	{ "F32",  V_F32,  0, 0 },
	{ "D64",  V_D64,  0, 0 },
};
/* clang-format on */

struct row {
	char *name;
	struct sysnum file;
	const struct type_row *type;
	uint64_t dflt; /* the value's bits */
	void *slot;
	int64_t *time; /* or NULL */
};

struct filesingle {
	struct set *set;
	struct row *rows;
	size_t n;
	bool timing;
};

static bool real_parse(const char *text, enum value_type t, uint64_t *ret)
{
	char *end;
	double d = strtod(text, &end);
	float f = (float)d;
	uint32_t bits;

	if (end == text)
		return false;
	memcpy(ret, &d, sizeof(d));
	if (t != V_F32)
		return true;
	memcpy(&bits, &f, sizeof(bits));
	*ret = bits;
	return true;
}

/* The bits of what the text begins with, as a value of that type; false when it is none.  PROC_SLACK bytes are behind it. */
static bool value_parse(const char *text, const struct type_row *t, uint64_t *ret)
{
	const char *p;
	bool negative;
	char *end;

	if (t->type == V_CHAR) {
		*ret = (uint8_t)*text;
		return *text;
	}
	if (t->type == V_F32 || t->type == V_D64)
		return real_parse(text, t->type, ret);
	p = text = proc_blanks(text);
	*ret = proc_digits(&p);
	if (p != text && p - text < 19 && *text != '0') /* as most are; the others are for strtoull() */
		return *ret <= t->max;
	while (isspace((unsigned char)*text))
		text++;
	negative = *text == '-';
	text += negative;
	errno = 0;
	*ret = strtoull(text, &end, strncasecmp(text, "0x", 2) ? 10 : 16);
	if (!isdigit((unsigned char)*text) || errno)
		return false;
	if (!negative)
		return *ret <= t->max;
	*ret = 0 - *ret;
	return (int64_t)*ret <= 0 && (int64_t)*ret >= t->min;
}

static void value_put(void *slot, enum value_type t, uint64_t bits)
{
	switch (value_elem_size(t)) {
	case 1:
		*(uint8_t *)slot = (uint8_t)bits;
		break;
	case 2:
		*(uint16_t *)slot = htole16((uint16_t)bits);
		break;
	case 4:
		*(uint32_t *)slot = htole32((uint32_t)bits);
		break;
	default:
		*(uint64_t *)slot = htole64(bits);
	}
}

static const struct type_row *type_find(const char *name)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
		if (!strcasecmp(types[i].name, name))
			return &types[i];
	return NULL;
}

/* Is that a file that stays the same one while it changes? */
static bool is_pseudo(const char *path)
{
	return !strncmp(path, "/proc/", 6) || !strncmp(path, "/sys/", 5);
}

/* A line of the file; `line` is cut up. */
static int line_take(struct filesingle *fs, struct samp *sp, struct schema *s, char *line, struct err *err)
{
	char *save, *name = strtok_r(line, LINE_BLANKS, &save), *path, *type, *dflt;
	struct metric_def def = metrics[0];
	struct row row = { .file = { .fd = -1 } };
	char text[SYSNUM_TEXT + PROC_SLACK];

	if (!name || *name == '#')
		return 0;
	path = strtok_r(NULL, LINE_BLANKS, &save);
	type = strtok_r(NULL, LINE_BLANKS, &save);
	dflt = strtok_r(NULL, LINE_BLANKS, &save);
	if (!dflt || strtok_r(NULL, LINE_BLANKS, &save))
		return err_set(err, -EINVAL, "a line is `name path type default`");
	if (*path != '/')
		return err_set(err, -EINVAL, "path %s: must begin with /", path);
	row.type = type_find(type);
	if (!row.type)
		return err_set(err, -EINVAL, "type %s: is none of CHAR U8 S8 U16 S16 U32 S32 U64 S64 F32 D64", type);
	snprintf(text, SYSNUM_TEXT, "%s", dflt); /* the rest is of no number */
	memset(text + strlen(text), 0, PROC_SLACK);
	if (!value_parse(text, row.type, &row.dflt))
		return err_set(err, -EINVAL, "default %s: is no %s", dflt, row.type->name);
	def.name = name;
	def.type = row.type->type;
	if (schema_add_defs(s, &def, 1, err) < 0)
		return -EINVAL;
	row.name = xstrdup(name);
	row.file.path = xasprintf("%s%s", samp_root(sp), path);
	row.file.fleeting = !is_pseudo(path);
	fs->rows = xrealloc(fs->rows, (fs->n + 1) * sizeof(*fs->rows));
	fs->rows[fs->n++] = row;
	return 0;
}

static int conf_read(struct filesingle *fs, struct samp *sp, struct schema *s, struct err *err)
{
	const char *path = samp_attr(sp, "conf");
	FILE *f = fopen(path, "re");
	size_t cap = 0, number = 0;
	char *line = NULL;
	int rc = 0;

	if (!f)
		return err_set(err, -EINVAL, "conf=%s: cannot be opened: %s", path, err_name(errno));
	while (!rc && getline(&line, &cap, f) >= 0) {
		number++;
		rc = line_take(fs, sp, s, line, err);
	}
	if (rc)
		err_prefix(err, rc, "conf=%s:%zu: ", path, number);
	else if (!fs->n)
		rc = err_set(err, -EINVAL, "conf=%s: has no line `name path type default`", path);
	free(line);
	fclose(f);
	return rc;
}

static int times_add(struct filesingle *fs, struct schema *s, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; i < fs->n && rc >= 0; i++) {
		struct metric_def def = metrics[1];
		char *name = xasprintf("%s.time", fs->rows[i].name);

		def.name = name;
		rc = schema_add_defs(s, &def, 1, err);
		free(name);
	}
	return rc < 0 ? -EINVAL : 0;
}

static int filesingle_check(struct samp *sp, struct err *err)
{
	const char *conf;
	bool timing;
	int rc = attr_needed(sp, "conf", "conf=/etc/ldms/files.conf", &conf, err);

	return rc ? rc : attr_bool(sp, "timing", false, &timing, err);
}

static int filesingle_open(struct samp *sp, struct err *err)
{
	struct filesingle *fs = samp_state(sp);
	int first, rc = attr_bool(sp, "timing", false, &fs->timing, err);
	struct schema *s;

	if (rc)
		return rc;
	s = samp_schema_new(sp, "filesingle", err);
	if (!s)
		return -EINVAL;
	first = (int)schema_card(s);
	rc = conf_read(fs, sp, s, err);
	if (!rc && fs->timing)
		rc = times_add(fs, s, err);
	if (rc) {
		schema_free(s);
		return rc;
	}
	fs->set = samp_set_new(sp, s, "", err);
	if (!fs->set)
		return -ENOMEM;
	for (size_t i = 0; i < fs->n; i++) {
		fs->rows[i].slot = set_slot(fs->set, first + (int)i);
		if (fs->timing)
			fs->rows[i].time = set_slot(fs->set, first + (int)(fs->n + i));
	}
	return 0;
}

static void row_sample(struct row *r)
{
	char text[SYSNUM_TEXT];
	int64_t from_us = r->time ? mono_us() : 0;
	int rc = sysnum_read(&r->file, text, sizeof(text), NULL);
	uint64_t bits;

	value_put(r->slot, r->type->type, !rc && value_parse(text, r->type, &bits) ? bits : r->dflt);
	if (!rc && r->time)
		*r->time = (int64_t)htole64((uint64_t)(mono_us() - from_us));
}

static int filesingle_sample(struct samp *sp, struct err *err)
{
	struct filesingle *fs = samp_state(sp);

	samp_begin(sp, fs->set);
	for (size_t i = 0; i < fs->n; i++)
		row_sample(&fs->rows[i]);
	samp_end(sp, fs->set);
	return 0;
}

static void filesingle_close(struct samp *sp)
{
	struct filesingle *fs = samp_state(sp);

	for (size_t i = 0; i < fs->n; i++) {
		free(fs->rows[i].name);
		sysnum_close(&fs->rows[i].file);
	}
	free(fs->rows);
}

const struct samp_type samp_filesingle = {
	.name = "filesingle",
	.brief = "single numbers of any files",
	.source = "the files that conf= lists",
	.reads = "conf",
	.attrs = attrs,
	.metrics = metrics,
	.state_size = sizeof(struct filesingle),
	.check = filesingle_check,
	.open = filesingle_open,
	.sample = filesingle_sample,
	.close = filesingle_close,
};
