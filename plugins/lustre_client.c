/* lustre_client.c - what mounts of Lustre were asked for: a set for each, PRODUCER/MOUNT, which comes and goes with it
 */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/xalloc.h"
#include "plugins/attr.h"
#include "plugins/folder.h"
#include "plugins/lustre.h"

#define SOURCE "/sys/kernel/debug/lustre/llite"
#define OLDER  "/proc/fs/lustre/llite"

#define COUNTER(name, help)                                                                                            \
	{                                                                                                              \
		name, V_U64, "", METRIC_COUNTER, help, 1                                                               \
	}
#define CALLS(name) COUNTER(name, "calls")

static const struct metric_def metrics[] = {
	{ "fs_name", V_CHAR_ARRAY, "", METRIC_INFO, "file system", LUSTRE_NAME },
	{ "llite", V_CHAR_ARRAY, "", METRIC_INFO, "mount, as Lustre calls it", LUSTRE_NAME },
	COUNTER("dirty_pages_hits", "writes to pages that were dirty"),
	COUNTER("dirty_pages_misses", "writes to other pages"),
	COUNTER("read_bytes.sum", "bytes read"),
	COUNTER("write_bytes.sum", "bytes written"),
	COUNTER("brw_read.sum", "pages read from servers"),
	COUNTER("brw_write.sum", "pages written to servers"),
	CALLS("ioctl"),
	CALLS("open"),
	CALLS("close"),
	CALLS("mmap"),
	COUNTER("page_fault", "page faults"),
	COUNTER("page_mkwrite", "pages that became writable"),
	CALLS("seek"),
	CALLS("fsync"),
	CALLS("readdir"),
	CALLS("setattr"),
	CALLS("truncate"),
	CALLS("flock"),
	CALLS("getattr"),
	CALLS("create"),
	CALLS("link"),
	CALLS("unlink"),
	CALLS("symlink"),
	CALLS("mkdir"),
	CALLS("rmdir"),
	CALLS("mknod"),
	CALLS("rename"),
	CALLS("statfs"),
	COUNTER("alloc_inode", "inodes allocated"),
	CALLS("setxattr"),
	CALLS("getxattr"),
	COUNTER("getxattr_hits", "those answered from the cache"),
	CALLS("listxattr"),
	CALLS("removexattr"),
	COUNTER("inode_permission", "permission checks"),
	/* extra215 */
	CALLS("read"),
	CALLS("write"),
	COUNTER("opencount", "opens, also of the same file"),
	COUNTER("openclosetime", "times between close and the next open"),
	CALLS("fallocate"),
	COUNTER("pcc_attach", "files attached to the persistent cache"),
	COUNTER("pcc_detach", "files detached from it"),
	COUNTER("pcc_auto_attach", "files attached to it by rule"),
	COUNTER("pcc_hit_bytes", "accesses that it served"),
	COUNTER("pcc_attach_bytes", "copies into it"),
	COUNTER("hybrid_noswitch", "buffered I/O that stayed so"),
	COUNTER("hybrid_writesize_switch", "writes that became direct for their size"),
	COUNTER("hybrid_readsize_switch", "reads that became direct for their size"),
	COUNTER("hybrid_read_bytes.sum", "bytes of such reads"),
	COUNTER("hybrid_write_bytes.sum", "bytes of such writes"),
	/* extratimes */
	{ "start_time", V_U64, "", METRIC_GAUGE, "when the counters began, in seconds", 1 },
	{ "elapsed_time", V_U64, "", METRIC_GAUGE, "how long ago that was, in seconds", 1 },
	{ NULL, V_NONE, NULL, METRIC_GAUGE, NULL, 0 },
};
enum { NAMES = 2, BASIC = 37, EXTRA = 15, TIMES = 2 };
static_assert(sizeof(metrics) / sizeof(*metrics) == BASIC + EXTRA + TIMES + 1, "every metric has its group");

static const struct samp_attr attrs[] = {
	{ "extra215", "0", "1: also the metrics that Lustre 2.15 brought" },
	{ "extratimes", "0", "1: also since when the counters count" },
	{ "test_path", SOURCE " or " OLDER, "where the mounts are" },
	{ NULL, NULL, NULL },
};

struct lustre_client {
	struct folder folder;
	struct lustre_keys keys;
	bool extra, times;
	const char *places[2]; /* test_path */
};

struct mount {
	struct lustre_client *lc;
	struct set *set;
	uint64_t *slots;
	struct lustre_stats stats;
};

/* A `k=` that is there says yes unless its value says no; ldmsd passes over bare words. */
static int conf_read(struct samp *sp, struct lustre_client *lc, struct err *err)
{
	int rc = attr_bool(sp, "extra215", false, &lc->extra, err);

	return rc ? rc : attr_bool(sp, "extratimes", false, &lc->times, err);
}

static int lustre_client_check(struct samp *sp, struct err *err)
{
	struct lustre_client lc;

	return conf_read(sp, &lc, err);
}

/* The metrics behind the names, a group at a time. */
static int metrics_add(const struct lustre_client *lc, struct schema *s, struct lustre_keys *keys, struct err *err)
{
	static const int sizes[] = { BASIC - NAMES, EXTRA, TIMES };
	const bool wanted[] = { true, lc->extra, lc->times };
	const struct metric_def *def = metrics + NAMES;
	int rc = 0;

	for (int i = 0; i < 3 && rc >= 0; def += sizes[i++]) {
		if (!wanted[i])
			continue;
		if (s)
			rc = schema_add_defs(s, def, (size_t)sizes[i], err);
		for (int k = 0; k < sizes[i] && keys; k++)
			lustre_keys_add(keys, def[k].name);
	}
	return rc;
}

static int mount_set_make(struct mount *m, struct samp *sp, const char *name, struct err *err)
{
	static const char *const schemas[] = { "lustre_client", "lustre_client_1", "lustre_client_2",
					       "lustre_client_3" };
	struct schema *s = samp_schema_new(sp, schemas[m->lc->extra + 2 * m->lc->times], err);
	int first = s ? schema_add_defs(s, metrics, NAMES, err) : -EINVAL, rc = first;
	char *set_name;

	if (rc >= 0)
		rc = metrics_add(m->lc, s, NULL, err);
	if (rc < 0) {
		schema_free(s);
		return rc;
	}
	set_name = xasprintf("%s/%s", samp_producer(sp), name);
	m->set = samp_set_named(sp, s, set_name, err);
	free(set_name);
	if (!m->set)
		return -ENOMEM;
	set_meta_text(m->set, first, name, lustre_fs_name(name, strlen(name)));
	set_meta_text(m->set, first + 1, name, strlen(name));
	m->slots = set_slot(m->set, first + NAMES);
	return 0;
}

static void mount_end(struct samp *sp, void *item)
{
	struct mount *m = item;

	samp_set_drop(sp, m->set);
	lustre_stats_close(&m->stats);
	free(m);
}

static int mount_make(struct samp *sp, void *owner, const char *path, const char *name, void **ret, struct err *err)
{
	struct mount *m = xcalloc(1, sizeof(*m));
	char *stats = xasprintf("%s/stats", path);
	int rc = lustre_stats_open(&m->stats, stats, err);

	m->lc = owner;
	free(stats);
	if (!rc)
		rc = mount_set_make(m, sp, name, err);
	if (rc)
		mount_end(sp, m);
	else
		*ret = m;
	return rc;
}

static int mount_sample(struct samp *sp, void *item, struct err *err)
{
	struct mount *m = item;
	int rc;

	samp_begin(sp, m->set);
	rc = lustre_stats_read(&m->stats, &m->lc->keys, m->slots, err);
	if (rc)
		samp_cancel(sp, m->set);
	else
		samp_end(sp, m->set);
	return rc;
}

static const struct folder_type mounts = {
	.places = (const char *const[]){ SOURCE, OLDER, NULL },
	.hint = "is Lustre's client loaded, and may this daemon read there (debugfs is root's)?",
	.make = mount_make,
	.end = mount_end,
};

static int lustre_client_open(struct samp *sp, struct err *err)
{
	struct lustre_client *lc = samp_state(sp);
	int rc = conf_read(sp, lc, err);

	if (rc)
		return rc;
	lc->places[0] = samp_attr(sp, "test_path");
	folder_init(&lc->folder, &mounts, samp_root(sp), lc->places[0] ? lc->places : NULL, lc);
	metrics_add(lc, NULL, &lc->keys, NULL);
	rc = folder_look(&lc->folder, sp, err);
	if (!rc)
		folder_each(&lc->folder, sp, NULL, NULL); /* what cannot be read is said by the first sample */
	return rc;
}

static int lustre_client_sample(struct samp *sp, struct err *err)
{
	struct lustre_client *lc = samp_state(sp);
	int rc = folder_look(&lc->folder, sp, err);

	return rc ? rc : folder_each(&lc->folder, sp, mount_sample, err);
}

static void lustre_client_close(struct samp *sp)
{
	struct lustre_client *lc = samp_state(sp);

	folder_close(&lc->folder, sp);
	lustre_keys_fini(&lc->keys);
}

static int lustre_client_probe(const char *root, struct err *err)
{
	return folder_probe(&mounts, root, err);
}

const struct samp_type samp_lustre_client = {
	.name = "lustre_client",
	.brief = "mounts of Lustre, a set each",
	.source = SOURCE ", " OLDER,
	.attrs = attrs,
	.metrics = metrics,
	.state_size = sizeof(struct lustre_client),
	.caps = "dac_read_search", /* debugfs is root's */
	.reads = "test_path",
	.probe = lustre_client_probe,
	.check = lustre_client_check,
	.open = lustre_client_open,
	.sample = lustre_client_sample,
	.close = lustre_client_close,
};
