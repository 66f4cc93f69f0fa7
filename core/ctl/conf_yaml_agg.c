/* conf_yaml_agg.c - aggregators of a cluster file: the share of producers, updaters, who may advertise. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/hostlist.h"
#include "core/ctl/conf_yaml_impl.h"

static const char *const aggregator_keys[] = { "daemons",   "peers", "prdcr_listen", "subscribe", "plugins",
					       "advertise", NULL };
static const char *const peer_keys[] = { "daemons", "endpoints", "reconnect", "type",     "updaters", "perm",
					 "rail",    "quota",     "rx_rate",   "cache_ip", "regex",    NULL };
static const char *const updater_keys[] = { "interval", "offset", "mode", "perm", "producers", "sets", NULL };
static const char *const set_keys[] = { "regex", "field", NULL };
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
static const char *const subscribe_keys[] = { "regex", "stream", "message_tag", "message_channel", "rx_rate", NULL };

/* The aggregator at work: which one of how many it is, and the producers of the peer entry at hand. */
struct agg {
	size_t i, n;
	bool mine;              /* this daemon is one of them; else updaters are only counted */
	bool alone;             /* there is one peer entry: its updaters take whatever producers there are */
	struct hostlist prdcrs; /* of the entry, those that are ours */
	size_t from, to;        /* of its names */
};

/* -- updaters -- */

static void updtr_set(struct ygen *g, ynode map, void *arg)
{
	if (!ygen_required(g, map, "regex", "sets"))
		return;
	ygen_verb(g, map, "updtr_match_add");
	ygen_attr(g, map, "name", arg);
	ygen_attr_if(g, map, "regex", "regex");
	ygen_attr_if(g, map, "field", "match");
	ygen_end(g);
}

static void updtr_mode(struct ygen *g, ynode map)
{
	static const struct {
		const char *mode, *attr, *value;
	} modes[] = {
		{ "pull", NULL, NULL },
		{ "auto", "auto_interval", "true" },
		{ "auto_interval", "auto_interval", "true" },
		{ "push", "push", "true" },
		{ "onchange", "push", "onchange" },
	};
	ynode n = NULL;
	const char *mode = ygen_text(g, map, "mode", &n);

	for (size_t i = 0; mode && i < sizeof(modes) / sizeof(*modes); i++) {
		if (strcmp(modes[i].mode, mode))
			continue;
		if (modes[i].attr)
			ygen_attr(g, n, modes[i].attr, modes[i].value);
		return;
	}
	if (mode)
		ygen_bad(g, n, "mode: '%s' is not one of pull|auto|push|onchange", mode);
}

static void updtr_takes(struct ygen *g, ynode at, const char *updtr, const char *regex)
{
	ygen_verb(g, at, "updtr_prdcr_add");
	ygen_attr(g, at, "name", updtr);
	ygen_attr(g, at, "regex", regex);
	ygen_end(g);
}

/* A dot in a name is no wildcard. */
static char *exactly(const char *name)
{
	struct buf b = { 0 };

	buf_u8(&b, '^');
	for (; *name; name++) {
		if (strchr(".[]()*+?{}|\\^$", *name))
			buf_u8(&b, '\\');
		buf_u8(&b, (uint8_t)*name);
	}
	buf_u8(&b, '$');
	buf_str(&b);
	return (char *)b.p;
}

static void updtr_takes_names(struct ygen *g, ynode at, const char *updtr, const struct hostlist *hl, size_t from,
			      size_t to)
{
	for (size_t i = from; i < to; i++) {
		char *regex = exactly(hl->names[i]);

		updtr_takes(g, at, updtr, regex);
		free(regex);
	}
}

static void updtr_prdcrs(struct ygen *g, ynode map, const char *updtr, const struct agg *a)
{
	ynode list = yaml_get(map, "producers");
	struct hostlist hl = { 0 };

	if (!list && (a->alone || !a->prdcrs.n)) {
		updtr_takes(g, map, updtr, ".*");
		return;
	}
	if (!list) {
		updtr_takes_names(g, map, updtr, &a->prdcrs, a->from, a->to);
		return;
	}
	if (list->kind == YAML_TEXT && hostlist_parse(list->text, &hl, NULL))
		hl = (struct hostlist){ 0 }; /* then it is an expression */
	else if (list->kind != YAML_TEXT)
		ygen_names(g, list, &hl);
	if (list->kind == YAML_TEXT && hl.n < 2)
		updtr_takes(g, list, updtr, list->text);
	else if (ygen_works(g, list, hl.n))
		updtr_takes_names(g, list, updtr, &hl, 0, hl.n);
	hostlist_fini(&hl);
}

static void updtr_lines(struct ygen *g, ynode map, void *arg)
{
	const struct agg *a = arg;
	char name[32];

	snprintf(name, sizeof(name), "updtr_%u", g->updtrs++);
	if (!a->mine || !ygen_required(g, map, "interval", "updaters"))
		return;
	ygen_verb(g, map, "updtr_add");
	ygen_attr(g, map, "name", name);
	updtr_mode(g, map);
	ygen_attr_time(g, map, "interval");
	ygen_attr_time(g, map, "offset");
	ygen_attr_perm(g, map);
	ygen_end(g);
	updtr_prdcrs(g, map, name, a);
	ygen_each_map(g, yaml_get(map, "sets"), "sets", set_keys, updtr_set, name);
	ygen_verb(g, map, "updtr_start");
	ygen_attr(g, map, "name", name);
	ygen_end(g);
}

/* -- producers -- */

static int text_cmp(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Runs of digits by their number, then as text. */
static int natural_cmp(const void *pa, const void *pb)
{
	const char *a = *(char *const *)pa, *b = *(char *const *)pb;

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
	return text_cmp(pa, pb);
}

static void prdcr_lines(struct ygen *g, ynode map, const char *name)
{
	struct endpoint *e = NULL;
	const char *auth, *xprt, *type;
	ynode at = yaml_get(map, "endpoints"), n = at;

	HASH_FIND_STR(g->endpoints, name, e);
	if (!e) {
		ygen_bad(g, at, "endpoints: there is no endpoint '%s' among those of the daemons", name);
		return;
	}
	auth = ygen_auth(g, e->spec);
	ygen_verb(g, map, "prdcr_add");
	ygen_attr(g, at, "name", name);
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
	ygen_verb(g, map, "prdcr_start");
	ygen_attr(g, at, "name", name);
	ygen_end(g);
}

/* Producers in the order of their numbers, in blocks of the same size or one more. */
static bool prdcrs_share(struct ygen *g, ynode map, struct agg *a)
{
	ynode endpoints = yaml_get(map, "endpoints");
	size_t q, r;

	if (!endpoints || !ygen_names(g, endpoints, &a->prdcrs))
		return false;
	qsort(a->prdcrs.names, a->prdcrs.n, sizeof(*a->prdcrs.names), natural_cmp);
	q = a->prdcrs.n / a->n;
	r = a->prdcrs.n % a->n;
	a->from = a->i * q + (a->i < r ? a->i : r);
	a->to = a->from + q + (a->i < r);
	return true;
}

static void peer_lines(struct ygen *g, ynode map, void *arg)
{
	struct agg *a = arg;

	a->prdcrs = (struct hostlist){ 0 };
	if (a->mine) {
		ygen_required(g, map, "endpoints", "peers");
		ygen_required(g, map, "type", "peers");
		ygen_required(g, map, "reconnect", "peers");
		if (prdcrs_share(g, map, a))
			for (size_t i = a->from; i < a->to && ygen_works(g, map, 0); i++)
				prdcr_lines(g, map, a->prdcrs.names[i]);
	}
	ygen_each_map(g, yaml_get(map, "updaters"), "updaters", a->mine ? updater_keys : NULL, updtr_lines, a);
	hostlist_fini(&a->prdcrs);
	a->prdcrs = (struct hostlist){ 0 };
}

static void prdcr_listen_lines(struct ygen *g, ynode map, void *arg)
{
	static const char *const texts[] = { "regex",           "ip",   "quota", "rx_rate", "type", "advertiser_xprt",
					     "advertiser_port", "rail", NULL };
	struct agg *a = arg;
	ynode n = NULL;
	const char *name =
		a->mine && ygen_required(g, map, "name", "prdcr_listen") ? ygen_text(g, map, "name", &n) : NULL;

	if (name) {
		const char *auth = ygen_auth(g, map);

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
	ygen_each_map(g, yaml_get(map, "updaters"), "updaters", a->mine ? updater_keys : NULL, updtr_lines, a);
}

/* -- the whole entry -- */

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

static void aggregator_lines(struct ygen *g, ynode map, void *arg)
{
	struct agg a = { 0 };
	ynode plugins = yaml_get(map, "plugins"), peers = yaml_get(map, "peers");

	(void)arg;
	a.mine = ygen_is_for(g, map, "daemons", "aggregators", &a.i, &a.n);
	a.alone = ynode_members(peers) + ynode_members(yaml_get(map, "prdcr_listen")) < 2;
	ygen_each_map(g, peers, "peers", a.mine ? peer_keys : NULL, peer_lines, &a);
	ygen_each_map(g, yaml_get(map, "prdcr_listen"), "prdcr_listen", a.mine ? listen_keys : NULL, prdcr_listen_lines,
		      &a);
	if (!a.mine)
		return;
	ygen_advertise(g, yaml_get(map, "advertise"));
	ygen_each_map(g, yaml_get(map, "subscribe"), "subscribe", subscribe_keys, subscribe_line, NULL);
	for (size_t i = 0; i < ynode_members(plugins) && ygen_works(g, plugins, 0); i++)
		ygen_plugin(g, ynode_member(plugins, i), false);
}

void ygen_aggregators(struct ygen *g)
{
	ygen_each_map(g, yaml_get(g->root, "aggregators"), "aggregators", aggregator_keys, aggregator_lines, NULL);
}
