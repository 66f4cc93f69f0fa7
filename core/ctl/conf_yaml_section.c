/* conf_yaml_section.c - samplers, aggregators and stores of a cluster file: for which daemons each entry is. */
#include <stdlib.h>
#include <string.h>

#include "core/base/str.h"
#include "core/base/xalloc.h"
#include "core/ctl/conf_yaml_impl.h"

#define UNKNOWN_MAX 3     /* names that do not exist, said one by one */
#define NEAREST_OF  10000 /* ... and compared with all others */

static const char *const sampler_keys[] = { "daemons", "plugins", "advertise", NULL };
static const char *const aggregator_keys[] = { "daemons",   "peers",     "prdcr_listen", "subscribe", "plugins",
					       "advertise", "rebalance", "balance",      NULL };
static const char *const store_keys[] = { "name",      "daemons",       "plugin",    "container", "schema",
					  "regex",     "decomposition", "decomp",    "flush",     "perm",
					  "overflow",  "queue_bytes",   "queue_age", "spool",     "spool_bytes",
					  "spool_age", "shard",         NULL };

/* -- names of daemons ---------------------------------------------------------------------------------------------- */

static const char *daemon_nearest(const struct ygen *g, const char *name)
{
	const char **names, *near;

	if (g->n_daemons > NEAREST_OF)
		return NULL;
	names = xcalloc(g->n_daemons + 1, sizeof(*names));
	for (size_t i = 0; i < g->n_daemons; i++)
		names[i] = g->daemons[i]->name;
	near = nearest(name, names);
	free(names);
	return near;
}

bool ygen_daemons_of(struct ygen *g, ynode n, const char *section, size_t **ret, size_t *ret_n)
{
	size_t unknown = 0, k = 0, *of;
	struct hostlist hl;

	*ret = NULL;
	*ret_n = 0;
	if (!ygen_names(g, n, &hl))
		return false;
	of = xcalloc(hl.n + 1, sizeof(*of));
	for (size_t i = 0; i < hl.n; i++) {
		size_t d = ygen_find(g, hl.names[i]);
		const char *near;

		if (d != YNONE) {
			of[k++] = d;
			continue;
		}
		if (unknown++ >= UNKNOWN_MAX || g->mute)
			continue;
		near = daemon_nearest(g, hl.names[i]);
		ygen_bad(g, n, "%s: there is no daemon '%s'%s%s%s", section, hl.names[i],
			 near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
	}
	if (unknown > UNKNOWN_MAX)
		ygen_bad(g, n, "%s: there are no daemons of %zu more of these names", section, unknown - UNKNOWN_MAX);
	if (!hl.n)
		ygen_bad(g, n, "%s: names no daemon", section);
	hostlist_fini(&hl);
	*ret = of;
	*ret_n = k;
	return k != 0;
}

static bool is_for_only(const struct ygen *g, const size_t *daemons, size_t n)
{
	for (size_t i = 0; g->only && i < n; i++)
		if (!strcmp(g->daemons[daemons[i]]->name, g->only))
			return true;
	return !g->only;
}

/* -- entries ------------------------------------------------------------------------------------------------------- */

static struct ysection *section_add(struct ygen *g, enum ykind kind, ynode map, const char *what)
{
	size_t *daemons = NULL, n = 0;
	ynode names;
	bool any;

	/* whether it concerns the one daemon is known when its names are */
	g->mute = g->only != NULL;
	names = ygen_required(g, map, "daemons", what);
	any = names && ygen_daemons_of(g, names, what, &daemons, &n);
	g->mute = !is_for_only(g, daemons, n);
	if (!any) {
		free(daemons);
		return NULL;
	}
	g->sections = xrealloc(g->sections, (g->n_sections + 1) * sizeof(*g->sections));
	g->sections[g->n_sections] = (struct ysection){ .kind = kind, .map = map, .daemons = daemons, .n = n };
	return &g->sections[g->n_sections++];
}

static void sampler_read(struct ygen *g, ynode map, void *arg)
{
	struct ysection *s = section_add(g, Y_SAMPLERS, map, "samplers");

	(void)arg;
	ygen_keys_check(g, map, "samplers", sampler_keys);
	if (s) {
		ygen_required(g, map, "plugins", "samplers");
		ygen_advertise_check(g, yaml_get(map, "advertise"), s->n);
	}
	g->mute = false;
}

static void aggregator_read(struct ygen *g, ynode map, void *arg)
{
	struct ysection *s = section_add(g, Y_AGGREGATORS, map, "aggregators");

	ygen_keys_check(g, map, "aggregators", aggregator_keys);
	if (s)
		s->group = g->n_groups;
	ygen_read_group(g, map, s ? s->daemons : NULL, s ? s->n : 0, arg);
	if (s)
		ygen_advertise_check(g, yaml_get(map, "advertise"), s->n);
	g->mute = false;
}

static void store_read(struct ygen *g, ynode map, const char *name)
{
	struct ysection *s = section_add(g, Y_STORES, map, "stores");

	ygen_keys_check(g, map, "stores", store_keys);
	if (s)
		s->name = name;
	g->mute = false;
}

static void stores_read(struct ygen *g)
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
			store_read(g, map, name);
	}
	if (stores && stores->kind == YAML_TEXT)
		ygen_bad(g, stores, "stores: must be a dictionary of policies");
}

/* -- which of them are a daemon's ---------------------------------------------------------------------------------- */

static void refs_make(struct ygen *g)
{
	size_t *fill;

	g->refs_of = xcalloc(g->n_daemons + 2, sizeof(*g->refs_of));
	for (size_t s = 0; s < g->n_sections; s++)
		for (size_t i = 0; i < g->sections[s].n; i++)
			g->refs_of[g->sections[s].daemons[i] + 1]++;
	for (size_t i = 0; i < g->n_daemons; i++)
		g->refs_of[i + 1] += g->refs_of[i];
	g->refs = xcalloc(g->refs_of[g->n_daemons] + 1, sizeof(*g->refs));
	fill = xcalloc(g->n_daemons + 1, sizeof(*fill));
	for (size_t s = 0; s < g->n_sections; s++)
		for (size_t i = 0; i < g->sections[s].n; i++) {
			size_t d = g->sections[s].daemons[i];

			g->refs[g->refs_of[d] + fill[d]++] = (struct yref){ (uint32_t)s, (uint32_t)i };
		}
	free(fill);
}

static bool has_kind(const struct ygen *g, size_t daemon, enum ykind kind)
{
	for (size_t i = g->refs_of[daemon]; i < g->refs_of[daemon + 1]; i++)
		if (g->sections[g->refs[i].section].kind == kind)
			return true;
	return false;
}

/* A policy stores what its daemon samples or collects. */
static void stores_check(struct ygen *g)
{
	for (size_t k = 0; k < g->n_sections; k++) {
		const struct ysection *s = &g->sections[k];

		g->mute = !is_for_only(g, s->daemons, s->n);
		for (size_t i = 0; s->kind == Y_STORES && i < s->n; i++) {
			size_t d = s->daemons[i];

			if (has_kind(g, d, Y_AGGREGATORS) || has_kind(g, d, Y_SAMPLERS))
				continue;
			ygen_bad(g, yaml_get(s->map, "daemons"),
				 "stores: %s: %s is no aggregator and no sampler: it has nothing to store", s->name,
				 g->daemons[d]->name);
			break;
		}
	}
	g->mute = false;
}

void ygen_read_sections(struct ygen *g)
{
	unsigned int updtr = 0;

	ygen_each_map(g, yaml_get(g->root, "samplers"), "samplers", NULL, sampler_read, NULL);
	ygen_each_map(g, yaml_get(g->root, "aggregators"), "aggregators", NULL, aggregator_read, &updtr);
	stores_read(g);
	refs_make(g);
	stores_check(g);
}

void ygen_sections_free(struct ygen *g)
{
	for (size_t i = 0; i < g->n_sections; i++)
		free(g->sections[i].daemons);
	free(g->sections);
	for (size_t i = 0; i < g->n_groups; i++)
		ygen_group_free(g->groups[i]);
	free(g->groups);
	free(g->refs);
	free(g->refs_of);
}
