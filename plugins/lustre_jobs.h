/* lustre_jobs.h - what a server of Lustre did for each job, from its file job_stats: a set for each, that comes and
 * goes with the job
 *
 *	job_stats:
 *	- job_id:          sleep.1000
 *	  snapshot_time:   1690000000
 *	  read_bytes:      { samples:           3, unit: bytes, min:    4096, max:    4096, sum:          123456 }
 *	  getattr:         { samples:           3, unit:  reqs }
 *
 * Newer servers put job_id in quotes, and a fraction behind snapshot_time.
 */
#ifndef PLUGINS_LUSTRE_JOBS_H
#define PLUGINS_LUSTRE_JOBS_H

#include "plugins/lustre.h"
#include "plugins/names.h"

enum { LUSTRE_JOB_NAMES = 3 }; /* fs_name, the target's, job_id; then snapshot_time and the counters */

struct lustre_job_type {
	const char *schema;
	const struct metric_def *metrics; /* "read_bytes_sum" is the sum of read_bytes; ended by a row without name */
};

struct lustre_jobs {
	const struct lustre_job_type *type;
	const char *target; /* borrowed */
	struct proc_file file;
	struct lustre_job_key *keys; /* of the counters */
	size_t n_keys;
	struct names names;
	struct lustre_job **jobs; /* of the names */
};

void lustre_jobs_init(struct lustre_jobs *js, const struct lustre_job_type *type, const char *path, const char *target);
int lustre_jobs_sample(struct lustre_jobs *js, struct samp *sp, struct err *err);
void lustre_jobs_close(struct lustre_jobs *js, struct samp *sp);

#endif
