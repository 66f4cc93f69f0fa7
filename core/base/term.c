/* term.c - see term.h */
#include "core/base/term.h"

#include <stdbool.h>

#include "core/base/utf8.h"

#define DEL 0x7f

/* Of characters of three bytes: U+200E, U+200F, U+202A to U+202E, U+2066 to U+2069, which say where text runs. */
static unsigned int is_turn(const unsigned char *p)
{
	unsigned int c = (unsigned int)(p[0] & 0x0f) << 12 | (unsigned int)(p[1] & 0x3f) << 6 | (p[2] & 0x3f);
	bool yes = (c >= 0x200e && c <= 0x200f) || (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);

	return yes ? c : 0;
}

void term_put(struct buf *to, const char *text, size_t len, enum term_form form)
{
	const unsigned char *p = (const unsigned char *)text, *end = p + len;
	unsigned int c;

	while (p < end) {
		size_t n = utf8_len(p, (size_t)(end - p));

		if (form != TERM_LINE && (*p == '\n' || *p == '\t'))
			buf_u8(to, *p);
		else if (form == TERM_JSON && *p == '\r')
			buf_u8(to, '\n'); /* a blank there */
		else if (*p == '\n' || *p == '\t')
			buf_addf(to, *p == '\n' ? "\\n" : "\\t");
		else if (!n || *p < ' ' || *p == DEL)
			buf_addf(to, form == TERM_JSON ? "\\u%04x" : "\\x%02x", *p);
		else if (n == 2 && p[0] == 0xc2 && p[1] < 0xa0) /* U+0080 to U+009F */
			buf_addf(to, "\\u%04x", p[1]);
		else if (n == 3 && (c = is_turn(p)))
			buf_addf(to, "\\u%04x", c);
		else
			buf_add(to, p, n);
		p += n ? n : 1;
	}
}

size_t term_width(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += ((unsigned char)*text & 0xc0) != 0x80;
	return n;
}
