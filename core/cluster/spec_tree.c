/* spec_tree.c - see spec_tree.h: the document's tree copied, templates put in */
#include "core/cluster/spec_tree.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/str.h"
#include "core/base/xalloc.h"
#include "core/cluster/spec_tree_impl.h"

#define EXTENDS_MAX 64      /* templates that extend each other */
#define DEPTH_MAX   64      /* objects and lists within each other */
#define MEMBERS_MAX 1000    /* of one object */
#define VALUES_MAX  1000000 /* with all that templates bring */

int spec_tree_bad(const struct spec_tree *t, unsigned int line, unsigned int col, struct err *err, const char *fmt, ...)
{
	char words[ERR_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(words, sizeof(words), fmt, ap);
	va_end(ap);
	return err_set(err, -EINVAL, "%s:%u:%u: %s", t->file, line, col, words);
}

#define BAD(t, at, err, ...) spec_tree_bad(t, (at)->line, (at)->col, err, __VA_ARGS__)

static void snode_free(struct snode *n)
{
	if (!n)
		return;
	for (size_t i = 0; i < n->n; i++)
		snode_free(n->values[i]);
	free(n->values);
	free(n->keys);
	free(n->text);
	free(n);
}

static bool has(const struct snode *map, const char *key)
{
	for (size_t i = 0; i < map->n; i++)
		if (!strcmp(map->keys[i]->text, key))
			return true;
	return false;
}

static int copy(struct spec_tree *t, const struct yaml_node *from, const struct snode *up, unsigned int depth,
		struct snode **ret, struct err *err);

/* The arrays have room for one more when their number is no power of two. */
static void snode_room(struct snode *n)
{
	if (n->n & (n->n - 1))
		return;
	n->values = xrealloc(n->values, (n->n ? 2 * n->n : 1) * sizeof(*n->values));
	n->keys = xrealloc(n->keys, (n->n ? 2 * n->n : 1) * sizeof(*n->keys));
}

static int member_add(struct spec_tree *t, struct snode *to, const struct yaml_node *key, const struct yaml_node *value,
		      unsigned int depth, struct err *err)
{
	struct snode *v;
	int rc = copy(t, value, to, depth + 1, &v, err);

	if (rc)
		return rc;
	snode_room(to);
	to->keys[to->n] = key;
	to->values[to->n++] = v;
	return 0;
}

/* The members of an object, without what it extends; those that are there already are left alone, which is said when
 * it is the object itself that has them twice. */
static int members_add(struct spec_tree *t, struct snode *to, const struct yaml_node *from, bool own,
		       unsigned int depth, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; i < from->n && !rc; i++) {
		const struct yaml_node *key = from->keys[i];

		if (key->kind != YAML_TEXT)
			return BAD(t, key, err, "a key must be a text");
		if (!strcmp(key->text, SPEC_EXTENDS) || (depth == 0 && !strcmp(key->text, SPEC_TEMPLATES)))
			continue;
		if (has(to, key->text)) {
			if (own)
				return BAD(t, key, err, "'%.64s' stands twice in one object; keep one", key->text);
			continue;
		}
		if (to->n >= MEMBERS_MAX)
			return BAD(t, key, err, "an object of more than %d members", MEMBERS_MAX);
		rc = member_add(t, to, key, from->values[i], depth, err);
	}
	return rc;
}

static int template_find(struct spec_tree *t, const struct yaml_node *name, const struct yaml_node **ret,
			 struct err *err)
{
	const char *names[MEMBERS_MAX + 1], *near;
	const struct yaml_node *found;
	size_t n = 0;

	if (name->kind != YAML_TEXT)
		return BAD(t, name, err, SPEC_EXTENDS ": wants the name of one template");
	found = yaml_get(t->templates, name->text);
	if (found && found->kind != YAML_MAP)
		return BAD(t, found, err, "template '%.64s': wants an object", name->text);
	*ret = found;
	if (found)
		return 0;
	for (size_t i = 0; t->templates && i < t->templates->n && n < MEMBERS_MAX; i++)
		if (t->templates->keys[i]->kind == YAML_TEXT)
			names[n++] = t->templates->keys[i]->text;
	names[n] = NULL;
	near = nearest(name->text, names);
	return BAD(t, name, err, SPEC_EXTENDS ": no template '%.64s'%s%s%s", name->text,
		   near ? "; did you mean '" : "; put it into \"" SPEC_TEMPLATES "\"", near ? near : "",
		   near ? "'?" : "");
}

static const struct yaml_node *extends(const struct yaml_node *map)
{
	return yaml_get(map, SPEC_EXTENDS);
}

static int map_copy(struct spec_tree *t, struct snode *to, const struct yaml_node *from, unsigned int depth,
		    struct err *err)
{
	const struct yaml_node *seen[EXTENDS_MAX + 1], *name = extends(from);
	int rc = members_add(t, to, from, true, depth, err);

	for (size_t n = 0; name && !rc; name = extends(from)) {
		seen[n++] = from;
		rc = template_find(t, name, &from, err);
		for (size_t i = 0; i < n && !rc; i++)
			if (seen[i] == from)
				rc = BAD(t, name, err, "template '%.64s' extends itself", name->text);
		if (!rc && n > EXTENDS_MAX)
			rc = BAD(t, name, err, "more than %d templates that extend each other", EXTENDS_MAX);
		if (!rc)
			rc = members_add(t, to, from, false, depth, err);
	}
	return rc;
}

static int list_copy(struct spec_tree *t, struct snode *to, const struct yaml_node *from, unsigned int depth,
		     struct err *err)
{
	int rc = 0;

	for (size_t i = 0; i < from->n && !rc; i++)
		rc = member_add(t, to, NULL, from->values[i], depth, err);
	return rc;
}

static int copy(struct spec_tree *t, const struct yaml_node *from, const struct snode *up, unsigned int depth,
		struct snode **ret, struct err *err)
{
	struct snode *n;
	int rc = 0;

	if (depth > DEPTH_MAX)
		return BAD(t, from, err,
			   "more than %d objects and lists within each other; does a template hold itself?", DEPTH_MAX);
	if (++t->values > VALUES_MAX)
		return BAD(t, from, err, "more than %d values, those of templates counted each time", VALUES_MAX);
	n = xcalloc(1, sizeof(*n));
	n->kind = from->kind;
	n->line = from->line;
	n->col = from->col;
	n->up = up;
	n->from = from;
	if (n->kind == YAML_TEXT) {
		n->text = xstrdup(from->text);
		n->null = yaml_is_null(from);
	} else if (n->kind == YAML_MAP) {
		rc = map_copy(t, n, from, depth, err);
	} else {
		rc = list_copy(t, n, from, depth, err);
	}
	if (rc) {
		snode_free(n);
		return rc;
	}
	*ret = n;
	return 0;
}

int spec_tree_parse(const char *file, const char *text, size_t len, struct spec_tree **ret, struct err *err)
{
	struct spec_tree *t = xcalloc(1, sizeof(*t));
	const struct yaml_node *root = NULL;
	unsigned int line = 1, col = 1;
	struct err words = { "" };
	int rc;

	t->file = xstrdup(file);
	rc = yaml_tree_parse(text, len, &t->yaml, &root, &line, &col, &words);
	if (rc) {
		spec_tree_bad(t, line, col, err, "%s", words.msg);
		goto out;
	}
	if (!root || root->kind != YAML_MAP) {
		rc = spec_tree_bad(t, 1, 1, err, "a specification is an object with the key \"nodes\"");
		goto out;
	}
	t->templates = yaml_get(root, SPEC_TEMPLATES);
	if (t->templates && t->templates->kind != YAML_MAP) {
		rc = BAD(t, t->templates, err, SPEC_TEMPLATES ": wants an object of templates by their names");
		goto out;
	}
	rc = copy(t, root, NULL, 0, &t->root, err);
	if (!rc)
		rc = spec_subst(t, t->root, err);
out:
	if (rc)
		spec_tree_free(t);
	else
		*ret = t;
	return rc;
}

void spec_tree_free(struct spec_tree *t)
{
	struct used *u, *next;

	if (!t)
		return;
	HASH_ITER(hh, t->used, u, next) {
		HASH_DEL(t->used, u);
		free(u);
	}
	snode_free(t->root);
	yaml_tree_free(t->yaml);
	free(t->file);
	free(t);
}

const struct snode *spec_tree_root(const struct spec_tree *t)
{
	return t->root;
}

const struct snode *snode_get(const struct snode *map, const char *key)
{
	for (size_t i = 0; map && map->kind == YAML_MAP && i < map->n; i++)
		if (!strcmp(map->keys[i]->text, key))
			return map->values[i]->null ? NULL : map->values[i];
	return NULL;
}

bool spec_tree_is_used(const struct spec_tree *t, const struct snode *n)
{
	struct used *u;

	HASH_FIND_PTR(t->used, &n->from, u);
	return u;
}
