/* ls_dir.c - see ls_dir.h */
#include "cmd/ls_dir.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/xalloc.h"

#define GROUP_SCHEMA "ldmsd_grp_schema"
#define GROUP_MEMBER "    grp_member: " /* begins the info keys that name a group's members */

/* -- the copy ------------------------------------------------------------------------------------------------------ */

static const char *text_copy(char **to, const char *s)
{
	size_t size = strlen(s) + 1;
	const char *copy = memcpy(*to, s, size);

	*to += size;
	return copy;
}

static size_t text_bytes(const struct dir_set *d)
{
	size_t n = strlen(d->name) + strlen(d->schema) + strlen(d->digest) + strlen(d->flags) + strlen(d->perm) + 5;

	for (unsigned int i = 0; i < d->info_n; i++)
		n += strlen(d->info[i].key) + strlen(d->info[i].value) + 2;
	return n;
}

/* One allocation: the set, its info pairs, all its texts. */
static struct ls_set *set_copy_of(const struct dir_set *d)
{
	struct ls_set *s = xcalloc(1, sizeof(*s) + d->info_n * sizeof(struct info_pair) + text_bytes(d));
	struct info_pair *info = (struct info_pair *)(s + 1);
	char *text = (char *)(info + d->info_n);

	s->d = *d;
	s->d.name = text_copy(&text, d->name);
	s->d.schema = text_copy(&text, d->schema);
	s->d.digest = text_copy(&text, d->digest);
	s->d.flags = text_copy(&text, d->flags);
	s->d.perm = text_copy(&text, d->perm);
	s->d.info = info;
	for (unsigned int i = 0; i < d->info_n; i++) {
		info[i].key = (char *)text_copy(&text, d->info[i].key);
		info[i].value = (char *)text_copy(&text, d->info[i].value);
	}
	return s;
}

static struct ls_set *set_find(const struct ls_dir *dir, const char *name)
{
	struct ls_set *s;

	HASH_FIND_STR(dir->by_name, name, s);
	return s;
}

void ls_dir_add(struct ls_dir *dir, const struct dir_set *d)
{
	struct ls_set *s;

	if (set_find(dir, d->name))
		return;
	s = set_copy_of(d);
	if (!(dir->n & (dir->n + 1))) /* at 0, 1, 3, 7, ...: make room for twice as many */
		dir->v = xrealloc(dir->v, 2 * (dir->n + 1) * sizeof(struct ls_set *));
	dir->v[dir->n++] = s;
	HASH_ADD_KEYPTR(hh, dir->by_name, s->d.name, strlen(s->d.name), s);
}

void ls_dir_fini(struct ls_dir *dir)
{
	HASH_CLEAR(hh, dir->by_name);
	for (size_t i = 0; i < dir->n; i++)
		free(dir->v[i]);
	free(dir->v);
	*dir = (struct ls_dir){ 0 };
}

/* -- what was asked for -------------------------------------------------------------------------------------------- */

int ls_names_init(struct ls_names *names, const char *const *text, size_t n, bool search, bool schema, struct err *err)
{
	int rc = 0;

	*names = (struct ls_names){ .text = text, .rx = xcalloc(n, sizeof(*names->rx)), .schema = schema };
	while (!rc && names->n < n) {
		char *expr = search ? xstrdup(text[names->n]) : xasprintf("^%s$", text[names->n]);

		rc = rx_init(&names->rx[names->n], expr, err);
		names->n += !rc;
		free(expr);
	}
	if (rc)
		ls_names_fini(names);
	return rc;
}

void ls_names_fini(struct ls_names *names)
{
	for (size_t i = 0; i < names->n; i++)
		rx_fini(&names->rx[i]);
	free(names->rx);
	*names = (struct ls_names){ 0 };
}

static bool names_match(const struct ls_names *names, const struct dir_set *d)
{
	const char *word = names->schema ? d->schema : d->name;

	for (size_t i = 0; i < names->n; i++)
		if (!strcmp(word, names->text[i]) || rx_match(&names->rx[i], word))
			return true;
	return !names->n;
}

/* -- picking ------------------------------------------------------------------------------------------------------- */

struct pick {
	struct ls_dir *dir;
	const struct dir_set **v;
	size_t n;
};

static void pick_add(struct pick *p, struct ls_set *s)
{
	if (s->picked)
		return;
	s->picked = true;
	p->v[p->n++] = &s->d;
}

static void pick_members(struct pick *p, const struct dir_set *group)
{
	for (unsigned int i = 0; i < group->info_n; i++) {
		const char *key = group->info[i].key;
		struct ls_set *s = NULL;

		if (!strncmp(key, GROUP_MEMBER, strlen(GROUP_MEMBER)))
			s = set_find(p->dir, key + strlen(GROUP_MEMBER));
		if (s)
			pick_add(p, s);
	}
}

size_t ls_dir_pick(struct ls_dir *dir, const struct ls_names *names, const struct dir_set ***ret)
{
	struct pick p = { .dir = dir, .v = xcalloc(dir->n + 1, sizeof(*p.v)) };
	size_t i;

	for (i = 0; i < dir->n; i++)
		if (names_match(names, &dir->v[i]->d))
			pick_add(&p, dir->v[i]);
	/* The last group first, as ldms_ls has them; groups that are themselves only members stay closed. */
	for (i = p.n; i > 0; i--)
		if (!strcmp(p.v[i - 1]->schema, GROUP_SCHEMA))
			pick_members(&p, p.v[i - 1]);
	*ret = p.v;
	return p.n;
}
