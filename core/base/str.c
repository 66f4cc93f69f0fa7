/* str.c - see str.h */
#include "core/base/str.h"

#include <ctype.h>
#include <stddef.h>
#include <string.h>

#define EDITS_MAX   4  /* wrong letters, however long a word is */
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
 * alignment); letters that differ in case only are equal.  `limit` when it is that or more.  Three rows of the table
 * are enough, since a swap looks back two. */
static size_t edits(const char *a, const char *b, size_t limit)
{
	size_t row[3][NEAREST_MAX + 1];
	size_t *before = row[0], *last = row[1], *now = row[2];
	size_t na = strlen(a), nb = strlen(b), least_before = 0;

	if ((na > nb ? na - nb : nb - na) >= limit)
		return limit;
	for (size_t j = 0; j <= nb; j++)
		last[j] = j;
	for (size_t i = 1; i <= na; i++) {
		size_t *oldest = before, least = i;

		now[0] = i;
		for (size_t j = 1; j <= nb; j++) {
			size_t differ = fold(a[i - 1]) != fold(b[j - 1]);

			now[j] = min3(last[j] + 1, now[j - 1] + 1, last[j - 1] + differ);
			if (i > 1 && j > 1 && fold(a[i - 1]) == fold(b[j - 2]) && fold(a[i - 2]) == fold(b[j - 1]) &&
			    before[j - 2] + 1 < now[j])
				now[j] = before[j - 2] + 1;
			if (now[j] < least)
				least = now[j];
		}
		if (least >= limit && least_before >= limit)
			return limit; /* it only grows from here */
		least_before = least;
		before = last;
		last = now;
		now = oldest;
	}
	return last[nb] < limit ? last[nb] : limit;
}

/* Which letters a word has; those that differ in case only are one. */
static uint64_t letters(const char *s)
{
	uint64_t set = 0;

	for (; *s; s++)
		set |= 1ull << ((*s | 0x20) & 63);
	return set;
}

/* A letter that the other word has not costs an edit: most words need no closer look. */
static bool may_be_near(uint64_t a, uint64_t b, size_t limit)
{
	return (size_t)__builtin_popcountll(a & ~b) < limit && (size_t)__builtin_popcountll(b & ~a) < limit;
}

const char *nearest(const char *word, const char *const *names)
{
	const char *best = NULL;
	uint64_t own = letters(word);
	size_t len = strlen(word);
	size_t best_edits = (len + 2) / 3 + 1; /* more than one wrong letter in three is another word */

	if (!len || len > NEAREST_MAX)
		return NULL;
	if (best_edits > EDITS_MAX + 1)
		best_edits = EDITS_MAX + 1;
	if (best_edits > len)
		best_edits = len; /* at least one letter must be right */
	for (; *names; names++) {
		size_t n;

		if (!may_be_near(own, letters(*names), best_edits) || strlen(*names) > NEAREST_MAX)
			continue;
		n = edits(word, *names, best_edits);
		if (n < best_edits) {
			best_edits = n;
			best = *names;
		}
	}
	return best;
}
