/* conf.c - see conf.h: reading files, and the check of each line by itself */
#include "core/ctl/conf_impl.h"

#include <errno.h>
#include <glob.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/xalloc.h"

#define NEAR_MAX 20          /* unknown verbs for which the nearest one is looked for */
#define FILE_MAX (64u << 20) /* bytes; more is no text that somebody wrote */

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

/* -- words become commands ----------------------------------------------------------------------------------------- */

static const char *keep(char ***list, size_t *n, const char *text)
{
	*list = xrealloc(*list, (*n + 1) * sizeof(**list));
	return (*list)[(*n)++] = xstrdup(text);
}

const char *conf_origin(struct conf *cf, const char *name)
{
	return keep(&cf->origins, &cf->origins_n, name);
}

char *conf_text_keep(struct conf *cf, char *text)
{
	if (cf->texts_n == cf->texts_cap) {
		cf->texts_cap = cf->texts_cap ? 2 * cf->texts_cap : 16;
		cf->texts = xrealloc(cf->texts, cf->texts_cap * sizeof(*cf->texts));
	}
	return cf->texts[cf->texts_n++] = text;
}

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

static int include(struct conf *cf, const struct cmd *cmd, const char *pattern, struct err *err);

static int include_now(struct conf *cf, const struct cmd *cmd, struct err *err)
{
	const char *path = cmd_arg(cmd, "path");
	char *expanded = ctl_expand(path ? path : "");
	int rc = include(cf, cmd, expanded, err);

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

/* -- lines become words -------------------------------------------------------------------------------------------- */

/* Does the line go on with the next one?  If so, without the backslash. */
static bool continued(char *line)
{
	size_t n = strlen(line);

	while (n && strchr(LINE_BLANKS, line[n - 1]))
		n--;
	if (!n || line[n - 1] != '\\')
		return false;
	line[n - 1] = '\0';
	return true;
}

/* Split in place. */
static void line_take(struct conf *cf, char *line, unsigned int number)
{
	for (char *p = line;;) {
		char *word = p + strspn(p, LINE_BLANKS);

		p = word + strcspn(word, LINE_BLANKS);
		if (p == word)
			return;
		conf_word(cf, word, (struct conf_pos){ .line = number, .col = (unsigned int)(word - line) + 1 });
		if (!*p)
			return;
		*p++ = '\0';
	}
}

static void lines_take(struct conf *cf, const char *file, char *text)
{
	unsigned int number = 0;
	char *next;

	for (; text; text = next) {
		bool more;

		next = strchr(text, '\n');
		if (next)
			*next++ = '\0';
		line_comment_cut(text);
		more = continued(text);
		line_take(cf, text, ++number);
		if (!more || !next)
			conf_command(cf, file);
	}
}

void conf_text(struct conf *cf, const char *origin, const char *text)
{
	lines_take(cf, conf_origin(cf, origin), conf_text_keep(cf, xstrdup(text)));
}

/* -- files --------------------------------------------------------------------------------------------------------- */

/* Is this file being read already, some includes up? */
static bool is_open(const struct conf *cf, const struct stat *st)
{
	for (unsigned int i = 0; i < cf->depth; i++)
		if (cf->open[i].dev == st->st_dev && cf->open[i].ino == st->st_ino && S_ISREG(st->st_mode))
			return true;
	return false;
}

/* What an UTF-8 editor may put in front. */
static void mark_drop(struct buf *b)
{
	if (b->len >= 3 && !memcmp(b->p, "\xef\xbb\xbf", 3))
		memset(b->p, ' ', 3);
}

int conf_slurp(struct conf *cf, const char *path, struct buf *b, struct err *err)
{
	FILE *f = strcmp(path, "-") ? fopen(path, "re") : stdin;
	struct stat st = { 0 };
	int rc;

	if (!f)
		return err_set(err, -errno, "configuration file %s: %s%s", path, err_name(errno),
			       errno == ENOENT ? "; correct the path" : "");
	if (!fstat(fileno(f), &st) && is_open(cf, &st)) {
		fclose(f);
		return err_set(err, -ELOOP, "configuration file %s: includes itself", path);
	}
	rc = buf_slurp(b, f, FILE_MAX);
	if (f != stdin)
		fclose(f);
	if (rc)
		return err_set(err, rc, "configuration file %s: cannot be read: %s", path, err_name(rc));
	if (b->len && memchr(b->p, 0, b->len))
		return err_set(err, -EINVAL, "configuration file %s: holds NUL bytes; is it text?", path);
	mark_drop(b);
	buf_str(b);
	cf->open[cf->depth] = (struct open_file){ st.st_dev, st.st_ino };
	if (f != stdin && S_ISREG(st.st_mode)) /* a pipe is read once */
		keep(&cf->files, &cf->files_n, path);
	else if (!cf->once)
		cf->once = xstrdup(f == stdin ? "standard input" : path);
	return 0;
}

int conf_read(struct conf *cf, const char *path, struct err *err)
{
	struct buf b = { 0 };
	int rc = conf_slurp(cf, path, &b, err);

	if (rc) {
		buf_fini(&b);
		return rc;
	}
	cf->depth++;
	lines_take(cf, conf_origin(cf, path), conf_text_keep(cf, (char *)b.p));
	cf->depth--;
	return 0;
}

static int include(struct conf *cf, const struct cmd *cmd, const char *pattern, struct err *err)
{
	glob_t g = { 0 };
	int rc = 0;

	if (cf->depth >= INCLUDE_DEPTH)
		return err_set(err, -ELOOP, "include: %s: more than %d files within files", pattern, INCLUDE_DEPTH);
	if (glob(pattern, GLOB_BRACE | GLOB_TILDE, NULL, &g)) {
		if (!pattern[strcspn(pattern, "*?[")])
			return err_set(err, -ENOENT,
				       "include: no file '%s'; paths are relative to where the daemon was started",
				       pattern);
		conf_warn(cf, cmd->file, cmd_arg_pos(cmd, "path"), "include: no file matches '%s'", pattern);
		return 0;
	}
	for (size_t i = 0; i < g.gl_pathc && !rc; i++)
		rc = conf_read(cf, g.gl_pathv[i], err);
	globfree(&g);
	return rc;
}
