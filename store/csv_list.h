/* csv_list.h - the text of a list of files, read. */
#ifndef STORE_CSV_LIST_H
#define STORE_CSV_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/csv.h"

struct csv_entry {
	uint64_t dev, ino;
	bool open;
	char *kind, *container, *schema, *path;
	uint64_t size; /* of this and the next: while old ones are looked for */
	int64_t mtime_us;
};

struct csv_entries {
	struct csv_entry *v;
	size_t n;
};

struct csv_entry *csv_entry_find(const struct csv_entries *es, uint64_t dev, uint64_t ino);
void csv_entry_del(struct csv_entries *es, struct csv_entry *e);
void csv_entry_begin(struct csv_entries *es, uint64_t dev, uint64_t ino, const struct csv_named *n);
void csv_entry_end(struct csv_entry *e, const char *path);
/* Their lines. */
void csv_begin_line(struct buf *b, const struct csv_entry *e);
void csv_end_line(struct buf *b, const struct csv_entry *e);
/* Whole lines, which are cut to pieces; what is no line of a list is passed over.  Returns how many lines. */
size_t csv_entries_read(struct csv_entries *es, char *text);
void csv_entries_fini(struct csv_entries *es);

#endif
