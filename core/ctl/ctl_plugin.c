/* ctl_plugin.c - the verbs that make, change and end instances of samplers and stores; questions about them are
 * ctl_plugin_stat.c's
 *
 * Answers begin with ldmsd's words, which programs know; behind them stands the reason, which ldmsd only logs.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/str.h"
#include "core/base/xalloc.h"
#include "core/ctl/ctl_plugin.h"
#include "core/ctl/ctl_scribe.h"
#include "core/ctl/verbs.h"
#include "core/daemon/samp.h"
#include "core/daemon/so_load.h"
#include "core/daemon/strgp.h"

#define PLUGINS_MAX 256 /* names to look for a near one in */

static int no_plugin(const char *plugin, struct err *err)
{
	const char *names[PLUGINS_MAX + 1], *near;
	size_t n = 0;

	for (size_t i = 0; samp_types[i] && n < PLUGINS_MAX; i++)
		names[n++] = samp_types[i]->name;
	for (size_t i = 0; store_types[i] && n < PLUGINS_MAX; i++)
		names[n++] = store_types[i]->name;
	for (size_t i = 0; scribe_types[i] && n < PLUGINS_MAX; i++)
		names[n++] = scribe_types[i]->name;
	names[n] = NULL;
	near = nearest(plugin, names);
	return err_set(err, -ENOENT,
		       "Error %d plugin '%s': failed to load the plugin, it is no sampler or store of this ldms%s%s%s; "
		       "`ldms samp -l` and `ldms store -l` list them",
		       ENOENT, plugin, near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

static int load_store(struct ctl *c, const struct store_type *type, const char *name, struct err *err)
{
	struct store_node *n = xcalloc(1, sizeof(*n));
	int rc = store_new(type, name, &n->store, err);

	if (rc) {
		free(n);
		return rc;
	}
	n->node.name = xstrdup(name);
	node_add(&c->d->stores, &n->node);
	return 0;
}

static int load_samp(struct ctl *c, const struct samp_type *type, const char *name, struct err *err)
{
	int rc = confine_caps(c->d->confine, type->name, type->caps, err);
	struct samp_node *n;
	struct samp *sp;

	if (rc)
		return rc;
	sp = samp_new(&c->d->samp, type, name, err);
	if (!sp)
		return -ENOSYS;
	n = xcalloc(1, sizeof(*n));
	n->samp = sp;
	n->node.name = samp_name(sp);
	node_add(&c->d->samps, &n->node);
	return 0;
}

/* A sampler or a store that is not ours. */
static int load_object(struct ctl *c, const char *path, const struct samp_type **ret_samp,
		       const struct store_type **ret_store, struct err *err)
{
	int rc = confine_path(c->d->confine, "load", PATH_READ, path, err);
	const struct so *so = rc ? NULL : so_load(path, &rc, err);

	if (so) {
		*ret_samp = so->samp;
		*ret_store = so->store;
	}
	return rc;
}

int ctl_load(struct ctl *c, struct err *err)
{
	const char *name = ctl_text(c, ATTR_NAME, NULL), *plugin = ctl_text(c, ATTR_PLUGIN, name);
	const char *path = ctl_text(c, ATTR_PATH, NULL);
	const struct samp_type *samp = path ? NULL : samp_type_find(plugin);
	const struct store_type *store = path ? NULL : store_type_find(plugin);
	const struct scribe_type *scribe = path ? NULL : scribe_type_find(plugin);
	int rc = 0;

	if (path && ctl_has(c, ATTR_PLUGIN))
		return err_set(err, -EINVAL,
			       "load name=%s: plugin= names one of this ldms, path= one of its own; give one", name);
	if (path)
		rc = load_object(c, path, &samp, &store, err);
	if (rc)
		return rc;
	if (!samp && !store && !scribe)
		return no_plugin(plugin, err);
	if (node_find(c->d->samps, name) || node_find(c->d->stores, name) || ctl_scribe_find(c, name))
		return err_set(err, -EEXIST, "Error %d adding %s named '%s' with plugin '%s'\n", EEXIST,
			       samp ? "sampler" : "store", name, plugin);
	if (samp)
		return load_samp(c, samp, name, err);
	if (scribe) {
		ctl_scribe_load(c, scribe, name);
		return 0;
	}
	return load_store(c, store, name, err);
}

int ctl_store_paths(struct ctl *c, const char *store, const char *dir_attr, const char *file_attr,
		    const struct kv *attrs, struct err *err)
{
	const char *dir = dir_attr ? kv_get(attrs, dir_attr) : NULL;
	const char *file = file_attr ? kv_get(attrs, file_attr) : NULL;
	char *what = xasprintf("store %s", store);
	int rc = dir ? confine_path(c->d->confine, what, PATH_DIR, dir, err) : 0;

	if (!rc && file) { /* a store has more files beside, and makes the folder */
		char *folder = confine_folder_of(file);

		rc = confine_path(c->d->confine, what, PATH_DIR, folder, err);
		free(folder);
	}
	free(what);
	return rc;
}

static int store_paths(struct ctl *c, struct store *st, const struct kv *attrs, struct err *err)
{
	const struct store_type *type = store_type(st);

	return ctl_store_paths(c, store_name(st), type->dir_attr, type->file_attr, attrs, err);
}

/* `words`: names of attributes that are paths; `folder`: what is there will be replaced by new files. */
static int reads(struct daemon *d, const char *what, const char *words, bool folder, const struct kv *attrs,
		 struct err *err)
{
	char *copy = xstrdup(words ? words : ""), *at = copy;
	int rc = 0;

	for (char *word; !rc && (word = strtok_r(at, " ", &at));) {
		const char *value = kv_get(attrs, word);
		char *path = value && folder ? confine_folder_of(value) : xstrdup(value);

		rc = path ? confine_path(d->confine, what, PATH_READ, path, err) : 0;
		free(path);
	}
	free(copy);
	return rc;
}

int ctl_samp_reads(struct daemon *d, struct samp *sp, const struct kv *attrs, struct err *err)
{
	char *what = xasprintf("sampler %s", samp_name(sp));
	int rc = reads(d, what, samp_type(sp)->reads, false, attrs, err);

	free(what);
	return rc;
}

int ctl_store_reads(struct daemon *d, struct store *st, const struct kv *attrs, struct err *err)
{
	char *what = xasprintf("store %s", store_name(st));
	int rc = reads(d, what, store_type(st)->reads, true, attrs, err);

	free(what);
	return rc;
}

static int config(struct ctl *c, struct samp_node *s, struct store_node *st, struct scribe_node *sc, struct err *err)
{
	struct kv attrs = { 0 };
	int rc;

	kv_parse(&attrs, ctl_text(c, ATTR_STRING, ""));
	if (s) {
		rc = ctl_samp_reads(c->d, s->samp, &attrs, err);
		if (!rc)
			rc = samp_config(s->samp, &attrs, err);
	} else if (sc) {
		rc = ctl_scribe_config(c, sc, &attrs, err);
	} else {
		rc = store_paths(c, st->store, &attrs, err);
		if (!rc)
			rc = ctl_store_reads(c->d, st->store, &attrs, err);
		if (!rc)
			rc = store_config(st->store, &attrs, err);
	}
	kv_fini(&attrs);
	return rc ? err_prefix(err, rc, "Error %d configuring plugin instance '%s'. ", -rc, ctl_text(c, ATTR_NAME, ""))
		  : 0;
}

/* Without attributes an instance of ours is configured all the same: it has defaults for all of them. */
int ctl_config(struct ctl *c, struct err *err)
{
	const char *name = ctl_text(c, ATTR_NAME, NULL);
	struct samp_node *s = node_find(c->d->samps, name);
	struct store_node *st = node_find(c->d->stores, name);
	struct scribe_node *sc = ctl_scribe_find(c, name);

	if (!s && !st && !sc)
		return err_set(err, -ENOENT, "The specified plugin instance '%s' does not exist.", name);
	return config(c, s, st, sc, err);
}

static struct samp *find(struct ctl *c, struct err *err)
{
	struct samp_node *n = node_find(c->d->samps, ctl_text(c, ATTR_NAME, ""));

	if (!n)
		err_set(err, -ENOENT, "Sampler instance '%s' not found.", ctl_text(c, ATTR_NAME, ""));
	return n ? n->samp : NULL;
}

int ctl_start(struct ctl *c, struct err *err)
{
	int64_t interval_us = ctl_num(c, ATTR_INTERVAL, 0), offset_us = ctl_num(c, ATTR_OFFSET, 0);
	struct scribe_node *sc = ctl_scribe_find(c, ctl_text(c, ATTR_NAME, ""));
	struct samp *sp = sc ? NULL : find(c, err);

	if (sc) /* its interval is ldmsd's idea: nothing is sampled */
		return scribe_start(sc->scribe, err);
	if (!sp)
		return -ENOENT;
	if (interval_us <= 0)
		return err_set(err, -EINVAL, "interval '%s' invalid", ctl_text(c, ATTR_INTERVAL, ""));
	if (llabs(offset_us) > interval_us / 2)
		return err_set(err, -EINVAL, "Sampler parameters interval and offset are incompatible.");
	if (ctl_num(c, ATTR_EXCLUSIVE_THREAD, 0))
		samp_exclusive(sp);
	return samp_start(sp, interval_us, offset_us, err);
}

int ctl_stop(struct ctl *c, struct err *err)
{
	struct scribe_node *sc = ctl_scribe_find(c, ctl_text(c, ATTR_NAME, ""));
	struct samp *sp = sc ? NULL : find(c, err);

	if (sc)
		return scribe_stop(sc->scribe, err);
	return sp ? samp_stop(sp, err) : -ENOENT;
}

static int term_store(struct ctl *c, struct store_node *st, struct err *err)
{
	NODE_EACH(n, c->d->strgps) {
		if (strgp_conf(((struct strgp_node *)n)->strgp)->store == st->store)
			return err_set(err, -EBUSY,
				       "Failed to terminate the plugin instance '%s'. Storage policy %s uses it; "
				       "strgp_del that first",
				       st->node.name, n->name);
	}
	node_del(&c->d->stores, &st->node);
	store_put(st->store);
	free((char *)st->node.name);
	free(st);
	return 0;
}

int ctl_term(struct ctl *c, struct err *err)
{
	const char *name = ctl_text(c, ATTR_NAME, NULL);
	struct samp_node *s = node_find(c->d->samps, name);
	struct store_node *st = node_find(c->d->stores, name);
	struct scribe_node *sc = ctl_scribe_find(c, name);
	struct samp_status status;

	if (st)
		return term_store(c, st, err);
	if (sc) {
		ctl_scribe_term(c, sc);
		return 0;
	}
	if (!s)
		return err_set(err, -ENOENT, "plugin instance '%s' not found.", name);
	samp_status(s->samp, &status);
	if (status.state == SAMP_RUNNING)
		return err_set(err, -EBUSY,
			       "Failed to terminate the plugin instance '%s'. It is sampling; stop it first", name);
	node_del(&c->d->samps, &s->node);
	samp_free(s->samp);
	free(s);
	return 0;
}
