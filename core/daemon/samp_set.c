/* samp_set.c - what plugins ask of their instance: its attributes, schemas and sets; see plugins/samp.h */
#include <errno.h>
#include <stdlib.h>

#include "core/base/unit.h"
#include "core/base/xalloc.h"
#include "core/daemon/samp_impl.h"
#include "core/set/about.h"

/* -- the instance -------------------------------------------------------------------------------------------------- */

void *samp_state(struct samp *sp)
{
	return sp->plugin;
}

const char *samp_name(const struct samp *sp)
{
	return sp->name;
}

const char *samp_producer(const struct samp *sp)
{
	return sp->producer;
}

const char *samp_instance(const struct samp *sp)
{
	return sp->instance;
}

uint64_t samp_component_id(const struct samp *sp)
{
	return sp->component_id;
}

const char *samp_attr(const struct samp *sp, const char *name)
{
	return kv_get(&sp->attrs, name);
}

bool samp_attr_has(const struct samp *sp, const char *name)
{
	return kv_has(&sp->attrs, name);
}

int samp_attr_u64(const struct samp *sp, const char *name, uint64_t dflt, uint64_t *ret, struct err *err)
{
	const char *text = samp_attr(sp, name);
	int rc;

	if (!text) {
		*ret = dflt;
		return 0;
	}
	rc = unit_u64(text, ret, err);
	return rc ? err_prefix(err, -EINVAL, "%s=: ", name) : 0;
}

const char *samp_root(const struct samp *sp)
{
	return sp->root;
}

struct daemon *samp_daemon(const struct samp *sp)
{
	return sp->env->daemon;
}

/* -- schemas ------------------------------------------------------------------------------------------------------- */

static const struct metric_def base_metrics[] = {
	{ "component_id", V_U64, "", METRIC_INFO, "number of the node", 1 },
	{ "job_id", V_U64, "", METRIC_GAUGE, "job that runs on the node; 0: none", 1 },
	{ "app_id", V_U64, "", METRIC_GAUGE, "application (step) of the job", 1 },
};
enum { BASE_COMPONENT_ID, BASE_JOB_ID, BASE_APP_ID, BASE_METRICS };

struct schema *samp_schema_bare(struct samp *sp, const char *dflt, struct err *err)
{
	const char *name = samp_attr(sp, "schema");
	struct schema *s = schema_new(name ? name : dflt, err);

	if (s)
		schema_array_card_set(s, sp->array_card);
	return s;
}

struct schema *samp_schema_new(struct samp *sp, const char *dflt, struct err *err)
{
	struct schema *s = samp_schema_bare(sp, dflt, err);

	if (!s)
		return NULL;
	if (schema_add_defs(s, base_metrics, BASE_METRICS, err) < 0) {
		schema_free(s);
		return NULL;
	}
	schema_tag_set(s, base_metrics); /* so that a set of it is known to have them */
	return s;
}

/* -- sets ---------------------------------------------------------------------------------------------------------- */

/* What is the same in every sample. */
static void set_fill(const struct samp *sp, struct set *set)
{
	int i = image_find((const struct set_meta *)set->image, "component_id");
	struct metric m;

	if (i < 0)
		return;
	m = image_metric((const struct set_meta *)set->image, (uint32_t)i);
	if (m.type != V_U64)
		return;
	if (m.meta)
		set_meta_u64(set, i, sp->component_id);
	else
		set_u64(set, i, sp->component_id);
}

/* Publish a set that is not known to anybody else yet; the lock is held. */
static int set_publish(struct samp *sp, struct set *set, const void *tag, struct err *err)
{
	struct samp_set *last = TAILQ_LAST(&sp->sets, samp_sets), *ss;
	int rc;

	if (last)
		set_about_share(set, last->set);
	if (*sp->hint)
		set_info_put(set, "updt_hint_us", sp->hint);
	rc = setdb_add(sp->env->sets, set, err);
	if (rc)
		return rc;
	ss = xcalloc(1, sizeof(*ss));
	ss->set = set;
	if (tag == base_metrics) {
		ss->job_id = set_slot(set, BASE_JOB_ID);
		ss->app_id = set_slot(set, BASE_APP_ID);
	}
	set->keeper = ss;
	TAILQ_INSERT_TAIL(&sp->sets, ss, entry);
	sp->n_sets++;
	return 0;
}

struct set *samp_set_named(struct samp *sp, struct schema *schema, const char *name, struct err *err)
{
	struct set *set = NULL;
	int rc;

	schema_about_fill(schema, sp->type->metrics);
	pthread_mutex_lock(&sp->lock); /* throughout: an orphan must not touch the daemon's objects */
	if (sp->orphan)
		rc = err_set(err, -ECANCELED, "set %s: its sampler has been removed", name);
	else
		rc = set_new(sp->env->pool, schema, name, sp->producer, sp->uid, sp->gid, sp->perm, &set, err);
	if (!rc) {
		set_fill(sp, set);
		rc = set_publish(sp, set, schema_tag(schema), err);
		if (rc) {
			set_put(set);
			set = NULL;
		}
	}
	pthread_mutex_unlock(&sp->lock);
	sp->set_rc = rc;
	schema_free(schema);
	return set;
}

int samp_set_make(struct samp *sp, struct schema *schema, const struct metric_def *defs, size_t n, const char *name,
		  struct set **ret, struct err *err)
{
	int first = schema ? schema_add_defs(schema, defs, n, err) : -EINVAL;

	if (first < 0) {
		schema_free(schema);
		return first;
	}
	*ret = name ? samp_set_named(sp, schema, name, err) : samp_set_new(sp, schema, "", err);
	return *ret ? first : -ENOMEM;
}

struct set *samp_set_new(struct samp *sp, struct schema *schema, const char *suffix, struct err *err)
{
	char *name = xasprintf("%s%s", sp->instance, suffix);
	struct set *set = samp_set_named(sp, schema, name, err);

	free(name);
	return set;
}

/* The lock is held. */
static void set_forget(struct samp *sp, struct samp_set *ss)
{
	TAILQ_REMOVE(&sp->sets, ss, entry);
	sp->n_sets--;
	ss->set->keeper = NULL;
	set_put(ss->set);
	free(ss);
}

void samp_set_drop(struct samp *sp, struct set *set)
{
	if (!set)
		return;
	pthread_mutex_lock(&sp->lock);
	if (!sp->orphan)
		setdb_del(sp->env->sets, set);
	set_forget(sp, set->keeper);
	pthread_mutex_unlock(&sp->lock);
}

void samp_sets_unpublish(struct samp *sp)
{
	struct samp_set *ss;

	TAILQ_FOREACH(ss, &sp->sets, entry)
		setdb_del(sp->env->sets, ss->set);
}

void samp_sets_free(struct samp *sp)
{
	pthread_mutex_lock(&sp->lock);
	if (!sp->orphan)
		samp_sets_unpublish(sp);
	while (!TAILQ_EMPTY(&sp->sets))
		set_forget(sp, TAILQ_FIRST(&sp->sets));
	pthread_mutex_unlock(&sp->lock);
}

/* -- samples ------------------------------------------------------------------------------------------------------- */

void samp_begin(struct samp *sp, struct set *set)
{
	struct samp_set *ss = set->keeper;

	set_begin(set);
	if (ss->job_id && !ss->own_job)
		samp_job_put(sp, ss);
}

void samp_end(struct samp *sp, struct set *set)
{
	(void)sp;
	set_end(set);
}

void samp_cancel(struct samp *sp, struct set *set)
{
	(void)sp;
	set_cancel(set);
}

void samp_set_job(struct samp *sp, struct set *set, uint64_t job_id, uint64_t app_id)
{
	struct samp_set *ss = set->keeper;

	(void)sp;
	if (!ss->job_id)
		return;
	ss->own_job = true;
	*ss->job_id = htole64(job_id);
	*ss->app_id = htole64(app_id);
}
