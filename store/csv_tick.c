/* csv_tick.c - what the clock calls for: timed rolls, files of name_template that nothing is written to any more, and
 * old files.  One thread for each instance that needs it, made with its first file. */
#include <signal.h>
#include <time.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/thread.h"
#include "core/base/unit.h"
#include "store/csv_impl.h"

#define LOOK_S     60 /* between looks at idle and old files */
#define IDLE_LOOKS 10 /* without a row, until a file is closed */

/* The clock was set back: what was reckoned from its old time is reckoned anew, else the file would go on for as long. */
static void clock_check(struct csv_file *f, int64_t now)
{
	if (now >= f->opened_s)
		return;
	f->opened_s = now - 1;
	f->roll_at = roll_due(&f->conf->roll, now);
}

void csv_roll_now(struct csv_file *f)
{
	struct err err = { "" };
	int64_t now = wall_us() / 1000000;
	int rc;

	/* names tell seconds; two rolls within one would run ahead of the clock */
	clock_check(f, now);
	if (now <= f->opened_s)
		return;
	rc = csv_file_roll(f, &err);
	if (rc && !f->roll_failing)
		log_error("store", "file %s/%s: cannot roll over: %s; tried again later", f->dir, f->name, err.msg);
	f->roll_failing = rc;
	if (rc)
		f->roll_at = now + LOOK_S;
}

/* A timed roll; returns when to look again. */
static int64_t file_tick(struct csv_file *f, int64_t now)
{
	if (f->out.fd < 0 || f->roll_at == INT64_MAX)
		return INT64_MAX;
	clock_check(f, now);
	if (f->roll_at <= now) {
		if (f->rows_all || f->conf->roll.empty)
			csv_roll_now(f);
		else
			f->roll_at = roll_due(&f->conf->roll, now);
	}
	return f->out.fd < 0 ? INT64_MAX : f->roll_at > now ? f->roll_at : now + 1;
}

/* Close what has had no rows for a while: another day's file, or that of a job that has ended. */
static void idle_close(struct store_sink *sk)
{
	struct csv_file **link = &sk->files, *f;

	while ((f = *link)) {
		f->idle = f->rows_seen == f->rows_all ? f->idle + 1 : 0;
		f->rows_seen = f->rows_all;
		if (f->idle < IDLE_LOOKS || csv_file_flush(f, NULL)) {
			link = &f->next;
			continue;
		}
		*link = f->next;
		sk->n_files--;
		csv_file_close(f);
	}
}

/* Returns when to look again. */
static int64_t sink_tick(struct store_sink *sk, int64_t now, bool look)
{
	int64_t due = INT64_MAX;

	pthread_mutex_lock(&sk->lock);
	for (struct csv_file *f = sk->files; f; f = f->next) {
		int64_t at = file_tick(f, now);

		due = at < due ? at : due;
	}
	if (look && sk->name)
		idle_close(sk);
	pthread_mutex_unlock(&sk->lock);
	return due;
}

static bool needs_looks(const struct csv *csv)
{
	return csv->name_template || csv->keep.age_us || csv->keep.bytes;
}

/* Until then by the clock, which may be set meanwhile: it is looked at now and then. */
static void wait_for_clock(struct csv *csv, int64_t due)
{
	int64_t left_us = due == INT64_MAX ? INT64_MAX : due * SEC_US - wall_us(), until;
	struct timespec ts;

	if (due == INT64_MAX) {
		pthread_cond_wait(&csv->wake, &csv->lock);
	} else if (left_us > 0) {
		until = mono_us() + (left_us < LOOK_S * SEC_US ? left_us : LOOK_S * SEC_US);
		ts = (struct timespec){ .tv_sec = until / SEC_US, .tv_nsec = until % SEC_US * 1000 };
		pthread_cond_timedwait(&csv->wake, &csv->lock, &ts);
	}
}

static void *tick(void *arg)
{
	struct csv *csv = arg;
	int64_t look_at = 0;

	thread_enter("csv", NULL);
	pthread_mutex_lock(&csv->lock);
	while (!csv->stopping) {
		int64_t now = wall_us() / 1000000, due = INT64_MAX;
		bool look = needs_looks(csv) && now >= look_at;
		csv->woken = false;
		atomic_store(&csv->wake_s, INT64_MAX); /* what changes from now on is told, and seen when we wait */
		for (struct store_sink *sk = csv->sinks; sk; sk = sk->next) {
			int64_t at = sink_tick(sk, now, look);

			due = at < due ? at : due;
		}
		if (look) {
			csv_prune(csv);
			look_at = now + LOOK_S;
		}
		if (needs_looks(csv) && look_at < due)
			due = look_at;
		atomic_store(&csv->wake_s, due);
		if (!csv->stopping && !csv->woken)
			wait_for_clock(csv, due);
	}
	pthread_mutex_unlock(&csv->lock);
	thread_leave();
	return NULL;
}

void csv_prune(struct csv *csv)
{
	struct csv_list *list;

	pthread_mutex_lock(&csv->opening);
	list = csv->list;
	pthread_mutex_unlock(&csv->opening);
	csv_list_prune(list, &csv->keep, wall_us());
}

static bool needs_ticks(struct csv *csv)
{
	bool needs = needs_looks(csv) || csv->conf.roll.type;

	pthread_mutex_lock(&csv->opening);
	for (const struct csv_over *o = csv->overs; o; o = o->next)
		needs |= o->conf.roll.type != ROLL_NONE;
	pthread_mutex_unlock(&csv->opening);
	return needs;
}

void csv_tick_start(struct csv *csv)
{
	sigset_t all, was;
	int rc = 0;

	pthread_mutex_lock(&csv->lock);
	if (csv->ticking || !needs_ticks(csv))
		goto out;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &was); /* signals are the main loop's */
	rc = pthread_create(&csv->ticker, NULL, tick, csv);
	pthread_sigmask(SIG_SETMASK, &was, NULL);
	csv->ticking = !rc;
	if (rc)
		log_error("store",
			  "store %s: no thread for timed rolls and old files: %s; tried again with the next file",
			  store_name(csv->store), err_name(-rc));
out:
	pthread_mutex_unlock(&csv->lock);
}

void csv_tick_stop(struct csv *csv)
{
	if (!csv->ticking)
		return;
	pthread_mutex_lock(&csv->lock);
	csv->stopping = true;
	pthread_cond_signal(&csv->wake);
	pthread_mutex_unlock(&csv->lock);
	pthread_join(csv->ticker, NULL);
	csv->ticking = false;
}

void csv_tick_wake(struct csv *csv)
{
	pthread_mutex_lock(&csv->lock);
	csv->woken = true;
	pthread_cond_signal(&csv->wake);
	pthread_mutex_unlock(&csv->lock);
}
