/* ls_items.c - the contents of sets for `ldms ls -l`: looked up, read, and shown in their order. */
#include <errno.h>

#include "cmd/ls_impl.h"
#include "core/set/snap.h"

#define WINDOW      256         /* sets asked for and not yet come: enough to keep the peer busy */
#define OUT_BYTES   (64u << 10) /* of output are gathered before they are written */
#define MISSING_MAX 20          /* names told; the others are counted */

void ls_flush(struct ls *ls)
{
	if (ls->p.out.len)
		fwrite(ls->p.out.p, 1, ls->p.out.len, stdout);
	buf_reset(&ls->p.out);
}

static void item_show(struct ls *ls, struct ls_item *it)
{
	if (it->snap)
		print_contents(&ls->p, it->d, &it->snap->im);
	snap_put(it->snap);
	it->snap = NULL;
	if (ls->p.out.len >= OUT_BYTES)
		ls_flush(ls);
}

static void item_over(struct ls_item *it)
{
	struct ls *ls = it->ls;

	it->over = true;
	rset_free(it->rs);
	it->rs = NULL;
	ls->came++;
	while (ls->shown < ls->asked && ls->items[ls->shown].over)
		item_show(ls, &ls->items[ls->shown++]);
	ls_items_ask(ls);
}

/* Not this one; the others may be fine. */
static void item_fail(struct ls_item *it, const char *why)
{
	ls_say(it->ls, "%s: %s", it->d->name, why);
	it->ls->status = EXIT_INCOMPLETE;
	item_over(it);
}

static void item_updated(struct rset *rs, enum update_result res, int rc, const struct set_data *data)
{
	struct ls_item *it = rs->arg;
	const struct set_meta *meta = (const struct set_meta *)rs->set->image;

	if (it->ls->phase == PHASE_OVER)
		return;
	if (res == UPDATE_FAIL) {
		item_fail(it, err_name(rc));
		return;
	}
	if (rs->busy) /* a ring: the newest element comes last */
		return;
	/* A sample that was cut through is shown as it is, "inconsistent"; nothing new is what the mirror has. */
	it->snap = data ? snap_of(meta, le32toh(meta->meta_sz), data, le32toh(meta->data_sz)) : snap_new(rs->set);
	if (it->snap)
		item_over(it);
	else
		item_fail(it, "out of memory for its contents");
}

static void item_looked_up(struct xprt *x, void *arg, int rc, struct rset *rs, bool more, const char *why)
{
	struct ls_item *it = arg;

	(void)x;
	(void)more;
	if (it->over || it->rs || it->ls->phase == PHASE_OVER) { /* a second answer to one name; too late */
		rset_free(rs);
		return;
	}
	if (!rc) {
		it->rs = rs;
		rs->updated = item_updated;
		rs->arg = it;
		rc = it->ls->o->push ? rset_push(rs, RSET_PUSH_CHANGE) : rset_update(rs);
		why = err_name(rc);
	}
	if (rc)
		item_fail(it, why);
}

void ls_items_ask(struct ls *ls)
{
	struct err err;

	if (ls->asking)
		return;
	ls->asking = true;
	while (ls->asked < ls->picked_n && ls->asked - ls->came < WINDOW && ls->phase == PHASE_SETS) {
		struct ls_item *it = &ls->items[ls->asked++];

		if (xprt_lookup(ls->x, it->d->name, 0, item_looked_up, it, &err))
			item_fail(it, err.msg);
	}
	if (ls->o->push && ls->asked == ls->picked_n) /* how often sets are sampled is not our business */
		ev_timer_stop(loop_ev(ls->loop), &ls->deadline);
	ls->asking = false;
	if (ls->came == ls->picked_n)
		ls_over(ls, ls->status);
}

void ls_items_end(struct ls *ls)
{
	struct buf names = { 0 };
	size_t missing = 0;

	for (size_t i = ls->shown; i < ls->picked_n; i++) {
		struct ls_item *it = &ls->items[i];

		if (it->over) {
			item_show(ls, it);
			continue;
		}
		rset_free(it->rs);
		if (missing++ < MISSING_MAX)
			buf_addf(&names, "%s%s", names.len ? ", " : "", it->d->name);
	}
	if (missing > MISSING_MAX)
		buf_addf(&names, " and %zu more", missing - MISSING_MAX);
	if (missing && ls->late)
		ls_say(ls, "%zu of %zu sets did not answer within %s: %s", missing, ls->picked_n, ls->time_text,
		       buf_str(&names));
	else if (missing)
		ls_say(ls, "%zu of %zu sets did not come: %s", missing, ls->picked_n, buf_str(&names));
	buf_fini(&names);
}
