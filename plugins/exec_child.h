/* exec_child.h - a program of the operator's, run with its output on a pipe: what the sampler exec reads. */
#ifndef PLUGINS_EXEC_CHILD_H
#define PLUGINS_EXEC_CHILD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "core/base/buf.h"
#include "core/base/err.h"

struct exec_child {
	pid_t pid; /* 0: none */
	int fd;    /* its output; does not block */
	struct buf out;
};

/* Begin; argv[0] is the path.  The program is a process group of its own, and gets no input. */
int exec_child_begin(struct exec_child *c, char *const argv[], struct err *err);
/* Read what is there, at most until there are `max` bytes in c->out.  1: the program has closed its output. */
int exec_child_read(struct exec_child *c, size_t max, struct err *err);
/* Wait until there is something to read, or that moment (monotonic); false: it has come. */
bool exec_child_wait(struct exec_child *c, int64_t until_us);
/* It has ended, or is ended now with all that it began.  0, or -ECHILD with words when it did not end well; `kill`: it is
 * not asked how. */
int exec_child_end(struct exec_child *c, bool kill_it, const char *path, struct err *err);

#endif
