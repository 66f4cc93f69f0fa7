/* conf_yaml_store.c - stores of a cluster file: storage policies. */
#include "core/ctl/conf_yaml_impl.h"

/* The last ones are this program's own: what becomes of samples that the store does not take. */
static const char *const store_keys[] = { "name",      "daemons",       "plugin",    "container", "schema",
					  "regex",     "decomposition", "decomp",    "flush",     "perm",
					  "overflow",  "queue_bytes",   "queue_age", "spool",     "spool_bytes",
					  "spool_age", "shard",         NULL };
static const char *const own_texts[] = { "overflow", "queue_bytes", "spool", "spool_bytes", "shard", NULL };
static const char *const own_times[] = { "queue_age", "spool_age", NULL };

static void store_lines(struct ygen *g, ynode map, const char *name)
{
	ynode plugin;
	const char *instance;
	size_t i;

	ygen_keys_check(g, map, "stores", store_keys);
	if (!ygen_is_for(g, map, "daemons", "stores", &i, NULL))
		return;
	plugin = ygen_required(g, map, "plugin", "stores");
	instance = plugin ? ygen_plugin(g, plugin, false) : NULL;
	if (!instance)
		return;
	ygen_verb(g, map, "strgp_add");
	ygen_attr(g, map, "name", name);
	ygen_attr(g, plugin, "plugin", instance);
	ygen_attr_if(g, map, "container", "container");
	ygen_attr_if(g, map, yaml_get(map, "decomposition") ? "decomposition" : "decomp", "decomposition");
	ygen_attr_if(g, map, "schema", "schema");
	ygen_attr_if(g, map, "regex", "regex");
	ygen_attr_perm(g, map);
	ygen_attr_time(g, map, "flush");
	for (size_t k = 0; own_texts[k]; k++)
		ygen_attr_if(g, map, own_texts[k], own_texts[k]);
	for (size_t k = 0; own_times[k]; k++)
		ygen_attr_time(g, map, own_times[k]);
	ygen_end(g);
	ygen_verb(g, map, "strgp_start");
	ygen_attr(g, map, "name", name);
	ygen_end(g);
}

void ygen_stores(struct ygen *g)
{
	ynode stores = yaml_get(g->root, "stores");

	for (size_t i = 0; stores && i < stores->n && ygen_works(g, stores, 0); i++) {
		ynode map = stores->values[i], n = NULL;
		const char *name;

		if (map->kind != YAML_MAP) {
			ygen_bad(g, map, "stores: must be a dictionary of policies");
			continue;
		}
		if (stores->kind == YAML_MAP)
			name = stores->keys[i]->kind == YAML_TEXT ? stores->keys[i]->text : NULL;
		else
			name = ygen_required(g, map, "name", "stores") ? ygen_text(g, map, "name", &n) : NULL;
		if (name)
			store_lines(g, map, name);
	}
}
