/* conf_yaml_daemon.c - daemons of a cluster file: who and where they are, and their endpoints. */
#include <stdlib.h>
#include <string.h>

#include "core/base/xalloc.h"
#include "core/ctl/conf_yaml_impl.h"

const char *const ygen_daemon_keys[] = { "names",         "hosts",      "endpoints", "environment",
					 "stream_enable", "msg_enable", NULL };
static const char *const endpoint_keys[] = {
	"names", "ports", "hosts", "xprt", "maestro_comm", "bind_all", "auth", NULL
};

/* -- pairs, as ldmsd's converter makes them ------------------------------------------------------------------------ */

static int text_cmp(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool sorted(const struct hostlist *hl)
{
	for (size_t i = 1; i < hl->n; i++)
		if (strcmp(hl->names[i - 1], hl->names[i]) > 0)
			return false;
	return true;
}

struct pair {
	const char *name, *with;
};

static int pair_cmp(const void *a, const void *b)
{
	return strcmp(((const struct pair *)a)->name, ((const struct pair *)b)->name);
}

/* Would each of the names have another partner, were both lists sorted as text first?  Partners are as many, or each
 * takes as many names. */
static bool sorting_matters(const struct hostlist *names, const struct hostlist *with)
{
	size_t each = with->n ? names->n / with->n : 0;
	struct pair *pairs;
	char **w;
	bool yes = false;

	if (!each || names->n % with->n || with->n == 1 || (sorted(names) && sorted(with)))
		return false;
	pairs = xcalloc(names->n, sizeof(*pairs));
	w = xcalloc(with->n, sizeof(*w));
	memcpy(w, with->names, with->n * sizeof(*w));
	for (size_t i = 0; i < names->n; i++)
		pairs[i] = (struct pair){ names->names[i], with->names[i / each] };
	qsort(pairs, names->n, sizeof(*pairs), pair_cmp);
	qsort(w, with->n, sizeof(*w), text_cmp);
	for (size_t i = 0; i < names->n && !yes; i++)
		yes = strcmp(pairs[i].with, w[i / each]) != 0;
	free(pairs);
	free(w);
	return yes;
}

static void pairs_check(struct ygen *g, ynode at, const char *what, const struct hostlist *names,
			const struct hostlist *with)
{
	if (sorting_matters(names, with))
		ygen_doubt(g, at,
			   "names and %s are paired in the order of writing; ldmsd pairs them sorted as text, and so "
			   "otherwise; write numbers with as many digits in both",
			   what);
}

/* -- endpoints ----------------------------------------------------------------------------------------------------- */

static struct yendpoint *endpoint_add(struct ygen *g, ynode map, const char *name, size_t daemon)
{
	struct yendpoint *e = NULL;
	size_t n = strlen(name);

	HASH_FIND(hh, g->endpoints, name, n, e);
	if (e) {
		ygen_bad(g, map, "endpoint %s: there is another one of that name", name);
		return NULL;
	}
	e = xcalloc(1, sizeof(*e) + n + 1);
	memcpy(e->name, name, n);
	e->daemon = daemon;
	e->spec = map;
	HASH_ADD_KEYPTR(hh, g->endpoints, e->name, n, e);
	return e;
}

/* A list that endpoints point into. */
static bool list_keep(struct ygen *g, struct yentry *en, ynode n, struct hostlist *ret)
{
	if (!ygen_names(g, n, ret))
		return false;
	en->lists = xrealloc(en->lists, (en->n_lists + 1) * sizeof(*ret));
	en->lists[en->n_lists++] = *ret;
	return true;
}

static void spec_read(struct ygen *g, ynode map, void *arg)
{
	struct yentry *en = arg;
	ynode names = ygen_required(g, map, "names", "endpoints"), ports = ygen_required(g, map, "ports", "endpoints");
	struct hostlist n = { 0 }, p = { 0 }, h = { 0 };
	struct yspec *s;

	if (!names || !ports || !ygen_names(g, names, &n))
		return;
	if (!list_keep(g, en, ports, &p) || (yaml_get(map, "hosts") && !list_keep(g, en, yaml_get(map, "hosts"), &h)))
		goto out;
	if (!p.n) {
		ygen_bad(g, ports, "ports: there is none");
		goto out;
	}
	if (n.n != en->names.n) {
		ygen_bad(g, names, "names: %zu for %zu daemons; each has one", n.n, en->names.n);
		goto out;
	}
	if (p.n > n.n || n.n % p.n)
		ygen_doubt(g, ports, "ports: %zu for %zu daemons; they are taken in turn", p.n, n.n);
	pairs_check(g, names, "names of endpoints", &en->names, &n);
	if (p.n == n.n)
		pairs_check(g, ports, "ports", &n, &p);
	en->specs = xrealloc(en->specs, (en->n_specs + 1) * sizeof(*en->specs));
	s = &en->specs[en->n_specs++];
	*s = (struct yspec){ .map = map, .of = xcalloc(n.n + 1, sizeof(*s->of)) };
	for (size_t i = 0; i < n.n; i++) {
		size_t daemon = ygen_find(g, en->names.names[i]);
		struct yendpoint *e = daemon == YNONE || g->daemons[daemon]->entry != en
					      ? NULL
					      : endpoint_add(g, map, n.names[i], daemon);

		if (!e)
			continue;
		e->host = h.n ? h.names[i % h.n] : g->daemons[daemon]->host;
		e->port = p.names[i % p.n];
		s->of[i] = e;
	}
out:
	hostlist_fini(&n);
}

/* Two that listen at the same place: one of them fails to. */
struct place {
	UT_hash_handle hh;
	const struct yendpoint *e;
	char key[];
};

static void place_take(struct ygen *g, struct place **all, const struct yendpoint *e, const char *host)
{
	ynode n = NULL;
	const char *xprt = ygen_text(g, e->spec, "xprt", &n);
	char *key = xasprintf("%s %s %s", xprt ? xprt : "sock", host, e->port);
	size_t len = strlen(key);
	struct place *p = NULL;

	HASH_FIND(hh, *all, key, len, p);
	if (p && p->e != e &&
	    (!g->only || !strcmp(g->only, g->daemons[e->daemon]->name) ||
	     !strcmp(g->only, g->daemons[p->e->daemon]->name))) {
		ygen_bad(g, yaml_get(e->spec, "ports"), "endpoint %s: port %s of %s is that of endpoint %s already",
			 e->name, e->port, host, p->e->name);
	} else if (!p) {
		p = xcalloc(1, sizeof(*p) + len + 1);
		memcpy(p->key, key, len);
		p->e = e;
		HASH_ADD_KEYPTR(hh, *all, p->key, len, p);
	}
	free(key);
}

static void places_check(struct ygen *g)
{
	struct place *all = NULL, *p, *next;

	for (const struct yendpoint *e = g->endpoints; e && !g->stop; e = e->hh.next) {
		const char *host = g->daemons[e->daemon]->host;

		if (strcmp(e->port, "0"))
			place_take(g, &all, e, e->host);
		if (strcmp(e->port, "0") && strcmp(host, e->host) && ynode_is_true(e->spec, "bind_all"))
			place_take(g, &all, e, host);
	}
	HASH_ITER(hh, all, p, next) {
		HASH_DEL(all, p);
		free(p);
	}
}

/* -- daemons ------------------------------------------------------------------------------------------------------- */

static void daemon_add(struct ygen *g, const struct yentry *en, size_t i)
{
	size_t each = en->hosts.n ? en->names.n / en->hosts.n : 0, len = strlen(en->names.names[i]);
	struct ydaemon *d = NULL;

	HASH_FIND(hh, g->by_name, en->names.names[i], len, d);
	if (d) {
		ygen_bad(g, yaml_get(en->map, "names"), "daemon %s: there is another one of that name", d->name);
		return;
	}
	d = xcalloc(1, sizeof(*d));
	d->name = en->names.names[i];
	d->entry = en;
	d->at = g->n_daemons;
	d->i = i;
	d->host = each && i / each < en->hosts.n ? en->hosts.names[i / each] : "";
	if (!(g->n_daemons & (g->n_daemons + 1)))
		g->daemons = xrealloc(g->daemons, 2 * (g->n_daemons + 1) * sizeof(struct ydaemon *));
	g->daemons[g->n_daemons++] = d;
	HASH_ADD_KEYPTR(hh, g->by_name, d->name, len, d);
}

static void entry_read(struct ygen *g, ynode map, void *arg)
{
	ynode names = ygen_required(g, map, "names", "daemons"), hosts = ygen_required(g, map, "hosts", "daemons");
	struct yentry *en;

	(void)arg;
	if (!names)
		return;
	en = xcalloc(1, sizeof(*en));
	en->map = map;
	g->entries = xrealloc(g->entries, (g->n_entries + 1) * sizeof(struct yentry *));
	g->entries[g->n_entries++] = en;
	if (!ygen_names(g, names, &en->names))
		return;
	if (hosts && ygen_names(g, hosts, &en->hosts)) {
		if (!en->hosts.n || en->names.n % en->hosts.n)
			ygen_bad(g, hosts, "hosts: %zu for %zu daemons: each host takes as many of them", en->hosts.n,
				 en->names.n);
		else
			pairs_check(g, names, "hosts", &en->names, &en->hosts);
	}
	for (size_t i = 0; i < en->names.n; i++)
		daemon_add(g, en, i);
	ygen_required(g, map, "endpoints", "daemons");
	ygen_each_map(g, yaml_get(map, "endpoints"), "endpoints", endpoint_keys, spec_read, en);
}

void ygen_read_daemons(struct ygen *g)
{
	ygen_each_map(g, yaml_get(g->root, "daemons"), "daemons", NULL, entry_read, NULL);
	places_check(g);
}

void ygen_daemons_free(struct ygen *g)
{
	struct yendpoint *e, *next;

	HASH_ITER(hh, g->endpoints, e, next) {
		HASH_DEL(g->endpoints, e);
		free(e);
	}
	HASH_CLEAR(hh, g->by_name);
	for (size_t i = 0; i < g->n_daemons; i++)
		free(g->daemons[i]);
	free(g->daemons);
	for (size_t i = 0; i < g->n_entries; i++) {
		struct yentry *en = g->entries[i];

		for (size_t k = 0; k < en->n_lists; k++)
			hostlist_fini(&en->lists[k]);
		for (size_t k = 0; k < en->n_specs; k++)
			free(en->specs[k].of);
		hostlist_fini(&en->names);
		hostlist_fini(&en->hosts);
		free(en->lists);
		free(en->specs);
		free(en);
	}
	free(g->entries);
}

size_t ygen_find(const struct ygen *g, const char *name)
{
	struct ydaemon *d = NULL;

	HASH_FIND_STR(g->by_name, name, d);
	return d ? d->at : YNONE;
}

const struct yendpoint *ygen_endpoint(const struct ygen *g, size_t daemon, size_t k)
{
	const struct ydaemon *d = g->daemons[daemon];

	for (size_t i = 0; i < d->entry->n_specs; i++)
		if (d->entry->specs[i].of[d->i] && !k--)
			return d->entry->specs[i].of[d->i];
	return NULL;
}
