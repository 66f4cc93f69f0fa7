/* ctl_xprt.c - the verbs on what peers may take of this daemon, and what they were refused.  See xprt/limits.h. */
#include <errno.h>
#include <stdlib.h>

#include "core/base/clock.h"
#include "core/base/json_put.h"
#include "core/base/kv.h"
#include "core/base/unit.h"
#include "core/ctl/verbs.h"
#include "core/daemon/listener.h"
#include "xprt/stats.h"

int ctl_limits(struct ctl *c, struct err *err)
{
	struct xprt_limits try = c->d->xprt.limits; /* all or none */
	struct kv kv = { 0 };
	int rc = 0;

	kv_parse(&kv, ctl_text(c, ATTR_STRING, ""));
	for (size_t i = 0; i < kv.n && !rc; i++) {
		if (kv.v[i].value)
			rc = xprt_limit_set(&try, kv.v[i].key, kv.v[i].value, err);
		else
			rc = err_set(err, -EINVAL, "limits: '%s' is no NAME=VALUE", kv.v[i].key);
	}
	for (size_t i = 0; i < kv.n && !rc; i++)
		rc = xprt_limit_set(&c->d->xprt.limits, kv.v[i].key, kv.v[i].value, err);
	kv_fini(&kv);
	return rc;
}

static void put_addr(struct buf *b, const struct sockaddr_storage *addr)
{
	char text[ADDR_TEXT_MAX];

	json_put_str(b, addr->ss_family ? addr_text(addr, text) : "");
}

unsigned long ctl_put_refused(struct buf *b, struct xprt_env *env)
{
	unsigned long n, sum = 0;

	buf_addf(b, "[");
	for (int why = 0; why < REFUSALS; why++) {
		struct refusal_last last = refusal_last(env, (enum refusal)why);

		n = atomic_load(&env->stats.refusals.n[why]);
		if (!n)
			continue;
		buf_addf(b, "%s{ \"reason\": \"%s\", \"count\": %lu, \"what\": \"%s\", \"last_us\": %lld, \"last_peer\": ",
			 sum ? "," : "", refusal_name((enum refusal)why), n, refusal_words((enum refusal)why),
			 (long long)last.wall_us);
		put_addr(b, &last.addr);
		buf_addf(b, " }");
		sum += n;
	}
	buf_addf(b, "]");
	return sum;
}

/* -- xprt_stats ------------------------------------------------------------------------------------------------------ */

struct rails {
	struct buf *b;
	unsigned int n, connected, connecting, closed;
};

static void put_rail(const struct xprt_brief *brief, void *arg)
{
	struct rails *r = arg;
	struct buf *b = r->b;

	buf_addf(b, "%s{ \"state\":\"%s\"", r->n++ ? "," : "", brief->state);
	if (!strcmp(brief->state, "connect")) {
		buf_addf(b, ", \"remote_host\":");
		json_put_str(b, *brief->host ? brief->host : ":"); /* as ldmsd has it for those that came */
		r->connected++;
	} else if (!strcmp(brief->state, "connecting")) {
		r->connecting++;
	} else {
		r->closed++;
	}
	buf_addf(b, ", \"peer\":");
	put_addr(b, brief->addr);
	buf_addf(b, ", \"n_eps\":%u, \"endpoints\":{", brief->n_eps);
	for (unsigned int i = 0; i < brief->n_eps; i++)
		buf_addf(b, "%s\"ep%u\":{ \"sq_sz\":%zu }", i ? "," : " ", i, brief->queued[i]);
	buf_addf(b, " } }");
}

static void put_rails(struct daemon *d, struct rails *r)
{
	NODE_EACH(l, d->listeners)
		buf_addf(r->b, "%s{ \"state\":\"listen\", \"n_eps\":1, \"endpoints\":{ } }", r->n++ ? "," : "");
	for (unsigned int i = 0; i < d->n_io; i++) {
		loop_enter(d->io[i]);
		xprt_each(d->io[i], &d->xprt, put_rail, r);
		loop_leave(d->io[i]);
	}
}

static void put_op(struct buf *b, struct xprt_env *env, enum xprt_op op)
{
	struct op_stat st = xprt_op_get(env, op);
	char min[ADDR_TEXT_MAX] = "0.0.0.0:0:0", max[ADDR_TEXT_MAX] = "0.0.0.0:0:0";

	if (st.n) {
		addr_text(&st.min_addr, min);
		addr_text(&st.max_addr, max);
	}
	buf_addf(b, "%s\"%s\" : { \"count\": %lu, \"total_us\": %lld, \"min_us\": %lld, \"min_peer\": ", op ? ",\n " : "",
		 xprt_op_name(op), st.n, (long long)st.total_us, (long long)st.min_us);
	json_put_str(b, min);
	buf_addf(b, ", \"min_peer_type\": \"%s\", \"max_us\": %lld, \"max_peer\": ", st.n ? "sock" : "????",
		 (long long)st.max_us);
	json_put_str(b, max);
	buf_addf(b, ", \"max_peer_type\": \"%s\", \"mean_us\": %lld }", st.n ? "sock" : "????",
		 st.n ? (long long)(st.total_us / (int64_t)st.n) : 0);
}

static void put_rates(struct buf *b, const struct xprt_stats *st)
{
	double s = (double)(mono_us() - st->base.since_us) / SEC_US;
	unsigned long ended = 0, rejected = 0;

	for (int f = 0; f < XPRT_FAILS; f++) {
		ended += atomic_load(&st->ended[f]);
		rejected += atomic_load(&st->refused[f]);
	}
	s = s > 0 ? s : 1;
	buf_addf(b,
		 "\"connect_rate_s\": %f, \"connect_request_rate_s\": %f, \"disconnect_rate_s\": %f, "
		 "\"reject_rate_s\": %f, \"auth_fail_rate_s\": %f,\n \"duration\": %f,\n ",
		 (double)(st->connected - st->base.connected) / s, (double)(st->accepted - st->base.accepted) / s,
		 (double)(ended - st->base.ended) / s, (double)(rejected - st->base.rejected) / s,
		 (double)(st->refused[XPRT_AUTH] - st->base.auth) / s, s);
}

/* Those that failed to prove who they are, or whom we could not prove it to, by reason. */
static void put_auth(struct buf *b, const struct xprt_stats *st)
{
	const char *sep = "";

	for (int why = 0; why < AUTH_WHYS; why++) {
		unsigned long n = atomic_load(&st->auth_failed[why]);

		if (!n)
			continue;
		buf_addf(b, "%s\"%s\": %lu", sep, auth_why_name((enum auth_why)why), n);
		sep = ", ";
	}
}

static void put_limits(struct buf *b, const struct xprt_limits *l)
{
	for (const struct xprt_limit *row = xprt_limit_rows; row->name; row++)
		buf_addf(b, "%s\"%s\": %llu", row == xprt_limit_rows ? "" : ", ", row->name,
			 (unsigned long long)xprt_limit_get(l, row));
}

int ctl_xprt_stats(struct ctl *c, struct err *err)
{
	struct xprt_env *env = &c->d->xprt;
	struct rails r = { .b = &c->reply };
	struct buf *b = &c->reply;
	int64_t began_us = mono_us();

	(void)err;
	c->json = c->nul = true;
	buf_addf(b, "{ \"level\" : %lld, \"rails\":[ ", (long long)ctl_num(c, ATTR_LEVEL, 0));
	put_rails(c->d, &r);
	buf_addf(b, " ],\n ");
	put_rates(b, &env->stats);
	buf_addf(b,
		 "\"xprt_count\": %u, \"connect_count\": %u, \"connecting_count\": %u, \"listen_count\": %u, "
		 "\"close_count\": %u,\n ",
		 r.n, r.connected, r.connecting, r.n - r.connected - r.connecting - r.closed, r.closed);
	buf_addf(b, "\"incoming\": %lu, \"guests\": %lu, \"memory\": %lu, \"bytes_in\": %lu, \"bytes_out\": %lu,\n ",
		 atomic_load(&env->stats.incoming), atomic_load(&env->stats.guests), atomic_load(&env->stats.memory),
		 atomic_load(&env->stats.bytes_in), atomic_load(&env->stats.bytes_out));
	buf_addf(b, "\"pushes\": { \"out\": %lu, \"in\": %lu, \"merged\": %lu, \"odd\": %lu },\n ",
		 atomic_load(&env->stats.pushes_out), atomic_load(&env->stats.pushes_in),
		 atomic_load(&env->stats.pushes_merged), atomic_load(&env->stats.pushes_odd));
	buf_addf(b, "\"limits\": { ");
	put_limits(b, &env->limits);
	buf_addf(b, " },\n \"auth_failed\": { ");
	put_auth(b, &env->stats);
	buf_addf(b, " },\n \"refused\": ");
	ctl_put_refused(b, env);
	buf_addf(b, ",\n \"op_stats\": { ");
	for (int op = 0; op < XPRT_OPS; op++)
		put_op(b, env, (enum xprt_op)op);
	buf_addf(b, " },\n \"compute_time_us\": %lld }", (long long)(mono_us() - began_us));
	if (ctl_num(c, ATTR_RESET, 0))
		xprt_stats_reset(env);
	return 0;
}
