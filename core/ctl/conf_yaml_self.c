/* conf_yaml_self.c - what a cluster file says of a daemon itself: its environment, options and ports, as commands. */
#include <stdlib.h>
#include <string.h>

#include "core/base/xalloc.h"
#include "core/ctl/conf_yaml_impl.h"

static void listen_line(struct ygen *g, ynode map, const struct yendpoint *e)
{
	const char *auth = ygen_auth(g, map), *xprt;
	ynode n = map;

	xprt = ygen_text(g, map, "xprt", &n);
	ygen_verb(g, map, "listen");
	ygen_attr(g, n, "xprt", xprt ? xprt : "sock");
	ygen_attr(g, yaml_get(map, "ports"), "port", e->port);
	ygen_attr_auth(g, map, "auth", auth);
	ygen_attr(g, map, "host", ynode_is_true(map, "bind_all") ? "0.0.0.0" : e->host);
	ygen_end(g);
}

static void pairs(struct ygen *g, ynode map)
{
	for (size_t i = 0; i < map->n && ygen_works(g, map, 0); i++) {
		ynode k = map->keys[i], v = map->values[i];

		if (k->kind != YAML_TEXT || v->kind != YAML_TEXT)
			ygen_bad(g, v, "wants KEY: VALUE, no list or mapping");
		else if (!strcmp(k->text, "perm"))
			ygen_attr_perm(g, map);
		else if (yaml_is_null(v))
			ygen_word(g, k, k->text);
		else
			ygen_attr(g, v, k->text, v->text);
	}
}

static void environment(struct ygen *g, ynode env)
{
	if (!env)
		return;
	if (env->kind != YAML_MAP) {
		ygen_bad(g, env, "environment: wants NAME: VALUE");
		return;
	}
	for (size_t i = 0; i < env->n && ygen_works(g, env, 0); i++) {
		if (env->keys[i]->kind != YAML_TEXT || env->values[i]->kind != YAML_TEXT) {
			ygen_bad(g, env->values[i], "environment: wants NAME: VALUE");
			continue;
		}
		ygen_verb(g, env->keys[i], "env");
		ygen_attr(g, env->values[i], env->keys[i]->text, env->values[i]->text);
		ygen_end(g);
	}
}

/* All other keys are options of the daemon, or commands. */
static void options(struct ygen *g, ynode map)
{
	for (size_t i = 0; i < map->n && ygen_works(g, map, 0); i++) {
		ynode k = map->keys[i], v = map->values[i];

		if (k->kind != YAML_TEXT || ygen_is_among(ygen_daemon_keys, k->text) || yaml_is_null(v))
			continue;
		if (v->kind == YAML_LIST) {
			ygen_bad(g, v, "%s: wants a single value, or a mapping", k->text);
			continue;
		}
		if (v->kind == YAML_MAP) {
			ygen_verb(g, k, k->text);
			pairs(g, v);
		} else {
			char *name = xasprintf("--%s", k->text);

			ygen_verb(g, k, "option");
			ygen_word(g, k, name);
			ygen_word(g, v, v->text);
			free(name);
		}
		ygen_end(g);
	}
}

void ygen_self(struct ygen *g)
{
	const struct ydaemon *d = g->daemons[g->self_i];
	ynode map = d->entry->map;

	environment(g, yaml_get(map, "environment"));
	options(g, map);
	if (ynode_is_true(map, "stream_enable"))
		ygen_verb(g, yaml_get(map, "stream_enable"), "stream_enable"), ygen_end(g);
	if (ynode_is_true(map, "msg_enable"))
		ygen_verb(g, yaml_get(map, "msg_enable"), "msg_enable"), ygen_end(g);
	for (size_t k = 0; k < d->entry->n_specs; k++)
		if (d->entry->specs[k].of[d->i])
			listen_line(g, d->entry->specs[k].map, d->entry->specs[k].of[d->i]);
}
