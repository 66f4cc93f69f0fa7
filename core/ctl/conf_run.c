/* conf_run.c - carrying a configuration out, in goes: see conf.h */
#include <errno.h>
#include <stdlib.h>

#include "core/base/log.h"
#include "core/ctl/book.h"
#include "core/ctl/conf_impl.h"
#include "core/ctl/ctl_plugin.h"
#include "core/ctl/object.h"
#include "core/ctl/verbs.h"

/* In which go a verb's turn is. */
static unsigned int go_of(const struct verb *v)
{
	if (v->flags & VERB_DEFER)
		return GO_STARTS + v->order;
	return v->flags & VERB_PRIO ? GO_SETTINGS + v->order : GO_OBJECTS;
}

/* Does it load a plugin or configure a store?  (What is about a sampler that is there already keeps its place.) */
static bool is_early(const struct daemon *d, const struct cmd *cmd)
{
	const char *value;
	char *name;
	bool early;

	if (!(cmd->verb->flags & VERB_PLUGIN))
		return false;
	value = cmd_arg(cmd, "name");
	name = value ? ctl_expand(value) : NULL;
	early = name && !node_find(d->samps, name);
	free(name);
	return early;
}

bool cmd_is_due(const struct cmd *cmd, const struct daemon *d, unsigned int go)
{
	if (cmd->done)
		return false;
	return go == GO_PLUGINS ? is_early(d, cmd) : go_of(cmd->verb) == go;
}

/* Where the value stands that the words quote; else the verb. */
static struct conf_pos pos_of(const struct cmd *cmd, const char *words)
{
	for (size_t i = 0; i < cmd->n; i++) {
		const char *value = cmd->args[i].value;
		const char *at = value && *value ? strstr(words, value) : NULL;

		if (at && at > words && at[-1] == '\'' && at[strlen(value)] == '\'')
			return cmd->arg_pos[i];
	}
	return cmd->pos;
}

/* Which object it is about, and which one was meant. */
void cmd_complain(struct conf *cf, const struct daemon *d, const struct cmd *cmd, int rc, const char *words)
{
	const char *value = cmd_arg(cmd, "name"), *near = NULL;
	char *name = value ? ctl_expand(value) : NULL;
	size_t len = strcspn(words, "\n");

	if (name && rc == -ENOENT && !strchr(words, '?'))
		near = object_nearest(d, cmd->verb, name);
	conf_error(cf, rc, cmd->file, pos_of(cmd, words), "%s%s%s: %.*s%s%s%s", cmd->verb->name, name ? " name=" : "",
		   name ? name : "", (int)len, words, near ? " Did you mean '" : "", near ? near : "",
		   near ? "'?" : "");
	conf_cmd_failed(cf, cmd->verb->name, name);
	free(name);
}

static int cmd_run(struct conf *cf, struct daemon *d, const struct cmd *cmd)
{
	struct ctl c = { .d = d, .uid = d->uid, .gid = d->gid };
	struct err err = { "" };
	int rc = ctl_run(&c, cmd->verb, cmd->args, cmd->n, &err);

	if (rc == -EBUSY && cmd->verb->flags & VERB_DEFER)
		rc = 0; /* started by an earlier line already, most often by an expression */
	if (rc)
		cmd_complain(cf, d, cmd, rc, err.msg);
	ctl_fini(&c);
	if (d->draft)
		return 0; /* a draft is there to find all that is wrong */
	return rc && cf->keep_going && !conf_guards(cmd->verb->name) ? 0 : rc;
}

/* What reading did already belongs to the configuration, too. */
static void env_note(struct conf *cf, struct daemon *d)
{
	for (size_t i = 0; i < cf->n && d->book; i++) {
		struct cmd *cmd = &cf->cmds[i];
		const struct ctl c = { .d = d, .verb = cmd->verb, .text[ATTR_STRING] = cmd->rest };

		if (cmd->noted)
			book_note(d->book, &c, NULL);
		cmd->noted = false;
	}
}

static int go_run(struct conf *cf, struct daemon *d, unsigned int go)
{
	struct daemon_turn turn = { 0 };
	int rc = 0;

	for (size_t i = 0; i < cf->n && !rc && !loop_stopping(d->main); i++) {
		struct cmd *cmd = &cf->cmds[i];

		if (cmd->bad || !cmd_is_due(cmd, d, go))
			continue;
		if (go >= GO_STARTS)
			daemon_step(d, &turn);
		cmd->done = true;
		rc = cmd_run(cf, d, cmd);
	}
	daemon_steps_end(d, &turn);
	return rc;
}

/* The sandbox is closed when a policy is made: what it will read and write is noted before. */
static void strgp_note(const struct cmd *cmd, struct daemon *d, const char *attr, enum confine_path kind)
{
	const char *value = cmd->verb->run == ctl_strgp_add && !cmd->bad ? cmd_arg(cmd, attr) : NULL;
	char *path = value ? ctl_expand(value) : NULL;

	if (path)
		confine_path(d->confine, "strgp_add", kind, path, NULL);
	free(path);
}

/* Likewise what samplers and stores will read: they are configured then. */
static void reads_note(const struct conf *cf, struct daemon *d)
{
	for (size_t i = 0; i < cf->n && d->confine; i++) {
		const struct cmd *cmd = &cf->cmds[i];
		const char *value = cmd_arg(cmd, "name");
		char *name = value ? ctl_expand(value) : NULL, *rest = ctl_expand(cmd->rest ? cmd->rest : "");
		struct samp_node *n = name ? node_find(d->samps, name) : NULL;
		struct store_node *st = name && !n ? node_find(d->stores, name) : NULL;
		struct kv attrs = { 0 };

		kv_parse(&attrs, rest);
		if (n && cmd->verb->run == ctl_config && !cmd->bad)
			ctl_samp_reads(d, n->samp, &attrs, NULL); /* config itself says what is wrong */
		if (st && cmd->verb->run == ctl_config && !cmd->bad)
			ctl_store_reads(d, st->store, &attrs, NULL);
		strgp_note(cmd, d, "decomposition", PATH_READ);
		strgp_note(cmd, d, "spool", PATH_DIR);
		kv_fini(&attrs);
		free(rest);
		free(name);
	}
}

int conf_prepare(struct conf *cf, struct daemon *d)
{
	int rc = 0;

	env_note(cf, d);
	for (; cf->go < GO_OBJECTS && !rc; cf->go++)
		rc = go_run(cf, d, cf->go);
	if (!rc)
		reads_note(cf, d);
	return rc;
}

int conf_run(struct conf *cf, struct daemon *d)
{
	int rc = conf_prepare(cf, d);

	for (; cf->go < GO_STARTS + DEFER_ORDERS && !rc; cf->go++)
		rc = go_run(cf, d, cf->go);
	if (!rc && cf->keep_going && cf->errors)
		log_warning("config",
			    "%u line%s of the configuration could not be carried out and %s left out, see above",
			    cf->errors, cf->errors == 1 ? "" : "s", cf->errors == 1 ? "was" : "were");
	return rc;
}
