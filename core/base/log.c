/* log.c - see log.h.  How a line is said, and where the log goes; the rest is in log_*.c. */
#include "core/base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/log_impl.h"
#include "core/base/xalloc.h"

#define CUT "..." /* behind a text that is longer than a line */

void log_line(enum log_level level, const char *subsys, const char *fmt, ...)
{
	char text[LOG_TEXT_MAX];
	struct log_entry e = { .level = level, .subsys = subsys, .text = text };
	va_list ap;
	int n;

	clock_gettime(CLOCK_REALTIME, &e.at);
	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	e.len = (size_t)n;
	if (e.len >= sizeof(text)) {
		e.len = sizeof(text) - 1;
		memcpy(text + e.len - strlen(CUT), CUT, strlen(CUT));
	}
	log_queue_put(&e);
}

int log_use(int fd, const char *path, struct err *err)
{
	if (fd < 0)
		return err_set(err, fd, "log file %s: %s; give a path that can be written", path, err_name(fd));
	log_queue_sink(log_sink_file(fd, path));
	return 0;
}

int log_open(const char *path, struct err *err)
{
	struct err why = { "" };
	struct log_sink *s;
	int fd;

	if (!path || log_is_service(path)) {
		s = path ? log_sink_service(path, &why) : log_sink_dflt();
		if (!s)
			return err_set(err, -ENOENT, "%s", why.msg);
		log_queue_sink(s);
		return 0;
	}
	fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0600);
	return log_use(fd < 0 ? -errno : fd, path, err);
}

int log_rotate(struct err *err)
{
	char *path = log_queue_path(), *old;
	struct timespec now;
	int rc = 0;

	clock_gettime(CLOCK_REALTIME, &now);
	old = path ? xasprintf("%s-%lld", path, (long long)now.tv_sec) : NULL;
	if (!path)
		rc = err_set(err, -EINVAL, "Failed to rotate the log file. Invalid argument");
	else if (rename(path, old))
		rc = err_set(err, -errno, "Failed to rotate the log file. %s", err_name(errno));
	else
		log_reopen();
	free(path);
	free(old);
	return rc;
}
