/* undo_apply.c - what the last process has written and not counted is taken back: see undo.h */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/log.h"
#include "core/base/xalloc.h"
#include "store/undo.h"
#include "store/undo_impl.h"

struct noted {
	struct undo_note n;
	char *path, *to;
};

struct notes {
	struct noted *v;
	size_t n;
	uint64_t bytes; /* cut off */
};

/* -- reading ------------------------------------------------------------------------------------------------------- */

static bool slurp(int fd, struct buf *b, uint64_t len)
{
	ssize_t n = pread(fd, buf_reserve(b, len + 1), len, 0);

	b->len = n > 0 ? (size_t)n : 0;
	return b->len == len;
}

/* One note behind `at`; false: there is none that is whole, and of that round. */
static bool note_read(const struct buf *b, uint64_t round, size_t *at, struct noted *ret)
{
	const char *paths = (const char *)b->p + *at + UNDO_UNIT;
	struct undo_note n;

	if (b->len - *at < UNDO_UNIT)
		return false;
	memcpy(&n, b->p + *at, sizeof(n));
	if (n.round != round || n.size > b->len - *at || n.size < UNDO_UNIT || n.path_len >= PATH_MAX ||
	    n.to_len >= PATH_MAX || n.path_len + n.to_len > n.size - UNDO_UNIT ||
	    crc32c(paths, n.path_len + n.to_len) != n.sum)
		return false;
	*ret = (struct noted){ n, xstrndup(paths, n.path_len), xstrndup(paths + n.path_len, n.to_len) };
	*at += n.size;
	return true;
}

static void notes_read(struct undo *u, const struct buf *b, uint64_t round, struct notes *ret)
{
	struct noted one;
	size_t at = UNDO_UNIT;

	while (at < b->len && note_read(b, round, &at, &one)) {
		ret->v = xrealloc(ret->v, (ret->n + 1) * sizeof(*ret->v));
		ret->v[ret->n++] = one;
	}
	if (at < b->len)
		log_warning("store", "file %s: bytes=%zu at its end are no notes", u->path, b->len - at);
}

static void notes_fini(struct notes *ns)
{
	for (size_t i = 0; i < ns->n; i++) {
		free(ns->v[i].path);
		free(ns->v[i].to);
	}
	free(ns->v);
}

/* -- cutting ------------------------------------------------------------------------------------------------------- */

/* The file of a note, under the name that it has now; a negative errno: it is not there. */
static int file_of(const struct notes *ns, size_t i, struct stat *st)
{
	const char *names[] = { ns->v[i].path, NULL };
	int fd = -ENOENT;

	for (size_t k = i + 1; k < ns->n; k++)
		if (ns->v[k].n.to_len && !strcmp(ns->v[k].path, names[names[1] != NULL]))
			names[1] = ns->v[k].to;
	for (size_t k = 0; fd < 0 && k < 2 && names[k]; k++) {
		fd = open(names[k], O_RDWR | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
		if (fd < 0) {
			fd = -errno;
		} else if (fstat(fd, st) || !S_ISREG(st->st_mode) || st->st_ino != ns->v[i].n.ino) {
			close(fd);
			fd = -ESTALE;
		}
	}
	return fd;
}

/* Is what stands at the end of a file of `size` bytes what was noted, as a whole? */
static bool is_whole(int fd, const struct undo_note *n, uint64_t size)
{
	uint8_t tail[UNDO_TAIL];
	size_t len = n->len < UNDO_TAIL ? n->len : UNDO_TAIL;

	return size == n->before + n->len && pread(fd, tail, len, (off_t)(size - len)) == (ssize_t)len &&
	       undo_tail_sum(tail, len) == n->tail_sum;
}

/* The end of the last whole line in [from, size). */
static uint64_t whole_lines(int fd, uint64_t from, uint64_t size)
{
	char chunk[4096];

	while (size > from) {
		size_t want = size - from < sizeof(chunk) ? (size_t)(size - from) : sizeof(chunk);
		const char *newline;

		if (pread(fd, chunk, want, (off_t)(size - want)) != (ssize_t)want)
			break;
		newline = memrchr(chunk, '\n', want);
		if (newline)
			return size - want + (uint64_t)(newline - chunk) + 1;
		size -= want;
	}
	return from;
}

/* Where the file of `size` bytes is to end, for this note.  A write that was not finished ends in the middle of a line,
 * as nothing else does. */
static uint64_t end_wanted(int fd, const struct undo_note *n, uint64_t size, bool again)
{
	uint64_t whole;

	if (size <= n->before)
		return size; /* it was not begun */
	if (again && is_whole(fd, n, size))
		return n->before;
	if (size >= n->before + n->len)
		return size;
	whole = whole_lines(fd, n->before, size);
	return whole == size ? size : again ? n->before : whole;
}

static void cut(struct notes *ns, size_t i, bool again)
{
	const struct noted *one = &ns->v[i];
	struct stat st;
	uint64_t size, end;
	int fd = file_of(ns, i, &st);

	if (fd < 0) {
		if (again)
			log_warning("store", "file %s: is gone: %s; rows of it come again", one->path, err_name(fd));
		return;
	}
	size = (uint64_t)st.st_size;
	end = end_wanted(fd, &one->n, size, again);
	if (end != size && ftruncate(fd, (off_t)end))
		log_warning("store", "file %s: cannot be cut: %s; its last rows may be there twice", one->path,
			    err_name(-errno));
	else if (end == size && again && size > one->n.before)
		log_warning("store",
			    "file %s: others have written to it since the daemon was ended; its last rows may be there "
			    "twice",
			    one->path);
	else
		ns->bytes += size - end;
	close(fd);
}

void undo_apply(struct undo *u, uint64_t taken, uint64_t tail)
{
	struct undo_head head = { .magic = "" };
	struct notes ns = { 0 };
	struct buf b = { 0 };
	struct stat st;
	bool again;

	if (!u)
		return;
	if (!fstat(u->fd, &st) && pread(u->fd, &head, sizeof(head), 0) == sizeof(head) &&
	    !memcmp(head.magic, u->head.magic, sizeof(head.magic)) && head.end <= (uint64_t)st.st_size &&
	    slurp(u->fd, &b, head.end ? UNDO_UNIT + head.end : 0))
		notes_read(u, &b, head.round, &ns);
	again = head.taken == taken && tail > head.again;
	for (size_t i = ns.n; i--;)
		if (!ns.v[i].n.to_len)
			cut(&ns, i, again);
	if (ns.bytes)
		log_info("store", "file %s: bytes=%" PRIu64 " that were written last %s", u->path, ns.bytes,
			 again ? "are taken back: their rows come again" : "were no whole line: cut off");
	notes_fini(&ns);
	buf_fini(&b);
	u->head.taken = taken;
	u->head.round = head.round + 1;
	if (ftruncate(u->fd, 0))
		log_warning("store", "file %s: cannot be cut: %s", u->path, err_name(-errno));
}
