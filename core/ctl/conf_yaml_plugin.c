/* conf_yaml_plugin.c - plugins of a cluster file: load, config and, of samplers, start. */
#include <stdlib.h>
#include <string.h>

#include "core/base/xalloc.h"
#include "core/ctl/conf_yaml_impl.h"

static const char *const plugin_keys[] = { "name",   "path", "config",           "interval",
					   "offset", "perm", "exclusive_thread", NULL };

/* One member of a plugin's config: key=value, a keyword, or a key several times. */
static void config_pair(struct ygen *g, ynode k, ynode v)
{
	if (k->kind != YAML_TEXT || v->kind == YAML_MAP) {
		ygen_bad(g, v, "config: wants KEY: VALUE");
		return;
	}
	if (yaml_is_null(v)) {
		ygen_word(g, k, k->text);
		return;
	}
	for (size_t i = 0; i < ynode_members(v) && ygen_works(g, v, 0); i++) {
		ynode m = ynode_member(v, i);

		if (m->kind == YAML_TEXT)
			ygen_attr(g, m, k->text, m->text);
		else
			ygen_bad(g, m, "config: wants KEY: VALUE");
	}
}

static void config_text(struct ygen *g, ynode n)
{
	char *copy = xstrdup(n->text), *at = copy;

	for (char *w; (w = strtok_r(at, LINE_BLANKS, &at));)
		ygen_word(g, n, w);
	free(copy);
}

/* The first mapping of a sampler gets a producer and an instance. */
static void config_line(struct ygen *g, ynode n, const char *instance, bool fill)
{
	char *own = xasprintf("%s/%s", g->self, instance);

	ygen_verb(g, n, "config");
	ygen_attr(g, n, "name", instance);
	if (n->kind == YAML_TEXT)
		config_text(g, n);
	for (size_t i = 0; n->kind == YAML_MAP && i < n->n && ygen_works(g, n, 0); i++)
		config_pair(g, n->keys[i], n->values[i]);
	if (n->kind == YAML_LIST)
		ygen_bad(g, n, "config: wants mappings or texts");
	if (fill && !yaml_get(n, "producer"))
		ygen_attr(g, n, "producer", g->self);
	if (fill && !yaml_get(n, "instance"))
		ygen_attr(g, n, "instance", own);
	ygen_end(g);
	free(own);
}

/* A sampler wants to be configured, be it with its defaults. */
static void config_none(struct ygen *g, ynode n, const char *instance)
{
	ygen_verb(g, n, "config");
	ygen_attr(g, n, "name", instance);
	ygen_end(g);
}

/* A mapping by name, or a list of mappings with name= (the older form). */
static ynode by_name(struct ygen *g, ynode n, const char *name)
{
	if (!n || n->kind == YAML_MAP)
		return yaml_get(n, name);
	for (size_t i = 0; n->kind == YAML_LIST && i < n->n && ygen_works(g, n, 0); i++) {
		ynode own = yaml_get(n->values[i], "name");

		if (own && own->kind == YAML_TEXT && !strcmp(own->text, name))
			return n->values[i];
	}
	return NULL;
}

/* `ref` names an entry of plugins, or is the plugin itself (the older form); *ret_name is its instance. */
static ynode plugin_spec(struct ygen *g, ynode ref, const char **ret_name)
{
	ynode spec = ref, name = NULL;

	if (ref->kind == YAML_TEXT) {
		*ret_name = ref->text;
		spec = by_name(g, yaml_get(g->root, "plugins"), ref->text);
		if (!spec)
			ygen_bad(g, ref,
				 "Configuration for plugin instance \"%s\" is not defined in the top level "
				 "\"plugins\" dictionary",
				 ref->text);
		return spec;
	}
	if (ref->kind != YAML_MAP) {
		ygen_bad(g, ref, "plugins: wants names of entries of \"plugins\"");
		return NULL;
	}
	*ret_name = ygen_required(g, ref, "name", "plugins") ? ygen_text(g, ref, "name", &name) : NULL;
	return *ret_name ? spec : NULL;
}

const char *ygen_plugin(struct ygen *g, ynode ref, bool sampler)
{
	const char *instance = NULL, *plugin, *from = "path"; /* another maker's, or one by name */
	ynode spec = plugin_spec(g, ref, &instance), n = ref, config;
	bool fill = sampler;

	if (!spec || mark_add(&g->plugins, instance, NULL))
		return instance;
	if (spec->kind != YAML_MAP) {
		ygen_bad(g, spec, "plugins: %s: must be a dictionary, with keys referencing a plugin instance name",
			 instance);
		return instance;
	}
	ygen_keys_check(g, spec, "plugins", plugin_keys);
	plugin = ygen_text(g, spec, "path", &n);
	if (!plugin) {
		from = "plugin";
		plugin = ygen_required(g, spec, "name", "plugins") ? ygen_text(g, spec, "name", &n) : NULL;
	}
	if (!plugin)
		return instance;
	ygen_verb(g, ref, "load");
	ygen_attr(g, ref, "name", instance);
	ygen_attr(g, n, from, plugin);
	ygen_end(g);
	config = yaml_get(spec, "config");
	if (!config && sampler)
		config_none(g, n, instance);
	for (size_t i = 0; i < ynode_members(config) && ygen_works(g, config, 0); i++) {
		ynode m = ynode_member(config, i);

		config_line(g, m, instance, fill && m->kind == YAML_MAP);
		fill &= m->kind != YAML_MAP;
	}
	if (!sampler)
		return instance;
	ygen_verb(g, ref, "start");
	ygen_attr(g, ref, "name", instance);
	if (yaml_get(spec, "interval"))
		ygen_attr_time(g, spec, "interval");
	else
		ygen_attr(g, ref, "interval", "1s");
	ygen_attr_time(g, spec, "offset");
	ygen_attr_if(g, spec, "exclusive_thread", "exclusive_thread");
	ygen_end(g);
	return instance;
}
