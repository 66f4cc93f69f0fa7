/* dir_scan.c - see dir_scan.h */
#include "xprt/dir_scan.h"

#include <string.h>

#define NEST_MAX 32 /* of what is skipped: values of unknown keys */

bool dir_scan_fail(struct dir_scan *s, const char *wanted)
{
	if (!s->wrong)
		s->wrong = wanted;
	return false;
}

char dir_scan_peek(struct dir_scan *s)
{
	while (s->p < s->end && (*s->p == ' ' || *s->p == '\t' || *s->p == '\n' || *s->p == '\r'))
		s->p++;
	return s->p < s->end ? *s->p : '\0';
}

bool dir_scan_eat(struct dir_scan *s, char c)
{
	if (dir_scan_peek(s) != c || s->p == s->end)
		return false;
	s->p++;
	return true;
}

static bool hex4(struct dir_scan *s, uint32_t *ret)
{
	uint32_t v = 0;

	if (s->end - s->p < 4)
		return dir_scan_fail(s, "four hexadecimal digits");
	for (int i = 0; i < 4; i++) {
		char c = *s->p++;

		v = v << 4;
		if (c >= '0' && c <= '9')
			v |= (uint32_t)(c - '0');
		else if ((c | 32) >= 'a' && (c | 32) <= 'f')
			v |= (uint32_t)((c | 32) - 'a' + 10);
		else
			return dir_scan_fail(s, "four hexadecimal digits");
	}
	*ret = v;
	return true;
}

static void put_utf8(struct buf *to, uint32_t c)
{
	if (c < 0x80) {
		buf_u8(to, (uint8_t)c);
	} else if (c < 0x800) {
		buf_u8(to, (uint8_t)(0xc0 | c >> 6));
		buf_u8(to, (uint8_t)(0x80 | (c & 0x3f)));
	} else if (c < 0x10000) {
		buf_u8(to, (uint8_t)(0xe0 | c >> 12));
		buf_u8(to, (uint8_t)(0x80 | (c >> 6 & 0x3f)));
		buf_u8(to, (uint8_t)(0x80 | (c & 0x3f)));
	} else {
		buf_u8(to, (uint8_t)(0xf0 | c >> 18));
		buf_u8(to, (uint8_t)(0x80 | (c >> 12 & 0x3f)));
		buf_u8(to, (uint8_t)(0x80 | (c >> 6 & 0x3f)));
		buf_u8(to, (uint8_t)(0x80 | (c & 0x3f)));
	}
}

#define REPLACEMENT 0xfffd

static bool scan_u(struct dir_scan *s)
{
	uint32_t c, low;

	if (!hex4(s, &c))
		return false;
	if (c >= 0xd800 && c < 0xdc00 && s->end - s->p >= 6 && s->p[0] == '\\' && s->p[1] == 'u') {
		s->p += 2;
		if (!hex4(s, &low))
			return false;
		c = low >= 0xdc00 && low < 0xe000 ? 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00) : REPLACEMENT;
	}
	if (!c || (c >= 0xd800 && c < 0xe000))
		c = REPLACEMENT; /* no text of ours holds a NUL */
	put_utf8(&s->arena, c);
	return true;
}

static bool scan_escape(struct dir_scan *s)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	const char *at;
	char c;

	if (s->p == s->end)
		return dir_scan_fail(s, "the end of a string");
	c = *s->p++;
	if (c == 'u')
		return scan_u(s);
	at = memchr(from, c, sizeof(from) - 1);
	if (!at)
		return dir_scan_fail(s, "a known escape");
	buf_u8(&s->arena, (uint8_t)to[at - from]);
	return true;
}

bool dir_scan_string(struct dir_scan *s, size_t *ret_off)
{
	*ret_off = s->arena.len;
	if (!dir_scan_eat(s, '"'))
		return dir_scan_fail(s, "a string");
	for (;;) {
		const char *from = s->p;

		while (s->p < s->end && *s->p != '"' && *s->p != '\\' && *s->p)
			s->p++;
		buf_add(&s->arena, from, (size_t)(s->p - from));
		if (s->p == s->end || !*s->p)
			return dir_scan_fail(s, "the end of a string");
		if (*s->p++ == '"')
			break;
		if (!scan_escape(s))
			return false;
	}
	buf_u8(&s->arena, '\0');
	return true;
}

bool dir_scan_number(struct dir_scan *s, uint64_t *ret)
{
	bool minus = dir_scan_eat(s, '-');
	uint64_t v = 0;

	if (s->p == s->end || *s->p < '0' || *s->p > '9')
		return dir_scan_fail(s, "a number");
	for (; s->p < s->end && *s->p >= '0' && *s->p <= '9'; s->p++)
		v = v * 10 + (uint64_t)(*s->p - '0');
	while (s->p < s->end && *s->p && strchr("0123456789.eE+-", *s->p))
		s->p++;
	*ret = minus ? 0 - v : v;
	return true;
}

static bool skip_value(struct dir_scan *s, unsigned int depth);

static bool skip_members(struct dir_scan *s, char close, unsigned int depth)
{
	size_t off;

	if (depth == NEST_MAX)
		return dir_scan_fail(s, "less nesting");
	if (dir_scan_eat(s, close))
		return true;
	do {
		if (close == '}' && (!dir_scan_string(s, &off) || !(dir_scan_eat(s, ':') || dir_scan_fail(s, "':'"))))
			return false;
		if (!skip_value(s, depth + 1))
			return false;
	} while (dir_scan_eat(s, ','));
	return dir_scan_eat(s, close) || dir_scan_fail(s, "',' or the end of what is open");
}

static bool skip_value(struct dir_scan *s, unsigned int depth)
{
	static const char *const words[] = { "true", "false", "null" };
	uint64_t n;
	size_t off;

	switch (dir_scan_peek(s)) {
	case '"':
		return dir_scan_string(s, &off);
	case '{':
		s->p++;
		return skip_members(s, '}', depth);
	case '[':
		s->p++;
		return skip_members(s, ']', depth);
	default:
		break;
	}
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		size_t len = strlen(words[i]);

		if ((size_t)(s->end - s->p) < len || memcmp(s->p, words[i], len))
			continue;
		s->p += len;
		return true;
	}
	return dir_scan_number(s, &n);
}

bool dir_scan_skip(struct dir_scan *s)
{
	return skip_value(s, 0);
}

bool dir_scan_object(struct dir_scan *s, bool (*fn)(struct dir_scan *s, const char *key, size_t key_len, void *arg),
		     void *arg)
{
	if (!dir_scan_eat(s, '{'))
		return dir_scan_fail(s, "'{'");
	if (dir_scan_eat(s, '}'))
		return true;
	do {
		char key[32] = "";
		size_t off, len;

		if (!dir_scan_string(s, &off) || !(dir_scan_eat(s, ':') || dir_scan_fail(s, "':'")))
			return false;
		len = s->arena.len - off - 1;
		s->arena.len = off;
		if (len < sizeof(key)) /* a longer one is none that we know */
			memcpy(key, s->arena.p + off, len);
		if (!fn(s, key, len, arg))
			return false;
	} while (dir_scan_eat(s, ','));
	return dir_scan_eat(s, '}') || dir_scan_fail(s, "',' or '}'");
}
