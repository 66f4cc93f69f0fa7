/* names.h - which row of a table belongs to a line: names (disks, interfaces, interrupts) that are looked up in the order
 * in which the file had them the last time.
 *
 * Each name remembers which one came after it, so that a steady file costs one comparison a line; a line that stands
 * elsewhere is searched for once, and then remembered there.
 *
 *	names_rewind(&nm);
 *	for (each line)
 *		i = names_find(&nm, name, len);
 */
#ifndef PLUGINS_NAMES_H
#define PLUGINS_NAMES_H

#include "core/base/buf.h"
#include "plugins/proc.h"

struct name_row {
	uint32_t at, len; /* in names.text */
	uint32_t follow;  /* the one that came after it */
};

struct names {
	struct name_row *v;
	uint32_t n, cap;
	uint32_t first, last, next; /* of the file; found last; expected now */
	struct buf text;            /* PROC_SLACK bytes of NUL behind */
};

/* Its number: they count from 0. */
uint32_t names_add(struct names *nm, const char *name, size_t len);
/* Forget them all. */
void names_clear(struct names *nm);
void names_fini(struct names *nm);

/* Elsewhere than expected; see names_find(). */
int names_search(struct names *nm, const char *p, size_t len);

/* Before the first line of a file. */
static inline void names_rewind(struct names *nm)
{
	nm->next = nm->first;
	nm->last = UINT32_MAX;
}

/* The number of the name that the `len` bytes at p are, or -1. */
static inline int names_find(struct names *nm, const char *p, size_t len)
{
	uint32_t i = nm->next;

	if (i >= nm->n || nm->v[i].len != len || !proc_starts(p, (const char *)nm->text.p + nm->v[i].at, len))
		return names_search(nm, p, len);
	nm->last = i;
	nm->next = nm->v[i].follow;
	return (int)i;
}

/* The name, not NUL-terminated. */
static inline const char *names_text(const struct names *nm, uint32_t i, size_t *len)
{
	*len = nm->v[i].len;
	return (const char *)nm->text.p + nm->v[i].at;
}

#endif
