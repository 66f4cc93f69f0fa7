/* ctl_msg.c - the verbs on the message bus */
#include <errno.h>
#include <string.h>

#include "core/base/regex.h"
#include "core/ctl/reply.h"
#include "core/ctl/verbs.h"
#include "xprt/bus.h"

#define SEC_NS INT64_C(1000000000)

/* One of the two; 0 would let nothing through. */
static int limit(struct ctl *c, enum attr_id id, const char *name, int64_t dflt, int64_t *ret, struct err *err)
{
	int64_t v = ctl_num(c, id, dflt);

	if (!v && ctl_has(c, id))
		return err_set(err, -EINVAL,
			       "'%s' attribute must be -1 (no limit) or more than 0: 0 lets no message through", name);
	*ret = v;
	return 0;
}

int ctl_quota(struct ctl *c, struct xprt_quota *ret, struct err *err)
{
	struct xprt_quota q;

	if (limit(c, ATTR_QUOTA, "quota", c->d->quota.recv_quota, &q.recv_quota, err) ||
	    limit(c, ATTR_RX_RATE, "rx_rate", c->d->quota.rate, &q.rate, err))
		return -EINVAL;
	*ret = q;
	return 0;
}

int ctl_default_quota(struct ctl *c, struct err *err)
{
	return limit(c, ATTR_QUOTA, "quota", 0, &c->d->quota.recv_quota, err);
}

int ctl_msg_enable(struct ctl *c, struct err *err)
{
	(void)err;
	bus_enable(c->d->xprt.bus, true);
	buf_addf(&c->reply, "OK");
	return 0;
}

int ctl_msg_disable(struct ctl *c, struct err *err)
{
	(void)err;
	bus_enable(c->d->xprt.bus, false);
	buf_addf(&c->reply, "OK");
	return 0;
}

/* -- what became of messages --------------------------------------------------------------------------------------- */

struct printer {
	struct buf *b;
	struct rx rx;
	const char *only; /* this channel; NULL: those that match rx, if it is there */
	bool match;
	const char *sep, *sub_sep;
	bool open; /* an object's list is */
};

static void put_time(struct buf *b, const char *name, int64_t ns)
{
	buf_addf(b, ",\"%s\": %lld.%09lld", name, (long long)(ns / SEC_NS), (long long)(ns % SEC_NS));
}

/* Nothing counted yet: the latest of all times, as ldmsd has it. */
static void put_count(struct buf *b, const char *name, const struct bus_count *n)
{
	buf_addf(b, "\"%s\":{\"bytes\": %llu,\"count\": %llu", name, (unsigned long long)n->bytes,
		 (unsigned long long)n->count);
	if (n->count)
		put_time(b, "first_ts", n->first_ns);
	else
		buf_addf(b, ",\"first_ts\": 9223372036854775807.999999999");
	put_time(b, "last_ts", n->last_ns);
	buf_addf(b, "}");
}

/* Beyond ldmsd: why. */
static void put_lost(struct buf *b, const uint64_t lost[BUS_LOSSES])
{
	const char *sep = "";

	buf_addf(b, "\"lost\":{");
	for (unsigned int i = 0; i < BUS_LOSSES; i++) {
		if (!lost[i])
			continue;
		buf_addf(b, "%s\"%s\":%llu", sep, bus_loss_name(i), (unsigned long long)lost[i]);
		sep = ",";
	}
	buf_addf(b, "}");
}

static void put_tally(struct buf *b, const char *first, const struct bus_tally *t)
{
	bool tx_first = !strcmp(first, "tx");

	put_count(b, first, tx_first ? &t->tx : &t->drops);
	buf_addf(b, ",");
	put_count(b, tx_first ? "drops" : "tx", tx_first ? &t->drops : &t->tx);
	buf_addf(b, ",");
	put_lost(b, t->lost);
}

static void close_list(struct printer *p)
{
	if (p->open)
		buf_addf(p->b, "]}");
	p->open = false;
}

static bool wanted_cb(void *arg, const char *name)
{
	struct printer *p = arg;

	return p->only ? !strcmp(name, p->only) : !p->match || rx_match(&p->rx, name);
}

static void channel_cb(void *arg, const char *name, const struct bus_count *rx, const uint64_t lost[BUS_LOSSES])
{
	struct printer *p = arg;

	close_list(p);
	buf_addf(p->b, "%s{\"name\":", p->sep);
	reply_string(p->b, name);
	buf_addf(p->b, ",");
	put_count(p->b, "rx", rx);
	buf_addf(p->b, ",\"sources\":{},");
	put_lost(p->b, lost);
	buf_addf(p->b, ",\"clients\":[");
	p->open = true;
	p->sep = ",";
	p->sub_sep = "";
}

static void channel_pair_cb(void *arg, const char *channel, const struct bus_sub_stats *s, const struct bus_tally *t)
{
	struct printer *p = arg;

	buf_addf(p->b, "%s{\"name\":", p->sub_sep);
	reply_string(p->b, channel);
	buf_addf(p->b, ",\"client_match\":");
	reply_string(p->b, s->match);
	buf_addf(p->b, ",\"client_desc\":");
	reply_string(p->b, s->desc);
	buf_addf(p->b, ",\"dest\":");
	reply_string(p->b, s->dest);
	buf_addf(p->b, ",\"is_regex\": %d,", s->regex);
	put_tally(p->b, "drops", t);
	buf_addf(p->b, "}");
	p->sub_sep = ",";
}

static void client_cb(void *arg, const struct bus_sub_stats *s)
{
	struct printer *p = arg;

	close_list(p);
	buf_addf(p->b, "%s{\"match\":", p->sep);
	reply_string(p->b, s->match);
	buf_addf(p->b, ",\"desc\":");
	reply_string(p->b, s->desc);
	buf_addf(p->b, ",\"dest\":");
	reply_string(p->b, s->dest);
	buf_addf(p->b, ",\"is_regex\": %d,", s->regex);
	put_tally(p->b, "tx", &s->all);
	buf_addf(p->b, ",\"waiting\":{\"bytes\":%llu,\"count\":%llu},\"channels\":[",
		 (unsigned long long)s->waiting_bytes, (unsigned long long)s->waiting);
	p->open = true;
	p->sep = ",";
	p->sub_sep = "";
}

static void client_pair_cb(void *arg, const char *channel, const struct bus_sub_stats *s, const struct bus_tally *t)
{
	struct printer *p = arg;

	buf_addf(p->b, "%s{\"name\":", p->sub_sep);
	reply_string(p->b, channel);
	buf_addf(p->b, ",\"is_regex\": %d,", s->regex);
	put_tally(p->b, "tx", t);
	buf_addf(p->b, "}");
	p->sub_sep = ",";
}

int ctl_msg_stats(struct ctl *c, struct err *err)
{
	struct printer p = { .b = &c->reply, .only = ctl_text(c, ATTR_STREAM, NULL), .sep = "" };
	const struct bus_stats_walk walk = { .channel = channel_cb, .pair = channel_pair_cb, .arg = &p };

	if (!bus_enabled(c->d->xprt.bus))
		return err_set(err, -ENOTSUP, "The message service is disabled.");
	p.match = ctl_has(c, ATTR_REGEX);
	if (p.match && rx_init(&p.rx, ctl_text(c, ATTR_REGEX, ""), err))
		return -EINVAL;
	c->json = c->nul = true;
	buf_addf(p.b, "[");
	bus_walk_channels(c->d->xprt.bus, wanted_cb, &walk, ctl_num(c, ATTR_RESET, 0));
	close_list(&p);
	buf_addf(p.b, "]");
	if (p.match)
		rx_fini(&p.rx);
	return 0;
}

int ctl_msg_client_stats(struct ctl *c, struct err *err)
{
	struct printer p = { .b = &c->reply, .sep = "" };
	const struct bus_stats_walk walk = { .client = client_cb, .pair = client_pair_cb, .arg = &p };

	if (!bus_enabled(c->d->xprt.bus))
		return err_set(err, -ENOTSUP, "The LDMS message service is disabled.");
	c->json = c->nul = true;
	buf_addf(p.b, "[");
	bus_walk_clients(c->d->xprt.bus, &walk, ctl_num(c, ATTR_RESET, 0));
	close_list(&p);
	buf_addf(p.b, "]");
	return 0;
}
