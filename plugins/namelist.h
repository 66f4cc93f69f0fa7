/* namelist.h - attributes that are lists of names: "lo,eth0". */
#ifndef PLUGINS_NAMELIST_H
#define PLUGINS_NAMELIST_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* The name at *list, and *list behind it and its comma; the length, 0 at the end.  Empty names are passed over. */
static inline size_t namelist_next(const char **list, const char **ret)
{
	size_t n;

	while (**list == ',')
		(*list)++;
	*ret = *list;
	n = strcspn(*list, ",");
	*list += n;
	return n;
}

static inline bool namelist_has(const char *list, const char *word, size_t len)
{
	const char *name;
	size_t n;

	while ((n = namelist_next(&list, &name)))
		if (n == len && !memcmp(name, word, n))
			return true;
	return false;
}

#endif
