/* conf_yaml_daemon.c - daemons of a cluster file: who and where they are, their ports, environment and options. */
#include <stdlib.h>
#include <string.h>

#include "core/base/hostlist.h"
#include "core/base/xalloc.h"
#include "core/ctl/conf_yaml_impl.h"

/* -- names, hosts and endpoints of all -- */

static bool sorted(const struct hostlist *hl)
{
	for (size_t i = 1; i < hl->n; i++)
		if (strcmp(hl->names[i - 1], hl->names[i]) > 0)
			return false;
	return true;
}

struct group { /* an entry of daemons */
	struct hostlist names, hosts;
	ynode map;
};

static const char *host_of(const struct group *gr, size_t i)
{
	size_t each = gr->hosts.n ? gr->names.n / gr->hosts.n : 0;

	return each ? gr->hosts.names[i / each] : "";
}

static bool group_read(struct ygen *g, ynode map, struct group *ret)
{
	ynode names = ygen_required(g, map, "names", "daemons"), hosts = ygen_required(g, map, "hosts", "daemons");

	*ret = (struct group){ .map = map };
	if (!names || !hosts || !ygen_names(g, names, &ret->names))
		return false;
	if (!ygen_names(g, hosts, &ret->hosts)) {
		hostlist_fini(&ret->names);
		return false;
	}
	if (!ret->hosts.n || ret->names.n % ret->hosts.n) {
		ygen_bad(g, hosts, "hosts: %zu for %zu daemons: each host takes as many of them", ret->hosts.n,
			 ret->names.n);
		hostlist_fini(&ret->names);
		hostlist_fini(&ret->hosts);
		return false;
	}
	if (sorted(&ret->names) != sorted(&ret->hosts))
		conf_warn(g->cf, g->file, ynode_pos(names),
			  "names and hosts are paired in the order of writing; ldmsd pairs them sorted as text, and so "
			  "otherwise; write numbers with as many digits in both");
	return true;
}

static void group_fini(struct group *gr)
{
	hostlist_fini(&gr->names);
	hostlist_fini(&gr->hosts);
}

static void endpoint_add(struct ygen *g, ynode map, const char *name, const char *host, const char *port)
{
	struct endpoint *e = NULL;
	size_t n = strlen(name);

	HASH_FIND_STR(g->endpoints, name, e);
	if (e) {
		ygen_bad(g, map, "endpoint %s: there is another one of that name", name);
		return;
	}
	e = xcalloc(1, sizeof(*e) + n + 1);
	memcpy(e->name, name, n);
	e->host = xstrdup(host);
	e->port = xstrdup(port);
	e->spec = map;
	HASH_ADD_KEYPTR(hh, g->endpoints, e->name, n, e);
}

static const char *const endpoint_keys[] = {
	"names", "ports", "hosts", "xprt", "maestro_comm", "bind_all", "auth", NULL
};

/* The endpoints of all daemons: peers refer to them by name. */
static void endpoint_read(struct ygen *g, ynode map, void *arg)
{
	const struct group *gr = arg;
	ynode names = ygen_required(g, map, "names", "endpoints"), ports = ygen_required(g, map, "ports", "endpoints");
	struct hostlist en = { 0 }, ep = { 0 }, eh = { 0 };

	if (!names || !ports || !ygen_names(g, names, &en) || !ygen_names(g, ports, &ep))
		goto out;
	if (yaml_get(map, "hosts") && !ygen_names(g, yaml_get(map, "hosts"), &eh))
		goto out;
	if (!ep.n)
		ygen_bad(g, ports, "ports: there is none");
	else if (en.n != gr->names.n)
		ygen_bad(g, names, "names: %zu for %zu daemons; each has one", en.n, gr->names.n);
	else
		for (size_t i = 0; i < en.n; i++)
			endpoint_add(g, map, en.names[i], eh.n ? eh.names[i % eh.n] : host_of(gr, i),
				     ep.names[i % ep.n]);
out:
	hostlist_fini(&en);
	hostlist_fini(&ep);
	hostlist_fini(&eh);
}

static void group_endpoints(struct ygen *g, ynode map, void *arg)
{
	struct group gr;

	(void)arg;
	if (!group_read(g, map, &gr))
		return;
	ygen_each_map(g, yaml_get(map, "endpoints"), "endpoints", endpoint_keys, endpoint_read, &gr);
	group_fini(&gr);
}

/* -- one daemon -- */

static void listen_line(struct ygen *g, ynode map, void *arg)
{
	size_t i = *(size_t *)arg;
	struct hostlist names;
	struct endpoint *e = NULL;
	const char *auth, *xprt;
	ynode n = map;

	if (!yaml_get(map, "names") || !ygen_names(g, yaml_get(map, "names"), &names))
		return;
	if (i < names.n)
		HASH_FIND_STR(g->endpoints, names.names[i], e);
	hostlist_fini(&names);
	if (!e || e->spec != map)
		return; /* it was said why */
	auth = ygen_auth(g, map);
	xprt = ygen_text(g, map, "xprt", &n);
	ygen_verb(g, map, "listen");
	ygen_attr(g, n, "xprt", xprt ? xprt : "sock");
	ygen_attr(g, yaml_get(map, "ports"), "port", e->port);
	ygen_attr_auth(g, map, "auth", auth);
	ygen_attr(g, map, "host", ynode_is_true(map, "bind_all") ? "0.0.0.0" : e->host);
	ygen_end(g);
}

static const char *const daemon_keys[] = { "names",         "hosts",      "endpoints", "environment",
					   "stream_enable", "msg_enable", NULL };

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

		if (k->kind != YAML_TEXT || ygen_is_among(daemon_keys, k->text) || yaml_is_null(v))
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

struct self {
	bool found;
};

static void self_lines(struct ygen *g, ynode map, void *arg)
{
	struct self *self = arg;
	struct group gr;
	size_t i;

	if (self->found || !group_read(g, map, &gr))
		return;
	self->found = ygen_name_at(&gr.names, g->self, &i);
	group_fini(&gr);
	if (!self->found)
		return;
	environment(g, yaml_get(map, "environment"));
	options(g, map);
	if (ynode_is_true(map, "stream_enable"))
		ygen_verb(g, yaml_get(map, "stream_enable"), "stream_enable"), ygen_end(g);
	if (ynode_is_true(map, "msg_enable"))
		ygen_verb(g, yaml_get(map, "msg_enable"), "msg_enable"), ygen_end(g);
	ygen_each_map(g, yaml_get(map, "endpoints"), "endpoints", NULL, listen_line, &i);
}

bool ygen_daemons(struct ygen *g)
{
	ynode daemons = yaml_get(g->root, "daemons");
	struct self self = { false };

	ygen_each_map(g, daemons, "daemons", NULL, group_endpoints, NULL);
	ygen_each_map(g, daemons, "daemons", NULL, self_lines, &self);
	if (!self.found)
		ygen_bad(g, daemons, "daemons: there is no daemon '%s'; its name is given with -n", g->self);
	return self.found;
}
