/* scalars.c - see scalars.h */
#include "plugins/scalars.h"

#include <assert.h>

void scalar_set(struct scalar *s, const char *word, uint64_t *slot)
{
	*s = (struct scalar){ .len = (uint32_t)strlen(word), .slot = slot };
	assert(s->len <= sizeof(s->word) - sizeof(uint64_t));
	memcpy(s->word, word, s->len);
}

/* The one that the line at p belongs to, or NULL; *next is looked at first. */
static inline const struct scalar *scalar_find(const struct scalar *v, size_t n, size_t *next, const char *p)
{
	for (size_t k = 0; k < n; k++) {
		const struct scalar *s = &v[*next];

		*next = *next + 1 < n ? *next + 1 : 0;
		if (proc_starts(p, s->word, s->len))
			return s;
	}
	return NULL;
}

void scalars_scan(const struct scalar *v, size_t n, const char *text)
{
	size_t next = 0;

	for (const char *p = text; *p; p = proc_next_line(p)) {
		const struct scalar *s = scalar_find(v, n, &next, p);

		if (!s)
			continue;
		p += s->len;
		*s->slot = htole64(proc_u64(&p));
	}
}

void scalars_learn(const struct scalar *v, size_t n, size_t *next, const char *p, struct cells *c)
{
	const struct scalar *s = scalar_find(v, n, next, p);

	cells_line(c, p);
	p += s ? s->len : proc_word(p, ' ');
	if (s && !cells_number(c, &p, s->slot))
		*s->slot = 0; /* until it has one */
	else
		cells_loose(c, p);
}
