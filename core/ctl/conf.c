/* conf.c - see conf.h */
#include "core/ctl/conf.h"

#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "core/base/xalloc.h"
#include "core/ctl/book.h"
#include "core/ctl/line.h"

#define INCLUDE_DEPTH 16 /* files within files */
#define DEFER_ORDERS  5  /* policies, updaters, producers, who advertises: verbs.c's `order`, from 1 */

enum { GO_SETTINGS, GO_LISTEN, GO_PLUGINS, GO_OBJECTS, GO_STARTS /* and behind it, by order */ };

struct cmd {
	const struct verb *verb;
	struct ctl_arg *args;
	size_t n;
	char *text; /* what the arguments point into */
	char *rest; /* the text of an AT_REST attribute */
	const char *file; /* conf->origins' */
	unsigned int line;
	bool done;
	bool noted; /* env, which was carried out while reading: `rest` is what came of it */
};

struct open_file {
	dev_t dev;
	ino_t ino;
};

struct conf {
	struct open_file open[INCLUDE_DEPTH]; /* `depth` of them: the file being read, and those that include it */
	struct cmd *cmds;
	size_t n;
	char **origins; /* of lines: files and other names */
	size_t origins_n;
	char **files; /* that were read */
	size_t files_n;
	char *once; /* what was read, and cannot be read again */
	unsigned int errors, depth;
	unsigned int go; /* the next one to be carried out */
	void (*complain)(void *arg, const char *words);
	void *arg;
};

struct conf *conf_new(void (*complain)(void *arg, const char *words), void *arg)
{
	struct conf *cf = xcalloc(1, sizeof(*cf));

	cf->complain = complain;
	cf->arg = arg;
	return cf;
}

void conf_free(struct conf *cf)
{
	if (!cf)
		return;
	for (size_t i = 0; i < cf->n; i++) {
		free(cf->cmds[i].args);
		free(cf->cmds[i].text);
		free(cf->cmds[i].rest);
	}
	for (size_t i = 0; i < cf->origins_n; i++)
		free(cf->origins[i]);
	for (size_t i = 0; i < cf->files_n; i++)
		free(cf->files[i]);
	free(cf->origins);
	free(cf->cmds);
	free(cf->files);
	free(cf->once);
	free(cf);
}

unsigned int conf_errors(const struct conf *cf)
{
	return cf->errors;
}

static void complain(struct conf *cf, const char *file, unsigned int line, const char *words)
{
	char *s = line ? xasprintf("%s:%u: %s", file, line, words) : xasprintf("%s: %s", file, words);

	cf->errors++;
	cf->complain(cf->arg, s);
	free(s);
}

static const char *keep(char ***list, size_t *n, const char *text)
{
	*list = xrealloc(*list, (*n + 1) * sizeof(**list));
	return (*list)[(*n)++] = xstrdup(text);
}

static const char *origin_keep(struct conf *cf, const char *name)
{
	return keep(&cf->origins, &cf->origins_n, name);
}

const char *conf_file(const struct conf *cf, size_t i)
{
	return i < cf->files_n ? cf->files[i] : NULL;
}

const char *conf_once(const struct conf *cf)
{
	return cf->once;
}

static int include(struct conf *cf, const char *pattern, struct err *err);

static void include_now(struct conf *cf, const struct cmd *cmd)
{
	const char *path = NULL;
	struct err err = { "" };
	char *expanded;

	for (size_t i = 0; i < cmd->n; i++)
		if (!strcmp(cmd->args[i].name, "path"))
			path = cmd->args[i].value;
	expanded = ctl_expand(path ? path : "");
	if (include(cf, expanded, &err))
		complain(cf, cmd->file, cmd->line, err.msg);
	free(expanded);
}

/* While reading already: an include behind it may need it, and values are expanded only when all is read. */
static void env_now(struct conf *cf, struct cmd *cmd)
{
	char *expanded = ctl_expand(cmd->rest ? cmd->rest : "");
	struct err err = { "" };

	if (ctl_env_put(expanded, &err))
		complain(cf, cmd->file, cmd->line, err.msg);
	free(cmd->rest);
	cmd->rest = expanded;
	cmd->done = cmd->noted = true;
}

/* `text` is one command without comment and continuation. */
static void command(struct conf *cf, const char *file, unsigned int line, const char *text)
{
	struct err err = { "" };
	struct line l;
	struct cmd cmd;

	if (line_parse(&l, text, &err)) {
		complain(cf, file, line, err.msg);
		return;
	}
	cmd = (struct cmd){ .verb = l.verb,
			    .args = l.args,
			    .n = l.n,
			    .text = l.text,
			    .rest = l.rest,
			    .file = file,
			    .line = line };
	if (!strcmp(cmd.verb->name, "include")) {
		include_now(cf, &cmd);
		line_fini(&l);
		return;
	}
	if (!strcmp(cmd.verb->name, "env"))
		env_now(cf, &cmd);
	cf->cmds = xrealloc(cf->cmds, (cf->n + 1) * sizeof(*cf->cmds));
	cf->cmds[cf->n++] = cmd;
}

static void lines_take(struct conf *cf, const char *file, char *text)
{
	struct line_join j = { 0 };
	unsigned int line = 0;
	char *next;

	for (; text; text = next) {
		line++;
		next = strchr(text, '\n');
		if (next)
			*next++ = '\0';
		if (line_join(&j, text, !next))
			command(cf, file, line, line_join_take(&j));
	}
	line_join_fini(&j);
}

void conf_text(struct conf *cf, const char *origin, const char *text)
{
	char *copy = xstrdup(text);

	lines_take(cf, origin_keep(cf, origin), copy);
	free(copy);
}

static int slurp(FILE *f, struct buf *b)
{
	size_t n;

	do {
		n = fread(buf_reserve(b, 4096), 1, 4096, f);
		b->len += n;
	} while (n);
	return ferror(f) ? -errno : 0;
}

/* Is this file being read already, some includes up? */
static bool is_open(const struct conf *cf, const struct stat *st)
{
	for (unsigned int i = 0; i < cf->depth; i++)
		if (cf->open[i].dev == st->st_dev && cf->open[i].ino == st->st_ino && S_ISREG(st->st_mode))
			return true;
	return false;
}

int conf_read(struct conf *cf, const char *path, struct err *err)
{
	FILE *f = strcmp(path, "-") ? fopen(path, "re") : stdin;
	struct stat st = { 0 };
	struct buf b = { 0 };
	int rc;

	if (!f)
		return err_set(err, -errno, "configuration file %s: %s", path, err_name(errno));
	if (!fstat(fileno(f), &st) && is_open(cf, &st)) {
		fclose(f);
		return err_set(err, -ELOOP, "configuration file %s: includes itself", path);
	}
	rc = slurp(f, &b);
	if (f != stdin)
		fclose(f);
	if (rc) {
		err_set(err, rc, "configuration file %s: cannot be read: %s", path, err_name(rc));
	} else if (b.len && memchr(b.p, 0, b.len)) {
		rc = err_set(err, -EINVAL, "configuration file %s: holds NUL bytes; is it text?", path);
	} else {
		buf_str(&b);
		cf->open[cf->depth++] = (struct open_file){ st.st_dev, st.st_ino };
		if (f != stdin && S_ISREG(st.st_mode)) /* a pipe is read once */
			keep(&cf->files, &cf->files_n, path);
		else if (!cf->once)
			cf->once = xstrdup(f == stdin ? "standard input" : path);
		lines_take(cf, origin_keep(cf, path), (char *)b.p);
		cf->depth--;
	}
	buf_fini(&b);
	return rc;
}

static int include(struct conf *cf, const char *pattern, struct err *err)
{
	glob_t g = { 0 };
	int rc = 0;

	if (cf->depth >= INCLUDE_DEPTH)
		return err_set(err, -ELOOP, "include: %s: more than %d files within files", pattern, INCLUDE_DEPTH);
	if (glob(pattern, GLOB_BRACE | GLOB_TILDE, NULL, &g))
		return err_set(err, -ENOENT, "include: no file '%s'; paths are relative to where the daemon was started",
			       pattern);
	for (size_t i = 0; i < g.gl_pathc && !rc; i++)
		rc = conf_read(cf, g.gl_pathv[i], err);
	globfree(&g);
	return rc;
}

static int cmd_run(struct conf *cf, struct daemon *d, const struct cmd *cmd)
{
	struct ctl c = { .d = d, .uid = d->uid, .gid = d->gid };
	struct err err = { "" };
	int rc = ctl_run(&c, cmd->verb, cmd->args, cmd->n, &err);

	if (rc == -EBUSY && cmd->verb->flags & VERB_DEFER)
		rc = 0; /* started by an earlier line already, most often by an expression */
	if (rc)
		complain(cf, cmd->file, cmd->line, err.msg);
	ctl_fini(&c);
	return d->draft ? 0 : rc; /* a draft is there to find all that is wrong */
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
	char *name = NULL;
	bool early;

	if (!(cmd->verb->flags & VERB_PLUGIN))
		return false;
	for (size_t i = 0; i < cmd->n && !name; i++)
		if (!strcmp(cmd->args[i].name, "name") && cmd->args[i].value)
			name = ctl_expand(cmd->args[i].value);
	early = name && !node_find(d->samps, name);
	free(name);
	return early;
}

static int go_run(struct conf *cf, struct daemon *d, unsigned int go)
{
	int rc = 0;

	for (size_t i = 0; i < cf->n && !rc && !loop_stopping(d->main); i++) {
		struct cmd *cmd = &cf->cmds[i];

		if (cmd->done || (go == GO_PLUGINS ? !is_early(d, cmd) : go_of(cmd->verb) != go))
			continue;
		cmd->done = true;
		rc = cmd_run(cf, d, cmd);
	}
	return rc;
}

int conf_prepare(struct conf *cf, struct daemon *d)
{
	int rc = 0;

	env_note(cf, d);
	for (; cf->go < GO_OBJECTS && !rc; cf->go++)
		rc = go_run(cf, d, cf->go);
	return rc;
}

int conf_run(struct conf *cf, struct daemon *d)
{
	int rc = conf_prepare(cf, d);

	for (; cf->go < GO_STARTS + DEFER_ORDERS && !rc; cf->go++)
		rc = go_run(cf, d, cf->go);
	return rc;
}
