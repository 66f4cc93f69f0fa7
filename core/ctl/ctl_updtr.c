/* ctl_updtr.c - the verbs that make, change and end updaters; questions about them are ctl_updtr_stat.c's */
#include <errno.h>
#include <stdlib.h>
#include <strings.h>

#include "core/ctl/verbs.h"
#include "core/daemon/mirrored.h"
#include "core/daemon/updtr.h"

static struct updtr *find(struct ctl *c, struct err *err)
{
	struct updtr *u = node_find(c->d->updtrs, ctl_text(c, ATTR_NAME, ""));

	if (!u)
		err_set(err, -ENOENT, "The updater specified does not exist.");
	return u;
}

/* The values of push=, in any case; ldmsd has no word for what is the default. */
static const struct {
	const char *word;
	enum rset_push push;
} pushes[] = {
	{ "onchange", RSET_PUSH_CHANGE }, { "true", RSET_PUSH_REQUEST }, { "yes", RSET_PUSH_REQUEST },
	{ "false", RSET_PULL },           { "no", RSET_PULL },
};

static int push_parse(const char *text, enum rset_push *ret, struct err *err)
{
	*ret = RSET_PULL;
	if (!text)
		return 0;
	for (size_t i = 0; i < sizeof(pushes) / sizeof(*pushes); i++) {
		if (strcasecmp(pushes[i].word, text))
			continue;
		*ret = pushes[i].push;
		return 0;
	}
	return err_set(err, -EINVAL, "The valud push options are \"onchange\", \"true\" or \"yes\"\n");
}

int ctl_updtr_add(struct ctl *c, struct err *err)
{
	struct updtr_conf conf = {
		.name = ctl_text(c, ATTR_NAME, NULL),
		.interval_us = ctl_num(c, ATTR_INTERVAL, 0),
		.offset_us = ctl_num(c, ATTR_OFFSET, 0),
		.auto_interval = ctl_num(c, ATTR_AUTO_INTERVAL, false),
		.uid = c->uid,
		.gid = c->gid,
		.perm = (uint32_t)ctl_num(c, ATTR_PERM, 0770),
	};
	struct updtr *u;

	if (push_parse(ctl_text(c, ATTR_PUSH, NULL), &conf.push, err))
		return -EINVAL;
	if (conf.push && conf.auto_interval)
		return err_set(err, -EINVAL, "auto_interval and push are incompatible options");
	if (node_find(c->d->updtrs, conf.name))
		return err_set(err, -EEXIST, "The updtr %s already exists.", conf.name);
	if (is_mirrored(conf.name) && !c->itself)
		return err_set(err, -EINVAL, "%s is an invalid updtr name", conf.name);
	u = updtr_new(c->d, &conf, err);
	if (!u)
		return -EINVAL;
	node_add(&c->d->updtrs, (struct node *)u);
	return 0;
}

int ctl_updtr_del(struct ctl *c, struct err *err)
{
	struct updtr *u = find(c, err);

	if (!u)
		return -ENOENT;
	if (updtr_running(u))
		return err_set(err, -EBUSY, "The updater is in use.");
	node_del(&c->d->updtrs, (struct node *)u);
	updtr_free(u);
	return 0;
}

/* interval= alone asks for no place on the wall clock; offset= alone keeps the interval. */
int ctl_updtr_schedule(const struct ctl *c, struct updtr *u, struct err *err)
{
	struct updtr_conf conf = *updtr_conf(u);

	if (ctl_has(c, ATTR_INTERVAL)) {
		conf.interval_us = ctl_num(c, ATTR_INTERVAL, 0);
		conf.async = !ctl_has(c, ATTR_OFFSET);
		conf.offset_us = 0;
	}
	if (ctl_has(c, ATTR_OFFSET)) {
		conf.offset_us = ctl_num(c, ATTR_OFFSET, 0);
		conf.async = false;
	}
	conf.auto_interval = ctl_num(c, ATTR_AUTO_INTERVAL, conf.auto_interval);
	if (conf.interval_us <= 0)
		return err_set(err, -EINVAL, "The update interval must be a positive interval. (%s)",
			       ctl_text(c, ATTR_INTERVAL, ""));
	if (llabs(conf.offset_us) > conf.interval_us / 2)
		return err_set(err, -EINVAL,
			       "The absolute value of the offset value must not be larger than the half of the update "
			       "interval. (i=%lld,o=%lld)",
			       (long long)conf.interval_us, (long long)conf.offset_us);
	if (conf.push && conf.auto_interval)
		return err_set(err, -EINVAL, "auto_interval and push are incompatible options");
	return updtr_schedule_set(u, &conf, err);
}

int ctl_updtr_start(struct ctl *c, struct err *err)
{
	struct updtr *u = find(c, err);
	int rc = 0;

	if (!u)
		return -ENOENT;
	if (!updtr_running(u))
		rc = ctl_updtr_schedule(c, u, err);
	return rc ? rc : updtr_start(u, err);
}

int ctl_updtr_stop(struct ctl *c, struct err *err)
{
	struct updtr *u = find(c, err);

	if (!u)
		return -ENOENT;
	updtr_stop(u);
	return 0;
}

int ctl_updtr_prdcr_add(struct ctl *c, struct err *err)
{
	struct updtr *u = find(c, err);
	int rc = u ? updtr_prdcr_add(u, ctl_text(c, ATTR_REGEX, ""), err) : -ENOENT;

	if (!rc)
		buf_addf(&c->reply, "0\n"); /* ldmsd's word for "good" here */
	return rc;
}

int ctl_updtr_prdcr_del(struct ctl *c, struct err *err)
{
	struct updtr *u = find(c, err);

	return u ? updtr_prdcr_del(u, ctl_text(c, ATTR_REGEX, ""), err) : -ENOENT;
}

static enum updtr_selector selector(const struct ctl *c)
{
	return strcmp(ctl_text(c, ATTR_MATCH, "inst"), "schema") ? UPDTR_INSTANCE : UPDTR_SCHEMA;
}

int ctl_updtr_match_add(struct ctl *c, struct err *err)
{
	struct updtr *u = find(c, err);

	return u ? updtr_match_add(u, ctl_text(c, ATTR_REGEX, ""), selector(c), err) : -ENOENT;
}

int ctl_updtr_match_del(struct ctl *c, struct err *err)
{
	struct updtr *u = find(c, err);

	return u ? updtr_match_del(u, ctl_text(c, ATTR_REGEX, ""), selector(c), err) : -ENOENT;
}
