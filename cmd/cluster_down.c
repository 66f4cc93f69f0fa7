/* cluster_down.c - `ldms cluster down` */
#include <stdio.h>
#include <stdlib.h>

#include "cmd/cluster.h"

struct down_opts {
	struct cluster_opts common;
	bool all;
};

#define AT(field) offsetof(struct down_opts, field)
static const struct opt opts[] = {
	{ 0, "all", OPT_FLAG, NULL, AT(all), "all clusters of DIR" },
	CLUSTER_OPTS(AT),
	{ 0 },
};
#undef AT

const struct cmd_usage usage_cluster_down = {
	.synopsis = "ldms cluster down [--dir DIR] [--name NAME | NAME ... | --all]",
	.brief = "end virtual clusters",
	.about = "Ends everything that runs in the cluster and removes its folder, also of a cluster that was only "
		 "half made or is dead. One that is not there is no error.",
	.opts = opts,
	.examples = "ldms cluster down\nldms cluster down big\nldms cluster down --all",
};

static int down(const struct subcmd *v, const char *base, const char *name)
{
	struct err err = { "" };
	bool was;

	return cluster_down(base, name, &was, &err) ? subcmd_complain(v, &err) : 0;
}

int cluster_verb_down(const struct subcmd *v, int argc, char **argv)
{
	struct down_opts o = { 0 };
	int status = 0, worst = 0, n = subcmd_parse(v, argc, argv, &o, &o.common.help, 0, argc, &status);
	char *base, **all;

	if (n < 0)
		return status;
	base = cluster_base(o.common.dir);
	if (o.all) {
		all = cluster_list(base);
		for (char **name = all; *name; name++)
			worst |= down(v, base, *name);
		cluster_list_free(all);
	} else if (n) {
		for (int i = 1; i <= n; i++)
			worst |= down(v, base, argv[i]);
	} else {
		worst = down(v, base, o.common.name ? o.common.name : CLUSTER_DFLT);
	}
	free(base);
	return worst;
}
