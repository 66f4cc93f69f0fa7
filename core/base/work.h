/* work.h - worker threads for what may wait: name look-ups, files.
 *
 * A job owns its data: it carries names and copies, never pointers into a loop's objects.  `run` is called on a worker;
 * then `done` on the loop the job came from, which may free the job.
 */
#ifndef CORE_BASE_WORK_H
#define CORE_BASE_WORK_H

#include <stdint.h>

#include "core/base/loop.h"

struct work;

struct work_job {
	void (*run)(struct work_job *job); /* on a worker; may wait */
	void (*done)(struct work_job *job); /* on `loop`; always called, also after work_free() began */
	struct loop *loop;
	struct loop_job back; /* work.c's */
	struct work_job *next; /* work.c's */
};

/* Threads are made when there is work and none is idle, up to `max_threads`; they end after some idle seconds. */
struct work *work_new(const char *name, unsigned int max_threads);
/* Queued jobs that no thread has begun are handed back unrun (their `done` sees nothing filled in).  Waits for the others
 * up to deadline_us; false when some still run: they, and what they will post to, must then be left in peace. */
bool work_free(struct work *w, int64_t deadline_us);
void work_add(struct work *w, struct work_job *job);

#endif
