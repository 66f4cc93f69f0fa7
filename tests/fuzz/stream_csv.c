/* stream_csv.c - JSON messages of streams as lines of CSV: the first line of the input fixes the columns, each further one
 * is a message.  Every line that comes out has as many fields as the header, and all are lines.
 * Reaches scsv_new(), scsv_head_add(), scsv_lines_add() and json_unescape(). */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "store/stream_csv_line.h"

#define LINES_MAX 65536

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The fields of the line at p; *ret_len with its newline. */
static size_t fields(const uint8_t *p, size_t len, size_t *ret_len)
{
	size_t n = 1, i;
	int quoted = 0;

	for (i = 0; i < len && p[i] != '\n'; i++) {
		if (p[i] == '"')
			quoted = !quoted;
		else if (p[i] == ',' && !quoted)
			n++;
		else if (p[i] < ' ')
			abort();
	}
	if (i == len || quoted)
		abort();
	*ret_len = i + 1;
	return n;
}

static void check(struct buf *b, size_t n)
{
	size_t at = 0, len;

	for (; at < b->len; at += len)
		if (fields(b->p + at, b->len - at, &len) != n)
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct scsv *c = NULL;
	struct buf b = { 0 };
	struct scsv_key key;
	size_t n = 0, len;

	while (size) {
		const uint8_t *end = memchr(data, '\n', size);
		size_t line = end ? (size_t)(end - data) : size;
		char *text = malloc(line ? line : 1); /* no NUL behind it */
		struct err err = { "" };

		memcpy(text, data, line);
		buf_reset(&b);
		if (!c && !scsv_new(text, line, &c, &err)) {
			scsv_head_add(&b, c);
			n = fields(b.p, b.len, &len);
			buf_reset(&b);
		}
		if (c && scsv_lines_add(&b, c, text, line, LINES_MAX, &key, &err) && (b.len || !err.msg[0]))
			abort();
		check(&b, n);
		free(text);
		data += line + (end != NULL);
		size -= line + (end != NULL);
	}
	scsv_free(c);
	buf_fini(&b);
	return 0;
}
