/* conf_yaml_agg.c - an aggregator of a cluster file: its producers, who may advertise, and the rest of its entry. */
#include <stdlib.h>

#include "core/ctl/conf_yaml_impl.h"

/* -- producers ----------------------------------------------------------------------------------------------------- */

void yshare_block(size_t n, size_t aggs, size_t agg, size_t *from, size_t *to)
{
	size_t q = n / aggs, r = n % aggs;

	*from = agg * q + (agg < r ? agg : r);
	*to = *from + q + (agg < r);
}

static enum yhas has(const struct ygen *g, const struct ysection *s, size_t prdcr, size_t agg)
{
	const struct ygroup *gr = g->groups[s->group];
	size_t from, to;

	if (g->share)
		return g->share->has(g->share->arg, s->group, prdcr, agg);
	yshare_block(gr->n_prdcrs, gr->n_aggs, agg, &from, &to);
	return prdcr >= from && prdcr < to ? YHAS_RUNS : YHAS_NOT;
}

static void prdcr_lines(struct ygen *g, ynode map, const struct yendpoint *e, bool start)
{
	ynode at = yaml_get(map, "endpoints"), n = at;
	const char *auth = ygen_auth(g, e->spec), *xprt, *type;

	ygen_verb(g, map, "prdcr_add");
	ygen_attr(g, at, "name", e->name);
	type = ygen_text(g, map, "type", &n);
	if (type)
		ygen_attr(g, n, "type", type);
	ygen_attr(g, at, "host", e->host);
	ygen_attr(g, at, "port", e->port);
	n = at;
	xprt = ygen_text(g, e->spec, "xprt", &n);
	ygen_attr(g, n, "xprt", xprt ? xprt : "sock");
	ygen_attr_time(g, map, "reconnect");
	ygen_attr_auth(g, e->spec, "auth", auth);
	ygen_attr_perm(g, map);
	ygen_attr_if(g, map, "rail", "rail");
	ygen_attr_if(g, map, "quota", "quota");
	ygen_attr_if(g, map, "rx_rate", "rx_rate");
	ygen_attr_if(g, map, "cache_ip", "cache_ip");
	ygen_end(g);
	if (!start)
		return;
	ygen_verb(g, map, "prdcr_start");
	ygen_attr(g, at, "name", e->name);
	ygen_end(g);
}

static void producers(struct ygen *g, const struct ysection *s, size_t agg)
{
	const struct ygroup *gr = g->groups[s->group];

	for (size_t i = 0; i < gr->n_prdcrs; i++) {
		enum yhas what = has(g, s, i, agg);

		if (what == YHAS_NOT)
			continue;
		if (!g->lines && !ygen_works(g, gr->map, 0))
			return;
		prdcr_lines(g, gr->peers[gr->prdcrs[i].peer].map, gr->prdcrs[i].ep, what == YHAS_RUNS);
	}
}

/* -- who may advertise --------------------------------------------------------------------------------------------- */

static void prdcr_listen_lines(struct ygen *g, ynode map)
{
	static const char *const texts[] = { "regex",           "ip",   "quota", "rx_rate", "type", "advertiser_xprt",
					     "advertiser_port", "rail", NULL };
	ynode n = NULL;
	const char *name = ygen_text(g, map, "name", &n), *auth;

	if (!name)
		return;
	auth = ygen_auth(g, map);
	ygen_verb(g, map, "prdcr_listen_add");
	ygen_attr(g, n, "name", name);
	if (yaml_get(map, "disable_start"))
		ygen_attr(g, yaml_get(map, "disable_start"), "disable_start",
			  ynode_is_true(map, "disable_start") ? "true" : "false");
	for (size_t i = 0; texts[i]; i++)
		ygen_attr_if(g, map, texts[i], texts[i]);
	ygen_attr_auth(g, map, "advertiser_auth", auth);
	ygen_attr_if(g, map, "advertiser_auth", "advertiser_auth");
	ygen_attr_time(g, map, "reconnect");
	ygen_attr_perm(g, map);
	ygen_end(g);
	ygen_verb(g, map, "prdcr_listen_start");
	ygen_attr(g, n, "name", name);
	ygen_end(g);
}

/* -- the whole entry ----------------------------------------------------------------------------------------------- */

static void subscribe_line(struct ygen *g, ynode map, void *arg)
{
	(void)arg;
	if (!ygen_required(g, map, "regex", "subscribe"))
		return;
	ygen_verb(g, map, "prdcr_subscribe");
	ygen_attr_if(g, map, "stream", "stream");
	ygen_attr_if(g, map, yaml_get(map, "message_tag") ? "message_tag" : "message_channel", "message_tag");
	ygen_attr_if(g, map, "rx_rate", "rx_rate");
	ygen_attr_if(g, map, "regex", "regex");
	ygen_end(g);
}

/* Does the daemon collect by this entry alone? */
static bool is_alone(const struct ygen *g, const struct ygroup *gr)
{
	size_t n = 0;

	for (size_t i = g->refs_of[g->self_i]; i < g->refs_of[g->self_i + 1]; i++)
		n += g->sections[g->refs[i].section].kind == Y_AGGREGATORS;
	return n < 2 && gr->n_peers + gr->n_listens < 2;
}

void ygen_aggregator(struct ygen *g, const struct ysection *s, size_t agg)
{
	struct ygroup *gr = g->groups[s->group];
	ynode plugins = yaml_get(s->map, "plugins");
	bool alone = is_alone(g, gr);

	g->cf->elsewhere |= gr->n_aggs > 1;
	producers(g, s, agg);
	for (size_t i = 0; i < gr->n_listens; i++)
		prdcr_listen_lines(g, gr->listens[i].map);
	ygen_advertise(g, yaml_get(s->map, "advertise"));
	ygen_each_map(g, yaml_get(s->map, "subscribe"), "subscribe", NULL, subscribe_line, NULL);
	for (size_t i = 0; i < ynode_members(plugins) && ygen_works(g, plugins, 0); i++)
		ygen_plugin(g, ynode_member(plugins, i), false);
	for (size_t i = 0; i < gr->n_peers; i++)
		ygen_updaters(g, gr, false, i, alone);
	for (size_t i = 0; i < gr->n_listens; i++)
		ygen_updaters(g, gr, true, i, alone);
}
