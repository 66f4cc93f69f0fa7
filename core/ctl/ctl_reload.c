/* ctl_reload.c - the verbs on the configuration as a whole: dump_cfg and reload */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/base/log.h"
#include "core/base/unit.h"
#include "core/base/xalloc.h"
#include "core/ctl/book.h"
#include "core/ctl/book_line.h"
#include "core/ctl/reload.h"
#include "core/ctl/verbs.h"

/* What the command line may have set, too: as it is. */
static void note_daemon(struct book *b, const struct daemon *d)
{
	char *name = xasprintf("daemon_name%cname=%s", LINE_SEP, d->name), *memory, size[32];

	memory = xasprintf("memory%csize=%s", LINE_SEP, unit_size_text(pool_ceiling(d->pool), size));
	book_note_line(b, name, NULL);
	book_note_line(b, memory, NULL);
	free(memory);
	free(name);
}

static void put_all(struct buf *out, struct daemon *d)
{
	struct book *b = d->book ? book_copy(d->book) : book_new();

	note_daemon(b, d);
	buf_addf(out, "# %s of ldms %s: the configuration as it runs, commands that came over the network included.\n",
		 d->name, LDMS_VERSION);
	book_put(out, b);
	book_free(b);
}

/* PATH/HOST-PORT.conf, as ldmsd names it: of the first port that is listened on. */
static char *dump_path(const struct daemon *d, const char *dir)
{
	struct fields f = { 0 };
	char *ret;

	if (!d->book || !d->book->items[BOOK_LISTEN])
		return xasprintf("%s/-.conf", dir);
	fields_parse(&f, d->book->items[BOOK_LISTEN]->line);
	ret = xasprintf("%s/%s-%s.conf", dir, f.v[ATTR_HOST] ? f.v[ATTR_HOST] : "", fields_get(&f, ATTR_PORT));
	fields_fini(&f);
	return ret;
}

/* All of it or the file that was there; never a half. */
static int write_file(struct ctl *c, const char *path, const struct buf *b, struct err *err)
{
	char *tmp = xasprintf("%s.new", path);
	int fd = open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600), rc = 0;

	if (fd < 0) {
		rc = err_set(err, -errno, "dump_cfg: %s: %s%s", tmp, err_name(errno),
			     errno == EEXIST ? "; another one left it behind: remove it" : "");
		goto out;
	}
	if (write(fd, b->p, b->len) != (ssize_t)b->len || fsync(fd) || rename(tmp, path)) {
		rc = err_set(err, -errno, "dump_cfg: %s: %s", path, err_name(errno));
		unlink(tmp);
	}
	close(fd);
out:
	free(tmp);
	return rc == -EACCES ? confine_blame(c->d->confine, rc, err) : rc;
}

int ctl_dump_cfg(struct ctl *c, struct err *err)
{
	const char *dir = ctl_text(c, ATTR_PATH, NULL);
	char *path;
	int rc;

	put_all(&c->reply, c->d);
	if (!dir)
		return 0;
	path = dump_path(c->d, dir);
	rc = write_file(c, path, &c->reply, err);
	buf_reset(&c->reply);
	if (!rc)
		log_info("config", "dump_cfg: wrote %s", path);
	free(path);
	return rc;
}

int ctl_reload(struct ctl *c, struct err *err)
{
	if (!c->from) {
		log_warning("config", "reload: has no effect in a file");
		return 0;
	}
	c->tell = true;
	return reload_say(c->d, ctl_num(c, ATTR_TEST, false), &c->reply, err);
}
