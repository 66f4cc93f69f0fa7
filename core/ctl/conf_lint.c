/* conf_lint.c - what can be carried out, and is most likely not what was meant: see conf.h
 *
 * Looks at the commands (by their words alone: conf_lint_words.c), and at the objects that the trial has made of them.
 * A warning must be worth reading: what may well be meant is not warned of.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/regex.h"
#include "core/base/xalloc.h"
#include "core/ctl/conf_lint.h"
#include "core/ctl/verbs.h"
#include "core/daemon/prdcr.h"
#include "core/daemon/samp.h"
#include "core/daemon/strgp.h"
#include "core/daemon/updtr.h"

struct lint {
	struct conf *cf;
	struct daemon *d;
	struct mark *names; /* "VERB NAME" */
};

/* Where an object was made. */
static const struct cmd *made_by(const struct lint *l, const char *const *verbs_, const char *name)
{
	for (const char *const *v = verbs_; *v; v++) {
		char *key = xasprintf("%s %s", *v, name);
		const struct mark *m = mark_find(l->names, key);

		free(key);
		if (m)
			return m->by;
	}
	return NULL;
}

/* Only verbs that make objects: nobody asks for the others. */
static void names_note(struct lint *l, const struct cmd *cmd)
{
	const char *under = strrchr(cmd->verb->name, '_');
	bool makes = (under && !strcmp(under, "_add")) || cmd->verb->run == ctl_load ||
		     cmd->verb->run == ctl_advertiser_start;
	const char *value = makes ? cmd_arg(cmd, "name") : NULL;
	char *name = value ? ctl_expand(value) : NULL;
	char *key = name ? xasprintf("%s %s", cmd->verb->name, name) : NULL;

	if (key)
		mark_add(&l->names, key, cmd);
	free(key);
	free(name);
}

static const struct cmd *find_verb(const struct conf *cf, const char *name)
{
	for (size_t i = 0; i < cf->n; i++)
		if (!strcmp(cf->cmds[i].verb->name, name))
			return &cf->cmds[i];
	return NULL;
}

/* Services that are off until somebody switches them on. */
static void lint_services(struct conf *cf)
{
	static const struct {
		const char *attr, *verb;
	} services[] = { { "stream", "stream_enable" }, { "message_tag", "msg_enable" } };

	for (size_t k = 0; k < sizeof(services) / sizeof(*services); k++) {
		const struct cmd *first = NULL;

		for (size_t i = 0; i < cf->n && !first; i++)
			if (!strcmp(cf->cmds[i].verb->name, "prdcr_subscribe") &&
			    cmd_arg(&cf->cmds[i], services[k].attr))
				first = &cf->cmds[i];
		if (first && !find_verb(cf, services[k].verb))
			conf_lint_warn(cf, first, NULL, "%s: nothing is passed on without a line `%s`",
				       first->verb->name, services[k].verb);
	}
}

/* -- expressions --------------------------------------------------------------------------------------------------- */

static bool any_match(struct node *table, const char *regex)
{
	struct rx rx = { 0 };
	bool found = false;

	if (rx_init(&rx, regex, NULL))
		return true; /* was said */
	if (rx.literal)
		found = node_find(table, rx.literal);
	for (struct node *n = table; n && !found && !rx.literal; n = n->hh.next)
		found = rx_match(&rx, n->name);
	rx_fini(&rx);
	return found;
}

/* An expression on producers that fits none; those that come by advertising are not known yet. */
static void lint_regex(struct lint *l, const struct cmd *cmd)
{
	static const char *const on_prdcrs[] = { "prdcr_start_regex", "prdcr_stop_regex", "prdcr_subscribe",
						 "prdcr_unsubscribe", "strgp_prdcr_add",  "updtr_prdcr_add" };
	const char *regex = cmd_arg(cmd, "regex");
	bool is = false;

	for (size_t i = 0; i < sizeof(on_prdcrs) / sizeof(*on_prdcrs); i++)
		is |= !strcmp(cmd->verb->name, on_prdcrs[i]);
	if (!is || !regex || strstr(regex, "${") || l->d->prdcr_listens || l->cf->elsewhere)
		return;
	if (!any_match(l->d->prdcrs, regex))
		conf_lint_warn(l->cf, cmd, "regex", "%s: no producer's name matches '%s'", cmd->verb->name, regex);
}

/* -- objects ------------------------------------------------------------------------------------------------------- */

static const char *const prdcr_adds[] = { "prdcr_add", "bridge_add", NULL };
static const char *const updtr_adds[] = { "updtr_add", NULL };
static const char *const strgp_adds[] = { "strgp_add", NULL };
static const char *const advert_adds[] = { "advertiser_add", "advertiser_start", NULL };
static const char *const listen_adds[] = { "prdcr_listen_add", NULL };
static const char *const loads[] = { "load", NULL };

static void lint_started(struct lint *l, struct node *table, const char *kind, const char *const *adds, const char *how)
{
	NODE_EACH(n, table) {
		const struct cmd *cmd = conf_started(l->cf, kind, n->name) ? NULL : made_by(l, adds, n->name);

		if (cmd)
			conf_lint_warn(l->cf, cmd, NULL, "%s %s is never started: there is no %s", kind, n->name, how);
	}
}

static void lint_updtrs(struct lint *l)
{
	NODE_EACH(u, l->d->updtrs) {
		const struct cmd *cmd = made_by(l, updtr_adds, u->name);
		bool reads = l->d->prdcr_listens || l->cf->elsewhere;

		for (struct node *p = l->d->prdcrs; p && !reads; p = p->hh.next)
			reads = updtr_takes_prdcr((struct updtr *)u, p->name);
		if (cmd && !reads)
			conf_lint_warn(l->cf, cmd, NULL, "updater %s reads no producer; updtr_prdcr_add says which",
				       u->name);
	}
}

static bool has_store(const struct daemon *d, const struct node *store)
{
	NODE_EACH(n, d->strgps) {
		if (strgp_conf(((struct strgp_node *)n)->strgp)->store == ((const struct store_node *)store)->store)
			return true;
	}
	return false;
}

static void lint_scribes(struct lint *l)
{
	NODE_EACH(n, l->d->scribes) {
		const struct scribe_node *s = (struct scribe_node *)n;
		const struct cmd *cmd = made_by(l, loads, n->name);
		struct scribe_status st;

		scribe_status(s->scribe, &st);
		if (cmd && !st.running)
			conf_lint_warn(l->cf, cmd, NULL, "store %s writes nothing: there is no %s", n->name,
				       !strcmp(st.state, "LOADED") ? "config" : "start");
	}
}

static void lint_plugins(struct lint *l)
{
	lint_scribes(l);
	NODE_EACH(n, l->d->stores) {
		const struct cmd *cmd = has_store(l->d, n) ? NULL : made_by(l, loads, n->name);

		if (cmd)
			conf_lint_warn(l->cf, cmd, NULL, "store %s is used by no storage policy", n->name);
	}
	NODE_EACH(n, l->d->strgps) {
		const struct cmd *cmd = l->d->prdcrs || l->d->prdcr_listens ? NULL : made_by(l, strgp_adds, n->name);

		if (cmd)
			conf_lint_warn(l->cf, cmd, NULL, "storage policy %s gets no sets: there are no producers%s",
				       n->name, l->d->samps ? "; this daemon's own come from one with type=local" : "");
	}
}

/* Collected by nobody: neither read nor asked for messages. */
static void lint_collected(struct lint *l)
{
	if (l->d->updtrs || find_verb(l->cf, "prdcr_subscribe"))
		return;
	NODE_EACH(n, l->d->prdcrs) {
		const struct cmd *cmd = made_by(l, (const char *const[]){ "prdcr_add", NULL }, n->name);

		if (prdcr_conf((struct prdcr *)n)->type == PRDCR_BRIDGE || !cmd)
			continue;
		conf_lint_warn(l->cf, cmd, NULL, "producer %s: there is no updater that reads its sets", n->name);
		return; /* once is enough */
	}
}

/* -- files --------------------------------------------------------------------------------------------------------- */

/* Could it be made and written?  The nearest folder that is there tells. */
static void conf_lint_path(struct conf *cf, const struct cmd *cmd, const char *attr, const char *what, const char *path,
			   bool folder)
{
	char *at = xstrdup(path);
	bool whole = true;
	struct stat st;

	while (stat(at, &st) && errno == ENOENT && strrchr(at, '/') && strrchr(at, '/') != at) {
		*strrchr(at, '/') = '\0';
		whole = false;
	}
	if (stat(at, &st))
		conf_lint_warn(cf, cmd, attr, "%s %s: %s: %s", what, path, at, strerror(errno));
	else if ((folder || !whole) && !S_ISDIR(st.st_mode))
		conf_lint_warn(cf, cmd, attr, "%s %s: %s is no folder", what, path, at);
	else if (!folder && whole && S_ISDIR(st.st_mode))
		conf_lint_warn(cf, cmd, attr, "%s %s: is a folder", what, path);
	else if (access(at, W_OK))
		conf_lint_warn(cf, cmd, attr, "%s %s: %s cannot be written by this user", what, path, at);
	free(at);
}

static void lint_store_paths(struct lint *l, const struct cmd *cmd)
{
	const char *name = cmd_arg(cmd, "name");
	const struct store_node *st = name ? node_find(l->d->stores, name) : NULL;
	const struct store_type *t = st ? store_type(st->store) : NULL;
	const struct scribe_node *sc = name ? node_find(l->d->scribes, name) : NULL;
	const struct scribe_type *ts = sc ? scribe_type(sc->scribe) : NULL;
	const char *dir = t && t->dir_attr ? store_attr(st->store, t->dir_attr) : NULL;
	const char *file = t && t->file_attr ? store_attr(st->store, t->file_attr) : NULL;

	if (ts && ts->dir_attr)
		dir = scribe_attr(sc->scribe, ts->dir_attr);
	if (ts && ts->file_attr)
		file = scribe_attr(sc->scribe, ts->file_attr);

	if (dir)
		conf_lint_path(l->cf, cmd, "", "folder", dir, true);
	if (file)
		conf_lint_path(l->cf, cmd, "", "file", file, false);
}

static void lint_files(struct lint *l, const struct cmd *cmd)
{
	static const char *const writers[] = { "log_file", "pid_file" };
	const char *path = cmd_arg(cmd, "path");
	const char *spool = cmd->verb->run == ctl_strgp_add ? cmd_arg(cmd, "spool") : NULL;
	char *expanded;

	if (spool) {
		expanded = ctl_expand(spool);
		conf_lint_path(l->cf, cmd, "spool", "spool", expanded, true);
		free(expanded);
	}
	if (cmd->verb->run == ctl_config)
		lint_store_paths(l, cmd);
	for (size_t i = 0; path && i < sizeof(writers) / sizeof(*writers); i++) {
		if (strcmp(writers[i], cmd->verb->name))
			continue;
		expanded = ctl_expand(path);
		conf_lint_path(l->cf, cmd, "path", cmd->verb->name, expanded, false);
		free(expanded);
	}
}

static void lint_objects(struct lint *l)
{
	struct daemon *d = l->d;

	lint_started(l, d->prdcrs, "producer", prdcr_adds, "prdcr_start");
	lint_started(l, d->updtrs, "updater", updtr_adds, "updtr_start");
	lint_started(l, d->strgps, "storage policy", strgp_adds, "strgp_start");
	lint_started(l, d->adverts, "advertiser", advert_adds, "advertiser_start");
	lint_started(l, d->prdcr_listens, "prdcr_listen", listen_adds, "prdcr_listen_start");
	lint_started(l, d->samps, "sampler", loads, "start");
	lint_updtrs(l);
	lint_plugins(l);
	lint_collected(l);
}

/* -- all of it ----------------------------------------------------------------------------------------------------- */

void conf_lint(struct conf *cf, struct daemon *d, bool resolve)
{
	struct lint l = { .cf = cf, .d = d };

	for (size_t i = 0; i < cf->n; i++) {
		const struct cmd *cmd = &cf->cmds[i];

		conf_lint_words(cf, cmd);
		names_note(&l, cmd);
		if (cmd->bad)
			continue;
		conf_lint_times(cf, cmd);
		lint_regex(&l, cmd);
		lint_files(&l, cmd);
	}
	conf_lint_settings(cf);
	lint_services(cf);
	conf_lint_hosts(cf, resolve);
	if (!cf->holes && !cf->broken) /* what is missing would only be said in other words */
		lint_objects(&l);
	marks_free(&l.names);
}
