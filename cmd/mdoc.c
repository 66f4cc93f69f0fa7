/* mdoc.c - see mdoc.h */
#include "cmd/mdoc.h"

#include <ctype.h>

void mdoc_put_text(struct buf *b, const char *text)
{
	for (const char *p = text; *p; p++) {
		if (*p == '\\')
			buf_addf(b, "\\e");
		else if (p == text && (*p == '.' || *p == '\''))
			buf_addf(b, "\\&%c", *p);
		else
			buf_u8(b, (uint8_t)(p == text ? toupper((unsigned char)*p) : *p));
	}
}
