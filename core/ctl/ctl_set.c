/* ctl_set.c - the verbs on sets: who they belong to, numbers of metrics, how many they are, and groups of them */
#include <errno.h>
#include <stdlib.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/regex.h"
#include "core/base/xalloc.h"
#include "core/ctl/verbs.h"
#include "core/daemon/prdcr.h"
#include "core/daemon/setgroup.h"
#include "core/daemon/updtr.h"

/* -- owner and permission ------------------------------------------------------------------------------------------ */

/* Those of the attributes that were given, in the place of what was. */
static struct set_owner owner_of(const struct ctl *c, struct set_owner was)
{
	return (struct set_owner){
		.uid = (uint32_t)ctl_num(c, ATTR_UID, was.uid),
		.gid = (uint32_t)ctl_num(c, ATTR_GID, was.gid),
		.perm = (uint32_t)ctl_num(c, ATTR_PERM, was.perm),
	};
}

int ctl_metric_sets_default_authz(struct ctl *c, struct err *err)
{
	struct samp_env *env = &c->d->samp;
	const struct set_owner o = owner_of(c, (struct set_owner){ env->uid, env->gid, env->perm });

	(void)err;
	env->uid = o.uid;
	env->gid = o.gid;
	env->perm = o.perm;
	buf_addf(&c->reply, "defaults: uid=%u, gid=%u, perm=%o", o.uid, o.gid, o.perm);
	return 0;
}

struct found {
	const struct rx *rx;
	struct set **v; /* references are held */
	size_t n;
};

static int collect(struct set *s, void *arg)
{
	struct found *f = arg;

	if (!rx_match(f->rx, s->name))
		return 0;
	f->v = xrealloc(f->v, (f->n + 1) * sizeof(*f->v));
	f->v[f->n++] = set_get(s);
	return 0;
}

int ctl_set_sec_mod(struct ctl *c, struct err *err)
{
	struct rx rx = { 0 };
	struct found f = { .rx = &rx };
	int rc;

	if (!ctl_has(c, ATTR_UID) && !ctl_has(c, ATTR_GID) && !ctl_has(c, ATTR_PERM))
		return err_set(err, -EINVAL, "set_sec_mod: nothing to change; give uid=, gid= or perm=");
	rc = rx_init(&rx, ctl_text(c, ATTR_REGEX, ""), err);
	if (rc)
		return rc;
	setdb_each(c->d->sets, collect, &f);
	for (size_t i = 0; i < f.n; i++) {
		const struct set_owner now = owner_of(c, set_owner(f.v[i]));

		setdb_perm_set(c->d->sets, f.v[i], &now);
		set_put(f.v[i]);
	}
	log_info("config", "set_sec_mod: %zu sets match %s", f.n, rx.text);
	free(f.v);
	rx_fini(&rx);
	return 0;
}

/* -- user data ----------------------------------------------------------------------------------------------------- */

static struct set *set_of(const struct ctl *c, struct err *err)
{
	struct set *s = setdb_find(c->d->sets, ctl_text(c, ATTR_INSTANCE, ""));

	if (!s)
		err_set(err, -ENOENT, "Set '%s' not found.", ctl_text(c, ATTR_INSTANCE, ""));
	return s;
}

int ctl_udata(struct ctl *c, struct err *err)
{
	const char *metric = ctl_text(c, ATTR_METRIC, "");
	struct set *s = set_of(c, err);
	int i;

	if (!s)
		return -ENOENT;
	i = image_find((const struct set_meta *)s->image, metric);
	if (i < 0)
		err_set(err, i, "Metric '%s' not found in Set '%s'.", metric, s->name);
	else
		set_user_data_put(s, i, (uint64_t)ctl_num(c, ATTR_UDATA, 0));
	set_put(s);
	return i < 0 ? i : 0;
}

int ctl_udata_regex(struct ctl *c, struct err *err)
{
	uint64_t value = (uint64_t)ctl_num(c, ATTR_BASE, 0);
	struct rx rx = { 0 };
	struct set *s = set_of(c, err);
	const struct set_meta *m;
	int rc;

	if (!s)
		return -ENOENT;
	rc = rx_init(&rx, ctl_text(c, ATTR_REGEX, ""), err);
	m = (const struct set_meta *)s->image;
	for (uint32_t i = 0; !rc && i < image_card(m); i++) {
		if (!rx_match(&rx, image_metric(m, i).name))
			continue;
		set_user_data_put(s, (int)i, value);
		value += (uint64_t)ctl_num(c, ATTR_INCR, 0);
	}
	rx_fini(&rx);
	set_put(s);
	return rc;
}

/* -- how many ------------------------------------------------------------------------------------------------------ */

#define KB 1024ull

/* Of all sets: bytes a second, as far as they are written on a schedule. */
struct load {
	unsigned int sets;
	double bytes;
};

static int load_one(struct set *s, void *arg)
{
	const char *hint = set_info_find(s, UPDTR_HINT_KEY);
	struct load *l = arg;
	int64_t interval_us, offset_us;
	bool loose;

	l->sets++;
	if (hint && updtr_hint_parse(hint, &interval_us, &offset_us, &loose))
		l->bytes += (double)s->data_sz * 1e6 / (double)interval_us;
	return 0;
}

/* Sets that are gone but still held: by a queue to a store, or by a peer that reads them. */
static unsigned int deleting(struct daemon *d, unsigned int active)
{
	size_t made = pool_count(d->pool), hidden = 0;
	struct daemon_turn turn = { 0 };

	NODE_EACH(n, d->prdcrs) {
		daemon_step(d, &turn);
		for (const struct prdset *ps = prdcr_sets((struct prdcr *)n); ps; ps = ps->hh.next)
			hidden += ps->rs && !ps->published; /* not shown yet */
	}
	daemon_steps_end(d, &turn);
	return made > active + hidden ? (unsigned int)(made - active - hidden) : 0;
}

int ctl_set_stats(struct ctl *c, struct err *err)
{
	int64_t begin_us = mono_us();
	size_t used = pool_used(c->d->pool), total = pool_ceiling(c->d->pool);
	struct load l = { 0 };
	struct buf *b = &c->reply;

	(void)err;
	setdb_each(c->d->sets, load_one, &l);
	c->json = c->nul = true;
	if (!total)
		total = pool_mapped(c->d->pool); /* no ceiling: what it has by now */
	buf_addf(b, "{ \"active_count\": %u,\n \"deleting_count\": %u,\n", l.sets, deleting(c->d, l.sets));
	if (ctl_num(c, ATTR_SUMMARY, false))
		buf_addf(b, " \"summary\": \"true\",\n");
	else
		buf_addf(b,
			 " \"mem_total_kb\": %llu,\n \"mem_free_kb\": %llu,\n \"mem_used_kb\": %llu,\n"
			 " \"set_load\": %.0f,\n",
			 total / KB, (total - used) / KB, total / KB - (total - used) / KB, l.bytes);
	buf_addf(b, " \"compute_time\": %lld\n}", (long long)(mono_us() - begin_us));
	return 0;
}

/* -- groups -------------------------------------------------------------------------------------------------------- */

static struct setgroup_schedule schedule(const struct ctl *c)
{
	return (struct setgroup_schedule){
		.interval_us = ctl_num(c, ATTR_INTERVAL, 0),
		.offset_us = ctl_num(c, ATTR_OFFSET, 0),
		.has_offset = ctl_has(c, ATTR_OFFSET),
	};
}

int ctl_setgroup_add(struct ctl *c, struct err *err)
{
	const struct setgroup_schedule sched = schedule(c);

	return setgroup_add(c->d, ctl_text(c, ATTR_NAME, ""), ctl_text(c, ATTR_PRODUCER, c->d->name), &sched, err);
}

int ctl_setgroup_mod(struct ctl *c, struct err *err)
{
	const struct setgroup_schedule sched = schedule(c);

	return setgroup_mod(c->d, ctl_text(c, ATTR_NAME, ""), &sched, err);
}

int ctl_setgroup_del(struct ctl *c, struct err *err)
{
	return setgroup_del(c->d, ctl_text(c, ATTR_NAME, ""), err);
}

int ctl_setgroup_ins(struct ctl *c, struct err *err)
{
	return setgroup_ins(c->d, ctl_text(c, ATTR_NAME, ""), ctl_text(c, ATTR_INSTANCE, ""), err);
}

int ctl_setgroup_rm(struct ctl *c, struct err *err)
{
	return setgroup_rm(c->d, ctl_text(c, ATTR_NAME, ""), ctl_text(c, ATTR_INSTANCE, ""), err);
}
