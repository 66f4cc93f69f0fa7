/* prom_text.c - see prom_text.h */
#include "plugins/prom_text.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "core/base/utf8.h"

#define NUMBER_MAX 64 /* bytes; a double has 25 at most */
#define SHOWN_MAX  40 /* bytes of a bad line in words */

static const char *const kinds[] = {
	[PROM_UNTYPED] = "untyped",     [PROM_COUNTER] = "counter", [PROM_GAUGE] = "gauge",
	[PROM_HISTOGRAM] = "histogram", [PROM_SUMMARY] = "summary",
};
#define KINDS (sizeof(kinds) / sizeof(*kinds))

const char *prom_kind_name(enum prom_kind kind)
{
	return kinds[kind];
}

void prom_init(struct prom_text *t, const char *text, size_t len)
{
	*t = (struct prom_text){ .p = text, .end = text + len, .line = 1, .family = text };
}

void prom_fini(struct prom_text *t)
{
	buf_fini(&t->text);
}

/* -- a line, from its first byte to the one behind its last --------------------------------------------------------- */

struct line {
	const char *p, *end;
};

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static void blanks(struct line *l)
{
	while (l->p < l->end && (*l->p == ' ' || *l->p == '\t'))
		l->p++;
}

static bool take(struct line *l, char c)
{
	if (l->p == l->end || *l->p != c)
		return false;
	l->p++;
	return true;
}

/* A name's bytes; 0: there is none. */
static size_t name_take(struct line *l, bool colons, const char **ret)
{
	*ret = l->p;
	while (l->p < l->end && (is_letter(*l->p) || (colons && *l->p == ':') || (l->p > *ret && is_digit(*l->p))))
		l->p++;
	return (size_t)(l->p - *ret);
}

/* Up to the next blank. */
static size_t word_take(struct line *l, const char **ret)
{
	blanks(l);
	*ret = l->p;
	while (l->p < l->end && *l->p != ' ' && *l->p != '\t')
		l->p++;
	return (size_t)(l->p - *ret);
}

/* "..." with its quotes: \\ \" and \n are all that may be escaped. */
static const char *string_skip(struct line *l)
{
	if (!take(l, '"'))
		return "wants a value in double quotes for each label";
	while (l->p < l->end && *l->p != '"') {
		if (*l->p++ != '\\')
			continue;
		if (l->p == l->end || !strchr("\\\"n", *l->p) || !*l->p)
			return "has an escape other than \\\\, \\\" and \\n";
		l->p++;
	}
	return take(l, '"') ? NULL : "has a label's value without an end";
}

/* {a="b", c="d",}: into the text as {a="b",c="d"}, and nothing for {}.  NULL, or what is wrong. */
static const char *labels_take(struct line *l, struct buf *to)
{
	const char *wrong, *name, *value;
	char before = '{';
	size_t n;

	for (;;) {
		blanks(l);
		if (take(l, '}'))
			break;
		n = name_take(l, false, &name);
		if (!n)
			return "wants a label's name, or }";
		blanks(l);
		if (!take(l, '='))
			return "wants = behind a label's name";
		blanks(l);
		value = l->p;
		wrong = string_skip(l);
		if (wrong)
			return wrong;
		buf_addf(to, "%c%.*s=%.*s", before, (int)n, name, (int)(l->p - value), value);
		before = ',';
		blanks(l);
		if (!take(l, ',') && (l->p == l->end || *l->p != '}'))
			return "wants , or } behind a label";
	}
	if (before == ',')
		buf_add(to, "}", 1);
	return NULL;
}

/* As Go's ParseFloat, but for its underscores. */
static bool value_parse(const char *word, size_t n, double *ret)
{
	char text[NUMBER_MAX], *end;

	if (!n || n >= sizeof(text))
		return false;
	memcpy(text, word, n);
	text[n] = 0;
	if (strchr(text, '(')) /* the C library's nan(...) */
		return false;
	*ret = strtod(text, &end);
	return end == text + n;
}

static bool time_parse(const char *word, size_t n, int64_t *ret)
{
	char text[NUMBER_MAX], *end;

	if (n >= sizeof(text))
		return false;
	memcpy(text, word, n);
	text[n] = 0;
	errno = 0;
	*ret = strtoll(text, &end, 10);
	return !errno && end == text + n;
}

/* -- the text ------------------------------------------------------------------------------------------------------- */

static bool is_utf8(const char *p, const char *end)
{
	while (p < end) {
		size_t n = *p ? utf8_len((const unsigned char *)p, (size_t)(end - p)) : 0;

		if (!n)
			return false;
		p += n;
	}
	return true;
}

/* Is `name` the family, or the family and one of the endings? */
static bool is_of(const struct prom_text *t, const char *name, size_t n, const char *const *endings)
{
	if (n < t->family_len || memcmp(name, t->family, t->family_len))
		return false;
	for (; *endings; endings++)
		if (n - t->family_len == strlen(*endings) && !memcmp(name + t->family_len, *endings, strlen(*endings)))
			return true;
	return false;
}

static enum prom_kind kind_of(const struct prom_text *t, const char *name, size_t n)
{
	static const char *const endings[KINDS][5] = {
		[PROM_UNTYPED] = { "", NULL },
		[PROM_COUNTER] = { "", NULL },
		[PROM_GAUGE] = { "", NULL },
		[PROM_HISTOGRAM] = { "", "_bucket", "_sum", "_count", NULL },
		[PROM_SUMMARY] = { "", "_sum", "_count", NULL },
	};

	return is_of(t, name, n, endings[t->kind]) ? t->kind : PROM_UNTYPED;
}

/* Behind #: only TYPE is for us. */
static const char *comment_take(struct prom_text *t, struct line *l)
{
	const char *word, *name;
	size_t n = word_take(l, &word), len;

	if (n != 4 || memcmp(word, "TYPE", 4))
		return NULL;
	blanks(l);
	len = name_take(l, true, &name);
	n = word_take(l, &word);
	for (size_t i = 0; len && i < KINDS; i++)
		if (n == strlen(kinds[i]) && !memcmp(word, kinds[i], n)) {
			t->family = name;
			t->family_len = len;
			t->kind = (enum prom_kind)i;
			return NULL;
		}
	return "wants # TYPE NAME, and counter, gauge, histogram, summary or untyped";
}

/* NULL, or what is wrong. */
static const char *sample_take(struct prom_text *t, struct line *l, struct prom_sample *ret)
{
	const char *name, *word, *wrong = NULL;
	size_t n = name_take(l, true, &name);

	if (!n)
		return "begins with no name";
	if (n > PROM_NAME_MAX)
		return "has a name that is too long";
	if (l->p < l->end && !strchr(" \t{", *l->p))
		return "has a name with a character that names have not";
	buf_reset(&t->text);
	buf_add(&t->text, name, n);
	blanks(l);
	if (take(l, '{'))
		wrong = labels_take(l, &t->text);
	if (!wrong && t->text.len - n > PROM_LABELS_MAX)
		wrong = "has labels that are too long";
	if (wrong)
		return wrong;
	*ret = (struct prom_sample){ .name_len = n, .kind = kind_of(t, name, n) };
	ret->text = buf_str(&t->text);
	ret->labels_len = t->text.len > n ? t->text.len - n - 2 : 0;
	ret->labels = ret->labels_len ? ret->text + n + 1 : "";
	n = word_take(l, &word);
	if (!value_parse(word, n, &ret->value))
		return "has no number as its value";
	n = word_take(l, &word);
	if (n && !time_parse(word, n, &ret->time_ms))
		return "has a time that is no number";
	blanks(l);
	return l->p == l->end ? NULL : "goes on behind its time";
}

static int refuse(const struct prom_text *t, const struct line *l, const char *why, struct err *err)
{
	size_t n = (size_t)(l->end - l->p);
	char shown[SHOWN_MAX + 1];

	n = n < SHOWN_MAX ? n : SHOWN_MAX;
	for (size_t i = 0; i < n; i++)
		shown[i] = l->p[i] >= ' ' && l->p[i] <= '~' ? l->p[i] : '?';
	shown[n] = 0;
	return err_set(err, -EPROTO, "line %u %s: %s", t->line, why, shown);
}

int prom_next(struct prom_text *t, struct prom_sample *ret, struct err *err)
{
	for (; t->p < t->end; t->line++) {
		const char *end = memchr(t->p, '\n', (size_t)(t->end - t->p)), *wrong;
		struct line all = { t->p, end ? end : t->end }, l = all;

		if (!end)
			return refuse(t, &all, "has no end: the text was cut", err);
		if (!is_utf8(l.p, l.end))
			return refuse(t, &all, "is no UTF-8", err);
		blanks(&l);
		if (l.p == l.end || take(&l, '#')) {
			wrong = l.p == l.end ? NULL : comment_take(t, &l);
			if (wrong)
				return refuse(t, &all, wrong, err);
			t->p = end + 1;
			continue;
		}
		wrong = sample_take(t, &l, ret);
		if (wrong)
			return refuse(t, &all, wrong, err);
		t->p = end + 1;
		t->line++;
		return 1;
	}
	return 0;
}
