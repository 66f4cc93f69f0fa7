/* conf_yaml_store.c - stores of a cluster file: storage policies. */
#include <stdio.h>
#include <string.h>

#include "core/base/unit.h"
#include "core/ctl/conf_yaml_impl.h"

/* This program's own: what becomes of samples that the store does not take. */
static const char *const own_texts[] = { "overflow", "queue_bytes", "spool", "spool_bytes", NULL };
static const char *const own_times[] = { "queue_age", "spool_age", NULL };

/* "K/N" as it is; N alone: the daemons of the entry are taken in turn, the first of N, the second, ... */
static void shard_attr(struct ygen *g, ynode map, size_t pos)
{
	ynode n = NULL;
	const char *text = ygen_text(g, map, "shard", &n);
	uint64_t of;
	char turn[48];

	if (!text)
		return;
	if (strchr(text, '/')) {
		ygen_attr(g, n, "shard", text);
		return;
	}
	if (unit_u64(text, &of, NULL) || !of) {
		ygen_bad(g, n, "shard: '%s' is neither K/N nor a number of daemons that share the rows", text);
		return;
	}
	snprintf(turn, sizeof(turn), "%zu/%llu", pos % (size_t)of + 1, (unsigned long long)of);
	ygen_attr(g, n, "shard", turn);
}

void ygen_store(struct ygen *g, const struct ysection *s, size_t pos)
{
	ynode plugin = ygen_required(g, s->map, "plugin", "stores");
	const char *instance = plugin ? ygen_plugin(g, plugin, false) : NULL;

	if (!instance)
		return;
	ygen_verb(g, s->map, "strgp_add");
	ygen_attr(g, s->map, "name", s->name);
	ygen_attr(g, plugin, "plugin", instance);
	ygen_attr_if(g, s->map, "container", "container");
	ygen_attr_if(g, s->map, yaml_get(s->map, "decomposition") ? "decomposition" : "decomp", "decomposition");
	ygen_attr_if(g, s->map, "schema", "schema");
	ygen_attr_if(g, s->map, "regex", "regex");
	ygen_attr_perm(g, s->map);
	ygen_attr_time(g, s->map, "flush");
	for (size_t k = 0; own_texts[k]; k++)
		ygen_attr_if(g, s->map, own_texts[k], own_texts[k]);
	for (size_t k = 0; own_times[k]; k++)
		ygen_attr_time(g, s->map, own_times[k]);
	shard_attr(g, s->map, pos);
	ygen_end(g);
	ygen_verb(g, s->map, "strgp_start");
	ygen_attr(g, s->map, "name", s->name);
	ygen_end(g);
}
