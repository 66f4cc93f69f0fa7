/* show_impl.h - what show.c (rows and tables) and show_value.c (what stands in them) share. */
#ifndef CMD_SHOW_IMPL_H
#define CMD_SHOW_IMPL_H

#include <jansson.h>

#include "cmd/show.h"

#define SHOW_KEYS_MAX 4 /* '*' in a path */

/* A row on its way: the value, and the names at which the walk is. */
struct show_row {
	json_t *v;
	const char *keys[SHOW_KEYS_MAX]; /* the last one first */
};

/* The member of an object that the first n characters of a path name; borrowed, or NULL. */
json_t *show_member(json_t *v, const char *path, size_t n);
/* What stands in a row's column; yours.  NULL when the row has no such value. */
char *show_cell(const struct show_row *r, const struct show_col *col);
/* Does it stand to the right? */
bool show_is_number(enum show_form form);

#endif
