/* scalars.c - see scalars.h */
#include "plugins/scalars.h"

#include "plugins/proc.h"

/* Behind the word at p, or NULL when another stands there. */
static const char *behind(const char *p, const char *word)
{
	for (; *word; p++, word++)
		if (*p != *word)
			return NULL;
	return p;
}

void scalars_scan(const struct scalar *v, size_t n, const char *text)
{
	size_t next = 0;

	for (const char *p = text; *p; p = proc_next_line(p)) {
		for (size_t k = 0; k < n; k++) {
			const struct scalar *s = &v[next];
			const char *number = behind(p, s->word);

			next = next + 1 < n ? next + 1 : 0;
			if (!number)
				continue;
			*s->slot = htole64(proc_u64(&number));
			p = number;
			break;
		}
	}
}
