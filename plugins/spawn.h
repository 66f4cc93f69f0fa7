/* spawn.h - processes that plugins begin, and their end. */
#ifndef PLUGINS_SPAWN_H
#define PLUGINS_SPAWN_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "core/base/err.h"

/* Begin the program at `path`, with our end of something, `fd`, as its descriptor `at`.  It is a process group of its own,
 * gets no input, and signals do to it what they do to any program.  Words without the path: what there is to run is the
 * caller's. */
int spawn_begin(pid_t *ret, const char *path, char *const argv[], int fd, int at, struct err *err);

/* Wait up to grace_us for it to end by itself; then kill it and all of its group.  0: it has ended, with that status
 * (waitpid(2)'s).  -ECHILD: it had to be killed.  One that waits in the kernel for a device may not even end then: it is
 * left to end when it can. */
int spawn_end(pid_t pid, int64_t grace_us, int *ret_status);
/* Of one that spawn_end() has killed: has it still not ended? */
bool spawn_lingers(pid_t pid);

/* How it ended, in words: -ECHILD, or 0 for a good end. */
int spawn_judge(int status, struct err *err);

/* How long to wait before it is begun again, after so many failures in a row: 1 s, 2 s, 4 s, ... a minute. */
int64_t spawn_pause_us(unsigned int fails);

#endif
