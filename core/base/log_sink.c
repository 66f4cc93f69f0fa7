/* log_sink.c - where lines end: a file or pipe, syslog's socket, or journald's.  See log_impl.h. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/base/log_impl.h"
#include "core/base/xalloc.h"

struct log_sink {
	const struct service *service; /* NULL: a file */
	int fd;                        /* -1: it could not be reached the last time */
	char *path;                    /* NULL: standard error */
	bool regular;                  /* a file on a disk: always ready */
	bool torn;                     /* the last line was written in part */
};

static const struct service {
	const char *name, *path;
	size_t (*format)(const struct log_entry *e, char *to);
} services[] = {
	{ "journald", "/run/systemd/journal/socket", log_format_journal },
	{ "syslog", "/dev/log", log_format_syslog },
};

static const struct service *service_find(const char *name, const char **ret_path)
{
	for (size_t i = 0; i < sizeof(services) / sizeof(*services); i++) {
		size_t n = strlen(services[i].name);

		if (strncmp(name, services[i].name, n) || (name[n] && (name[n] != ':' || name[n + 1] != '/')))
			continue;
		*ret_path = name[n] ? name + n + 1 : services[i].path;
		return &services[i];
	}
	return NULL;
}

bool log_is_service(const char *path)
{
	const char *socket_path;

	return service_find(path, &socket_path);
}

/* The socket, or a negative errno.  syslog's may be one for streams. */
static int service_connect(const char *path)
{
	static const int types[] = { SOCK_DGRAM, SOCK_SEQPACKET, SOCK_STREAM };
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int rc = -EPROTOTYPE;

	if (strlen(path) >= sizeof(un.sun_path))
		return -ENAMETOOLONG;
	memcpy(un.sun_path, path, strlen(path));
	for (size_t i = 0; i < sizeof(types) / sizeof(*types) && rc == -EPROTOTYPE; i++) {
		int fd = socket(AF_UNIX, types[i] | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

		if (fd < 0)
			return -errno;
		if (!connect(fd, (struct sockaddr *)&un, sizeof(un)))
			return fd;
		rc = -errno;
		close(fd);
	}
	return rc;
}

struct log_sink *log_sink_file(int fd, const char *path)
{
	struct log_sink *s = xcalloc(1, sizeof(*s));
	struct stat st;

	s->fd = fd;
	s->path = path ? xstrdup(path) : NULL;
	s->regular = !fstat(fd, &st) && S_ISREG(st.st_mode);
	return s;
}

struct log_sink *log_sink_service(const char *name, struct err *err)
{
	const char *path = NULL;
	const struct service *service = service_find(name, &path);
	int fd = service ? service_connect(path) : -EINVAL;
	struct log_sink *s;

	if (fd < 0) {
		err_set(err, fd, "log to %s: %s: %s; does it run?", name, path ? path : "", err_name(fd));
		return NULL;
	}
	s = xcalloc(1, sizeof(*s));
	s->service = service;
	s->path = xstrdup(path);
	s->fd = fd;
	return s;
}

/* systemd says which file journald reads. */
static bool journal_reads(int fd)
{
	const char *said = getenv("JOURNAL_STREAM");
	unsigned long long dev, ino;
	struct stat st;

	return said && sscanf(said, "%llu:%llu", &dev, &ino) == 2 && !fstat(fd, &st) && st.st_dev == dev &&
	       st.st_ino == ino;
}

struct log_sink *log_sink_dflt(void)
{
	struct log_sink *s = journal_reads(STDERR_FILENO) ? log_sink_service(services[0].name, NULL) : NULL;

	return s ? s : log_sink_file(STDERR_FILENO, NULL);
}

void log_sink_free(struct log_sink *s)
{
	if (!s)
		return;
	if (s->fd > STDERR_FILENO)
		close(s->fd);
	free(s->path);
	free(s);
}

const char *log_sink_path(const struct log_sink *s)
{
	return s->service ? NULL : s->path;
}

int log_sink_reopen(struct log_sink *s)
{
	int fd;

	if (s->service || !s->path)
		return 0;
	fd = open(s->path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0600);
	if (fd < 0)
		return -errno;
	close(s->fd);
	s->fd = fd;
	s->torn = false;
	return 0;
}

/* Room for a line?  Waits for it, but for no longer than wait_ms. */
static bool is_ready(const struct log_sink *s, int wait_ms)
{
	struct pollfd p = { .fd = s->fd, .events = POLLOUT };

	return s->regular || poll(&p, 1, wait_ms) == 1;
}

static int file_write(struct log_sink *s, const struct log_entry *e, int wait_ms)
{
	char bytes[1 + LOG_BYTES_MAX];
	const char *at = bytes + !s->torn;
	size_t left;
	ssize_t n;

	if (!is_ready(s, wait_ms))
		return -EAGAIN;
	bytes[0] = '\n'; /* behind what is left of the last one */
	left = log_format(e, bytes + 1) + s->torn;
	do
		n = write(s->fd, at, left);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	s->torn = (size_t)n < left;
	return s->torn ? -ENOSPC : 0;
}

/* The service may have been started anew since the last line: once more, then, on a new socket. */
static int service_write(struct log_sink *s, const struct log_entry *e, int wait_ms)
{
	char bytes[LOG_BYTES_MAX];
	size_t len = s->service->format(e, bytes);
	int rc = -ENOTCONN;

	for (int i = 0; i < 2; i++) {
		if (s->fd < 0)
			s->fd = service_connect(s->path);
		if (s->fd < 0)
			return s->fd;
		if (!is_ready(s, wait_ms))
			return -EAGAIN;
		if (send(s->fd, bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
			return 0;
		rc = -errno;
		if (rc == -EAGAIN)
			return rc;
		close(s->fd);
		s->fd = -1;
	}
	return rc;
}

int log_sink_write(struct log_sink *s, const struct log_entry *e, int wait_ms)
{
	return (s->service ? service_write : file_write)(s, e, wait_ms);
}
