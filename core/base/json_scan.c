/* json_scan.c - see json_scan.h */
#include "core/base/json_scan.h"

#include <ctype.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>

struct scan {
	const char *at, *end;
	const char *why; /* the first thing that was wrong, at `at` */
	unsigned int depth;
};

static bool wrong(struct scan *s, const char *why)
{
	if (!s->why)
		s->why = why;
	return false;
}

static void blanks(struct scan *s)
{
	while (s->at < s->end && (*s->at == ' ' || *s->at == '\t' || *s->at == '\n' || *s->at == '\r'))
		s->at++;
}

static bool is(const struct scan *s, char c)
{
	return s->at < s->end && *s->at == c;
}

static bool take(struct scan *s, char c)
{
	bool yes = is(s, c);

	s->at += yes;
	return yes;
}

static bool word(struct scan *s, const char *w)
{
	size_t n = strlen(w);

	if ((size_t)(s->end - s->at) < n || memcmp(s->at, w, n))
		return wrong(s, "no value that JSON knows; texts stand in double quotes");
	s->at += n;
	return true;
}

static bool digits(struct scan *s)
{
	const char *from = s->at;

	while (s->at < s->end && isdigit((unsigned char)*s->at))
		s->at++;
	return s->at > from || wrong(s, "a digit is missing");
}

static bool number(struct scan *s)
{
	take(s, '-');
	if (!take(s, '0') && !digits(s))
		return false;
	if (take(s, '.') && !digits(s))
		return false;
	if (take(s, 'e') || take(s, 'E')) {
		if (!take(s, '+'))
			take(s, '-');
		return digits(s);
	}
	return true;
}

static bool escape(struct scan *s)
{
	if (s->at == s->end || !strchr("\"\\/bfnrtu", *s->at) || !*s->at)
		return wrong(s, "no escape that JSON knows");
	if (*s->at++ != 'u')
		return true;
	for (int i = 0; i < 4; i++, s->at++)
		if (s->at == s->end || !isxdigit((unsigned char)*s->at))
			return wrong(s, "four hexadecimal digits belong behind \\u");
	return true;
}

static bool string(struct scan *s)
{
	if (!take(s, '"'))
		return wrong(s, "a text in double quotes is missing");
	while (s->at < s->end && *s->at != '"') {
		if ((unsigned char)*s->at < ' ')
			return wrong(s, "a control character in a text; write it as an escape");
		if (take(s, '\\')) {
			if (!escape(s))
				return false;
		} else {
			s->at++;
		}
	}
	return take(s, '"') || wrong(s, "the text has no end");
}

static bool value(struct scan *s);

/* What stands between brackets: values, or keys and values. */
static bool inside(struct scan *s, char close)
{
	bool ok = true;

	if (++s->depth > JSON_DEPTH_MAX)
		return wrong(s, "too many objects and arrays within each other");
	blanks(s);
	if (!take(s, close)) {
		do {
			blanks(s);
			if (close == '}') {
				ok = string(s);
				blanks(s);
				ok = ok && (take(s, ':') || wrong(s, "a colon is missing behind the key"));
			}
			ok = ok && value(s);
			blanks(s);
		} while (ok && take(s, ','));
		ok = ok &&
		     (take(s, close) || wrong(s, close == '}' ? "a comma or } is missing" : "a comma or ] is missing"));
	}
	s->depth--;
	return ok;
}

static bool value(struct scan *s)
{
	blanks(s);
	if (s->at == s->end)
		return wrong(s, "the text ends too early");
	switch (*s->at) {
	case '{':
		s->at++;
		return inside(s, '}');
	case '[':
		s->at++;
		return inside(s, ']');
	case '"':
		return string(s);
	case 't':
		return word(s, "true");
	case 'f':
		return word(s, "false");
	case 'n':
		return word(s, "null");
	default:
		if (*s->at == '-' || isdigit((unsigned char)*s->at))
			return number(s);
		return word(s, "\"");
	}
}

int json_check(const char *text, size_t len, struct err *err)
{
	struct scan s = { .at = text, .end = text + len };
	unsigned int line = 1, column = 1;

	if (value(&s)) {
		blanks(&s);
		if (s.at == s.end)
			return 0;
		s.why = "something stands behind the value";
	}
	for (const char *p = text; p < s.at; p++) {
		column = *p == '\n' ? 1 : column + 1;
		line += *p == '\n';
	}
	return err_set(err, -EINVAL, "no JSON: line %u, column %u: %s", line, column, s.why);
}

bool json_walk_init(struct json_walk *w, const char *text, size_t len)
{
	struct scan s = { .at = text, .end = text + len };

	blanks(&s);
	if (!take(&s, '{'))
		return false;
	w->at = s.at;
	w->end = s.end;
	return true;
}

bool json_walk_next(struct json_walk *w, struct json_member *ret)
{
	struct scan s = { .at = w->at, .end = w->end };

	blanks(&s);
	take(&s, ',');
	blanks(&s);
	ret->key = s.at + 1;
	if (!is(&s, '"') || !string(&s))
		return false;
	ret->key_len = (size_t)(s.at - 1 - ret->key);
	blanks(&s);
	take(&s, ':');
	blanks(&s);
	ret->value = s.at;
	if (!value(&s))
		return false;
	ret->value_len = (size_t)(s.at - ret->value);
	w->at = s.at;
	return true;
}
