/* jobinfo.c - see jobinfo.h */
#include "core/base/jobinfo.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/buf.h"
#include "core/base/unit.h"
#include "core/base/xalloc.h"

#define FILE_MODE 0644 /* the daemon that reads it is often another user */

static const struct {
	const char *key;
	size_t off;
	bool text;
} rows[] = {
	{ "JOB_ID", offsetof(struct jobinfo, job_id), false },
	{ "JOB_APP_ID", offsetof(struct jobinfo, app_id), false },
	{ "JOB_USER_ID", offsetof(struct jobinfo, user_id), false },
	{ "JOB_STATUS", offsetof(struct jobinfo, status), false },
	{ "JOB_START", offsetof(struct jobinfo, start_s), false },
	{ "JOB_END", offsetof(struct jobinfo, end_s), false },
	{ "JOB_EXIT", offsetof(struct jobinfo, exit_status), false },
	{ "JOB_USER", offsetof(struct jobinfo, user), true },
	{ "JOB_NAME", offsetof(struct jobinfo, name), true },
};
#define ROWS (sizeof(rows) / sizeof(*rows))

const char *jobinfo_path(void)
{
	const char *path = getenv(JOBINFO_PATH_ENV);

	return path && *path ? path : JOBINFO_PATH_DFLT;
}

/* One line without its end. */
static int line_take(struct jobinfo *ji, char *line, struct err *err)
{
	char *value = strchr(line, '='), *to;
	size_t len;

	if (!value)
		return 0;
	*value++ = 0;
	len = strlen(value);
	while (len && (value[len - 1] == ' ' || value[len - 1] == '\r'))
		len--;
	if (len >= 2 && *value == '"' && value[len - 1] == '"')
		value++, len -= 2;
	value[len] = 0;
	for (size_t i = 0; i < ROWS; i++) {
		if (strcmp(rows[i].key, line))
			continue;
		to = (char *)ji + rows[i].off;
		if (!rows[i].text)
			return unit_u64(value, (uint64_t *)to, err) ? err_prefix(err, -EINVAL, "%s=: ", line) : 0;
		snprintf(to, JOBINFO_TEXT_SIZE, "%s", value);
	}
	return 0;
}

int jobinfo_parse(struct jobinfo *ret, const char *text, struct err *err)
{
	struct jobinfo ji = { 0 };
	char *copy = xstrdup(text), *at = copy, *line;
	int rc = 0;

	while (!rc && (line = strsep(&at, "\n")))
		rc = line_take(&ji, line, err);
	free(copy);
	if (!rc)
		*ret = ji;
	return rc;
}

static void rows_print(struct buf *to, const struct jobinfo *ji)
{
	for (size_t i = 0; i < ROWS; i++) {
		const char *from = (const char *)ji + rows[i].off;

		if (!rows[i].text) {
			buf_addf(to, "%s=%llu\n", rows[i].key, (unsigned long long)*(const uint64_t *)from);
			continue;
		}
		buf_addf(to, "%s=\"", rows[i].key);
		for (; *from; from++) /* a line has one end, and a text one pair of quotes */
			buf_add(to, (unsigned char)*from < ' ' || *from == '"' ? " " : from, 1);
		buf_addf(to, "\"\n");
	}
}

int jobinfo_write(const char *path, const struct jobinfo *ji, struct err *err)
{
	char *part = xasprintf("%s.XXXXXX", path);
	struct buf b = { 0 };
	int fd = mkstemp(part), rc = 0;

	if (fd < 0) {
		rc = err_set(err, -errno, "%s: cannot be written: %s; is its folder there, and yours?", path,
			     err_name(errno));
		free(part);
		return rc;
	}
	rows_print(&b, ji);
	if (write(fd, b.p, b.len) != (ssize_t)b.len || fchmod(fd, FILE_MODE))
		rc = -errno;
	if (close(fd) && !rc)
		rc = -errno;
	if (!rc && rename(part, path))
		rc = -errno;
	if (rc) {
		unlink(part);
		err_set(err, rc, "%s: cannot be written: %s", path, err_name(rc));
	}
	buf_fini(&b);
	free(part);
	return rc;
}
