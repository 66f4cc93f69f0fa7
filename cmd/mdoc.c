/* mdoc.c - see mdoc.h */
#include "cmd/mdoc.h"

#include <ctype.h>
#include <string.h>

void mdoc_put_line(struct buf *b, const char *text)
{
	for (const char *p = text; *p; p++) {
		if (*p == '\\')
			buf_addf(b, "\\e");
		else if (p == text && (*p == '.' || *p == '\''))
			buf_addf(b, "\\&%c", *p);
		else
			buf_u8(b, (uint8_t)*p);
	}
}

void mdoc_put_text(struct buf *b, const char *text)
{
	size_t from = b->len, word = strcspn(text, " ");

	mdoc_put_line(b, text);
	if (*text && !memchr(text, '_', word) && strncmp(text, "http://", 7)) /* as "add_set: ..." */
		b->p[from] = (uint8_t)toupper(b->p[from]);
}

void mdoc_put_words(struct buf *b, const char *words)
{
	for (const char *w = words; *w;) {
		int n = (int)strcspn(w, "|");

		buf_addf(b, "%sCm %.*s", w == words ? " " : " No \\&| ", n, w);
		w += n + (w[n] == '|');
	}
}
