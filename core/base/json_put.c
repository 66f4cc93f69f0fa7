/* json_put.c - see json_put.h */
#include "core/base/json_put.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define NUMBER_MAX 32 /* bytes of "-1.7976931348623157e+308" */

/* Bytes of the UTF-8 character at p; 0 when there is none (cut short, overlong, a surrogate, beyond U+10FFFF). */
static size_t utf8_len(const unsigned char *p, size_t left)
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

void json_put_text(struct buf *to, const char *text, size_t len)
{
	const unsigned char *p = (const unsigned char *)text, *end = p + len;

	buf_u8(to, '"');
	while (p < end) {
		size_t n = utf8_len(p, (size_t)(end - p));

		if (*p == '"' || *p == '\\')
			buf_addf(to, "\\%c", *p);
		else if (!n || *p < ' ' || *p == 0x7f)
			buf_addf(to, "\\u%04x", *p);
		else
			buf_add(to, p, n);
		p += n ? n : 1;
	}
	buf_u8(to, '"');
}

void json_put_str(struct buf *to, const char *s)
{
	json_put_text(to, s, strlen(s));
}

void json_put_f32(struct buf *to, float f)
{
	char text[NUMBER_MAX] = "null";
	int digits = FLT_DIG;

	if (isfinite(f))
		do
			snprintf(text, sizeof(text), "%.*g", digits, (double)f);
		while (strtof(text, NULL) != f && ++digits <= FLT_DECIMAL_DIG);
	buf_add(to, text, strlen(text));
}

void json_put_d64(struct buf *to, double d)
{
	char text[NUMBER_MAX] = "null";
	int digits = DBL_DIG;

	if (isfinite(d))
		do
			snprintf(text, sizeof(text), "%.*g", digits, d);
		while (strtod(text, NULL) != d && ++digits <= DBL_DECIMAL_DIG);
	buf_add(to, text, strlen(text));
}
