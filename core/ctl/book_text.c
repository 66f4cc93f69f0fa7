/* book_text.c - see book_text.h */
#include "core/ctl/book_text.h"

#include <errno.h>
#include <stdlib.h>

#include "core/base/xalloc.h"
#include "core/ctl/book_line.h"
#include "core/ctl/line.h"

static int note(struct book *b, const struct line *l, struct err *err)
{
	struct ctl c = { .verb = l->verb };

	for (size_t i = 0; i < l->n; i++) {
		const struct ctl_arg *a = &l->args[i];
		const struct attr_use *u = NULL;

		for (u = l->verb->attrs; u && u->name && strcmp(u->name, a->name); u++)
			;
		if (!u || !u->name || c.text[u->id])
			continue; /* the first one counts */
		if (a->value && !*a->value && u->type != AT_FLAG)
			continue; /* nothing is said by it */
		c.text[u->id] = a->value ? a->value : "";
		if (!strstr(c.text[u->id], "${"))
			ctl_value(l->verb, u, c.text[u->id], &c.num[u->id], NULL);
	}
	return book_note(b, &c, err);
}

static int take_line(struct book *b, const char *text, struct err *err)
{
	struct line l;
	int rc = line_parse(&l, text, err);

	if (rc || !l.verb)
		return rc;
	rc = note(b, &l, err);
	line_fini(&l);
	return rc;
}

static int take(struct book *b, const char *text, bool all, struct err *err)
{
	char *copy = xstrdup(text), *at = copy, *one;
	struct line_join j = { 0 };
	unsigned int n = 0;
	int rc = 0;

	while ((one = strsep(&at, "\n")) && !rc) {
		n++;
		if (line_join(&j, one, !at))
			rc = take_line(b, line_join_take(&j), err);
		if (rc && all)
			rc = 0;
		else if (rc)
			err_prefix(err, rc, "line %u: ", n);
	}
	line_join_fini(&j);
	free(copy);
	return rc;
}

int book_take(struct book *b, const char *text, struct err *err)
{
	return take(b, text, false, err);
}

void book_take_all(struct book *b, const char *text)
{
	take(b, text, true, NULL);
}

/* -- variables: only the daemon that was told knows what they are ----------------------------------------------------
 */

/* The end of ${NAME}; NULL: it is none. */
static const char *variable_end(const char *p)
{
	size_t n;

	if (p[0] != '$' || p[1] != '{')
		return NULL;
	n = strspn(p + 2, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_");
	return n && p[2 + n] == '}' ? p + 3 + n : NULL;
}

/* May `want` have become `have`?  A variable is any run of characters within its attribute.  As in a shell's pattern:
 * when it does not fit, the last variable takes one character more. */
static bool suits(const char *want, const char *have)
{
	const char *again_want = NULL, *again_have = NULL, *end;

	while (*have) {
		end = variable_end(want);
		if (end) {
			again_want = want = end;
			again_have = have;
		} else if (*want == *have) {
			want++;
			have++;
		} else if (again_want && *again_have != LINE_SEP) {
			want = again_want;
			have = ++again_have;
		} else {
			return false;
		}
	}
	while ((end = variable_end(want)))
		want = end;
	return !*want;
}

static void unify_line(char **want, const char *have)
{
	if (!*want || !have || !strstr(*want, "${") || !suits(*want, have))
		return;
	free(*want);
	*want = xstrdup(have);
}

void book_unify(struct book *want, const struct book *have)
{
	for (int k = 0; k < BOOK_KINDS; k++)
		for (struct book_item *w = want->items[k]; w; w = w->hh.next) {
			const struct book_item *h = book_find(have, (enum book_kind)k, w->name);

			if (!h)
				continue;
			unify_line(&w->line, h->line);
			unify_line(&w->run, h->run);
			for (unsigned int i = 0; i < w->n_parts && i < h->n_parts; i++)
				unify_line(&w->parts[i], h->parts[i]);
		}
}

static bool same_text(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

bool book_item_same(const struct book_item *a, const struct book_item *b)
{
	bool same = a->on == b->on && a->n_parts == b->n_parts && !strcmp(a->line, b->line) &&
		    (!a->on || same_text(a->run, b->run));

	for (unsigned int i = 0; same && i < a->n_parts; i++)
		same = !strcmp(a->parts[i], b->parts[i]);
	return same;
}
