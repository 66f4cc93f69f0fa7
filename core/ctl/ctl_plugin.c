/* ctl_plugin.c - the verbs on instances of samplers and stores */
#include <errno.h>
#include <stdlib.h>

#include "core/base/str.h"
#include "core/base/xalloc.h"
#include "core/ctl/reply.h"
#include "core/ctl/verbs.h"
#include "core/daemon/samp.h"
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
	names[n] = NULL;
	near = nearest(plugin, names);
	return err_set(err, -ENOENT, "plugin '%s' is no sampler or store of this ldms%s%s%s; `ldms samp -l` lists them",
		       plugin, near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
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

int ctl_load(struct ctl *c, struct err *err)
{
	const char *name = ctl_text(c, ATTR_NAME, NULL), *plugin = ctl_text(c, ATTR_PLUGIN, name);
	const struct samp_type *samp = samp_type_find(plugin);
	const struct store_type *store = store_type_find(plugin);

	if (node_find(c->d->samps, name) || node_find(c->d->stores, name))
		return err_set(err, -EEXIST, "load: an instance named '%s' exists already; give this one another name=",
			       name);
	if (samp)
		return load_samp(c, samp, name, err);
	return store ? load_store(c, store, name, err) : no_plugin(plugin, err);
}

/* Where the store would write: is that in reach? */
static int store_paths(struct ctl *c, struct store *st, const struct kv *attrs, struct err *err)
{
	const struct store_type *type = store_type(st);
	const char *dir = type->dir_attr ? kv_get(attrs, type->dir_attr) : NULL;
	const char *file = type->file_attr ? kv_get(attrs, type->file_attr) : NULL;
	char *what = xasprintf("store %s", store_name(st));
	int rc = dir ? confine_path(c->d->confine, what, PATH_DIR, dir, err) : 0;

	if (!rc && file)
		rc = confine_path(c->d->confine, what, PATH_FILE, file, err);
	free(what);
	return rc;
}

int ctl_config(struct ctl *c, struct err *err)
{
	const char *name = ctl_text(c, ATTR_NAME, NULL);
	struct samp_node *s = node_find(c->d->samps, name);
	struct store_node *st = node_find(c->d->stores, name);
	struct kv attrs = { 0 };
	int rc;

	kv_parse(&attrs, ctl_text(c, ATTR_STRING, ""));
	if (s)
		rc = samp_config(s->samp, &attrs, err);
	else if (st)
		rc = (rc = store_paths(c, st->store, &attrs, err)) ? rc : store_config(st->store, &attrs, err);
	else
		rc = err_set(err, -ENOENT, "The specified plugin instance '%s' does not exist.", name);
	kv_fini(&attrs);
	return rc;
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
	struct samp *sp = find(c, err);

	return sp ? samp_start(sp, ctl_num(c, ATTR_INTERVAL, 0), ctl_num(c, ATTR_OFFSET, 0), err) : -ENOENT;
}

int ctl_stop(struct ctl *c, struct err *err)
{
	struct samp *sp = find(c, err);

	return sp ? samp_stop(sp, err) : -ENOENT;
}

static int term_store(struct ctl *c, struct store_node *st, struct err *err)
{
	NODE_EACH(n, c->d->strgps) {
		if (strgp_conf(((struct strgp_node *)n)->strgp)->store == st->store)
			return err_set(err, -EBUSY, "store %s: storage policy %s uses it; strgp_del that first",
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
	struct samp_status status;

	if (st)
		return term_store(c, st, err);
	if (!s)
		return err_set(err, -ENOENT, "plugin instance '%s' not found.", name);
	samp_status(s->samp, &status);
	if (status.state == SAMP_RUNNING)
		return err_set(err, -EBUSY, "Failed to terminate the plugin instance '%s': it is sampling; stop it first",
			       name);
	node_del(&c->d->samps, &s->node);
	samp_free(s->samp);
	free(s);
	return 0;
}

static void status_one(struct ctl *c, const char *name, const char *plugin, const char *type, const char **sep)
{
	buf_addf(&c->reply, "%s{\"name\":", *sep);
	reply_string(&c->reply, name);
	buf_addf(&c->reply, ",\"plugin\":");
	reply_string(&c->reply, plugin);
	buf_addf(&c->reply, ",\"type\":\"%s[M]\",\"libpath\":\"built in\"", type);
	*sep = ",\n";
}

int ctl_plugn_status(struct ctl *c, struct err *err)
{
	static const char *const states[] = { "LOADED", "CONFIGURED", "RUNNING" };
	const char *sep = "";

	(void)err;
	c->json = true;
	buf_addf(&c->reply, "[");
	node_sort(&c->d->samps);
	NODE_EACH(n, c->d->samps) {
		struct samp *sp = ((struct samp_node *)n)->samp;
		struct samp_status st;

		samp_status(sp, &st);
		status_one(c, n->name, samp_type(sp)->name, "sampler", &sep);
		buf_addf(&c->reply,
			 ",\"state\":\"%s\",\"degraded\":%s,\"overdue\":%s,\"samples\":%llu,\"errors\":%llu,"
			 "\"missed\":%llu,\"sets\":%u,\"why\":",
			 states[st.state], st.degraded ? "true" : "false", st.overdue ? "true" : "false",
			 (unsigned long long)st.samples, (unsigned long long)st.errors, (unsigned long long)st.missed,
			 st.sets);
		reply_string(&c->reply, st.why);
		buf_addf(&c->reply, "}");
	}
	NODE_EACH(n, c->d->stores) {
		status_one(c, n->name, store_type(((struct store_node *)n)->store)->name, "store", &sep);
		buf_addf(&c->reply, "}");
	}
	buf_addf(&c->reply, "]");
	return 0;
}
