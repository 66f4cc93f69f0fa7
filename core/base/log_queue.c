/* log_queue.c - lines on their way from those who say them to the one who writes.  See log_impl.h.
 *
 * Before log_begin(), and in tools, there is no other thread: a line is written by who says it.  Afterwards it is put
 * behind the others and the writer is woken; when it falls behind by QUEUE_MAX, because a disk or a reader hangs, lines
 * are lost and counted, and said to be when the next one can be written.  While nothing is said, the writer sleeps.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/clock.h"
#include "core/base/log_impl.h"
#include "core/base/thread.h"
#include "core/base/unit.h"
#include "core/base/xalloc.h"

#define QUEUE_MAX (256u << 10)    /* bytes of lines that wait: some thousands */
#define ROOM_ERRS (64u << 10)     /* of which these are for errors only */
#define KEEP_MAX  (8u << 10)      /* of which memory is kept while nothing is said */
#define SLICE_MS  100             /* the writer waits for a reader, but sees that it is to end, or to write elsewhere */
#define GRACE_US  (500 * MSEC_US) /* for the writer to see that it is to give up */

/* In the queue, in front of the text. */
struct item {
	struct timespec at;
	uint32_t len;
	uint16_t level;
	char subsys[LOG_NAME_MAX];
};

static struct {
	pthread_mutex_t lock;
	pthread_cond_t more, less;
	struct buf items;
	unsigned long lost; /* not said yet */
	int why;            /* the last one was: a negative errno */
	pthread_t writer;
	bool threaded, waits, busy, closing;
	atomic_bool give_up, hurry; /* hurry: somebody wants it to look elsewhere */
	bool reopen, note; /* note: there is a way again, and nothing more to write, but to say what was lost */
	struct log_sink *sink, *next; /* next: to be used from now on */
} q = { .lock = PTHREAD_MUTEX_INITIALIZER, .more = PTHREAD_COND_INITIALIZER, .less = PTHREAD_COND_INITIALIZER };

/* -- writing: by the writer, or under the lock while there is none --------------------------------------------------
 */

static int write_patiently(const struct log_entry *e, bool patient)
{
	int rc;

	do
		rc = log_sink_write(q.sink, e, patient && !q.give_up && !q.hurry ? SLICE_MS : 0);
	while (rc == -EAGAIN && patient && !q.give_up && !q.hurry);
	return rc;
}

static int say_lost(unsigned long lost, int why, bool patient)
{
	char text[160];
	struct log_entry e = { .level = LOG_WARNING_, .subsys = "ldmsd", .text = text };

	clock_gettime(CLOCK_REALTIME, &e.at);
	e.len = (size_t)snprintf(text, sizeof(text), "log: lost=%lu lines could not be written: %s", lost,
				 why == -EAGAIN ? "they were not taken fast enough" : err_name(why));
	return write_patiently(&e, patient);
}

/* What is lost is added to *lost and, when there is a way again, said. */
static int write_entry(const struct log_entry *e, unsigned long *lost, int *why, bool patient)
{
	int rc = *lost ? say_lost(*lost, *why, patient) : 0;

	if (!rc)
		*lost = 0;
	if (!rc)
		rc = write_patiently(e, patient);
	if (!rc)
		return 0;
	++*lost;
	*why = rc;
	return rc;
}

static void sink_adopt(void)
{
	if (q.next) {
		log_sink_free(q.sink);
		q.sink = q.next;
		q.next = NULL;
	}
	if (!q.sink)
		q.sink = log_sink_dflt();
}

static void sink_reopen(unsigned long *lost, int *why, bool patient)
{
	char text[256];
	struct log_entry e = { .level = LOG_ERROR_, .subsys = "ldmsd", .text = text };
	int rc = log_sink_reopen(q.sink);

	if (!rc)
		return;
	clock_gettime(CLOCK_REALTIME, &e.at);
	e.len = (size_t)snprintf(text, sizeof(text), "log file %.160s: not opened again: %s; the old one goes on",
				 log_sink_path(q.sink), err_name(rc));
	write_entry(&e, lost, why, patient);
}

/* -- the queue ------------------------------------------------------------------------------------------------------
 */

static void put(const struct log_entry *e)
{
	struct item it = { .at = e->at, .len = (uint32_t)e->len, .level = (uint16_t)e->level };

	if (!q.threaded) {
		if (q.give_up)
			return; /* the writer was left behind with what it writes to */
		sink_adopt();
		write_entry(e, &q.lost, &q.why, false);
		return;
	}
	if (q.items.len + sizeof(it) + e->len > QUEUE_MAX - (e->level < LOG_ERROR_ ? ROOM_ERRS : 0)) {
		q.lost++;
		q.why = -EAGAIN;
		return;
	}
	snprintf(it.subsys, sizeof(it.subsys), "%s", e->subsys);
	buf_add(&q.items, &it, sizeof(it));
	buf_add(&q.items, e->text, e->len);
}

void log_queue_put(const struct log_entry *e)
{
	bool held;

	pthread_mutex_lock(&q.lock);
	held = log_fold(e, mono_us(), put);
	if (!held)
		put(e);
	/* also for one that is held: it may be the first, and wants to be said after a while */
	if (q.waits && (!held || log_fold_due_us() != INT64_MAX)) {
		q.waits = false;
		pthread_cond_signal(&q.more);
	}
	pthread_mutex_unlock(&q.lock);
}

/* What is left in it afterwards is for another place: somebody does not read, and somebody else does not wait for that.
 */
static void batch_write(struct buf *b, unsigned long *lost, int *why)
{
	struct item it;
	size_t at = 0;

	while (at < b->len) {
		struct log_entry e;
		int rc;

		memcpy(&it, b->p + at, sizeof(it));
		e = (struct log_entry){ .at = it.at,
					.level = (enum log_level)it.level,
					.subsys = it.subsys,
					.text = (const char *)b->p + at + sizeof(it),
					.len = it.len };
		rc = write_entry(&e, lost, why, true);
		if (rc == -EAGAIN && q.hurry && !q.give_up) {
			--*lost;
			break;
		}
		at += sizeof(it) + it.len;
	}
	buf_consume(b, at);
}

/* Under the lock: until there is something to do. */
static void wait_for_work(void)
{
	while (!q.items.len && !q.closing && !q.next && !q.reopen && !q.note) {
		int64_t due = log_fold_due_us();
		struct timespec until = { .tv_sec = due / SEC_US, .tv_nsec = due % SEC_US * 1000 };

		if (due <= mono_us()) {
			log_fold_flush(mono_us(), false, put);
			continue;
		}
		q.waits = true;
		if (due == INT64_MAX)
			pthread_cond_wait(&q.more, &q.lock);
		else
			pthread_cond_clockwait(&q.more, &q.lock, CLOCK_MONOTONIC, &until);
		q.waits = false;
	}
}

static void *writer(void *arg)
{
	(void)arg;
	pthread_setname_np(pthread_self(), "ldms-log");
	thread_enter("ldms-log", NULL);
	pthread_mutex_lock(&q.lock);
	for (;;) {
		struct buf batch;
		unsigned long lost;
		bool reopen;
		int why;

		wait_for_work();
		if (!q.items.len && !q.next && !q.reopen && !q.note)
			break; /* it closes, and all is written */
		batch = q.items;
		q.items = (struct buf){ 0 };
		lost = q.lost;
		q.lost = 0;
		why = q.why;
		reopen = q.reopen;
		q.reopen = q.note = false;
		q.hurry = false;
		sink_adopt();
		q.busy = true;
		pthread_mutex_unlock(&q.lock);

		if (reopen)
			sink_reopen(&lost, &why, true);
		batch_write(&batch, &lost, &why);
		if (lost && !say_lost(lost, why, true))
			lost = 0;

		pthread_mutex_lock(&q.lock);
		q.busy = false;
		q.note = !lost && q.lost;
		q.lost += lost;
		if (lost)
			q.why = why;
		if (batch.len) {
			buf_add(&batch, q.items.p, q.items.len);
			buf_fini(&q.items);
			q.items = batch;
			continue;
		}
		if (!q.items.p && batch.cap <= KEEP_MAX)
			q.items = batch;
		else
			buf_fini(&batch);
	}
	thread_leave();
	q.threaded = false;
	pthread_cond_signal(&q.less);
	pthread_mutex_unlock(&q.lock);
	return NULL;
}

/* -- from outside ---------------------------------------------------------------------------------------------------
 */

static void wake(void)
{
	q.waits = false;
	q.hurry = q.threaded;
	pthread_cond_signal(&q.more);
}

void log_queue_sink(struct log_sink *s)
{
	pthread_mutex_lock(&q.lock);
	log_sink_free(q.next);
	q.next = s;
	if (!q.threaded && !q.give_up)
		sink_adopt();
	wake();
	pthread_mutex_unlock(&q.lock);
}

char *log_queue_path(void)
{
	const struct log_sink *s;
	char *path;

	pthread_mutex_lock(&q.lock);
	s = q.next ? q.next : q.sink;
	path = s && log_sink_path(s) ? xstrdup(log_sink_path(s)) : NULL;
	pthread_mutex_unlock(&q.lock);
	return path;
}

void log_reopen(void)
{
	pthread_mutex_lock(&q.lock);
	if (q.threaded) {
		q.reopen = true;
		wake();
	} else if (!q.give_up) {
		sink_adopt();
		sink_reopen(&q.lost, &q.why, false);
	}
	pthread_mutex_unlock(&q.lock);
}

/* Under the lock: the writer has ended? */
static bool ended_by(int64_t end_us)
{
	struct timespec until = { .tv_sec = end_us / SEC_US, .tv_nsec = end_us % SEC_US * 1000 };
	int rc = 0;

	while (q.threaded && rc != ETIMEDOUT)
		rc = pthread_cond_clockwait(&q.less, &q.lock, CLOCK_MONOTONIC, &until);
	return !q.threaded;
}

/* With the lock, which it gives back. */
static void end(int64_t deadline_us)
{
	bool was = q.threaded, ended;

	log_fold_flush(mono_us(), true, put);
	q.closing = true;
	q.waits = false;
	pthread_cond_signal(&q.more);
	ended = ended_by(mono_us() + deadline_us);
	if (!ended) {
		q.give_up = true; /* of what waits, it loses what is not taken at once */
		ended = ended_by(mono_us() + GRACE_US);
	}
	if (ended)
		q.give_up = false;
	q.threaded = false;
	pthread_mutex_unlock(&q.lock);
	if (was && ended)
		pthread_join(q.writer, NULL);
}

void log_end(int64_t deadline_us)
{
	pthread_mutex_lock(&q.lock);
	end(deadline_us);
}

/* Memory may have ended under the lock: then nobody gives it back. */
static void at_exit(void)
{
	int64_t until_us = wall_us() + GRACE_US;
	struct timespec until = { .tv_sec = until_us / SEC_US, .tv_nsec = until_us % SEC_US * 1000 };

	if (!pthread_mutex_timedlock(&q.lock, &until))
		end(GRACE_US);
}

int log_begin(struct err *err)
{
	static bool once;
	sigset_t all, old;
	int rc = 0;

	pthread_mutex_lock(&q.lock);
	if (!q.threaded && !q.give_up) {
		sink_adopt();
		q.closing = false;
		sigfillset(&all); /* signals are for the others */
		pthread_sigmask(SIG_SETMASK, &all, &old);
		rc = -pthread_create(&q.writer, NULL, writer, NULL);
		pthread_sigmask(SIG_SETMASK, &old, NULL);
		q.threaded = !rc;
	}
	if (!rc && !once)
		once = !atexit(at_exit); /* also where memory ends, and the process with it */
	pthread_mutex_unlock(&q.lock);
	return rc ? err_set(err, rc, "log: no thread: %s; raise `ulimit -u`", err_name(rc)) : 0;
}
