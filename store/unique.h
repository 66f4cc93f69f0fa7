/* unique.h - names that are all different: what is taken becomes NAME_2, NAME_3, ...  A peer chooses how many there are,
 * and how many of them are the same. */
#ifndef STORE_UNIQUE_H
#define STORE_UNIQUE_H

#include <stdbool.h>

struct unique_name;

/* NULL is empty. */
struct unique {
	struct unique_name *all;
};

/* A name that was not there yet; takes and gives. */
char *unique_add(struct unique *u, char *name);
bool unique_has(const struct unique *u, const char *name);
void unique_fini(struct unique *u);

#endif
