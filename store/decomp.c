/* decomp.c - files of decompositions, and the table of their types.  To add one: store/decomp_NAME.c, a line here, and
 * one in decomp_impl.h. */
#include "store/decomp.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/crc32c.h"
#include "core/base/xalloc.h"
#include "store/decomp_impl.h"

static const struct decomp_type *const types[] = { &decomp_as_is, &decomp_flex, &decomp_static };

const struct decomp_type *decomp_type_find(const char *name)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
		if (!strcmp(types[i]->name, name))
			return types[i];
	return NULL;
}

struct decomp *decomp_new(const struct decomp_type *type, const char *who)
{
	struct decomp *d = xcalloc(1, type->size);

	d->type = type;
	d->who = xstrdup(who);
	return d;
}

void decomp_free(struct decomp *d)
{
	if (!d)
		return;
	d->type->free(d);
	free(d->who);
	free(d);
}

void decomp_reset(struct decomp *d)
{
	if (d->type->reset)
		d->type->reset(d);
}

int decomp_read(const char *who, const struct jat *at, struct decomp **ret, struct err *err)
{
	struct jat word = jat_get(at, "type");
	const char *name = json_string_value(word.v);
	const struct decomp_type *type = name ? decomp_type_find(name) : NULL;
	struct decomp *d;
	int rc;

	if (!name)
		return jat_err(&word, -EINVAL, err,
			       "decomposer: json parser error: JSON configuration is missing the 'type' attribute.");
	if (!type)
		return jat_err(&word, -ENOENT, err, "decomposer: Cannot load the decomposer %s library.", name);
	d = decomp_new(type, who);
	rc = type->read(d, at, err);
	if (rc) {
		decomp_free(d);
		return rc;
	}
	*ret = d;
	return 0;
}

/* -- files --------------------------------------------------------------------------------------------------------- */

/* What jansson calls its errors is not said by it; ldmsd says it so. */
static const char *json_error_name(const json_error_t *e)
{
	static const char *const names[] = {
		[json_error_unknown] = "unknown error",
		[json_error_out_of_memory] = "out of memory",
		[json_error_stack_overflow] = "stack overflow",
		[json_error_cannot_open_file] = "cannot open file",
		[json_error_invalid_argument] = "invalid argument",
		[json_error_invalid_utf8] = "invalid UTF8",
		[json_error_premature_end_of_input] = "unexpected end of file",
		[json_error_end_of_input_expected] = "unexpected data at end of object",
		[json_error_invalid_syntax] = "invalid syntax",
		[json_error_null_character] = "null character",
		[json_error_numeric_overflow] = "numeric overflow",
	};
	enum json_error_code code = json_error_code(e);

	return code < sizeof(names) / sizeof(*names) && names[code] ? names[code] : names[json_error_unknown];
}

int decomp_parse(const char *who, const char *text, size_t len, struct decomp **ret, unsigned int *ret_line,
		 struct err *err)
{
	struct reading r = { text, len, 0 };
	struct jat root = { .r = &r };
	json_error_t e;
	int rc;

	root.v = json_loadb(text, len, 0, &e);
	if (!root.v) {
		*ret_line = e.line > 0 ? (unsigned int)e.line : 0;
		return err_set(err, -EINVAL, "decomposer: json parser error: line %d column: %d %s: %s", e.line,
			       e.column, json_error_name(&e), e.text);
	}
	rc = decomp_read(who, &root, ret, err);
	if (!rc)
		(*ret)->mark = (uint64_t)len << 32 | crc32c(text, len);
	*ret_line = r.line;
	json_decref(root.v);
	return rc;
}

bool decomp_same(const struct decomp *a, const struct decomp *b)
{
	return a->mark == b->mark;
}

/* A file that is none does not hold us up: a pipe is not waited for, "/dev/zero" ends at the maximum. */
static int file_text(const char *path, struct buf *b, struct err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "r");
	int rc;

	if (!f)
		return err_set(
			err, -EINVAL,
			"decomposer: json parser error: line -1 column: -1 cannot open file: unable to open %s: %s",
			path, err_name(errno));
	rc = buf_slurp(b, f, DECOMP_FILE_MAX);
	if (rc == -EFBIG)
		rc = err_set(err, rc, "decomposer: %s: it is longer than %u MiB; is it the right file?", path,
			     DECOMP_FILE_MAX >> 20);
	else if (rc)
		rc = err_set(err, rc, "decomposer: %s: it cannot be read: %s", path, err_name(rc));
	fclose(f);
	return rc;
}

int decomp_load(const char *who, const char *path, struct decomp **ret, unsigned int *ret_line, struct err *err)
{
	struct buf b = { 0 };
	int rc;

	*ret_line = 0;
	rc = file_text(path, &b, err);
	if (!rc)
		rc = decomp_parse(who, (const char *)b.p, b.len, ret, ret_line, err);
	buf_fini(&b);
	return rc;
}
