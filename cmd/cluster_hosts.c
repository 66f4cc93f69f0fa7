/* cluster_hosts.c - see cluster_hosts.h */
#include "cmd/cluster_hosts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/xalloc.h"

void hosts_count(struct hosts *h, const char *prefix, size_t n)
{
	h->v = xcalloc(n + 1, sizeof(*h->v));
	h->n = n;
	for (size_t i = 0; i < n; i++)
		h->v[i].name = xasprintf("%s%zu", prefix, i + 1);
}

void hosts_of_spec(struct hosts *h, const struct spec *s)
{
	h->v = xcalloc(s->n_nodes + 1, sizeof(*h->v));
	h->n = s->n_nodes;
	for (size_t i = 0; i < h->n; i++) {
		const struct spec_node *n = &s->nodes[i];
		const char **aliases = xcalloc(n->aliases.n + 1, sizeof(*aliases));
		const char **env = xcalloc(n->env.n + 1, sizeof(*env));

		for (size_t k = 0; k < n->aliases.n; k++)
			aliases[k] = xstrdup(n->aliases.v[k]);
		for (size_t k = 0; k < n->env.n; k++)
			env[k] = xasprintf("%s=%s", n->env.v[k].key, n->env.v[k].value);
		h->v[i] = (struct cluster_host){ .name = xstrdup(n->name), .aliases = aliases, .env = env };
	}
}

static void texts_free(const char *const *texts)
{
	for (size_t i = 0; texts && texts[i]; i++)
		free((char *)(uintptr_t)texts[i]);
	free((void *)(uintptr_t)texts);
}

void hosts_fini(struct hosts *h)
{
	for (size_t i = 0; i < h->n; i++) {
		free((char *)(uintptr_t)h->v[i].name);
		texts_free(h->v[i].aliases);
		texts_free(h->v[i].env);
	}
	free(h->v);
}

int mounts_add(struct mounts *m, const char *text, struct err *err)
{
	struct cluster_mount mount = { .src = NULL };
	char *copy, *src = NULL, *whole;
	int rc = cluster_mount_parse(text, &mount, &copy, err);

	if (!rc) {
		src = realpath(mount.src, NULL); /* who reads it later may be somewhere else */
		if (!src)
			rc = err_set(err, -errno, "mount '%s': %s: %s", text, mount.src, err_name(errno));
	}
	if (!rc) {
		whole = xasprintf("%s:%s%s", src, mount.dst, mount.ro ? ":ro" : "");
		words_add(&m->texts, whole);
		free(whole);
		m->v = xrealloc(m->v, m->texts.n * sizeof(*m->v));
		m->v[m->texts.n - 1] = (struct cluster_mount){ src, xstrdup(mount.dst), mount.ro };
	}
	free(copy);
	return rc;
}

void mounts_fini(struct mounts *m)
{
	for (size_t i = 0; i < m->texts.n; i++) {
		free((char *)(uintptr_t)m->v[i].src);
		free((char *)(uintptr_t)m->v[i].dst);
	}
	free(m->v);
	words_fini(&m->texts);
}
