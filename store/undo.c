/* undo.c - notes of what is written: see undo.h; undo_apply.c reads them */
#include "store/undo.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/crc32c.h"
#include "core/base/log.h"
#include "core/base/xalloc.h"
#include "store/dirs.h"
#include "store/undo_impl.h"

#define NOTES_MAX (16u << 20) /* bytes; a store that writes so much between two flushes is not kept track of */

int undo_open(const char *path, struct undo **ret, struct err *err)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	struct undo *u;

	if (fd < 0)
		return file_failed(path, -errno, "be opened", err);
	u = xcalloc(1, sizeof(*u));
	u->path = xstrdup(path);
	u->fd = fd;
	pthread_mutex_init(&u->lock, NULL);
	u->head = (struct undo_head){ .magic = UNDO_MAGIC, .again = UINT64_MAX };
	*ret = u;
	return 0;
}

void undo_close(struct undo *u)
{
	if (!u)
		return;
	close(u->fd);
	pthread_mutex_destroy(&u->lock);
	buf_fini(&u->out);
	free(u->path);
	free(u);
}

/* What cannot be noted is not taken back: rows may then come twice after a kill, and nothing worse. */
static void put(struct undo *u, const void *p, size_t len, uint64_t at)
{
	ssize_t n = pwrite(u->fd, p, len, (off_t)at);

	if (n == (ssize_t)len) {
		u->failing = false;
		return;
	}
	if (!u->failing)
		log_warning(
			"store",
			"file %s: cannot be written: %s; when the daemon is killed now, its last rows may be stored "
			"twice",
			u->path, err_name(n < 0 ? -errno : -ENOSPC));
	u->failing = true;
}

static void head_put(struct undo *u)
{
	put(u, &u->head, sizeof(u->head), 0);
}

static void note_add(struct undo *u, struct undo_note *n, const char *path, const char *to)
{
	static const uint8_t zeros[UNDO_UNIT];
	uint64_t at = UNDO_UNIT + u->head.end;

	n->round = u->head.round;
	n->path_len = (uint32_t)strlen(path);
	n->to_len = (uint32_t)strlen(to);
	n->size = UNDO_UNIT + (n->path_len + n->to_len + UNDO_UNIT - 1) / UNDO_UNIT * UNDO_UNIT;
	if (u->head.end + n->size > NOTES_MAX)
		return; /* as if somebody else had written it */
	buf_reset(&u->out);
	buf_add(&u->out, n, sizeof(*n));
	buf_add(&u->out, path, n->path_len);
	buf_add(&u->out, to, n->to_len);
	buf_add(&u->out, zeros, n->size - u->out.len);
	n->sum = crc32c(u->out.p + UNDO_UNIT, n->path_len + n->to_len);
	memcpy(u->out.p, n, sizeof(*n));
	put(u, u->out.p, u->out.len, at);
	u->head.end += n->size;
	u->last = *n;
	head_put(u);
}

void undo_note(struct undo *u, const char *path, int fd, const void *p, size_t len)
{
	struct undo_note n = { .len = (uint32_t)len };
	struct stat st;

	if (!u)
		return;
	pthread_mutex_lock(&u->lock);
	u->last.size = 0; /* what undo_short() says is not about the one before */
	if (!fstat(fd, &st) && S_ISREG(st.st_mode)) {
		n.tail_sum = undo_tail_sum(p, len);
		n.ino = st.st_ino;
		n.before = (uint64_t)st.st_size;
		note_add(u, &n, path, "");
	}
	pthread_mutex_unlock(&u->lock);
}

void undo_short(struct undo *u, const void *p, size_t len)
{
	if (!u)
		return;
	pthread_mutex_lock(&u->lock);
	if (u->last.size && len) {
		u->last.len = (uint32_t)len;
		u->last.tail_sum = undo_tail_sum(p, len);
		put(u, &u->last, sizeof(u->last), UNDO_UNIT + u->head.end - u->last.size);
	} else if (u->last.size) {
		u->head.end -= u->last.size;
		u->last.size = 0;
		head_put(u);
	}
	pthread_mutex_unlock(&u->lock);
}

void undo_rename(struct undo *u, const char *from, const char *to)
{
	struct undo_note n = { 0 };

	if (!u)
		return;
	pthread_mutex_lock(&u->lock);
	if (u->head.end)
		note_add(u, &n, from, to);
	pthread_mutex_unlock(&u->lock);
}

/* The file has a head while there are notes. */
static void head_change(struct undo *u, uint64_t taken, uint64_t again, uint64_t end)
{
	bool there = u->head.end, other = taken != u->head.taken || again != u->head.again || end != u->head.end;

	u->head.taken = taken;
	u->head.again = again;
	u->head.end = end;
	if (there && other)
		head_put(u);
}

void undo_settle(struct undo *u, uint64_t taken)
{
	if (!u)
		return;
	pthread_mutex_lock(&u->lock);
	u->last.size = 0;
	u->head.round += u->head.end > 0; /* should a note not get to the disk, an old one stands in its place */
	head_change(u, taken, UINT64_MAX, 0);
	pthread_mutex_unlock(&u->lock);
}

void undo_taken(struct undo *u, uint64_t taken)
{
	if (!u)
		return;
	pthread_mutex_lock(&u->lock);
	head_change(u, taken, u->head.again, u->head.end);
	pthread_mutex_unlock(&u->lock);
}

void undo_again(struct undo *u, uint64_t from)
{
	if (!u)
		return;
	pthread_mutex_lock(&u->lock);
	head_change(u, u->head.taken, from, u->head.end);
	pthread_mutex_unlock(&u->lock);
}
