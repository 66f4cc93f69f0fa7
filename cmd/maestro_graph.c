/* maestro_graph.c - `ldms maestro graph`: who collects from whom */
#include <errno.h>
#include <stdio.h>

#include "cmd/maestro.h"
#include "core/maestro/graph.h"

struct graph_opts {
	bool dot, help;
};

#define AT(field) offsetof(struct graph_opts, field)
static const struct opt opts[] = {
	{ 0, "dot", OPT_FLAG, NULL, AT(dot), "in the language of graphviz" },
	{ 0, "help", OPT_FLAG, NULL, AT(help), "print this help and exit" },
	{ 0 },
};
#undef AT

const struct cmd_usage usage_maestro_graph = {
	.synopsis = "ldms maestro graph FILE [--dot]",
	.brief = "draw who collects from whom",
	.about = "As a tree of text, from those nobody collects from downwards, while everybody is alive.",
	.opts = opts,
	.examples =
		"ldms maestro graph ldms_cfg.yaml\nldms maestro graph --dot ldms_cfg.yaml | dot -Tsvg > cluster.svg",
};

int maestro_verb_graph(const struct subcmd *v, int argc, char **argv)
{
	struct graph_opts o = { 0 };
	struct err err = { "" };
	struct plan *p = NULL;
	struct share *s;
	struct buf b = { 0 };
	int status = 0, rc;

	if (subcmd_parse(v, argc, argv, &o, &o.help, 1, 1, &status) < 0)
		return status;
	rc = maestro_plan(argv[1], &p, &err);
	if (rc)
		return subcmd_complain(v, &err);
	s = share_new(p, NULL);
	o.dot ? graph_dot(p, s, &b) : graph_text(p, s, &b);
	fwrite(b.p, 1, b.len, stdout);
	if (fflush(stdout))
		status = subcmd_complain(v, (err_set(&err, -errno, "standard output: %s", err_name(errno)), &err));
	buf_fini(&b);
	share_free(s);
	plan_free(p);
	return status;
}
