/* cells.c - see cells.h */
#include "plugins/cells.h"

#include <assert.h>
#include <stdlib.h>

#include "core/base/xalloc.h"

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
	c->line = c->at = p;
	return c->n_lines++;
}

void cells_add(struct cells *c, const char *from, const char *end, uint64_t *slot)
{
	struct cell_line *line = &c->lines[c->n_lines - 1];

	if (c->n == c->cap) {
		c->cap = c->cap ? 2 * c->cap : 64;
		c->v = xrealloc(c->v, c->cap * sizeof(*c->v));
	}
	assert(!line->n || from == c->at);
	if (!line->n)
		line->head = (uint32_t)(from - c->line);
	c->at = end;
	c->v[c->n++] = (struct cell){ slot, (uint32_t)(end - from) };
	line->n++;
}

void cells_loose(struct cells *c, const char *behind)
{
	struct cell_line *line = &c->lines[c->n_lines - 1];

	line->loose = true;
	if (!line->n)
		line->head = (uint32_t)(behind - c->line);
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

/* Is the number at p, of `len` bytes, what it was at q, and does it end there?  No text has NULs, so none ends before. */
static inline bool cell_is_same(const char *p, const char *q, uint32_t len, const char *end)
{
	if (len < 8)
		return !((proc_load8(p) ^ proc_load8(q)) << (56 - 8 * len));
	return len < (size_t)(end - p) && proc_starts(p, q, len + 1);
}

/* A line that was `q` and is `p` now, in a text that ends at `end`: behind it, or NULL when it is another one. */
static __attribute__((noinline)) const char *line_update(struct cell_line *line, struct cell *v, const char *p,
							 const char *q, const char *end)
{
	const char *behind = q + line->len;
	size_t tail;

	line->moved = false;
	if (line->head > (size_t)(end - p) || !proc_starts(p, q, line->head))
		return NULL;
	p += line->head;
	q += line->head;
	for (struct cell *last = v + line->n; v < last; v++) {
		const char *from = p;
		uint32_t len = v->len;
		uint64_t value;

		if (cell_is_same(p, q, len, end)) {
			p += len;
			q += len;
			continue;
		}
		if (!proc_number(&p, &value))
			return NULL;
		*v->slot = htole64(value);
		v->len = (uint32_t)(p - from);
		q += len;
		line->moved = true;
	}
	if (line->loose)
		return proc_next_line(p);
	tail = (size_t)(behind - q);
	return tail <= (size_t)(end - p) && !memcmp(p, q, tail) ? p + tail : NULL;
}

static bool text_update(struct cells *c, const char *p, const char *end)
{
	const char *q = c->text;
	struct cell *v = c->v;

	for (struct cell_line *line = c->lines, *last = line + c->n_lines; line < last; line++) {
		const char *from = p;
		uint32_t len = line->len;

		/* where something has moved it often does so again */
		if (!line->moved && len <= (size_t)(end - p) && !memcmp(p, q, len)) {
			p += len;
		} else {
			p = line_update(line, v, p, q, end);
			if (!p)
				return false;
			line->len = (uint32_t)(p - from);
		}
		q += len;
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
