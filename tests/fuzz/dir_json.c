/* dir_json.c - the text of a directory.
 *
 * Reaches: xprt/dir_json.c, its reading half, and dir_scan.c.
 * Input: 1 byte: bit 0 only names are wanted, the rest after how many sets to stop (0: never); the text.
 */
#include <stdlib.h>
#include <string.h>

#include "xprt/dir_json.h"

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t len);

static volatile size_t sum; /* what was read, so that it is read */

static bool set_cb(const struct dir_set *s, void *arg)
{
	unsigned int *left = arg;

	sum += strlen(s->name) + strlen(s->schema) + strlen(s->digest) + strlen(s->flags) + strlen(s->perm);
	for (unsigned int i = 0; i < s->info_n; i++)
		sum += strlen(s->info[i].key) + strlen(s->info[i].value);
	if (!*s->name || strlen(s->name) > SET_NAME_MAX)
		abort();
	return !*left || --*left;
}

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t len)
{
	struct dir_notes notes = { 0 };
	unsigned int left;
	struct err err;
	char *text;

	if (!len)
		return 0;
	left = *in >> 1;
	text = malloc(len);
	memcpy(text, in + 1, len - 1);
	dir_json_get(text, len - 1, *in & 1, set_cb, &left, &notes, &err);
	free(text);
	return 0;
}
