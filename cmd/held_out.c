/* held_out.c - see held_out.h */
#include "cmd/held_out.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/base/buf.h"
#include "core/base/xalloc.h"

#define WAIT_MS 200 /* a reader that takes nothing for so long has stopped: a pager */

struct held_out {
	int fd;
	bool holding;
	struct buf held;
};

/* A pipe that can be written takes so much at once, and so do others of these. */
static int some_write(int fd, const uint8_t *p, size_t len)
{
	ssize_t n = write(fd, p, len < PIPE_BUF ? len : PIPE_BUF);

	if (n < 0 && errno != EINTR)
		return -1;
	return n > 0 ? (int)n : 0;
}

static int all_write(int fd, const uint8_t *p, size_t len)
{
	while (len) {
		int n = some_write(fd, p, len);

		if (n < 0)
			return -1;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

static ssize_t held_write(void *cookie, const char *text, size_t len)
{
	struct held_out *h = cookie;
	const uint8_t *p = (const uint8_t *)text;
	struct pollfd pfd = { .fd = h->fd, .events = POLLOUT };
	size_t left = len;

	while (left && !h->holding) {
		int n = 0;

		if (!poll(&pfd, 1, WAIT_MS))
			h->holding = true;
		else if ((n = some_write(h->fd, p, left)) < 0)
			return 0;
		p += n;
		left -= (size_t)n;
	}
	if (left && h->held.len + left > HELD_OUT_MAX) {
		if (all_write(h->fd, h->held.p, h->held.len))
			return 0;
		buf_reset(&h->held);
	}
	if (left)
		buf_add(&h->held, p, left);
	return (ssize_t)len;
}

static int held_close(void *cookie)
{
	struct held_out *h = cookie;
	int rc = all_write(h->fd, h->held.p, h->held.len), why = errno;

	buf_fini(&h->held);
	free(h);
	errno = why;
	return rc;
}

FILE *held_out_new(int fd)
{
	struct held_out *h = xcalloc(1, sizeof(*h));
	FILE *f;

	h->fd = fd;
	f = fopencookie(h, "w", (cookie_io_functions_t){ .write = held_write, .close = held_close });
	if (!f)
		free(h);
	return f;
}
