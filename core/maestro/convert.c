/* convert.c - see convert.h
 *
 * The tree is walked and written anew by libyaml, aliases and merges written out; four places are written otherwise:
 * what stands in `plugins`, of samplers and aggregators, and in the `plugin` of a store becomes a name, and goes to the
 * section of that name, where configs are lists; stores become a mapping; decomp becomes decomposition.
 */
#include "core/maestro/convert.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <yaml.h>

#include "core/base/xalloc.h"

#define DEPTH_MAX 40
#define NODES_MAX 1000000 /* written; aliases of aliases make more of a small file */
#define WIDTH     120

typedef const struct yaml_node *ynode;

/* A plugin of today's file. */
struct instance {
	char *name;
	ynode spec;
};

struct work {
	yaml_emitter_t out;
	struct buf *to;
	struct instance *instances;
	size_t n;
	void (*renamed)(void *arg, const char *from, const char *to);
	void *arg;
	size_t nodes;
	int rc; /* of the first failure; nothing is written any more */
	struct err *err;
};

static void fail(struct work *w, int rc, ynode at, const char *words)
{
	if (!w->rc)
		w->rc = err_set(w->err, rc, "%u:%u: %s", at->line, at->col, words);
}

/* -- events -------------------------------------------------------------------------------------------------------- */

static int on_bytes(void *arg, unsigned char *p, size_t n)
{
	buf_add(arg, p, n);
	return 1;
}

/* `made`: could libyaml make the event?  It cannot only without memory. */
static void emit(struct work *w, yaml_event_t *ev, int made)
{
	if (!made)
		abort();
	if (w->rc) {
		yaml_event_delete(ev);
		return;
	}
	if (!yaml_emitter_emit(&w->out, ev))
		w->rc = err_set(w->err, -EINVAL, "cannot be written as YAML: %s",
				w->out.problem ? w->out.problem : "no memory");
}

static void put_text(struct work *w, const char *text, bool plain)
{
	yaml_event_t ev;

	emit(w, &ev,
	     yaml_scalar_event_initialize(&ev, NULL, NULL, (const yaml_char_t *)text, (int)strlen(text), plain, 1,
					  plain ? YAML_PLAIN_SCALAR_STYLE : YAML_DOUBLE_QUOTED_SCALAR_STYLE));
}

static void map_begin(struct work *w)
{
	yaml_event_t ev;

	emit(w, &ev, yaml_mapping_start_event_initialize(&ev, NULL, NULL, 1, YAML_BLOCK_MAPPING_STYLE));
}

static void map_end(struct work *w)
{
	yaml_event_t ev;

	emit(w, &ev, yaml_mapping_end_event_initialize(&ev));
}

static void list_begin(struct work *w, bool flow)
{
	yaml_event_t ev;

	emit(w, &ev,
	     yaml_sequence_start_event_initialize(&ev, NULL, NULL, 1,
						  flow ? YAML_FLOW_SEQUENCE_STYLE : YAML_BLOCK_SEQUENCE_STYLE));
}

static void list_end(struct work *w)
{
	yaml_event_t ev;

	emit(w, &ev, yaml_sequence_end_event_initialize(&ev));
}

static bool is_of_texts(ynode list)
{
	for (size_t i = 0; i < list->n; i++)
		if (list->values[i]->kind != YAML_TEXT)
			return false;
	return true;
}

/* As it is. */
static void put(struct work *w, ynode n, unsigned int depth)
{
	if (depth > DEPTH_MAX || ++w->nodes > NODES_MAX)
		fail(w, depth > DEPTH_MAX ? -ELOOP : -E2BIG, n, "aliases without end");
	if (w->rc)
		return;
	if (n->kind == YAML_TEXT) {
		put_text(w, n->text, n->plain);
		return;
	}
	if (n->kind == YAML_LIST)
		list_begin(w, is_of_texts(n));
	else
		map_begin(w);
	for (size_t i = 0; i < n->n && !w->rc; i++) {
		if (n->kind == YAML_MAP)
			put(w, n->keys[i], depth + 1);
		put(w, n->values[i], depth + 1);
	}
	if (n->kind == YAML_LIST)
		list_end(w);
	else
		map_end(w);
}

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
		fail(w, -EINVAL, spec, "a plugin without a name");
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
			fail(w, -EINVAL, spec, name ? "plugins: another one has that name" : "plugins: no name");
	}
}

static void used_gather(struct work *w, ynode list, const char *key)
{
	for (size_t i = 0; list && list->kind != YAML_TEXT && i < list->n; i++) {
		ynode used = yaml_get(list->values[i], key);

		for (size_t k = 0; k < members(used) && !w->rc; k++)
			if (member(used, k)->kind == YAML_MAP)
				instance_of(w, member(used, k));
	}
}

static void put_name(struct work *w, ynode used)
{
	if (used->kind == YAML_MAP)
		put_text(w, instance_of(w, used), true);
	else
		put(w, used, 0);
}

static void put_spec(struct work *w, ynode spec)
{
	if (spec->kind != YAML_MAP) {
		put(w, spec, 0);
		return;
	}
	map_begin(w);
	for (size_t i = 0; i < spec->n && !w->rc; i++) {
		bool single = spec->keys[i]->kind == YAML_TEXT && !strcmp(spec->keys[i]->text, "config") &&
			      spec->values[i]->kind != YAML_LIST && !yaml_is_null(spec->values[i]);

		put(w, spec->keys[i], 0);
		if (single)
			list_begin(w, false);
		put(w, spec->values[i], 0);
		if (single)
			list_end(w);
	}
	map_end(w);
}

static void put_plugins(struct work *w)
{
	if (!w->n)
		return;
	put_text(w, "plugins", true);
	map_begin(w);
	for (size_t i = 0; i < w->n; i++) {
		put_text(w, w->instances[i].name, true);
		put_spec(w, w->instances[i].spec);
	}
	map_end(w);
}

/* -- sections ------------------------------------------------------------------------------------------------------ */

/* An entry of samplers or aggregators. */
static void put_user(struct work *w, ynode map)
{
	if (map->kind != YAML_MAP) {
		put(w, map, 0);
		return;
	}
	map_begin(w);
	for (size_t i = 0; i < map->n && !w->rc; i++) {
		ynode v = map->values[i];

		put(w, map->keys[i], 0);
		if (map->keys[i]->kind != YAML_TEXT || strcmp(map->keys[i]->text, "plugins") || yaml_is_null(v)) {
			put(w, v, 0);
			continue;
		}
		list_begin(w, true);
		for (size_t k = 0; k < members(v); k++)
			put_name(w, member(v, k));
		list_end(w);
	}
	map_end(w);
}

static void put_users(struct work *w, ynode list)
{
	list_begin(w, false);
	for (size_t i = 0; i < members(list) && !w->rc; i++)
		put_user(w, member(list, i));
	list_end(w);
}

static void put_store(struct work *w, ynode map, bool named)
{
	map_begin(w);
	for (size_t i = 0; i < map->n && !w->rc; i++) {
		const char *key = map->keys[i]->kind == YAML_TEXT ? map->keys[i]->text : "";

		if (!strcmp(key, "name") && named)
			continue; /* it is the key of the mapping now */
		if (!strcmp(key, "decomp"))
			put_text(w, "decomposition", true);
		else
			put(w, map->keys[i], 0);
		if (!strcmp(key, "plugin"))
			put_name(w, map->values[i]);
		else
			put(w, map->values[i], 0);
	}
	map_end(w);
}

static void put_stores(struct work *w, ynode stores)
{
	map_begin(w);
	for (size_t i = 0; i < stores->n && !w->rc; i++) {
		bool named = stores->kind == YAML_LIST;
		const char *name = named ? text_of(stores->values[i], "name") : NULL;

		if (stores->values[i]->kind != YAML_MAP)
			fail(w, -EINVAL, stores->values[i], "stores: wants mappings");
		else if (named && !name)
			fail(w, -EINVAL, stores->values[i], "stores: a policy without a name");
		for (size_t k = 0; k < i && name; k++)
			if (!strcmp(text_of(stores->values[k], "name"), name))
				fail(w, -EINVAL, stores->values[i], "stores: another policy has that name");
		if (w->rc)
			break;
		if (named)
			put_text(w, name, true);
		else
			put(w, stores->keys[i], 0);
		put_store(w, stores->values[i], named);
	}
	map_end(w);
}

static void put_file(struct work *w, ynode root)
{
	bool plugins = false;

	map_begin(w);
	for (size_t i = 0; i < root->n && !w->rc; i++) {
		const char *key = root->keys[i]->kind == YAML_TEXT ? root->keys[i]->text : "";
		ynode v = root->values[i];

		if (!strcmp(key, "plugins") || (!strcmp(key, "stores") && !plugins)) {
			put_plugins(w);
			plugins = true;
			if (!strcmp(key, "plugins"))
				continue;
		}
		put(w, root->keys[i], 0);
		if (v->kind == YAML_TEXT)
			put(w, v, 0); /* nothing, most likely */
		else if (!strcmp(key, "samplers") || !strcmp(key, "aggregators"))
			put_users(w, v);
		else if (!strcmp(key, "stores"))
			put_stores(w, v);
		else
			put(w, v, 0);
	}
	if (!plugins)
		put_plugins(w);
	map_end(w);
}

/* -- the whole ----------------------------------------------------------------------------------------------------- */

static void document(struct work *w, ynode root)
{
	yaml_event_t ev;

	emit(w, &ev, yaml_stream_start_event_initialize(&ev, YAML_UTF8_ENCODING));
	emit(w, &ev, yaml_document_start_event_initialize(&ev, NULL, NULL, NULL, 1));
	put_file(w, root);
	emit(w, &ev, yaml_document_end_event_initialize(&ev, 1));
	emit(w, &ev, yaml_stream_end_event_initialize(&ev));
}

int convert(const struct yaml_node *root, void (*renamed)(void *arg, const char *from, const char *to), void *arg,
	    struct buf *to, struct err *err)
{
	struct work w = { .to = to, .renamed = renamed, .arg = arg, .err = err };

	if (!root || root->kind != YAML_MAP)
		return err_set(err, -EINVAL, "1:1: wants a mapping with the key \"daemons\"");
	if (!yaml_emitter_initialize(&w.out))
		abort(); /* no memory */
	yaml_emitter_set_output(&w.out, on_bytes, to);
	yaml_emitter_set_unicode(&w.out, 1);
	yaml_emitter_set_width(&w.out, WIDTH);
	plugins_gather(&w, root);
	used_gather(&w, yaml_get(root, "samplers"), "plugins");
	used_gather(&w, yaml_get(root, "aggregators"), "plugins");
	used_gather(&w, yaml_get(root, "stores"), "plugin");
	if (!w.rc)
		document(&w, root);
	yaml_emitter_delete(&w.out);
	for (size_t i = 0; i < w.n; i++)
		free(w.instances[i].name);
	free(w.instances);
	return w.rc;
}
