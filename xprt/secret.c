/* secret.c - see secret.h */
#include "xprt/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/xalloc.h"

#define FILE_MAX (64 << 10) /* bytes; a word and some comments */
#define OTHERS   077        /* permission bits that nobody but the owner may have */

#define AT_HOME ".ldmsauth.conf"

static const char *const places[] = { LDMS_SYSCONFDIR "/ldmsauth.conf", "/etc/ldmsd/ldmsauth.conf",
				      "/etc/ldmsauth.conf" };

static char *home_file(void)
{
	const char *home = getenv("HOME");
	const struct passwd *pw = home ? NULL : getpwuid(geteuid());

	if (pw)
		home = pw->pw_dir;
	return home ? xasprintf("%s/" AT_HOME, home) : NULL;
}

int secret_find(const char *conf, char **ret, struct err *err)
{
	const char *given = conf ? conf : getenv("LDMS_AUTH_FILE");
	char *path;

	if (given && *given) {
		if (*given != '/')
			return err_set(err, -EINVAL, "secret file %s (%s): the path must be absolute", given,
				       conf ? "conf=" : "LDMS_AUTH_FILE");
		*ret = xstrdup(given);
		return 0;
	}
	path = home_file();
	for (size_t i = 0;; i++) {
		if (path && !access(path, F_OK)) {
			*ret = path;
			return 0;
		}
		free(path);
		if (i == sizeof(places) / sizeof(*places))
			break;
		path = xstrdup(places[i]);
	}
	return err_set(err, -ENOENT,
		       "no secret file: there is no ~/" AT_HOME
		       ", %s, %s or %s; make one with `ldms auth gen FILE`, and "
		       "name it with conf=FILE or LDMS_AUTH_FILE",
		       places[0], places[1], places[2]);
}

int secret_parse(const char *name, const char *text, size_t len, struct secret *ret, struct err *err)
{
	const size_t key = strlen(SECRET_KEY);

	if (memchr(text, 0, len))
		return err_set(err, -EINVAL, "secret file %s: holds NUL bytes; is it text?", name);
	while (len) {
		const char *nl = memchr(text, '\n', len);
		size_t n = nl ? (size_t)(nl - text) : len, from = key, to;

		if (n >= key && !memcmp(text, SECRET_KEY, key)) {
			while (from < n && strchr("# \t", text[from]))
				from++;
			for (to = from; to < n && !strchr("# \t", text[to]); to++)
				;
			if (to - from < SECRET_MIN || to - from > SECRET_MAX)
				return err_set(err, -EINVAL,
					       "secret file %s: the secret word has %zu characters; it must have %d to "
					       "%d",
					       name, to - from, SECRET_MIN, SECRET_MAX);
			ret->len = to - from;
			memcpy(ret->word, text + from, ret->len);
			ret->word[ret->len] = '\0';
			return 0;
		}
		n += !!nl;
		text += n;
		len -= n;
	}
	return err_set(err, -EINVAL,
		       "secret file %s: has no line " SECRET_KEY "...; `ldms auth gen FILE` makes such a file", name);
}

static int check(int fd, const char *path, struct err *err)
{
	struct stat st;

	if (fstat(fd, &st))
		return err_set(err, -errno, "secret file %s: %s", path, err_name(errno));
	if (!S_ISREG(st.st_mode))
		return err_set(err, -EINVAL, "secret file %s: is no regular file", path);
	if (st.st_mode & OTHERS)
		return err_set(err, -EACCES,
			       "secret file %s: mode %04o is open to others than its owner; run: chmod 600 %s", path,
			       st.st_mode & 07777, path);
	if (st.st_size > FILE_MAX)
		return err_set(err, -EFBIG, "secret file %s: has %lld bytes; is it the right file?", path,
			       (long long)st.st_size);
	return 0;
}

int secret_read(const char *path, struct secret *ret, struct err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), rc; /* a FIFO would keep us waiting */
	char *text;
	ssize_t n;

	if (fd < 0)
		return err_set(err, -errno, "secret file %s: %s%s%s", path, err_name(errno),
			       errno == ENOENT ? "; correct conf=, or make one: ldms auth gen " : "",
			       errno == ENOENT ? path : "");
	rc = check(fd, path, err);
	if (rc) {
		close(fd);
		return rc;
	}
	text = xcalloc(1, FILE_MAX);
	n = read(fd, text, FILE_MAX);
	if (n < 0)
		rc = err_set(err, -errno, "secret file %s: cannot be read: %s", path, err_name(errno));
	else
		rc = secret_parse(path, text, (size_t)n, ret, err);
	explicit_bzero(text, FILE_MAX);
	free(text);
	close(fd);
	return rc;
}

void secret_wipe(struct secret *s)
{
	explicit_bzero(s, sizeof(*s));
}
