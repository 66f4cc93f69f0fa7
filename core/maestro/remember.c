/* remember.c - what daemons were sent, over maestro's own end: the state file.
 *
 *	# maestro file PATH
 *	# maestro daemon NAME count N
 *	# maestro at HOST PORT XPRT AUTH [NAME=VALUE ...]
 *	# maestro left SECONDS
 *	LINES of its configuration, as dump_cfg has them
 *	# maestro daemon ...
 *
 * Without it a new maestro knows what runs, but not what an operator changed, or what the file has lost meanwhile.  Where it is,
 * and since when the file has lost it, is for those that are not in the file any more.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/unit.h"
#include "core/base/xalloc.h"
#include "core/ctl/book_text.h"
#include "core/maestro/maestro_impl.h"

#define MARK     "# maestro daemon "
#define OF       "# maestro file "
#define AT       "# maestro at "
#define LEFT     "# maestro left "
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

bool remembered_is_of(const struct remembered *r, const char *file)
{
	size_t n = strlen(file);

	return strncmp(r->text, OF, strlen(OF)) ||
	       (!strncmp(r->text + strlen(OF), file, n) && r->text[strlen(OF) + n] == '\n');
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

/* "HOST PORT XPRT AUTH [NAME=VALUE ...]" */
static void at_parse(struct leaving *l, const char *text)
{
	struct kv words = { 0 }, args = { 0 };
	struct link_conf at = { 0 };
	uint64_t port;

	kv_parse(&words, text);
	for (size_t i = 4; i < words.n; i++)
		kv_add(&args, words.v[i].key, words.v[i].value);
	if (words.n >= 4 && !unit_u64(words.v[1].key, &port, NULL) && port && port < 65536) {
		at = (struct link_conf){ words.v[2].key, words.v[0].key, (unsigned short)port, words.v[3].key,
					 args.n ? &args : NULL };
		leaving_at(l, &at);
	}
	kv_fini(&args);
	kv_fini(&words);
}

static void leaving_parse(struct leaving *l, const struct part *p)
{
	char *copy = xstrdup(p->lines), *at = copy, *line;

	while ((line = strsep(&at, "\n"))) {
		if (!strncmp(line, AT, strlen(AT)))
			at_parse(l, line + strlen(AT));
		else if (!strncmp(line, LEFT, strlen(LEFT)))
			l->left_s = strtoll(line + strlen(LEFT), NULL, 10);
		else
			break;
	}
	free(copy);
}

size_t remembered_all(struct remembered *r, struct leaving **ret)
{
	struct leaving *v = xcalloc(HASH_COUNT(r->parts) + 1, sizeof(*v));
	struct part *p, *tmp;
	size_t n = 0;

	HASH_ITER(hh, r->parts, p, tmp) {
		struct leaving *l = &v[n];

		l->left_s = clock_us(CLOCK_REALTIME) / SEC_US;
		leaving_parse(l, p);
		l->name = xstrdup(p->name);
		l->sent = remembered_take(r, p->name, &l->count);
		n++;
	}
	*ret = v;
	return n;
}

static void member_write(FILE *f, const struct member *mb)
{
	struct link_conf at;
	struct buf b = { 0 };

	if (!mb->sent)
		return;
	buf_addf(&b, MARK "%s count %u\n", mb->name, mb->count);
	if (mb->link) {
		link_conf_get(mb->link, &at);
		buf_addf(&b, AT "%s %u %s %s", at.host, at.port, at.xprt, at.auth);
		for (size_t i = 0; at.auth_args && i < at.auth_args->n; i++)
			buf_addf(&b, " %s%s%s", at.auth_args->v[i].key, at.auth_args->v[i].value ? "=" : "",
				 at.auth_args->v[i].value ? at.auth_args->v[i].value : "");
		buf_u8(&b, '\n');
	}
	if (mb->leaving)
		buf_addf(&b, LEFT "%lld\n", (long long)mb->left_s);
	book_put(&b, mb->sent);
	fwrite(b.p, 1, b.len, f);
	buf_fini(&b);
}

int remembered_write(const struct maestro *m, struct err *err)
{
	char *tmp = xasprintf("%s.new", m->conf.state);
	int fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600), rc = 0;
	FILE *f = fd < 0 ? NULL : fdopen(fd, "w");

	if (!f) {
		rc = err_set(err, -errno, "%s: %s; what was sent is not remembered", tmp, err_name(errno));
		goto out;
	}
	fprintf(f, OF "%s\n", m->file);
	for (size_t i = 0; i < m->plan->n_daemons; i++)
		member_write(f, m->members[i]);
	for (const struct member *mb = m->leavers; mb; mb = mb->next)
		member_write(f, mb);
	/* an end of the machine leaves the old file or the new one, and a server says here what it could not write */
	if ((fflush(f) | ferror(f)) || fsync(fd) || rename(tmp, m->conf.state)) {
		rc = err_set(err, -errno, "%s: %s; what was sent is not remembered", m->conf.state, err_name(errno));
		unlink(tmp);
	}
	fclose(f);
out:
	free(tmp);
	return rc;
}
