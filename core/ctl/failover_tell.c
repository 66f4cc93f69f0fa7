/* failover_tell.c - see failover_tell.h */
#include "core/ctl/failover_tell.h"

#include <stdarg.h>
#include <stdio.h>

#include "core/ctl/failover_keep.h"
#include "core/ctl/record.h"
#include "core/ctl/session.h"
#include "core/daemon/auth_domain.h"
#include "core/daemon/mirrored.h"
#include "core/daemon/prdcr.h"
#include "core/daemon/prdcr_sub.h"
#include "core/daemon/updtr.h"

/* One record under way; the first error stays. */
struct telling {
	struct ctl *c;
	struct err *err;
	struct buf body;
	int rc;
};

__attribute__((format(printf, 3, 4))) static void put(struct telling *t, enum attr_id id, const char *fmt, ...)
{
	struct buf value = { 0 };
	char text[64];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (n >= (int)sizeof(text)) {
		va_start(ap, fmt);
		vsnprintf(buf_reserve(&value, (size_t)n + 1), (size_t)n + 1, fmt, ap);
		va_end(ap);
	}
	record_put(&t->body, id, value.p ? (char *)value.p : text, (size_t)n + 1);
	buf_fini(&value);
}

static void begin(struct telling *t, const char *name)
{
	buf_reset(&t->body);
	put(t, ATTR_NAME, "%c%s", MIRRORED_MARK, name);
}

static void tell(struct telling *t, uint32_t code)
{
	record_end(&t->body);
	if (!t->rc)
		t->rc = ctl_peer_tell(t->c, code, &t->body, t->err);
}

static void put_owner(struct telling *t, uint32_t uid, uint32_t gid, uint32_t perm, bool runs)
{
	put(t, ATTR_UID, "%u", uid);
	put(t, ATTR_GID, "%u", gid);
	put(t, ATTR_PERM, "0%o", perm | (runs ? FAILOVER_RUNS : 0));
}

/* -- producers ------------------------------------------------------------------------------------------------------- */

static long long limit(int64_t n)
{
	return n > 0 ? n : -1;
}

static void tell_wants(struct telling *t, const char *name, const struct prdcr_want *wants)
{
	for (const struct prdcr_want *w = wants; w; w = w->next) {
		begin(t, name);
		put(t, w->conf.kind == WANT_STREAM ? ATTR_STREAM : ATTR_MESSAGE_TAG, "%s", w->conf.text);
		if (w->conf.kind == WANT_MESSAGES)
			put(t, ATTR_RX_RATE, "%lld", limit(w->conf.rate));
		tell(t, FAILOVER_CFGPRDCR);
	}
}

/* Producers that are made here, by an operator: others come by themselves. */
static bool is_ours(const struct prdcr_conf *conf)
{
	return !is_mirrored(conf->name) && !conf->listen &&
	       (conf->type == PRDCR_ACTIVE || conf->type == PRDCR_PASSIVE || conf->type == PRDCR_BRIDGE);
}

static void tell_prdcr(struct telling *t, struct prdcr *p)
{
	const struct prdcr_conf *conf = prdcr_conf(p);
	enum prdcr_state state;

	if (!is_ours(conf))
		return;
	loop_enter(prdcr_loop(p));
	state = prdcr_state(p);
	begin(t, conf->name);
	put(t, ATTR_HOST, "%s", conf->host);
	put(t, ATTR_PORT, "%u", conf->port);
	put(t, ATTR_XPRT, "%s", conf->xprt);
	put(t, ATTR_INTERVAL, "%lld", (long long)conf->reconnect_us);
	put(t, ATTR_TYPE, "%s", prdcr_type_name(conf->type));
	put_owner(t, conf->uid, conf->gid, conf->perm, state != PRDCR_STOPPED && state != PRDCR_STANDBY);
	put(t, ATTR_RAIL, "%u", conf->rail);
	put(t, ATTR_QUOTA, "%lld", limit(conf->quota.recv_quota));
	put(t, ATTR_RX_RATE, "%lld", limit(conf->quota.rate));
	put(t, ATTR_CACHE_IP, "1");
	if (strcmp(conf->auth, AUTH_DOMAIN_DFLT))
		put(t, ATTR_AUTH, "%s", conf->auth);
	tell(t, FAILOVER_CFGPRDCR);
	tell_wants(t, conf->name, prdcr_wants(p));
	loop_leave(prdcr_loop(p));
}

/* -- updaters -------------------------------------------------------------------------------------------------------- */

static void tell_members(struct telling *t, const struct updtr *u)
{
	NODE_EACH(n, t->c->d->prdcrs) {
		if (!is_ours(prdcr_conf((struct prdcr *)n)) || !updtr_takes_prdcr(u, n->name))
			continue;
		begin(t, updtr_conf(u)->name);
		put(t, ATTR_PRODUCER, "%c%s", MIRRORED_MARK, n->name);
		tell(t, FAILOVER_CFGUPDTR);
	}
}

static void tell_updtr(struct telling *t, const struct updtr *u)
{
	const struct updtr_conf *conf = updtr_conf(u);
	enum updtr_selector sel;
	const char *regex;

	if (is_mirrored(conf->name))
		return;
	begin(t, conf->name);
	put(t, ATTR_INTERVAL, "%lld", (long long)conf->interval_us);
	put(t, ATTR_OFFSET, "%lld", (long long)conf->offset_us);
	put(t, ATTR_AUTO_INTERVAL, "%s", conf->auto_interval ? "true" : "false");
	if (conf->push)
		put(t, ATTR_PUSH, "%s", conf->push == RSET_PUSH_CHANGE ? "onchange" : "onpush");
	put_owner(t, conf->uid, conf->gid, conf->perm, updtr_running(u));
	tell(t, FAILOVER_CFGUPDTR);
	tell_members(t, u);
	for (size_t i = 0; (regex = updtr_match(u, i, &sel)); i++) {
		begin(t, conf->name);
		put(t, ATTR_MATCH, "%s", sel == UPDTR_SCHEMA ? "schema" : "inst");
		put(t, ATTR_REGEX, "%s", regex);
		tell(t, FAILOVER_CFGUPDTR);
	}
}

/* -- storage policies ------------------------------------------------------------------------------------------------ */

static const char *plugin_of(const struct daemon *d, const struct store *store)
{
	NODE_EACH(n, d->stores)
		if (((struct store_node *)n)->store == store)
			return n->name;
	return "";
}

static void tell_strgp(struct telling *t, const struct strgp *sg)
{
	const struct strgp_conf *conf = strgp_conf(sg);
	const char *text;

	if (is_mirrored(conf->name))
		return;
	begin(t, conf->name);
	put(t, ATTR_PLUGIN, "%s", plugin_of(t->c->d, conf->store));
	put(t, ATTR_CONTAINER, "%s", conf->container);
	if (conf->schema)
		put(t, ATTR_SCHEMA, "%s", conf->schema);
	else
		put(t, ATTR_REGEX, "%s", conf->schema_regex);
	if (conf->decomposition)
		put(t, ATTR_DECOMPOSITION, "%s", conf->decomposition);
	put(t, ATTR_INTERVAL, "%lld", (long long)conf->flush_us);
	put(t, ATTR_SIZE, "%llu", (unsigned long long)conf->queue_bytes);
	if (conf->queue_age_us)
		put(t, ATTR_TIME, "%lld", (long long)conf->queue_age_us);
	if (conf->overflow == STRGP_SPOOL) {
		put(t, ATTR_PATH, "%s", conf->spool);
		put(t, ATTR_QUOTA, "%llu", (unsigned long long)conf->spool_bytes);
	}
	if (conf->spool_age_us)
		put(t, ATTR_RESET_INTERVAL, "%lld", (long long)conf->spool_age_us);
	if (conf->shard.n)
		put(t, ATTR_MATCH, "%u/%u", conf->shard.k, conf->shard.n);
	put_owner(t, conf->uid, conf->gid, conf->perm, strgp_running(sg));
	tell(t, FAILOVER_CFGSTRGP);
	for (size_t i = 0; (text = strgp_prdcr(sg, i)); i++) {
		begin(t, conf->name);
		put(t, ATTR_REGEX, "%s", text);
		tell(t, FAILOVER_CFGSTRGP);
	}
	for (size_t i = 0; (text = strgp_metric(sg, i)); i++) {
		begin(t, conf->name);
		put(t, ATTR_METRIC, "%s", text);
		tell(t, FAILOVER_CFGSTRGP);
	}
}

int failover_tell(struct ctl *c, struct err *err)
{
	struct telling t = { .c = c, .err = err };
	struct daemon *d = c->d;

	node_sort(&d->prdcrs);
	node_sort(&d->updtrs);
	node_sort(&d->strgps);
	NODE_EACH(n, d->prdcrs)
		tell_prdcr(&t, (struct prdcr *)n);
	NODE_EACH(n, d->updtrs)
		tell_updtr(&t, (struct updtr *)n);
	NODE_EACH(n, d->strgps)
		tell_strgp(&t, ((struct strgp_node *)n)->strgp);
	buf_fini(&t.body);
	return t.rc;
}
