/* line.c - see line.h */
#include "core/ctl/line.h"

#include <errno.h>
#include <stdlib.h>

#include "core/base/xalloc.h"

void line_comment_cut(char *line)
{
	for (char *p = line; *p; p++)
		if (*p == '#' && (p == line || strchr(LINE_BLANKS, p[-1]))) {
			*p = '\0';
			return;
		}
}

bool line_join(struct line_join *j, char *line, bool last)
{
	size_t n;
	bool more;

	line_comment_cut(line);
	line += strspn(line, LINE_BLANKS);
	n = strlen(line);
	while (n && strchr(LINE_BLANKS, line[n - 1]))
		n--;
	more = n && line[n - 1] == '\\';
	if (more)
		n--;
	if (n) {
		if (j->command.len)
			buf_u8(&j->command, ' ');
		buf_add(&j->command, line, n);
	}
	return j->command.len && (!more || last);
}

const char *line_join_take(struct line_join *j)
{
	const char *command = buf_str(&j->command);

	buf_reset(&j->command);
	return command;
}

void line_join_fini(struct line_join *j)
{
	buf_fini(&j->command);
}

const struct attr_use *line_attr(const struct verb *v, const char *name)
{
	for (const struct attr_use *u = v->attrs; u && u->name; u++)
		if (u->type != AT_REST && !strcmp(u->name, name))
			return u;
	return NULL;
}

const struct attr_use *line_rest_attr(const struct verb *v)
{
	for (const struct attr_use *u = v->attrs; u && u->name; u++)
		if (u->type == AT_REST)
			return u;
	return NULL;
}

static void arg_add(struct line *l, struct ctl_arg arg)
{
	l->args = xrealloc(l->args, (l->n + 1) * sizeof(*l->args));
	l->args[l->n++] = arg;
}

/* "name=value name=value keyword": split in place. */
static void args_split(struct line *l, char *at)
{
	const struct attr_use *rest = line_rest_attr(l->verb);
	struct buf b = { 0 };

	for (char *word; (word = strtok_r(NULL, LINE_BLANKS, &at));) {
		char *eq = strchr(word, '=');
		const struct attr_use *u;

		if (eq)
			*eq = '\0';
		u = line_attr(l->verb, word);
		if (u || !rest) {
			arg_add(l, (struct ctl_arg){ .id = u ? u->id : 0, .name = word, .value = eq ? eq + 1 : NULL });
			continue;
		}
		if (eq)
			*eq = '=';
		buf_addf(&b, "%s%s", b.len ? " " : "", word);
	}
	if (b.len) {
		l->rest = xstrdup(buf_str(&b));
		arg_add(l, (struct ctl_arg){ .id = rest->id, .name = rest->name, .value = l->rest });
	}
	buf_fini(&b);
}

int line_split(struct line *l, const char *command, struct err *err)
{
	char *at, *word;
	const char *near;
	int rc = 0;

	*l = (struct line){ .text = xstrdup(command) };
	at = l->text;
	word = strtok_r(l->text, LINE_BLANKS, &at);
	if (!word)
		return 0;
	l->verb = verb_find(word);
	if (!l->verb) {
		near = verb_nearest(word);
		rc = err_set(err, -EINVAL, "unknown verb '%s'%s%s%s", word,
			     near ? "; did you mean '" : "; `help` lists them", near ? near : "", near ? "'?" : "");
	} else {
		args_split(l, at);
	}
	if (rc)
		line_fini(l);
	return rc;
}

int line_parse(struct line *l, const char *command, struct err *err)
{
	int rc = line_split(l, command, err);

	if (!rc && l->verb)
		rc = ctl_check(l->verb, l->args, l->n, err);
	if (rc)
		line_fini(l);
	return rc;
}

void line_fini(struct line *l)
{
	free(l->args);
	free(l->text);
	free(l->rest);
	*l = (struct line){ 0 };
}
