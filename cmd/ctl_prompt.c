/* ctl_prompt.c - commands typed at a prompt, with completion and history where there is libedit */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/ctl.h"
#include "core/base/xalloc.h"

#ifdef HAVE_LIBEDIT

#include <locale.h>
#include <signal.h>
#include <sys/stat.h>
#include <histedit.h>

#include "core/base/term.h"

#define HISTORY_FILE ".ldms_history"
#define HISTORY_MAX  1000
#define SHOWN_MAX    200 /* candidates that are listed */

struct prompt {
	struct ctl_session *s;
	EditLine *el;
	History *history;
	char *file; /* NULL: no home */
	char *text; /* "ldms n17:411> " */
};

static volatile sig_atomic_t interrupted;

static void on_interrupt(int sig)
{
	(void)sig;
	interrupted = 1;
}

static char *prompt_text(EditLine *el)
{
	struct prompt *p;

	el_get(el, EL_CLIENTDATA, &p);
	return p->text;
}

/* What the daemon has; nothing is said when it does not answer: the user is in the middle of a line. */
static void names_ask(void *arg, const char *status_verb, struct ctl_list *to)
{
	struct prompt *p = arg;
	struct buf answer = { 0 };
	enum exit_status status;

	if (p->s->client && !ctl_ask(p->s, status_verb, &answer, &status, NULL))
		ctl_list_names(to, buf_str(&answer), answer.len);
	buf_fini(&answer);
}

static bool is_harmless(const char *word)
{
	struct buf b = { 0 };
	bool yes;

	term_put(&b, word, strlen(word), TERM_LINE);
	yes = b.len == strlen(word);
	buf_fini(&b);
	return yes;
}

static size_t common_len(const struct ctl_list *l)
{
	size_t n = strlen(l->v[0]);

	for (size_t i = 1; i < l->n; i++)
		while (strncmp(l->v[0], l->v[i], n))
			n--;
	return n;
}

static void candidates_print(const struct ctl_list *l)
{
	putchar('\n');
	for (size_t i = 0; i < l->n && i < SHOWN_MAX; i++)
		printf("%s ", l->v[i]);
	if (l->n > SHOWN_MAX)
		printf("... and %zu more", l->n - SHOWN_MAX);
	putchar('\n');
	fflush(stdout);
}

static unsigned char on_tab(EditLine *el, int key)
{
	const LineInfo *li = el_line(el);
	char *line = xstrndup(li->buffer, (size_t)(li->cursor - li->buffer));
	struct ctl_list l = { 0 };
	unsigned char ret = CC_ERROR;
	struct prompt *p;
	size_t typed, n;

	(void)key;
	el_get(el, EL_CLIENTDATA, &p);
	typed = ctl_complete(line, names_ask, p, &l);
	for (size_t i = 0; i < l.n; i++) /* what cannot be typed is not offered */
		if (!is_harmless(l.v[i]))
			free(l.v[i]), l.v[i--] = l.v[--l.n];
	n = l.n ? common_len(&l) : 0;
	if (n > typed) {
		char *more = xstrndup(l.v[0] + typed, n - typed);

		ret = el_insertstr(el, more) ? CC_ERROR : CC_REFRESH;
		free(more);
	} else if (l.n > 1) {
		candidates_print(&l);
		ret = CC_REDISPLAY;
	}
	ctl_list_fini(&l);
	free(line);
	return ret;
}

static void history_begin(struct prompt *p)
{
	const char *home = getenv("HOME");
	HistEvent ev;

	p->history = history_init();
	history(p->history, &ev, H_SETSIZE, HISTORY_MAX);
	history(p->history, &ev, H_SETUNIQUE, 1);
	if (!home || !*home)
		return;
	p->file = xasprintf("%s/" HISTORY_FILE, home);
	history(p->history, &ev, H_LOAD, p->file);
}

/* Other users need not know what was asked. */
static void history_keep(struct prompt *p)
{
	mode_t before = umask(077);
	HistEvent ev;

	if (p->file)
		history(p->history, &ev, H_SAVE, p->file);
	umask(before);
}

static void prompt_begin(struct prompt *p)
{
	setlocale(LC_CTYPE, "");
	p->text = xasprintf("ldms %s> ", p->s->peer);
	p->el = el_init("ldms", stdin, stdout, stderr);
	history_begin(p);
	el_set(p->el, EL_CLIENTDATA, p);
	el_set(p->el, EL_PROMPT, prompt_text);
	el_set(p->el, EL_EDITOR, "emacs");
	el_set(p->el, EL_SIGNAL, 1);
	el_set(p->el, EL_HIST, history, p->history);
	el_wset(p->el, EL_ADDFN, L"ldms-complete", L"complete the word", on_tab); /* el_set() would lose copies */
	el_set(p->el, EL_BIND, "^I", "ldms-complete", NULL);
	el_source(p->el, NULL);
}

/* The next line; yours.  NULL: there is none.  Ctrl-C drops a line that is being typed; later it ends the program. */
static char *prompt_line(struct prompt *p)
{
	const struct sigaction drop = { .sa_handler = on_interrupt };
	struct sigaction before;
	const char *line;
	HistEvent ev;
	int n;

	sigaction(SIGINT, &drop, &before);
	do {
		interrupted = 0;
		line = el_gets(p->el, &n);
		if (interrupted) {
			el_reset(p->el);
			putchar('\n');
		}
	} while (!line && interrupted);
	sigaction(SIGINT, &before, NULL);
	if (!line || n <= 0)
		return NULL;
	if (line[strspn(line, " \t\n")]) {
		history(p->history, &ev, H_ENTER, line);
		history_keep(p);
	}
	return xstrdup(line);
}

static void prompt_end(struct prompt *p)
{
	history_end(p->history);
	el_end(p->el);
	free(p->file);
	free(p->text);
}

#else /* lines as the terminal gives them */

struct prompt {
	struct ctl_session *s;
};

static void prompt_begin(struct prompt *p)
{
	(void)p;
}

static char *prompt_line(struct prompt *p)
{
	char *line = NULL;
	size_t cap = 0;

	printf("ldms %s> ", p->s->peer);
	fflush(stdout);
	if (getline(&line, &cap, stdin) >= 0)
		return line;
	free(line);
	return NULL;
}

static void prompt_end(struct prompt *p)
{
	(void)p;
}

#endif

enum exit_status ctl_prompt(struct ctl_session *s)
{
	struct prompt p = { .s = s };
	struct line_join j = { 0 };
	enum exit_status status;
	char *line;

	s->prompt = true;
	status = ctl_connect(s, "");
	if (status)
		return status;
	printf("`help` lists the commands, `quit` leaves.\n");
	prompt_begin(&p);
	while (!s->quit && (line = prompt_line(&p))) {
		if (line_join(&j, line, false))
			ctl_command(s, line_join_take(&j), "");
		free(line);
	}
	if (!s->quit)
		putchar('\n');
	line_join_fini(&j);
	prompt_end(&p);
	return EXIT_ALL;
}
