/* conf_yaml.c - cluster files (YAML): what they say for one daemon, as commands.  See conf.h and man ldms.conf.
 *
 * The file describes all daemons of a cluster; each takes its part: its environment and options, its ports, its
 * samplers, and what it collects and stores.  Producers are shared out over the aggregators of a group.  Every word of
 * a command keeps the place of the value that it came from, so that complaints point there.
 *
 * Unlike ldmsd's converter: names keep the order of writing (it sorts them as text, and pairs them with hosts that are
 * sorted as text, too: where that makes a difference there is a warning), mode pull does not follow hints, and an
 * updater of one peer entry does not read the producers of others.
 */
#include <errno.h>

#include "core/base/hostlist.h"
#include "core/base/str.h"
#include "core/ctl/conf_yaml_impl.h"

static const char *const top_keys[] = { "daemons", "aggregators", "samplers", "plugins", "stores", NULL };

/* Other keys are for anchors; but one that is nearly one of ours is a typing error. */
static void top_check(struct ygen *g)
{
	for (size_t i = 0; i < g->root->n; i++) {
		ynode k = g->root->keys[i];
		const char *near =
			k->kind == YAML_TEXT && !ygen_is_among(top_keys, k->text) ? nearest(k->text, top_keys) : NULL;

		if (near)
			conf_warn(g->cf, g->file, ynode_pos(k), "'%s' means nothing here; did you mean '%s'?", k->text,
				  near);
	}
}

static void all_lines(struct ygen *g)
{
	if (!ygen_required(g, g->root, "daemons", "the top level"))
		return;
	top_check(g);
	if (!ygen_daemons(g))
		return;
	ygen_samplers(g);
	ygen_aggregators(g);
	ygen_stores(g);
}

void conf_text_yaml(struct conf *cf, const char *origin, const char *text, size_t len, const char *daemon)
{
	struct ygen g = { .cf = cf, .file = conf_origin(cf, origin), .self = daemon };
	struct conf_pos pos = { .line = 1, .col = 1 };
	struct err err = { "" };
	struct yaml *y = NULL;
	int rc = yaml_tree_parse(text, len, &y, &g.root, &pos.line, &pos.col, &err);

	if (!rc && (!g.root || g.root->kind != YAML_MAP))
		rc = err_set(&err, -EINVAL, "wants a mapping with the key \"daemons\"");
	if (rc) {
		conf_error(cf, rc, g.file, pos, "%s", err.msg);
		cf->unsafe = cf->holes = true;
	} else {
		all_lines(&g);
	}
	ygen_fini(&g);
	yaml_tree_free(y);
}

int conf_read_yaml(struct conf *cf, const char *path, const char *daemon, struct err *err)
{
	struct buf b = { 0 };
	int rc = conf_slurp(cf, path, &b, err);

	if (!rc) {
		cf->depth++;
		conf_text_yaml(cf, path, (const char *)b.p, b.len, daemon);
		cf->depth--;
	}
	buf_fini(&b);
	return rc;
}

int conf_yaml_daemons(const char *path, void (*fn)(void *arg, const char *daemon), void *arg, struct err *err)
{
	struct conf *cf = conf_new(NULL, NULL);
	struct buf b = { 0 };
	const struct yaml_node *root = NULL, *list;
	unsigned int line = 0, col = 0;
	struct yaml *y = NULL;
	int rc = conf_slurp(cf, path, &b, err);

	if (!rc)
		rc = yaml_tree_parse((const char *)b.p, b.len, &y, &root, &line, &col, err);
	list = rc ? NULL : yaml_get(root, "daemons");
	for (size_t i = 0; i < ynode_members(list); i++) {
		ynode names = yaml_get(ynode_member(list, i), "names");
		struct hostlist hl;

		for (size_t k = 0; k < ynode_members(names); k++) {
			ynode m = ynode_member(names, k);

			if (m->kind != YAML_TEXT || hostlist_parse(m->text, &hl, NULL))
				continue; /* reading it for a daemon says so */
			for (size_t j = 0; j < hl.n; j++)
				fn(arg, hl.names[j]);
			hostlist_fini(&hl);
		}
	}
	yaml_tree_free(y);
	buf_fini(&b);
	conf_free(cf);
	return rc;
}
