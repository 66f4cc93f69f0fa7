/* object.c - see object.h
 *
 * Every producer, updater and storage policy belongs to whom it was made by, and perm= says who else may change it.  It
 * is looked at here, once, for all verbs; a kind of objects is a row below and a flag in verb.h.
 */
#include "core/ctl/object.h"

#include <errno.h>

#include "core/base/regex.h"
#include "core/base/str.h"
#include "core/daemon/prdcr.h"
#include "core/daemon/prdcr_listen.h"
#include "core/daemon/updtr.h"
#include "core/set/perm.h"

#define NEAR_MAX 1000 /* objects among which the nearest is looked for */
#define KINDS    (VERB_PRDCR | VERB_UPDTR | VERB_ADVERTISER | VERB_PRDCR_LISTEN | VERB_STRGP)

struct owner {
	uint32_t uid, gid, perm;
};

static struct owner prdcr_owner(const struct node *n)
{
	const struct prdcr_conf *conf = prdcr_conf((const struct prdcr *)n);

	return (struct owner){ conf->uid, conf->gid, conf->perm };
}

static struct owner updtr_owner(const struct node *n)
{
	const struct updtr_conf *conf = updtr_conf((const struct updtr *)n);

	return (struct owner){ conf->uid, conf->gid, conf->perm };
}

static struct owner strgp_owner(const struct node *n)
{
	const struct strgp_conf *conf = strgp_conf(((const struct strgp_node *)n)->strgp);

	return (struct owner){ conf->uid, conf->gid, conf->perm };
}

static struct owner prdcr_listen_owner(const struct node *n)
{
	const struct prdcr_listen_conf *conf = prdcr_listen_conf((const struct prdcr_listen *)n);

	return (struct owner){ conf->uid, conf->gid, conf->perm };
}

static const struct kind {
	enum verb_flag flag;
	size_t table; /* in struct daemon */
	struct owner (*owner)(const struct node *n);
} kinds[] = {
	{ VERB_PRDCR, offsetof(struct daemon, prdcrs), prdcr_owner },
	{ VERB_UPDTR, offsetof(struct daemon, updtrs), updtr_owner },
	{ VERB_ADVERTISER, offsetof(struct daemon, adverts), prdcr_owner }, /* which is a producer, too */
	{ VERB_PRDCR_LISTEN, offsetof(struct daemon, prdcr_listens), prdcr_listen_owner },
	{ VERB_STRGP, offsetof(struct daemon, strgps), strgp_owner },
};

static struct node *table_of(const struct daemon *d, const struct kind *k)
{
	return *(struct node *const *)((const char *)d + k->table);
}

static bool may_write(const struct ctl *c, const struct kind *k, const struct node *n)
{
	const struct owner o = k->owner(n);

	return perm_allows(c->uid, c->gid, PERM_WRITE, o.uid, o.gid, o.perm);
}

static bool may_write_matches(const struct ctl *c, const struct kind *k, struct node *table, const char *regex)
{
	struct rx rx = { 0 };
	bool may = true;

	if (rx_init(&rx, regex, NULL))
		return true; /* the handler says what is wrong with it */
	for (struct node *n = table; n && may; n = n->hh.next)
		if (rx_match(&rx, n->name))
			may = may_write(c, k, n);
	rx_fini(&rx);
	return may;
}

int object_check(const struct ctl *c, struct err *err)
{
	const char *name = ctl_text(c, ATTR_NAME, NULL), *regex = ctl_text(c, ATTR_REGEX, NULL);

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		const struct kind *k = &kinds[i];
		struct node *table = table_of(c->d, k);
		const struct node *n = name ? node_find(table, name) : NULL;

		if (!(c->verb->flags & k->flag))
			continue;
		if ((n && !may_write(c, k, n)) || (!name && regex && !may_write_matches(c, k, table, regex)))
			return err_set(err, -EACCES, "Permission denied.");
	}
	return 0;
}

const char *object_nearest(const struct daemon *d, const struct verb *v, const char *name)
{
	const char *names[NEAR_MAX + 1];
	size_t n = 0;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (v->flags & kinds[i].flag)
			for (struct node *o = table_of(d, &kinds[i]); o && n < NEAR_MAX; o = o->hh.next)
				names[n++] = o->name;
	for (struct node *o = v->flags & KINDS ? NULL : d->samps; o && n < NEAR_MAX; o = o->hh.next)
		names[n++] = o->name;
	for (struct node *o = v->flags & KINDS ? NULL : d->stores; o && n < NEAR_MAX; o = o->hh.next)
		names[n++] = o->name;
	for (struct node *o = v->flags & KINDS ? NULL : d->scribes; o && n < NEAR_MAX; o = o->hh.next)
		names[n++] = o->name;
	names[n] = NULL;
	return nearest(name, names);
}
