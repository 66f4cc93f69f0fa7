/* regex_tame.c - see regex_tame.h: the size of the tree, without making it
 *
 * What may be left out is counted apart, too: the compiler walks over all ways around it, again for each repetition
 * around it, so that sixteen question marks and plus signs behind one letter take it minutes.
 */
#include "core/base/regex_tame.h"

#include <stddef.h>
#include <string.h>

#define TREE_MAX   4096 /* leaves, all repetitions written out */
#define LOOSE_MAX  512  /* parts that may be left out, all repetitions written out */
#define LOOSE_WAYS 8    /* times more ways around it, for each repetition around it */
#define DEPTH_MAX  32   /* groups inside groups */

struct tree {
	unsigned int size;              /* leaves of the group that is open; at most a little more than TREE_MAX */
	unsigned int last;              /* ... of its last part, which a repetition repeats */
	unsigned int loose, last_loose; /* the same for what may be left out */
	unsigned int outer[DEPTH_MAX], outer_loose[DEPTH_MAX], depth; /* of the groups around it */
};

static void leaf(struct tree *t)
{
	t->last = 1;
	t->last_loose = 0;
	t->size++;
}

static void repeat(struct tree *t, unsigned int times)
{
	unsigned int ways = t->last_loose * (times > LOOSE_WAYS ? times : LOOSE_WAYS);

	t->size += t->last * (times - 1);
	t->last *= times;
	t->loose += ways - t->last_loose;
	t->last_loose = ways;
}

/* The last part may be left out. */
static void loosen(struct tree *t)
{
	t->loose++;
	t->last_loose++;
}

/* Behind a bracket expression; p is behind its '['. */
static const char *skip_bracket(const char *p)
{
	if (*p == '^')
		p++;
	if (*p == ']')
		p++; /* the first one is a member */
	while (*p && *p != ']') {
		char kind = p[1];

		if (*p == '[' && kind && strchr(".:=", kind)) { /* [:alpha:] */
			for (p += 2; *p && !(*p == kind && p[1] == ']'); p++)
				;
			p += *p ? 2 : 0;
			continue;
		}
		p++;
	}
	return *p ? p + 1 : p;
}

/* The largest number between braces, and one more for "{n,}"; p is behind the '{'. */
static unsigned int braces(const char **p)
{
	unsigned int n = 0, max = 1;

	for (; **p && **p != '}'; (*p)++) {
		n = **p >= '0' && **p <= '9' ? n * 10 + (unsigned int)(**p - '0') : 0;
		if (n > TREE_MAX)
			n = TREE_MAX;
		max = n > max ? n : max;
	}
	*p += **p ? 1 : 0;
	return max + 1;
}

static bool open_group(struct tree *t)
{
	if (t->depth == DEPTH_MAX)
		return false;
	t->outer_loose[t->depth] = t->loose;
	t->outer[t->depth++] = t->size;
	t->size = t->last = t->loose = t->last_loose = 0;
	return true;
}

static void close_group(struct tree *t)
{
	if (!t->depth) {
		leaf(t);
		return;
	}
	t->last = t->size + 1;
	t->last_loose = t->loose;
	t->size = t->outer[--t->depth] + t->last;
	t->loose += t->outer_loose[t->depth];
}

bool regex_is_tame(const char *re)
{
	const char *begin = re;
	struct tree t = { 0 };

	while (*re) {
		bool empty = re == begin || re[-1] == '(' || re[-1] == '|';
		char c = *re++;

		if (c == '(') {
			if (!open_group(&t))
				return false;
		} else if (c == ')') {
			close_group(&t);
			if (empty)
				loosen(&t);
		} else if (c == '+') {
			repeat(&t, 2);
		} else if (c == '{') {
			repeat(&t, braces(&re));
			loosen(&t);
		} else if (c == '[') {
			re = skip_bracket(re);
			leaf(&t);
		} else if (c == '\\' && *re) {
			if (*re >= '0' && *re <= '9')
				return false;
			re++;
			leaf(&t);
		} else if (c == '*' || c == '?') {
			repeat(&t, 2);
			loosen(&t);
		} else if (c == '|') {
			leaf(&t);
			if (empty || !*re || *re == ')' || *re == '|')
				loosen(&t); /* one of the alternatives is nothing */
		} else {
			leaf(&t);
		}
		if (t.size > TREE_MAX || t.loose > LOOSE_MAX)
			return false;
	}
	return true;
}
