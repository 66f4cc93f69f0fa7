/* exec.c - metrics that a program of the operator's prints, as `name value` lines or as JSON objects
 *
 * The program is run for each sample and must end by the deadline; with keep=true it runs all the time, and each JSON
 * object, or each block of lines that an empty line ends, is a sample.  One that fails is run again after a second, then
 * after two, four and so on up to a minute.  The set is laid out like the object: json_shape.h.
 */
#include <errno.h>
#include <stdlib.h>

#include "core/base/clock.h"
#include "core/base/unit.h"
#include "core/base/xalloc.h"
#include "plugins/attr.h"
#include "plugins/exec_child.h"
#include "plugins/exec_lines.h"
#include "plugins/json_shape.h"
#include "plugins/namelist.h"
#include "plugins/samp.h"
#include "plugins/spawn.h"

#define OUTPUT_MAX    (1u << 20) /* bytes of one sample, or between two */
#define ARGS_MAX      256
#define DEADLINE_DFLT (10 * SEC_US)

static const struct samp_attr attrs[] = {
	{ "path", NULL, "the program; must be given, and begin with /" },
	{ "args", "none", "its arguments, separated by commas" },
	{ "keep", "false", "it runs all the time, and prints a sample whenever it likes" },
	{ "deadline", "10s", "without keep=true: when it has not ended by then it is killed" },
	{ NULL, NULL, NULL },
};

struct exec {
	char *argv[ARGS_MAX + 2];
	bool keep;
	int64_t deadline_us;
	struct exec_child child;
	json_t *object; /* what it has printed of a sample */
	struct set *set;
	struct json_shape shape;
	/* after failures */
	unsigned int fails;
	int64_t not_before_us;
	struct err why;
};

/* -- configuration ------------------------------------------------------------------------------------------------- */

static int conf_args(struct samp *sp, struct exec *ex, const char *path, struct err *err)
{
	const char *list = samp_attr(sp, "args"), *word;
	size_t n = 0, len;

	ex->argv[n++] = xstrdup(path);
	while (list && (len = namelist_next(&list, &word))) {
		if (n > ARGS_MAX)
			return err_set(err, -EINVAL, "args=: more than %d", ARGS_MAX);
		ex->argv[n++] = xstrndup(word, len);
	}
	return 0;
}

static int conf_read(struct samp *sp, struct exec *ex, struct err *err)
{
	const char *path;
	int rc = attr_needed(sp, "path", "path=/usr/local/bin/temperatures", &path, err);

	if (rc)
		return rc;
	if (*path != '/')
		return err_set(err, -EINVAL, "path=%s: must begin with /", path);
	rc = attr_time(sp, "deadline", DEADLINE_DFLT, &ex->deadline_us, err);
	if (!rc)
		rc = attr_bool(sp, "keep", false, &ex->keep, err);
	return rc ? rc : conf_args(sp, ex, path, err);
}

static void argv_free(struct exec *ex)
{
	for (char **a = ex->argv; *a; a++)
		free(*a);
}

static int exec_check(struct samp *sp, struct err *err)
{
	struct exec ex = { .argv = { NULL } };
	int rc = conf_read(sp, &ex, err);

	argv_free(&ex);
	return rc;
}

static int exec_open(struct samp *sp, struct err *err)
{
	struct exec *ex = samp_state(sp);

	ex->object = json_object();
	return conf_read(sp, ex, err);
}

/* -- the set ------------------------------------------------------------------------------------------------------- */

/* Takes the shape. */
static int set_make(struct samp *sp, struct exec *ex, struct json_shape *shape, struct err *err)
{
	struct schema *s = samp_schema_new(sp, "exec", err);
	int rc = s ? json_shape_build(shape, s, 0, err) : -EINVAL;

	if (rc) {
		schema_free(s);
		json_shape_fini(shape);
		return rc;
	}
	samp_set_drop(sp, ex->set);
	json_shape_fini(&ex->shape);
	ex->shape = *shape;
	ex->set = samp_set_new(sp, s, "", err);
	if (ex->set)
		return 0;
	json_shape_fini(&ex->shape);
	return -ENOMEM;
}

/* What has been printed is a sample. */
static int sample_put(struct samp *sp, struct exec *ex, struct err *err)
{
	struct json_shape shape;
	int rc = json_shape_learn(&ex->shape, ex->object, &shape, err);

	if (rc > 0)
		rc = set_make(sp, ex, &shape, err);
	if (!rc && ex->set) {
		samp_begin(sp, ex->set);
		json_shape_fill(&ex->shape, ex->set, ex->object);
		samp_end(sp, ex->set);
	}
	json_object_clear(ex->object);
	return rc;
}

/* -- output -------------------------------------------------------------------------------------------------------- */

/* All whole lines of the output, and with `all` what stands behind the last end of a line, too. */
static int lines_take(struct samp *sp, struct exec *ex, bool all, struct err *err)
{
	struct buf *b = &ex->child.out;
	size_t at = 0;
	int rc = 0;

	while (at < b->len) {
		const char *line = (const char *)b->p + at, *end = memchr(line, '\n', b->len - at);
		size_t len = end ? (size_t)(end - line) : b->len - at;

		if (!end && !all && len <= EXEC_LINE_MAX)
			break;
		if (len > EXEC_LINE_MAX)
			return err_set(err, -EINVAL, "%s: printed a line of more than %d bytes", ex->argv[0],
				       EXEC_LINE_MAX);
		at += len + 1;
		rc = exec_line_take(ex->object, line, len, err);
		if (rc > 0 && ex->keep)
			rc = sample_put(sp, ex, err);
		if (rc < 0)
			return err_prefix(err, rc, "%s: printed ", ex->argv[0]);
	}
	buf_consume(b, at < b->len ? at : b->len);
	return 0;
}

/* One run, from its beginning to its end. */
static int run_once(struct samp *sp, struct exec *ex, struct err *err)
{
	int64_t until_us = mono_us() + ex->deadline_us;
	char deadline[32];
	int rc = exec_child_begin(&ex->child, ex->argv, err), ended;

	if (rc)
		return rc;
	while (!(rc = exec_child_read(&ex->child, OUTPUT_MAX, err))) {
		if (ex->child.out.len >= OUTPUT_MAX)
			rc = err_set(err, -EFBIG, "%s: printed more than %u bytes; it was killed", ex->argv[0],
				     OUTPUT_MAX);
		else if (!exec_child_wait(&ex->child, until_us))
			rc = err_set(err, -ETIMEDOUT, "%s: did not end within %s (deadline=); it was killed",
				     ex->argv[0], unit_time_text(ex->deadline_us, deadline));
		if (rc)
			break;
	}
	ended = exec_child_end(&ex->child, rc < 0, ex->argv[0], err);
	if (rc < 0 || ended)
		return rc < 0 ? rc : ended;
	rc = lines_take(sp, ex, true, err);
	if (!rc && !json_object_size(ex->object))
		rc = err_set(err, -ENODATA, "%s: printed nothing", ex->argv[0]);
	return rc ? rc : sample_put(sp, ex, err);
}

/* What one that keeps running has printed since the last time. */
static int run_on(struct samp *sp, struct exec *ex, struct err *err)
{
	int rc = ex->child.pid ? 0 : exec_child_begin(&ex->child, ex->argv, err), gone;

	if (rc)
		return rc;
	gone = exec_child_read(&ex->child, OUTPUT_MAX, err);
	if (gone < 0)
		return gone;
	rc = lines_take(sp, ex, gone, err);
	if (!rc && ex->child.out.len >= OUTPUT_MAX)
		rc = err_set(err, -EFBIG, "%s: printed more than %u bytes between two samples", ex->argv[0],
			     OUTPUT_MAX);
	if (!rc && gone && json_object_size(ex->object))
		rc = sample_put(sp, ex, err);
	if (!rc && gone)
		rc = exec_child_end(&ex->child, false, ex->argv[0], err);
	if (!rc && gone)
		rc = err_set(err, -ECHILD, "%s: has ended, and was to go on (keep=true)", ex->argv[0]);
	return rc;
}

static int exec_sample(struct samp *sp, struct err *err)
{
	struct exec *ex = samp_state(sp);
	int64_t now_us = mono_us();
	int rc;

	if (now_us < ex->not_before_us) {
		*err = ex->why;
		return -EAGAIN;
	}
	rc = ex->keep ? run_on(sp, ex, err) : run_once(sp, ex, err);
	if (!rc) {
		ex->fails = 0;
		return 0;
	}
	exec_child_end(&ex->child, true, ex->argv[0], NULL);
	json_object_clear(ex->object);
	ex->not_before_us = now_us + spawn_pause_us(ex->fails++);
	ex->why = *err;
	return rc;
}

static void exec_close(struct samp *sp)
{
	struct exec *ex = samp_state(sp);

	exec_child_end(&ex->child, true, "", NULL);
	buf_fini(&ex->child.out);
	json_shape_fini(&ex->shape);
	json_decref(ex->object);
	argv_free(ex);
}

const struct samp_type samp_exec = {
	.name = "exec",
	.brief = "what a program of yours prints",
	.source = "a program",
	.attrs = attrs,
	.state_size = sizeof(struct exec),
	.check = exec_check,
	.open = exec_open,
	.sample = exec_sample,
	.close = exec_close,
};
