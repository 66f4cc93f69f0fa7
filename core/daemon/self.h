/* self.h - the daemon's own counters, as numbers: what the sampler `self` makes a set of. */
#ifndef CORE_DAEMON_SELF_H
#define CORE_DAEMON_SELF_H

#include "core/set/schema.h"

struct daemon;

struct self_counts {
	/* of the process */
	uint64_t uptime_s, cpu_user_us, cpu_sys_us, ctxt_voluntary, ctxt_involuntary, rss_bytes, open_files;
	/* of memory for sets */
	uint64_t sets, set_bytes, set_bytes_mapped, set_bytes_max;
	/* of connections */
	uint64_t conns, conns_refused, bytes_in, bytes_out;
	/* of samplers */
	uint64_t samplers, samplers_degraded, samplers_overdue, samples, sample_errors, samples_missed, lateness_p50_us,
		lateness_p99_us, lateness_max_us, messages, message_errors, messages_lost;
	/* of producers, updaters and storage policies */
	uint64_t producers, producers_connected, connects, disconnects, updates, updates_failed, updates_skipped,
		updates_oversampled, updaters;
	uint64_t policies, policies_running, policies_troubled, rows, rows_refused, store_errors, snapshots_produced,
		snapshots_stored, snapshots_queued, snapshots_spooled, snapshots_dropped;
};

extern const struct self_row {
	struct metric_def def; /* all u64 */
	size_t off;            /* in struct self_counts */
} self_rows[];                 /* ended by a row without name */
size_t self_rows_n(void);

/* Of the process and of sets: any thread.  Of objects: on the main loop. */
void self_count_process(struct daemon *d, struct self_counts *ret);
void self_count_objects(struct daemon *d, struct self_counts *ret);

#endif
