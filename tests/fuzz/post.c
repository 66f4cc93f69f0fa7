/* post.c - what servers answer to rows that they do not take (store/post_words.c): one line for people, whatever it was */
#include <assert.h>
#include <stdlib.h>

#include "core/base/utf8.h"
#include "store/post.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *body = malloc(size ? size : 1), to[POST_WORDS_MAX]; /* its end is not to be passed */
	struct http_answer a = { 0 };
	char value[32];
	size_t len, n;

	if (!body)
		return 0;
	if (size)
		memcpy(body, data, size);
	post_words(body, size, to);
	len = strlen(to);
	assert(len < POST_WORDS_MAX && (!len || to[len - 1] != ' '));
	for (const unsigned char *p = (unsigned char *)to; *p; p += n) {
		n = utf8_len(p, strlen((const char *)p));
		assert(n && *p >= ' ' && *p != 0x7f && !utf8_misleads(p, n));
	}
	buf_add(&a.headers, data, size);
	if (http_header(&a, "Retry-After", value, sizeof(value)))
		assert(strlen(value) < sizeof(value));
	http_answer_fini(&a);
	free(body);
	return 0;
}
