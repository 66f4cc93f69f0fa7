/* confine_impl.h - what is noted (confine.c) until the door is closed (confine_enter.c). */
#ifndef CORE_DAEMON_CONFINE_IMPL_H
#define CORE_DAEMON_CONFINE_IMPL_H

#include "core/base/buf.h"
#include "core/daemon/confine.h"

struct path {
	char *what, *name;
	char *real; /* without links, once the sandbox is closed */
	enum confine_path kind;
};

struct confine {
	struct user user;
	bool changes_user;
	enum confine_sandbox sandbox;
	bool entered;
	struct path *paths;
	size_t n;
	uint64_t caps; /* asked for */
	char held[64]; /* by what: for status */
	bool landlocked;
};

extern const char *const confine_everywhere[]; /* may be read in every sandbox; ended by NULL */

/* The folders that may be written below, for messages. */
void confine_writable_add(struct buf *b, const struct confine *c);

#endif
