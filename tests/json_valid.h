/* json_valid.h - is this text one JSON value, strictly (RFC 8259), in valid UTF-8?  For tests. */
#ifndef TESTS_JSON_VALID_H
#define TESTS_JSON_VALID_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct json_at {
	const unsigned char *p, *end;
	bool blanks; /* between values there may be some */
};

static bool json_is(struct json_at *j, unsigned char c)
{
	return j->p < j->end && *j->p == c;
}

static bool json_take(struct json_at *j, unsigned char c)
{
	bool yes = json_is(j, c);

	j->p += yes;
	return yes;
}

static void json_blanks(struct json_at *j)
{
	while (j->blanks && j->p < j->end && *j->p && strchr(" \t\r\n", *j->p))
		j->p++;
}

static bool json_digits(struct json_at *j)
{
	const unsigned char *from = j->p;

	while (j->p < j->end && *j->p >= '0' && *j->p <= '9')
		j->p++;
	return j->p > from;
}

static bool json_number(struct json_at *j)
{
	json_take(j, '-');
	if (!json_take(j, '0') && !json_digits(j))
		return false;
	if (json_take(j, '.') && !json_digits(j))
		return false;
	if (json_take(j, 'e') || json_take(j, 'E')) {
		if (!json_take(j, '+'))
			json_take(j, '-');
		return json_digits(j);
	}
	return true;
}

static bool json_escape(struct json_at *j)
{
	unsigned char c = j->p < j->end ? *j->p++ : 0;

	if (c != 'u')
		return c && strchr("\"\\/bfnrt", c);
	for (int i = 0; i < 4; i++, j->p++)
		if (j->p == j->end || !*j->p || !strchr("0123456789abcdefABCDEF", *j->p))
			return false;
	return true;
}

/* The code point is computed and looked at, unlike in the code that is tested. */
static bool json_utf8(struct json_at *j)
{
	unsigned int lead = *j->p++, n = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : 1, code;
	static const unsigned int least[] = { 0, 0x80, 0x800, 0x10000 };

	if (lead < 0x80)
		return true;
	if (lead < 0xc0 || lead > 0xf7)
		return false;
	code = lead & (0x3fu >> n);
	for (unsigned int i = 0; i < n; i++, j->p++) {
		if (j->p == j->end || (*j->p & 0xc0) != 0x80)
			return false;
		code = code << 6 | (*j->p & 0x3f);
	}
	return code >= least[n] && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
}

static bool json_string(struct json_at *j)
{
	if (!json_take(j, '"'))
		return false;
	while (j->p < j->end && *j->p != '"') {
		if (*j->p < ' ')
			return false;
		if (json_take(j, '\\') ? !json_escape(j) : !json_utf8(j))
			return false;
	}
	return json_take(j, '"');
}

static bool json_value(struct json_at *j);

static bool json_members(struct json_at *j, bool object)
{
	unsigned char end = object ? '}' : ']';

	j->p++;
	json_blanks(j);
	if (json_take(j, end))
		return true;
	do {
		json_blanks(j);
		if (object && !json_string(j))
			return false;
		json_blanks(j);
		if (object && !json_take(j, ':'))
			return false;
		json_blanks(j);
		if (!json_value(j))
			return false;
		json_blanks(j);
	} while (json_take(j, ','));
	return json_take(j, end);
}

static bool json_word(struct json_at *j, const char *word)
{
	size_t n = strlen(word);

	if ((size_t)(j->end - j->p) < n || memcmp(j->p, word, n))
		return false;
	j->p += n;
	return true;
}

static bool json_value(struct json_at *j)
{
	if (json_is(j, '{') || json_is(j, '['))
		return json_members(j, json_is(j, '{'));
	if (json_is(j, '"'))
		return json_string(j);
	return json_word(j, "null") || json_word(j, "true") || json_word(j, "false") || json_number(j);
}

/* Without blanks, as we write it; one line end at the end may be there. */
static inline bool json_valid(const void *text, size_t len)
{
	struct json_at j = { text, (const unsigned char *)text + len, false };

	if (!json_value(&j))
		return false;
	json_take(&j, '\n');
	return j.p == j.end;
}

/* As people are to read it. */
static inline bool json_valid_spaced(const void *text, size_t len)
{
	struct json_at j = { text, (const unsigned char *)text + len, true };

	json_blanks(&j);
	if (!json_value(&j))
		return false;
	json_blanks(&j);
	return j.p == j.end;
}

#endif
