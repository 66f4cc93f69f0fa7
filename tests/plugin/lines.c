/* lines.c - an example of a store outside of the tree: a line of NAME=VALUE for each row, a file for each container
 *
 *	cc -shared -fPIC -o lines.so lines.c
 *
 *	load name=lines path=/usr/lib/ldms/lines.so
 *	config name=lines dir=/var/lib/lines
 *	strgp_add name=all plugin=lines container=all regex=.*
 *	strgp_start name=all
 *
 * Lines are kept in memory until the policy flushes; what could not be written whole is cut off again, so that no row is
 * there twice or by half.  Lines that are longer than longest= are refused: counted, and said.
 */
#define _XOPEN_SOURCE 700

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <ldms/store.h>

#define BUFFER_SIZE  (1 << 20) /* bytes of lines that wait for a flush */
#define ROW_MAX      (1 << 16)
#define LONGEST_DFLT 65535

static const struct ldms_store_attr attrs[] = {
	{ "dir", NULL, "the folder; must be given" },
	{ "form", "words", "words: NAME=VALUE ...; json: an object" },
	{ "longest", "65535", "bytes of a line; longer ones are refused" },
	{ NULL, NULL, NULL },
};

struct lines { /* the instance */
	uint64_t longest;
	int json;
};

struct sink {
	int fd;
	off_t size; /* what is whole */
	char *buf;
	size_t len;
};

struct table {
	unsigned long rows; /* so many were taken */
};

static int lines_config(struct ldms_store *st, struct ldms_err *err)
{
	struct lines *l = (struct lines *)ldms_store_state(st);
	const char *form = ldms_store_attr(st, "form");

	l->json = form && !strcmp(form, "json");
	if (form && !l->json && strcmp(form, "words"))
		return ldms_store_error(err, -EINVAL, "form=%s: is words or json", form);
	if (!ldms_store_attr(st, "dir"))
		return ldms_store_error(err, -EINVAL, "dir= is missing; name the folder for the files");
	return ldms_store_attr_u64(st, "longest", LONGEST_DFLT, &l->longest, err);
}

static int lines_open(struct ldms_sink *sk, struct ldms_err *err)
{
	struct sink *s = (struct sink *)ldms_sink_state(sk);
	const char *dir = ldms_store_attr(ldms_sink_store(sk), "dir");
	char path[512];
	struct stat st;

	snprintf(path, sizeof(path), "%s/%s", dir, ldms_sink_container(sk));
	mkdir(dir, 0750);
	s->fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0640);
	if (s->fd < 0 || fstat(s->fd, &st))
		return ldms_store_error(err, -errno, "%s: cannot be written (%s); make room, or the folder", path,
					strerror(errno));
	s->size = st.st_size;
	s->buf = (char *)malloc(BUFFER_SIZE);
	if (!s->buf)
		abort();
	return 0;
}

static int lines_table(struct ldms_table *t, struct ldms_err *err)
{
	const struct ldms_sink *sk = ldms_table_sink(t);
	const struct ldms_store *st = ldms_sink_store(sk);
	const uint32_t *cols;
	const char *index;
	uint32_t n;

	for (uint32_t i = 0; i < ldms_table_cols(t); i++)
		if (ldms_table_col(t, i)->type > LDMS_COL_TIME)
			return ldms_store_error(err, -EINVAL, "%s: column %s: no such type is known here",
						ldms_table_name(t), ldms_table_col(t, i)->name);
	ldms_store_log(st, LDMS_STORE_NOTE, "%s: rows of %s, %.7s, %u columns", ldms_sink_container(sk),
		       ldms_table_name(t), ldms_table_digest(t), ldms_table_cols(t));
	for (uint32_t i = 0; (index = ldms_table_index(t, i, &cols, &n)); i++)
		if (n == 2)
			ldms_store_log(st, LDMS_STORE_NOTE, "%s: index %s: %s %s", ldms_table_name(t), index,
				       ldms_table_col(t, cols[0])->name, ldms_table_col(t, cols[1])->name);
	return 0;
}

static int lines_flush(struct ldms_sink *sk, struct ldms_err *err)
{
	struct sink *s = (struct sink *)ldms_sink_state(sk);
	size_t done = 0;
	ssize_t n = 0;

	while (done < s->len && (n = pwrite(s->fd, s->buf + done, s->len - done, s->size + (off_t)done)) > 0)
		done += (size_t)n;
	if (done < s->len) {
		n = errno;
		if (ftruncate(s->fd, s->size))
			done = 0; /* it is written over, next time */
		return ldms_store_error(err, n ? -(int)n : -EIO, "%s: cannot be written (%s); make room",
					ldms_sink_container(sk), strerror((int)n));
	}
	s->size += (off_t)s->len;
	s->len = 0;
	return 0;
}

/* A line, without its end; its length, cut or not. */
static size_t line(char *p, size_t size, const struct ldms_row *row)
{
	struct ldms_table *t = ldms_row_table(row);
	size_t n = (size_t)snprintf(p, size, "schema=%s instance=%s", ldms_table_name(t), ldms_row_instance(row));

	for (uint32_t i = 0; i < ldms_table_cols(t) && n < size; i++) {
		if (!ldms_row_count(row, i))
			continue;
		n += (size_t)snprintf(p + n, size - n, " %s=", ldms_table_col(t, i)->name);
		if (n < size)
			n += ldms_row_text(row, i, p + n, size - n);
	}
	return n;
}

static int lines_row(struct ldms_sink *sk, const struct ldms_row *row, struct ldms_err *err)
{
	const struct lines *l = (const struct lines *)ldms_store_state(ldms_sink_store(sk));
	struct table *t = (struct table *)ldms_table_state(ldms_row_table(row));
	struct sink *s = (struct sink *)ldms_sink_state(sk);
	size_t n;
	int rc;

	if (s->len + ROW_MAX + 1 > BUFFER_SIZE && (rc = lines_flush(sk, err)))
		return rc; /* it is offered again */
	n = l->json ? ldms_row_json(row, s->buf + s->len, ROW_MAX) : line(s->buf + s->len, ROW_MAX, row);
	if (n > l->longest || n >= ROW_MAX) {
		ldms_sink_refused(sk, 1, "a line of %s has %zu bytes, more than longest=%llu",
				  ldms_table_name(ldms_row_table(row)), n, (unsigned long long)l->longest);
		return 0;
	}
	s->len += n;
	s->buf[s->len++] = '\n';
	t->rows++;
	return 0;
}

static void lines_table_end(struct ldms_table *t)
{
	const struct table *own = (const struct table *)ldms_table_state(t);

	ldms_store_log(ldms_sink_store(ldms_table_sink(t)), LDMS_STORE_NOTE, "%s: %lu rows of %s",
		       ldms_sink_container(ldms_table_sink(t)), own->rows, ldms_table_name(t));
}

static void lines_close(struct ldms_sink *sk)
{
	struct sink *s = (struct sink *)ldms_sink_state(sk);

	close(s->fd);
	free(s->buf);
}

LDMS_STORE(.name = "lines", .brief = "a line of NAME=VALUE for each row", .attrs = attrs, .dir_attr = "dir",
	   .store_size = sizeof(struct lines), .sink_size = sizeof(struct sink), .table_size = sizeof(struct table),
	   .config = lines_config, .open = lines_open, .table = lines_table, .row = lines_row, .flush = lines_flush,
	   .table_end = lines_table_end, .close = lines_close);
