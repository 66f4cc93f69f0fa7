/* old_ctl.c - `ldmsd_controller` and `ldmsctl`: their options, prompts, tables and words, over the client of `ldms ctl`
 *
 * What has no table of theirs is shown as `ldms ctl` shows it.  Standard error says more than they did.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/ctl_show.h"
#include "cmd/msg.h"
#include "cmd/old.h"
#include "cmd/old_tables.h"
#include "cmd/old_words.h"
#include "core/base/log.h"
#include "core/base/term.h"
#include "core/base/xalloc.h"
#include "core/ctl/client.h"

#define CONTROLLER "ldmsd_controller"
#define CTL        "ldmsctl"
#define DEPTH_MAX  8 /* files that name files */

struct ctl_opts {
	struct msg_peer_opts peer;
	const char *source, *script, *command, *socket;
	bool inband;
};

struct old_session {
	enum old_ctl who;
	struct client *client;
	char *prompt;
	unsigned int depth;
	bool quit;
};

#define AT(field) offsetof(struct ctl_opts, field)
#define PEER                                                                                                           \
	{ 'h', "host", OPT_TEXT, "HOST", AT(peer.host), "the daemon's host (localhost)" },                             \
		{ 'p', "port", OPT_TEXT, "PORT", AT(peer.port), "its port" },                                          \
		{ 'x', "xprt", OPT_TEXT, "XPRT", AT(peer.xprt), "transport (sock)" },                                  \
		{ 'a', "auth", OPT_TEXT, "AUTH", AT(peer.auth), "authentication method (none)" },                      \
	{                                                                                                              \
		'A', "auth-arg", OPT_LIST, "K=V", AT(peer.auth_args), "an argument of it; repeatable"                  \
	}

static const struct opt controller_opts[] = {
	PEER,
	{ 0, "source", OPT_TEXT, "FILE", AT(source), "carry out the commands in this file" },
	{ 0, "script", OPT_TEXT, "CMD", AT(script), "carry out the commands that this program prints" },
	{ 0, "cmd", OPT_TEXT, "COMMAND", AT(command), "carry out this command and end" },
	{ '?', "help", OPT_FLAG, NULL, AT(peer.help), "print this help and exit" },
	{ 0 },
};

static const struct opt ctl_options[] = {
	PEER,
	{ 's', NULL, OPT_TEXT, "FILE", AT(source), "carry out the commands in this file" },
	{ 'X', NULL, OPT_TEXT, "CMD", AT(script), "carry out the commands that this program prints" },
	{ 'S', NULL, OPT_TEXT, "SOCKET", AT(socket), "obsolete" },
	{ 'i', NULL, OPT_FLAG, NULL, AT(inband), "accepted; without effect" },
	{ 0, "help", OPT_FLAG, NULL, AT(peer.help), "print this help and exit" },
	{ 0 },
};
#undef AT

const struct cmd_usage usage_old_ldmsd_controller = {
	.synopsis = CONTROLLER " [-h HOST] [-p PORT] [-x XPRT] [-a AUTH] [-A K=V]\n"
			       "[--source FILE] [--script CMD] [--cmd COMMAND]",
	.brief = "ask or change a running daemon",
	.about =
		"`ldms ctl` under its old name: the options and the tables of ldmsd_controller. Without --cmd it "
		"reads commands from standard input. Exit status: 0, also when a command fails, 1 for wrong options; "
		"`ldms ctl` tells by its exit status what went wrong.",
	.opts = controller_opts,
};

const struct cmd_usage usage_old_ldmsctl = {
	.synopsis = CTL " -h HOST -p PORT -x XPRT [-a AUTH] [-A K=V] [-s FILE] [-X CMD]",
	.brief = "ask or change a running daemon",
	.about = "`ldms ctl` under its old name: the options and the tables of ldmsctl. Without -s and -X it reads "
		 "commands from standard input. Exit status: 0, also when a command fails.",
	.opts = ctl_options,
};

/* -- one command --------------------------------------------------------------------------------------------------- */

static void put_harmless(const char *text, size_t len)
{
	struct buf b = { 0 };

	term_put(&b, text, len, TERM_TEXT);
	fwrite(b.p, 1, b.len, stdout);
	buf_fini(&b);
}

static void failed(const struct old_session *s, const struct line *l, int code, const char *words)
{
	struct buf b = { 0 };

	if (s->who == OLD_CONTROLLER)
		old_words_put(&b, l, code);
	buf_addf(&b, "%s\n", words);
	put_harmless((const char *)b.p, b.len);
	buf_fini(&b);
}

static void show(const struct old_session *s, const struct verb *v, struct buf *answer)
{
	struct buf b = { 0 };

	if (!(v->flags & VERB_MODIFIES)) {
		if (old_tables_put(&b, s->who, v->name, buf_str(answer), answer->len))
			put_harmless((const char *)b.p, b.len);
		else
			ctl_show(&b, v, buf_str(answer), answer->len, CTL_TABLES), fwrite(b.p, 1, b.len, stdout);
	}
	buf_fini(&b);
}

static void run_verb(struct old_session *s, const struct line *l)
{
	struct buf answer = { 0 };
	struct err err = { "" };
	enum xprt_fail fail;
	int rc = client_ask(s->client, l->verb, l->args, l->n, &answer, &fail, &err);

	if (rc < 0) {
		printf("%s\n", err.msg);
		s->quit = true; /* there is no connection any more */
	} else if (rc) {
		failed(s, l, rc, answer.len ? buf_str(&answer) : err_name(rc));
	} else {
		show(s, l->verb, &answer);
	}
	buf_fini(&answer);
}

/* The required attributes of a verb that a line has not: "'name','regex'". */
static bool missing(const char *line, const struct verb *v, struct buf *to)
{
	for (const struct attr_use *u = v->attrs; u && u->name; u++) {
		char *given = xasprintf("%s=", u->name);

		if (u->required && !strstr(line, given))
			buf_addf(to, "%s'%s'", to->len ? ", " : "", u->name);
		free(given);
	}
	return to->len;
}

/* What it is to mean is the daemon's to judge, in its own words; what would not even reach it is told here. */
static int split(struct line *l, const char *text, struct err *err)
{
	int rc = line_split(l, text, err);

	for (size_t i = 0; i < l->n && !rc && !(l->verb->flags & VERB_UNSUPPORTED); i++) {
		struct err why = { "" };
		bool is_unknown = false;

		ctl_check_arg(l->verb, &l->args[i], &is_unknown, &why);
		if (is_unknown)
			rc = err_set(err, -EINVAL, "%s", why.msg);
	}
	if (rc)
		line_fini(l);
	return rc;
}

static void command(struct old_session *s, const char *text, const char *verb)
{
	const struct verb *v = verb_find(verb);
	struct buf absent = { 0 };
	struct err err = { "" };
	struct line l;

	if (!v)
		printf(s->who == OLD_CTL ? "Unrecognized command '%s'\n" : "*** Unknown syntax: %s\n",
		       s->who == OLD_CTL ? verb : text);
	else if (missing(text, v, &absent))
		printf("Error: The attribute(s) {%s} are required by %s\n", buf_str(&absent), verb);
	else if (split(&l, text, &err))
		printf("Error: %s\n", err.msg);
	else {
		run_verb(s, &l);
		line_fini(&l);
	}
	buf_fini(&absent);
}

/* -- words of their own -------------------------------------------------------------------------------------------- */

static void lines_run(struct old_session *s, FILE *f);

static void source(struct old_session *s, const char *path)
{
	FILE *f;

	if (!strncmp(path, "path=", 5))
		path += 5;
	f = s->depth < DEPTH_MAX ? fopen(path, "re") : NULL;
	if (!f) {
		printf("Error: %s: %s\n", path, s->depth < DEPTH_MAX ? err_name(errno) : "too many files within files");
		return;
	}
	lines_run(s, f);
	fclose(f);
}

static void script(struct old_session *s, const char *program)
{
	FILE *f = popen(program, "re");

	if (!f) {
		printf("Error: %s: %s\n", program, err_name(errno));
		return;
	}
	lines_run(s, f);
	if (pclose(f))
		printf("Error: %s: it failed\n", program);
}

static void say(struct old_session *s, const char *text)
{
	(void)s;
	printf("%s\n", text);
}

static void shell(struct old_session *s, const char *program)
{
	(void)s;
	fflush(stdout);
	if (system(program) < 0)
		printf("Error: %s: %s\n", program, err_name(errno));
}

static void comment(struct old_session *s, const char *text)
{
	(void)s;
	(void)text;
}

static void quit(struct old_session *s, const char *text)
{
	(void)text;
	s->quit = true;
	if (s->who == OLD_CTL)
		printf("bye ... :)\n");
}

static void status(struct old_session *s, const char *text)
{
	static const char *const verbs_[] = { "plugn_status", "prdcr_status", "updtr_status", "strgp_status" };

	(void)text;
	for (size_t i = 0; i < sizeof(verbs_) / sizeof(*verbs_) && !s->quit; i++)
		command(s, verbs_[i], verbs_[i]);
}

static void help(struct old_session *s, const char *text)
{
	const struct verb *v = verb_find(text);

	(void)s;
	if (*text && !v)
		printf("*** No help on %s\n", text);
	for (const struct verb *w = verbs; !*text && w->name; w++)
		printf("%-28s %s\n", w->name, w->help);
	if (!v)
		return;
	printf("%s: %s\n", v->name, v->help);
	for (const struct attr_use *u = v->attrs; u && u->name; u++)
		printf("  %s%s  %s%s%s%s\n", u->name, *u->name ? "=" : "...", u->help, u->required ? " (required)" : "",
		       u->dflt ? "; default " : "", u->dflt ? u->dflt : "");
}

static const struct word {
	const char *name;
	void (*run)(struct old_session *s, const char *rest);
} words[] = {
	{ "EOF", quit },      { "comment", comment }, { "help", help },     { "quit", quit },     { "say", say },
	{ "script", script }, { "shell", shell },     { "source", source }, { "status", status },
};

static void line_run(struct old_session *s, char *line)
{
	char *verb, *rest;
	size_t n;

	line += strspn(line, " \t");
	for (n = strlen(line); n && isspace((unsigned char)line[n - 1]);)
		line[--n] = '\0';
	if (!n || *line == '#')
		return;
	if (*line == '!') {
		shell(s, line + 1);
		return;
	}
	n = strcspn(line, " \t");
	verb = xstrndup(line, n);
	rest = line + n + strspn(line + n, " \t");
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (!strcmp(words[i].name, verb)) {
			words[i].run(s, rest);
			goto out;
		}
	command(s, line, verb);
out:
	free(verb);
	fflush(stdout);
}

static void lines_run(struct old_session *s, FILE *f)
{
	bool prompt = f == stdin && isatty(STDIN_FILENO);
	char *line = NULL;
	size_t cap = 0;

	s->depth++;
	while (!s->quit) {
		if (prompt) {
			printf("%s", s->prompt);
			fflush(stdout);
		}
		if (getline(&line, &cap, f) < 0)
			break;
		line_run(s, line);
	}
	s->depth--;
	free(line);
}

/* -- from the command line to the session -------------------------------------------------------------------------- */

static void session_run(struct old_session *s, const struct ctl_opts *o)
{
	char *text = o->command ? xstrdup(o->command) : NULL;

	if (o->source)
		source(s, o->source);
	if (o->script)
		script(s, o->script);
	if (text)
		line_run(s, text);
	else if (!o->source && !o->script) {
		if (isatty(STDIN_FILENO) && s->who == OLD_CONTROLLER)
			printf("Welcome to the LDMSD control processor\n");
		lines_run(s, stdin);
	}
	free(text);
}

static void unconnected(const struct old_session *s, const struct client_conf *conf, const char *why)
{
	fprintf(stderr, "%s\n", why);
	if (s->who == OLD_CTL)
		printf("Connection error\n");
	else
		printf("[Errno %d] Connect error: ECONNABORTED(%d): connecting to %s on port %u using %s with auth %s\n"
		       "Please verify the transport, hostname, port, and authentication method.\n",
		       ECONNABORTED, ECONNABORTED, conf->host, conf->port, conf->xprt, conf->auth);
}

/* The exit status is 0 once the options are good, whatever the daemon says. */
static int run(enum old_ctl who, const char *self, struct ctl_opts *o)
{
	struct old_session s = { .who = who };
	struct client_conf conf = { .xprt = o->peer.xprt, .auth = o->peer.auth };
	struct kv auth_args = { 0 };
	char *host = NULL;
	struct err err = { "" };
	enum xprt_fail fail;
	int rc = tool_time_parse(o->peer.time, &conf.time_us, &err);

	if (!rc)
		rc = tool_peer_parse(o->peer.host, o->peer.port, &host, &conf.port, &err);
	if (rc) {
		fprintf(stderr, "%s: %s\n", self, err.msg);
		goto out;
	}
	for (size_t i = 0; i < o->peer.auth_args.n; i++)
		kv_parse(&auth_args, o->peer.auth_args.v[i]);
	conf.host = host;
	conf.auth_args = &auth_args;
	log_level_set(LOG_QUIET_); /* what matters is said by us */
	if (client_open(&conf, &s.client, &fail, &err)) {
		unconnected(&s, &conf, err.msg);
		goto out;
	}
	s.prompt = who == OLD_CTL ? xstrdup("ldmsctl> ") : xasprintf("%s:%s:%u> ", conf.xprt, host, conf.port);
	session_run(&s, o);
	client_close(s.client);
	free(s.prompt);
out:
	kv_fini(&auth_args);
	free(host);
	return rc ? OLD_EXIT_USAGE : 0;
}

int old_ldmsd_controller(int argc, char **argv)
{
	struct ctl_opts o = { .peer = MSG_PEER_OPTS_INIT };
	int status_ = OLD_EXIT_USAGE;

	if (old_parse(CONTROLLER, argc, argv, &o, &o.peer.help, &status_) >= 0 &&
	    !old_auth_args_check(&o.peer.auth_args))
		status_ = run(OLD_CONTROLLER, CONTROLLER, &o);
	opt_list_fini(&o.peer.auth_args);
	return status_;
}

int old_ldmsctl(int argc, char **argv)
{
	struct ctl_opts o = { .peer = MSG_PEER_OPTS_INIT };
	int status_ = OLD_EXIT_USAGE;

	o.peer.host = o.peer.xprt = NULL; /* have no defaults here */
	if (old_parse(CTL, argc, argv, &o, &o.peer.help, &status_) < 0)
		goto out;
	if (!o.peer.host || !o.peer.port || !o.peer.xprt) {
		printf("Please specify the connection type.\n");
		opt_help(stdout, &usage_old_ldmsctl);
		status_ = 0;
	} else if (!old_auth_args_check(&o.peer.auth_args)) {
		status_ = run(OLD_CTL, CTL, &o);
	}
out:
	opt_list_fini(&o.peer.auth_args);
	return status_;
}
