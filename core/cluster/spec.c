/* spec.c - see spec.h: the whole and its nodes */
#include "core/cluster/spec.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "core/base/xalloc.h"
#include "core/cluster/spec_impl.h"

#define FILE_MAX (16 << 20) /* bytes of a specification */

/* Those of a whole cluster and of containers that mean nothing to namespaces are read over, as others' specifications
 * have them: cap_add, cap_drop, image. */
static const char *const top_keys[] = { "name",  "description", "type", "templates", "ipv6",  "cap_add", "cap_drop",
					"image", "ovis_prefix", "env",  "mounts",    "nodes", NULL };
static const char *const node_keys[] = { "hostname", "aliases", "env", "component_id", "daemons", "ovis_prefix", NULL };

/* A name that a node has, and where it was given. */
struct taken {
	char *name;
	unsigned int line;
	UT_hash_handle hh;
};

struct nodes_read {
	struct taken *taken;
	size_t cap;
};

static void name_take(struct sread *r, struct nodes_read *nr, snode_t at, const char *name)
{
	struct taken *t = NULL;

	HASH_FIND_STR(nr->taken, name, t);
	if (t) {
		sread_bad(r, at, "node %s: line %u has a node of that name or alias; each name stands once", name,
			  t->line);
		return;
	}
	t = xcalloc(1, sizeof(*t));
	t->name = xstrdup(name);
	t->line = at->line;
	HASH_ADD_KEYPTR(hh, nr->taken, t->name, strlen(t->name), t);
}

static void nodes_read_fini(struct nodes_read *nr)
{
	struct taken *t, *next;

	HASH_ITER(hh, nr->taken, t, next) {
		HASH_DEL(nr->taken, t);
		free(t->name);
		free(t);
	}
}

static void on_daemon(struct sread *r, snode_t map, void *arg)
{
	spec_daemon_read(r, map, arg);
}

static void on_node(struct sread *r, snode_t map, void *arg)
{
	struct nodes_read *nr = arg;
	struct spec *s = r->spec;
	const char *name = sread_need(r, map, "hostname", "node"), *prefix = r->prefix, *own;
	struct spec_node *n;

	if (!name || r->rc || !sread_name_is_good(r, snode_get(map, "hostname"), "hostname", name))
		return;
	if (s->n_nodes == SPEC_NODES_MAX) {
		sread_bad(r, map, "more than %d nodes", SPEC_NODES_MAX);
		return;
	}
	if (s->n_nodes == nr->cap) {
		nr->cap = nr->cap ? 2 * nr->cap : 16;
		s->nodes = xrealloc(s->nodes, nr->cap * sizeof(*s->nodes));
	}
	n = &s->nodes[s->n_nodes++];
	*n = (struct spec_node){ .name = xstrdup(name) };
	name_take(r, nr, snode_get(map, "hostname"), name);
	sread_words(r, map, "aliases", &n->aliases);
	for (size_t i = 0; i < n->aliases.n; i++)
		if (sread_name_is_good(r, snode_get(map, "aliases"), "aliases", n->aliases.v[i]))
			name_take(r, nr, snode_get(map, "aliases"), n->aliases.v[i]);
	sread_env(r, spec_tree_root(r->tree), "env", &n->env);
	sread_env(r, map, "env", &n->env);
	sread_text(r, map, "component_id");
	own = sread_text(r, map, "ovis_prefix");
	r->prefix = own ? own : prefix;
	sread_each(r, map, "daemons", on_daemon, n);
	r->prefix = prefix;
	sread_keys(r, map, "node", node_keys);
}

static void mounts_check(struct sread *r, snode_t top)
{
	snode_t n = snode_get(top, "mounts");

	sread_words(r, top, "mounts", &r->spec->mounts);
	for (size_t i = 0; i < r->spec->mounts.n; i++) {
		const char *m = r->spec->mounts.v[i], *dst = strchr(m, ':'), *mode = dst ? strchr(dst + 1, ':') : NULL;

		if (*m != '/' || !dst || dst[1] != '/' || (mode && strcmp(mode, ":ro") && strcmp(mode, ":rw")))
			sread_bad(r, n->kind == YAML_LIST ? n->values[i] : n,
				  "mounts: '%.200s': wants SRC:DST, SRC:DST:ro or SRC:DST:rw, both absolute paths", m);
	}
}

/* The commands of Slurm find its configuration, unless the specification has them look elsewhere. */
static void slurm_env(struct spec *s)
{
	for (size_t i = 0; i < s->n_nodes; i++) {
		struct spec_node *n = &s->nodes[i];

		if (kv_has(&n->env, "SLURM_CONF"))
			continue;
		kv_add(&n->env, "SLURM_CONF", SPEC_SLURM_CONF);
		for (size_t k = 0; k < n->n_daemons; k++)
			if (!kv_has(&n->daemons[k].env, "SLURM_CONF"))
				kv_add(&n->daemons[k].env, "SLURM_CONF", SPEC_SLURM_CONF);
	}
}

static void top_read(struct sread *r)
{
	snode_t top = spec_tree_root(r->tree);
	struct nodes_read nr = { .taken = NULL };
	const char *name = sread_text(r, top, "name");

	if (name && sread_name_is_good(r, snode_get(top, "name"), "name", name))
		r->spec->name = xstrdup(name);
	r->spec->ipv6 = sread_bool(r, top, "ipv6");
	r->prefix = sread_text(r, top, "ovis_prefix");
	mounts_check(r, top);
	sread_each(r, top, "nodes", on_node, &nr);
	nodes_read_fini(&nr);
	sread_keys(r, top, "specification", top_keys);
	if (!r->spec->n_nodes)
		sread_bad(r, top, "no node; \"nodes\" is a list of objects, each with a \"hostname\"");
	spec_slurm_check(r, snode_get(top, "nodes"));
	if (!r->rc && spec_slurm_head(r->spec))
		slurm_env(r->spec);
}

int spec_parse(const char *file, const char *text, size_t len, struct spec **ret, struct err *err)
{
	struct spec *s = xcalloc(1, sizeof(*s));
	struct sread r = { .spec = s, .err = err, .file = file };

	r.rc = spec_tree_parse(file, text, len, &r.tree, err);
	if (!r.rc)
		top_read(&r);
	if (!r.rc)
		*ret = s;
	else
		spec_free(s);
	spec_tree_free(r.tree);
	return r.rc;
}

int spec_read(const char *path, struct spec **ret, struct err *err)
{
	FILE *f = fopen(path, "re");
	struct buf b = { 0 };
	int rc;

	if (!f)
		return err_set(err, -errno, "specification %s: %s%s", path, err_name(errno),
			       errno == ENOENT ? "; correct the path" : "");
	rc = buf_slurp(&b, f, FILE_MAX);
	if (rc == -EFBIG)
		rc = err_set(err, rc, "specification %s: has more than %d bytes", path, FILE_MAX);
	else if (rc)
		rc = err_set(err, rc, "specification %s: cannot be read: %s", path, err_name(rc));
	else if (memchr(b.p, 0, b.len))
		rc = err_set(err, -EINVAL, "specification %s: holds NUL bytes; is it text?", path);
	else
		rc = spec_parse(path, buf_str(&b), b.len, ret, err);
	fclose(f);
	buf_fini(&b);
	return rc;
}

void spec_free(struct spec *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->n_nodes; i++) {
		struct spec_node *n = &s->nodes[i];

		for (size_t k = 0; k < n->n_daemons; k++)
			spec_daemon_fini(&n->daemons[k]);
		free(n->daemons);
		kv_fini(&n->env);
		words_fini(&n->aliases);
		free(n->name);
	}
	free(s->nodes);
	words_fini(&s->mounts);
	words_fini(&s->warnings);
	free(s->name);
	free(s);
}

static bool is_called(const struct spec_node *n, const char *name)
{
	bool is = !strcmp(n->name, name);

	for (size_t i = 0; i < n->aliases.n && !is; i++)
		is = !strcmp(n->aliases.v[i], name);
	return is;
}

const struct spec_node *spec_node_find(const struct spec *s, const char *name)
{
	for (size_t i = 0; i < s->n_nodes; i++)
		if (is_called(&s->nodes[i], name))
			return &s->nodes[i];
	return NULL;
}

const struct spec_daemon *spec_daemon_find(const struct spec_node *n, const char *name)
{
	for (size_t i = 0; i < n->n_daemons; i++)
		if (!strcmp(n->daemons[i].name, name))
			return &n->daemons[i];
	return NULL;
}
