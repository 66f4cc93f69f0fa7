/* plan.c - see plan.h: what core/ctl/conf_yaml.h reads, and where each daemon is reached */
#include "core/maestro/plan.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/unit.h"
#include "core/base/xalloc.h"
#include "core/ctl/conf_impl.h"
#include "core/ctl/conf_yaml.h"
#include "core/maestro/share.h"

/* What was said: daemons that are alike have the same complaints. */
struct said {
	UT_hash_handle hh;
	char key[];
};

struct whole {
	struct plan plan; /* first: plans are these */
	struct conf *cf;
	struct ygen *g;
	struct plan_daemon *daemons;
	struct kv *auth_args; /* of each daemon */
	struct plan_group *groups;
	size_t *order;
	struct said *said;
	void (*note)(void *arg, const struct conf_note *note);
	void *arg;
	unsigned int errors;
	struct err first;
};

/* -- complaints ---------------------------------------------------------------------------------------------------- */

static void on_note(void *arg, const struct conf_note *n)
{
	struct whole *w = arg;
	char *key = xasprintf("%u:%u:%s", n->line, n->col, n->words);
	size_t len = strlen(key);
	struct said *s = NULL;

	HASH_FIND(hh, w->said, key, len, s);
	if (!s) {
		s = xcalloc(1, sizeof(*s) + len + 1);
		memcpy(s->key, key, len);
		HASH_ADD_KEYPTR(hh, w->said, s->key, len, s);
		if (!n->warning && !w->errors++)
			err_set(&w->first, -EINVAL, "%s:%u:%u: %s", n->file ? n->file : w->plan.file, n->line, n->col,
				n->words);
		w->note(w->arg, n);
	}
	free(key);
}

static void said_free(struct whole *w)
{
	struct said *s, *next;

	HASH_ITER(hh, w->said, s, next) {
		HASH_DEL(w->said, s);
		free(s);
	}
}

static void bad(struct whole *w, const struct yaml_node *at, bool warning, const char *words)
{
	on_note(w, &(struct conf_note){ .file = w->plan.file,
					.line = at ? at->line : 1,
					.col = at ? at->col : 1,
					.warning = warning,
					.words = words });
}

/* -- where a daemon is reached ------------------------------------------------------------------------------------- */

static const char *text_of(const struct yaml_node *map, const char *key)
{
	const struct yaml_node *n = yaml_get(map, key);

	return n && n->kind == YAML_TEXT ? n->text : NULL;
}

static bool has_comm(const struct yendpoint *e)
{
	const char *text = text_of(e->spec, "maestro_comm");
	bool yes = false;

	return text && !unit_bool(text, &yes, NULL) && yes;
}

static bool any_comm(const struct ygen *g)
{
	const struct yendpoint *e;

	for (size_t i = 0; i < ygen_daemons_n(g); i++)
		for (size_t k = 0; (e = ygen_endpoint(g, i, k)); k++)
			if (has_comm(e))
				return true;
	return false;
}

/* auth: the name of a domain, which is that of its method when nothing else is said. */
static void auth_take(const struct yaml_node *auth, struct plan_daemon *d, struct kv *args)
{
	const char *plugin, *conf;

	d->auth = "none";
	if (!auth)
		return;
	plugin = auth->kind == YAML_TEXT ? auth->text : text_of(auth, "plugin");
	if (!plugin)
		plugin = text_of(auth, "name");
	if (plugin)
		d->auth = plugin;
	conf = text_of(auth, "conf");
	if (!conf || !*conf)
		return;
	if (strchr(conf, '='))
		kv_parse(args, conf);
	else
		kv_add(args, "conf", conf);
	d->auth_args = args;
}

static void comm_take(struct whole *w, struct plan_daemon *d, struct kv *args, const struct yendpoint *e)
{
	const char *xprt = text_of(e->spec, "xprt");
	char *port = ctl_expand(e->port);
	uint64_t number;

	d->endpoint = e->name;
	d->host = e->host;
	d->xprt = xprt ? xprt : "sock";
	auth_take(yaml_get(e->spec, "auth"), d, args);
	if (unit_u64(port, &number, NULL) || number < 1 || number > 65535)
		bad(w, yaml_get(e->spec, "ports"), false, "ports: maestro wants numbers from 1 to 65535 to connect to");
	else
		d->port = (unsigned short)number;
	free(port);
}

static void daemons_take(struct whole *w)
{
	const struct ygen *g = w->g;
	bool by_first = !any_comm(g);

	for (size_t i = 0; i < ygen_daemons_n(g); i++) {
		const struct ydaemon *from = ygen_daemon(g, i);
		struct plan_daemon *d = &w->daemons[i];
		const struct yendpoint *e;
		size_t k = 0;

		*d = (struct plan_daemon){
			.name = from->name, .level = from->level, .advertises = from->advertises, .by_first = by_first
		};
		while ((e = ygen_endpoint(g, i, k)) && !by_first && !has_comm(e))
			k++;
		if (e)
			comm_take(w, d, &w->auth_args[i], e);
	}
	if (by_first && ygen_daemons_n(g))
		bad(w, yaml_get(ygen_root(g), "daemons"), true,
		    "no endpoint has maestro_comm: true; maestro connects to the first one of each daemon");
}

/* -- groups -------------------------------------------------------------------------------------------------------- */

static const char *word_of(const struct ygen *g, const struct yaml_node *map, const char *key)
{
	const char *own = text_of(map, key);

	return own ? own : text_of(yaml_get(ygen_root(g), "maestro"), key);
}

static void group_take(struct whole *w, size_t i)
{
	const struct ygroup *from = ygen_group(w->g, i);
	const char *balance = word_of(w->g, from->map, "balance"), *re = word_of(w->g, from->map, "rebalance");
	struct plan_prdcr *prdcrs = xcalloc(from->n_prdcrs + 1, sizeof(*prdcrs));

	for (size_t k = 0; k < from->n_prdcrs; k++)
		prdcrs[k] = (struct plan_prdcr){ .name = from->prdcrs[k].ep->name,
						 .daemon = from->prdcrs[k].ep->daemon,
						 .entry = from->prdcrs[k].peer };
	w->groups[i] = (struct plan_group){
		.name = from->name,
		.aggs = from->aggs,
		.n_aggs = from->n_aggs,
		.prdcrs = prdcrs,
		.n_prdcrs = from->n_prdcrs,
		.n_listens = from->n_listens,
		.balance = balance && !strcmp(balance, "bytes") ? PLAN_BY_BYTES : PLAN_BY_PRODUCERS,
		.rebalance = re && !strcmp(re, "sticky") ? PLAN_STICKY : PLAN_EAGER,
	};
}

static void order_make(struct whole *w)
{
	size_t n = w->plan.n_daemons, k = 0;
	unsigned int top = 0;

	for (size_t i = 0; i < n; i++)
		if (w->daemons[i].level > top)
			top = w->daemons[i].level;
	for (unsigned int level = 0; level <= top; level++)
		for (size_t i = 0; i < n; i++)
			if (w->daemons[i].level == level)
				w->order[k++] = i;
}

/* -- the whole ----------------------------------------------------------------------------------------------------- */

/* Commands are checked as a daemon checks them, but for what only it can know. */
static void commands_check(struct whole *w)
{
	for (size_t i = 0; i < ygen_daemons_n(w->g); i++) {
		struct conf *cf;

		if (i && ygen_alike(w->g, i - 1, i) && !ygen_daemon(w->g, i)->level)
			continue;
		cf = conf_new(NULL, NULL);
		conf_notes(cf, on_note, w);
		ygen_commands(w->g, i, NULL, cf, false);
		conf_free(cf);
	}
}

static void take(struct whole *w)
{
	struct plan *p = &w->plan;

	p->n_daemons = ygen_daemons_n(w->g);
	p->n_groups = ygen_groups_n(w->g);
	p->daemons = w->daemons = xcalloc(p->n_daemons + 1, sizeof(*w->daemons));
	p->groups = w->groups = xcalloc(p->n_groups + 1, sizeof(*w->groups));
	p->order = w->order = xcalloc(p->n_daemons + 1, sizeof(*w->order));
	w->auth_args = xcalloc(p->n_daemons + 1, sizeof(*w->auth_args));
	daemons_take(w);
	for (size_t i = 0; i < p->n_groups; i++)
		group_take(w, i);
	order_make(w);
	commands_check(w);
}

static struct whole *whole_new(const char *origin, void (*note)(void *arg, const struct conf_note *note), void *arg)
{
	struct whole *w = xcalloc(1, sizeof(*w));

	w->note = note;
	w->arg = arg;
	w->plan.file = xstrdup(origin);
	w->cf = conf_new(NULL, NULL);
	conf_notes(w->cf, on_note, w);
	return w;
}

static int whole_end(struct whole *w, int rc, struct plan **ret, struct err *err)
{
	if (!rc)
		take(w);
	if (!rc && w->errors)
		rc = err_set(err, -EINVAL, "%s", w->first.msg);
	said_free(w);
	if (rc)
		plan_free(&w->plan);
	else
		*ret = &w->plan;
	return rc;
}

int plan_read(const char *path, void (*note)(void *arg, const struct conf_note *note), void *arg, struct plan **ret,
	      struct err *err)
{
	struct whole *w = whole_new(path, note, arg);

	return whole_end(w, ygen_read(w->cf, path, NULL, &w->g, err), ret, err);
}

int plan_parse(const char *origin, const char *text, size_t len, void (*note)(void *arg, const struct conf_note *note),
	       void *arg, struct plan **ret, struct err *err)
{
	struct whole *w = whole_new(origin, note, arg);

	w->g = ygen_new(w->cf, origin, text, len, NULL);
	return whole_end(w, 0, ret, err);
}

void plan_free(struct plan *p)
{
	struct whole *w = (struct whole *)p;

	if (!p)
		return;
	for (size_t i = 0; w->auth_args && i < p->n_daemons; i++)
		kv_fini(&w->auth_args[i]);
	for (size_t i = 0; w->groups && i < p->n_groups; i++)
		free((struct plan_prdcr *)w->groups[i].prdcrs);
	free(w->auth_args);
	free(w->groups);
	free(w->daemons);
	free(w->order);
	ygen_free(w->g);
	conf_free(w->cf);
	free((char *)p->file);
	free(w);
}

size_t plan_find(const struct plan *p, const char *name)
{
	size_t i = ygen_find(((const struct whole *)p)->g, name);

	return i == YNONE ? PLAN_NONE : i;
}

/* -- a daemon's configuration -------------------------------------------------------------------------------------- */

struct asked {
	const struct share *s;
	bool standby;
};

static enum yhas has(void *arg, size_t group, size_t prdcr, size_t agg)
{
	const struct asked *a = arg;

	if (a->s->groups[group].runs[prdcr] == agg)
		return YHAS_RUNS;
	return a->standby ? YHAS_STANDBY : YHAS_NOT;
}

void plan_lines(const struct plan *p, size_t daemon, const struct share *s, unsigned int flags, struct buf *to)
{
	struct asked a = { .s = s, .standby = flags & PLAN_STANDBY };
	struct share *home = s ? NULL : share_new(p, NULL);
	const struct yshare share = { has, &a };

	if (!s)
		a.s = home;
	ygen_lines(((const struct whole *)p)->g, daemon, &share, to);
	share_free(home);
}
