/* names.c - see names.h */
#include "plugins/names.h"

#include <stdlib.h>

#include "core/base/xalloc.h"

uint32_t names_add(struct names *nm, const char *name, size_t len)
{
	if (nm->n == nm->cap) {
		nm->cap = nm->cap ? 2 * nm->cap : 16;
		nm->v = xrealloc(nm->v, nm->cap * sizeof(*nm->v));
	}
	nm->v[nm->n] = (struct name_row){ (uint32_t)nm->text.len, (uint32_t)len, nm->n + 1 };
	buf_add(&nm->text, name, len);
	memset(buf_reserve(&nm->text, PROC_SLACK), 0, PROC_SLACK);
	return nm->n++;
}

void names_clear(struct names *nm)
{
	nm->n = nm->first = 0;
	buf_reset(&nm->text);
	names_rewind(nm);
}

void names_fini(struct names *nm)
{
	free(nm->v);
	buf_fini(&nm->text);
	*nm = (struct names){ 0 };
}

int names_search(struct names *nm, const char *p, size_t len)
{
	for (uint32_t i = 0; i < nm->n; i++) {
		if (nm->v[i].len != len || !proc_starts(p, (const char *)nm->text.p + nm->v[i].at, len))
			continue;
		if (nm->last == UINT32_MAX)
			nm->first = i;
		else
			nm->v[nm->last].follow = i;
		nm->last = i;
		nm->next = nm->v[i].follow;
		return (int)i;
	}
	return -1;
}
