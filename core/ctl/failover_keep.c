/* failover_keep.c - see failover_keep.h
 *
 * The objects are started, stopped and deleted by the verbs that operators use.  They are in no book, and so in no
 * dump_cfg.
 */
#include "core/ctl/failover_keep.h"

#include <errno.h>
#include <stdlib.h>

#include "core/base/log.h"
#include "core/base/xalloc.h"
#include "core/ctl/ctl_strgp.h"
#include "core/ctl/failover_keep_impl.h"

static const struct {
	const char *start, *stop, *del;
} kind_verbs[KEEP_KINDS] = {
	[KEEP_STRGP] = { "strgp_start", NULL, NULL }, /* runs on, without producers; goes without being waited for */
	[KEEP_UPDTR] = { "updtr_start", "updtr_stop", "updtr_del" },
	[KEEP_PRDCR] = { "prdcr_start", "prdcr_stop", "prdcr_del" },
};

int keep_carry_out(struct daemon *d, const char *verb, const struct ctl_arg *args, size_t n, struct err *err)
{
	struct ctl c = { .d = d, .uid = d->uid, .gid = d->gid, .itself = true };
	int rc = ctl_prepare(&c, verb_find(verb), args, n, err);

	if (!rc)
		rc = c.verb->run(&c, err);
	ctl_fini(&c);
	return rc;
}

static void carry_out_named(struct daemon *d, const char *verb, const char *name)
{
	const struct ctl_arg arg = { ATTR_NAME, "name", name };
	struct err err = { "" };

	if (verb && keep_carry_out(d, verb, &arg, 1, &err))
		log_error("failover", "%s %s: %s", verb, name, err.msg);
}

/* An expression for exactly that name. */
static void name_regex(struct buf *b, const char *name)
{
	buf_addf(b, "^");
	for (; *name; name++)
		buf_addf(b, "%s%c", strchr("\\^$.[]|()*+?{}", *name) ? "\\" : "", *name);
	buf_addf(b, "$");
}

static void updtr_takes_regex(struct daemon *d, const char *updtr, const char *regex)
{
	const struct ctl_arg args[] = { { ATTR_NAME, "name", updtr }, { ATTR_REGEX, "regex", regex } };
	struct err err = { "" };

	if (keep_carry_out(d, "updtr_prdcr_add", args, 2, &err))
		log_error("failover", "updater %s: %s", updtr, err.msg);
}

/* An updater for all producers, which most are, is told so in one word: ten thousand would be looked through for each. */
static void members_take(struct keeper *k, struct keep_object *o)
{
	struct keep_member *m;

	if (o->members_n && o->members_n == k->n[KEEP_PRDCR])
		updtr_takes_regex(k->d, o->name, ".*");
	for (m = o->members; m && o->members_n != k->n[KEEP_PRDCR]; m = m->next) {
		struct buf regex = { 0 };

		name_regex(&regex, m->name);
		updtr_takes_regex(k->d, o->name, buf_str(&regex));
		buf_fini(&regex);
	}
	while ((m = o->members)) {
		o->members = m->next;
		free(m);
	}
}

/* What is in its spool from the last time is stored now: it has no producers yet.  -EBUSY: by the one that it takes the
 * place of, which ends. */
static void spool_left(struct keeper *k, const struct keep_object *o)
{
	const struct strgp_node *sg = node_find(k->d->strgps, o->name);
	const struct ctl_arg arg = { ATTR_NAME, "name", o->name };
	struct err err = { "" };
	int rc;

	if (!sg || !o->runs || strgp_conf(sg->strgp)->overflow != STRGP_SPOOL || strgp_running(sg->strgp))
		return;
	rc = keep_carry_out(k->d, kind_verbs[KEEP_STRGP].start, &arg, 1, &err);
	if (rc && rc != -EBUSY)
		log_error("failover", "policy %s: %s", o->name, err.msg);
}

/* One that was forgotten has ended. */
static void strgp_gone(struct daemon *d, const char *name)
{
	struct keeper *k = (struct keeper *)failover_keeper(d->failover);

	for (const struct keep_object *o = k ? k->objects : NULL; o; o = o->next)
		if (o->kind == KEEP_STRGP && !strcmp(o->name, name))
			spool_left(k, o);
}

static void told(struct failover_keeper *face)
{
	struct keeper *k = (struct keeper *)face;

	for (struct keep_object *o = k->objects; o; o = o->next) {
		if (o->kind == KEEP_UPDTR)
			members_take(k, o);
		if (o->kind == KEEP_STRGP)
			spool_left(k, o);
	}
	log_info("failover", "peer %s: it has %u producers, %u updaters and %u storage policies",
		 failover_conf(k->d->failover)->peer, k->n[KEEP_PRDCR], k->n[KEEP_UPDTR], k->n[KEEP_STRGP]);
}

static void begin(struct failover_keeper *face)
{
	struct keeper *k = (struct keeper *)face;

	for (enum keep_kind kind = 0; kind < KEEP_KINDS; kind++)
		for (const struct keep_object *o = k->objects; o; o = o->next) {
			const struct strgp_node *sg = kind == KEEP_STRGP ? node_find(k->d->strgps, o->name) : NULL;

			if (o->kind == kind && o->runs && !(sg && strgp_running(sg->strgp)))
				carry_out_named(k->d, kind_verbs[kind].start, o->name);
		}
}

static void cease(struct failover_keeper *face)
{
	struct keeper *k = (struct keeper *)face;

	for (enum keep_kind kind = KEEP_KINDS; kind-- > 0;)
		for (const struct keep_object *o = k->objects; o; o = o->next)
			if (o->kind == kind)
				carry_out_named(k->d, kind_verbs[kind].stop, o->name);
}

static void objects_free(struct keeper *k)
{
	struct keep_object *o;

	while ((o = k->objects)) {
		struct keep_member *m;

		k->objects = o->next;
		while ((m = o->members)) {
			o->members = m->next;
			free(m);
		}
		free(o);
	}
	memset(k->n, 0, sizeof(k->n));
	k->records = 0;
}

static void forget(struct failover_keeper *face)
{
	struct keeper *k = (struct keeper *)face;

	for (enum keep_kind kind = KEEP_KINDS; kind-- > 0;)
		for (const struct keep_object *o = k->objects; o; o = o->next) {
			struct strgp_node *sg;

			if (o->kind != kind)
				continue;
			sg = kind == KEEP_STRGP ? node_find(k->d->strgps, o->name) : NULL;
			if (sg)
				ctl_strgp_drop(k->d, sg, strgp_gone);
			else
				carry_out_named(k->d, kind_verbs[kind].del, o->name);
		}
	objects_free(k);
}

void failover_keep_open(struct daemon *d)
{
	struct keeper *k = xcalloc(1, sizeof(*k));

	k->face = (struct failover_keeper){ .told = told, .begin = begin, .cease = cease, .forget = forget };
	k->d = d;
	failover_keeper_set(d->failover, &k->face);
}

void failover_keep_free(struct failover_keeper *face)
{
	if (!face)
		return;
	objects_free((struct keeper *)face);
	free(face);
}
