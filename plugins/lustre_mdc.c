/* lustre_mdc.c - what a client asked the metadata servers of Lustre for, and how long they took: a set for each server,
 * PRODUCER/SERVER
 *
 * The kernel's sums may overflow; a negative number is the sign of it, and then all counters of that server are
 * cleared, unless auto_reset=0.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/unit.h"
#include "core/base/xalloc.h"
#include "plugins/attr.h"
#include "plugins/folder.h"
#include "plugins/lustre.h"

#define SOURCE "/proc/fs/lustre/mdc"
#define TIMING "/sys/kernel/debug/lustre/mdc"

#define CALLS(name)                                                                                                    \
	{                                                                                                              \
		name, V_S64, "", METRIC_COUNTER, "requests", 1                                                         \
	}
#define TIMES(name)                                                                                                    \
	{ name "__count", V_S64, "", METRIC_COUNTER, "events", 1 },                                                    \
		{ name "__min", V_S64, "", METRIC_GAUGE, "the shortest, in microseconds", 1 },                         \
		{ name "__max", V_S64, "", METRIC_GAUGE, "the longest, in microseconds", 1 },                          \
		{ name "__sum", V_S64, "", METRIC_COUNTER, "all, in microseconds", 1 },                                \
	{                                                                                                              \
		name "__sumsqs", V_S64, "", METRIC_COUNTER, "sum of their squares", 1                                  \
	}

static const struct metric_def metrics[] = {
	{ "fs_name", V_CHAR_ARRAY, "", METRIC_INFO, "file system", LUSTRE_NAME },
	{ "mdc", V_CHAR_ARRAY, "", METRIC_INFO, "server's target", LUSTRE_NAME },
	{ "last_reset", V_U32, "", METRIC_INFO, "when counters were cleared for an overflow; 0: never", 1 },
	CALLS("close"),
	CALLS("create"),
	CALLS("enqueue"),
	CALLS("getattr"),
	CALLS("intent_lock"),
	CALLS("link"),
	CALLS("rename"),
	CALLS("setattr"),
	CALLS("fsync"),
	CALLS("read_page"),
	CALLS("unlink"),
	CALLS("setxattr"),
	CALLS("getxattr"),
	CALLS("intent_getattr_async"),
	CALLS("revalidate_lock"),
	/* mdc_timing */
	TIMES("req_waittime"),
	TIMES("mds_getattr"),
	TIMES("mds_getattr_lock"),
	TIMES("mds_close"),
	TIMES("mds_readpage"),
	TIMES("mds_connect"),
	TIMES("mds_get_root"),
	TIMES("mds_statfs"),
	TIMES("ldlm_cancel"),
	TIMES("obd_ping"),
	TIMES("seq_query"),
	TIMES("fld_query"),
	{ NULL, V_NONE, NULL, METRIC_GAUGE, NULL, 0 },
};
enum { NAMES = 3, LAST_RESET = 2, OPS = 15, TIMED = 12 * LUSTRE_COLS };
static_assert(sizeof(metrics) / sizeof(*metrics) == NAMES + OPS + TIMED + 1, "every metric has its group");

static const struct samp_attr attrs[] = {
	{ "mdc_timing", "1", "0: leave the times out, which root alone can read" },
	{ "auto_reset", "1", "0: do not clear counters of which one has become negative" },
	{ NULL, NULL, NULL },
};

struct lustre_mdc {
	struct folder folder;
	struct lustre_keys ops, times;
	bool timing, reset;
	const char *root;
	uint32_t last_reset; /* little endian */
};

struct mdc {
	struct lustre_mdc *lm;
	struct set *set;
	uint64_t *slots;
	int reset; /* its metric */
	struct lustre_stats ops, times;
};

static int conf_read(struct samp *sp, struct lustre_mdc *lm, struct err *err)
{
	int rc = attr_bool(sp, "mdc_timing", true, &lm->timing, err);

	return rc ? rc : attr_bool(sp, "auto_reset", true, &lm->reset, err);
}

static int lustre_mdc_check(struct samp *sp, struct err *err)
{
	struct lustre_mdc lm;

	return conf_read(sp, &lm, err);
}

static int mdc_set_make(struct mdc *m, struct samp *sp, const char *name, struct err *err)
{
	bool timing = m->lm->timing;
	struct schema *s = samp_schema_new(sp, timing ? "lustre_mdc_ops_timing" : "lustre_mdc_ops", err);
	char *set_name = xasprintf("%s/%s", samp_producer(sp), name);
	int first = samp_set_make(sp, s, metrics, NAMES + OPS + (timing ? TIMED : 0), set_name, &m->set, err);
	const char *end = strstr(name, "-mdc-");
	size_t len = end ? (size_t)(end - name) : strlen(name);

	free(set_name);
	if (first < 0)
		return first;
	set_meta_text(m->set, first, name, lustre_fs_name(name, len));
	set_meta_text(m->set, first + 1, name, len);
	m->reset = first + LAST_RESET;
	set_meta_put(m->set, m->reset, &m->lm->last_reset, sizeof(m->lm->last_reset));
	m->slots = set_slot(m->set, first + NAMES);
	return 0;
}

static void mdc_end(struct samp *sp, void *item)
{
	struct mdc *m = item;

	samp_set_drop(sp, m->set);
	lustre_stats_close(&m->ops);
	lustre_stats_close(&m->times);
	free(m);
}

/* From debugfs, or, as older kernels have it, from beside the operations. */
static int times_open(struct mdc *m, const char *path, const char *name, struct err *err)
{
	char *file = xasprintf("%s" TIMING "/%s/stats", m->lm->root, name), *beside = xasprintf("%s/stats", path);
	bool there = !access(file, F_OK) || access(beside, F_OK);
	int rc = lustre_stats_open(&m->times, there ? file : beside, err);

	free(file);
	free(beside);
	return rc ? err_prefix(err, rc, "mdc_timing=1: ") : 0;
}

static int mdc_make(struct samp *sp, void *owner, const char *path, const char *name, void **ret, struct err *err)
{
	struct mdc *m = xcalloc(1, sizeof(*m));
	char *file = xasprintf("%s/md_stats", path);
	int rc = lustre_stats_open(&m->ops, file, err);

	m->lm = owner;
	free(file);
	if (!rc && m->lm->timing)
		rc = times_open(m, path, name, err);
	if (!rc)
		rc = mdc_set_make(m, sp, name, err);
	if (rc)
		mdc_end(sp, m);
	else
		*ret = m;
	return rc;
}

static int counters_clear(const struct lustre_stats *st, struct err *err)
{
	int fd = open(st->file.path, O_WRONLY | O_CLOEXEC), rc = 0;

	if (fd < 0 || write(fd, "0\n", 2) != 2)
		rc = err_set(err, -errno,
			     "%s: a counter has become negative, and they cannot be cleared: %s; clear "
			     "them, or give auto_reset=0",
			     st->file.path, err_name(errno));
	if (fd >= 0)
		close(fd);
	return rc;
}

static bool overflown(const uint64_t *slots, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if ((int64_t)le64toh(slots[i]) < 0)
			return true;
	return false;
}

/* last_reset is of the sampler: all sets tell it. */
static int counters_reset(struct mdc *m, struct err *err)
{
	struct lustre_mdc *lm = m->lm;
	int rc = counters_clear(&m->ops, err);

	if (!rc && lm->timing)
		rc = counters_clear(&m->times, err);
	if (rc)
		return rc;
	lm->last_reset = htole32((uint32_t)(wall_us() / SEC_US));
	for (uint32_t i = 0; i < lm->folder.names.n; i++) {
		struct mdc *other = lm->folder.items[i].p;

		if (other)
			set_meta_put(other->set, other->reset, &lm->last_reset, sizeof(lm->last_reset));
	}
	return 0;
}

static int mdc_sample(struct samp *sp, void *item, struct err *err)
{
	struct mdc *m = item;
	bool timing = m->lm->timing;
	int rc;

	samp_begin(sp, m->set);
	rc = lustre_stats_read(&m->ops, &m->lm->ops, m->slots, err);
	if (!rc && timing)
		rc = lustre_stats_read(&m->times, &m->lm->times, m->slots + OPS, err);
	if (rc) {
		samp_cancel(sp, m->set);
		return rc;
	}
	samp_end(sp, m->set);
	return m->lm->reset && overflown(m->slots, OPS + (timing ? TIMED : 0)) ? counters_reset(m, err) : 0;
}

static const struct folder_type mdcs = {
	.places = (const char *const[]){ SOURCE, TIMING, NULL },
	.hint = "is a file system of Lustre mounted?",
	.make = mdc_make,
	.end = mdc_end,
};

static int lustre_mdc_open(struct samp *sp, struct err *err)
{
	struct lustre_mdc *lm = samp_state(sp);
	int rc = conf_read(sp, lm, err);

	if (rc)
		return rc;
	lm->root = samp_root(sp);
	folder_init(&lm->folder, &mdcs, lm->root, NULL, lm);
	for (int i = 0; i < OPS; i++)
		lustre_keys_add(&lm->ops, metrics[NAMES + i].name);
	for (int i = 0; i < TIMED; i++)
		lustre_keys_add(&lm->times, metrics[NAMES + OPS + i].name);
	rc = folder_look(&lm->folder, sp, err);
	if (!rc)
		folder_each(&lm->folder, sp, NULL, NULL); /* what cannot be read is said by the first sample */
	return rc;
}

static int lustre_mdc_sample(struct samp *sp, struct err *err)
{
	struct lustre_mdc *lm = samp_state(sp);
	int rc = folder_look(&lm->folder, sp, err);

	return rc ? rc : folder_each(&lm->folder, sp, mdc_sample, err);
}

static void lustre_mdc_close(struct samp *sp)
{
	struct lustre_mdc *lm = samp_state(sp);

	folder_close(&lm->folder, sp);
	lustre_keys_fini(&lm->ops);
	lustre_keys_fini(&lm->times);
}

static int lustre_mdc_probe(const char *root, struct err *err)
{
	return folder_probe(&mdcs, root, err);
}

const struct samp_type samp_lustre_mdc = {
	.name = "lustre_mdc",
	.brief = "metadata requests of a Lustre client, a set for each server",
	.source = SOURCE,
	.attrs = attrs,
	.metrics = metrics,
	.state_size = sizeof(struct lustre_mdc),
	.caps = "dac_read_search", /* debugfs is root's */
	.probe = lustre_mdc_probe,
	.check = lustre_mdc_check,
	.open = lustre_mdc_open,
	.sample = lustre_mdc_sample,
	.close = lustre_mdc_close,
};
