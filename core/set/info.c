/* info.c - a set's info pairs: text that travels beside the image; see set.h */
#include <stdlib.h>

#include "core/base/xalloc.h"
#include "core/set/set.h"

static struct info_pair *pair_of(const struct set *s, const char *key)
{
	for (uint16_t i = 0; i < s->info_n; i++)
		if (!strcmp(s->info[i].key, key))
			return &s->info[i];
	return NULL;
}

const char *set_info_find(const struct set *s, const char *key)
{
	const struct info_pair *pair = pair_of(s, key);

	return pair ? pair->value : NULL;
}

void set_info_put(struct set *s, const char *key, const char *value)
{
	struct info_pair *pair = pair_of(s, key);
	char *copy = xstrdup(value);

	if (pair) {
		free(pair->value);
		pair->value = copy;
		return;
	}
	assert(s->info_n < UINT16_MAX);
	s->info = xrealloc(s->info, (s->info_n + 1u) * sizeof(*s->info));
	s->info[s->info_n++] = (struct info_pair){ .key = xstrdup(key), .value = copy };
}

void set_info_del(struct set *s, const char *key)
{
	struct info_pair *pair = pair_of(s, key);

	if (!pair)
		return;
	free(pair->key);
	free(pair->value);
	s->info_n--;
	memmove(pair, pair + 1, (size_t)(s->info + s->info_n - pair) * sizeof(*pair)); /* the others keep their order */
}

void info_copy_free(struct info_pair *pairs, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		free(pairs[i].key);
		free(pairs[i].value);
	}
	free(pairs);
}

void set_info_clear(struct set *s)
{
	info_copy_free(s->info, s->info_n);
	s->info = NULL;
	s->info_n = 0;
}
