/* slurm_event.h - what Slurm's notifiers publish when jobs, their steps and tasks begin and end: JSON objects
 *
 *	{"schema":..., "event":"init", "timestamp":SECONDS, "context":..., "data":{"job_id":1001, ...}}
 */
#ifndef PLUGINS_SLURM_EVENT_H
#define PLUGINS_SLURM_EVENT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/base/err.h"
#include "plugins/samp.h"

#define SLURM_STREAM_DFLT "slurm"

enum slurm_kind { SLURM_OTHER, SLURM_INIT, SLURM_STEP_INIT, SLURM_TASK_INIT, SLURM_TASK_EXIT, SLURM_EXIT };
enum slurm_state { SLURM_FREE, SLURM_STARTING, SLURM_RUNNING, SLURM_STOPPING, SLURM_COMPLETE };

struct slurm_event {
	enum slurm_kind kind;
	const char *name; /* "init" */
	uint64_t timestamp_s, job_id;
	const json_t *data;
	json_t *root;
};

/* Read a message; `timed`: it must tell its time.  SLURM_OTHER for what is of no concern: another event, or no JSON by its publisher's word.  -EINVAL with
 * words for what lacks a part.  slurm_event_fini() ends it, also after a failure. */
int slurm_event_read(struct slurm_event *ev, const struct samp_msg *m, bool timed, struct err *err);
void slurm_event_fini(struct slurm_event *ev);

/* Members of data: a number (also one in quotes), `dflt` when there is none; a text, or NULL. */
uint64_t slurm_event_u64(const struct slurm_event *ev, const char *name, uint64_t dflt);
bool slurm_event_has(const struct slurm_event *ev, const char *name);
const char *slurm_event_text(const struct slurm_event *ev, const char *name);
/* subscriber_data.job_tag */
const char *slurm_event_job_tag(const struct slurm_event *ev);

/* Subscribe to the stream and to the channel of that name: notifiers of all ages. */
int slurm_event_subscribe(struct samp *sp, int (*fn)(struct samp *sp, const struct samp_msg *m, struct err *err),
			  struct err *err);
/* The words for an event of a job that nobody has announced. */
int slurm_event_stray(const struct slurm_event *ev, struct err *err);

#endif
