/* conf_lint.c - what can be carried out, and is most likely not what was meant: see conf.h
 *
 * Looks at the commands, and at the objects that the trial has made of them.  A warning must be worth reading: what may
 * well be meant is not warned of.
 */
#include <errno.h>
#include <netdb.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/regex.h"
#include "core/base/unit.h"
#include "core/base/xalloc.h"
#include "core/ctl/conf_impl.h"
#include "core/ctl/verbs.h"
#include "core/daemon/prdcr.h"
#include "core/daemon/samp.h"
#include "core/daemon/strgp.h"
#include "core/daemon/updtr.h"

#define SHORT_US (1 * MSEC_US) /* a shorter interval was most likely meant in seconds */
#define LONG_US  (7ll * 24 * 3600 * SEC_US)

struct lint {
	struct conf *cf;
	struct daemon *d;
	struct mark *names; /* "VERB NAME" */
};

static void warn_at(struct conf *cf, const struct cmd *cmd, const char *attr, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
static void warn_at(struct conf *cf, const struct cmd *cmd, const char *attr, const char *fmt, ...)
{
	char *words;
	va_list ap;

	va_start(ap, fmt);
	words = xvasprintf(fmt, ap);
	va_end(ap);
	conf_warn(cf, cmd->file, attr ? cmd_arg_pos(cmd, attr) : cmd->pos, "%s", words);
	free(words);
}

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

/* -- words --------------------------------------------------------------------------------------------------------- */

/* The language has no quotes, and no other expansion than ${NAME}. */
static void lint_value(struct conf *cf, const struct cmd *cmd, const char *attr, const char *value)
{
	const char *open = strstr(value, "${");
	size_t n = strlen(value);

	if (open && !strchr(open, '}'))
		warn_at(cf, cmd, attr, "%s: '%s': ${ is not closed by }, and stands for itself", cmd->verb->name,
			value);
	if (strstr(value, "$("))
		warn_at(cf, cmd, attr, "%s: '%s': commands are not run here; $( stands for itself", cmd->verb->name,
			value);
	if (n > 1 && (strchr("\"'", value[0]) || strchr("\"'", value[n - 1])))
		warn_at(cf, cmd, attr, "%s: '%s': there is no quoting; the quotes belong to the value", cmd->verb->name,
			value);
}

/* Each word of free text counts by itself. */
static void lint_rest(struct conf *cf, const struct cmd *cmd, const char *attr, const char *text)
{
	char *copy = xstrdup(text), *at = copy;

	for (char *w; (w = strtok_r(at, LINE_BLANKS, &at));) {
		char *eq = strchr(w, '=');

		lint_value(cf, cmd, attr, eq ? eq + 1 : w);
	}
	free(copy);
}

static void lint_twice(struct conf *cf, const struct cmd *cmd)
{
	for (size_t i = 1; i < cmd->n; i++)
		for (size_t k = 0; k < i; k++)
			if (!strcmp(cmd->args[i].name, cmd->args[k].name) && *cmd->args[i].name) {
				conf_warn(cf, cmd->file, cmd->arg_pos[i],
					  "%s: '%s' is given twice; the first one counts", cmd->verb->name,
					  cmd->args[i].name);
				break;
			}
}

static bool is_publish(const struct cmd *cmd)
{
	return cmd->verb->run == ctl_publish;
}

static void lint_words(struct conf *cf, const struct cmd *cmd)
{
	lint_twice(cf, cmd);
	for (size_t i = 0; i < cmd->n && !is_publish(cmd); i++) {
		if (!cmd->args[i].value)
			continue;
		if (cmd->args[i].value == cmd->rest)
			lint_rest(cf, cmd, cmd->args[i].name, cmd->rest);
		else
			lint_value(cf, cmd, cmd->args[i].name, cmd->args[i].value);
	}
}

/* -- times --------------------------------------------------------------------------------------------------------- */

static void lint_time(struct conf *cf, const struct cmd *cmd, const char *attr)
{
	const char *value = cmd_arg(cmd, attr);
	int64_t us;

	if (!value || unit_time_us(value, &us, NULL) || us <= 0)
		return;
	if (us < SHORT_US)
		warn_at(cf, cmd, attr, "%s: %s=%s is %lld microseconds; was %ss meant?", cmd->verb->name, attr, value,
			(long long)us, value);
	else if (us > LONG_US)
		warn_at(cf, cmd, attr, "%s: %s=%s is more than a week", cmd->verb->name, attr, value);
}

/* -- settings of which the first counts ---------------------------------------------------------------------------- */

static void lint_settings(struct conf *cf)
{
	static const char *const once[] = { "daemon_name",  "memory",        "set_memory", "log_file",
					    "default_auth", "default_quota", "pid_file" };

	for (size_t k = 0; k < sizeof(once) / sizeof(*once); k++) {
		const struct cmd *first = NULL;

		for (size_t i = 0; i < cf->n; i++) {
			const struct cmd *cmd = &cf->cmds[i];

			if (strcmp(cmd->verb->name, once[k]))
				continue;
			if (first)
				warn_at(cf, cmd, NULL, "%s: was set already, in %s:%u", once[k], first->file,
					first->pos.line);
			else
				first = cmd;
		}
	}
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
			warn_at(cf, first, NULL, "%s: nothing is passed on without a line `%s`", first->verb->name,
				services[k].verb);
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
		warn_at(l->cf, cmd, "regex", "%s: no producer's name matches '%s'", cmd->verb->name, regex);
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
			warn_at(l->cf, cmd, NULL, "%s %s is never started: there is no %s", kind, n->name, how);
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
			warn_at(l->cf, cmd, NULL, "updater %s reads no producer; updtr_prdcr_add says which", u->name);
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
			warn_at(l->cf, cmd, NULL, "store %s writes nothing: there is no %s", n->name,
				!strcmp(st.state, "LOADED") ? "config" : "start");
	}
}

static void lint_plugins(struct lint *l)
{
	lint_scribes(l);
	NODE_EACH(n, l->d->stores) {
		const struct cmd *cmd = has_store(l->d, n) ? NULL : made_by(l, loads, n->name);

		if (cmd)
			warn_at(l->cf, cmd, NULL, "store %s is used by no storage policy", n->name);
	}
	NODE_EACH(n, l->d->strgps) {
		const struct cmd *cmd = l->d->prdcrs || l->d->prdcr_listens ? NULL : made_by(l, strgp_adds, n->name);

		if (cmd)
			warn_at(l->cf, cmd, NULL, "storage policy %s gets no sets: there are no producers%s", n->name,
				l->d->samps ? "; this daemon's own come from one with type=local" : "");
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
		warn_at(l->cf, cmd, NULL, "producer %s: there is no updater that reads its sets", n->name);
		return; /* once is enough */
	}
}

/* -- hosts --------------------------------------------------------------------------------------------------------- */

static void lint_resolve(struct conf *cf, const struct cmd *cmd, const char *host)
{
	struct addrinfo *ai = NULL;
	int rc = getaddrinfo(host, NULL, NULL, &ai);

	if (rc)
		warn_at(cf, cmd, "host", "%s: host %s: %s", cmd->verb->name, host, gai_strerror(rc));
	else
		freeaddrinfo(ai);
}

/* The same peer under two names is collected twice. */
static void lint_hosts(struct conf *cf, bool resolve)
{
	struct mark *peers = NULL, *hosts = NULL;

	for (size_t i = 0; i < cf->n; i++) {
		const struct cmd *cmd = &cf->cmds[i];
		const char *host = cmd_arg(cmd, "host"), *port = cmd_arg(cmd, "port");
		const struct mark *first;
		char *peer;

		if (!host || cmd->bad || strstr(host, "${") || (port && strstr(port, "${")))
			continue;
		if (resolve && !mark_add(&hosts, host, cmd))
			lint_resolve(cf, cmd, host);
		if (strcmp(cmd->verb->name, "prdcr_add"))
			continue;
		peer = xasprintf("%s:%s:%s", cmd_arg(cmd, "type"), host, port ? port : "411");
		first = mark_add(&peers, peer, cmd);
		if (first)
			warn_at(cf, cmd, "host", "prdcr_add: %s is also producer %s, in %s:%u", strchr(peer, ':') + 1,
				cmd_arg(first->by, "name"), first->by->file, first->by->pos.line);
		free(peer);
	}
	marks_free(&peers);
	marks_free(&hosts);
}

/* -- files --------------------------------------------------------------------------------------------------------- */

/* Could it be made and written?  The nearest folder that is there tells. */
static void lint_path(struct conf *cf, const struct cmd *cmd, const char *attr, const char *what, const char *path,
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
		warn_at(cf, cmd, attr, "%s %s: %s: %s", what, path, at, strerror(errno));
	else if ((folder || !whole) && !S_ISDIR(st.st_mode))
		warn_at(cf, cmd, attr, "%s %s: %s is no folder", what, path, at);
	else if (!folder && whole && S_ISDIR(st.st_mode))
		warn_at(cf, cmd, attr, "%s %s: is a folder", what, path);
	else if (access(at, W_OK))
		warn_at(cf, cmd, attr, "%s %s: %s cannot be written by this user", what, path, at);
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
		lint_path(l->cf, cmd, "", "folder", dir, true);
	if (file)
		lint_path(l->cf, cmd, "", "file", file, false);
}

static void lint_files(struct lint *l, const struct cmd *cmd)
{
	static const char *const writers[] = { "log_file", "pid_file" };
	const char *path = cmd_arg(cmd, "path");
	const char *spool = cmd->verb->run == ctl_strgp_add ? cmd_arg(cmd, "spool") : NULL;
	char *expanded;

	if (spool) {
		expanded = ctl_expand(spool);
		lint_path(l->cf, cmd, "spool", "spool", expanded, true);
		free(expanded);
	}
	if (cmd->verb->run == ctl_config)
		lint_store_paths(l, cmd);
	for (size_t i = 0; path && i < sizeof(writers) / sizeof(*writers); i++) {
		if (strcmp(writers[i], cmd->verb->name))
			continue;
		expanded = ctl_expand(path);
		lint_path(l->cf, cmd, "path", cmd->verb->name, expanded, false);
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
	static const char *const times[] = { "interval", "reconnect", "ask_interval", "reset_interval" };
	struct lint l = { .cf = cf, .d = d };

	for (size_t i = 0; i < cf->n; i++) {
		const struct cmd *cmd = &cf->cmds[i];

		lint_words(cf, cmd);
		names_note(&l, cmd);
		if (cmd->bad)
			continue;
		for (size_t k = 0; k < sizeof(times) / sizeof(*times); k++)
			lint_time(cf, cmd, times[k]);
		lint_regex(&l, cmd);
		lint_files(&l, cmd);
	}
	lint_settings(cf);
	lint_services(cf);
	lint_hosts(cf, resolve);
	if (!cf->holes && !cf->broken) /* what is missing would only be said in other words */
		lint_objects(&l);
	marks_free(&l.names);
}
