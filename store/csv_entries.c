/* csv_entries.c - the entries of a list of files (csv_list.c), and its text. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/str.h"
#include "core/base/xalloc.h"
#include "store/csv_list.h"

/* -- entries ------------------------------------------------------------------------------------------------------- */

static void entry_fini(struct csv_entry *e)
{
	free(e->kind);
	free(e->container);
	free(e->schema);
	free(e->path);
}

void csv_entries_fini(struct csv_entries *es)
{
	for (size_t i = 0; i < es->n; i++)
		entry_fini(&es->v[i]);
	free(es->v);
	*es = (struct csv_entries){ 0 };
}

struct csv_entry *csv_entry_find(const struct csv_entries *es, uint64_t dev, uint64_t ino)
{
	for (size_t i = es->n; i--;)
		if (es->v[i].ino == ino && es->v[i].dev == dev)
			return &es->v[i];
	return NULL;
}

void csv_entry_del(struct csv_entries *es, struct csv_entry *e)
{
	entry_fini(e);
	*e = es->v[--es->n];
}

void csv_entry_begin(struct csv_entries *es, uint64_t dev, uint64_t ino, const struct csv_named *n)
{
	struct csv_entry *e = csv_entry_find(es, dev, ino);

	if (e) {
		entry_fini(e);
	} else {
		es->v = xrealloc(es->v, (es->n + 1) * sizeof(*es->v));
		e = &es->v[es->n++];
	}
	*e = (struct csv_entry){ .dev = dev, .ino = ino, .open = true };
	e->kind = xstrdup(n->kind);
	e->container = xstrdup(n->container);
	e->schema = xstrdup(n->schema);
	e->path = xstrdup(n->path);
}

void csv_entry_end(struct csv_entry *e, const char *path)
{
	char *copy = xstrdup(path);

	free(e->path);
	e->path = copy;
	e->open = false;
}

/* -- text ---------------------------------------------------------------------------------------------------------- */

static void line_read(struct csv_entries *es, char *line)
{
	char *word[6] = { NULL }, *at = line;
	struct csv_entry *e;
	uint64_t dev, ino;
	const char *p;
	size_t n = 0;

	while (at && n < 6)
		word[n++] = strsep(&at, "\t");
	p = word[1];
	if (n < 2 || !str_digits(&p, &dev) || *p++ != ':' || !str_digits(&p, &ino) || *p)
		return;
	e = csv_entry_find(es, dev, ino);
	if (!strcmp(word[0], "+") && n == 6)
		csv_entry_begin(es, dev, ino, &(struct csv_named){ word[5], word[3], word[4], word[2] });
	else if (!strcmp(word[0], "=") && n == 3 && e)
		csv_entry_end(e, word[2]);
	else if (!strcmp(word[0], "-") && n == 2 && e)
		csv_entry_del(es, e);
}

size_t csv_entries_read(struct csv_entries *es, char *text)
{
	size_t lines = 0;

	for (char *end; (end = strchr(text, '\n')); text = end + 1) {
		*end = '\0';
		line_read(es, text);
		lines++;
	}
	return lines;
}

void csv_begin_line(struct buf *b, const struct csv_entry *e)
{
	buf_addf(b, "+\t%" PRIu64 ":%" PRIu64 "\t%s\t%s\t%s\t%s\n", e->dev, e->ino, e->kind, e->container, e->schema,
		 e->path);
}

void csv_end_line(struct buf *b, const struct csv_entry *e)
{
	buf_addf(b, "=\t%" PRIu64 ":%" PRIu64 "\t%s\n", e->dev, e->ino, e->path);
}
