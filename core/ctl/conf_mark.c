/* conf_mark.c - see conf_mark.h */
#include "core/ctl/conf_mark.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/xalloc.h"

struct mark *mark_find(struct mark *set, const char *key)
{
	struct mark *m = NULL;

	HASH_FIND_STR(set, key, m);
	return m;
}

struct mark *mark_add(struct mark **set, const char *key, const struct cmd *by)
{
	struct mark *m = mark_find(*set, key);
	size_t n = strlen(key);

	if (m)
		return m;
	m = xcalloc(1, sizeof(*m) + n + 1);
	memcpy(m->key, key, n);
	m->by = by;
	HASH_ADD_KEYPTR(hh, *set, m->key, n, m);
	return NULL;
}

static void mark_free(struct mark **set, struct mark *m)
{
	HASH_DEL(*set, m);
	free(m);
}

void mark_del(struct mark **set, const char *key)
{
	struct mark *m = mark_find(*set, key);

	if (m)
		mark_free(set, m);
}

void marks_free(struct mark **set)
{
	struct mark *m, *next;

	HASH_ITER(hh, *set, m, next)
		mark_free(set, m);
}
