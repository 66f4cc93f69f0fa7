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

bool utf8_misleads(const unsigned char *p, size_t n)
{
	if (n == 2)
		return p[0] == 0xc2 && p[1] < 0xa0; /* U+0080 to U+009F: controls */
	if (n != 3 || p[0] != 0xe2)
		return false;
	/* U+2028 to U+202E, U+2066 to U+2069 */
	return (p[1] == 0x80 && p[2] >= 0xa8 && p[2] <= 0xae) || (p[1] == 0x81 && p[2] >= 0xa6 && p[2] <= 0xa9);
}
