/* spec_subst.c - what "%attr%" stands for: the member of that name of the nearest enclosing object that has one */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/str.h"
#include "core/base/xalloc.h"
#include "core/cluster/spec_tree_impl.h"

#define CHAIN_MAX 64         /* values that refer to each other */
#define TEXT_MAX  (64 << 10) /* bytes of one text with what it refers to */
#define TEXTS_MAX (64 << 20) /* of all */
#define NEAR_MAX  256        /* names that a mistyped one is compared with */

#define BAD(t, at, err, ...) spec_tree_bad(t, (at)->line, (at)->col, err, __VA_ARGS__)

/* Bytes of the name at p, 0 when there is none; behind it stands '%'. */
static size_t name_len(const char *p)
{
	size_t n = 0;

	if (!isalpha((unsigned char)*p) && *p != '_')
		return 0;
	while (isalnum((unsigned char)p[n]) || (p[n] && strchr("_-.", p[n])))
		n++;
	return p[n] == '%' ? n : 0;
}

static struct snode *scalar(const struct snode *map, const char *name)
{
	for (size_t i = 0; map->kind == YAML_MAP && i < map->n; i++)
		if (map->values[i]->kind == YAML_TEXT && !map->values[i]->null && !strcmp(map->keys[i]->text, name))
			return map->values[i];
	return NULL;
}

static struct snode *find(const struct snode *from, const char *name)
{
	struct snode *found = NULL;

	for (const struct snode *u = from->up; u && !found; u = u->up)
		found = scalar(u, name);
	return found;
}

static int unknown(const struct spec_tree *t, const struct snode *n, const char *name, struct err *err)
{
	const char *names[NEAR_MAX + 1], *near;
	size_t k = 0;

	for (const struct snode *u = n->up; u; u = u->up)
		for (size_t i = 0; u->kind == YAML_MAP && i < u->n && k < NEAR_MAX; i++)
			if (u->values[i]->kind == YAML_TEXT)
				names[k++] = u->keys[i]->text;
	names[k] = NULL;
	near = nearest(name, names);
	return BAD(t, n, err, "%%%.64s%%: neither this object nor one around it has a value '%.64s'%s%s%s", name, name,
		   near ? "; did you mean '" : "; a percent sign is written %%", near ? near : "", near ? "'?" : "");
}

static void use(struct spec_tree *t, const struct snode *n)
{
	struct used *u = NULL;

	HASH_FIND_PTR(t->used, &n->from, u);
	if (u)
		return;
	u = xcalloc(1, sizeof(*u));
	u->from = n->from;
	HASH_ADD_PTR(t->used, from, u);
}

static int text_subst(struct spec_tree *t, struct snode *n, unsigned int chain, struct err *err);

static int name_subst(struct spec_tree *t, const struct snode *n, const char *name, unsigned int chain, struct buf *to,
		      struct err *err)
{
	struct snode *found = find(n, name);
	int rc;

	if (!found)
		return unknown(t, n, name, err);
	if (found->state == SNODE_BUSY || chain >= CHAIN_MAX)
		return BAD(t, n, err,
			   found->state == SNODE_BUSY ? "%%%.64s%%: refers to itself"
						      : "%%%.64s%%: too many values that refer to each other",
			   name);
	rc = text_subst(t, found, chain + 1, err);
	if (rc)
		return rc;
	use(t, found);
	buf_addf(to, "%s", found->text);
	return 0;
}

/* A percent sign that begins no reference stands for itself. */
static int refs_subst(struct spec_tree *t, const struct snode *n, unsigned int chain, struct buf *to, struct err *err)
{
	int rc = 0;

	for (const char *p = n->text; *p && !rc;) {
		size_t plain = strcspn(p, "%"), len;
		char *name;

		buf_add(to, p, plain);
		p += plain;
		if (!*p)
			break;
		len = name_len(p + 1);
		if (!len) {
			buf_u8(to, '%');
			p += p[1] == '%' ? 2 : 1;
			continue;
		}
		name = xstrndup(p + 1, len);
		rc = name_subst(t, n, name, chain, to, err);
		free(name);
		p += len + 2;
		if (!rc && to->len > TEXT_MAX)
			rc = BAD(t, n, err, "a text of more than %d bytes with what it refers to", TEXT_MAX);
	}
	return rc;
}

static int text_subst(struct spec_tree *t, struct snode *n, unsigned int chain, struct err *err)
{
	struct buf b = { 0 };
	int rc = 0;

	if (n->state == SNODE_DONE)
		return 0;
	if (strchr(n->text, '%')) {
		n->state = SNODE_BUSY;
		rc = refs_subst(t, n, chain, &b, err);
		t->text_bytes += b.len;
		if (!rc && t->text_bytes > TEXTS_MAX)
			rc = BAD(t, n, err, "more than %d bytes of texts with what they refer to", TEXTS_MAX);
		if (!rc) {
			free(n->text);
			n->text = xstrndup(buf_str(&b), b.len);
		}
	}
	n->state = SNODE_DONE;
	buf_fini(&b);
	return rc;
}

int spec_subst(struct spec_tree *t, struct snode *n, struct err *err)
{
	int rc = n->kind == YAML_TEXT ? text_subst(t, n, 0, err) : 0;

	for (size_t i = 0; i < n->n && !rc; i++)
		rc = spec_subst(t, n->values[i], err);
	return rc;
}
