/* unique.c - see unique.h */
#include "store/unique.h"

#include <stdlib.h>
#include <uthash.h>

#include "core/base/xalloc.h"

struct unique_name {
	UT_hash_handle hh;
	unsigned int last; /* number that another one of this name has got */
	char name[];
};

static struct unique_name *find(const struct unique *u, const char *name)
{
	struct unique_name *n;

	HASH_FIND_STR(u->all, name, n);
	return n;
}

static void add(struct unique *u, const char *name)
{
	size_t len = strlen(name);
	struct unique_name *n = xcalloc(1, sizeof(*n) + len + 1);

	n->last = 1;
	memcpy(n->name, name, len);
	HASH_ADD_KEYPTR(hh, u->all, n->name, len, n);
}

char *unique_add(struct unique *u, char *name)
{
	struct unique_name *n = find(u, name);
	char *stem = name;

	if (n) {
		for (name = NULL; !name || find(u, name);) {
			free(name);
			name = xasprintf("%s_%u", stem, ++n->last);
		}
		free(stem);
	}
	add(u, name);
	return name;
}

bool unique_has(const struct unique *u, const char *name)
{
	return find(u, name);
}

void unique_fini(struct unique *u)
{
	struct unique_name *n, *next;

	HASH_ITER(hh, u->all, n, next) {
		HASH_DEL(u->all, n);
		free(n);
	}
}
