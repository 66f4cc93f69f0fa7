/* ctl_updtr.c - the verbs on updaters */
#include <errno.h>
#include <strings.h>

#include "core/ctl/reply.h"
#include "core/ctl/verbs.h"
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
	if (*conf.name == '#')
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

int ctl_updtr_start(struct ctl *c, struct err *err)
{
	struct updtr *u = find(c, err);
	const struct updtr_conf *conf;
	int rc = 0;

	if (!u)
		return -ENOENT;
	conf = updtr_conf(u);
	if (!updtr_running(u))
		rc = updtr_schedule_set(u, ctl_num(c, ATTR_INTERVAL, conf->interval_us),
					ctl_num(c, ATTR_OFFSET, conf->offset_us),
					ctl_num(c, ATTR_AUTO_INTERVAL, conf->auto_interval), err);
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

static const char *const modes[] = {
	[RSET_PULL] = "Pull",
	[RSET_PUSH_REQUEST] = "Push on Request",
	[RSET_PUSH_CHANGE] = "Push on Change",
};

static void status_one(struct ctl *c, struct updtr *u)
{
	const struct updtr_conf *conf = updtr_conf(u);
	struct buf *b = &c->reply;
	const char *sep = "";

	buf_addf(b, "{\"name\":");
	reply_string(b, conf->name);
	buf_addf(b,
		 ",\"interval\":\"%lld\",\"offset\":\"%lld\",\"sync\":\"true\",\"mode\":\"%s\",\"auto\":\"%s\","
		 "\"state\":\"%s\",\"producers\":[",
		 (long long)conf->interval_us, (long long)conf->offset_us, modes[conf->push],
		 conf->auto_interval ? "true" : "false", updtr_running(u) ? "RUNNING" : "STOPPED");
	NODE_EACH(n, c->d->prdcrs) {
		struct prdcr *p = (struct prdcr *)n;
		const struct prdcr_conf *pc = prdcr_conf(p);

		if (!updtr_takes_prdcr(u, n->name))
			continue;
		buf_addf(b, "%s{\"name\":", sep);
		reply_string(b, n->name);
		buf_addf(b, ",\"host\":");
		reply_string(b, pc->host);
		buf_addf(b, ",\"port\":%u,\"transport\":", pc->port);
		reply_string(b, pc->xprt);
		loop_enter(prdcr_loop(p));
		buf_addf(b, ",\"state\":\"%s\"}", prdcr_state_name(prdcr_state(p)));
		loop_leave(prdcr_loop(p));
		sep = ",\n";
	}
	buf_addf(b, "]}");
}

int ctl_updtr_status(struct ctl *c, struct err *err)
{
	const char *name = ctl_text(c, ATTR_NAME, NULL), *sep = "";

	if (name && !node_find(c->d->updtrs, name))
		return err_set(err, -ENOENT, "updtr '%s' doesn't exist.", name);
	c->json = true;
	node_sort(&c->d->updtrs);
	node_sort(&c->d->prdcrs);
	buf_addf(&c->reply, "[");
	NODE_EACH(n, c->d->updtrs) {
		if (name && strcmp(name, n->name))
			continue;
		buf_addf(&c->reply, "%s", sep);
		sep = ",\n";
		status_one(c, (struct updtr *)n);
	}
	buf_addf(&c->reply, "]");
	return 0;
}
