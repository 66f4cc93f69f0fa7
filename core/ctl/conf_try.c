/* conf_try.c - a configuration is tried: the verbs are carried out on a daemon that never runs, so that names, plugins
 * and values are judged by the code that will use them.  See conf.h.
 *
 * Verbs that a draft carries out (book_verbs.c) are safe on such a daemon, and so are those named below, or their
 * stand-ins, which leave out what would reach the outside.  Any other verb is only checked by its row.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/kv.h"
#include "core/base/log.h"
#include "core/base/xalloc.h"
#include "core/ctl/book.h"
#include "core/ctl/conf_impl.h"
#include "core/ctl/ctl_scribe.h"
#include "core/ctl/ctl_prdcr.h"
#include "core/ctl/verbs.h"
#include "core/daemon/auth_domain.h"
#include "core/daemon/listener.h"
#include "core/daemon/samp.h"
#include "core/daemon/strgp.h"
#include "core/daemon/updtr.h"
#include "xprt/ep.h"

typedef int (*handler)(struct ctl *c, struct err *err);

struct trial {
	struct conf *cf;
	const struct cmd *cmd;
};

static struct trial *trial_of(const struct ctl *c)
{
	return c->trial;
}

/* -- what was started ---------------------------------------------------------------------------------------------- */

static char *key_of(const char *kind, const char *name)
{
	return xasprintf("%s %s", kind, name);
}

static void started_add(struct ctl *c, const char *kind, const char *name)
{
	char *key = key_of(kind, name);

	mark_add(&trial_of(c)->cf->started, key, trial_of(c)->cmd);
	free(key);
}

static void started_del(struct ctl *c, const char *kind, const char *name)
{
	char *key = key_of(kind, name);

	mark_del(&trial_of(c)->cf->started, key);
	free(key);
}

const struct cmd *conf_started(const struct conf *cf, const char *kind, const char *name)
{
	char *key = key_of(kind, name);
	const struct mark *m = mark_find(cf->started, key);

	free(key);
	return m ? m->by : NULL;
}

/* -- stand-ins ----------------------------------------------------------------------------------------------------- */

/* What starts and stops an object, with ldmsd's words where there is none. */
static const struct switch_row {
	handler start, stop;
	const char *kind;
	size_t table; /* in struct daemon */
	const char *none;
} switches[] = {
	{ ctl_prdcr_start, ctl_prdcr_stop, "producer", offsetof(struct daemon, prdcrs),
	  "The producer specified does not exist." },
	{ ctl_updtr_start, ctl_updtr_stop, "updater", offsetof(struct daemon, updtrs),
	  "The updater specified does not exist." },
	{ ctl_strgp_start, ctl_strgp_stop, "storage policy", offsetof(struct daemon, strgps),
	  "The storage policy specified does not exist." },
	{ ctl_advertiser_start, ctl_advertiser_stop, "advertiser", offsetof(struct daemon, adverts),
	  "The advertiser specified does not exist." },
	{ ctl_prdcr_listen_start, ctl_prdcr_listen_stop, "prdcr_listen", offsetof(struct daemon, prdcr_listens),
	  "The listen_producer specified does not exist." },
	{ ctl_start, ctl_stop, "sampler", offsetof(struct daemon, samps), "There is no such sampler instance." },
};

static const struct switch_row *switch_of(handler h)
{
	for (size_t i = 0; i < sizeof(switches) / sizeof(*switches); i++)
		if (switches[i].start == h || switches[i].stop == h)
			return &switches[i];
	return NULL;
}

static int try_samp_start(struct ctl *c, const struct samp_node *s, struct err *err)
{
	if (conf_started(trial_of(c)->cf, "sampler", s->node.name))
		return err_set(err, -EBUSY, "Sampler instance '%s' is already running.", s->node.name);
	return samp_start_check(s->samp, ctl_num(c, ATTR_INTERVAL, 0), ctl_num(c, ATTR_OFFSET, 0), err);
}

static int try_switch(struct ctl *c, const struct switch_row *s, struct err *err)
{
	struct node *const *table = (struct node *const *)((const char *)c->d + s->table);
	const char *name = ctl_text(c, ATTR_NAME, "");
	bool start = c->verb->run == s->start;
	int rc = c->verb->run == ctl_advertiser_start ? ctl_advert_first(c, err) : 0;
	void *o = rc ? NULL : node_find(*table, name);
	struct scribe_node *sc = s->start == ctl_start ? ctl_scribe_find(c, name) : NULL;

	if (rc)
		return rc;
	if (sc) /* of a draft: it hears and writes nothing */
		return start ? scribe_start(sc->scribe, err) : scribe_stop(sc->scribe, err);
	if (!o)
		return err_set(err, -ENOENT, "%s", s->none);
	if (!start) {
		started_del(c, s->kind, name);
		return 0;
	}
	if (s->start == ctl_start)
		rc = try_samp_start(c, o, err);
	else if (s->start == ctl_updtr_start)
		rc = ctl_updtr_schedule(c, o, err);
	if (!rc)
		started_add(c, s->kind, name);
	return rc;
}

static void prdcr_started(struct ctl *c, struct prdcr *p)
{
	started_add(c, "producer", prdcr_conf(p)->name);
}

static void prdcr_stopped(struct ctl *c, struct prdcr *p)
{
	started_del(c, "producer", prdcr_conf(p)->name);
}

static int try_prdcr_start_regex(struct ctl *c, struct err *err)
{
	return ctl_prdcr_each_match(c, prdcr_started, err);
}

static int try_prdcr_stop_regex(struct ctl *c, struct err *err)
{
	return ctl_prdcr_each_match(c, prdcr_stopped, err);
}

static int try_config(struct ctl *c, struct err *err)
{
	struct samp_node *s = node_find(c->d->samps, ctl_text(c, ATTR_NAME, ""));
	struct kv attrs = { 0 };
	int rc;

	if (!s)
		return ctl_config(c, err); /* a store takes its attributes, and opens nothing yet */
	kv_parse(&attrs, ctl_text(c, ATTR_STRING, ""));
	rc = samp_check(s->samp, &attrs, err);
	kv_fini(&attrs);
	return rc;
}

static int listen_check(struct ctl *c, struct err *err)
{
	const char *domain = ctl_text(c, ATTR_AUTH, AUTH_DOMAIN_DFLT), *xprt = ctl_text(c, ATTR_XPRT, "sock");
	int64_t port = ctl_num(c, ATTR_PORT, 411);
	struct auth_domain *auth;
	const struct ep_type *ep;
	struct kv args = { 0 };
	char name[64];
	int rc = ep_type_find(xprt, &ep, err);

	if (rc)
		return rc;
	snprintf(name, sizeof(name), "%.32s:%lld", xprt, (long long)port);
	if (port && conf_started(trial_of(c)->cf, "listen", name))
		return err_set(err, -EEXIST, "The listening endpoint %s is already exists", name);
	started_add(c, "listen", name);
	kv_parse(&args, ctl_text(c, ATTR_STRING, ""));
	auth = args.n ? auth_domain_private(c->d, domain, &args, err) : auth_domain_get(c->d, domain, err);
	kv_fini(&args);
	auth_domain_put(auth);
	return auth ? 0 : err_prefix(err, -ENOENT, "Listen error: ");
}

static int try_listen(struct ctl *c, struct err *err)
{
	int rc = listen_check(c, err);

	if (rc)
		c->d->listen_failed = true;
	return rc;
}

/* The handler, and what is done in its place; NULL: itself, though it is no part of a draft. */
static const struct {
	handler run, instead;
} trials[] = {
	{ ctl_config, try_config },
	{ ctl_daemon_name, NULL },
	{ ctl_listen, try_listen },
	{ ctl_memory, NULL },
	{ ctl_option, NULL }, /* whose verbs come back here */
	{ ctl_prdcr_start_regex, try_prdcr_start_regex },
	{ ctl_prdcr_stop_regex, try_prdcr_stop_regex },
};

static int try_run(struct ctl *c, struct err *err)
{
	const struct switch_row *s = switch_of(c->verb->run);
	const struct book_verb *bv = book_verb_find(c->verb->name);

	if (s)
		return try_switch(c, s, err);
	for (size_t i = 0; i < sizeof(trials) / sizeof(*trials); i++)
		if (trials[i].run == c->verb->run)
			return (trials[i].instead ? trials[i].instead : trials[i].run)(c, err);
	return bv && bv->draft ? c->verb->run(c, err) : 0;
}

/* -- one by one ---------------------------------------------------------------------------------------------------- */

/* Is an object that it names one that could not be made, as was said already? */
static bool leans_on_broken(const struct conf *cf, const struct cmd *cmd)
{
	static const char *const refs[] = { "name", "plugin", "auth", "advertiser_auth" };

	for (size_t i = 0; i < sizeof(refs) / sizeof(*refs); i++) {
		const char *value = cmd_arg(cmd, refs[i]);

		if (value && mark_find(cf->broken, value))
			return true;
	}
	return false;
}

/* Is what it lacks, where it names something that is not there, for another line to make? */
static bool wants_others(const struct cmd *cmd)
{
	return cmd->verb->run != ctl_load; /* plugins are the program's */
}

/* The first variable of its values that is not set; *ret_pos: where. */
static char *unset_var(const struct cmd *cmd, struct conf_pos *ret_pos)
{
	for (size_t i = 0; i < cmd->n; i++)
		for (const char *p = cmd->args[i].value; p && (p = strstr(p, "${")); p += 2) {
			char *name = xstrndup(p + 2, strcspn(p + 2, "}"));

			*ret_pos = cmd->arg_pos[i];
			if (!getenv(name))
				return name;
			free(name);
		}
	return NULL;
}

/* What handlers log of a trial would be said again when it is carried out. */
static void log_hush(unsigned int *was)
{
	for (size_t i = 0; i < LOG_SUBSYSTEMS_N; i++)
		was[i] = atomic_exchange(&log_masks[i], 0);
}

static void log_unhush(const unsigned int *was)
{
	for (size_t i = 0; i < LOG_SUBSYSTEMS_N; i++)
		atomic_store(&log_masks[i], was[i]);
}

static void cmd_try(struct conf *cf, struct daemon *d, struct cmd *cmd, enum conf_try how)
{
	struct trial t = { .cf = cf, .cmd = cmd };
	struct ctl c = { .d = d, .uid = d->uid, .gid = d->gid, .run = try_run, .trial = &t };
	struct conf_pos pos = cmd->pos;
	struct err err = { "" };
	unsigned int was[LOG_SUBSYSTEMS_N];
	char *unset = NULL;
	int rc;

	log_hush(was);
	rc = ctl_run(&c, cmd->verb, cmd->args, cmd->n, &err);
	log_unhush(was);
	if (rc == -EBUSY && cmd->verb->flags & VERB_DEFER)
		rc = 0; /* as when it is carried out */
	cmd->bad = rc;
	if (rc && how == CONF_TRY_CHECK)
		unset = unset_var(cmd, &pos);
	if (rc && (leans_on_broken(cf, cmd) || (rc == -ENOENT && cf->holes && wants_others(cmd))))
		conf_cmd_failed(cf, cmd->verb->name, cmd_arg(cmd, "name"));
	else if (unset) {
		conf_warn(cf, cmd->file, pos, "%s: the variable %s is not set here; without it: %s", cmd->verb->name,
			  unset, err.msg);
		conf_cmd_failed(cf, NULL, cmd_arg(cmd, "name"));
	} else if (rc) {
		cmd_complain(cf, d, cmd, rc, err.msg);
	}
	free(unset);
	ctl_fini(&c);
}

void conf_try(struct conf *cf, struct daemon *d, enum conf_try how)
{
	for (unsigned int go = 0; go < GO_STARTS + DEFER_ORDERS; go++)
		for (size_t i = 0; i < cf->n; i++) {
			struct cmd *cmd = &cf->cmds[i];

			if (!cmd_is_due(cmd, d, go))
				continue;
			cmd->done = true;
			cmd_try(cf, d, cmd, how);
		}
	for (size_t i = 0; i < cf->n; i++)
		cf->cmds[i].done = cf->cmds[i].noted;
}
