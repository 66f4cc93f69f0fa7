/* yaml.h - a YAML document as a tree of texts, lists and mappings, each with its place in the file.
 *
 * Anchors and aliases are followed (an alias is the same node), and mappings take over what `<<` merges into them.  A
 * tree may contain itself; who walks it goes only as deep as he expects.
 * (libyaml has a yaml_free() of its own.)
 */
#ifndef CORE_BASE_YAML_H
#define CORE_BASE_YAML_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/err.h"

enum yaml_kind { YAML_TEXT, YAML_LIST, YAML_MAP };

struct yaml_node {
	enum yaml_kind kind;
	unsigned int line, col;          /* from 1 */
	const char *text;                /* YAML_TEXT */
	bool plain;                      /* written without quotes: null, true and numbers may be meant */
	size_t n;                        /* members */
	const struct yaml_node **keys;   /* YAML_MAP: texts */
	const struct yaml_node **values; /* of a list or a mapping */
};

struct yaml;

/* The first document.  -EINVAL with words, *line and *col on bad syntax; *ret_root is NULL when there is nothing in it.
 */
int yaml_tree_parse(const char *text, size_t len, struct yaml **ret, const struct yaml_node **ret_root,
		    unsigned int *line, unsigned int *col, struct err *err);
void yaml_tree_free(struct yaml *y);

/* A mapping's value; NULL when absent, null, or `map` is none. */
const struct yaml_node *yaml_get(const struct yaml_node *map, const char *key);
bool yaml_is_null(const struct yaml_node *n);

#endif
