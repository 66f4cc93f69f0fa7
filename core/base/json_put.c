/* json_put.c - see json_put.h */
#include "core/base/json_put.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/utf8.h"

#define NUMBER_MAX 32 /* bytes of "-1.7976931348623157e+308" */

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
		else if (utf8_misleads(p, n))
			buf_addf(to, "\\u%04x", utf8_misleads(p, n));
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
