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

/* Is a number of 8 to 15 bytes what it was?  Its first ones, and its last ones with what ends it.  (PROC_SLACK allows that at the
 * end of a text.) */
static inline bool wide_is_same(const char *p, const char *q, size_t len)
{
	return !((proc_load8(p) ^ proc_load8(q)) | (proc_load8(p + len - 7) ^ proc_load8(q + len - 7)));
}

#define ONE_BLANK 0x3030303030303020ull /* a blank and seven digits, to be 0 to 9 each */

/* A line that was `q` and is `p` now, in a text that ends at `end`: behind it, or NULL when it is another one.  No text has
 * NULs, so what is as it was has not ended. */
static const char *line_update(struct cell_line *line, struct cell *v, const char *p, const char *q, const char *end)
{
	const char *behind = q + line->len;
	bool moved = false;
	size_t tail;

	if (line->head > (size_t)(end - p) || !proc_starts(p, q, line->head))
		return NULL;
	p += line->head;
	q += line->head;
	for (struct cell *last = v + line->n; v < last; v++) {
		const char *from = p;
		size_t len = v->len;
		uint64_t value;

		q += len;
		if (len < 8) {
			uint64_t now = proc_load8(p), w;

			/* the same, and it ends there? */
			if (!((now ^ proc_load8(q - len)) << (56 - 8 * len))) {
				p += len;
				continue;
			}
			/* as long as it was, a blank in front? */
			w = (now ^ ONE_BLANK) << (64 - 8 * len);
			if (!(((w + PROC_EACH(0x06)) | w) & PROC_EACH(0xf0)) && *p == ' ' && p[len] == *q) {
				*v->slot = htole64(proc_eight(w));
				p += len;
				moved = true;
				continue;
			}
		} else if (len < 16) {
			if (wide_is_same(p, q - len, len)) {
				p += len;
				continue;
			}
		} else if (len < (size_t)(end - p) && proc_starts(p, q - len, len + 1)) {
			p += len;
			continue;
		}
		if (!proc_number(&p, &value))
			return NULL;
		*v->slot = htole64(value);
		v->len = (uint32_t)(p - from);
		moved = true;
	}
	line->moved = moved;
	if (line->loose)
		return proc_next_line(p);
	tail = (size_t)(behind - q);
	if (tail == 1) /* the newline alone, mostly */
		return p < end && *p == *q ? p + 1 : NULL;
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
	if (!c->known || !c->n_lines || !text_update(c, file->buf, file->buf + file->len)) {
		c->known = false;
		return false;
	}
	text_take(c, file);
	return true;
}
