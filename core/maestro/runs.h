/* runs.h - what runs on a daemon: asked of it, as a configuration. */
#ifndef CORE_MAESTRO_RUNS_H
#define CORE_MAESTRO_RUNS_H

#include "core/ctl/book.h"
#include "core/maestro/link.h"

struct runs {
	struct book *have;  /* taken by who is told, or freed behind the call */
	unsigned int count; /* of changes of its configuration, before it was read */
	bool ldmsd;         /* it is none of ours: `have` is what it shows (ldmsd_fill) */
};

/* rc 0, or a negative errno when it went away, or its positive one; why: in words. */
typedef void (*runs_fn)(void *arg, int rc, struct runs *runs, const char *why);

/* fn is called once, behind the answers, or when the link is lost. */
void runs_read(struct link *l, runs_fn fn, void *arg);

#endif
