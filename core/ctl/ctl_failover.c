/* ctl_failover.c - the verbs on the failover pair: those of operators, and what the peer asks */
#include <errno.h>
#include <stdlib.h>

#include "core/base/unit.h"
#include "core/ctl/failover_tell.h"
#include "core/ctl/record.h"
#include "core/ctl/reply.h"
#include "core/ctl/verbs.h"
#include "core/daemon/failover.h"
#include "xprt/ep.h"

#define INTERVAL_DFLT_US SEC_US
#define FACTOR_DFLT      2.0

static int factor_of(const struct ctl *c, double *ret, struct err *err)
{
	const char *text = ctl_text(c, ATTR_TIMEOUT_FACTOR, NULL);
	char *end;

	if (!text)
		return 0;
	*ret = strtod(text, &end);
	return *end ? err_set(err, -EINVAL, "failover_config: attribute 'timeout_factor': '%s' is no number", text) : 0;
}

/* What is not given stays as it is. */
int ctl_failover_config(struct ctl *c, struct err *err)
{
	const struct failover_conf *was = failover_conf(c->d->failover);
	struct failover_conf conf = was ? *was
					: (struct failover_conf){ .interval_us = INTERVAL_DFLT_US,
								  .factor = FACTOR_DFLT,
								  .auto_switch = true };
	const struct ep_type *ep;

	conf.host = ctl_text(c, ATTR_HOST, conf.host);
	conf.xprt = ctl_text(c, ATTR_XPRT, conf.xprt);
	conf.port = (unsigned short)ctl_num(c, ATTR_PORT, conf.port);
	if (!conf.host || !conf.xprt || !conf.port)
		return err_set(err, -EINVAL, "missing host, port or xprt attribute");
	conf.peer = ctl_text(c, ATTR_PEER_NAME, conf.peer);
	conf.auto_switch = ctl_num(c, ATTR_AUTO_SWITCH, conf.auto_switch);
	conf.interval_us = ctl_num(c, ATTR_INTERVAL, conf.interval_us);
	if (factor_of(c, &conf.factor, err))
		return -EINVAL;
	if (ep_type_find(conf.xprt, &ep, err))
		return -ENOENT;
	return failover_config(c->d->failover, &conf, err);
}

int ctl_failover_start(struct ctl *c, struct err *err)
{
	return failover_start(c->d->failover, err);
}

int ctl_failover_stop(struct ctl *c, struct err *err)
{
	int rc = failover_stop(c->d->failover, err);

	if (!rc)
		buf_addf(&c->reply, "failover_stop_ok");
	return rc;
}

/* peer_name= is there to be sure of whom one talks. */
static int stand_in(struct ctl *c, bool yes, struct err *err)
{
	const struct failover_conf *conf = failover_conf(c->d->failover);
	const char *peer = ctl_text(c, ATTR_PEER_NAME, NULL);

	if (peer && conf && strcmp(peer, conf->peer))
		return err_set(err, -EINVAL, "failover: the peer is %s, not %s", conf->peer, peer);
	return failover_stand_in(c->d->failover, yes, err);
}

int ctl_failover_peercfg_start(struct ctl *c, struct err *err)
{
	return stand_in(c, true, err);
}

int ctl_failover_peercfg_stop(struct ctl *c, struct err *err)
{
	return stand_in(c, false, err);
}

/* -- looking --------------------------------------------------------------------------------------------------------- */

static void put_time(struct buf *b, const char *key, int64_t us)
{
	buf_addf(b, ", \"%s\": \"%lld.%06lld\"", key, (long long)(us / SEC_US), (long long)(us % SEC_US));
}

static void put_flag(struct buf *b, const char *sep, const char *key, uint32_t flags, uint32_t flag)
{
	buf_addf(b, "%s\"%s\": \"%d\"", sep, key, !!(flags & flag));
}

/* As ldmsd has it, all numbers are texts; and why there is no connection. */
int ctl_failover_status(struct ctl *c, struct err *err)
{
	const struct failover_conf none = { "", "", "", 0, INTERVAL_DFLT_US, FACTOR_DFLT, true };
	const struct failover_conf *conf = failover_conf(c->d->failover);
	struct buf *b = &c->reply;
	struct failover_status st;
	int stands_in;

	(void)err;
	conf = conf ? conf : &none;
	failover_status(c->d->failover, &st);
	stands_in = !!(st.flags & FAILOVER_STANDS_IN);
	buf_addf(b, "{\"host\": ");
	reply_string(b, conf->host);
	buf_addf(b, conf->port ? ", \"port\": \"%u\"" : ", \"port\": \"\"", conf->port);
	buf_addf(b, ", \"xprt\": ");
	reply_string(b, conf->xprt);
	buf_addf(b, ", \"peer_name\": ");
	reply_string(b, conf->peer);
	buf_addf(
		b,
		", \"task_interval\": \"%lld\", \"ping_interval\": \"%lld\", \"ping_skipped\": \"%llu\", \"ping_max\": "
		"\"%lld\", \"ping_avg\": \"%lld\", \"ping_sd\": \"%f\", \"timeout_factor\": \"%f\", \"auto_switch\": "
		"\"%d\"",
		(long long)conf->interval_us, (long long)conf->interval_us, (unsigned long long)st.skipped,
		(long long)st.pings.max_us, (long long)st.pings.avg_us, st.pings.sd_us, conf->factor,
		conf->auto_switch);
	put_time(b, "ping_ts", st.sent_us);
	put_time(b, "echo_ts", st.echo_us);
	put_time(b, "timeout_ts", st.limit_us);
	buf_addf(b,
		 ", \"failover_state\": \"%s\", \"conn_state\": \"%s\", \"peercfg_activated\": \"%d\", "
		 "\"peercfg_updtr_activated\": \"%d\", \"peercfg_prdcr_activated\": \"%d\", \"flags\": {",
		 failover_state_name(st.state), failover_conn_name(st.conn), stands_in, stands_in, stands_in);
	put_flag(b, "", "CONFIGURED", st.flags, FAILOVER_HAS_CONF);
	put_flag(b, ", ", "PEERCFG_RECEIVED", st.flags, FAILOVER_HAS_PEER);
	put_flag(b, ", ", "OUTSTANDING_PING", st.flags, FAILOVER_PINGING);
	put_flag(b, ", ", "OURCFG_ACTIVATED", st.flags, FAILOVER_OWN);
	buf_addf(b, "}, \"why\": ");
	reply_string(b, st.why);
	buf_addf(b, "}");
	c->json = c->nul = true;
	return 0;
}

/* -- what the peer asks ---------------------------------------------------------------------------------------------- */

int ctl_failover_pair(struct ctl *c, struct err *err)
{
	return failover_may_pair(c->d->failover, ctl_text(c, ATTR_PEER_NAME, NULL), err);
}

int ctl_failover_reset(struct ctl *c, struct err *err)
{
	(void)err;
	failover_reset(c->d->failover);
	return 0;
}

int ctl_failover_peercfg(struct ctl *c, struct err *err)
{
	return failover_tell(c, err);
}

int ctl_failover_ping(struct ctl *c, struct err *err)
{
	const struct failover_conf *conf = failover_conf(c->d->failover);
	struct failover_status st;
	struct buf b = { 0 };

	if (conf && strcmp(conf->peer, ctl_text(c, ATTR_NAME, "")))
		return err_set(err, -EINVAL, "peer name unmatched");
	failover_status(c->d->failover, &st);
	buf_be32(&b, st.state);
	buf_be32(&b, st.conn);
	buf_be64(&b, st.flags);
	buf_be64(&b, 0);
	record_put(&c->reply, ATTR_UDATA, b.p, b.len);
	buf_fini(&b);
	c->raw = true;
	return 0;
}
