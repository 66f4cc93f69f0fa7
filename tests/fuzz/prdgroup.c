/* prdgroup.c - sets and groups of them that come, change and go while updaters start and stop.
 *
 * Reaches: core/daemon/setgroup.c, prdgroup.c, updtr_task.c (who has a set, and when), prdset_local.c.
 * Input: two bytes an operation: which, and its name in the low 3 bits; the rest are members, or an interval.
 * Checked after each: an updater has the sets that it wants and the members of the groups that it wants, and no others;
 * members are on the schedule of one of their groups.
 */
#include <stdlib.h>

#include "core/base/log.h"
#include "core/base/unit.h"
#include "core/base/xalloc.h"
#include "core/daemon/prdcr_impl.h"
#include "core/daemon/setgroup.h"
#include "core/daemon/updtr.h"

#define NAMES 8 /* "0" ... "7"; an updater wants 0 to 3 */
#define OWN   4

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t len);

static struct daemon *d;
static struct prdcr *p;
static struct updtr *u;
static struct schema *plain;

static struct {
	bool there, group;
	uint8_t members; /* bits */
	int interval_s;  /* 0: none said */
} model[NAMES];

static void open_once(void)
{
	const struct updtr_conf uc = { .name = "u", .interval_us = 100 * SEC_US, .auto_interval = true };
	const struct prdcr_conf pc = {
		.name = "p", .xprt = "sock", .host = "h", .auth = "none", .type = PRDCR_LOCAL, .reconnect_us = SEC_US
	};
	const struct daemon_conf dc = { .name = "d" };

	if (d)
		return;
	log_level_set(LOG_QUIET_);
	if (daemon_new(&dc, &d, NULL))
		abort();
	plain = schema_new("plain", NULL);
	schema_add(plain, "m", V_U64, NULL, NULL);
	loop_lock(d->main);
	p = prdcr_new(d, &pc, NULL);
	node_add(&d->prdcrs, (struct node *)p);
	prdcr_start(p, 0, NULL);
	u = updtr_new(d, &uc, NULL);
	updtr_prdcr_add(u, ".*", NULL);
	updtr_match_add(u, "^[0-3]$", UPDTR_INSTANCE, NULL);
	node_add(&d->updtrs, (struct node *)u);
}

static void turn(void)
{
	for (int i = 0; i < 2; i++)
		ev_run(loop_ev(d->main), EVRUN_NOWAIT);
}

static void gone(unsigned int i)
{
	const char name[] = { (char)('0' + i), '\0' };
	struct set *s = setdb_find(d->sets, name);

	if (s)
		setdb_del(d->sets, s);
	set_put(s);
	model[i].there = false;
}

static void set_come(unsigned int i)
{
	const char name[] = { (char)('0' + i), '\0' };
	struct set *s;

	gone(i);
	set_new(d->pool, plain, name, "p", 0, 0, 0777, &s, NULL);
	setdb_add(d->sets, s, NULL);
	set_put(s);
	model[i].there = true;
	model[i].group = false;
}

static char *list_of(uint8_t members)
{
	char *list = xcalloc(1, 2 * NAMES + 1), *at = list;

	for (unsigned int i = 0; i < NAMES; i++)
		if (members & 1u << i) {
			*at++ = (char)('0' + i);
			*at++ = ',';
		}
	return list;
}

static void group_come(unsigned int i, int interval_s)
{
	const struct setgroup_schedule sched = { .interval_us = interval_s * SEC_US };
	const char name[] = { (char)('0' + i), '\0' };

	gone(i);
	setgroup_add(d, name, "p", &sched, NULL);
	model[i].there = model[i].group = true;
	model[i].members = 0;
	model[i].interval_s = interval_s;
}

static void group_change(unsigned int op, unsigned int i, uint8_t arg)
{
	const struct setgroup_schedule sched = { .interval_us = (arg & 7) * SEC_US };
	const char name[] = { (char)('0' + i), '\0' };
	char *list = list_of(arg);

	if (!model[i].there || !model[i].group)
		goto out;
	if (op == 3) {
		setgroup_ins(d, name, list, NULL);
		model[i].members |= arg;
	} else if (op == 4) {
		setgroup_rm(d, name, list, NULL);
		model[i].members &= (uint8_t)~arg;
	} else {
		setgroup_mod(d, name, &sched, NULL);
		model[i].interval_s = arg & 7;
	}
out:
	free(list);
}

/* Is the set on a schedule that it may be on? */
static bool is_right(unsigned int i, bool has, int interval_s)
{
	bool wanted = i < OWN, via = false;

	for (unsigned int g = 0; g < OWN && !(i < OWN && model[i].group); g++) {
		if (g == i || !model[g].there || !model[g].group || !(model[g].members & 1u << i))
			continue;
		via = true;
		if (has && interval_s == (model[g].interval_s ? model[g].interval_s : 100))
			return true;
	}
	if (via || !wanted)
		return via ? false : !has;
	return has && interval_s == (model[i].group && model[i].interval_s ? model[i].interval_s : 100);
}

static void check(void)
{
	for (unsigned int i = 0; i < NAMES; i++) {
		const char name[] = { (char)('0' + i), '\0' };
		struct prdset *ps = prdset_find(p, name);
		int64_t interval_us = 0, offset_us;
		bool has = ps && updtr_set_schedule(ps, &interval_us, &offset_us);

		if (!ps != !model[i].there)
			abort();
		if (ps && !updtr_running(u) && has)
			abort();
		if (ps && updtr_running(u) && !is_right(i, has, (int)(interval_us / SEC_US)))
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t len)
{
	open_once();
	for (; len >= 2; in += 2, len -= 2) {
		unsigned int op = in[0] >> 5, i = in[0] & 7;

		if (op == 0)
			gone(i);
		else if (op == 1)
			set_come(i);
		else if (op == 2)
			group_come(i, in[1] & 7);
		else if (op <= 5)
			group_change(op, i, in[1]);
		else if (op == 6)
			updtr_start(u, NULL);
		else
			updtr_stop(u);
		turn();
		check();
	}
	updtr_stop(u);
	for (unsigned int i = 0; i < NAMES; i++)
		gone(i);
	turn();
	if (p->memberships || p->sets)
		abort();
	return 0;
}
