/* cells.c - see cells.h */
#include "plugins/cells.h"

#include <stdlib.h>

#include "core/base/xalloc.h"

#define BLOCK 8 /* lines that are compared at once at first */

void cells_fini(struct cells *c)
{
	free(c->lines);
	free(c->v);
	free(c->text);
	*c = (struct cells){ 0 };
}

void cells_begin(struct cells *c)
{
	c->n = c->n_lines = 0;
	c->line = NULL;
	c->known = false;
}

static void line_end(struct cells *c, const char *p)
{
	if (c->line)
		c->lines[c->n_lines - 1].len = (uint32_t)(p - c->line);
}

size_t cells_line(struct cells *c, const char *p)
{
	line_end(c, p);
	if (c->n_lines == c->lines_cap) {
		c->lines_cap = c->lines_cap ? 2 * c->lines_cap : 16;
		c->lines = xrealloc(c->lines, c->lines_cap * sizeof(*c->lines));
	}
	c->lines[c->n_lines] = (struct cell_line){ .moved = true };
	c->line = p;
	return c->n_lines++;
}

void cells_add(struct cells *c, const char *from, const char *end, uint64_t *slot)
{
	if (c->n == c->cap) {
		c->cap = c->cap ? 2 * c->cap : 64;
		c->v = xrealloc(c->v, c->cap * sizeof(*c->v));
	}
	c->v[c->n++] = (struct cell){ (uint32_t)(from - c->line), (uint32_t)(end - c->line), slot };
	c->lines[c->n_lines - 1].n++;
}

void cells_loose(struct cells *c, const char *behind)
{
	c->lines[c->n_lines - 1].loose = true;
	c->lines[c->n_lines - 1].head = (uint32_t)(behind - c->line);
}

/* The texts change places. */
static void text_take(struct cells *c, struct proc_file *file)
{
	char *text = c->text;
	size_t cap = c->text_cap;

	c->text = file->buf;
	c->text_cap = file->cap;
	file->buf = text;
	file->cap = cap;
}

void cells_end(struct cells *c, struct proc_file *file)
{
	line_end(c, file->buf + file->len);
	c->line = NULL;
	c->known = true;
	text_take(c, file);
}

/* The cells of a line that was `q` and is `p` now, of which `left` bytes are there; its new length, or 0 when it is
 * another line. */
static size_t line_update(struct cell_line *line, struct cell *v, const char *p, const char *q, size_t left)
{
	size_t at = 0, moved = 0; /* in q; how much further the same place is in p (modulo 2^64) */
	uint64_t value;

	for (struct cell *cell = v; cell < v + line->n; cell++) {
		size_t gap = cell->from - at, len = cell->end - cell->from;
		const char *number = p + cell->from + moved, *was = q + cell->from;

		if (cell->from + moved > left || (gap && memcmp(number - gap, was - gap, gap)))
			return 0;
		at = cell->end;
		cell->from += (uint32_t)moved;
		/* the same, and it ends there? */
		if (cell->end + moved < left && proc_starts(number, was, len + 1)) {
			cell->end += (uint32_t)moved;
			continue;
		}
		if (!proc_number(&number, &value))
			return 0;
		*cell->slot = htole64(value);
		cell->end = (uint32_t)(number - p);
		moved = cell->end - at;
	}
	if (line->loose && !line->n && (line->head > left || memcmp(p, q, line->head)))
		return 0;
	if (line->loose)
		return (size_t)(proc_next_line(p + at + moved) - p);
	if (line->len + moved > left || memcmp(p + at + moved, q + at, line->len - at))
		return 0;
	return line->len + moved;
}

static bool text_update(struct cells *c, const char *p, const char *end)
{
	const char *q = c->text;
	struct cell *v = c->v;
	size_t same = 0; /* lines ahead that are known to be as they were */

	for (size_t i = 0; i < c->n_lines; i++) {
		struct cell_line *line = &c->lines[i];
		size_t was = line->len, n = was;

		if (!same && i % BLOCK == 0 && i + BLOCK <= c->n_lines) {
			size_t len = 0;

			for (size_t k = i; k < i + BLOCK; k++)
				len += c->lines[k].len;
			if (len <= (size_t)(end - p) && !memcmp(p, q, len))
				same = BLOCK;
		}
		line->moved = !same && (was > (size_t)(end - p) || memcmp(p, q, was));
		same -= same > 0;
		if (line->moved)
			n = line_update(line, v, p, q, (size_t)(end - p));
		if (!n)
			return false;
		line->len = (uint32_t)n;
		p += n;
		q += was;
		v += line->n;
	}
	return p == end;
}

bool cells_update(struct cells *c, struct proc_file *file)
{
	if (!c->known || !text_update(c, file->buf, file->buf + file->len)) {
		c->known = false;
		return false;
	}
	text_take(c, file);
	return true;
}
