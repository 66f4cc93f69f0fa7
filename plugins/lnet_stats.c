/* lnet_stats.c - what Lustre's network has sent and received: the one line of LNet's statistics */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "plugins/proc.h"
#include "plugins/samp.h"

#define SOURCE "/sys/kernel/debug/lnet/stats"
#define OLDER  "/proc/sys/lnet/stats"

static const struct metric_def metrics[] = {
	{ "msgs_alloc", V_U64, "", METRIC_GAUGE, "messages in use", 1 },
	{ "msgs_max", V_U64, "", METRIC_GAUGE, "the most that were", 1 },
	{ "errors", V_U64, "", METRIC_COUNTER, "errors", 1 },
	{ "send_count", V_U64, "", METRIC_COUNTER, "messages sent", 1 },
	{ "recv_count", V_U64, "", METRIC_COUNTER, "messages received", 1 },
	{ "route_count", V_U64, "", METRIC_COUNTER, "messages routed", 1 },
	{ "drop_count", V_U64, "", METRIC_COUNTER, "messages dropped", 1 },
	{ "send_length", V_U64, "", METRIC_COUNTER, "bytes sent", 1 },
	{ "recv_length", V_U64, "", METRIC_COUNTER, "bytes received", 1 },
	{ "route_length", V_U64, "", METRIC_COUNTER, "bytes routed", 1 },
	{ "drop_length", V_U64, "", METRIC_COUNTER, "bytes dropped", 1 },
	{ NULL, V_NONE, NULL, METRIC_GAUGE, NULL, 0 },
};
enum { VALUES = sizeof(metrics) / sizeof(*metrics) - 1 };

static const struct samp_attr attrs[] = {
	{ "file", SOURCE " or " OLDER, "the file" },
	{ NULL, NULL, NULL },
};

struct lnet_stats {
	struct proc_file file;
	struct set *set;
	uint64_t *slots;
};

static const char *default_file(const char *root)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s%s", root, SOURCE);
	if (!access(path, F_OK))
		return SOURCE;
	snprintf(path, sizeof(path), "%s%s", root, OLDER);
	return access(path, F_OK) ? SOURCE : OLDER;
}

static int lnet_stats_open(struct samp *sp, struct err *err)
{
	struct lnet_stats *ln = samp_state(sp);
	const char *file = samp_attr(sp, "file");
	int first, rc = proc_open(&ln->file, samp_root(sp), file ? file : default_file(samp_root(sp)), NULL);

	if (rc)
		return err_set(err, rc,
			       "%s: cannot be opened: %s; is LNet up, and may this daemon read there (debugfs "
			       "is root's)?",
			       ln->file.path, err_name(rc));
	first = samp_set_make(sp, samp_schema_new(sp, "lnet_stats", err), metrics, VALUES, NULL, &ln->set, err);
	if (first < 0)
		return first;
	ln->slots = set_slot(ln->set, first);
	return 0;
}

static int lnet_stats_sample(struct samp *sp, struct err *err)
{
	struct lnet_stats *ln = samp_state(sp);
	int n, rc = proc_read(&ln->file, err);
	const char *p = ln->file.buf;
	uint64_t v;

	if (rc)
		return rc;
	samp_begin(sp, ln->set);
	for (n = 0; n < VALUES && proc_number(&p, &v); n++)
		ln->slots[n] = htole64(v);
	if (n < VALUES) {
		samp_cancel(sp, ln->set);
		return err_set(err, -EPROTO, "%s: has %d numbers, not %d; is it LNet's file?", ln->file.path, n,
			       VALUES);
	}
	samp_end(sp, ln->set);
	return 0;
}

static void lnet_stats_close(struct samp *sp)
{
	struct lnet_stats *ln = samp_state(sp);

	proc_close(&ln->file);
}

static int lnet_stats_probe(const char *root, struct err *err)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s%s", root, default_file(root));
	return access(path, R_OK) ? err_set(err, -errno, "%s: %s", path, err_name(errno)) : 0;
}

const struct samp_type samp_lnet_stats = {
	.name = "lnet_stats",
	.brief = "messages of Lustre's network",
	.source = SOURCE ", " OLDER,
	.attrs = attrs,
	.metrics = metrics,
	.state_size = sizeof(struct lnet_stats),
	.caps = "dac_read_search", /* debugfs is root's */
	.reads = "file",
	.probe = lnet_stats_probe,
	.open = lnet_stats_open,
	.sample = lnet_stats_sample,
	.close = lnet_stats_close,
};
