/* stores.c - every store in this program.  To add one: write store/NAME.c, add X(NAME) here, in alphabetical order. */
#include <string.h>

#include "store/store.h"

#define STORES(X)                                                                                                      \
	X(avro_kafka)                                                                                                  \
	X(csv)                                                                                                         \
	X(flatfile)                                                                                                    \
	X(function_csv)                                                                                                \
	X(influx)                                                                                                      \
	X(kafka)                                                                                                       \
	X(none)                                                                                                        \
	X(remote_write)                                                                                                \
	X(sqlite)

#define X(n) extern const struct store_type store_##n;
STORES(X)
#undef X

const struct store_type *const store_types[] = {
#define X(n) &store_##n,
	STORES(X)
#undef X
		NULL,
};

/* Without what the names of ldmsd's plugins begin with. */
static const char *bare(const char *name)
{
	static const char prefix[] = "store_";

	return strncmp(name, prefix, sizeof(prefix) - 1) ? name : name + sizeof(prefix) - 1;
}

const struct store_type *store_type_find(const char *name)
{
	name = bare(name);
	for (size_t i = 0; store_types[i]; i++)
		if (!strcmp(store_types[i]->name, name))
			return store_types[i];
	return NULL;
}

const struct store_type *store_to_find(const char *word, const struct store_to **ret)
{
	word = bare(word);
	for (size_t i = 0; store_types[i]; i++)
		for (const struct store_to *to = store_types[i]->to; to && to->word; to++)
			if (!strcmp(to->word, word)) {
				*ret = to;
				return store_types[i];
			}
	return NULL;
}
