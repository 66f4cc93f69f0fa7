/* json_scan.c - texts that may be JSON: what json_check() passes can be walked to its end.
 * Reaches json_check(), json_walk_init() and json_walk_next(), into nested objects. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/json_scan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t walk(const char *text, size_t len, unsigned int depth)
{
	struct json_walk w;
	struct json_member m;
	size_t n = 0;

	if (depth > 4 || !json_walk_init(&w, text, len))
		return 0;
	while (json_walk_next(&w, &m)) {
		if (m.key < text || m.value + m.value_len > text + len || json_check(m.value, m.value_len, NULL))
			abort(); /* a member lies inside, and its value is JSON too */
		n += 1 + walk(m.value, m.value_len, depth + 1);
	}
	return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size ? size : 1); /* no NUL behind it */
	struct err err = { "" };

	memcpy(text, data, size);
	if (!json_check(text, size, &err))
		walk(text, size, 0);
	else if (!err.msg[0])
		abort();
	free(text);
	return 0;
}
