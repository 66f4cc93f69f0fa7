/* book_line.h - one command in one spelling: text that can be compared, taken apart, carried out, and written.
 *
 * A line is the verb and its attributes in the order of the verb's row, with LINE_SEP between them instead of a blank:
 * so a value may hold blanks (one that came over the network).  The attribute that is the rest of a line has no name.
 */
#ifndef CORE_CTL_BOOK_LINE_H
#define CORE_CTL_BOOK_LINE_H

#include "core/ctl/verb.h"

#define LINE_SEP '\037'

/* A line taken apart. */
struct fields {
	const struct verb *verb;
	char *v[ATTR_IDS]; /* NULL: not given; "" for a keyword */
};

/* What was asked for, with values in one spelling. */
void fields_of(struct fields *f, const struct ctl *c);
void fields_parse(struct fields *f, const char *line);
void fields_set(struct fields *f, enum attr_id id, const char *value);
/* Without what is the default anyway; yours. */
char *fields_line(const struct fields *f);
/* ... in the words of an ldmsd, which may be told so, too. */
void fields_spell(struct fields *f);
void fields_fini(struct fields *f);
/* The value, or the default that the verb's row names. */
const char *fields_get(const struct fields *f, enum attr_id id);
/* The default in the one spelling, or NULL: there is none, or words for people; yours. */
char *fields_default(const struct fields *f, enum attr_id id);

/* The name under which the verb writes that attribute; NULL: it has none such. */
const char *attr_name_of(const struct verb *v, enum attr_id id);
/* Carry it out as the daemon itself. */
int book_line_run(struct daemon *d, const char *line, struct err *err);
/* Write it as configuration files have it, without the newline; as a comment where files cannot say it. */
void book_line_put(struct buf *out, const char *line);
/* The attributes alone, without those that name the object. */
void book_line_put_attrs(struct buf *out, const char *line, const enum attr_id *but, size_t n);

#endif
