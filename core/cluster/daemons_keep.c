/* daemons_keep.c - the specification of a cluster, kept in its folder for who starts and stops its daemons later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/xalloc.h"
#include "core/cluster/daemons_impl.h"
#include "core/cluster/impl.h"

#define SPEC_FILE   "spec"
#define MOUNTS_FILE "mounts"
#define KEPT_MAX    (16 << 20) /* bytes of a file that is kept */

static struct daemons *make(const struct cluster *c, const struct spec *s)
{
	struct daemons *d = xcalloc(1, sizeof(*d));

	d->c = c;
	d->spec = s;
	return d;
}

static int keep(const struct cluster *c, const char *name, const struct buf *text, struct err *err)
{
	char *path = xasprintf("%s/%s", c->dir, name);
	int rc = cluster_file_write(path, text, err);

	free(path);
	return rc;
}

int daemons_new(const struct cluster *c, const struct spec *s, const char *path, const struct spec_words *mounts,
		struct daemons **ret, struct err *err)
{
	struct daemons *d = make(c, s);
	struct buf text = { 0 }, lines = { 0 };
	int rc = cluster_file_read(path, KEPT_MAX, &text, err);

	for (size_t i = 0; i < mounts->n; i++) {
		words_add(&d->mounts, mounts->v[i]);
		buf_addf(&lines, "%s\n", mounts->v[i]);
	}
	if (!rc)
		rc = keep(c, MOUNTS_FILE, &lines, err);
	if (!rc)
		rc = keep(c, SPEC_FILE, &text, err);
	buf_fini(&text);
	buf_fini(&lines);
	if (rc)
		daemons_free(d);
	else
		*ret = d;
	return rc;
}

static int mounts_read(struct daemons *d, struct err *err)
{
	char *path = xasprintf("%s/" MOUNTS_FILE, d->c->dir), *save, *line;
	struct buf b = { 0 };
	int rc = cluster_file_read(path, KEPT_MAX, &b, err);

	if (!rc)
		for (line = strtok_r((char *)(uintptr_t)buf_str(&b), "\n", &save); line;
		     line = strtok_r(NULL, "\n", &save))
			if (strchr(line, ':'))
				words_add(&d->mounts, line);
	buf_fini(&b);
	free(path);
	return rc;
}

int daemons_open(const struct cluster *c, struct daemons **ret, struct err *err)
{
	char *path = xasprintf("%s/" SPEC_FILE, c->dir);
	struct daemons *d = make(c, NULL);
	int rc = 0;

	if (access(path, F_OK))
		rc = err_set(
			err, -ENOENT,
			"cluster %s was made without a specification: it has no daemons of its own; start one with "
			"`ldms cluster exec`, or make the cluster with `ldms cluster up SPEC`",
			c->name);
	if (!rc)
		rc = spec_read(path, &d->own, err);
	d->spec = d->own;
	if (!rc)
		rc = mounts_read(d, err);
	if (!rc && d->spec->n_nodes != c->n)
		rc = err_set(err, -EINVAL, "cluster %s: %s is not the specification of its nodes", c->name, path);
	free(path);
	if (rc)
		daemons_free(d);
	else
		*ret = d;
	return rc;
}

void daemons_free(struct daemons *d)
{
	if (!d)
		return;
	spec_free(d->own);
	words_fini(&d->mounts);
	free(d->slurm_states);
	free(d);
}

const struct spec *daemons_spec(const struct daemons *d)
{
	return d->spec;
}
