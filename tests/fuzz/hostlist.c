/* hostlist.c - host lists and host:port from command lines and configurations
 *
 * Reaches hostlist_parse() and, with each of the first names it gives, hostport_parse(); and hostlist_fold(), whose text
 * must give the same names again.
 */
#include "core/base/hostlist.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/xalloc.h"

#define NAMES_TRIED 100 /* of a long list; the others are made the same way */
#define NAMES_KEPT  50  /* texts that give more are not kept as seeds: their children would be as slow and no wiser */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Long lists are slow (100 ms) and all alike: of the texts that could give thousands of names, one in 64 is tried. */
static bool skip(const char *text)
{
	size_t ranges = 0, run = 0, longest = 0, sum = 0;

	for (const char *p = text; *p; p++) {
		run = isdigit((unsigned char)*p) ? run + 1 : 0;
		longest = run > longest ? run : longest;
		ranges += *p == '-' || *p == '.';
		sum += (unsigned char)*p;
	}
	return longest * ranges > 3 && sum % 64;
}

static void try_hostport(const char *text)
{
	unsigned short port = 0;
	struct err err = { 0 };
	char *host = NULL;

	if (!hostport_parse(text, &host, &port, &err))
		assert(*host);
	else
		assert(!host && !port && *err.msg);
	free(host);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Only names as machines have them: a bracket stands for itself in a name that was put in brackets. */
static bool is_plain(const struct hostlist *hl)
{
	for (size_t i = 0; i < hl->n; i++)
		if (hl->names[i][strspn(hl->names[i], "abcdefghijklmnopqrstuvwxyz0123456789.-:_")])
			return false;
	return true;
}

static void try_fold(struct hostlist *hl)
{
	struct hostlist again = { 0 };
	struct buf b = { 0 };

	hostlist_fold((const char *const *)hl->names, hl->n, 0, &b);
	assert(!hostlist_parse(buf_str(&b), &again, NULL) && again.n == hl->n);
	if (hl->n) {
		qsort(hl->names, hl->n, sizeof(*hl->names), by_text);
		qsort(again.names, again.n, sizeof(*again.names), by_text);
	}
	for (size_t i = 0; i < hl->n; i++)
		assert(!strcmp(hl->names[i], again.names[i]));
	hostlist_fini(&again);
	buf_fini(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = xstrndup((const char *)data, size);
	struct hostlist hl = { 0 };
	struct err err = { 0 };
	size_t n;
	int rc;

	try_hostport(text);
	if (skip(text)) {
		free(text);
		return -1;
	}
	rc = hostlist_parse(text, &hl, &err);
	assert(rc == 0 || (rc == -EINVAL && *err.msg && !hl.n && !hl.names));
	assert(hl.n <= HOSTLIST_MAX);
	for (size_t i = 0; i < hl.n && i < NAMES_TRIED; i++) {
		assert(*hl.names[i]);
		try_hostport(hl.names[i]);
	}
	if (hl.n <= NAMES_TRIED && is_plain(&hl))
		try_fold(&hl);
	n = hl.n;
	hostlist_fini(&hl);
	free(text);
	return n > NAMES_KEPT ? -1 : 0;
}
