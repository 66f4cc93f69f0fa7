/* dirs.c - see dirs.h */
#include "store/dirs.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/xalloc.h"

const char *file_remedy(int rc)
{
	static const struct {
		int rc;
		const char *text;
	} remedies[] = {
		{ ENOSPC, "free some space on its file system" },
		{ EDQUOT, "free some space, or raise the quota of the daemon's user" },
		{ EFBIG, "move the file away, or raise the daemon's limit of file sizes" },
		{ EACCES, "let the daemon's user write there" },
		{ EPERM, "let the daemon's user write there" },
		{ EROFS, "mount its file system for writing" },
		{ EIO, "look at the disk (dmesg)" },
		{ ENOTDIR, "something above it is a file: move that away, or give another path" },
		{ EISDIR, "a folder has its name: move that away, or give another path" },
		{ ENXIO, "it is a pipe that nobody reads: start who does" },
		{ EPIPE, "it is a pipe that nobody reads any more: start who does" },
		{ EAGAIN, "it is a pipe, and who reads it is slow" },
		{ EMFILE, "raise the daemon's limit of open files" },
		{ ENFILE, "raise the system's limit of open files" },
	};

	for (size_t i = 0; i < sizeof(remedies) / sizeof(*remedies); i++)
		if (remedies[i].rc == abs(rc))
			return remedies[i].text;
	return "look at the path and its file system";
}

int file_failed(const char *path, int rc, const char *what, struct err *err)
{
	return err_set(err, rc, "file %s: cannot %s: %s; %s", path, what, err_name(rc), file_remedy(rc));
}

static int dir_make(const char *path, mode_t mode, uid_t uid, gid_t gid, struct err *err)
{
	struct stat st;
	int rc;

	if (!mkdir(path, mode)) {
		/* mkdir() took the umask off the mode */
		if (!chmod(path, mode) && ((uid == (uid_t)-1 && gid == (gid_t)-1) || !chown(path, uid, gid)))
			return 0;
		rc = -errno;
		return err_set(err, rc, "folder %s: cannot set its owner and mode: %s; %s", path, err_name(rc),
			       file_remedy(rc));
	}
	rc = -errno;
	/* a folder that is there answers EEXIST, or EROFS and the like where nothing could be made anyway */
	if (!stat(path, &st) && S_ISDIR(st.st_mode))
		return 0;
	if (rc == -EEXIST)
		rc = -ENOTDIR;
	return err_set(err, rc, "folder %s: cannot be made: %s; %s", path, err_name(rc), file_remedy(rc));
}

int dirs_make(const char *path, mode_t mode, uid_t uid, gid_t gid, struct err *err)
{
	char *copy = xstrdup(path);
	int rc = 0;

	for (char *p = copy + 1; !rc && *copy && *p; p++) {
		if (*p != '/')
			continue;
		*p = '\0';
		rc = dir_make(copy, mode, uid, gid, err);
		*p = '/';
	}
	if (!rc)
		rc = dir_make(copy, mode, uid, gid, err);
	free(copy);
	return rc;
}

char *file_fit_name(const char *name)
{
	char *fit = xstrdup(name);

	for (char *p = fit; *p; p++)
		if (*p == '/' || (p == fit && *p == '.') || (unsigned char)*p < ' ' || *p == 0x7f)
			*p = '_';
	return fit;
}

int file_flags(const char *path, int flags)
{
	struct stat st;

	if (stat(path, &st) || !S_ISFIFO(st.st_mode))
		return flags;
	return (flags & ~O_ACCMODE) | O_WRONLY | O_NONBLOCK;
}

#define READER_MS 200 /* that long may who reads a pipe pause, and no thread waits longer */

ssize_t file_write(int fd, const void *p, size_t len)
{
	struct pollfd pfd = { .fd = fd, .events = POLLOUT };
	ssize_t n = write(fd, p, len);

	if (n < 0 && errno == EAGAIN && poll(&pfd, 1, READER_MS) > 0)
		n = write(fd, p, len);
	return n;
}

int file_move(const char *from, const char *to, struct err *err)
{
	int rc = renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) ? -errno : 0;

	if (rc == -EINVAL || rc == -ENOSYS) /* a file system that knows no such flag */
		rc = !access(to, F_OK) ? -EEXIST : rename(from, to) ? -errno : 0;
	if (rc == -EEXIST)
		return err_set(err, rc, "there is a file %s; move it away", to);
	if (rc == -EXDEV)
		return err_set(err, rc, "%s is on another file system; name a folder on the same one", to);
	return rc ? err_set(err, rc, "to %s: %s; %s", to, err_name(rc), file_remedy(rc)) : 0;
}
