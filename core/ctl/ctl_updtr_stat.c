/* ctl_updtr_stat.c - what is answered about updaters: their state, schedules, conditions, and how long updates take */
#include <errno.h>
#include <stdlib.h>

#include "core/base/xalloc.h"
#include "core/ctl/reply.h"
#include "core/ctl/verbs.h"
#include "core/daemon/updtr.h"

static const char *const modes[] = {
	[RSET_PULL] = "Pull",
	[RSET_PUSH_REQUEST] = "Push on Request",
	[RSET_PUSH_CHANGE] = "Push on Change",
};

/* Those that name= asks for, or all, in order of name, each put into a list by `one`. */
static int each(struct ctl *c, const char *unknown, const char *open, const char *sep, const char *close,
		void (*one)(struct ctl *c, struct updtr *u), struct err *err)
{
	const char *name = ctl_text(c, ATTR_NAME, NULL), *before = "";

	if (name && !node_find(c->d->updtrs, name))
		return err_set(err, -ENOENT, "updtr '%s' %s", name, unknown);
	node_sort(&c->d->updtrs);
	node_sort(&c->d->prdcrs);
	buf_addf(&c->reply, "%s", open);
	NODE_EACH(n, c->d->updtrs) {
		if (name && strcmp(name, n->name))
			continue;
		buf_addf(&c->reply, "%s", before);
		before = sep;
		one(c, (struct updtr *)n);
	}
	buf_addf(&c->reply, "%s", close);
	return 0;
}

static int each_in_list(struct ctl *c, const char *unknown, void (*one)(struct ctl *c, struct updtr *u),
			struct err *err)
{
	c->json = true;
	return each(c, unknown, "[", ",\n", "]", one, err);
}

static void times_reset(struct ctl *c, struct updtr *u)
{
	struct daemon_turn turn = { 0 };

	NODE_EACH(n, c->d->prdcrs) {
		if (!updtr_takes_prdcr(u, n->name))
			continue;
		daemon_step(c->d, &turn);
		for (struct prdset *ps = prdcr_sets((struct prdcr *)n); ps; ps = ps->hh.next)
			if (updtr_takes_set(u, ps))
				ps->times = (struct prdset_times){ 0 };
	}
	daemon_steps_end(c->d, &turn);
}

/* -- updtr_status -------------------------------------------------------------------------------------------------- */

static void status_one(struct ctl *c, struct updtr *u)
{
	const struct updtr_conf *conf = updtr_conf(u);
	struct buf *b = &c->reply;
	const char *sep = "";
	struct daemon_turn turn = { 0 };

	buf_addf(b, "{\"name\":");
	reply_string(b, conf->name);
	buf_addf(b,
		 ",\"interval\":\"%lld\",\"offset\":\"%lld\",\"sync\":\"%s\",\"mode\":\"%s\",\"auto\":\"%s\","
		 "\"state\":\"%s\",\"producers\":[",
		 (long long)conf->interval_us, (long long)conf->offset_us, conf->async ? "false" : "true",
		 modes[conf->push], conf->auto_interval ? "true" : "false", updtr_running(u) ? "RUNNING" : "STOPPED");
	NODE_EACH(n, c->d->prdcrs) {
		struct prdcr *p = (struct prdcr *)n;
		const struct prdcr_conf *pc = prdcr_conf(p);

		if (!updtr_takes_prdcr(u, n->name))
			continue;
		buf_addf(b, "%s{\"name\":", sep);
		reply_string(b, n->name);
		buf_addf(b, ",\"host\":");
		reply_string(b, pc->host);
		buf_addf(b, ",\"port\":%u,\"transport\":", pc->port);
		reply_string(b, pc->xprt);
		daemon_step(c->d, &turn);
		buf_addf(b, ",\"state\":\"%s\"}", prdcr_state_name(prdcr_state(p)));
		sep = ",\n";
	}
	daemon_steps_end(c->d, &turn);
	buf_addf(b, "]}");
	if (ctl_num(c, ATTR_RESET, false))
		times_reset(c, u);
}

int ctl_updtr_status(struct ctl *c, struct err *err)
{
	return each_in_list(c, "doesn't exist.", status_one, err);
}

/* -- updtr_task ---------------------------------------------------------------------------------------------------- */

static void task_one(struct ctl *c, struct updtr *u)
{
	size_t max = updtr_schedules(u, NULL, 0), n;
	struct updtr_schedule *v = NULL;
	struct buf *b = &c->reply;

	do { /* hints change meanwhile */
		v = xrealloc(v, max * sizeof(*v));
		n = updtr_schedules(u, v, max);
	} while (n > max && (max = n));
	buf_addf(b, "{\"name\":");
	reply_string(b, updtr_conf(u)->name);
	buf_addf(b, ",\"tasks\":[");
	for (size_t i = 0; i < n; i++) {
		buf_addf(b, "%s{\"interval_us\":\"%lld\",\"offset_us\":\"", i ? "," : "", (long long)v[i].interval_us);
		if (v[i].async)
			buf_addf(b, "None");
		else
			buf_addf(b, "%lld", (long long)v[i].offset_us);
		buf_addf(b, "\",\"default_task\":\"%s\"}", v[i].dflt ? "true" : "false");
	}
	buf_addf(b, "]}");
	free(v);
}

int ctl_updtr_task(struct ctl *c, struct err *err)
{
	return each_in_list(c, "not found", task_one, err);
}

/* -- updtr_match_list ---------------------------------------------------------------------------------------------- */

static void match_one(struct ctl *c, struct updtr *u)
{
	enum updtr_selector sel;
	const char *regex;

	buf_addf(&c->reply, "{\"name\":");
	reply_string(&c->reply, updtr_conf(u)->name);
	buf_addf(&c->reply, ",\"match\":[");
	for (size_t i = 0; (regex = updtr_match(u, i, &sel)); i++) {
		buf_addf(&c->reply, "%s{\"regex\":", i ? "," : "");
		reply_string(&c->reply, regex);
		buf_addf(&c->reply, ",\"selector\":\"%s\"}", sel == UPDTR_SCHEMA ? "schema" : "inst");
	}
	buf_addf(&c->reply, "]}");
}

int ctl_updtr_match_list(struct ctl *c, struct err *err)
{
	return each_in_list(c, "does not exist.", match_one, err);
}

/* -- update_time_stats --------------------------------------------------------------------------------------------- */

/* Only producers that are there: the others have no sets. */
static void times_of_prdcr(struct buf *b, struct updtr *u, struct prdcr *p, const char **sep)
{
	const char *set_sep = "";

	if (prdcr_state(p) != PRDCR_CONNECTED)
		return;
	buf_addf(b, "%s", *sep);
	reply_string(b, prdcr_conf(p)->name);
	buf_addf(b, ":{");
	for (struct prdset *ps = prdcr_sets(p); ps; ps = ps->hh.next) {
		const struct prdset_times *t = &ps->times;

		if (!updtr_takes_set(u, ps))
			continue;
		buf_addf(b, "%s", set_sep);
		reply_string(b, ps->name);
		buf_addf(b,
			 ":{\"min\":%u.000000,\"max\":%u.000000,\"avg\":%.6f,\"cnt\":%u,\"skipped_cnt\":%u,"
			 "\"oversampled_cnt\":%u}",
			 t->min_us, t->max_us, t->n ? (double)t->sum_us / t->n : 0.0, t->n, t->skipped, t->oversampled);
		set_sep = ",";
	}
	buf_addf(b, "}");
	*sep = ",";
}

static void times_one(struct ctl *c, struct updtr *u)
{
	const char *sep = "";
	struct daemon_turn turn = { 0 };

	reply_string(&c->reply, updtr_conf(u)->name);
	buf_addf(&c->reply, ":{");
	NODE_EACH(n, c->d->prdcrs) {
		if (!updtr_takes_prdcr(u, n->name))
			continue;
		daemon_step(c->d, &turn);
		times_of_prdcr(&c->reply, u, (struct prdcr *)n, &sep);
	}
	daemon_steps_end(c->d, &turn);
	buf_addf(&c->reply, "}");
	if (ctl_num(c, ATTR_RESET, false))
		times_reset(c, u);
}

int ctl_update_time_stats(struct ctl *c, struct err *err)
{
	return each(c, "doesn't exist.", "{", ",", "}", times_one, err);
}
