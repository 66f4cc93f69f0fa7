/* thread.h - the threads of the process, and how busy they are.
 *
 * A thread enters itself when it begins and leaves when it ends; that is all it pays.  Who asks reads the processor
 * time that the kernel counts anyway.  One list for the process.
 */
#ifndef CORE_BASE_THREAD_H
#define CORE_BASE_THREAD_H

#include <pthread.h>
#include <stdint.h>
#include <sys/types.h>

/* The calling thread; `name` is copied, `owner` is for those who know it again (its loop), NULL else.  May be nested: then
 * only the outermost counts. */
void thread_enter(const char *name, const void *owner);
/* Before it ends. */
void thread_leave(void);

struct thread_look {
	const char *name;
	const void *owner;
	pthread_t id;
	pid_t tid;
	int64_t total_us, active_us;         /* since it began, or threads_reset(): all, and on a processor */
	int64_t window_us, window_active_us; /* since it was looked at before; 0: never */
};
/* Every thread, in order of beginning. */
void threads_each(void (*fn)(const struct thread_look *look, void *arg), void *arg);
/* Count from now. */
void threads_reset(void);

#endif
