/* spec_daemon.c - daemons of a specification, by their types */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/str.h"
#include "core/base/xalloc.h"
#include "core/cluster/spec_impl.h"

/* -- munged: one domain each, with its own key and socket -- */

static const char *const munged_keys[] = { "name", "type", "env", "log_file", "dom", "key", NULL };

static void munged_read(struct sread *r, snode_t map, struct spec_daemon *d)
{
	d->dom = sread_dup(r, map, "dom", NULL);
	if (d->dom)
		sread_name_is_good(r, snode_get(map, "dom"), "dom", d->dom);
	d->key = sread_dup(r, map, "key", NULL);
	if (d->key && !*d->key)
		sread_bad(r, snode_get(map, "key"), "key: is empty; leave it out for the cluster's own key");
}

/* -- etcd: all of the cluster are one -- */

static const char *const etcd_keys[] = { "name", "type", "env", "log_file", NULL };

static void etcd_read(struct sread *r, snode_t map, struct spec_daemon *d)
{
}

/* -- ldms: any command of ours -- */

static const char *const ldms_keys[] = { "name", "type", "env", "log_file", "command", "ports", NULL };

/* The port of "-x sock:411", "-xsock:411", "--xprt sock:411" or "--xprt=sock:411" at word i; NULL when it is none. */
static const char *xprt_port(const struct spec_words *words, size_t i)
{
	const char *w = words->v[i], *value = NULL;

	if (!strcmp(w, "-x") || !strcmp(w, "--xprt"))
		value = i + 1 < words->n ? words->v[i + 1] : NULL;
	else if (!strncmp(w, "--xprt=", 7))
		value = w + 7;
	else if (!strncmp(w, "-x", 2))
		value = w + 2;
	return value && !strncmp(value, "sock:", 5) ? value + 5 : NULL;
}

static void ldms_read(struct sread *r, snode_t map, struct spec_daemon *d)
{
	snode_t ports = snode_get(map, "ports");
	size_t n = !ports ? 0 : ports->kind == YAML_LIST ? ports->n : 1;

	sread_words(r, map, "command", &d->command);
	if (!d->command.n)
		sread_bad(r, map, "%s: wants \"command\", a list of words as [\"samp\", \"-x\", \"sock:411\"]",
			  d->name);
	for (size_t i = 0; i < n && !r->rc; i++)
		port_add(d, snode_port(r, ports->kind == YAML_LIST ? ports->values[i] : ports));
	for (size_t i = 0; i < d->command.n && !ports; i++) {
		const char *p = xprt_port(&d->command, i);
		uint64_t port;

		if (p && str_digits(&p, &port) && port && port <= UINT16_MAX)
			port_add(d, (unsigned short)port);
	}
}

/* -- the table of types -------------------------------------------------------------------------------------------- */

static const char *const ldmsd_keys[] = { "name",        "type",        "env",          "log_file", "listen",
					  "listen_xprt", "listen_port", "listen_auth",  "auth",     "quota",
					  "samplers",    "advertisers", "prdcr_listen", "prdcrs",   "config",
					  "config_file", "log_level",   "ovis_prefix",  NULL };
static const char *const slurmctld_keys[] = { "name", "type", "env", "log_file", "config", NULL };
static const char *const slurmd_keys[] = { "name", "type", "env", "log_file", "plugstack", NULL };

static const struct type {
	const char *name;
	const char *const *keys;
	void (*read)(struct sread *r, snode_t map, struct spec_daemon *d);
} types[SPEC_TYPES] = {
	[SPEC_ETCD] = { "etcd", etcd_keys, etcd_read },
	[SPEC_LDMS] = { "ldms", ldms_keys, ldms_read },
	[SPEC_LDMSD] = { "ldmsd", ldmsd_keys, spec_ldmsd_read },
	[SPEC_MUNGED] = { "munged", munged_keys, munged_read },
	[SPEC_SLURMCTLD] = { "slurmctld", slurmctld_keys, spec_slurmctld_read },
	[SPEC_SLURMD] = { "slurmd", slurmd_keys, spec_slurmd_read },
};

const char *spec_type_name(enum spec_type t)
{
	return types[t].name;
}

/* SPEC_TYPES after a complaint. */
static enum spec_type type_find(struct sread *r, snode_t map, const char *what)
{
	const char *word = sread_need(r, map, "type", what), *names[SPEC_TYPES + 1] = { NULL }, *near;

	for (size_t i = 0; i < SPEC_TYPES && word; i++) {
		if (!strcmp(word, types[i].name))
			return (enum spec_type)i;
		names[i] = types[i].name;
	}
	if (!word)
		return SPEC_TYPES;
	near = nearest(word, names);
	if (!strcmp(word, "sshd"))
		sread_bad(
			r, snode_get(map, "type"),
			"%s: type sshd: nodes have no ssh; `ldms cluster exec NODE -- COMMAND` runs a command in one: "
			"leave this daemon out",
			what);
	else
		sread_bad(r, snode_get(map, "type"),
			  "%s: no type '%.64s'%s%s%s; there are munged, etcd, slurmctld, slurmd, ldmsd and ldms", what,
			  word, near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
	return SPEC_TYPES;
}

/* Called as its type where no other of the node is called so. */
static void log_read(struct sread *r, snode_t map, const struct spec_node *node, struct spec_daemon *d)
{
	bool taken = false;

	d->log = sread_file(r, map, "log_file", NULL);
	if (d->log)
		return;
	d->log = xasprintf("/var/log/%s.log", spec_type_name(d->type));
	for (const struct spec_daemon *o = node->daemons; o < d; o++)
		taken |= !strcmp(o->log, d->log);
	if (!taken)
		return;
	free(d->log);
	d->log = xasprintf("/var/log/%s.log", d->name);
}

/* Two that would have the same name, or the same place. */
static void twins_check(struct sread *r, snode_t map, const struct spec_node *node, const struct spec_daemon *d)
{
	for (const struct spec_daemon *o = node->daemons; o < d; o++) {
		bool same_dom = o->dom && d->dom ? !strcmp(o->dom, d->dom) : o->dom == d->dom;

		if (!strcmp(o->name, d->name))
			sread_bad(r, map, "node %s: two daemons '%s'; each wants its own name", node->name, d->name);
		else if (o->type == d->type && d->type == SPEC_MUNGED && same_dom)
			sread_bad(r, map, "node %s: %s and %s are munged of the same domain; give one another \"dom\"",
				  node->name, o->name, d->name);
		else if (o->type == d->type && (d->type == SPEC_ETCD || d->type == SPEC_SLURMD))
			sread_bad(r, map, "node %s: %s and %s are both %s; a node has one at most", node->name, o->name,
				  d->name, spec_type_name(d->type));
		else if (!strcmp(o->log, d->log))
			sread_bad(r, map, "node %s: %s and %s have the same log_file %s; give one another", node->name,
				  o->name, d->name, d->log);
	}
}

void spec_daemon_read(struct sread *r, snode_t map, struct spec_node *node)
{
	const char *name = sread_need(r, map, "name", "daemon");
	struct spec_daemon *d;
	enum spec_type type;

	if (!name || r->rc || !sread_name_is_good(r, snode_get(map, "name"), "daemon", name))
		return;
	type = type_find(r, map, name);
	if (r->rc)
		return;
	node->daemons = xrealloc(node->daemons, (node->n_daemons + 1) * sizeof(*node->daemons));
	d = &node->daemons[node->n_daemons++];
	*d = (struct spec_daemon){ .name = xstrdup(name), .type = type };
	kv_copy(&d->env, &node->env);
	sread_env(r, map, "env", &d->env);
	log_read(r, map, node, d);
	types[type].read(r, map, d);
	sread_keys(r, map, spec_type_name(type), types[type].keys);
	if (!r->rc)
		twins_check(r, map, node, d);
}

void spec_daemon_fini(struct spec_daemon *d)
{
	free(d->name);
	kv_fini(&d->env);
	free(d->log);
	free(d->ports);
	free(d->dom);
	free(d->key);
	free(d->plugstack);
	words_fini(&d->config);
	free(d->prefix);
	free(d->conf_path);
	free(d->conf);
	free(d->xprt);
	free(d->auth);
	free(d->log_level);
	words_fini(&d->command);
}
