/* self.c - see self.h */
#include "core/daemon/self.h"

#include <dirent.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/unit.h"
#include "core/daemon/daemon.h"
#include "core/daemon/prdcr.h"
#include "xprt/stats.h"

#define ROW(name, kind, help)                                                                                          \
	{                                                                                                              \
		{ #name, V_U64, "", METRIC_##kind, help, 1 }, offsetof(struct self_counts, name)                       \
	}

const struct self_row self_rows[] = {
	ROW(uptime_s, GAUGE, "seconds since the daemon began"),
	ROW(cpu_user_us, COUNTER, "processor time of the daemon itself, microseconds"),
	ROW(cpu_sys_us, COUNTER, "processor time of the kernel for it, microseconds"),
	ROW(ctxt_voluntary, COUNTER, "wake-ups: how often it waited for something"),
	ROW(ctxt_involuntary, COUNTER, "how often another process took its processor"),
	ROW(rss_bytes, GAUGE, "memory that it has"),
	ROW(open_files, GAUGE, "its open files and connections"),
	ROW(sets, GAUGE, "sets that it has, mirrors and its own"),
	ROW(set_bytes, GAUGE, "memory of these"),
	ROW(set_bytes_mapped, GAUGE, "memory that was taken from the system for sets"),
	ROW(set_bytes_max, GAUGE, "ceiling of that (--mem); 0: none"),
	ROW(conns, GAUGE, "connections of peers, and to them"),
	ROW(conns_refused, COUNTER, "what peers were refused"),
	ROW(bytes_in, COUNTER, "bytes that peers have sent"),
	ROW(bytes_out, COUNTER, "bytes that were sent to them"),
	ROW(samplers, GAUGE, "instances of samplers"),
	ROW(samplers_degraded, GAUGE, "of these, whose source fails"),
	ROW(samplers_overdue, GAUGE, "of these, whose source does not answer"),
	ROW(samples, COUNTER, "samples so far"),
	ROW(sample_errors, COUNTER, "samples that failed"),
	ROW(samples_missed, COUNTER, "slots of the clock that passed without a sample"),
	ROW(lateness_p50_us, GAUGE, "how late samples begin: half of them at most so much, microseconds"),
	ROW(lateness_p99_us, GAUGE, "of 100 samples 99 at most so much"),
	ROW(lateness_max_us, GAUGE, "the latest of all"),
	ROW(messages, COUNTER, "messages that samplers took"),
	ROW(message_errors, COUNTER, "of these, which made no sense"),
	ROW(messages_lost, COUNTER, "messages that samplers had no room for"),
	ROW(producers, GAUGE, "producers"),
	ROW(producers_connected, GAUGE, "of these, connected"),
	ROW(connects, COUNTER, "connections that were made to producers"),
	ROW(disconnects, COUNTER, "of these, that ended"),
	ROW(updates, COUNTER, "updates of sets"),
	ROW(updates_failed, COUNTER, "updates that failed"),
	ROW(updates_skipped, COUNTER, "updates that were left out, because the one before was not done"),
	ROW(updates_oversampled, COUNTER, "updates that brought nothing new"),
	ROW(updaters, GAUGE, "updaters"),
	ROW(policies, GAUGE, "storage policies"),
	ROW(policies_running, GAUGE, "of these, running"),
	ROW(policies_troubled, GAUGE, "of these, which cannot store all that they should"),
	ROW(rows, COUNTER, "rows that stores took"),
	ROW(rows_refused, COUNTER, "rows that engines of stores refused afterwards: they are lost"),
	ROW(store_errors, COUNTER, "how often a store failed, or sets could not become rows"),
	ROW(snapshots_produced, COUNTER, "samples that policies were given"),
	ROW(snapshots_stored, COUNTER, "of these, stored"),
	ROW(snapshots_queued, GAUGE, "of these, waiting"),
	ROW(snapshots_spooled, GAUGE, "of these, waiting on disk"),
	ROW(snapshots_dropped, COUNTER, "of these, lost"),
	{ { NULL, V_NONE, NULL, METRIC_GAUGE, NULL, 0 }, 0 },
};

size_t self_rows_n(void)
{
	return sizeof(self_rows) / sizeof(*self_rows) - 1;
}

/* -- the process --------------------------------------------------------------------------------------------------- */

static uint64_t timeval_us(struct timeval tv)
{
	return (uint64_t)tv.tv_sec * SEC_US + (uint64_t)tv.tv_usec;
}

static uint64_t rss_bytes(void)
{
	FILE *f = fopen("/proc/self/statm", "re");
	unsigned long pages = 0;

	if (!f)
		return 0;
	if (fscanf(f, "%*u %lu", &pages) != 1)
		pages = 0;
	fclose(f);
	return (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static uint64_t open_files(void)
{
	DIR *dir = opendir("/proc/self/fd");
	uint64_t n = 0;

	if (!dir)
		return 0;
	for (struct dirent *e; (e = readdir(dir));)
		n += *e->d_name != '.';
	closedir(dir);
	return n - 1; /* without the one that looks */
}

void self_count_process(struct daemon *d, struct self_counts *ret)
{
	struct rusage ru;

	getrusage(RUSAGE_SELF, &ru);
	ret->cpu_user_us = timeval_us(ru.ru_utime);
	ret->cpu_sys_us = timeval_us(ru.ru_stime);
	ret->ctxt_voluntary = (uint64_t)ru.ru_nvcsw;
	ret->ctxt_involuntary = (uint64_t)ru.ru_nivcsw;
	ret->rss_bytes = rss_bytes();
	ret->open_files = open_files();
	ret->sets = setdb_count(d->sets);
	ret->set_bytes = pool_used(d->pool);
	ret->set_bytes_mapped = pool_mapped(d->pool);
	ret->set_bytes_max = pool_ceiling(d->pool);
	ret->uptime_s = (uint64_t)(mono_us() - d->began_us) / SEC_US;
}

/* -- objects ------------------------------------------------------------------------------------------------------- */

static void count_conns(struct daemon *d, struct self_counts *c)
{
	c->conns = atomic_load(&d->xprt.stats.live);
	c->bytes_in = atomic_load(&d->xprt.stats.bytes_in);
	c->bytes_out = atomic_load(&d->xprt.stats.bytes_out);
	for (int why = 0; why < REFUSALS; why++)
		c->conns_refused += atomic_load(&d->xprt.stats.refusals.n[why]);
}

static void count_samplers(struct daemon *d, struct self_counts *c)
{
	struct samp_lateness late = { 0 };

	NODE_EACH(n, d->samps) {
		struct samp_status st;

		samp_status(((struct samp_node *)n)->samp, &st);
		c->samplers++;
		c->samplers_degraded += st.degraded;
		c->samplers_overdue += st.overdue;
		c->samples += st.samples;
		c->sample_errors += st.errors;
		c->samples_missed += st.missed;
		c->messages += st.msgs;
		c->message_errors += st.msg_errors;
		c->messages_lost += st.msg_lost;
	}
	if (d->samp.sched)
		samp_sched_lateness(d->samp.sched, &late);
	c->lateness_p50_us = late.p50_us;
	c->lateness_p99_us = late.p99_us;
	c->lateness_max_us = late.max_us;
}

static void count_producers(struct daemon *d, struct self_counts *c)
{
	struct daemon_turn turn = { 0 };

	NODE_EACH(n, d->prdcrs) {
		struct prdcr *p = (struct prdcr *)n;
		struct prdcr_stats st;

		daemon_step(d, &turn);
		prdcr_stats(p, &st);
		c->producers++;
		c->producers_connected += prdcr_state(p) == PRDCR_CONNECTED;
		c->connects += st.connects;
		c->disconnects += st.disconnects;
		c->updates += st.updates;
		c->updates_failed += st.failed;
		c->updates_skipped += st.skipped;
		c->updates_oversampled += st.oversampled;
	}
	daemon_steps_end(d, &turn);
	NODE_EACH(n, d->updtrs)
		c->updaters++;
}

static void count_policies(struct daemon *d, struct self_counts *c)
{
	NODE_EACH(n, d->strgps) {
		struct strgp_status st;

		strgp_status(((struct strgp_node *)n)->strgp, &st);
		c->policies++;
		c->policies_running += st.running;
		c->policies_troubled += st.why[0] != '\0';
		c->rows += st.rows;
		c->rows_refused += st.refused;
		c->store_errors += st.errors;
		c->snapshots_produced += st.produced;
		c->snapshots_stored += st.stored;
		c->snapshots_queued += st.queued;
		c->snapshots_spooled += st.spooled;
		c->snapshots_dropped += st.dropped;
	}
}

void self_count_objects(struct daemon *d, struct self_counts *ret)
{
	*ret = (struct self_counts){ 0 };
	count_conns(d, ret);
	count_samplers(d, ret);
	count_producers(d, ret);
	count_policies(d, ret);
}
