/* failover_take.c - records of the failover peer become objects that are kept for it: failover_keep.h
 *
 *   code   attributes                                                        says
 *   0x707  1 name, 5 type, 8 xprt, 9 host, 10 port, 2 reconnect, ...         I have this producer
 *          1 name, 34 stream or 49 message_tag                               it is asked for that
 *   0x708  1 name, 2 interval, 3 offset, 31 auto_interval, 23 push, 27 perm  I have this updater
 *          1 name, 6 producer                                                it takes that producer
 *          1 name, 11 match, 4 regex                                         it takes such sets
 *   0x709  1 name, 12 plugin, 13 container, 14 schema, 21 spool, ...         I have this storage policy
 *          1 name, 4 regex                                                   it takes such producers
 *          1 name, 15 metric                                                 it stores that metric
 *
 * Names have the mark in front.  None is answered, as ldmsd has it: what cannot be kept is logged, and left out.  The
 * objects are made by the verbs that operators use, so that every check of theirs holds here, too.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "core/base/log.h"
#include "core/base/unit.h"
#include "core/base/xalloc.h"
#include "core/ctl/failover_keep_impl.h"
#include "core/ctl/peer.h"
#include "core/daemon/mirrored.h"
#include "core/daemon/prdcr_sub.h"

#define ARGS_MAX 16

struct told { /* a record of the peer's */
	struct keeper *k;
	const char *v[ATTR_IDS];
	struct ctl_arg args[ARGS_MAX];
	size_t n;
	char perm[16];
	bool runs;
};

static void arg_put(struct told *t, const char *name, enum attr_id id, const char *value)
{
	if (value && t->n < ARGS_MAX)
		t->args[t->n++] = (struct ctl_arg){ id, name, value };
}

static struct keep_object *object_find(const struct keeper *k, enum keep_kind kind, const char *name)
{
	struct keep_object *o = k->objects;

	while (o && (o->kind != kind || strcmp(o->name, name)))
		o = o->next;
	return o;
}

static int object_make(struct told *t, enum keep_kind kind, const char *verb, struct err *err)
{
	const char *name = t->v[ATTR_NAME];
	struct keep_object *o;
	int rc;

	if (t->k->n[kind] >= KEEP_MAX)
		return err_set(err, -E2BIG, "more than %d are not kept", KEEP_MAX);
	rc = keep_carry_out(t->k->d, verb, t->args, t->n, err);
	if (rc)
		return rc;
	o = xcalloc(1, sizeof(*o) + strlen(name) + 1);
	strcpy(o->name, name);
	o->kind = kind;
	o->runs = t->runs;
	o->next = t->k->objects;
	t->k->objects = o;
	t->k->n[kind]++;
	return 0;
}

/* The attributes that several kinds have. */
static void perm_take(struct told *t, bool runs_dflt)
{
	const char *perm = t->v[ATTR_PERM];
	unsigned long bits = perm ? strtoul(perm, NULL, 0) : 0770;

	t->runs = perm ? bits & FAILOVER_RUNS : runs_dflt;
	snprintf(t->perm, sizeof(t->perm), "0%lo", bits & 0777);
	arg_put(t, "name", ATTR_NAME, t->v[ATTR_NAME]);
	arg_put(t, "perm", ATTR_PERM, t->perm);
}

static int prdcr_asks(const struct told *t, struct err *err)
{
	const struct prdcr_want_conf want = {
		.kind = t->v[ATTR_STREAM] ? WANT_STREAM : WANT_MESSAGES,
		.text = t->v[ATTR_STREAM] ? t->v[ATTR_STREAM] : t->v[ATTR_MESSAGE_TAG],
		.rate = t->v[ATTR_RX_RATE] ? strtoll(t->v[ATTR_RX_RATE], NULL, 10) : -1,
	};
	struct node *p = node_find(t->k->d->prdcrs, t->v[ATTR_NAME]);

	if (!p)
		return err_set(err, -ENOENT, "there is no such producer to ask for %s", want.text);
	prdcr_want((struct prdcr *)p, &want);
	return 0;
}

static int prdcr_told(struct told *t, struct err *err)
{
	static const struct {
		const char *name;
		enum attr_id id;
	} same[] = {
		{ "type", ATTR_TYPE },   { "xprt", ATTR_XPRT },       { "host", ATTR_HOST },
		{ "port", ATTR_PORT },   { "auth", ATTR_AUTH },       { "rail", ATTR_RAIL },
		{ "quota", ATTR_QUOTA }, { "rx_rate", ATTR_RX_RATE }, { "reconnect", ATTR_INTERVAL },
	};

	if (t->v[ATTR_STREAM] || t->v[ATTR_MESSAGE_TAG])
		return prdcr_asks(t, err);
	perm_take(t, true);
	for (size_t i = 0; i < sizeof(same) / sizeof(*same); i++)
		arg_put(t, same[i].name, same[i].id, t->v[same[i].id]);
	return object_make(t, KEEP_PRDCR, "prdcr_add", err);
}

/* Of ldmsd's updaters it is a tenth of a second too early, and may so be more than half an interval. */
static int64_t fold(int64_t offset_us, int64_t interval_us)
{
	offset_us %= interval_us;
	if (offset_us > interval_us / 2)
		offset_us -= interval_us;
	if (offset_us < -(interval_us / 2))
		offset_us += interval_us;
	return offset_us;
}

static int updtr_make(struct told *t, struct err *err)
{
	const char *push = t->v[ATTR_PUSH], *hints = t->v[ATTR_AUTO_INTERVAL];
	int64_t interval_us, offset_us;
	char offset[32];
	int rc = unit_time_us(t->v[ATTR_INTERVAL], &interval_us, err);

	if (!rc && t->v[ATTR_OFFSET])
		rc = unit_time_us(t->v[ATTR_OFFSET], &offset_us, err);
	if (rc)
		return rc;
	perm_take(t, true);
	arg_put(t, "interval", ATTR_INTERVAL, t->v[ATTR_INTERVAL]);
	if (t->v[ATTR_OFFSET] && interval_us > 0) {
		snprintf(offset, sizeof(offset), "%lld", (long long)fold(offset_us, interval_us));
		arg_put(t, "offset", ATTR_OFFSET, offset);
	}
	/* an ldmsd that follows hints says the offset here, too */
	if (hints && !push)
		arg_put(t, "auto_interval", ATTR_AUTO_INTERVAL, strcasecmp(hints, "false") ? "true" : "false");
	if (push)
		arg_put(t, "push", ATTR_PUSH, strcmp(push, "onpush") ? push : "true");
	return object_make(t, KEEP_UPDTR, "updtr_add", err);
}

static int updtr_takes(struct told *t, struct err *err)
{
	struct keep_object *o = object_find(t->k, KEEP_UPDTR, t->v[ATTR_NAME]);
	const char *prdcr = t->v[ATTR_PRODUCER];
	struct keep_member *m;

	if (!o)
		return err_set(err, -ENOENT, "there is no such updater to take producer %s", prdcr);
	if (o->members_n >= KEEP_MAX)
		return err_set(err, -E2BIG, "more than %d producers are not kept", KEEP_MAX);
	m = xcalloc(1, sizeof(*m) + strlen(prdcr) + 1);
	strcpy(m->name, prdcr);
	m->next = o->members;
	o->members = m;
	o->members_n++;
	return 0;
}

static int updtr_told(struct told *t, struct err *err)
{
	if (t->v[ATTR_PRODUCER])
		return updtr_takes(t, err);
	if (t->v[ATTR_INTERVAL])
		return updtr_make(t, err);
	arg_put(t, "name", ATTR_NAME, t->v[ATTR_NAME]);
	arg_put(t, "match", ATTR_MATCH, t->v[ATTR_MATCH]);
	arg_put(t, "regex", ATTR_REGEX, t->v[ATTR_REGEX]);
	return keep_carry_out(t->k->d, "updtr_match_add", t->args, t->n, err);
}

static int strgp_told(struct told *t, struct err *err)
{
	static const struct {
		const char *name;
		enum attr_id id;
	} same[] = {
		{ "plugin", ATTR_PLUGIN },
		{ "container", ATTR_CONTAINER },
		{ "schema", ATTR_SCHEMA },
		{ "regex", ATTR_REGEX },
		{ "flush", ATTR_INTERVAL },
		{ "decomposition", ATTR_DECOMPOSITION },
		{ "queue_bytes", ATTR_SIZE },
		{ "queue_age", ATTR_TIME },
		{ "spool", ATTR_PATH },
		{ "spool_bytes", ATTR_QUOTA },
		{ "spool_age", ATTR_RESET_INTERVAL },
		{ "shard", ATTR_MATCH },
	};

	if (t->v[ATTR_PLUGIN]) {
		perm_take(t, true);
		for (size_t i = 0; i < sizeof(same) / sizeof(*same); i++)
			arg_put(t, same[i].name, same[i].id, t->v[same[i].id]);
		return object_make(t, KEEP_STRGP, "strgp_add", err);
	}
	arg_put(t, "name", ATTR_NAME, t->v[ATTR_NAME]);
	arg_put(t, "regex", ATTR_REGEX, t->v[ATTR_REGEX]);
	arg_put(t, "metric", ATTR_METRIC, t->v[ATTR_METRIC]);
	return keep_carry_out(t->k->d, t->v[ATTR_METRIC] ? "strgp_metric_add" : "strgp_prdcr_add", t->args, t->n, err);
}

int failover_keep_take(struct daemon *d, uint32_t code, const struct record_attr *attrs, int n, struct err *err)
{
	static const struct {
		uint32_t code;
		int (*take)(struct told *t, struct err *err);
	} kinds[] = {
		{ FAILOVER_CFGPRDCR, prdcr_told },
		{ FAILOVER_CFGUPDTR, updtr_told },
		{ FAILOVER_CFGSTRGP, strgp_told },
	};
	struct told t = { .k = (struct keeper *)failover_keeper(d->failover) };

	if (!t.k)
		return 0;
	if (t.k->records++ >= KEEP_RECORDS_MAX)
		return err_set(err, -E2BIG, "more than %u records are not taken", KEEP_RECORDS_MAX);
	for (int i = 0; i < n; i++)
		if (attrs[i].id < ATTR_IDS && attrs[i].value && *attrs[i].value && !t.v[attrs[i].id])
			t.v[attrs[i].id] = attrs[i].value;
	if (!t.v[ATTR_NAME] || !is_mirrored(t.v[ATTR_NAME]))
		return err_set(err, -EINVAL, "its name does not begin with %c", MIRRORED_MARK);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (kinds[i].code == code)
			return kinds[i].take(&t, err);
	return err_set(err, -ENOSYS, "0x%x is nothing that a peer has", code);
}

/* A record came: is it from our peer?  Runs on the connection's loop, which is the main one where it is the peer's. */
static int take(struct peer_call *c, uint32_t code, const char *word, struct err *err)
{
	struct daemon *d = c->peer->d;
	const char *name = "";
	int rc;

	if (!loop_is_mine(d->main) || !failover_is_link(d->failover, c->peer->x)) {
		log_warning("failover", "%s tells of its %s, and is not the peer that was asked", xprt_peer(c->peer->x),
			    word);
		return -EPERM;
	}
	rc = failover_keep_take(d, code, c->attrs, c->n, err);
	for (int i = 0; i < c->n; i++)
		if (c->attrs[i].id == ATTR_NAME && c->attrs[i].value)
			name = c->attrs[i].value;
	if (rc)
		log_error("failover", "peer %s: its %s %s is left out: %s", failover_conf(d->failover)->peer, word,
			  name, err->msg);
	return rc;
}

int peer_has_prdcr(struct peer_call *c, struct err *err)
{
	return take(c, FAILOVER_CFGPRDCR, "producer", err);
}

int peer_has_updtr(struct peer_call *c, struct err *err)
{
	return take(c, FAILOVER_CFGUPDTR, "updater", err);
}

int peer_has_strgp(struct peer_call *c, struct err *err)
{
	return take(c, FAILOVER_CFGSTRGP, "storage policy", err);
}
