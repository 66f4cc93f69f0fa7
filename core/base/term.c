/* term.c - see term.h */
#include "core/base/term.h"

#include "core/base/utf8.h"

#define DEL 0x7f

void term_put(struct buf *to, const char *text, size_t len, enum term_form form)
{
	const unsigned char *p = (const unsigned char *)text, *end = p + len;

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
		else if (utf8_misleads(p, n))
			buf_addf(to, "\\u%04x", utf8_misleads(p, n));
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
