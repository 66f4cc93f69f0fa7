/* log.c - see log.h.  A line is made in a local buffer and leaves in one write(), so threads never mix theirs. */
#include "core/base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#define LINE_MAX_ 1024 /* bytes of one line; longer ones are cut */

static const char *const level_names[] = { "DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL", "QUIET" };

static atomic_int log_fd = STDERR_FILENO;
static atomic_int log_level = LOG_INFO_;
static atomic_bool log_time;

int log_open(const char *path, struct err *err)
{
	int fd;

	if (!path)
		return 0;
	fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	return log_use(fd < 0 ? -errno : fd, path, err);
}

int log_use(int fd, const char *path, struct err *err)
{
	if (fd < 0)
		return err_set(err, fd, "log file %s: %s; give a path that can be written", path, err_name(fd));
	if (log_fd == STDERR_FILENO) {
		log_fd = fd;
		return 0;
	}
	/* in the place of the old one: another thread may be about to write to that number */
	dup3(fd, log_fd, O_CLOEXEC);
	close(fd);
	return 0;
}

int log_level_parse(const char *word, enum log_level *ret, struct err *err)
{
	for (size_t i = 0; i < sizeof(level_names) / sizeof(*level_names); i++) {
		if (strcasecmp(word, level_names[i]))
			continue;
		*ret = (enum log_level)i;
		return 0;
	}
	return err_set(err, -EINVAL, "log level %s: unknown; use DEBUG, INFO, WARNING, ERROR, CRITICAL or QUIET", word);
}

void log_level_set(enum log_level level)
{
	log_level = level;
}

bool log_wants(enum log_level level)
{
	return (int)level >= atomic_load_explicit(&log_level, memory_order_relaxed);
}

void log_time_set(bool on)
{
	log_time = on;
}

void log_line(enum log_level level, const char *subsys, const char *fmt, ...)
{
	char line[LINE_MAX_];
	size_t n = 0;
	va_list ap;
	int k;

	if (log_time) {
		struct timespec ts;
		struct tm tm;

		clock_gettime(CLOCK_REALTIME, &ts);
		localtime_r(&ts.tv_sec, &tm);
		n = strftime(line, sizeof(line), "%Y-%m-%dT%H:%M:%S", &tm);
		n += (size_t)snprintf(line + n, sizeof(line) - n, ".%03ld: ", ts.tv_nsec / 1000000);
	}
	n += (size_t)snprintf(line + n, sizeof(line) - n, "%9s: %s: ", level_names[level], subsys);
	va_start(ap, fmt);
	k = vsnprintf(line + n, sizeof(line) - n, fmt, ap);
	va_end(ap);
	n += k < 0 ? 0 : (size_t)k;
	if (n > sizeof(line) - 1)
		n = sizeof(line) - 1;
	line[n++] = '\n';
	if (write(log_fd, line, n) < 0)
		return; /* nobody is left to tell */
}
