/* conf_yaml_samp.c - samplers of a cluster file: the plugins that this daemon runs. */
#include "core/ctl/conf_yaml_impl.h"

void ygen_sampler(struct ygen *g, const struct ysection *s)
{
	ynode plugins = yaml_get(s->map, "plugins");

	ygen_advertise(g, yaml_get(s->map, "advertise"));
	for (size_t i = 0; i < ynode_members(plugins) && ygen_works(g, plugins, 0); i++)
		ygen_plugin(g, ynode_member(plugins, i), true);
}
