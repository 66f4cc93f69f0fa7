/* lustre_target.h - the targets of a server of Lustre, OSTs and MDTs: a set for each, PRODUCER/TARGET, one for each job
 * that it served, PRODUCER/TARGET/JOB, and how full it is */
#ifndef PLUGINS_LUSTRE_TARGET_H
#define PLUGINS_LUSTRE_TARGET_H

#include "plugins/folder.h"
#include "plugins/lustre_jobs.h"

#define LUSTRE_COUNTER(name, help)                                                                                     \
	{                                                                                                              \
		name, V_U64, "", METRIC_COUNTER, help, 1                                                               \
	}
#define LUSTRE_CALLS(name) LUSTRE_COUNTER(name, "requests")

/* The last ones of every target, from its folder below osd-ldiskfs or osd-zfs. */
#define LUSTRE_SPACE                                                                                                   \
	{ "filesfree", V_U64, "", METRIC_GAUGE, "inodes that are free", 1 },                                           \
		{ "filestotal", V_U64, "", METRIC_GAUGE, "inodes", 1 },                                                \
		{ "kbytesavail", V_U64, "", METRIC_GAUGE, "kilobytes that users may have", 1 },                        \
		{ "kbytesfree", V_U64, "", METRIC_GAUGE, "kilobytes that are free", 1 },                               \
	{                                                                                                              \
		"kbytestotal", V_U64, "", METRIC_GAUGE, "kilobytes", 1                                                 \
	}

struct lustre_target_type {
	const char *schema;
	const char *stats;                /* its file */
	const struct metric_def *metrics; /* component_id, fs_name, the target's, counters, LUSTRE_SPACE */
	size_t counters;
	struct lustre_job_type jobs;
	struct folder_type folder; /* .make and .end: these */
};

int lustre_target_make(struct samp *sp, void *owner, const char *path, const char *name, void **ret, struct err *err);
void lustre_target_end(struct samp *sp, void *item);

struct lustre_targets { /* the state of such a sampler */
	const struct lustre_target_type *type;
	struct folder folder;
	struct lustre_keys keys;
};

int lustre_targets_open(struct samp *sp, const struct lustre_target_type *type, struct err *err);
int lustre_targets_sample(struct samp *sp, struct err *err);
void lustre_targets_close(struct samp *sp);

#endif
