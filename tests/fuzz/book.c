/* book.c - what is noted of commands, from files and peers: their one spelling, what they change, and the difference of
 * two configurations.  Nothing is carried out.
 *
 * Lines of "verb name=value ..."; a value may hold blanks written as 0x01, as peers can send them.  What is dumped must
 * read back as itself. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/xalloc.h"
#include "core/ctl/book.h"
#include "core/ctl/book_diff.h"
#include "core/ctl/book_line.h"

#define WORDS 32

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool takes(const struct verb *v, const char *name)
{
	for (const struct attr_use *u = v->attrs; u && u->name; u++)
		if (u->type != AT_REST && !strcmp(u->name, name))
			return true;
	return false;
}

/* The words that no attribute takes, in their order. */
static char *rest_of(const struct verb *v, const char *line)
{
	char *copy = xstrdup(line ? line : ""), *at = copy, *word, *ret;
	struct buf b = { 0 };
	bool has = false;

	for (const struct attr_use *u = v->attrs; u && u->name; u++)
		has |= u->type == AT_REST;
	while (has && (word = strsep(&at, " "))) {
		char *name = xstrndup(word, strcspn(word, "="));

		if (*word && !takes(v, name))
			buf_addf(&b, "%s%s", b.len ? " " : "", word);
		free(name);
	}
	ret = has ? xstrdup(buf_str(&b)) : NULL;
	buf_fini(&b);
	free(copy);
	return ret;
}

static void note(struct book *b, struct daemon *d, char *line)
{
	struct ctl c = { .d = d };
	struct ctl_arg args[WORDS];
	char *verb = strsep(&line, " "), *word, *rest = NULL;
	const struct verb *v = verb_find(verb);
	size_t n = 0;

	if (!v)
		return;
	rest = rest_of(v, line);
	if (rest)
		args[n++] = (struct ctl_arg){ .name = "", .value = rest };
	while ((word = strsep(&line, " ")) && n < WORDS) {
		char *eq = strchr(word, '=');

		if (eq)
			*eq++ = '\0';
		if (rest && !takes(v, word))
			continue;
		for (char *p = eq; p && *p; p++)
			if (*p == 1)
				*p = ' ';
		args[n++] = (struct ctl_arg){ .name = word, .value = eq };
	}
	if (!ctl_prepare(&c, v, args, n, NULL))
		book_note(b, &c, NULL);
	ctl_fini(&c);
	free(rest);
}

static struct book *book_of(char *text)
{
	struct daemon d = { .name = "d" };
	struct book *b = book_new();
	char *line;

	while ((line = strsep(&text, "\n")))
		if (*line && *line != '#')
			note(b, &d, line);
	return b;
}

/* What a file cannot say stands there as a comment, and so does not come back. */
static void round_trip(struct book *b)
{
	struct buf one = { 0 }, two = { 0 };
	struct book_diff *df;
	struct book *again;
	char *copy;
	bool all;

	book_put(&one, b);
	copy = xstrdup(buf_str(&one));
	all = !strstr(copy, "# a file cannot");
	again = book_of(copy);
	book_put(&two, again);
	df = book_diff_new(b, again);
	if (all && (strcmp(buf_str(&one), buf_str(&two)) || book_diff_n(df)))
		abort();
	book_diff_free(df);
	book_free(again);
	free(copy);
	buf_fini(&one);
	buf_fini(&two);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = xstrndup((const char *)data, size), *second = strstr(text, "\n\n");
	struct buf said = { 0 };
	struct book *a, *b;
	struct book_diff *df;

	if (strstr(text, "${")) /* reaches outside */
		goto out;
	if (second)
		*second++ = '\0';
	a = book_of(text);
	b = book_of(second);
	round_trip(a);
	df = book_diff_new(a, b);
	book_diff_put(&said, df);
	book_diff_fixed(&said, df);
	book_diff_free(df);
	book_free(a);
	book_free(b);
out:
	buf_fini(&said);
	free(text);
	return 0;
}
