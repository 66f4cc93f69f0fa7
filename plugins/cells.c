/* cells.c - see cells.h */
#include "plugins/cells.h"

#include <assert.h>
#include <stdlib.h>

#include "core/base/xalloc.h"

#define STRIDE 128 /* bytes of a long line that are compared at once */

void cells_fini(struct cells *c)
{
	free(c->lines);
	free(c->v);
	free(c->text);
	*c = (struct cells){ 0 };
}

void cells_begin(struct cells *c)
{
	if (!c->v) {
		c->cap = 64;
		c->v = xcalloc(c->cap, sizeof(*c->v));
	}
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
		c->cap *= 2;
		c->v = xrealloc(c->v, c->cap * sizeof(*c->v));
	}
	assert(!line->n || from == c->at);
	if (!line->n)
		line->head = (uint32_t)(from - c->line);
	c->at = end;
	c->v[c->n++] = (struct cell){ slot, (uint32_t)(proc_blanks(from) - c->line), (uint32_t)(end - c->line) };
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

	if (!text) { /* as large, so that no later read has to ask for memory */
		cap = file->cap;
		text = xmalloc(cap);
	}
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

/* The n (1 to 8) digits at p; false when they are none. */
static inline bool digits8(const char *p, size_t n, uint64_t *ret)
{
	uint64_t w = (proc_load8(p) ^ PROC_EACH('0')) << (64 - 8 * n); /* 0 to 9 each, zeros in front */

	*ret = proc_eight(w);
	return !(((w + PROC_EACH(0x06)) | w) & PROC_EACH(0xf0));
}

/* The cell's number, of as many digits as it had. */
static inline bool cell_same(struct cell *cell, const char *p)
{
	size_t n = cell->end - cell->from;
	uint64_t high, low;

	if (n <= 8) {
		if (!digits8(p + cell->from, n, &low))
			return false;
		*cell->slot = htole64(low);
		return true;
	}
	if (n > 16 || !digits8(p + cell->from, n - 8, &high) || !digits8(p + cell->end - 8, 8, &low))
		return false;
	*cell->slot = htole64(high * 100000000 + low);
	return true;
}

/* Numbers that changed and are as long as they were, in bytes from..to-1 of a line whose last cell ends at `stop`; `*cell` is
 * the first that may be one, and then the next.  Where it came to: at least `to`, or what differs there is another thing.
 * It calls nothing, so all it has is in registers. */
static size_t cells_run(struct cell **ret, size_t stop, const char *p, const char *q, size_t from, size_t to)
{
	struct cell *cell = *ret;
	size_t at = from;

	while (at < to) {
		uint64_t other = proc_load8(p + at) ^ proc_load8(q + at);

		if (!other) {
			at += 8;
			continue;
		}
		at += (unsigned int)__builtin_ctzll(other) / 8;
		if (at >= stop)
			break;
		while (cell->end <= at)
			cell++;
		if (at < cell->from || !cell_same(cell, p))
			break;
		at = cell++->end; /* were there more digits, this byte would differ */
	}
	*ret = cell;
	return at;
}

/* It is a column: the number ends where it ended, and has more digits or less. */
static bool cell_column(struct cell *cell, size_t at, const char *p)
{
	const char *digits = proc_blanks(p + at), *behind = digits;
	uint64_t value = proc_digits(&behind);

	if (digits == p + at || behind == digits || behind != p + cell->end)
		return false;
	cell->from = (uint32_t)(digits - p);
	*cell->slot = htole64(value);
	return true;
}

/* Cell k of the line and those behind it stand elsewhere.  What is in front of them is as it was. */
static const char *line_rescan(struct cell_line *line, struct cell *v, size_t k, const char *p, const char *q,
			       const char *end)
{
	size_t behind = line->n ? v[line->n - 1].end : line->head, tail = line->len - behind;
	const char *at = p + (k ? v[k - 1].end : line->head);

	line->moved = true;
	for (; k < line->n; k++) {
		const char *digits = at = proc_blanks(at);

		*v[k].slot = htole64(proc_digits(&at));
		if (at == digits)
			return NULL;
		v[k].from = (uint32_t)(digits - p);
		v[k].end = (uint32_t)(at - p);
	}
	if (line->loose)
		return proc_next_line(at);
	return tail <= (size_t)(end - at) && !memcmp(at, q + behind, tail) ? at + tail : NULL;
}

/* A line that was `q` and is `p` now, in a text that ends at `end`: behind it, or NULL when it is another one. */
static const char *line_update(struct cell_line *line, struct cell *v, const char *p, const char *q, const char *end)
{
	struct cell *cell = v, *last = v + line->n;
	size_t stop = line->n ? last[-1].end : line->head, len = line->loose ? stop : line->len, at = 0;

	if (len > (size_t)(end - p)) /* the last line, with less digits than it had */
		return line->head <= (size_t)(end - p) && !memcmp(p, q, line->head) ? line_rescan(line, v, 0, p, q, end)
										    : NULL;
	while (at < len) {
		size_t to = len;

		if (len - at > STRIDE) {
			to = at + STRIDE;
			if (!memcmp(p + at, q + at, STRIDE)) {
				at = to;
				continue;
			}
		}
		at = cells_run(&cell, stop, p, q, at, to);
		if (at >= to)
			continue;
		if (at < line->head)
			return NULL;
		while (cell < last && cell->end <= at)
			cell++;
		if (cell == last || !cell_column(cell, cell > v ? cell[-1].end : line->head, p))
			return line_rescan(line, v, cell > v ? (size_t)(cell - v) - 1 : 0, p, q, end);
		at = cell++->end;
	}
	line->moved = cell > v;
	if (!line->loose)
		return p + len;
	if (line->n && proc_is_digit(p[len]))
		return line_rescan(line, v, line->n - 1, p, q, end);
	return proc_next_line(p + len);
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
	if (!c->known || !c->n_lines || !text_update(c, file->buf, file->buf + file->len)) {
		c->known = false;
		return false;
	}
	text_take(c, file);
	return true;
}
