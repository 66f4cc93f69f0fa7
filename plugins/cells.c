/* cells.c - see cells.h */
#include "plugins/cells.h"

#include <assert.h>
#include <stdlib.h>

#include "core/base/xalloc.h"

#define STRIDE 128 /* bytes that are compared at once where little changes */

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
	c->turn++;
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
	c->lines[c->n_lines] = (struct cell_line){ .first = (uint32_t)c->n, .turn = c->turn };
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
	c->text_len = file->len;
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

	for (; k < line->n; k++) {
		const char *digits = at = proc_blanks(at);

		if (!proc_is_digit(*at)) { /* words that stay, or another line */
			size_t n = v[k].end - v[k].from;

			if (n > (size_t)(end - at) || memcmp(at, q + v[k].from, n))
				return NULL;
			at += n;
		} else if (proc_is_digit(q[v[k].end - 1])) {
			*v[k].slot = htole64(proc_digits(&at));
		} else {
			return NULL;
		}
		v[k].from = (uint32_t)(digits - p);
		v[k].end = (uint32_t)(at - p);
	}
	if (line->loose)
		return proc_next_line(at);
	return tail <= (size_t)(end - at) && !memcmp(at, q + behind, tail) ? at + tail : NULL;
}

/* Where the comparison is: in a line, of which the first bytes are the same or taken over. */
struct walk {
	struct cell *cells; /* all */
	struct cell_line *line;
	struct cell *v;    /* of the line */
	size_t k;          /* cells before this one are done */
	const char *p, *q; /* the line now, and as it was */
	size_t at;         /* in it */
	size_t taken;      /* numbers that changed */
	uint32_t turn;
};

/* Take over numbers that changed and are as long as they were, until `stop` in both texts.  False when something else differs
 * at `at`.  It calls nothing, so that what it works on is in registers. */
static bool walk_run(struct walk *w, const char *stop)
{
	struct cell_line *line = w->line;
	struct cell *v = w->v, *cell = v + w->k, *last = v + line->n;
	const char *p = w->p, *s = p + w->at;
	const ptrdiff_t was = (intptr_t)w->q - (intptr_t)p; /* from a byte to what it was */
	size_t taken = w->taken;
	bool same = true;

	while (s < stop) {
		uint64_t other = proc_load8(s) ^ proc_load8(s + was);
		size_t at;

		if (!other) {
			s += 8;
			continue;
		}
		s += (unsigned int)__builtin_ctzll(other) / 8;
		if (s >= stop)
			break;
		at = (size_t)(s - p);
		if (at >= line->len) {
			for (; at >= line->len; line++) {
				at -= line->len;
				p += line->len;
			}
			v = cell = w->cells + line->first;
			last = v + line->n;
		}
		while (cell < last && cell->end <= at)
			cell++;
		if (cell == last || at < cell->from || !cell_same(cell, p)) {
			same = false;
			break;
		}
		line->turn = w->turn;
		taken++;
		s = p + cell++->end; /* were there more digits, this byte would differ */
	}
	w->line = line;
	w->v = v;
	w->k = (size_t)(cell - v);
	w->p = p;
	w->q = p + was;
	w->at = (size_t)(s - p);
	w->taken = taken;
	return same;
}

/* Something else differs in the line: go on behind that; false when it is another line. */
static bool walk_over(struct walk *w, const char *end)
{
	struct cell_line *line = w->line;
	size_t stop = line->n ? w->v[line->n - 1].end : line->head, len = line->len;
	const char *next;

	if (w->at < line->head)
		return false;
	if (line->loose && w->at >= stop && !(line->n && w->at == stop && proc_is_digit(w->p[stop]))) {
		next = proc_next_line(w->p + w->at);
	} else {
		line->turn = w->turn;
		if (w->k < line->n && cell_column(&w->v[w->k], w->k ? w->v[w->k - 1].end : line->head, w->p)) {
			w->at = w->v[w->k++].end;
			return true;
		}
		next = line_rescan(line, w->v, w->k ? w->k - 1 : 0, w->p, w->q, end);
		if (!next)
			return false;
	}
	w->q += len;
	line->len = (uint32_t)(next - w->p);
	w->p = next;
	w->v += line->n;
	w->line++;
	w->k = w->at = 0;
	return true;
}

/* To the line that `at` is in; false when there is none. */
static bool walk_seek(struct walk *w, const struct cell_line *last)
{
	for (; w->line < last && w->at >= w->line->len; w->line++) {
		w->at -= w->line->len;
		w->p += w->line->len;
		w->q += w->line->len;
		w->v += w->line->n;
		w->k = 0;
	}
	if (w->line == last)
		return false;
	while (w->k < w->line->n && w->v[w->k].end <= w->at)
		w->k++;
	return true;
}

static bool text_update(struct cells *c, const char *p, const char *end)
{
	struct walk w = { .cells = c->v, .line = c->lines, .v = c->v, .p = p, .q = c->text, .turn = c->turn };
	const char *before = c->text + c->text_len; /* its end */

	for (;;) {
		size_t now = (size_t)(end - w.p), was = (size_t)(before - w.q), room = now < was ? now : was, to = room;

		if (!c->dense) {
			while (w.at + STRIDE <= room && !memcmp(w.p + w.at, w.q + w.at, STRIDE))
				w.at += STRIDE;
			if (w.at + STRIDE < room)
				to = w.at + STRIDE;
		}
		if (w.at > room)
			w.at = room;
		if (w.at == room && now == was)
			break;
		if (w.at < room && walk_run(&w, w.p + to))
			continue;
		if (!walk_seek(&w, c->lines + c->n_lines) || !walk_over(&w, end))
			return false;
	}
	c->dense = w.taken > c->text_len / STRIDE;
	return true;
}

bool cells_update(struct cells *c, struct proc_file *file)
{
	c->turn++;
	if (!c->known || !c->n_lines || !text_update(c, file->buf, file->buf + file->len)) {
		c->known = false;
		return false;
	}
	text_take(c, file);
	return true;
}
