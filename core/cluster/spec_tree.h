/* spec_tree.h - a specification as a tree without templates: objects that say "!extends" have the template's members,
 * and every "%attr%" is replaced.
 *
 * A template's members are taken over as they are written, so that what they refer to is looked up where they are used.
 * "%attr%" is the member `attr` of the nearest enclosing object that has one that is neither object nor list; "%%" is a
 * percent sign.
 */
#ifndef CORE_CLUSTER_SPEC_TREE_H
#define CORE_CLUSTER_SPEC_TREE_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/err.h"
#include "core/base/yaml.h"

#define SPEC_EXTENDS   "!extends"
#define SPEC_TEMPLATES "templates"

struct snode {
	enum yaml_kind kind;
	unsigned int line, col; /* from 1 */
	const struct snode *up; /* the object or list that it is in */
	char *text;             /* YAML_TEXT */
	bool null;
	enum { SNODE_RAW, SNODE_BUSY, SNODE_DONE } state; /* of the text's references */
	size_t n;                                         /* members */
	const struct yaml_node **keys;                    /* YAML_MAP: texts; their places */
	struct snode **values;
	const struct yaml_node *from;
};

struct spec_tree;

int spec_tree_parse(const char *file, const char *text, size_t len, struct spec_tree **ret, struct err *err);
void spec_tree_free(struct spec_tree *t);
const struct snode *spec_tree_root(const struct spec_tree *t); /* an object */

/* The member's value; NULL when it is absent or null. */
const struct snode *snode_get(const struct snode *map, const char *key);
/* Does any "%attr%" stand for this value?  Then its key is one of the writer's own. */
bool spec_tree_is_used(const struct spec_tree *t, const struct snode *n);
/* "FILE:LINE:COL: words", -EINVAL. */
int spec_tree_bad(const struct spec_tree *t, unsigned int line, unsigned int col, struct err *err, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));

#endif
