/* ctl_qgroup.c - the verbs on the quota group */
#include <errno.h>

#include "core/ctl/reply.h"
#include "core/ctl/verbs.h"
#include "core/daemon/auth_domain.h"
#include "core/daemon/qgroups.h"
#include "xprt/ep.h"

#define PORT_DFLT 411

/* What is not given stays as it is. */
int ctl_qgroup_config(struct ctl *c, struct err *err)
{
	struct qgroup_conf conf = qgroups_account(c->d->qgroups)->conf;
	const struct {
		enum attr_id id;
		const char *name;
		uint64_t *to;
		int64_t least;
	} rows[] = {
		{ ATTR_QUOTA, "quota", &conf.quota, 1 },
		{ ATTR_ASK_MARK, "ask_mark", &conf.ask_mark, 0 },
		{ ATTR_ASK_AMOUNT, "ask_amount", &conf.ask_amount, 1 },
		{ ATTR_ASK_INTERVAL, "ask_interval", (uint64_t *)&conf.ask_us, 1 },
		{ ATTR_RESET_INTERVAL, "reset_interval", (uint64_t *)&conf.reset_us, 1 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		int64_t v = ctl_num(c, rows[i].id, 0);

		if (!ctl_has(c, rows[i].id))
			continue;
		if (v < rows[i].least)
			return err_set(err, -EINVAL, "qgroup_config: '%s' must be at least %lld", rows[i].name,
				       (long long)rows[i].least);
		*rows[i].to = (uint64_t)v;
	}
	qgroups_config(c->d->qgroups, &conf);
	return 0;
}

int ctl_qgroup_member_add(struct ctl *c, struct err *err)
{
	const struct qgroup_member_conf conf = {
		.xprt = ctl_text(c, ATTR_XPRT, "sock"),
		.host = ctl_text(c, ATTR_HOST, ""),
		.auth = ctl_text(c, ATTR_AUTH, AUTH_DOMAIN_DFLT),
		.port = (unsigned short)ctl_num(c, ATTR_PORT, PORT_DFLT),
	};
	const struct ep_type *ep;

	if (ep_type_find(conf.xprt, &ep, err) || ctl_auth_check(c, err))
		return -ENOENT;
	return qgroups_member_add(c->d->qgroups, &conf, err);
}

int ctl_qgroup_member_del(struct ctl *c, struct err *err)
{
	return qgroups_member_del(c->d->qgroups, ctl_text(c, ATTR_HOST, ""),
				  (unsigned short)ctl_num(c, ATTR_PORT, PORT_DFLT), err);
}

int ctl_qgroup_start(struct ctl *c, struct err *err)
{
	return qgroups_start(c->d->qgroups, err);
}

int ctl_qgroup_stop(struct ctl *c, struct err *err)
{
	(void)err;
	qgroups_stop(c->d->qgroups);
	return 0;
}

struct printer {
	struct buf *b;
	const char *sep;
};

static void member_cb(void *arg, const struct qgroup_member_info *m)
{
	struct printer *p = arg;

	buf_addf(p->b, "%s{\"state\":\"%s\",\"host\":", p->sep, m->state);
	reply_string(p->b, m->conf.host);
	buf_addf(p->b, ",\"port\":\"%u\",\"xprt\":", m->conf.port);
	reply_string(p->b, m->conf.xprt);
	buf_addf(p->b, ",\"auth\":");
	reply_string(p->b, m->conf.auth);
	buf_addf(p->b, "}");
	p->sep = ",";
}

int ctl_qgroup_info(struct ctl *c, struct err *err)
{
	struct qgroup *q = qgroups_account(c->d->qgroups);
	const struct qgroup_conf conf = q->conf; /* changed by this loop alone */
	struct printer p = { .b = &c->reply, .sep = "" };
	int64_t window_us;
	uint64_t left;
	bool on = qgroup_left(q, &left, &window_us);

	(void)err;
	buf_addf(p.b,
		 "{\"state\":\"%s\",\"quota\":%llu,\"config\":{\"quota\":%llu,\"ask_mark\":%llu,\"ask_amount\":%llu,"
		 "\"ask_usec\":%lld,\"reset_usec\":%lld},\"members\":[",
		 on ? "STARTED" : "STOPPED", (unsigned long long)left, (unsigned long long)conf.quota,
		 (unsigned long long)conf.ask_mark, (unsigned long long)conf.ask_amount, (long long)conf.ask_us,
		 (long long)conf.reset_us);
	qgroups_members(c->d->qgroups, member_cb, &p);
	buf_addf(p.b, "]}");
	return 0;
}
