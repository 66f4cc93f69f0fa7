/* conf_cmd.c - words become commands: see conf_impl.h.
 *
 * All that is wrong with a command by itself is said, and what must be done while reading (include, env) is done.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/xalloc.h"
#include "core/ctl/conf_impl.h"

#define NEAR_MAX 20 /* unknown verbs for which the nearest one is looked for */

void conf_word(struct conf *cf, char *text, struct conf_pos pos)
{
	if (cf->words_n == cf->words_cap) {
		cf->words_cap = cf->words_cap ? 2 * cf->words_cap : 16;
		cf->words = xrealloc(cf->words, cf->words_cap * sizeof(*cf->words));
	}
	cf->words[cf->words_n++] = (struct conf_word){ text, pos };
}

const char *cmd_arg(const struct cmd *cmd, const char *name)
{
	for (size_t i = 0; i < cmd->n; i++)
		if (!strcmp(cmd->args[i].name, name) && cmd->args[i].value && *cmd->args[i].value)
			return cmd->args[i].value;
	return NULL;
}

struct conf_pos cmd_arg_pos(const struct cmd *cmd, const char *name)
{
	for (size_t i = 0; i < cmd->n; i++)
		if (!strcmp(cmd->args[i].name, name))
			return cmd->arg_pos[i];
	return cmd->pos;
}

/* Where the value of name=value begins. */
static struct conf_pos value_pos(const struct ctl_arg *arg, struct conf_pos pos)
{
	if (arg->value && !pos.value)
		pos.col += (unsigned int)strlen(arg->name) + 1;
	return pos;
}

/* One argument by itself; true when it can be taken. */
static bool arg_check(struct conf *cf, const struct cmd *cmd, const struct ctl_arg *arg, struct conf_pos pos)
{
	struct err err = { "" };
	bool unknown = false;
	int rc = ctl_check_arg(cmd->verb, arg, &unknown, &err);

	if (rc)
		conf_error(cf, rc, cmd->file, unknown ? pos : value_pos(arg, pos), "%s", err.msg);
	return !rc;
}

/* "name=value name=value keyword": all that is wrong with them is said. */
static bool args_take(struct conf *cf, struct cmd *cmd)
{
	const struct attr_use *rest = line_rest_attr(cmd->verb);
	struct conf_pos rest_pos = { 0 };
	struct buf b = { 0 };
	bool good = true;

	for (size_t i = 1; i < cf->words_n; i++) {
		struct conf_word *w = &cf->words[i];
		char *eq = strchr(w->text, '=');

		const struct attr_use *u;

		if (eq)
			*eq = '\0';
		u = line_attr(cmd->verb, w->text);
		if (!rest || u) {
			struct ctl_arg arg = { .id = u ? u->id : 0, .name = w->text, .value = eq ? eq + 1 : NULL };

			good &= arg_check(cf, cmd, &arg, w->pos);
			cmd->arg_pos[cmd->n] = w->pos;
			cmd->args[cmd->n++] = arg;
			continue;
		}
		if (eq)
			*eq = '=';
		good &= arg_check(cf, cmd, &(struct ctl_arg){ .id = rest->id, .name = rest->name, .value = w->text },
				  w->pos);
		if (!b.len)
			rest_pos = w->pos;
		buf_addf(&b, "%s%s", b.len ? " " : "", w->text);
	}
	if (b.len) {
		cmd->rest = xstrdup(buf_str(&b));
		cmd->arg_pos[cmd->n] = rest_pos;
		cmd->args[cmd->n++] = (struct ctl_arg){ .id = rest->id, .name = rest->name, .value = cmd->rest };
	}
	buf_fini(&b);
	for (const struct attr_use *u = cmd->verb->attrs; u && u->name; u++) {
		struct err err = { "" };
		int rc = ctl_check_required(cmd->verb, u, cmd->args, cmd->n, &err);

		if (rc)
			conf_error(cf, rc, cmd->file, cmd->pos, "%s", err.msg);
		good &= !rc;
	}
	return good;
}

static int include_now(struct conf *cf, const struct cmd *cmd, struct err *err)
{
	const char *path = cmd_arg(cmd, "path");
	char *expanded = ctl_expand(path ? path : "");
	int rc = conf_include(cf, cmd, expanded, err);

	free(expanded);
	return rc;
}

/* The command is kept, with what came of it: it belongs to the configuration, too. */
static int env_now(struct cmd *cmd, struct err *err)
{
	char *expanded = ctl_expand(cmd->rest ? cmd->rest : "");

	free(cmd->rest);
	cmd->rest = expanded;
	if (cmd->n)
		cmd->args[cmd->n - 1].value = expanded;
	cmd->done = cmd->noted = true;
	return ctl_env_put(expanded, err);
}

/* While reading already: an include behind it may need it, and values are expanded only when all is read. */
static bool run_now(struct conf *cf, struct cmd *cmd)
{
	bool is_include = !strcmp(cmd->verb->name, "include");
	struct err err = { "" };
	int rc = is_include ? include_now(cf, cmd, &err) : env_now(cmd, &err);

	if (rc)
		conf_error(cf, rc, cmd->file, cmd_arg_pos(cmd, is_include ? "path" : ""), "%s", err.msg);
	return !rc;
}

static void verb_unknown(struct conf *cf, const char *file, const struct conf_word *word)
{
	/* who has so many has given us another kind of file */
	const char *near = cf->errors < NEAR_MAX ? verb_nearest(word->text) : NULL;

	conf_error(cf, -ENOSYS, file, word->pos, "unknown verb '%s'%s%s%s", word->text, near ? "; did you mean '" : "",
		   near ? near : "", near ? "'?" : "");
	conf_cmd_failed(cf, near, NULL);
}

/* The object that the words of an unknown verb name. */
static const char *name_in(const struct conf *cf)
{
	for (size_t i = 1; i < cf->words_n; i++)
		if (!strncmp(cf->words[i].text, "name=", 5))
			return cf->words[i].text + 5;
	return NULL;
}

static void cmd_keep(struct conf *cf, const struct cmd *cmd)
{
	if (cf->n == cf->cap) {
		cf->cap = cf->cap ? 2 * cf->cap : 64;
		cf->cmds = xrealloc(cf->cmds, cf->cap * sizeof(*cf->cmds));
	}
	cf->cmds[cf->n++] = *cmd;
}

/* Is it one of those that are done while reading? */
static bool is_now(const struct verb *v)
{
	return !strcmp(v->name, "include") || !strcmp(v->name, "env");
}

static bool unsupported(struct conf *cf, const struct cmd *cmd)
{
	struct err err = { "" };
	int rc = ctl_check(cmd->verb, NULL, 0, &err);

	conf_error(cf, rc, cmd->file, cmd->pos, "%s", err.msg);
	return false;
}

void conf_command(struct conf *cf, const char *file)
{
	struct cmd cmd = { .file = file };
	struct conf_word *words = cf->words;
	size_t n = cf->words_n;
	bool good;

	if (!n)
		return;
	cmd.pos = words[0].pos;
	cmd.verb = verb_find(words[0].text);
	if (!cmd.verb) {
		verb_unknown(cf, file, &words[0]);
		conf_cmd_failed(cf, NULL, name_in(cf));
		cf->words_n = 0;
		return;
	}
	cmd.args = xcalloc(n + 1, sizeof(*cmd.args) + sizeof(*cmd.arg_pos));
	cmd.arg_pos = (struct conf_pos *)(cmd.args + n + 1);
	good = !(cmd.verb->flags & VERB_UNSUPPORTED) || unsupported(cf, &cmd);
	good = good && args_take(cf, &cmd);
	if (!good)
		conf_cmd_failed(cf, cmd.verb->name, cmd_arg(&cmd, "name"));
	cf->words_n = 0; /* an include has words of its own */
	if (good && is_now(cmd.verb))
		good = run_now(cf, &cmd);
	if (!good && is_now(cmd.verb)) {
		cf->holes = true;
		conf_cmd_failed(cf, cmd.verb->name, NULL);
	}
	if (good && (cmd.noted || !is_now(cmd.verb))) {
		cmd_keep(cf, &cmd);
		return;
	}
	free(cmd.args);
	free(cmd.rest);
}
