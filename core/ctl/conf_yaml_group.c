/* conf_yaml_group.c - an entry of aggregators of a cluster file: which producers its daemons share. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/regex_names.h"
#include "core/base/str.h"
#include "core/base/xalloc.h"
#include "core/ctl/conf_yaml_impl.h"

#define UNKNOWN_MAX 3 /* endpoints that do not exist, said one by one */

static const char *const peer_keys[] = { "daemons", "endpoints", "reconnect", "type",     "updaters", "perm",
					 "rail",    "quota",     "rx_rate",   "cache_ip", "regex",    NULL };
static const char *const listen_keys[] = { "name",
					   "regex",
					   "ip",
					   "disable_start",
					   "rail",
					   "quota",
					   "rx_rate",
					   "reconnect",
					   "type",
					   "advertiser_xprt",
					   "advertiser_port",
					   "advertiser_auth",
					   "auth",
					   "perm",
					   "updaters",
					   NULL };
static const char *const updater_keys[] = { "interval", "offset", "mode", "perm", "producers", "sets", NULL };
static const char *const set_keys[] = { "regex", "field", NULL };
static const char *const subscribe_keys[] = { "regex", "stream", "message_tag", "message_channel", "rx_rate", NULL };

/* Runs of digits by their number, then as text. */
static int natural_cmp(const char *a, const char *b)
{
	const char *ta = a, *tb = b;

	while (*a && *b) {
		if (isdigit((unsigned char)*a) && isdigit((unsigned char)*b)) {
			size_t na, nb;
			int order;

			a += strspn(a, "0");
			b += strspn(b, "0");
			na = strspn(a, "0123456789");
			nb = strspn(b, "0123456789");
			order = na == nb ? strncmp(a, b, na) : na < nb ? -1 : 1;
			if (order)
				return order;
			a += na;
			b += nb;
			continue;
		}
		if (*a != *b)
			return (unsigned char)*a - (unsigned char)*b;
		a++;
		b++;
	}
	if (*a || *b)
		return (unsigned char)*a - (unsigned char)*b;
	return strcmp(ta, tb);
}

static int prdcr_cmp(const void *a, const void *b)
{
	return natural_cmp(((const struct yprdcr *)a)->ep->name, ((const struct yprdcr *)b)->ep->name);
}

/* -- updaters: looked at, counted ---------------------------------------------------------------------------------- */

static void nothing(struct ygen *g, ynode map, void *arg)
{
	(void)g;
	(void)map;
	(void)arg;
}

static void updater_read(struct ygen *g, ynode map, void *arg)
{
	++*(unsigned int *)arg;
	ygen_required(g, map, "interval", "updaters");
	ygen_each_map(g, yaml_get(map, "sets"), "sets", set_keys, nothing, NULL);
}

/* -- peers --------------------------------------------------------------------------------------------------------- */

struct reading {
	struct ygroup *gr;
	unsigned int *updtr;
};

/* The nearest of them only where looking for it costs little. */
static const char *endpoint_nearest(const struct ygen *g, const char *name)
{
	const char **names, *near;
	size_t n = HASH_COUNT(g->endpoints), k = 0;

	if (n > 10000)
		return NULL;
	names = xcalloc(n + 1, sizeof(*names));
	for (const struct yendpoint *e = g->endpoints; e; e = e->hh.next)
		names[k++] = e->name;
	near = nearest(name, names);
	free(names);
	return near;
}

static void endpoint_unknown(struct ygen *g, ynode at, const char *name)
{
	const char *near = g->mute ? NULL : endpoint_nearest(g, name);

	ygen_bad(g, at, "endpoints: there is no endpoint '%s' among those of the daemons%s%s%s", name,
		 near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

/* `daemons` of a peer entry says whose endpoints they are. */
static void whose_check(struct ygen *g, ynode map, const struct yprdcr *prdcrs, size_t n)
{
	ynode at = yaml_get(map, "daemons");
	size_t *daemons = NULL, n_daemons;
	bool *named;

	if (!at || !ygen_daemons_of(g, at, "peers", &daemons, &n_daemons)) {
		free(daemons);
		return;
	}
	named = xcalloc(g->n_daemons + 1, sizeof(*named));
	for (size_t i = 0; i < n_daemons; i++)
		named[daemons[i]] = true;
	for (size_t i = 0; i < n; i++) {
		if (named[prdcrs[i].ep->daemon])
			continue;
		ygen_bad(g, yaml_get(map, "endpoints"), "endpoints: %s is one of %s, whom `daemons` does not name",
			 prdcrs[i].ep->name, g->daemons[prdcrs[i].ep->daemon]->name);
		break;
	}
	free(named);
	free(daemons);
}

static void endpoints_read(struct ygen *g, ynode map, struct ygroup *gr)
{
	ynode at = yaml_get(map, "endpoints");
	size_t unknown = 0, from = gr->n_prdcrs;
	struct hostlist hl;

	if (!at || !ygen_names(g, at, &hl))
		return;
	gr->prdcrs = xrealloc(gr->prdcrs, (gr->n_prdcrs + hl.n + 1) * sizeof(*gr->prdcrs));
	for (size_t i = 0; i < hl.n; i++) {
		struct yendpoint *e = NULL;

		HASH_FIND_STR(g->endpoints, hl.names[i], e);
		if (e)
			gr->prdcrs[gr->n_prdcrs++] = (struct yprdcr){ .ep = e, .peer = gr->n_peers };
		else if (unknown++ < UNKNOWN_MAX)
			endpoint_unknown(g, at, hl.names[i]);
	}
	if (unknown > UNKNOWN_MAX)
		ygen_bad(g, at, "endpoints: there are no endpoints of %zu more of these names", unknown - UNKNOWN_MAX);
	if (!hl.n)
		ygen_bad(g, at, "endpoints: names none");
	hostlist_fini(&hl);
	whose_check(g, map, gr->prdcrs + from, gr->n_prdcrs - from);
}

static void peer_read(struct ygen *g, ynode map, void *arg)
{
	struct reading *r = arg;
	struct ygroup *gr = r->gr;

	gr->peers = xrealloc(gr->peers, (gr->n_peers + 1) * sizeof(*gr->peers));
	gr->peers[gr->n_peers] = (struct ypeer){ .map = map, .updtr = *r->updtr };
	ygen_required(g, map, "endpoints", "peers");
	ygen_required(g, map, "type", "peers");
	ygen_required(g, map, "reconnect", "peers");
	endpoints_read(g, map, gr);
	ygen_each_map(g, yaml_get(map, "updaters"), "updaters", updater_keys, updater_read, r->updtr);
	gr->n_peers++;
}

static void listen_read(struct ygen *g, ynode map, void *arg)
{
	struct reading *r = arg;
	struct ygroup *gr = r->gr;

	gr->listens = xrealloc(gr->listens, (gr->n_listens + 1) * sizeof(*gr->listens));
	gr->listens[gr->n_listens++] = (struct ypeer){ .map = map, .updtr = *r->updtr };
	ygen_required(g, map, "name", "prdcr_listen");
	ygen_each_map(g, yaml_get(map, "updaters"), "updaters", updater_keys, updater_read, r->updtr);
}

/* -- the whole entry ----------------------------------------------------------------------------------------------- */

static void producers_sort(struct ygen *g, struct ygroup *gr)
{
	if (gr->n_prdcrs > 1)
		qsort(gr->prdcrs, gr->n_prdcrs, sizeof(*gr->prdcrs), prdcr_cmp);
	for (size_t i = 1; i < gr->n_prdcrs; i++)
		if (gr->prdcrs[i].ep == gr->prdcrs[i - 1].ep) {
			ygen_bad(g, gr->map, "peers: endpoint %s stands in two entries; a producer is in one",
				 gr->prdcrs[i].ep->name);
			break;
		}
}

/* As the file has it: the name of the group. */
static char *written(ynode n)
{
	struct buf b = { 0 };

	for (size_t i = 0; i < ynode_members(n); i++)
		if (ynode_member(n, i)->kind == YAML_TEXT)
			buf_addf(&b, "%s%s", b.len ? "," : "", ynode_member(n, i)->text);
	buf_str(&b);
	return (char *)b.p;
}

/* rebalance: eager|sticky, balance: producers|bytes */
static void word_check(struct ygen *g, ynode map, const char *key, const char *one, const char *other)
{
	ynode n = NULL;
	const char *text = ygen_text(g, map, key, &n);

	if (text && strcmp(text, one) && strcmp(text, other))
		ygen_bad(g, n, "%s: '%s' is not one of %s|%s", key, text, one, other);
}

void ygen_balance_check(struct ygen *g, ynode map)
{
	word_check(g, map, "rebalance", "eager", "sticky");
	word_check(g, map, "balance", "producers", "bytes");
}

void ygen_read_group(struct ygen *g, ynode map, const size_t *aggs, size_t n_aggs, unsigned int *updtr)
{
	struct ygroup *gr = xcalloc(1, sizeof(*gr));
	struct reading r = { gr, updtr };

	gr->map = map;
	gr->aggs = aggs;
	gr->n_aggs = n_aggs;
	ygen_each_map(g, yaml_get(map, "peers"), "peers", peer_keys, peer_read, &r);
	ygen_each_map(g, yaml_get(map, "prdcr_listen"), "prdcr_listen", listen_keys, listen_read, &r);
	ygen_each_map(g, yaml_get(map, "subscribe"), "subscribe", subscribe_keys, nothing, NULL);
	ygen_balance_check(g, map);
	if (!n_aggs) {
		ygen_group_free(gr); /* its updaters are counted all the same */
		return;
	}
	producers_sort(g, gr);
	if (!gr->n_peers && !gr->n_listens)
		ygen_doubt(g, map, "aggregators: collects from nobody: it has neither peers nor prdcr_listen");
	gr->name = written(yaml_get(map, "daemons"));
	g->groups = xrealloc(g->groups, (g->n_groups + 1) * sizeof(struct ygroup *));
	g->groups[g->n_groups++] = gr;
}

static void peers_free(struct ypeer *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < v[i].n_regexes; k++)
			free(v[i].regexes[k]);
		free(v[i].regexes);
	}
	free(v);
}

void ygen_group_free(struct ygroup *gr)
{
	peers_free(gr->peers, gr->n_peers);
	peers_free(gr->listens, gr->n_listens);
	free(gr->prdcrs);
	free(gr->name);
	free(gr);
}

const struct ypeer *ygen_peer_regexes(struct ygroup *gr, size_t peer)
{
	struct ypeer *p = &gr->peers[peer];
	const char **names;
	size_t n = 0;

	if (p->regexes)
		return p;
	names = xcalloc(gr->n_prdcrs + 1, sizeof(*names));
	for (size_t i = 0; i < gr->n_prdcrs; i++)
		if (gr->prdcrs[i].peer == peer)
			names[n++] = gr->prdcrs[i].ep->name;
	regex_names(names, n, YREGEX_MAX, &p->regexes, &p->n_regexes);
	free(names);
	return p;
}
