/* conf_file.c - files become lines, and lines words: see conf_impl.h. */
#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <string.h>

#include "core/base/xalloc.h"
#include "core/ctl/conf_impl.h"

#define FILE_MAX (64u << 20) /* bytes; more is no text that somebody wrote */

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

int conf_include(struct conf *cf, const struct cmd *cmd, const char *pattern, struct err *err)
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
