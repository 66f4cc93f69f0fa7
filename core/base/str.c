/* str.c - see str.h */
#include "core/base/str.h"

#include <ctype.h>
#include <stddef.h>
#include <string.h>

#define NEAREST_MAX 64 /* bytes of a word; nobody mistypes a longer one by a letter and wants help */

bool str_digits(const char **p, uint64_t *ret)
{
	const char *from = *p;
	uint64_t v = 0;

	for (; isdigit((unsigned char)**p); ++*p)
		if (__builtin_mul_overflow(v, 10, &v) || __builtin_add_overflow(v, **p - '0', &v))
			return false;
	*ret = v;
	return *p > from;
}

static size_t min3(size_t a, size_t b, size_t c)
{
	size_t m = a < b ? a : b;

	return m < c ? m : c;
}

static int fold(char c)
{
	return tolower((unsigned char)c);
}

/* How many letters must be put in, left out, replaced or swapped with their neighbour to make b of a (optimal string
 * alignment); letters that differ in case only are equal.  Three rows of the table are enough, since a swap looks back
 * two. */
static size_t edits(const char *a, const char *b)
{
	size_t row[3][NEAREST_MAX + 1];
	size_t *before = row[0], *last = row[1], *now = row[2];
	size_t na = strlen(a), nb = strlen(b);

	for (size_t j = 0; j <= nb; j++)
		last[j] = j;
	for (size_t i = 1; i <= na; i++) {
		size_t *oldest = before;

		now[0] = i;
		for (size_t j = 1; j <= nb; j++) {
			size_t differ = fold(a[i - 1]) != fold(b[j - 1]);

			now[j] = min3(last[j] + 1, now[j - 1] + 1, last[j - 1] + differ);
			if (i > 1 && j > 1 && fold(a[i - 1]) == fold(b[j - 2]) && fold(a[i - 2]) == fold(b[j - 1]) &&
			    before[j - 2] + 1 < now[j])
				now[j] = before[j - 2] + 1;
		}
		before = last;
		last = now;
		now = oldest;
	}
	return last[nb];
}

const char *nearest(const char *word, const char *const *names)
{
	const char *best = NULL;
	size_t len = strlen(word);
	size_t best_edits = (len + 2) / 3 + 1; /* more than one wrong letter in three is another word */

	if (!len || len > NEAREST_MAX)
		return NULL;
	if (best_edits > len)
		best_edits = len; /* at least one letter must be right */
	for (; *names; names++) {
		size_t n;

		if (strlen(*names) > NEAREST_MAX)
			continue;
		n = edits(word, *names);
		if (n < best_edits) {
			best_edits = n;
			best = *names;
		}
	}
	return best;
}
