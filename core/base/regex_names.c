/* regex_names.c - see regex_names.h
 *
 * The names, sorted, are a tree by their characters; what follows a character is written once for all characters that
 * the same follows: 1-4 become [1-4].  What all names end with is cut off first, so that it does not stand in every
 * branch.
 */
#include "core/base/regex_names.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/xalloc.h"

#define DEPTH_MAX 12 /* groups inside groups; behind it names are written out */

static int text_cmp(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* A character that stands for itself. */
static void literal(struct buf *b, char c)
{
	if (strchr(".[]()*+?{}|\\^$", c))
		buf_u8(b, '\\');
	buf_u8(b, (uint8_t)c);
}

static void literals(struct buf *b, const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		literal(b, p[i]);
}

/* One of those characters (sorted): itself, or [0-9a]. */
static void one_of(struct buf *b, const char *chars, size_t n)
{
	bool minus = false;

	if (n == 1) {
		literal(b, *chars);
		return;
	}
	buf_u8(b, '[');
	for (size_t i = 0; i < n;) {
		size_t k = i + 1;

		while (k < n && chars[k] == chars[k - 1] + 1 && chars[k] >= '0' && chars[i] >= '0')
			k++;
		if (chars[i] == '-') {
			minus = true;
		} else if (k - i > 2) {
			buf_u8(b, (uint8_t)chars[i]);
			buf_u8(b, '-');
			buf_u8(b, (uint8_t)chars[k - 1]);
		} else {
			buf_add(b, chars + i, k - i);
		}
		i = k;
	}
	if (minus)
		buf_u8(b, '-');
	buf_u8(b, ']');
}

/* May it stand between brackets, in any place? */
static bool is_plain(char c)
{
	return !strchr("[]^\\:.=", c);
}

struct branch {
	char chars[256];
	size_t n;
	char *rest; /* behind any of these characters */
};

/* What names [lo, hi) have behind their first `at` characters. */
static char *tree(const char *const *v, size_t lo, size_t hi, size_t at, unsigned int depth);

static void branch_add(struct branch **v, size_t *n, char c, char *rest)
{
	for (size_t i = 0; i < *n && is_plain(c); i++) {
		struct branch *br = &(*v)[i];

		if (is_plain(*br->chars) && !strcmp(br->rest, rest)) {
			br->chars[br->n++] = c;
			free(rest);
			return;
		}
	}
	*v = xrealloc(*v, (*n + 1) * sizeof(**v));
	(*v)[*n] = (struct branch){ .chars = { c }, .n = 1, .rest = rest };
	++*n;
}

/* Too many groups inside each other: one by one. */
static void written_out(struct buf *b, const char *const *v, size_t lo, size_t hi, size_t at)
{
	for (size_t i = lo; i < hi; i++) {
		if (i > lo)
			buf_u8(b, '|');
		literals(b, v[i] + at, strlen(v[i] + at));
	}
}

static void branches(struct buf *b, const char *const *v, size_t lo, size_t hi, size_t at, unsigned int depth)
{
	bool ends = !v[lo][at], group; /* the shortest one comes first */
	struct branch *br = NULL;
	size_t n = 0;

	for (size_t i = lo + ends, k; i < hi; i = k) {
		for (k = i + 1; k < hi && v[k][at] == v[i][at]; k++)
			;
		branch_add(&br, &n, v[i][at], tree(v, i, k, at + 1, depth + 1));
	}
	group = n > 1 || (ends && br->rest[0]);
	if (group)
		buf_u8(b, '(');
	for (size_t i = 0; i < n; i++) {
		if (i)
			buf_u8(b, '|');
		one_of(b, br[i].chars, br[i].n);
		buf_add(b, br[i].rest, strlen(br[i].rest));
		free(br[i].rest);
	}
	if (group)
		buf_u8(b, ')');
	if (ends)
		buf_u8(b, '?');
	free(br);
}

static char *tree(const char *const *v, size_t lo, size_t hi, size_t at, unsigned int depth)
{
	struct buf b = { 0 };
	size_t same = at;

	/* the first and the last, being sorted, differ where any two do */
	while (v[lo][same] && v[lo][same] == v[hi - 1][same])
		same++;
	literals(&b, v[lo] + at, same - at);
	if (hi - lo > 1 && depth < DEPTH_MAX) {
		branches(&b, v, lo, hi, same, depth);
	} else if (hi - lo > 1) {
		buf_u8(&b, '(');
		written_out(&b, v, lo, hi, same);
		buf_u8(&b, ')');
	}
	buf_str(&b);
	return (char *)b.p;
}

/* Ends that all have; a name is never cut off whole. */
static size_t tail_of(const char *const *v, size_t n)
{
	size_t max = strlen(v[0]), same = 0;

	for (size_t i = 1; i < n; i++)
		if (strlen(v[i]) < max)
			max = strlen(v[i]);
	for (; n > 1 && same + 1 < max; same++) {
		char c = v[0][strlen(v[0]) - 1 - same];

		for (size_t i = 1; i < n; i++)
			if (v[i][strlen(v[i]) - 1 - same] != c)
				return same;
	}
	return n > 1 ? same : 0;
}

static char *expression(const char *const *v, size_t n)
{
	size_t tail = tail_of(v, n);
	char **stems = xcalloc(n, sizeof(*stems)), *middle;
	struct buf b = { 0 };

	for (size_t i = 0; i < n; i++)
		stems[i] = xstrndup(v[i], strlen(v[i]) - tail);
	qsort(stems, n, sizeof(*stems), text_cmp);
	middle = tree((const char *const *)stems, 0, n, 0, 0);
	buf_u8(&b, '^');
	buf_add(&b, middle, strlen(middle));
	literals(&b, v[0] + strlen(v[0]) - tail, tail);
	buf_u8(&b, '$');
	buf_str(&b);
	free(middle);
	for (size_t i = 0; i < n; i++)
		free(stems[i]);
	free(stems);
	return (char *)b.p;
}

static void expressions(const char *const *v, size_t n, size_t max, char ***ret, size_t *ret_n)
{
	char *text = expression(v, n);

	if (strlen(text) < max || n == 1) {
		*ret = xrealloc(*ret, (*ret_n + 1) * sizeof(**ret));
		(*ret)[(*ret_n)++] = text;
		return;
	}
	free(text);
	expressions(v, n / 2, max, ret, ret_n);
	expressions(v + n / 2, n - n / 2, max, ret, ret_n);
}

void regex_names(const char *const *names, size_t n, size_t max, char ***ret, size_t *ret_n)
{
	const char **v = xcalloc(n + 1, sizeof(*v));
	size_t k = 0;

	*ret = NULL;
	*ret_n = 0;
	memcpy(v, names, n * sizeof(*v));
	qsort(v, n, sizeof(*v), text_cmp);
	for (size_t i = 0; i < n; i++)
		if (!k || strcmp(v[k - 1], v[i]))
			v[k++] = v[i];
	if (k)
		expressions(v, k, max, ret, ret_n);
	free(v);
}
