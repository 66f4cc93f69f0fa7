/* hostlist_fold.c - many names in few words: the other way round than hostlist.c.
 *
 * Of each name one number counts: the last one in front of a colon (a port is the same for all), or the last one.  The
 * names are sorted by what stands around it and by it; neighbours that differ by one become a range.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/hostlist.h"
#include "core/base/str.h"
#include "core/base/xalloc.h"

#define DIGITS_MAX 18 /* of a number; longer ones are words */

struct part {
	const char *name;
	size_t before, digits; /* bytes in front of the number (all, where there is none), and of it */
	uint64_t number;
};

static struct part part_of(const char *name)
{
	size_t end = strcspn(name, ":"), from;
	struct part p = { .name = name, .before = strlen(name) };
	const char *at;

	for (int i = 0; i < 2; i++) {
		while (end && (name[end - 1] < '0' || name[end - 1] > '9'))
			end--;
		for (from = end; from && name[from - 1] >= '0' && name[from - 1] <= '9';)
			from--;
		at = name + from;
		if (end > from && end - from <= DIGITS_MAX && str_digits(&at, &p.number)) {
			p.before = from;
			p.digits = end - from;
			return p;
		}
		end = strlen(name);
	}
	return p;
}

static int by_around(const struct part *a, const struct part *b)
{
	size_t n = a->before < b->before ? a->before : b->before;
	int d = memcmp(a->name, b->name, n);

	if (!d)
		d = (a->before > b->before) - (a->before < b->before);
	return d ? d : strcmp(a->name + a->before + a->digits, b->name + b->before + b->digits);
}

static int by_name(const void *left, const void *right)
{
	const struct part *a = left, *b = right;
	int d = by_around(a, b);

	if (!d)
		d = (a->number > b->number) - (a->number < b->number);
	return d ? d : (a->digits > b->digits) - (a->digits < b->digits);
}

/* The range that begins with `first` goes on with b, which is behind a: one more, written with as many zeros. */
static bool goes_on(const struct part *first, const struct part *a, const struct part *b)
{
	char text[DIGITS_MAX + 2];

	if (!b->digits || b->number != a->number + 1 || by_around(a, b))
		return false;
	snprintf(text, sizeof(text), "%0*llu", (int)first->digits, (unsigned long long)b->number);
	return strlen(text) == b->digits;
}

/* Names from [0, n) that differ in their number only: "n[1-3,7]", or the name where there is one; no further ones
 * behind `end` bytes.  How many of them. */
static size_t group_put(const struct part *p, size_t n, size_t end, struct buf *to)
{
	size_t m = 1, i = 0;

	while (m < n && p->digits && !by_around(p, &p[m]))
		m++;
	if (m == 1) {
		buf_addf(to, "%s", p->name);
		return 1;
	}
	buf_addf(to, "%.*s[", (int)p->before, p->name);
	while (i < m && (!i || to->len < end)) {
		size_t k = i + 1;

		while (k < m && goes_on(&p[i], &p[k - 1], &p[k]))
			k++;
		buf_addf(to, "%s%.*s", i ? "," : "", (int)p[i].digits, p[i].name + p[i].before);
		if (k > i + 1)
			buf_addf(to, "-%.*s", (int)p[k - 1].digits, p[k - 1].name + p[k - 1].before);
		i = k;
	}
	buf_addf(to, "]%s", p->name + p->before + p->digits);
	return i;
}

void hostlist_fold(const char *const *names, size_t n, size_t max, struct buf *to)
{
	struct part *parts = xcalloc(n ? n : 1, sizeof(*parts));
	size_t end = max ? to->len + max : SIZE_MAX, i = 0;

	for (size_t k = 0; k < n; k++)
		parts[k] = part_of(names[k]);
	qsort(parts, n, sizeof(*parts), by_name);
	while (i < n && (!i || to->len < end)) {
		if (i)
			buf_addf(to, " ");
		i += group_put(&parts[i], n - i, end, to);
	}
	if (i < n)
		buf_addf(to, " and %zu more", n - i);
	free(parts);
}
