/* ctl_show.h - what a daemon answers, for people. */
#ifndef CMD_CTL_SHOW_H
#define CMD_CTL_SHOW_H

#include "core/base/buf.h"
#include "core/ctl/verb.h"

enum ctl_form {
	CTL_TABLES, /* as tables where there is one for the verb, else indented JSON; texts as they are */
	CTL_JSON,   /* the JSON as it came; a text as a JSON string */
};

extern const struct ctl_tables {
	const char *verb;
	const struct show_table *tables;
} ctl_tables[]; /* ended by a row without verb */

/* Append the answer to a verb; nothing for an empty one.  What would not be harmless on a terminal is escaped. */
void ctl_show(struct buf *to, const struct verb *v, const char *answer, size_t len, enum ctl_form form);

#endif
