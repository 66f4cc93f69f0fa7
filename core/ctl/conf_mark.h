/* conf_mark.h - which command was the first to say something, by a key: "producer n17" was started here. */
#ifndef CORE_CTL_CONF_MARK_H
#define CORE_CTL_CONF_MARK_H

#include <uthash.h>

struct cmd;

/* A set of them is a pointer, NULL at first. */
struct mark {
	const struct cmd *by; /* borrowed; may be NULL */
	UT_hash_handle hh;
	char key[];
};

struct mark *mark_find(struct mark *set, const char *key);
/* NULL: now it is there; else what stood there before, and stays. */
struct mark *mark_add(struct mark **set, const char *key, const struct cmd *by);
/* Nothing happens when it is not there. */
void mark_del(struct mark **set, const char *key);
void marks_free(struct mark **set);

#endif
