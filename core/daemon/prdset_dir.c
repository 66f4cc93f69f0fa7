/* prdset_dir.c - the sets of a producer as its directory tells of them: announced, changed, gone. */
#include "core/base/log.h"
#include "core/daemon/prdcr_outage.h"
#include "core/daemon/prdgroup.h"
#include "core/daemon/prdset_impl.h"

static void dir_said(const struct prdcr *p)
{
	const struct dir_hidden h = xprt_dir_hidden(p->x);

	/* who comes and goes was said to do so */
	if ((p->attempt < 2 || p->conf.type != PRDCR_ADVERTISED) && prdcr_outage_says(p->d->outages, false))
		log_info("producer", "%s: %u sets", p->conf.name, p->stats.sets);
	if (h.sets)
		log_warning("producer",
			    "%s: %llu more sets are hidden from us (uid %u, gid %u there); see their uid, gid and perm",
			    p->conf.name, (unsigned long long)h.sets, h.uid, h.gid);
}

void prdset_dir(struct xprt *x, void *arg, enum dir_event ev, const struct dir_set *set, int rc)
{
	struct prdcr *p = arg;
	struct prdset *ps = set ? prdset_find(p, set->name) : NULL;

	switch (ev) {
	case DIR_SET:
	case DIR_ADD:
		if (ps) { /* said twice, or made anew before we heard of the end of the old one */
			if (ev == DIR_SET)
				break;
			prdset_free(ps);
		}
		if (!xprt_allows(x, REFUSE_SETS, p->stats.sets))
			break;
		log_debug("producer", "%s: adding set %s", p->conf.name, set->name);
		ps = prdset_new(p, set->name, set->schema);
		prdset_hint_take(ps, set->info, set->info_n);
		prdgroup_read(ps, set->info, set->info_n);
		prdset_offer(ps);
		break;
	case DIR_UPD:
		if (ps)
			prdset_info_changed(ps, set);
		break;
	case DIR_DEL:
		if (!ps)
			break;
		log_info("producer", "%s: set %s is gone", p->conf.name, set->name);
		if (ps->rs)
			ps->rs->gone = true;
		prdset_free(ps);
		break;
	case DIR_DONE:
		dir_said(p);
		break;
	case DIR_FAIL:
		log_error("producer", "%s: the directory was refused: %s; asked again at the next connection",
			  p->conf.name, err_name(rc));
		break;
	}
}
