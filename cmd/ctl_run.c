/* ctl_run.c - one command, and scripts of them; see ctl.h */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/ctl.h"
#include "core/base/term.h"
#include "core/base/xalloc.h"

void ctl_say(const struct ctl_session *s, const char *where, const char *words)
{
	struct buf b = { 0 };

	term_put(&b, words, strlen(words), TERM_TEXT);
	while (b.len && b.p[b.len - 1] == '\n')
		b.len--;
	fprintf(stderr, "%s: %s%s\n", s->self, where, buf_str(&b));
	buf_fini(&b);
}

enum exit_status ctl_connect(struct ctl_session *s, const char *where)
{
	enum xprt_fail fail;
	struct err err = { "" };

	if (s->client || !client_open(&s->conf, &s->client, &fail, &err))
		return EXIT_ALL;
	s->client = NULL;
	ctl_say(s, where, err.msg);
	return tool_exit_of[fail];
}

/* The daemon's answer to a command that is known to be good. */
static int ask(struct ctl_session *s, const struct line *l, struct buf *answer, enum exit_status *status,
	       struct err *err)
{
	enum xprt_fail fail;
	int rc = client_ask(s->client, l->verb, l->args, l->n, answer, &fail, err);

	if (rc < 0) {
		client_close(s->client);
		s->client = NULL;
		*status = tool_exit_of[fail];
	} else {
		*status = rc == EPERM || rc == EACCES ? EXIT_PERM : rc ? EXIT_USAGE : EXIT_ALL;
	}
	return rc;
}

int ctl_ask(struct ctl_session *s, const char *command, struct buf *answer, enum exit_status *status, struct err *err)
{
	struct line l;
	int rc = line_parse(&l, command, err);

	*status = EXIT_USAGE;
	if (rc)
		return rc;
	rc = ask(s, &l, answer, status, err);
	line_fini(&l);
	return rc;
}

static void refused(const struct ctl_session *s, const char *where, const struct verb *v, int rc, struct buf *answer)
{
	const char *name = strerrorname_np(rc);
	struct buf b = { 0 };

	buf_addf(&b, "%s: %s: ", s->peer, v->name);
	if (name)
		buf_addf(&b, "%s: ", name);
	else
		buf_addf(&b, "error %d: ", rc);
	buf_addf(&b, "%s", answer->len ? buf_str(answer) : err_name(rc));
	if (rc == EPERM || rc == EACCES)
		buf_addf(&b, " (ask as the daemon's owner, or as root)");
	ctl_say(s, where, buf_str(&b));
	buf_fini(&b);
}

void ctl_print(const struct buf *text)
{
	if (text->len)
		fwrite(text->p, 1, text->len, stdout);
	fflush(stdout);
}

static void show(const struct ctl_session *s, const struct verb *v, struct buf *answer)
{
	struct buf b = { 0 };

	ctl_show(&b, v, buf_str(answer), answer->len, s->form);
	ctl_print(&b);
	buf_fini(&b);
}

static enum exit_status verb_run(struct ctl_session *s, const struct line *l, const char *where)
{
	struct buf answer = { 0 };
	struct err err = { "" };
	enum exit_status status = ctl_connect(s, where);
	int rc;

	if (status)
		return status;
	rc = ask(s, l, &answer, &status, &err);
	if (rc < 0)
		ctl_say(s, where, err.msg);
	else if (rc)
		refused(s, where, l->verb, rc, &answer);
	else
		show(s, l->verb, &answer);
	buf_fini(&answer);
	return status;
}

static enum exit_status quit(struct ctl_session *s, const char *arg, const char *where)
{
	(void)arg;
	(void)where;
	s->quit = true;
	return EXIT_ALL;
}

const struct ctl_word ctl_words[] = {
	{ "help", ctl_help, "the verbs, or what one of them takes" },
	{ "quit", quit, "leave; the daemon goes on" },
	{ "stats", ctl_stats, "what was refused, lost, dropped or late, by whom" },
	{ .name = NULL },
};

static const struct ctl_word *word_find(const char *command, const char **ret_arg)
{
	size_t n = strcspn(command, " \t");

	for (const struct ctl_word *w = ctl_words; w->name; w++)
		if (strlen(w->name) == n && !strncmp(w->name, command, n)) {
			*ret_arg = command + n + strspn(command + n, " \t");
			return w;
		}
	return NULL;
}

enum exit_status ctl_command(struct ctl_session *s, const char *command, const char *where)
{
	struct err err = { "" };
	enum exit_status status;
	const struct ctl_word *w;
	const char *arg;
	struct line l;

	w = word_find(command, &arg);
	if (w)
		return w->run(s, arg, where);
	if (line_parse(&l, command, &err)) {
		ctl_say(s, where, err.msg);
		return EXIT_USAGE;
	}
	if (!l.verb)
		return EXIT_ALL;
	if (l.verb->flags & VERB_FILE_ONLY) {
		ctl_say(s, where, "it stands in configuration files alone; `ldms ctl -f FILE` sends the lines of one");
		status = EXIT_USAGE;
	} else if (s->prompt && !strcmp(l.verb->name, "exit")) { /* whoever types this wants to leave */
		ctl_say(s, where, "`exit` would end the daemon; `quit` leaves, `daemon_exit` ends it");
		status = EXIT_USAGE;
	} else {
		status = verb_run(s, &l, where);
	}
	line_fini(&l);
	return status;
}

/* -- scripts ------------------------------------------------------------------------------------------------------- */

static bool is_connections(enum exit_status status)
{
	return status != EXIT_ALL && status != EXIT_USAGE && status != EXIT_PERM;
}

enum exit_status ctl_script(struct ctl_session *s, const char *path, bool keep_going)
{
	FILE *f = strcmp(path, "-") ? fopen(path, "re") : stdin;
	enum exit_status status = EXIT_ALL;
	struct line_join j = { 0 };
	unsigned int number = 0;
	char *text = NULL;
	size_t cap = 0;
	bool more = f;

	if (!f) {
		fprintf(stderr, "%s: %s: %s\n", s->self, path, err_name(errno));
		return EXIT_USAGE;
	}
	while (more && !s->quit) {
		enum exit_status rc;
		char *where;

		more = getline(&text, &cap, f) >= 0;
		number += more;
		if (!line_join(&j, more ? text : (char[]){ "" }, !more))
			continue;
		where = xasprintf("%s:%u: ", f == stdin ? "stdin" : path, number);
		rc = ctl_command(s, line_join_take(&j), where);
		free(where);
		if (rc && !status)
			status = rc;
		if (rc && (!keep_going || is_connections(rc)))
			more = false;
	}
	if (ferror(f)) {
		fprintf(stderr, "%s: %s: cannot be read: %s\n", s->self, path, err_name(errno));
		status = EXIT_USAGE;
	}
	line_join_fini(&j);
	free(text);
	if (f != stdin)
		fclose(f);
	return status;
}
