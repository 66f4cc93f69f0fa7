/* convert.c - see convert.h
 *
 * The tree is walked and written anew by libyaml, aliases and merges written out; four places are written otherwise:
 * what stands in `plugins`, of samplers and aggregators, and in the `plugin` of a store becomes a name, and goes to the
 * section of that name, where configs are lists; stores become a mapping; decomp becomes decomposition.
 */
#include "core/maestro/convert.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/xalloc.h"
#include "core/maestro/yaml_put.h"

#define DEPTH_MAX 40 /* of plugins that are compared */

typedef const struct yaml_node *ynode;

/* A plugin of today's file. */
struct instance {
	char *name;
	ynode spec;
};

struct work {
	struct yaml_put out;
	struct instance *instances;
	size_t n;
	void (*renamed)(void *arg, const char *from, const char *to);
	void *arg;
};

/* -- plugins ------------------------------------------------------------------------------------------------------- */

static bool same(ynode a, ynode b, unsigned int depth)
{
	if (a == b)
		return true;
	if (a->kind != b->kind || a->n != b->n || depth > DEPTH_MAX)
		return false;
	if (a->kind == YAML_TEXT)
		return !strcmp(a->text, b->text);
	for (size_t i = 0; i < a->n; i++) {
		if (a->kind == YAML_MAP && !same(a->keys[i], b->keys[i], depth + 1))
			return false;
		if (!same(a->values[i], b->values[i], depth + 1))
			return false;
	}
	return true;
}

static const char *text_of(ynode map, const char *key)
{
	ynode n = yaml_get(map, key);

	return n && n->kind == YAML_TEXT ? n->text : NULL;
}

static struct instance *instance_find(struct work *w, const char *name)
{
	for (size_t i = 0; i < w->n; i++)
		if (!strcmp(w->instances[i].name, name))
			return &w->instances[i];
	return NULL;
}

static const char *instance_add(struct work *w, const char *name, ynode spec)
{
	w->instances = xrealloc(w->instances, (w->n + 1) * sizeof(*w->instances));
	w->instances[w->n] = (struct instance){ xstrdup(name), spec };
	return w->instances[w->n++].name;
}

/* The instance that a plugin becomes which stands where it is used: its name, or one with a number when another plugin
 * has that. */
static const char *instance_of(struct work *w, ynode spec)
{
	const char *name = text_of(spec, "name"), *made;
	char *numbered = NULL;

	if (!name) {
		yaml_put_fail(&w->out, -EINVAL, spec, "a plugin without a name");
		return "";
	}
	for (unsigned int k = 2;; k++) {
		const struct instance *in = instance_find(w, numbered ? numbered : name);

		if (in && same(in->spec, spec, 0)) {
			made = in->name;
			break;
		}
		if (!in) {
			made = instance_add(w, numbered ? numbered : name, spec);
			if (numbered && w->renamed)
				w->renamed(w->arg, name, made);
			break;
		}
		free(numbered);
		numbered = xasprintf("%s_%u", name, k);
	}
	free(numbered);
	return made;
}

static size_t members(ynode n)
{
	return !n ? 0 : n->kind == YAML_LIST ? n->n : 1;
}

static ynode member(ynode n, size_t i)
{
	return n->kind == YAML_LIST ? n->values[i] : n;
}

/* Before anything is written: all that there are. */
static void plugins_gather(struct work *w, ynode root)
{
	ynode plugins = yaml_get(root, "plugins");

	for (size_t i = 0; plugins && i < plugins->n; i++) {
		ynode spec = plugins->values[i];
		const char *name = plugins->kind == YAML_LIST            ? text_of(spec, "name")
				   : plugins->keys[i]->kind == YAML_TEXT ? plugins->keys[i]->text
									 : NULL;

		if (name && !instance_find(w, name))
			instance_add(w, name, spec);
		else
			yaml_put_fail(&w->out, -EINVAL, spec,
				      name ? "plugins: another one has that name" : "plugins: no name");
	}
}

static void used_gather(struct work *w, ynode list, const char *key)
{
	for (size_t i = 0; list && list->kind != YAML_TEXT && i < list->n; i++) {
		ynode used = yaml_get(list->values[i], key);

		for (size_t k = 0; k < members(used) && !w->out.rc; k++)
			if (member(used, k)->kind == YAML_MAP)
				instance_of(w, member(used, k));
	}
}

static void put_name(struct work *w, ynode used)
{
	if (used->kind == YAML_MAP)
		yaml_put_text(&w->out, instance_of(w, used), true);
	else
		yaml_put_node(&w->out, used);
}

static void put_spec(struct work *w, ynode spec)
{
	if (spec->kind != YAML_MAP) {
		yaml_put_node(&w->out, spec);
		return;
	}
	yaml_put_map(&w->out);
	for (size_t i = 0; i < spec->n && !w->out.rc; i++) {
		bool single = spec->keys[i]->kind == YAML_TEXT && !strcmp(spec->keys[i]->text, "config") &&
			      spec->values[i]->kind != YAML_LIST && !yaml_is_null(spec->values[i]);

		yaml_put_node(&w->out, spec->keys[i]);
		if (single)
			yaml_put_list(&w->out, false);
		yaml_put_node(&w->out, spec->values[i]);
		if (single)
			yaml_put_list_end(&w->out);
	}
	yaml_put_map_end(&w->out);
}

static void put_plugins(struct work *w)
{
	if (!w->n)
		return;
	yaml_put_text(&w->out, "plugins", true);
	yaml_put_map(&w->out);
	for (size_t i = 0; i < w->n; i++) {
		yaml_put_text(&w->out, w->instances[i].name, true);
		put_spec(w, w->instances[i].spec);
	}
	yaml_put_map_end(&w->out);
}

/* -- sections ------------------------------------------------------------------------------------------------------ */

/* An entry of samplers or aggregators. */
static void put_user(struct work *w, ynode map)
{
	if (map->kind != YAML_MAP) {
		yaml_put_node(&w->out, map);
		return;
	}
	yaml_put_map(&w->out);
	for (size_t i = 0; i < map->n && !w->out.rc; i++) {
		ynode v = map->values[i];

		yaml_put_node(&w->out, map->keys[i]);
		if (map->keys[i]->kind != YAML_TEXT || strcmp(map->keys[i]->text, "plugins") || yaml_is_null(v)) {
			yaml_put_node(&w->out, v);
			continue;
		}
		yaml_put_list(&w->out, true);
		for (size_t k = 0; k < members(v); k++)
			put_name(w, member(v, k));
		yaml_put_list_end(&w->out);
	}
	yaml_put_map_end(&w->out);
}

static void put_users(struct work *w, ynode list)
{
	yaml_put_list(&w->out, false);
	for (size_t i = 0; i < members(list) && !w->out.rc; i++)
		put_user(w, member(list, i));
	yaml_put_list_end(&w->out);
}

static void put_store(struct work *w, ynode map, bool named)
{
	yaml_put_map(&w->out);
	for (size_t i = 0; i < map->n && !w->out.rc; i++) {
		const char *key = map->keys[i]->kind == YAML_TEXT ? map->keys[i]->text : "";

		if (!strcmp(key, "name") && named)
			continue; /* it is the key of the mapping now */
		if (!strcmp(key, "decomp"))
			yaml_put_text(&w->out, "decomposition", true);
		else
			yaml_put_node(&w->out, map->keys[i]);
		if (!strcmp(key, "plugin"))
			put_name(w, map->values[i]);
		else
			yaml_put_node(&w->out, map->values[i]);
	}
	yaml_put_map_end(&w->out);
}

static void put_stores(struct work *w, ynode stores)
{
	yaml_put_map(&w->out);
	for (size_t i = 0; i < stores->n && !w->out.rc; i++) {
		bool named = stores->kind == YAML_LIST;
		const char *name = named ? text_of(stores->values[i], "name") : NULL;

		if (stores->values[i]->kind != YAML_MAP)
			yaml_put_fail(&w->out, -EINVAL, stores->values[i], "stores: wants mappings");
		else if (named && !name)
			yaml_put_fail(&w->out, -EINVAL, stores->values[i], "stores: a policy without a name");
		for (size_t k = 0; k < i && name; k++)
			if (!strcmp(text_of(stores->values[k], "name"), name))
				yaml_put_fail(&w->out, -EINVAL, stores->values[i],
					      "stores: another policy has that name");
		if (w->out.rc)
			break;
		if (named)
			yaml_put_text(&w->out, name, true);
		else
			yaml_put_node(&w->out, stores->keys[i]);
		put_store(w, stores->values[i], named);
	}
	yaml_put_map_end(&w->out);
}

static void put_file(struct work *w, ynode root)
{
	bool plugins = false;

	yaml_put_map(&w->out);
	for (size_t i = 0; i < root->n && !w->out.rc; i++) {
		const char *key = root->keys[i]->kind == YAML_TEXT ? root->keys[i]->text : "";
		ynode v = root->values[i];

		if (!strcmp(key, "plugins") || (!strcmp(key, "stores") && !plugins)) {
			put_plugins(w);
			plugins = true;
			if (!strcmp(key, "plugins"))
				continue;
		}
		yaml_put_node(&w->out, root->keys[i]);
		if (v->kind == YAML_TEXT)
			yaml_put_node(&w->out, v); /* nothing, most likely */
		else if (!strcmp(key, "samplers") || !strcmp(key, "aggregators"))
			put_users(w, v);
		else if (!strcmp(key, "stores"))
			put_stores(w, v);
		else
			yaml_put_node(&w->out, v);
	}
	if (!plugins)
		put_plugins(w);
	yaml_put_map_end(&w->out);
}

/* -- the whole ----------------------------------------------------------------------------------------------------- */

int convert(const struct yaml_node *root, void (*renamed)(void *arg, const char *from, const char *to), void *arg,
	    struct buf *to, struct err *err)
{
	struct work w = { .renamed = renamed, .arg = arg };
	int rc;

	if (!root || root->kind != YAML_MAP)
		return err_set(err, -EINVAL, "1:1: wants a mapping with the key \"daemons\"");
	yaml_put_init(&w.out, to, err);
	plugins_gather(&w, root);
	used_gather(&w, yaml_get(root, "samplers"), "plugins");
	used_gather(&w, yaml_get(root, "aggregators"), "plugins");
	used_gather(&w, yaml_get(root, "stores"), "plugin");
	put_file(&w, root);
	yaml_put_end(&w.out);
	rc = w.out.rc;
	yaml_put_fini(&w.out);
	for (size_t i = 0; i < w.n; i++)
		free(w.instances[i].name);
	free(w.instances);
	return rc;
}
