/* conf_yaml_here.c - which daemon of a cluster file is meant on this host, when nobody says. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/xalloc.h"
#include "core/ctl/conf_yaml_impl.h"

#define SAID_MAX 200 /* bytes of names in a complaint */

/* One may be written with its domain, the other without. */
static bool same_host(const char *a, const char *b)
{
	size_t na = strcspn(a, "."), nb = strcspn(b, ".");

	if (a[na] && b[nb])
		return !strcmp(a, b);
	return na == nb && !strncmp(a, b, na);
}

static bool is_here(const struct ydaemon *d, const char *host)
{
	return same_host(d->host, host) || !strcmp(d->host, "localhost");
}

static int several(const struct ygen *g, const size_t *v, size_t n, const char *host, struct err *err)
{
	const char **names = xcalloc(n, sizeof(*names));
	struct buf b = { 0 };
	int rc;

	for (size_t i = 0; i < n; i++)
		names[i] = g->daemons[v[i]]->name;
	hostlist_fold(names, n, SAID_MAX, &b);
	rc = err_set(err, -ENOTUNIQ, "%s: %s is the host of %zu daemons: %s; say with -n which one this is", g->origin,
		     host, n, buf_str(&b));
	buf_fini(&b);
	free(names);
	return rc;
}

/* Of those on one host, who does that kind of work; all, if none does. */
static size_t by_work(const struct ygen *g, size_t *v, size_t n, bool collects)
{
	size_t k = 0;

	for (size_t i = 0; i < n; i++)
		if (!!g->daemons[v[i]]->level == collects) {
			size_t swap = v[k];

			v[k++] = v[i];
			v[i] = swap;
		}
	return k ? k : n;
}

int ygen_here(const struct ygen *g, const char *host, bool collects, const char **ret, struct err *err)
{
	size_t *v, n = 0, own = ygen_find(g, host);
	int rc = 0;

	if (own != YNONE) {
		*ret = g->daemons[own]->name;
		return 0;
	}
	v = xcalloc(g->n_daemons + 1, sizeof(*v));
	for (size_t i = 0; i < g->n_daemons; i++)
		if (is_here(g->daemons[i], host))
			v[n++] = i;
	n = by_work(g, v, n, collects);
	if (!n)
		rc = err_set(err, -ENOENT, "%s: no daemon is called %s or has that host; say with -n which one this is",
			     g->origin, host);
	else if (n > 1)
		rc = several(g, v, n, host, err);
	else
		*ret = g->daemons[v[0]]->name;
	free(v);
	return rc;
}

static void nothing(void *arg, const struct conf_note *n)
{
	(void)arg;
	(void)n;
}

int conf_yaml_here(const char *path, const char *host, bool collects, char **ret, struct err *err)
{
	struct conf *cf = conf_new(NULL, NULL);
	struct ygen *g = NULL;
	const char *name = NULL;
	int rc;

	conf_notes(cf, nothing, NULL);
	rc = ygen_read(cf, path, NULL, &g, err);
	if (!rc && ygen_daemons_n(g))
		rc = ygen_here(g, host, collects, &name, err);
	if (!rc && name)
		*ret = xstrdup(name);
	ygen_free(g);
	conf_free(cf);
	return rc;
}
