/* conf_yaml_value.c - values of a cluster file: texts, lists, names, and keys that nobody reads. */
#include <string.h>

#include "core/base/hostlist.h"
#include "core/base/str.h"
#include "core/base/unit.h"
#include "core/ctl/conf_yaml_impl.h"

struct conf_pos ynode_pos(ynode n)
{
	return (struct conf_pos){ .line = n->line, .col = n->col, .value = true };
}

const char *ygen_text(struct ygen *g, ynode map, const char *key, ynode *ret)
{
	ynode n = yaml_get(map, key);

	if (!n)
		return NULL;
	if (n->kind != YAML_TEXT) {
		ygen_bad(g, n, "%s: wants a single value, no list or mapping", key);
		return NULL;
	}
	*ret = n;
	return n->text;
}

ynode ygen_required(struct ygen *g, ynode map, const char *key, const char *section)
{
	ynode n = yaml_get(map, key);

	if (!n)
		ygen_bad(g, map, "The \"%s\" attribute is required in %s entry", key, section);
	return n;
}

size_t ynode_members(ynode n)
{
	return !n ? 0 : n->kind == YAML_LIST ? n->n : 1;
}

ynode ynode_member(ynode n, size_t i)
{
	return n->kind == YAML_LIST ? n->values[i] : n;
}

bool ynode_is_true(ynode map, const char *key)
{
	ynode n = yaml_get(map, key);
	bool yes = false;

	return n && n->kind == YAML_TEXT && !unit_bool(n->text, &yes, NULL) && yes;
}

/* -- names -- */

bool ygen_names(struct ygen *g, ynode n, struct hostlist *ret)
{
	struct buf b = { 0 };
	struct err err = { "" };
	bool good = true;

	*ret = (struct hostlist){ 0 };
	for (size_t i = 0; i < ynode_members(n) && good; i++) {
		ynode m = ynode_member(n, i);

		good = ygen_works(g, m, 0);
		if (good && m->kind != YAML_TEXT) {
			ygen_bad(g, m, "wants names");
			good = false;
		}
		if (good)
			buf_addf(&b, "%s%s", i ? "," : "", m->text);
	}
	if (good && hostlist_parse(buf_str(&b), ret, &err)) {
		ygen_bad(g, n, "%s", err.msg);
		*ret = (struct hostlist){ 0 };
		good = false;
	}
	buf_fini(&b);
	if (good && !ygen_works(g, n, ret->n)) {
		hostlist_fini(ret);
		*ret = (struct hostlist){ 0 };
		return false;
	}
	return good;
}

/* -- keys -- */

/* A key that nobody reads is most often a typing error. */
void ygen_keys_check(struct ygen *g, ynode map, const char *section, const char *const *known)
{
	if (map->kind != YAML_MAP)
		return;
	for (size_t i = 0; i < map->n && ygen_works(g, map, 0); i++) {
		const char *key = map->keys[i]->kind == YAML_TEXT ? map->keys[i]->text : NULL, *near;
		size_t k = 0;

		while (key && known[k] && strcmp(known[k], key))
			k++;
		if (key && known[k])
			continue;
		near = key ? nearest(key, known) : NULL;
		ygen_doubt(g, map->keys[i], "%s: '%s' means nothing here%s%s%s", section, key ? key : "?",
			   near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
	}
}

void ygen_each_map(struct ygen *g, ynode n, const char *section, const char *const *known,
		   void (*fn)(struct ygen *g, ynode map, void *arg), void *arg)
{
	if (!n)
		return;
	if (n->kind == YAML_TEXT) {
		ygen_bad(g, n, "%s: wants a list of mappings, each begun by \"-\"", section);
		return;
	}
	for (size_t i = 0; i < ynode_members(n) && ygen_works(g, n, 0); i++) {
		ynode m = ynode_member(n, i);

		if (m->kind != YAML_MAP) {
			ygen_bad(g, m, "%s: wants a list of mappings, each begun by \"-\"", section);
			continue;
		}
		if (known)
			ygen_keys_check(g, m, section, known);
		fn(g, m, arg);
	}
}

bool ygen_is_among(const char *const *words, const char *w)
{
	for (; *words; words++)
		if (!strcmp(*words, w))
			return true;
	return false;
}
