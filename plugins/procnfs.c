/* procnfs.c - calls of the NFS client, version 3, from /proc/net/rpc/nfs:
 *
 *	net 0 0 0 0
 *	rpc 1234 5 1234
 *	proc3 22 0 10 11 12 ...
 */
#include <errno.h>

#include "plugins/proc.h"
#include "plugins/samp.h"

#define SOURCE "/proc/net/rpc/nfs"

static const struct metric_def metrics[] = {
	{ "numcalls", V_U64, "", METRIC_COUNTER, "calls of all versions", 1 },
	{ "retransmitts", V_U64, "", METRIC_COUNTER, "calls sent again", 1 },
	{ "getattr", V_U64, "", METRIC_COUNTER, "calls of this procedure", 1 },
	{ "setattr", V_U64, "", METRIC_COUNTER, "calls of this procedure", 1 },
	{ "lookup", V_U64, "", METRIC_COUNTER, "calls of this procedure", 1 },
	{ "access", V_U64, "", METRIC_COUNTER, "calls of this procedure", 1 },
	{ "readlink", V_U64, "", METRIC_COUNTER, "calls of this procedure", 1 },
	{ "read", V_U64, "", METRIC_COUNTER, "calls of this procedure", 1 },
	{ "write", V_U64, "", METRIC_COUNTER, "calls of this procedure", 1 },
	{ "create", V_U64, "", METRIC_COUNTER, "calls of this procedure", 1 },
	{ "mkdir", V_U64, "", METRIC_COUNTER, "calls of this procedure", 1 },
	{ "symlink", V_U64, "", METRIC_COUNTER, "calls of this procedure", 1 },
	{ "mknod", V_U64, "", METRIC_COUNTER, "calls of this procedure", 1 },
	{ "remove", V_U64, "", METRIC_COUNTER, "calls of this procedure", 1 },
	{ "rmdir", V_U64, "", METRIC_COUNTER, "calls of this procedure", 1 },
	{ "rename", V_U64, "", METRIC_COUNTER, "calls of this procedure", 1 },
	{ "link", V_U64, "", METRIC_COUNTER, "calls of this procedure", 1 },
	{ "readdir", V_U64, "", METRIC_COUNTER, "calls of this procedure", 1 },
	{ "readdirplus", V_U64, "", METRIC_COUNTER, "calls of this procedure", 1 },
	{ "fsstat", V_U64, "", METRIC_COUNTER, "calls of this procedure", 1 },
	{ "fsinfo", V_U64, "", METRIC_COUNTER, "calls of this procedure", 1 },
	{ "pathconf", V_U64, "", METRIC_COUNTER, "calls of this procedure", 1 },
	{ "commit", V_U64, "", METRIC_COUNTER, "calls of this procedure", 1 },
	{ NULL, V_NONE, NULL, METRIC_GAUGE, NULL, 0 },
};
enum { RPC = 2, METRICS = sizeof(metrics) / sizeof(*metrics) - 1, CALLS = METRICS - RPC };

struct procnfs {
	struct proc_file file;
	struct set *set;
	uint64_t *slots; /* METRICS of them */
};

static int procnfs_open(struct samp *sp, struct err *err)
{
	struct procnfs *nfs = samp_state(sp);
	int first, rc = proc_open(&nfs->file, samp_root(sp), SOURCE, err);

	if (rc)
		return err_prefix(err, rc, "no NFS is mounted here: ");
	first = samp_set_make(sp, samp_schema_new(sp, "procnfs", err), metrics, METRICS, NULL, &nfs->set, err);
	if (first < 0)
		return first;
	nfs->slots = set_slot(nfs->set, first);
	return 0;
}

static bool numbers(const char **p, uint64_t *to, int n)
{
	for (uint64_t v; n; n--, to++) {
		if (!proc_number(p, &v))
			return false;
		*to = htole64(v);
	}
	return true;
}

/* The word at the beginning of the line, and *p behind it? */
static bool line_is(const char **p, const char *word)
{
	size_t n = strlen(word);

	if (strncmp(*p, word, n))
		return false;
	*p += n;
	return true;
}

static int procnfs_sample(struct samp *sp, struct err *err)
{
	struct procnfs *nfs = samp_state(sp);
	int rc = proc_read(&nfs->file, err);
	bool rpc = false, proc3 = false;
	uint64_t skipped[2]; /* how many procedures follow, and the one that does nothing */

	if (rc)
		return rc;
	samp_begin(sp, nfs->set);
	for (const char *p = nfs->file.buf; *p; p = proc_next_line(p)) {
		if (line_is(&p, "rpc "))
			rpc = numbers(&p, nfs->slots, RPC);
		else if (line_is(&p, "proc3 "))
			proc3 = numbers(&p, skipped, 2) && numbers(&p, nfs->slots + RPC, CALLS);
	}
	if (!rpc || !proc3) {
		samp_cancel(sp, nfs->set);
		return err_set(err, -EPROTO, "%s: its line `%s` is missing or short; does this kernel speak NFS v3?",
			       nfs->file.path, rpc ? "proc3" : "rpc");
	}
	samp_end(sp, nfs->set);
	return 0;
}

static void procnfs_close(struct samp *sp)
{
	proc_close(&((struct procnfs *)samp_state(sp))->file);
}

const struct samp_type samp_procnfs = {
	.name = "procnfs",
	.brief = "calls of the NFS client (version 3)",
	.source = SOURCE,
	.metrics = metrics,
	.state_size = sizeof(struct procnfs),
	.open = procnfs_open,
	.sample = procnfs_sample,
	.close = procnfs_close,
};
