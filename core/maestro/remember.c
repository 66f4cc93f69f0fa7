/* remember.c - what daemons were sent, over maestro's own end: the state file.
 *
 *	# maestro daemon NAME count N
 *	LINES of its configuration, as dump_cfg has them
 *	# maestro daemon ...
 *
 * Without it a new maestro knows what runs, but not what an operator changed, or what the file has lost meanwhile.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/base/log.h"
#include "core/base/xalloc.h"
#include "core/ctl/book_text.h"
#include "core/maestro/maestro_impl.h"

#define MARK     "# maestro daemon "
#define FILE_MAX (1u << 30) /* bytes: 100,000 daemons with 10 KiB each */

struct part {
	UT_hash_handle hh;
	const char *lines; /* borrowed from the text */
	unsigned int count;
	char name[];
};

struct remembered {
	char *text;
	struct part *parts;
};

/* Yours, or NULL. */
static char *file_text(const char *path)
{
	FILE *f = fopen(path, "re");
	struct buf b = { 0 };
	char *text = NULL;
	int rc = f ? buf_slurp(&b, f, FILE_MAX) : -errno;

	if (!rc)
		text = xstrdup(buf_str(&b));
	else if (rc != -ENOENT)
		log_warning("maestro", "%s: %s; nothing is known of what was sent before", path, err_name(rc));
	buf_fini(&b);
	if (f)
		fclose(f);
	return text;
}

/* "NAME count N" */
static struct part *part_new(char *words, const char *lines)
{
	char *count = strstr(words, " count ");
	struct part *p;

	if (!count)
		return NULL;
	*count = '\0';
	p = xcalloc(1, sizeof(*p) + strlen(words) + 1);
	strcpy(p->name, words);
	p->count = (unsigned int)strtoul(count + 7, NULL, 10);
	p->lines = lines;
	return p;
}

struct remembered *remembered_parse(const char *text)
{
	struct remembered *r = xcalloc(1, sizeof(*r));
	char *at = r->text = xstrdup(text);

	while ((at = strstr(at, MARK))) {
		char *words = at + strlen(MARK), *end = strchr(words, '\n');
		struct part *p, *old = NULL;

		*at = '\0'; /* the end of the one before */
		if (!end)
			break;
		*end = '\0';
		at = end + 1;
		p = part_new(words, at);
		if (!p)
			continue;
		HASH_FIND_STR(r->parts, p->name, old);
		if (old) {
			free(p);
			continue;
		}
		HASH_ADD_STR(r->parts, name, p);
	}
	return r;
}

struct remembered *remembered_read(const char *path)
{
	char *text = file_text(path);
	struct remembered *r = text ? remembered_parse(text) : NULL;

	free(text);
	return r;
}

void remembered_free(struct remembered *r)
{
	struct part *p, *tmp;

	if (!r)
		return;
	HASH_ITER(hh, r->parts, p, tmp) {
		HASH_DEL(r->parts, p);
		free(p);
	}
	free(r->text);
	free(r);
}

struct book *remembered_take(struct remembered *r, const char *daemon, unsigned int *count)
{
	struct part *p;
	struct book *b;

	HASH_FIND_STR(r->parts, daemon, p);
	if (!p)
		return NULL;
	b = book_new();
	book_take_all(b, p->lines);
	*count = p->count;
	return b;
}

int remembered_write(const struct maestro *m, struct err *err)
{
	char *tmp = xasprintf("%s.new", m->conf.state);
	int fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600), rc = 0;
	struct buf b = { 0 };
	FILE *f = fd < 0 ? NULL : fdopen(fd, "w");

	if (!f) {
		rc = err_set(err, -errno, "%s: %s; what was sent is not remembered", tmp, err_name(errno));
		goto out;
	}
	for (size_t i = 0; i < m->plan->n_daemons; i++) {
		const struct member *mb = m->members[i];

		if (!mb->sent)
			continue;
		buf_reset(&b);
		buf_addf(&b, MARK "%s count %u\n", mb->name, mb->count);
		book_put(&b, mb->sent);
		fwrite(b.p, 1, b.len, f);
	}
	if ((fflush(f) | ferror(f)) || rename(tmp, m->conf.state)) {
		rc = err_set(err, -errno, "%s: %s; what was sent is not remembered", m->conf.state, err_name(errno));
		unlink(tmp);
	}
	fclose(f);
out:
	buf_fini(&b);
	free(tmp);
	return rc;
}
