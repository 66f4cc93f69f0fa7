/* ctl_stats.c - `stats`: what an operator looks for first, out of several answers of the daemon: who is away, and what
 * was refused, lost, dropped or late. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <jansson.h>

#include "cmd/ctl.h"
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

/* -- what is looked for -------------------------------------------------------------------------------------------- */

static void producers_away(const json_t *answer, struct finding *f)
{
	const json_t *p;
	size_t i;

	json_array_foreach(answer, i,
			   p) if (strcmp(text_at(p, "state"), "CONNECTED") && strcmp(text_at(p, "state"), "STANDBY"))
		finding_add(f, text_at(p, "name"), 1);
}

static void sets_not_ready(const json_t *answer, struct finding *f)
{
	const json_t *p, *set;
	size_t i, k, n;

	json_array_foreach(answer, i, p)
	{
		n = 0;
		json_array_foreach(json_object_get(p, "sets"), k, set) n +=
			strcmp(text_at(set, "state"), "READY") && strcmp(text_at(set, "state"), "UPDATING");
		finding_add(f, text_at(p, "name"), (double)n);
	}
}

static void stopped(const json_t *answer, struct finding *f)
{
	const json_t *o;
	size_t i;

	json_array_foreach(answer, i, o) finding_add(f, text_at(o, "name"), !strcmp(text_at(o, "state"), "STOPPED"));
}

/* Of each updater's sets, the member `what`. */
static void updates_count(const json_t *answer, const char *what, struct finding *f)
{
	const char *name, *key;
	json_t *u, *p, *s;

	json_object_foreach((json_t *)answer, name, u)
	{
		double n = 0;

		json_object_foreach(u, key, p)
		{
			const char *set;

			json_object_foreach(p, set, s) n += number_at(s, what);
		}
		finding_add(f, name, n);
	}
}

static void updates_skipped(const json_t *answer, struct finding *f)
{
	updates_count(answer, "skipped_cnt", f);
}

static void updates_oversampled(const json_t *answer, struct finding *f)
{
	updates_count(answer, "oversampled_cnt", f);
}

static void members_count(const json_t *answer, const char *what, struct finding *f)
{
	const json_t *o;
	size_t i;

	json_array_foreach(answer, i, o)
	{
		f->unknown |= !json_object_get(o, what);
		finding_add(f, text_at(o, "name"), number_at(o, what));
	}
}

static void samples_dropped(const json_t *answer, struct finding *f)
{
	members_count(answer, "dropped", f);
}

static void samples_queued(const json_t *answer, struct finding *f)
{
	members_count(answer, "queued", f);
}

static void store_errors(const json_t *answer, struct finding *f)
{
	members_count(answer, "errors", f);
}

static void peers_refused(const json_t *answer, struct finding *f)
{
	const json_t *r;
	size_t i;

	f->unknown = !json_object_get(answer, "refused");
	json_array_foreach(json_object_get(answer, "refused"), i, r)
		finding_add(f, text_at(r, "reason"), number_at(r, "count"));
}

static void auth_failed(const json_t *answer, struct finding *f)
{
	const char *why;
	json_t *n;

	f->unknown = !json_object_get(answer, "auth_failed");
	json_object_foreach(json_object_get(answer, "auth_failed"), why, n) finding_add(f, why, json_number_value(n));
}

static void pushes_merged(const json_t *answer, struct finding *f)
{
	f->unknown = !json_object_get(answer, "pushes");
	finding_add(f, "replaced by newer ones", number_at(json_object_get(answer, "pushes"), "merged"));
}

static void messages_dropped(const json_t *answer, struct finding *f)
{
	const json_t *c;
	size_t i;

	json_array_foreach(answer, i, c) finding_add(f, text_at(c, *text_at(c, "dest") ? "dest" : "desc"),
						     number_at(json_object_get(c, "drops"), "count"));
}

static const struct probe {
	const char *verb;
	const char *what;
	void (*look)(const json_t *answer, struct finding *f);
} probes[] = {
	{ "prdcr_status", "producers not connected", producers_away },
	{ "prdcr_status", "sets not ready", sets_not_ready },
	{ "updtr_status", "updaters stopped", stopped },
	{ "update_time_stats", "updates skipped", updates_skipped },
	{ "update_time_stats", "updates without news", updates_oversampled },
	{ "strgp_status", "policies stopped", stopped },
	{ "strgp_status", "samples dropped", samples_dropped },
	{ "strgp_status", "samples queued", samples_queued },
	{ "strgp_status", "store errors", store_errors },
	{ "xprt_stats", "peers refused", peers_refused },
	{ "xprt_stats", "authentications failed", auth_failed },
	{ "xprt_stats", "pushes merged", pushes_merged },
	{ "msg_client_stats", "messages dropped", messages_dropped },
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
	enum exit_status status = ctl_connect(s, where), one;
	struct buf out = { 0 }, answer = { 0 };
	const char *asked = "";
	struct err err = { "" };
	json_t *v = NULL;
	int rc = 0;

	(void)arg;
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
		p->look(v, &f);
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
