/* ctl_strgp.c - the verbs that make, change and end storage policies; questions about them are ctl_strgp_stat.c's */
#include <errno.h>
#include <stdlib.h>

#include "core/base/log.h"
#include "core/base/unit.h"
#include "core/base/xalloc.h"
#include "core/ctl/session.h"
#include "core/ctl/ctl_strgp.h"
#include "core/ctl/verbs.h"
#include "core/daemon/confine.h"
#include "core/daemon/mirrored.h"
#include "core/daemon/spool.h"
#include "core/daemon/strgp.h"

#define STOP_DEADLINE_US (2 * SEC_US) /* a policy that is stopped by hand stores what is queued for so long */

static struct strgp *look(struct ctl *c, const char *unknown, struct err *err)
{
	struct strgp_node *n = node_find(c->d->strgps, ctl_text(c, ATTR_NAME, ""));

	if (!n)
		err_set(err, -ENOENT, "%s", unknown);
	return n ? n->strgp : NULL;
}

static struct strgp *find(struct ctl *c, struct err *err)
{
	return look(c, "The storage policy specified does not exist.", err);
}

/* To start and stop it; other words, as ldmsd has it. */
static struct strgp *find_to_run(struct ctl *c, struct err *err)
{
	return look(c, "The storage policy does not exist.", err);
}

/* Which policies run has changed: sets look for theirs anew. */
static void changed(struct ctl *c)
{
	atomic_fetch_add(&c->d->strgp_gen, 1);
}

/* Who asks over the network hears ldmsd's words; who has the file hears the line in it. */
static int read_decomposition(struct ctl *c, struct strgp_conf *conf, struct err *err)
{
	unsigned int line;
	int rc = confine_path(c->d->confine, "strgp_add", PATH_READ, conf->decomposition, err);

	if (rc)
		return rc;
	rc = decomp_load(conf->name, conf->decomposition, &conf->decomp, &line, err);

	if (rc && c->from)
		log_error("config", "%s:%u: %s", conf->decomposition, line, err ? err->msg : "");
	else if (rc && line)
		rc = err_prefix(err, rc, "%s:%u: ", conf->decomposition, line);
	return rc;
}

static int overflow(struct ctl *c, struct strgp_conf *conf, struct err *err)
{
	const char *word = ctl_text(c, ATTR_TYPE, conf->spool ? "spool" : "drop-oldest");

	conf->overflow = strcmp(word, "spool") ? STRGP_DROP_OLDEST : STRGP_SPOOL;
	if (conf->overflow == STRGP_SPOOL && !conf->spool)
		return err_set(err, -EINVAL, "strgp %s: overflow=spool: say where, too: spool=DIR", conf->name);
	if (conf->overflow != STRGP_SPOOL && (conf->spool || conf->spool_bytes || conf->spool_age_us))
		return err_set(err, -EINVAL, "strgp %s: spool=, spool_bytes= and spool_age= go with overflow=spool",
			       conf->name);
	if (conf->spool_bytes && conf->spool_bytes < SPOOL_BYTES_MIN)
		return err_set(err, -EINVAL, "strgp %s: spool_bytes=%llu: at least %uM", conf->name,
			       (unsigned long long)conf->spool_bytes, SPOOL_BYTES_MIN >> 20);
	if (conf->queue_age_us < 0 || conf->spool_age_us < 0)
		return err_set(err, -EINVAL, "strgp %s: %s: an age is a positive time, as 1h", conf->name,
			       conf->queue_age_us < 0 ? "queue_age" : "spool_age");
	return conf->spool ? confine_path(c->d->confine, "strgp_add", PATH_DIR, conf->spool, err) : 0;
}

int ctl_strgp_add(struct ctl *c, struct err *err)
{
	const char *name = ctl_text(c, ATTR_NAME, NULL), *plugin = ctl_text(c, ATTR_PLUGIN, "");
	struct store_node *store = node_find(c->d->stores, plugin);
	struct strgp_conf conf = {
		.name = name,
		.store = store ? store->store : NULL,
		.container = ctl_text(c, ATTR_CONTAINER, name),
		.schema = ctl_text(c, ATTR_SCHEMA, NULL),
		.schema_regex = ctl_text(c, ATTR_REGEX, NULL),
		.decomposition = ctl_text(c, ATTR_DECOMPOSITION, NULL),
		.flush_us = ctl_num(c, ATTR_INTERVAL, 0),
		.queue_bytes = (uint64_t)ctl_num(c, ATTR_SIZE, 0),
		.queue_age_us = ctl_num(c, ATTR_TIME, 0),
		.spool = ctl_text(c, ATTR_PATH, NULL),
		.spool_bytes = (uint64_t)ctl_num(c, ATTR_QUOTA, 0),
		.spool_age_us = ctl_num(c, ATTR_RESET_INTERVAL, 0),
		.uid = c->uid,
		.gid = c->gid,
		.perm = (uint32_t)ctl_num(c, ATTR_PERM, 0770),
	};
	struct strgp_node *n;
	struct strgp *sg;
	int rc = 0;

	if (conf.schema && conf.schema_regex)
		return err_set(err, -EINVAL, "The attributes 'schema' and 'regex' are mutually exclusive.");
	if (!conf.schema && !conf.schema_regex)
		return err_set(err, -EINVAL, "The attribute 'schema' or 'regex' is required by strgp_add.");
	if (!store)
		return err_set(err, -ENOENT, "The plugin %s does not exist. Forgot load?\n", plugin);
	if (node_find(c->d->strgps, name))
		return err_set(err, -EEXIST, "The strgp %s already exists.", name);
	if (is_mirrored(name) && !c->itself)
		return err_set(err, -EINVAL, "%s is an invalid policy name", name);
	if (ctl_has(c, ATTR_MATCH) && (rc = shard_parse(ctl_text(c, ATTR_MATCH, ""), &conf.shard, err)))
		return err_prefix(err, rc, "strgp %s: shard: ", name);
	rc = overflow(c, &conf, err);
	if (!rc && conf.decomposition)
		rc = read_decomposition(c, &conf, err);
	if (!rc)
		rc = strgp_new(&conf, c->d->strgp_pool, &sg, err);
	if (rc) {
		decomp_free(conf.decomp);
		return rc;
	}
	n = xcalloc(1, sizeof(*n));
	n->node.name = strgp_name(sg);
	n->strgp = sg;
	pthread_mutex_lock(&c->d->strgp_lock);
	node_add(&c->d->strgps, &n->node);
	pthread_mutex_unlock(&c->d->strgp_lock);
	return 0;
}

static void unlist(struct daemon *d, struct strgp_node *n)
{
	pthread_mutex_lock(&d->strgp_lock);
	node_del(&d->strgps, &n->node);
	pthread_mutex_unlock(&d->strgp_lock);
	atomic_fetch_add(&d->strgp_gen, 1);
}

int ctl_strgp_del(struct ctl *c, struct err *err)
{
	struct strgp_node *n = node_find(c->d->strgps, ctl_text(c, ATTR_NAME, ""));

	if (!n)
		return err_set(err, -ENOENT, "The storage policy specified does not exist.");
	if (strgp_running(n->strgp))
		return err_set(err, -EBUSY, "The storage policy is in use.");
	unlist(c->d, n);
	strgp_put(n->strgp);
	free(n);
	return 0;
}

int ctl_strgp_start(struct ctl *c, struct err *err)
{
	struct strgp *sg = find_to_run(c, err);
	int rc = sg ? strgp_start(sg, err) : -ENOENT;

	if (!rc)
		changed(c);
	return rc;
}

/* A stop that nobody may wait for: a store may take its time, so a worker does. */
struct stop {
	struct work_job job;
	struct daemon *d;
	struct strgp *sg;                                 /* a reference is held */
	struct ctl_later *later;                          /* NULL: nobody asked */
	void (*gone)(struct daemon *d, const char *name); /* or NULL */
	struct err err;
	int rc;
};

static void stop_run(struct work_job *job)
{
	struct stop *s = (struct stop *)job;

	s->rc = strgp_stop(s->sg, STOP_DEADLINE_US, &s->err);
}

static void stop_done(struct work_job *job)
{
	struct stop *s = (struct stop *)job;

	atomic_fetch_add(&s->d->strgp_gen, 1);
	if (s->later)
		ctl_later_text(s->later, s->rc, s->rc ? s->err.msg : "");
	else if (s->rc)
		log_error("store", "policy %s: %s", strgp_name(s->sg), s->err.msg);
	if (s->gone && !s->rc)
		s->gone(s->d, strgp_name(s->sg));
	strgp_put(s->sg);
	free(s);
}

/* Takes the reference. */
static void stop_later(struct daemon *d, struct strgp *sg, struct ctl_later *later,
		       void (*gone)(struct daemon *d, const char *name))
{
	struct stop *s = xcalloc(1, sizeof(*s));

	s->job = (struct work_job){ .run = stop_run, .done = stop_done, .loop = d->main };
	s->d = d;
	s->sg = sg;
	s->later = later;
	s->gone = gone;
	work_add(d->work, &s->job);
}

void ctl_strgp_drop(struct daemon *d, struct strgp_node *n, void (*gone)(struct daemon *d, const char *name))
{
	unlist(d, n);
	if (strgp_running(n->strgp))
		stop_later(d, n->strgp, NULL, gone);
	else
		strgp_put(n->strgp);
	free(n);
}

int ctl_strgp_stop(struct ctl *c, struct err *err)
{
	struct strgp *sg = find_to_run(c, err);
	int rc;

	if (!sg)
		return -ENOENT;
	if (c->from && strgp_running(sg)) {
		stop_later(c->d, strgp_get(sg), ctl_defer_in_order(c), NULL);
		return 0;
	}
	rc = strgp_stop(sg, STOP_DEADLINE_US, err);
	changed(c);
	return rc;
}

int ctl_strgp_prdcr_add(struct ctl *c, struct err *err)
{
	struct strgp *sg = find(c, err);

	return sg ? strgp_prdcr_add(sg, ctl_text(c, ATTR_REGEX, ""), err) : -ENOENT;
}

int ctl_strgp_prdcr_del(struct ctl *c, struct err *err)
{
	struct strgp *sg = find(c, err);

	return sg ? strgp_prdcr_del(sg, ctl_text(c, ATTR_REGEX, ""), err) : -ENOENT;
}

int ctl_strgp_metric_add(struct ctl *c, struct err *err)
{
	struct strgp *sg = find(c, err);

	return sg ? strgp_metric_add(sg, ctl_text(c, ATTR_METRIC, ""), err) : -ENOENT;
}

int ctl_strgp_metric_del(struct ctl *c, struct err *err)
{
	struct strgp *sg = find(c, err);

	return sg ? strgp_metric_del(sg, ctl_text(c, ATTR_METRIC, ""), err) : -ENOENT;
}
