/* library.h - libraries of others that are opened when they are first wanted, and then stay: who does not want them
 * neither needs nor pays for them.
 */
#ifndef CORE_BASE_LIBRARY_H
#define CORE_BASE_LIBRARY_H

#include <pthread.h>
#include <stdbool.h>

#include "core/base/err.h"

struct library {
	const char *const *files;     /* the first that is there is taken; ended by NULL */
	const char *const *functions; /* ended by NULL */
	void *table;                  /* as many pointers to functions, filled in that order */
	const char *package;          /* what is to be installed: "libcurl", "librdkafka 1.6 or later" */
	int (*begin)(void);           /* NULL, or what is to be called first; not 0: it does not begin */
	pthread_mutex_t lock;         /* PTHREAD_MUTEX_INITIALIZER */
	bool there;
};

/* See that the library is there, on any thread.  -ENOENT, -ENOSYS (it lacks a function) with words; tried anew by the
 * next call: it may have been installed meanwhile. */
int library_get(struct library *lib, struct err *err);

#endif
