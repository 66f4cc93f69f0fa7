/* fn_conf.c - the definitions of store function_csv, one a line:
 *
 *	SCHEMA NAME FUNCTION COUNT METRIC[,METRIC...] SCALE|THRESHOLD 0|1
 *
 * and comments from '#' on.  The last word says whether the column is written.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/str.h"
#include "core/base/unit.h"
#include "core/base/xalloc.h"
#include "store/fn_impl.h"

#define WORDS    7
#define OF_MAX   1024
#define DEFS_MAX 65536
#define FILE_MAX (8u << 20) /* bytes */

static const struct {
	const char *name;
	enum fn_op op;
	unsigned int n_of; /* 0: any number */
} ops[] = {
	{ "RAW", FN_RAW, 1 },
	{ "DELTA", FN_DELTA, 1 },
	{ "RATE", FN_RATE, 1 },
	{ "MAX", FN_MAX, 1 },
	{ "MIN", FN_MIN, 1 },
	{ "SUM", FN_SUM, 1 },
	{ "AVG", FN_AVG, 1 },
	{ "THRESH_GE", FN_THRESH_GE, 1 },
	{ "THRESH_LT", FN_THRESH_LT, 1 },
	{ "SUM_N", FN_SUM_N, 0 },
	{ "AVG_N", FN_AVG_N, 0 },
	{ "MAX_N", FN_MAX_N, 0 },
	{ "MIN_N", FN_MIN_N, 0 },
	{ "SUB_AB", FN_SUB_AB, 2 },
	{ "MUL_AB", FN_MUL_AB, 2 },
	{ "DIV_AB", FN_DIV_AB, 2 },
	{ "SUM_VS", FN_SUM_VS, 2 },
	{ "SUB_VS", FN_SUB_VS, 2 },
	{ "SUB_SV", FN_SUB_SV, 2 },
	{ "MUL_VS", FN_MUL_VS, 2 },
	{ "DIV_VS", FN_DIV_VS, 2 },
	{ "DIV_SV", FN_DIV_SV, 2 },
};
#define N_OPS (sizeof(ops) / sizeof(*ops))

static void def_fini(struct fn_def *d)
{
	for (unsigned int i = 0; i < d->n_of; i++)
		free(d->of[i]);
	free(d->of);
	free(d->schema);
	free(d->name);
}

void fn_defs_fini(struct fn_defs *d)
{
	for (size_t i = 0; i < d->n; i++)
		def_fini(&d->v[i]);
	free(d->v);
	*d = (struct fn_defs){ 0 };
}

static int op_find(struct fn_def *d, const char *word, uint64_t count, struct err *err)
{
	const char *names[N_OPS + 1] = { NULL }, *near;

	for (size_t i = 0; i < N_OPS; i++) {
		names[i] = ops[i].name;
		if (strcmp(ops[i].name, word))
			continue;
		d->op = ops[i].op;
		if (ops[i].n_of ? count == ops[i].n_of : count >= 1 && count <= OF_MAX)
			return 0;
		return err_set(err, -EINVAL, "%s takes %s metric%s, not %llu", word,
			       ops[i].n_of == 1   ? "one"
			       : ops[i].n_of == 2 ? "two"
						  : "1 to 1024",
			       ops[i].n_of == 1 ? "" : "s", (unsigned long long)count);
	}
	near = nearest(word, names);
	return err_set(err, -EINVAL, "there is no function %s%s%s%s", word, near ? "; did you mean " : "",
		       near ? near : "", near ? "?" : "; see function_csv in ldms-stores(7)");
}

static int def_read(struct fn_def *d, char *word[WORDS], struct err *err)
{
	uint64_t count;
	char *end, *copy, *at;
	int rc = unit_u64(word[3], &count, err);

	if (!rc)
		rc = op_find(d, word[2], count, err);
	if (rc)
		return rc;
	d->scale = strtod(word[5], &end);
	if (end == word[5] || *end)
		return err_set(err, -EINVAL, "%s: a number goes there, the scale or threshold", word[5]);
	rc = unit_bool(word[6], &d->written, err);
	if (rc)
		return rc;
	d->schema = xstrdup(word[0]);
	d->name = xstrdup(word[1]);
	d->of = xcalloc(count, sizeof(*d->of));
	copy = at = xstrdup(word[4]);
	while (at && d->n_of < count)
		d->of[d->n_of++] = xstrdup(strsep(&at, ","));
	if (at || d->n_of < count)
		rc = err_set(err, -EINVAL,
			     "%s: %llu metrics are named there, as the word before says, with commas between", word[4],
			     (unsigned long long)count);
	free(copy);
	return rc;
}

static int line_read(struct fn_defs *ds, char *line, struct err *err)
{
	char *word[WORDS], *at = line, *next;
	struct fn_def d = { 0 };
	size_t n = 0;
	int rc;

	line[strcspn(line, "#")] = '\0';
	while ((next = strtok_r(at, " \t\r", &at)) && n < WORDS)
		word[n++] = next;
	if (!n)
		return 0;
	if (n < WORDS || next)
		return err_set(err, -EINVAL,
			       "seven words go there: SCHEMA NAME FUNCTION COUNT METRIC,METRIC... SCALE 0|1");
	if (ds->n == DEFS_MAX)
		return err_set(err, -E2BIG, "more than %d definitions", DEFS_MAX);
	rc = def_read(&d, word, err);
	if (rc) {
		def_fini(&d);
		return rc;
	}
	ds->v = xrealloc(ds->v, (ds->n + 1) * sizeof(*ds->v));
	ds->v[ds->n++] = d;
	return 0;
}

int fn_defs_parse(const char *text, struct fn_defs *ret, struct err *err)
{
	struct fn_defs ds = { 0 };
	unsigned int number = 0;
	int rc = 0;

	while (!rc && *text) {
		size_t len = strcspn(text, "\n");
		char *line = xstrndup(text, len);

		number++;
		rc = line_read(&ds, line, err);
		free(line);
		text += len + (text[len] == '\n');
	}
	if (rc) {
		fn_defs_fini(&ds);
		return err_prefix(err, rc, "line %u: ", number);
	}
	*ret = ds;
	return 0;
}

int fn_defs_load(const char *path, struct fn_defs *ret, struct err *err)
{
	FILE *f = fopen(path, "re");
	struct buf b = { 0 };
	int rc;

	if (!f)
		return err_set(err, -errno, "%s: cannot be opened: %s; name a file that the daemon may read", path,
			       err_name(-errno));
	rc = buf_slurp(&b, f, FILE_MAX);
	if (rc == -EFBIG)
		rc = err_set(err, rc, "%s: has more than %u bytes; name a file of definitions", path, FILE_MAX);
	else if (rc)
		rc = err_set(err, rc, "%s: cannot be read: %s; name a file of definitions", path, err_name(rc));
	else
		rc = (rc = fn_defs_parse(buf_str(&b), ret, err)) ? err_prefix(err, rc, "%s: ", path) : 0;
	fclose(f);
	buf_fini(&b);
	return rc;
}
