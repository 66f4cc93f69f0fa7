/* lustre_ost.c - the object storage targets of a Lustre server, and what they did for each job */
#include <assert.h>

#include "plugins/lustre_target.h"

#define SOURCE "/proc/fs/lustre/obdfilter"
#define NEWER  "/sys/kernel/debug/lustre/obdfilter"

static const struct metric_def metrics[] = {
	{ "component_id", V_U64, "", METRIC_INFO, "number of the node", 1 },
	{ "fs_name", V_CHAR_ARRAY, "", METRIC_INFO, "file system", LUSTRE_NAME },
	{ "ost", V_CHAR_ARRAY, "", METRIC_INFO, "target", LUSTRE_NAME },
	LUSTRE_COUNTER("read_bytes.sum", "bytes read"),
	LUSTRE_COUNTER("write_bytes.sum", "bytes written"),
	LUSTRE_CALLS("setattr"),
	LUSTRE_CALLS("punch"),
	LUSTRE_CALLS("sync"),
	LUSTRE_CALLS("destroy"),
	LUSTRE_CALLS("create"),
	LUSTRE_CALLS("statfs"),
	LUSTRE_CALLS("get_info"),
	LUSTRE_CALLS("set_info"),
	LUSTRE_CALLS("quotactl"),
	LUSTRE_CALLS("connect"),
	LUSTRE_CALLS("reconnect"),
	LUSTRE_CALLS("disconnect"),
	LUSTRE_CALLS("preprw"),
	LUSTRE_CALLS("commitrw"),
	LUSTRE_CALLS("ping"),
	LUSTRE_SPACE,
	{ NULL, V_NONE, NULL, METRIC_GAUGE, NULL, 0 },
};
enum { COUNTERS = 17, NAMES = 3, SPACE = 5 };
static_assert(sizeof(metrics) / sizeof(*metrics) == NAMES + COUNTERS + SPACE + 1, "counters are counted");

static const struct metric_def job_metrics[] = {
	{ "fs_name", V_CHAR_ARRAY, "", METRIC_INFO, "file system", LUSTRE_NAME },
	{ "ost", V_CHAR_ARRAY, "", METRIC_INFO, "target", LUSTRE_NAME },
	{ "job_id", V_CHAR_ARRAY, "", METRIC_INFO, "job, as Lustre calls it", LUSTRE_NAME },
	{ "snapshot_time", V_U64, "", METRIC_GAUGE, "when it did something last", 1 },
	LUSTRE_COUNTER("read_bytes_sum", "bytes read"),
	LUSTRE_COUNTER("write_bytes_sum", "bytes written"),
	LUSTRE_CALLS("getattr"),
	LUSTRE_CALLS("setattr"),
	LUSTRE_CALLS("punch"),
	LUSTRE_CALLS("sync"),
	LUSTRE_CALLS("destroy"),
	LUSTRE_CALLS("create"),
	LUSTRE_CALLS("statfs"),
	LUSTRE_CALLS("get_info"),
	LUSTRE_CALLS("set_info"),
	LUSTRE_CALLS("quotactl"),
	{ NULL, V_NONE, NULL, METRIC_GAUGE, NULL, 0 },
};

static const struct lustre_target_type type = {
	.schema = "lustre_ost",
	.stats = "stats",
	.metrics = metrics,
	.counters = COUNTERS,
	.jobs = { "lustre_ost_job_stats", job_metrics },
	.folder = {
		.places = (const char *const[]){ SOURCE, NEWER, NULL },
		.hint = "does this server have an OST that is mounted?",
		.make = lustre_target_make,
		.end = lustre_target_end,
	},
};

static int lustre_ost_open(struct samp *sp, struct err *err)
{
	return lustre_targets_open(sp, &type, err);
}

static int lustre_ost_probe(const char *root, struct err *err)
{
	return folder_probe(&type.folder, root, err);
}

const struct samp_type samp_lustre_ost = {
	.name = "lustre_ost",
	.brief = "OSTs of a Lustre server, and their jobs, a set each",
	.source = SOURCE,
	.metrics = metrics,
	.state_size = sizeof(struct lustre_targets),
	.probe = lustre_ost_probe,
	.open = lustre_ost_open,
	.sample = lustre_targets_sample,
	.close = lustre_targets_close,
};
