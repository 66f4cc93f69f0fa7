/* prdset_lookup.c - the sets of a producer, looked up: asked for, had, or asked for again later. */
#include <stdlib.h>

#include "core/base/log.h"
#include "core/base/xalloc.h"
#include "core/daemon/prdgroup.h"
#include "core/daemon/prdset_impl.h"

#define ASKING_MIN          4 /* places for lookups without answer; they double */
#define LOOKUP_FAILURES_MAX 7 /* a set that cannot be had is asked for every 2^7th turn in the end */

/* The set may have gone since it asked: so a lookup carries a number, not a pointer.  The number is a place in
 * p->asking, taken from a list of free ones. */
static void ticket_take(struct prdset *ps)
{
	struct prdcr *p = ps->prdcr;

	if (!p->asking_free) {
		uint32_t n = p->asking_n ? 2 * p->asking_n : ASKING_MIN;

		p->asking = xrealloc(p->asking, n * sizeof(*p->asking));
		for (uint32_t i = n; i > p->asking_n; i--) {
			p->asking[i - 1] = (struct asking){ .next = p->asking_free };
			p->asking_free = i;
		}
		p->asking_n = n;
	}
	p->asking_out++;
	ps->ticket = p->asking_free;
	p->asking_free = p->asking[ps->ticket - 1].next;
	p->asking[ps->ticket - 1].ps = ps;
}

void prdset_asking_free(struct prdcr *p)
{
	free(p->asking);
	p->asking = NULL;
	p->asking_n = p->asking_free = p->asking_out = 0;
}

/* The answer has come: who asked, or NULL when it has gone since. */
static struct prdset *ticket_back(struct prdcr *p, uintptr_t ticket)
{
	struct asking *a = &p->asking[ticket - 1];
	struct prdset *ps = a->ps;

	*a = (struct asking){ .next = p->asking_free };
	p->asking_free = (uint32_t)ticket;
	if (ps)
		ps->ticket = 0;
	if (!--p->asking_out)
		prdset_asking_free(p);
	return ps;
}

/* A lookup failed: ask again on a later turn, ever later. */
static void lookup_failed(struct prdset *ps, const char *why)
{
	if (!ps->told)
		log_warning("producer", "%s: set %s: the lookup failed: %s; it is tried again on schedule",
			    ps->prdcr->conf.name, ps->name, why);
	ps->told = true;
	ps->state = PRDSET_START;
	if (ps->failures < LOOKUP_FAILURES_MAX)
		ps->failures++;
	ps->rest = (uint16_t)((1u << ps->failures) - 1);
}

static void on_lookup(struct xprt *x, void *arg, int rc, struct rset *rs, bool more, const char *why)
{
	struct prdset *ps = ticket_back(xprt_arg(x), (uintptr_t)arg);

	(void)more;
	if (!ps || !rs) {
		rset_free(rs);
		if (ps)
			lookup_failed(ps, why && *why ? why : err_name(rc));
		return;
	}
	ps->failures = 0;
	ps->rs = rs;
	ps->set = set_get(rs->set);
	rs->arg = ps;
	rs->updated = prdset_updated;
	prdgroup_put_info(ps, ps->set); /* the news of it may have overtaken the lookup */
	prdset_updtrs_changed(ps);
	ps->state = PRDSET_READY;
	prdset_turn(ps);
}

void prdset_lookup(struct prdset *ps)
{
	struct prdcr *p = ps->prdcr;
	struct set *other = setdb_find(p->d->sets, ps->name);
	struct err err = { "" };

	if (other) { /* no need to ask: prdset_publish() would refuse it */
		set_put(other);
		prdset_name_taken(ps);
		return;
	}
	ticket_take(ps);
	if (!xprt_lookup(p->x, ps->name, 0, on_lookup, (void *)(uintptr_t)ps->ticket, &err)) {
		ps->state = PRDSET_LOOKUP;
		return;
	}
	ticket_back(p, ps->ticket);
	lookup_failed(ps, err.msg);
}
