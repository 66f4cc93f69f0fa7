/* cells.h - files of which most numbers stay what they are: each text is compared with the one before, and only what has
 * changed is scanned.
 *
 * A cell is a number with the blanks in front of it.  The cells of a line stand one behind the other; what is in front of
 * them (a name) and behind them must stay as it is.  A sampler scans its file once in full, and says where each number
 * goes:
 *
 *	cells_begin(&c);
 *	for (each line p) {
 *		cells_line(&c, p);
 *		while (cells_number(&c, &p, slot))
 *			...
 *	}
 *	cells_end(&c, &file);
 *
 * and from then on cells_update() does the rest, until the lines are others than those.  Numbers may get longer and
 * shorter.
 */
#ifndef PLUGINS_CELLS_H
#define PLUGINS_CELLS_H

#include "plugins/proc.h"

struct cell {
	uint64_t *slot;     /* little endian */
	uint32_t from, end; /* its digits, from the line's beginning */
};

struct cell_line {
	uint32_t len;      /* with its newline */
	uint32_t head;     /* in front of its cells */
	uint32_t first, n; /* cells */
	uint32_t turn;     /* when one of them changed last */
	bool loose;        /* what is behind them does not matter */
};

struct cells {
	struct cell_line *lines;
	struct cell *v; /* of all lines */
	size_t n_lines, lines_cap, n, cap;
	char *text; /* the lines as they were */
	size_t text_len, text_cap;
	const char *line, *at; /* that is being learnt, or NULL; behind its cells so far */
	bool known, dense;     /* dense: much changed the last time */
	uint32_t turn;         /* counts up with each update and scan */
};

void cells_fini(struct cells *c);
/* Forget everything: a full scan follows. */
void cells_begin(struct cells *c);
/* A line begins; the first one stands at the front of the text.  Its index: they count from 0. */
size_t cells_line(struct cells *c, const char *p);
/* The next one begins where this one ends.  It may be words between numbers, which must stay as they are: then the slot is
 * any that nobody needs. */
void cells_add(struct cells *c, const char *from, const char *end, uint64_t *slot);
/* What is behind the last cell of this line does not matter; nor, when it has none, what stands at `behind` (its name) and
 * further. */
void cells_loose(struct cells *c, const char *behind);
/* The text of the file ends; it is taken over, and file->buf is another one. */
void cells_end(struct cells *c, struct proc_file *file);

/* Write what has changed.  False when these are not the lines that were learnt (or none were): scan all of them.  When
 * true the text is taken over like in cells_end(). */
bool cells_update(struct cells *c, struct proc_file *file);

/* Has a number of this line changed, in the last cells_update() or the scan? */
static inline bool cells_moved(const struct cells *c, size_t line)
{
	return c->lines[line].turn == c->turn;
}

/* The number at *p, into the slot; false when there is none. */
static inline bool cells_number(struct cells *c, const char **p, uint64_t *slot)
{
	const char *from = *p;
	uint64_t v;

	if (!proc_number(p, &v))
		return false;
	*slot = htole64(v);
	cells_add(c, from, *p, slot);
	return true;
}

#endif
