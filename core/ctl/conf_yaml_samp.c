/* conf_yaml_samp.c - samplers of a cluster file: the plugins that this daemon runs. */
#include "core/ctl/conf_yaml_impl.h"

static const char *const sampler_keys[] = { "daemons", "plugins", "advertise", NULL };

static void sampler_lines(struct ygen *g, ynode map, void *arg)
{
	ynode plugins;
	size_t i;

	(void)arg;
	if (!ygen_is_for(g, map, "daemons", "samplers", &i, NULL))
		return;
	ygen_advertise(g, yaml_get(map, "advertise"));
	plugins = ygen_required(g, map, "plugins", "samplers");
	for (i = 0; i < ynode_members(plugins) && ygen_works(g, plugins, 0); i++)
		ygen_plugin(g, ynode_member(plugins, i), true);
}

void ygen_samplers(struct ygen *g)
{
	ygen_each_map(g, yaml_get(g->root, "samplers"), "samplers", sampler_keys, sampler_lines, NULL);
}
