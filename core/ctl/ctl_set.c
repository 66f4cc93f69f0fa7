/* ctl_set.c - the verbs on sets: who they belong to, and groups of them */
#include <errno.h>
#include <stdlib.h>

#include "core/base/log.h"
#include "core/base/regex.h"
#include "core/base/xalloc.h"
#include "core/ctl/verbs.h"
#include "core/daemon/setgroup.h"

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
