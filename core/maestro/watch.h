/* watch.h - a file that others write: when is it to be read anew?
 *
 * It is looked at now and then.  One that has changed is read when two looks in a row find it the same: who writes in
 * place may be in the middle of it, and half a cluster file can look like the file of a smaller cluster.
 */
#ifndef CORE_MAESTRO_WATCH_H
#define CORE_MAESTRO_WATCH_H

#include <sys/stat.h>

#include "core/base/err.h"

struct watch {
	const char *path;  /* borrowed */
	struct stat read;  /* as it was when it was read last */
	struct stat found; /* at the last look */
	int missed;        /* errno of so many looks in a row, */
	unsigned int misses;
};

enum watch_news {
	WATCH_NOTHING,
	WATCH_CHANGED, /* read it now */
	WATCH_GONE,    /* it cannot be looked at, and that is not because it is being replaced; said once */
};

/* Before it is read for the first time. */
void watch_init(struct watch *w, const char *path);
/* Some time after the last look. */
enum watch_news watch_look(struct watch *w, struct err *err);
/* The same for what stat() said: `rc` 0, or its errno. */
enum watch_news watch_saw(struct watch *w, int rc, const struct stat *st);

#endif
