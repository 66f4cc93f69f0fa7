/* ctl_prdcr_stat.c - what is answered about producers: their state, sets, and the schedules that these are written on
 */
#include <errno.h>
#include <stdlib.h>

#include "core/base/clock.h"
#include "core/base/json_put.h"
#include "core/base/xalloc.h"
#include "core/ctl/ctl_prdcr_sub.h"
#include "core/ctl/reply.h"
#include "core/ctl/verbs.h"
#include "core/daemon/prdcr.h"

/* -- prdcr_status -------------------------------------------------------------------------------------------------- */

static void status_one(struct buf *b, struct prdcr *p)
{
	const struct prdcr_conf *conf = prdcr_conf(p);
	struct prdcr_stats st;
	const char *sep = "";

	prdcr_stats(p, &st);
	buf_addf(b, "{ \"name\":");
	reply_string(b, conf->name);
	buf_addf(b, ",\"type\":\"%s\",\"host\":", prdcr_type_name(conf->type));
	reply_string(b, conf->host);
	buf_addf(b, ",\"port\":%u,\"transport\":", conf->port);
	reply_string(b, conf->xprt);
	buf_addf(b, ",\"auth\":");
	reply_string(b, conf->auth);
	buf_addf(b, ",\"rail\":\"%u\",\"quota\":", conf->rail);
	reply_size(b, conf->quota.recv_quota);
	buf_addf(b, ",\"rx_rate\":");
	reply_size(b, conf->quota.rate);
	buf_addf(b, ",\"reconnect_us\":\"%lld\",\"state\":\"%s\",\"sets\": [", (long long)conf->reconnect_us,
		 prdcr_state_name(prdcr_state(p)));
	for (struct prdset *ps = prdcr_sets_sorted(p); ps; ps = ps->hh.next) {
		buf_addf(b, "%s{ \"inst_name\":", sep);
		reply_string(b, ps->name);
		buf_addf(b, ",\"schema_name\":");
		reply_string(b, ps->schema);
		buf_addf(b, ",\"state\":\"%s\"", prdset_state_name(ps->state));
		if (ps->gap.missed) /* beyond ldmsd, where there is something to say */
			buf_addf(b, ",\"missed\":%u", ps->gap.missed);
		buf_addf(b, "}");
		sep = ",\n";
	}
	/* beyond ldmsd: what a person wants to know of a producer that is not there, or whose sets do not move */
	buf_addf(b, "],\"why\":");
	reply_string(b, prdcr_why(p));
	prdcr_put_wants(b, p);
	buf_addf(b,
		 ",\"connects\":%llu,\"disconnects\":%llu,\"failures\":%llu,\"updates\":%llu,\"oversampled\":%llu,"
		 "\"torn\":%llu,\"failed\":%llu,\"skipped\":%llu,\"missed\":%llu}",
		 (unsigned long long)st.connects, (unsigned long long)st.disconnects, (unsigned long long)st.failures,
		 (unsigned long long)st.updates, (unsigned long long)st.oversampled, (unsigned long long)st.torn,
		 (unsigned long long)st.failed, (unsigned long long)st.skipped, (unsigned long long)st.missed);
}

static void status_table(struct ctl *c, struct node **table)
{
	const char *name = ctl_text(c, ATTR_NAME, NULL);
	struct daemon_turn turn = { 0 };

	node_sort(table);
	NODE_EACH(n, *table) {
		if (name && strcmp(name, n->name))
			continue;
		buf_addf(&c->reply, "%s", c->reply.len > 1 ? ",\n" : "");
		daemon_step(c->d, &turn);
		status_one(&c->reply, (struct prdcr *)n);
	}
	daemon_steps_end(c->d, &turn);
}

/* Advertisers are shown among the producers, as ldmsd has it. */
int ctl_prdcr_status(struct ctl *c, struct err *err)
{
	const char *name = ctl_text(c, ATTR_NAME, NULL);

	if (name && !node_find(c->d->prdcrs, name) && !node_find(c->d->adverts, name))
		return err_set(err, -ENOENT, "prdcr '%s' doesn't exist.", name);
	c->json = true;
	buf_addf(&c->reply, "[");
	status_table(c, &c->d->prdcrs);
	status_table(c, &c->d->adverts);
	buf_addf(&c->reply, "]");
	return 0;
}

/* -- prdcr_set_status ---------------------------------------------------------------------------------------------- */

static void origin(struct buf *b, const struct set *s)
{
	const struct set_meta *m = (const struct set_meta *)s->image;

	json_put_text(b, m->producer, strnlen(m->producer, sizeof(m->producer)));
}

static void set_status_one(struct buf *b, const struct prdset *ps)
{
	struct set_stat st = { 0 };

	buf_addf(b, "{ \"inst_name\":");
	reply_string(b, ps->name);
	buf_addf(b, ",\"schema_name\":");
	reply_string(b, ps->schema);
	buf_addf(b, ",\"state\":\"%s\",\"origin\":", prdset_state_name(ps->state));
	if (ps->set) {
		set_stat(ps->set, &st);
		origin(b, ps->set);
	} else {
		buf_addf(b, "\"\"");
	}
	buf_addf(b, ",\"producer\":");
	reply_string(b, prdcr_conf(ps->prdcr)->name);
	buf_addf(
		b,
		",\"timestamp.sec\":\"%u\",\"timestamp.usec\":\"%u\",\"duration.sec\":\"%u\",\"duration.usec\":\"%u\"}",
		st.ts_sec, st.ts_usec, st.dur_sec, st.dur_usec);
}

/* No filter, or the word itself. */
static bool passes(const struct ctl *c, enum attr_id id, const char *word)
{
	return !strcmp(ctl_text(c, id, word), word);
}

int ctl_prdcr_set_status(struct ctl *c, struct err *err)
{
	struct daemon_turn turn = { 0 };
	const char *sep = "";

	(void)err;
	c->json = true;
	node_sort(&c->d->prdcrs);
	buf_addf(&c->reply, "[");
	NODE_EACH(n, c->d->prdcrs) {
		struct prdcr *p = (struct prdcr *)n;

		if (!passes(c, ATTR_PRODUCER, n->name))
			continue;
		daemon_step(c->d, &turn);
		for (struct prdset *ps = prdcr_sets_sorted(p); ps; ps = ps->hh.next) {
			if (!passes(c, ATTR_INSTANCE, ps->name) || !passes(c, ATTR_SCHEMA, ps->schema))
				continue;
			buf_addf(&c->reply, "%s", sep);
			sep = ",\n";
			set_status_one(&c->reply, ps);
		}
	}
	daemon_steps_end(c->d, &turn);
	buf_addf(&c->reply, "]");
	return 0;
}

/* -- prdcr_hint_tree ----------------------------------------------------------------------------------------------- */

static int hint_order(const void *a, const void *b)
{
	const struct prdset *x = *(struct prdset *const *)a, *y = *(struct prdset *const *)b;

	if (x->hint_interval_us != y->hint_interval_us)
		return x->hint_interval_us < y->hint_interval_us ? -1 : 1;
	if (x->hint_loose != y->hint_loose)
		return x->hint_loose ? -1 : 1;
	if (x->hint_offset_us != y->hint_offset_us)
		return x->hint_offset_us < y->hint_offset_us ? -1 : 1;
	return strcmp(x->name, y->name);
}

static bool same_hint(const struct prdset *x, const struct prdset *y)
{
	return x->hint_interval_us == y->hint_interval_us && x->hint_loose == y->hint_loose &&
	       x->hint_offset_us == y->hint_offset_us;
}

/* Sets without a hint are in no branch. */
static void hint_tree_one(struct buf *b, struct prdcr *p)
{
	struct prdset **v = xcalloc(HASH_COUNT(prdcr_sets(p)) + 1, sizeof(struct prdset *));
	size_t n = 0;

	for (struct prdset *ps = prdcr_sets(p); ps; ps = ps->hh.next)
		if (ps->hint_interval_us)
			v[n++] = ps;
	qsort(v, n, sizeof(struct prdset *), hint_order);
	buf_addf(b, "{\"name\":");
	reply_string(b, prdcr_conf(p)->name);
	buf_addf(b, ",\"hints\":[");
	for (size_t i = 0; i < n; i++) {
		if (!i || !same_hint(v[i - 1], v[i])) {
			buf_addf(b, "%s{\"interval_us\":\"%lld\",\"offset_us\":\"", i ? "]}," : "",
				 (long long)v[i]->hint_interval_us);
			if (v[i]->hint_loose)
				buf_addf(b, "None\",\"sets\":[");
			else
				buf_addf(b, "%lld\",\"sets\":[", (long long)v[i]->hint_offset_us);
		} else {
			buf_addf(b, ",");
		}
		reply_string(b, v[i]->name);
	}
	buf_addf(b, n ? "]}]}" : "]}");
	free(v);
}

int ctl_prdcr_hint_tree(struct ctl *c, struct err *err)
{
	const char *name = ctl_text(c, ATTR_NAME, NULL), *sep = "";
	struct daemon_turn turn = { 0 };

	if (name && !node_find(c->d->prdcrs, name))
		return err_set(err, -ENOENT, "prdcr '%s' not found", name);
	c->json = true;
	node_sort(&c->d->prdcrs);
	buf_addf(&c->reply, "[");
	NODE_EACH(n, c->d->prdcrs) {
		if (name && strcmp(name, n->name))
			continue;
		buf_addf(&c->reply, "%s", sep);
		sep = ",\n";
		daemon_step(c->d, &turn);
		hint_tree_one(&c->reply, (struct prdcr *)n);
	}
	daemon_steps_end(c->d, &turn);
	buf_addf(&c->reply, "]");
	return 0;
}

/* -- prdcr_stats --------------------------------------------------------------------------------------------------- */

int ctl_prdcr_stats(struct ctl *c, struct err *err)
{
	unsigned int states[PRDCR_STATES] = { 0 }, prdcrs = 0, sets = 0;
	struct daemon_turn turn = { 0 };
	int64_t begin_us = mono_us();
	struct prdcr_stats st;

	(void)err;
	NODE_EACH(n, c->d->prdcrs) {
		daemon_step(c->d, &turn);
		prdcr_stats((struct prdcr *)n, &st);
		states[prdcr_state((struct prdcr *)n)]++;
		sets += st.sets;
		prdcrs++;
	}
	daemon_steps_end(c->d, &turn);
	c->json = c->nul = true;
	/* one that stops is stopped here by the time that anybody can ask */
	buf_addf(&c->reply,
		 "{ \"prdcr_count\": %u,\n \"stopped_count\": %u,\n \"disconnected_count\": %u,\n"
		 " \"connecting_count\": %u,\n \"connected_count\": %u,\n \"stopping_count\": 0,\n"
		 " \"standby_count\": %u,\n \"set_count\": %u,\n \"compute_time\": %lld\n}",
		 prdcrs, states[PRDCR_STOPPED], states[PRDCR_DISCONNECTED], states[PRDCR_CONNECTING],
		 states[PRDCR_CONNECTED], states[PRDCR_STANDBY], sets, (long long)(mono_us() - begin_us));
	return 0;
}
