/* conf.c - see conf.h: a configuration, and the complaints about it.  conf_file.c reads, conf_cmd.c checks each line by
 * itself; the others: conf_impl.h. */
#include "core/ctl/conf_impl.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/xalloc.h"

struct conf *conf_new(void (*complain)(void *arg, const char *words), void *arg)
{
	struct conf *cf = xcalloc(1, sizeof(*cf));

	cf->complain = complain;
	cf->arg = arg;
	return cf;
}

static void list_free(char **v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(v[i]);
	free(v);
}

void conf_free(struct conf *cf)
{
	if (!cf)
		return;
	for (size_t i = 0; i < cf->n; i++) {
		free(cf->cmds[i].args);
		free(cf->cmds[i].rest);
	}
	marks_free(&cf->broken);
	marks_free(&cf->started);
	list_free(cf->origins, cf->origins_n);
	list_free(cf->files, cf->files_n);
	list_free(cf->texts, cf->texts_n);
	free(cf->once);
	free(cf->words);
	free(cf->cmds);
	free(cf);
}

void conf_notes(struct conf *cf, void (*note)(void *arg, const struct conf_note *note), void *arg)
{
	cf->note = note;
	cf->note_arg = arg;
}

unsigned int conf_errors(const struct conf *cf)
{
	return cf->errors;
}

unsigned int conf_warnings(const struct conf *cf)
{
	return cf->warnings;
}

int conf_rc(const struct conf *cf)
{
	return cf->rc;
}

void conf_keep_going(struct conf *cf)
{
	cf->keep_going = true;
}

bool conf_unsafe(const struct conf *cf)
{
	return cf->unsafe;
}

const char *conf_file(const struct conf *cf, size_t i)
{
	return i < cf->files_n ? cf->files[i] : NULL;
}

const char *conf_once(const struct conf *cf)
{
	return cf->once;
}

/* -- complaints ---------------------------------------------------------------------------------------------------- */

static void say(struct conf *cf, const struct conf_note *n)
{
	char *s;

	if (cf->note) {
		cf->note(cf->note_arg, n);
		return;
	}
	if (n->warning)
		return;
	s = n->line ? xasprintf("%s:%u:%u: %s", n->file, n->line, n->col, n->words) : xstrdup(n->words);
	cf->complain(cf->arg, s);
	free(s);
}

static void vsay(struct conf *cf, bool warning, const char *file, struct conf_pos pos, const char *fmt, va_list ap)
{
	struct conf_note n = { .file = file, .line = pos.line, .col = pos.col, .warning = warning };
	char *words = xvasprintf(fmt, ap);

	n.words = words;
	say(cf, &n);
	free(words);
}

void conf_error(struct conf *cf, int rc, const char *file, struct conf_pos pos, const char *fmt, ...)
{
	va_list ap;

	cf->errors++;
	if (!cf->rc)
		cf->rc = rc;
	va_start(ap, fmt);
	vsay(cf, false, file, pos, fmt, ap);
	va_end(ap);
}

void conf_warn(struct conf *cf, const char *file, struct conf_pos pos, const char *fmt, ...)
{
	va_list ap;

	cf->warnings++;
	va_start(ap, fmt);
	vsay(cf, true, file, pos, fmt, ap);
	va_end(ap);
}

void conf_missed(struct conf *cf, int rc, const char *words)
{
	struct conf_note n = { .words = words };

	cf->errors++;
	cf->unsafe = cf->holes = true; /* who knows what it says */
	if (!cf->rc)
		cf->rc = rc;
	say(cf, &n);
}

/* Lines that say who may do what: a daemon without them would be open to everybody. */
bool conf_guards(const char *verb)
{
	static const char *const guards[] = { "default_auth", "include", "metric_sets_default_authz", "option",
					      "set_sec_mod" };

	for (size_t i = 0; i < sizeof(guards) / sizeof(*guards); i++)
		if (!strcmp(guards[i], verb))
			return true;
	return false;
}

void conf_cmd_failed(struct conf *cf, const char *verb, const char *name)
{
	if (verb && conf_guards(verb))
		cf->unsafe = true;
	if (name && *name)
		mark_add(&cf->broken, name, NULL);
}
