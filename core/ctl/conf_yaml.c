/* conf_yaml.c - cluster files (YAML): what they say of a cluster, and for one daemon as commands.  See conf_yaml.h,
 * conf.h and man ldms.conf.
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
#include <stdlib.h>
#include <string.h>

#include "core/base/str.h"
#include "core/base/xalloc.h"
#include "core/ctl/conf_yaml_impl.h"

static const char *const top_keys[] = { "daemons", "aggregators", "samplers", "plugins", "stores", "maestro", NULL };

/* Other keys are for anchors; but one that is nearly one of ours is a typing error. */
static void top_check(struct ygen *g)
{
	for (size_t i = 0; i < g->root->n; i++) {
		ynode k = g->root->keys[i];
		const char *near =
			k->kind == YAML_TEXT && !ygen_is_among(top_keys, k->text) ? nearest(k->text, top_keys) : NULL;

		if (near)
			ygen_doubt(g, k, "'%s' means nothing here; did you mean '%s'?", k->text, near);
	}
}

static const char *const maestro_keys[] = { "balance", "rebalance", NULL };

/* What holds for all groups that say nothing else. */
static void maestro_check(struct ygen *g)
{
	ynode map = yaml_get(g->root, "maestro");

	if (!map)
		return;
	if (map->kind != YAML_MAP) {
		ygen_bad(g, map, "maestro: wants a mapping");
		return;
	}
	ygen_keys_check(g, map, "maestro", maestro_keys);
	ygen_balance_check(g, map);
}

static void read_all(struct ygen *g)
{
	if (!ygen_required(g, g->root, "daemons", "the top level"))
		return;
	top_check(g);
	maestro_check(g);
	ygen_read_daemons(g);
	ygen_read_sections(g);
	ygen_read_tree(g);
}

struct ygen *ygen_new(struct conf *cf, const char *origin, const char *text, size_t len, const char *self)
{
	struct ygen *g = xcalloc(1, sizeof(*g));
	struct conf_pos pos = { .line = 1, .col = 1 };
	struct err err = { "" };
	int rc;

	g->cf = cf;
	g->origin = xstrdup(origin);
	g->file = conf_origin(cf, origin);
	g->only = self;
	rc = yaml_tree_parse(text, len, &g->y, &g->root, &pos.line, &pos.col, &err);
	if (!rc && (!g->root || g->root->kind != YAML_MAP))
		rc = err_set(&err, -EINVAL, "wants a mapping with the key \"daemons\"");
	if (rc) {
		conf_error(cf, rc, g->file, pos, "%s", err.msg);
		cf->unsafe = cf->holes = true;
		g->root = NULL;
		return g;
	}
	read_all(g);
	return g;
}

void ygen_free(struct ygen *g)
{
	if (!g)
		return;
	ygen_sections_free(g);
	ygen_daemons_free(g);
	yaml_tree_free(g->y);
	free((char *)g->origin);
	free(g);
}

size_t ygen_daemons_n(const struct ygen *g)
{
	return g->n_daemons;
}

const struct ydaemon *ygen_daemon(const struct ygen *g, size_t i)
{
	return g->daemons[i];
}

size_t ygen_groups_n(const struct ygen *g)
{
	return g->n_groups;
}

const struct ygroup *ygen_group(const struct ygen *g, size_t i)
{
	return g->groups[i];
}

const struct yaml_node *ygen_root(const struct ygen *g)
{
	return g->root;
}

bool ygen_alike(const struct ygen *g, size_t a, size_t b)
{
	size_t n = g->refs_of[a + 1] - g->refs_of[a];

	if (g->daemons[a]->entry != g->daemons[b]->entry || n != g->refs_of[b + 1] - g->refs_of[b])
		return false;
	for (size_t i = 0; i < n; i++)
		if (g->refs[g->refs_of[a] + i].section != g->refs[g->refs_of[b] + i].section)
			return false;
	return true;
}

/* -- the commands of one daemon ------------------------------------------------------------------------------------ */

static void commands(struct ygen *g, size_t daemon, const struct yshare *share)
{
	unsigned int work = g->work;

	g->self = g->daemons[daemon]->name;
	g->self_i = daemon;
	g->share = share;
	ygen_self(g);
	for (size_t i = g->refs_of[daemon]; i < g->refs_of[daemon + 1]; i++) {
		const struct ysection *s = &g->sections[g->refs[i].section];

		if (s->kind == Y_SAMPLERS)
			ygen_sampler(g, s);
		else if (s->kind == Y_AGGREGATORS)
			ygen_aggregator(g, s, g->refs[i].pos);
		else
			ygen_store(g, s, g->refs[i].pos);
	}
	marks_free(&g->auths);
	marks_free(&g->plugins);
	g->cf->words_n = 0;
	g->work = work; /* each daemon may be as much work */
}

void ygen_commands(struct ygen *g, size_t daemon, const struct yshare *share, struct conf *cf, bool now)
{
	struct conf *own = g->cf;
	const char *file = g->file;

	if (cf != own)
		g->file = conf_origin(cf, g->origin);
	g->cf = cf;
	g->skip_now = !now;
	commands(g, daemon, share);
	g->cf = own;
	g->file = file;
}

void ygen_lines(struct ygen *g, size_t daemon, const struct yshare *share, struct buf *to)
{
	g->lines = to;
	g->mute = true; /* what is wrong with them was said before */
	commands(g, daemon, share);
	g->mute = false;
	g->stop = false;
	g->lines = NULL;
}

int ygen_read(struct conf *cf, const char *path, const char *self, struct ygen **ret, struct err *err)
{
	struct buf b = { 0 };
	int rc = conf_slurp(cf, path, &b, err);

	if (!rc)
		*ret = ygen_new(cf, path, (const char *)b.p, b.len, self);
	buf_fini(&b);
	return rc;
}

/* One daemon takes its part. */
static void part_take(struct conf *cf, struct ygen *g, const char *daemon)
{
	size_t i = ygen_find(g, daemon);

	cf->depth++;
	if (i != YNONE)
		ygen_commands(g, i, NULL, cf, true);
	else if (g->root && yaml_get(g->root, "daemons"))
		ygen_bad(g, yaml_get(g->root, "daemons"), "daemons: there is no daemon '%s'; its name is given with -n",
			 daemon);
	cf->depth--;
	ygen_free(g);
}

void conf_text_yaml(struct conf *cf, const char *origin, const char *text, size_t len, const char *daemon)
{
	part_take(cf, ygen_new(cf, origin, text, len, daemon), daemon);
}

int conf_read_yaml(struct conf *cf, const char *path, const char *daemon, struct err *err)
{
	struct ygen *g;
	int rc = ygen_read(cf, path, daemon, &g, err);

	if (!rc)
		part_take(cf, g, daemon);
	return rc;
}
