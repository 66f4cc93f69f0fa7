/* line.h - one command as it is written: lines of a file become commands, a command a verb and its arguments. */
#ifndef CORE_CTL_LINE_H
#define CORE_CTL_LINE_H

#include "core/ctl/verb.h"

#define LINE_BLANKS " \t\r\n"

/* A '#' at the beginning or behind white space begins a comment: it is cut off. */
void line_comment_cut(char *line);
/* A verb's attribute of that name, and that which takes the rest of the line; NULL: it has none. */
const struct attr_use *line_attr(const struct verb *v, const char *name);
const struct attr_use *line_rest_attr(const struct verb *v);

/* Lines joined by a backslash at their end, comments cut.  Starts as all zero. */
struct line_join {
	struct buf command; /* what is there of it */
};

/* Take the next line (it is changed).  True: a command is complete, line_join_take() it; a comment or an empty line is
 * none.  `last`: nothing follows that a backslash could join. */
bool line_join(struct line_join *j, char *line, bool last);
/* The command; borrowed until the next line. */
const char *line_join_take(struct line_join *j);
void line_join_fini(struct line_join *j);

struct line {
	const struct verb *verb;
	struct ctl_arg *args; /* with numbers and names */
	size_t n;
	char *text; /* what the arguments point into */
	char *rest; /* the text of an AT_REST attribute */
};

/* One command: its verb is known, or -EINVAL with words; its arguments are as they come.  Blanks alone have no verb. */
int line_split(struct line *l, const char *command, struct err *err);
/* One command: its verb is known and its arguments suit it, or -EINVAL with words.  Blanks alone have no verb. */
int line_parse(struct line *l, const char *command, struct err *err);
void line_fini(struct line *l);

#endif
