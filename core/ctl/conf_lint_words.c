/* conf_lint_words.c - what is most likely not meant in the words of commands, whatever objects they make: quotes, times,
 * hosts.  See conf_lint.c. */
#include <netdb.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/unit.h"
#include "core/base/xalloc.h"
#include "core/ctl/conf_lint.h"
#include "core/ctl/verbs.h"

#define SHORT_US (1 * MSEC_US) /* a shorter interval was most likely meant in seconds */
#define LONG_US  (7ll * 24 * 3600 * SEC_US)

void conf_lint_warn(struct conf *cf, const struct cmd *cmd, const char *attr, const char *fmt, ...)
{
	char *words;
	va_list ap;

	va_start(ap, fmt);
	words = xvasprintf(fmt, ap);
	va_end(ap);
	conf_warn(cf, cmd->file, attr ? cmd_arg_pos(cmd, attr) : cmd->pos, "%s", words);
	free(words);
}

/* The language has no quotes, and no other expansion than ${NAME}. */
static void lint_value(struct conf *cf, const struct cmd *cmd, const char *attr, const char *value)
{
	const char *open = strstr(value, "${");
	size_t n = strlen(value);

	if (open && !strchr(open, '}'))
		conf_lint_warn(cf, cmd, attr, "%s: '%s': ${ is not closed by }, and stands for itself", cmd->verb->name,
			       value);
	if (strstr(value, "$("))
		conf_lint_warn(cf, cmd, attr, "%s: '%s': commands are not run here; $( stands for itself",
			       cmd->verb->name, value);
	if (n > 1 && (strchr("\"'", value[0]) || strchr("\"'", value[n - 1])))
		conf_lint_warn(cf, cmd, attr, "%s: '%s': there is no quoting; the quotes belong to the value",
			       cmd->verb->name, value);
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

void conf_lint_words(struct conf *cf, const struct cmd *cmd)
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

static void lint_time(struct conf *cf, const struct cmd *cmd, const char *attr)
{
	const char *value = cmd_arg(cmd, attr);
	int64_t us;

	if (!value || unit_time_us(value, &us, NULL) || us <= 0)
		return;
	if (us < SHORT_US)
		conf_lint_warn(cf, cmd, attr, "%s: %s=%s is %lld microseconds; was %ss meant?", cmd->verb->name, attr,
			       value, (long long)us, value);
	else if (us > LONG_US)
		conf_lint_warn(cf, cmd, attr, "%s: %s=%s is more than a week", cmd->verb->name, attr, value);
}

void conf_lint_times(struct conf *cf, const struct cmd *cmd)
{
	static const char *const times[] = { "interval", "reconnect", "ask_interval", "reset_interval" };

	for (size_t k = 0; k < sizeof(times) / sizeof(*times); k++)
		lint_time(cf, cmd, times[k]);
}

void conf_lint_settings(struct conf *cf)
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
				conf_lint_warn(cf, cmd, NULL, "%s: was set already, in %s:%u", once[k], first->file,
					       first->pos.line);
			else
				first = cmd;
		}
	}
}

static void lint_resolve(struct conf *cf, const struct cmd *cmd, const char *host)
{
	struct addrinfo *ai = NULL;
	int rc = getaddrinfo(host, NULL, NULL, &ai);

	if (rc)
		conf_lint_warn(cf, cmd, "host", "%s: host %s: %s", cmd->verb->name, host, gai_strerror(rc));
	else
		freeaddrinfo(ai);
}

void conf_lint_hosts(struct conf *cf, bool resolve)
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
			conf_lint_warn(cf, cmd, "host", "prdcr_add: %s is also producer %s, in %s:%u",
				       strchr(peer, ':') + 1, cmd_arg(first->by, "name"), first->by->file,
				       first->by->pos.line);
		free(peer);
	}
	marks_free(&peers);
	marks_free(&hosts);
}
