/* lustre_mdt.c - the metadata targets of a Lustre server, and what they did for each job */
#include <assert.h>

#include "plugins/lustre_target.h"

#define SOURCE "/proc/fs/lustre/mdt"
#define NEWER  "/sys/kernel/debug/lustre/mdt"

static const struct metric_def metrics[] = {
	{ "component_id", V_U64, "", METRIC_INFO, "number of the node", 1 },
	{ "fs_name", V_CHAR_ARRAY, "", METRIC_INFO, "file system", LUSTRE_NAME },
	{ "mdt", V_CHAR_ARRAY, "", METRIC_INFO, "target", LUSTRE_NAME },
	LUSTRE_CALLS("open"),
	LUSTRE_CALLS("close"),
	LUSTRE_COUNTER("close.sum", "time that they took, in microseconds"),
	LUSTRE_CALLS("mknod"),
	LUSTRE_COUNTER("mknod.sum", "time that they took, in microseconds"),
	LUSTRE_CALLS("link"),
	LUSTRE_CALLS("unlink"),
	LUSTRE_CALLS("mkdir"),
	LUSTRE_CALLS("rmdir"),
	LUSTRE_CALLS("rename"),
	LUSTRE_CALLS("getattr"),
	LUSTRE_CALLS("setattr"),
	LUSTRE_CALLS("getxattr"),
	LUSTRE_CALLS("setxattr"),
	LUSTRE_CALLS("statfs"),
	LUSTRE_CALLS("sync"),
	LUSTRE_COUNTER("samedir_rename", "renames within a folder"),
	LUSTRE_COUNTER("crossdir_rename", "renames to another folder"),
	LUSTRE_SPACE,
	{ NULL, V_NONE, NULL, METRIC_GAUGE, NULL, 0 },
};
enum { COUNTERS = 18, NAMES = 3, SPACE = 5 };
static_assert(sizeof(metrics) / sizeof(*metrics) == NAMES + COUNTERS + SPACE + 1, "counters are counted");

static const struct metric_def job_metrics[] = {
	{ "fs_name", V_CHAR_ARRAY, "", METRIC_INFO, "file system", LUSTRE_NAME },
	{ "mdt", V_CHAR_ARRAY, "", METRIC_INFO, "target", LUSTRE_NAME },
	{ "job_id", V_CHAR_ARRAY, "", METRIC_INFO, "job, as Lustre calls it", LUSTRE_NAME },
	{ "snapshot_time", V_U64, "", METRIC_GAUGE, "when it did something last", 1 },
	LUSTRE_CALLS("open"),
	LUSTRE_CALLS("close"),
	LUSTRE_CALLS("mknod"),
	LUSTRE_CALLS("link"),
	LUSTRE_CALLS("unlink"),
	LUSTRE_CALLS("mkdir"),
	LUSTRE_CALLS("rmdir"),
	LUSTRE_CALLS("rename"),
	LUSTRE_CALLS("getattr"),
	LUSTRE_CALLS("setattr"),
	LUSTRE_CALLS("getxattr"),
	LUSTRE_CALLS("setxattr"),
	LUSTRE_CALLS("statfs"),
	LUSTRE_CALLS("sync"),
	LUSTRE_COUNTER("samedir_rename", "renames within a folder"),
	LUSTRE_COUNTER("crossdir_rename", "renames to another folder"),
	LUSTRE_COUNTER("read_bytes_sum", "bytes read"),
	LUSTRE_COUNTER("write_bytes_sum", "bytes written"),
	LUSTRE_CALLS("punch"),
	{ NULL, V_NONE, NULL, METRIC_GAUGE, NULL, 0 },
};

static const struct lustre_target_type type = {
	.schema = "lustre_mdt",
	.stats = "md_stats",
	.metrics = metrics,
	.counters = COUNTERS,
	.jobs = { "lustre_mdt_job_stats", job_metrics },
	.folder = {
		.places = (const char *const[]){ SOURCE, NEWER, NULL },
		.hint = "does this server have an MDT that is mounted?",
		.make = lustre_target_make,
		.end = lustre_target_end,
	},
};

static int lustre_mdt_open(struct samp *sp, struct err *err)
{
	return lustre_targets_open(sp, &type, err);
}

static int lustre_mdt_probe(const char *root, struct err *err)
{
	return folder_probe(&type.folder, root, err);
}

const struct samp_type samp_lustre_mdt = {
	.name = "lustre_mdt",
	.brief = "MDTs of a Lustre server, and their jobs, a set each",
	.source = SOURCE,
	.metrics = metrics,
	.state_size = sizeof(struct lustre_targets),
	.probe = lustre_mdt_probe,
	.open = lustre_mdt_open,
	.sample = lustre_targets_sample,
	.close = lustre_targets_close,
};
