/* utf8.c - see utf8.h */
#include "core/base/utf8.h"

size_t utf8_len(const unsigned char *p, size_t left)
{
	static const struct {
		unsigned char from, to, second_from, second_to, len;
	} forms[] = {
		{ 0xc2, 0xdf, 0x80, 0xbf, 2 }, { 0xe0, 0xe0, 0xa0, 0xbf, 3 }, { 0xe1, 0xec, 0x80, 0xbf, 3 },
		{ 0xed, 0xed, 0x80, 0x9f, 3 }, { 0xee, 0xef, 0x80, 0xbf, 3 }, { 0xf0, 0xf0, 0x90, 0xbf, 4 },
		{ 0xf1, 0xf3, 0x80, 0xbf, 4 }, { 0xf4, 0xf4, 0x80, 0x8f, 4 },
	};

	if (*p < 0x80)
		return 1;
	for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++) {
		size_t n = 2;

		if (*p < forms[i].from || *p > forms[i].to)
			continue;
		if (left < forms[i].len || p[1] < forms[i].second_from || p[1] > forms[i].second_to)
			return 0;
		while (n < forms[i].len && (p[n] & 0xc0) == 0x80)
			n++;
		return n == forms[i].len ? n : 0;
	}
	return 0;
}

unsigned int utf8_misleads(const unsigned char *p, size_t n)
{
	unsigned int c;

	if (n == 2)
		return p[0] == 0xc2 && p[1] < 0xa0 ? p[1] : 0; /* U+0080 to U+009F: controls */
	if (n != 3)
		return 0;
	c = (p[0] & 0x0fu) << 12 | (p[1] & 0x3fu) << 6 | (p[2] & 0x3fu);
	/* marks of direction, ends of lines and paragraphs, embeddings, isolates */
	return c == 0x200e || c == 0x200f || (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) ? c : 0;
}
