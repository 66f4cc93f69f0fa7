/* peer_stream.c - streams between daemons: what peers publish here, and what they subscribe to.
 *
 *   code   attributes                                  answer
 *   0x900  1 name, 16 text or 26 JSON                  "ACK"
 *   0x900  the same and 5 (an empty text)              none: a message that is passed on
 *   0x901  1 name: subscribe                           "OK"; from then on messages come as 0x900 of the second kind
 *   0x902  1 name: unsubscribe                         "OK"
 *   0x904  1 name: the stream is going to be used      none
 */
#include <errno.h>
#include <stdlib.h>

#include "core/base/log.h"
#include "core/base/xalloc.h"
#include "core/ctl/peer.h"
#include "core/daemon/failover.h"
#include "core/daemon/stream.h"

struct peer_sub {
	struct peer_sub *next;
	struct peer *peer;
	struct stream_sub *sub;
	char *name;
};

static const struct record_attr *attr_find(const struct peer_call *c, uint32_t id)
{
	for (int i = 0; i < c->n; i++)
		if (c->attrs[i].id == id)
			return &c->attrs[i];
	return NULL;
}

static const char *attr_text(const struct peer_call *c, uint32_t id)
{
	const struct record_attr *a = attr_find(c, id);

	return a ? a->value : NULL;
}

static int stream_off(struct peer_call *c, struct err *err)
{
	return streams_enabled(c->peer->d->streams)
		       ? 0
		       : err_set(err, -ENOSYS, "The stream service is DISABLED on this system.");
}

static int publish(struct peer_call *c, struct err *err)
{
	const struct record_attr *data = attr_find(c, ATTR_JSON);
	struct stream_msg m = { .name = attr_text(c, ATTR_NAME), .type = data ? STREAM_JSON : STREAM_STRING };
	const struct stream_from from = {
		.who = c->peer->prdcr ? c->peer->prdcr : xprt_peer(c->peer->x),
		.prdcr = c->peer->prdcr,
		.owner = c->peer,
	};

	xprt_peer_cred(c->peer->x, &m.uid, &m.gid);
	c->text = "ACK";
	if (!data)
		data = attr_find(c, ATTR_STRING);
	if (!data || !data->len)
		return m.name ? stream_off(c, err) : err_set(err, -EINVAL, "The stream name is missing.");
	m.data = data->value;
	m.len = data->len;
	return stream_publish(c->peer->d->streams, &m, &from, err);
}

static int hint(struct peer_call *c, struct err *err)
{
	(void)err;
	c->text = NULL; /* streams are made when something is published or subscribed to */
	return 0;
}

/* -- messages for the peer ----------------------------------------------------------------------------------------- */

static void pass_on(void *arg, const struct stream_msg *m)
{
	struct peer_sub *ps = arg;
	struct buf body = { 0 };

	if (atomic_load(ps->peer->closing))
		return;
	if (xprt_backlog(ps->peer->x) + m->len > STREAM_QUEUE_MAX) {
		stream_dropped(ps->sub, m);
		return;
	}
	record_put(&body, ATTR_NAME, m->name, strlen(m->name) + 1);
	record_put(&body, ATTR_TYPE, "", 1);
	record_put(&body, m->type == STREAM_JSON ? ATTR_JSON : ATTR_STRING, m->data, m->len);
	record_end(&body);
	if (ask_tell(ps->peer->asks, STREAM_PUBLISH, &body, NULL))
		stream_dropped(ps->sub, m);
	buf_fini(&body);
}

static struct peer_sub **sub_find(struct peer *p, const char *name, unsigned int *n)
{
	struct peer_sub **at = &p->subs;

	for (*n = 0; *at && strcmp((*at)->name, name); at = &(*at)->next)
		++*n;
	return at;
}

/* The stream that is meant, and where the peer's subscription to it stands or would. */
static int named(struct peer_call *c, const char **ret_name, struct peer_sub ***ret_at, unsigned int *n,
		 struct err *err)
{
	const char *name = attr_text(c, ATTR_NAME);
	int rc = stream_off(c, err);

	c->text = "OK";
	if (rc)
		return rc;
	if (!name || !*name)
		return err_set(err, -EINVAL, "The stream name is missing.");
	*ret_name = name;
	*ret_at = sub_find(c->peer, name, n);
	return 0;
}

static int subscribe(struct peer_call *c, struct err *err)
{
	struct stream_sub_conf conf = {
		.who = xprt_peer(c->peer->x),
		.owner = c->peer,
		.loop = xprt_loop(c->peer->x),
		.fn = pass_on,
	};
	struct peer_sub *ps, **at;
	const char *name;
	unsigned int n;
	int rc = named(c, &name, &at, &n, err);

	if (rc)
		return rc;
	if (*at)
		return err_set(err, -EEXIST, "Already subscribed to `%s` stream", name);
	if (!xprt_allows(c->peer->x, REFUSE_SUBS, n))
		return err_set(err, -ENOSPC, "stream %s: a peer may subscribe to so many and no more; see `limits`",
			       name);
	ps = xcalloc(1, sizeof(*ps));
	ps->peer = c->peer;
	conf.name = name;
	conf.arg = ps;
	ps->sub = stream_subscribe(c->peer->d->streams, &conf, err);
	if (!ps->sub) {
		free(ps);
		return -EINVAL;
	}
	ps->name = xstrdup(name);
	*at = ps;
	log_info("stream", "%s: %s subscribed", name, conf.who);
	return 0;
}

static void sub_free(struct peer_sub *ps)
{
	free(ps->name);
	free(ps);
}

static int unsubscribe(struct peer_call *c, struct err *err)
{
	struct peer_sub *ps, **at;
	const char *name;
	unsigned int n;
	int rc = named(c, &name, &at, &n, err);

	if (rc)
		return rc;
	ps = *at;
	if (!ps)
		return err_set(err, -ENOENT, "`%s` stream not found", name);
	*at = ps->next;
	stream_unsubscribe(ps->sub);
	sub_free(ps);
	return 0;
}

void peer_gone(struct peer *p)
{
	for (struct peer_sub *ps = p->subs; ps; ps = ps->next)
		stream_unsubscribe(ps->sub);
}

void peer_fini(struct peer *p)
{
	struct peer_sub *ps;

	while ((ps = p->subs)) {
		p->subs = ps->next;
		sub_free(ps);
	}
	free(p->prdcr);
}

static const struct peer_verb peer_verbs[] = {
	{ STREAM_PUBLISH, 0111, publish, false },
	{ STREAM_SUBSCRIBE, 0110, subscribe, false },
	{ STREAM_UNSUBSCRIBE, 0110, unsubscribe, false },
	{ STREAM_NEW, 0110, hint, true },
	{ FAILOVER_CFGPRDCR, 0111, peer_has_prdcr, true },
	{ FAILOVER_CFGUPDTR, 0111, peer_has_updtr, true },
	{ FAILOVER_CFGSTRGP, 0111, peer_has_strgp, true },
};

const struct peer_verb *peer_verb_by_code(uint32_t code)
{
	for (size_t i = 0; i < sizeof(peer_verbs) / sizeof(*peer_verbs); i++)
		if (peer_verbs[i].code == code)
			return &peer_verbs[i];
	return NULL;
}

bool peer_wants_answer(const struct peer_verb *v, const struct record_attr *attrs, int n)
{
	const struct peer_call c = { .attrs = attrs, .n = n };

	return !v->silent && (v->code != STREAM_PUBLISH || !attr_find(&c, ATTR_TYPE));
}
