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

static bool walk_begin(struct json_walk *w, const char *text, size_t len, char bracket)
{
	struct scan s = { .at = text, .end = text + len };

	blanks(&s);
	if (!take(&s, bracket))
		return false;
	w->at = s.at;
	w->end = s.end;
	return true;
}

bool json_walk_init(struct json_walk *w, const char *text, size_t len)
{
	return walk_begin(w, text, len, '{');
}

bool json_items_init(struct json_walk *w, const char *text, size_t len)
{
	return walk_begin(w, text, len, '[');
}

static bool walk_value(struct json_walk *w, struct scan *s, struct json_member *ret)
{
	blanks(s);
	ret->value = s->at;
	if (!value(s))
		return false;
	ret->value_len = (size_t)(s->at - ret->value);
	w->at = s->at;
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
	return walk_value(w, &s, ret);
}

bool json_items_next(struct json_walk *w, struct json_member *ret)
{
	struct scan s = { .at = w->at, .end = w->end };

	*ret = (struct json_member){ 0 };
	blanks(&s);
	take(&s, ',');
	blanks(&s);
	return !is(&s, ']') && walk_value(w, &s, ret);
}

/* -- texts --------------------------------------------------------------------------------------------------------- */

static uint32_t hex4(const char *p)
{
	uint32_t v = 0;

	for (int i = 0; i < 4; i++)
		v = v << 4 | (uint32_t)(isdigit((unsigned char)p[i]) ? p[i] - '0' : (p[i] | ' ') - 'a' + 10);
	return v;
}

/* Is that one of the two halves that a large character is written as? */
static bool is_half(uint32_t c, uint32_t first)
{
	return c >= first && c < first + 0x400;
}

/* The character that \u and what follows it stand for, and in how many bytes; 0: it stays as it is. */
static uint32_t escaped_char(const char *p, const char *end, size_t *ret_len)
{
	uint32_t c = hex4(p + 2), low;

	*ret_len = 6;
	if (is_half(c, 0xd800) && end - p >= 12 && p[6] == '\\' && p[7] == 'u') {
		low = hex4(p + 8);
		*ret_len = is_half(low, 0xdc00) ? 12 : 6;
		return *ret_len == 12 ? 0x10000 + ((c - 0xd800) << 10 | (low - 0xdc00)) : 0;
	}
	if (is_half(c, 0xd800) || is_half(c, 0xdc00) || c < ' ' || c == '\\' || (c >= 0x7f && c < 0xa0) ||
	    c == 0x2028 || c == 0x2029)
		return 0;
	return c;
}

static void put_utf8(struct buf *to, uint32_t c)
{
	uint8_t b[4];
	size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

	for (size_t i = n; i-- > 1; c >>= 6)
		b[i] = (uint8_t)(0x80 | (c & 0x3f));
	b[0] = (uint8_t)(n == 1 ? c : (0xf0u << (4 - n)) | c);
	buf_add(to, b, n);
}

void json_unescape(struct buf *to, const char *p, size_t len)
{
	const char *end = p + len;
	uint32_t c;
	size_t n;

	while (p < end) {
		const char *back = memchr(p, '\\', (size_t)(end - p));

		n = (size_t)((back ? back : end) - p);
		buf_add(to, p, n);
		p += n;
		if (!back)
			break;
		n = 2;
		c = p[1] == '"' || p[1] == '/' ? (uint32_t)p[1] : p[1] == 'u' ? escaped_char(p, end, &n) : 0;
		if (c)
			put_utf8(to, c);
		else
			buf_add(to, p, n);
		p += n;
	}
}
