/* bus_rig.h - subscribers and publishers of the message bus (behind rig.h) */
#ifndef TESTS_UNIT_BUS_RIG_H
#define TESTS_UNIT_BUS_RIG_H

#define LOG_MAX 64

struct ear { /* what a subscriber heard */
	int n;
	char channel[LOG_MAX][32], data[LOG_MAX][64];
	struct bus_msg last;
	struct bus_sub *quit; /* unsubscribe this one from inside */
};

static void hear(void *arg, const struct bus_msg *m)
{
	struct ear *e = arg;
	int i = e->n++ % LOG_MAX;

	snprintf(e->channel[i], sizeof(e->channel[i]), "%s", m->channel);
	snprintf(e->data[i], sizeof(e->data[i]), "%.*s", (int)m->len, (const char *)m->data);
	e->last = *m;
	bus_unsubscribe(e->quit);
	e->quit = NULL;
}

static struct bus_msg text(const char *channel, const char *data)
{
	return (struct bus_msg){
		.channel = channel, .data = data, .len = (uint32_t)strlen(data) + 1, .type = BUS_STRING, .perm = 0777
	};
}

static void publish(struct bus *b, const char *channel, const char *data)
{
	const struct bus_msg m = text(channel, data);
	struct err err = { "" };

	if (bus_publish(b, &m, &err))
		fail_msg("%s", err.msg);
}

static struct bus_sub *subscribe(struct rig *r, struct bus *b, const char *match, bool regex, struct ear *e)
{
	struct err err = { "" };
	struct bus_sub *s = bus_subscribe(b, match, regex, r->loop, hear, e, &err);

	if (!s)
		fail_msg("%s", err.msg);
	return s;
}

static void open_buses(struct rig *r, const char *type, const struct bus_limits *lim)
{
	rig_open(r, type);
	r->env.bus = bus_new(lim);
	r->cenv.bus = bus_new(lim);
	bus_enable(r->env.bus, true);
	bus_enable(r->cenv.bus, true);
}

static void close_buses(struct rig *r)
{
	struct bus *s = r->env.bus, *c = r->cenv.bus;
	size_t held;
	uint64_t lost[BUS_LOSSES];

	rig_close(r);
	bus_totals(s, lost, &held);
	assert_int_equal(held, 0);
	bus_totals(c, lost, &held);
	assert_int_equal(held, 0);
	bus_free(s);
	bus_free(c);
}

struct answer {
	int n, rc;
	char text[128];
};

static void answer_cb(struct xprt *x, void *arg, int rc, const char *words)
{
	struct answer *a = arg;

	a->n++;
	a->rc = rc;
	snprintf(a->text, sizeof(a->text), "%s", words);
}

static struct answer ask(struct rig *r, const char *match, bool regex, int64_t rate, bool un)
{
	struct answer a = { 0 };
	struct err err = { "" };
	int rc = un ? xprt_msg_unsub(r->c, match, regex, answer_cb, &a, &err)
		    : xprt_msg_sub(r->c, match, regex, rate, answer_cb, &a, &err);

	if (rc)
		fail_msg("%s", err.msg);
	rig_until(r, a.n);
	return a;
}

/* The client has subscribed to channel c, at so much a second, and hears it. */
static struct bus_sub *begin_hearing(struct rig *r, struct ear *e, int64_t rate)
{
	open_buses(r, "mem", NULL);
	rig_connect(r, 1);
	ask(r, "c", false, rate, false);
	return subscribe(r, r->cenv.bus, "c", false, e);
}

static uint64_t lost(struct bus *b, enum bus_loss why)
{
	uint64_t all[BUS_LOSSES];
	size_t held;

	bus_totals(b, all, &held);
	return all[why];
}

#endif
