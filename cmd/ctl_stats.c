/* ctl_stats.c - `stats`: what an operator looks for first, out of several answers of the daemon: who is away, and what
 * was refused, lost, dropped or late. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <jansson.h>

#include "cmd/ctl.h"
#include "cmd/show.h"
#include "core/base/json_put.h"
#include "core/base/term.h"
#include "core/base/xalloc.h"

#define NAMED_MAX 10 /* objects that are named; the others are counted */

/* One finding: how many, of what, and which objects. */
struct finding {
	bool unknown; /* the daemon does not count it */
	double n;
	struct buf who;
	size_t named, unnamed;
};

static void finding_add(struct finding *f, const char *name, double n)
{
	if (n <= 0)
		return;
	f->n += n;
	if (f->named >= NAMED_MAX) {
		f->unnamed++;
		return;
	}
	f->named++;
	buf_u8(&f->who, ' ');
	term_put(&f->who, name, strlen(name), TERM_LINE);
	if (n > 1)
		buf_addf(&f->who, "(%.0f)", n);
}

static double number_at(const json_t *v, const char *key)
{
	const json_t *n = json_object_get(v, key);

	return json_is_string(n) ? strtod(json_string_value(n), NULL) : json_number_value(n);
}

static const char *text_at(const json_t *v, const char *key)
{
	const char *text = json_string_value(json_object_get(v, key));

	return text ? text : "";
}

/* -- what is looked for: each adds to a finding, from an answer, or from one member of its objects -------------------
 */

static void producers_away(const json_t *answer, const char *member, struct finding *f)
{
	const json_t *p;
	size_t i;

	(void)member;
	json_array_foreach(answer, i, p)
	{
		const char *state = text_at(p, "state");

		finding_add(f, text_at(p, "name"), strcmp(state, "CONNECTED") && strcmp(state, "STANDBY"));
	}
}

static void sets_not_ready(const json_t *answer, const char *member, struct finding *f)
{
	const json_t *p, *set;
	size_t i, k, n;

	(void)member;
	json_array_foreach(answer, i, p)
	{
		n = 0;
		json_array_foreach(json_object_get(p, "sets"), k, set)
		{
			const char *state = text_at(set, "state");

			n += strcmp(state, "READY") && strcmp(state, "UPDATING");
		}
		finding_add(f, text_at(p, "name"), (double)n);
	}
}

static void stopped(const json_t *answer, const char *member, struct finding *f)
{
	const json_t *o;
	size_t i;

	(void)member;
	json_array_foreach(answer, i, o)
	{
		finding_add(f, text_at(o, "name"), !strcmp(text_at(o, "state"), "STOPPED"));
	}
}

/* A number, or one where it is true; unknown when there are objects and none has it. */
static void each(const json_t *answer, const char *member, struct finding *f)
{
	const json_t *o, *v;
	bool seen = false, any = false;
	size_t i;

	json_array_foreach(answer, i, o)
	{
		if (!strncmp(text_at(o, "type"), "store", 5)) /* among plugins: only samplers have these */
			continue;
		v = json_object_get(o, member);
		any = true;
		seen |= v != NULL;
		finding_add(f, text_at(o, "name"), json_is_true(v) ? 1 : number_at(o, member));
	}
	f->unknown = any && !seen;
}

/* What says why it is not well, and since when. */
static void troubled(const json_t *answer, const char *member, struct finding *f)
{
	const json_t *o;
	size_t i;

	json_array_foreach(answer, i, o)
	{
		const char *why = text_at(o, member);

		finding_add(f, text_at(o, "name"), *why != '\0');
		if (!*why || f->unnamed)
			continue;
		buf_addf(&f->who, " (");
		term_put(&f->who, why, strlen(why), TERM_LINE);
		buf_addf(&f->who, "; since ");
		show_when(&f->who, number_at(o, "since"));
		buf_addf(&f->who, ")");
	}
}

/* Of the sets of each updater. */
static void updates(const json_t *answer, const char *member, struct finding *f)
{
	const char *name, *prdcr, *set;
	json_t *u, *p, *s;

	json_object_foreach((json_t *)answer, name, u)
	{
		double n = 0;

		json_object_foreach(u, prdcr, p)
		{
			json_object_foreach(p, set, s)
			{
				n += number_at(s, member);
			}
		}
		finding_add(f, name, n);
	}
}

static void refused(const json_t *answer, const char *member, struct finding *f)
{
	const json_t *list = json_object_get(answer, member), *r;
	size_t i;

	f->unknown = !list;
	json_array_foreach(list, i, r)
	{
		finding_add(f, text_at(r, "reason"), number_at(r, "count"));
	}
}

/* Members of a member: numbers with a name. */
static void counts(const json_t *answer, const char *member, struct finding *f)
{
	json_t *all = json_object_get(answer, member), *n;
	const char *name;

	f->unknown = !all;
	json_object_foreach(all, name, n)
	{
		finding_add(f, name, json_number_value(n));
	}
}

static void drops(const json_t *answer, const char *member, struct finding *f)
{
	const json_t *c;
	size_t i;

	json_array_foreach(answer, i, c)
	{
		finding_add(f, text_at(c, *text_at(c, "dest") ? "dest" : "desc"),
			    number_at(json_object_get(c, member), "count"));
	}
}

/* A number of the daemon's own. */
static void late(const json_t *answer, const char *member, struct finding *f)
{
	const json_t *samples = json_object_get(answer, "samples");

	f->unknown = !samples;
	f->n = number_at(samples, member);
}

static const struct probe {
	const char *verb; /* is asked; once for all its rows in a row */
	const char *member;
	const char *what; /* for people */
	void (*look)(const json_t *answer, const char *member, struct finding *f);
} probes[] = {
	{ "plugn_status", "degraded", "samplers degraded", each },
	{ "plugn_status", "overdue", "samplers overdue", each },
	{ "plugn_status", "missed", "samples missed", each },
	{ "plugn_status", "errors", "sampler errors", each },
	{ "plugn_status", "dropped", "messages dropped by stores", each },
	{ "plugn_status", "refused", "messages refused by stores", each },
	{ "daemon_status", "late_p99_us", "us samples are late (p99)", late },
	{ "daemon_status", "late_max_us", "us samples are late (max)", late },
	{ "prdcr_status", NULL, "producers not connected", producers_away },
	{ "prdcr_status", "disconnects", "connections lost", each },
	{ "prdcr_status", NULL, "sets not ready", sets_not_ready },
	{ "prdcr_status", "failed", "updates failed", each },
	{ "prdcr_status", "torn", "samples torn", each },
	{ "prdcr_status", "missed", "samples that never came", each },
	{ "updtr_status", NULL, "updaters stopped", stopped },
	{ "update_time_stats", "skipped_cnt", "updates skipped", updates },
	{ "update_time_stats", "oversampled_cnt", "updates without news", updates },
	{ "strgp_status", NULL, "policies stopped", stopped },
	{ "strgp_status", "why", "policies in trouble", troubled },
	{ "strgp_status", "dropped", "samples dropped", each },
	{ "strgp_status", "queued", "samples queued", each },
	{ "strgp_status", "spooled", "samples spooled", each },
	{ "strgp_status", "refused", "rows refused by an engine", each },
	{ "strgp_status", "errors", "store errors", each },
	{ "xprt_stats", "refused", "peers refused", refused },
	{ "xprt_stats", "auth_failed", "authentications failed", counts },
	{ "msg_client_stats", "drops", "messages dropped", drops },
	{ .verb = NULL },
};

/* -- asking and printing ------------------------------------------------------------------------------------------- */

static void text_row(struct buf *to, const struct probe *p, const struct finding *f)
{
	if (f->unknown)
		buf_addf(to, "%10s  %-24s", "-", p->what);
	else
		buf_addf(to, "%10.0f  %-24s", f->n, p->what);
	buf_add(to, f->who.p, f->who.len);
	if (f->unnamed)
		buf_addf(to, " and %zu more", f->unnamed);
	while (to->p[to->len - 1] == ' ')
		to->len--;
	buf_u8(to, '\n');
}

static void json_row(struct buf *to, const struct probe *p, const struct finding *f)
{
	buf_addf(to, "%s\n  ", to->len > 1 ? "," : "");
	json_put_str(to, p->what);
	if (f->unknown)
		buf_addf(to, ": null");
	else
		buf_addf(to, ": %.0f", f->n);
}

/* There is no answer that could be looked at: say why, unless it is that the service is not on. */
static void unanswered(const struct ctl_session *s, const char *where, const char *verb, int rc, struct buf *answer,
		       const struct err *err)
{
	char *words = xasprintf("%s: %s", verb, rc < 0 ? err->msg : answer->len ? buf_str(answer) : err_name(rc));

	ctl_say(s, where, words);
	free(words);
}

static bool is_off(int rc)
{
	return rc == ENOSYS || rc == ENOTSUP;
}

enum exit_status ctl_stats(struct ctl_session *s, const char *arg, const char *where)
{
	enum exit_status status = *arg ? EXIT_USAGE : ctl_connect(s, where), one;
	struct buf out = { 0 }, answer = { 0 };
	const char *asked = "";
	struct err err = { "" };
	json_t *v = NULL;
	int rc = 0;

	if (*arg) {
		ctl_say(s, where, "stats takes nothing behind it; write `stats` alone");
		return status;
	}
	if (s->form == CTL_JSON)
		buf_u8(&out, '{');
	for (const struct probe *p = probes; p->verb && !(status && !s->client); p++) {
		struct finding f = { 0 };

		if (strcmp(asked, p->verb)) {
			if (!verb_find(p->verb))
				continue;
			asked = p->verb;
			json_decref(v);
			buf_reset(&answer);
			rc = ctl_ask(s, p->verb, &answer, &one, &err);
			v = rc ? NULL : json_loadb((char *)answer.p, answer.len, 0, NULL);
			if (rc && !is_off(rc)) {
				unanswered(s, where, p->verb, rc, &answer, &err);
				status = status ? status : one;
			}
		}
		if (!v)
			continue;
		p->look(v, p->member, &f);
		(s->form == CTL_JSON ? json_row : text_row)(&out, p, &f);
		buf_fini(&f.who);
	}
	json_decref(v);
	if (s->form == CTL_JSON)
		buf_addf(&out, "\n}\n");
	ctl_print(&out);
	buf_fini(&out);
	buf_fini(&answer);
	return status;
}
