/* child.h - plugin code in a process of its own: libraries that may crash or hang take only their own instance along.
 *
 * The process is this program again (`ldms child TYPE`), begun when it is first asked and kept; it ends when the other
 * end of its socket closes, so also with the daemon, whatever became of that.  Each question is one message and has one
 * answer, both bounded and checked.  A process that crashed, hung or talked nonsense is ended, and begun again after
 * 1 s, then 2 s, 4 s, up to a minute.
 *
 * A daemon with --sandbox may run no program, not even itself: child_ask() then says so.
 *
 * To add one: a `const struct child_type child_NAME`, and a row in child_run.c.
 */
#ifndef PLUGINS_CHILD_H
#define PLUGINS_CHILD_H

#include <stdint.h>
#include <sys/types.h>

#include "core/base/buf.h"
#include "core/base/err.h"

#define CHILD_QUESTION_MAX 4096  /* bytes of text */
#define CHILD_ANSWER_MAX   65536 /* bytes */

/* In the child process. */
struct child_type {
	const char *name;
	/* Append the answer.  A failure has words; the process goes on, and is asked again. */
	int (*answer)(const char *question, struct buf *answer, struct err *err);
};
extern const struct child_type child_nvml, child_rocm;

/* What `ldms child TYPE` does; the exit status. */
int child_main(int argc, char **argv);

/* In the daemon.  Begins as all zero, but for `type`. */
struct child {
	const char *type;
	pid_t pid;    /* 0: none */
	pid_t former; /* killed, and may not have ended yet */
	int fd;
	uint32_t seq;
	/* after failures */
	unsigned int fails;
	int64_t not_before_us;
	struct err why;
};

/* The answer, into *answer (what was in it goes).  The error of the child's answer(); or of the process itself: -ETIMEDOUT
 * when it has not answered by the deadline, -ECHILD when it ended, -EPROTO, -EPERM; until it is begun again the words are
 * the same ones. */
int child_ask(struct child *c, const char *question, int64_t deadline_us, struct buf *answer, struct err *err);
/* End it. */
void child_close(struct child *c);

#endif
