/* dstat.c - the daemon itself: its I/O, times, memory and descriptors, from /proc/self */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/base/xalloc.h"
#include "plugins/attr.h"
#include "plugins/dirscan.h"
#include "plugins/proc.h"
#include "plugins/samp.h"
#include "plugins/scalars.h"

#define SOURCE "/proc/self"

/* Groups of metrics, in the order of the set; an operator chooses among them. */
enum { IO = 1, STAT = 2, STATM = 4, MMALLOC = 8, FD = 0x10, FDTYPES = 0x20, CLK_TCK = 0x40, DFLT = IO | STAT | STATM };

static const struct metric_def metrics[] = {
	/* io */
	{ "rchar", V_U64, "", METRIC_COUNTER, "bytes read by system calls", 1 },
	{ "wchar", V_U64, "", METRIC_COUNTER, "bytes written by system calls", 1 },
	{ "syscr", V_U64, "", METRIC_COUNTER, "system calls that read", 1 },
	{ "syscw", V_U64, "", METRIC_COUNTER, "system calls that write", 1 },
	{ "read_bytes", V_U64, "", METRIC_COUNTER, "bytes that came from disks", 1 },
	{ "write_bytes", V_U64, "", METRIC_COUNTER, "bytes that went to disks", 1 },
	{ "cancelled_write_bytes", V_U64, "", METRIC_COUNTER, "bytes that were removed before they went there", 1 },
	/* stat */
	{ "pid", V_U64, "", METRIC_INFO, "number of the process", 1 },
	{ "ppid", V_U64, "", METRIC_INFO, "of its parent", 1 },
	{ "minflt", V_U64, "", METRIC_COUNTER, "page faults without I/O", 1 },
	{ "cminflt", V_U64, "", METRIC_COUNTER, "those of its children", 1 },
	{ "majflt", V_U64, "", METRIC_COUNTER, "page faults with I/O", 1 },
	{ "cmajflt", V_U64, "", METRIC_COUNTER, "those of its children", 1 },
	{ "utime", V_U64, "", METRIC_COUNTER, "clock ticks in the program", 1 },
	{ "stime", V_U64, "", METRIC_COUNTER, "clock ticks in the kernel", 1 },
	{ "cutime", V_S64, "", METRIC_COUNTER, "utime of its children", 1 },
	{ "cstime", V_S64, "", METRIC_COUNTER, "stime of its children", 1 },
	{ "priority", V_S64, "", METRIC_GAUGE, "for the scheduler", 1 },
	{ "nice", V_S64, "", METRIC_GAUGE, "-20 (high priority) to 19", 1 },
	{ "num_threads", V_U64, "", METRIC_GAUGE, "threads", 1 },
	{ "vsize", V_U64, "", METRIC_GAUGE, "bytes of address space", 1 },
	{ "rss", V_U64, "", METRIC_GAUGE, "resident pages", 1 },
	{ "rsslim", V_U64, "", METRIC_GAUGE, "bytes that may be resident", 1 },
	{ "signal", V_U64, "", METRIC_GAUGE, "pending signals, a bit each", 1 },
	{ "processor", V_U64, "", METRIC_GAUGE, "processor that it ran on last", 1 },
	{ "rt_priority", V_U64, "", METRIC_GAUGE, "real-time priority", 1 },
	{ "policy", V_U64, "", METRIC_GAUGE, "scheduling policy", 1 },
	{ "delayacct_blkio_ticks", V_U64, "", METRIC_COUNTER, "clock ticks that it waited for disks", 1 },
	/* statm */
	{ "VmSize", V_U64, "", METRIC_GAUGE, "pages of address space", 1 },
	{ "VmRSS", V_U64, "", METRIC_GAUGE, "resident pages", 1 },
	{ "share_pages", V_U64, "", METRIC_GAUGE, "resident pages of files", 1 },
	{ "text_pages", V_U64, "", METRIC_GAUGE, "pages of program", 1 },
	{ "lib_pages", V_U64, "", METRIC_GAUGE, "0 since Linux 2.6", 1 },
	{ "data_pages", V_U64, "", METRIC_GAUGE, "pages of data and stack", 1 },
	{ "dirty_pages", V_U64, "", METRIC_GAUGE, "0 since Linux 2.6", 1 },
	/* mmalloc */
	{ "mmalloc_bytes_used_p_holes", V_U64, "", METRIC_GAUGE, "bytes that metric sets take", 1 },
	/* fd */
	{ "fd_count", V_U64, "", METRIC_GAUGE, "open descriptors", 1 },
	/* fdtypes */
	{ "fd_max", V_U64, "", METRIC_GAUGE, "the highest open descriptor", 1 },
	{ "fd_socket", V_U64, "", METRIC_GAUGE, "sockets", 1 },
	{ "fd_dev", V_U64, "", METRIC_GAUGE, "files below /dev", 1 },
	{ "fd_anon_inode", V_U64, "", METRIC_GAUGE, "event queues, timers and the like", 1 },
	{ "fd_pipe", V_U64, "", METRIC_GAUGE, "pipes", 1 },
	{ "fd_path", V_U64, "", METRIC_GAUGE, "files elsewhere", 1 },
	/* sc_clk_tck */
	{ "sc_clk_tck", V_U64, "", METRIC_INFO, "clock ticks a second", 1 },
	{ NULL, V_NONE, NULL, METRIC_GAUGE, NULL, 0 },
};
/* Kinds of descriptors, in the order of the metrics behind fd_max. */
enum { KIND_SOCKET, KIND_DEV, KIND_ANON_INODE, KIND_PIPE, KIND_PATH };
enum { IO_N = 7, STAT_N = 21, STAT_INFO_N = 2, STATM_N = 7, FDTYPES_N = 6 };

static const struct group {
	const char *attr;
	unsigned int bit;
	int n;
} groups[] = {
	{ "io", IO, IO_N }, { "stat", STAT, STAT_N },          { "statm", STATM, STATM_N },  { "mmalloc", MMALLOC, 1 },
	{ "fd", FD, 1 },    { "fdtypes", FDTYPES, FDTYPES_N }, { "sc_clk_tck", CLK_TCK, 1 },
};
enum { GROUPS = sizeof(groups) / sizeof(*groups) };

static const struct samp_attr attrs[] = {
	{ "io", "true without other groups", "the group of /proc/self/io" },
	{ "stat", "true without other groups", "the group of /proc/self/stat" },
	{ "statm", "true without other groups", "the group of /proc/self/statm" },
	{ "mmalloc", "false", "memory of the metric sets" },
	{ "fd", "false", "the number of open descriptors" },
	{ "fdtypes", "false", "their number by kind, too: a system call for each" },
	{ "sc_clk_tck", "false", "append the metric sc_clk_tck" },
	{ "auto-schema", "false", "name the schema after its groups: dstat_7f" },
	{ "debug", "false", "accepted" },
	{ NULL, NULL, NULL },
};

/* What the lines of io begin with. */
static const char *const io_words[IO_N] = {
	"rchar:", "wchar:", "syscr:", "syscw:", "read_bytes:", "write_bytes:", "cancelled_write_bytes:"
};

/* Numbers in stat, counted as proc(5) does, of the metrics of that group. */
static const uint8_t stat_fields[STAT_N] = { 1,  4,  10, 11, 12, 13, 14, 15, 16, 17, 18,
					     19, 20, 23, 24, 25, 31, 39, 40, 41, 42 };
enum { STAT_FIRST = 4 };

struct dstat {
	struct set *set;
	unsigned int mask;
	int info; /* index of the metric pid; ppid is the next one */
	uint64_t ppid;
	struct proc_file io, stat, statm;
	int dir; /* of descriptors, or -1 */
	struct scalar io_slots[IO_N];
	uint64_t *slots[GROUPS]; /* the first DATA value of each */
};

static int conf_read(struct samp *sp, struct dstat *ds, bool *named, struct err *err)
{
	bool debug;
	int rc = attr_bool(sp, "auto-schema", false, named, err);

	if (!rc)
		rc = attr_bool(sp, "debug", false, &debug, err);
	for (int i = 0; i < GROUPS && !rc; i++) {
		bool wanted;

		rc = attr_bool(sp, groups[i].attr, false, &wanted, err);
		ds->mask |= wanted ? groups[i].bit : 0;
	}
	if (ds->mask & FDTYPES)
		ds->mask |= FD;
	if (!(ds->mask & ~(unsigned int)CLK_TCK))
		ds->mask |= DFLT;
	return rc;
}

static int dstat_check(struct samp *sp, struct err *err)
{
	struct dstat ds = { 0 };
	bool named;

	return conf_read(sp, &ds, &named, err);
}

static int files_open(struct dstat *ds, struct samp *sp, struct err *err)
{
	const char *root = samp_root(sp);
	char *path;
	int rc = 0;

	if (ds->mask & IO)
		rc = proc_open(&ds->io, root, SOURCE "/io", err);
	if (!rc && ds->mask & STAT)
		rc = proc_open(&ds->stat, root, SOURCE "/stat", err);
	if (!rc && ds->mask & STATM)
		rc = proc_open(&ds->statm, root, SOURCE "/statm", err);
	if (rc || !(ds->mask & FD))
		return rc;
	path = xasprintf("%s" SOURCE "/fd", root);
	ds->dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (ds->dir < 0)
		rc = err_set(err, -errno, "%s: cannot be opened: %s", path, err_name(errno));
	free(path);
	return rc;
}

static struct schema *schema_make(struct dstat *ds, struct samp *sp, bool named, struct err *err)
{
	struct schema *s;
	char name[32] = "dstat";
	int first = 0;

	if (named)
		snprintf(name, sizeof(name), "dstat_%x", ds->mask);
	s = samp_schema_new(sp, name, err);
	for (int i = 0; s && i < GROUPS; first += groups[i++].n)
		if (ds->mask & groups[i].bit && schema_add_defs(s, metrics + first, (size_t)groups[i].n, err) < 0) {
			schema_free(s);
			return NULL;
		}
	return s;
}

/* Where the values stand; META ones are written. */
static void slots_find(struct dstat *ds, int metric)
{
	for (int i = 0; i < GROUPS; i++) {
		if (!(ds->mask & groups[i].bit))
			continue;
		if (groups[i].bit == STAT)
			ds->info = metric;
		if (groups[i].bit == CLK_TCK)
			set_meta_u64(ds->set, metric, (uint64_t)sysconf(_SC_CLK_TCK));
		else
			ds->slots[i] = set_slot(ds->set, metric + (groups[i].bit == STAT ? STAT_INFO_N : 0));
		metric += groups[i].n;
	}
	for (int i = 0; i < IO_N && ds->mask & IO; i++)
		scalar_set(&ds->io_slots[i], io_words[i], ds->slots[0] + i);
}

static int dstat_open(struct samp *sp, struct err *err)
{
	struct dstat *ds = samp_state(sp);
	struct schema *s;
	bool named;
	int first, rc;

	ds->dir = -1;
	ds->ppid = UINT64_MAX;
	rc = conf_read(sp, ds, &named, err);
	if (!rc)
		rc = files_open(ds, sp, err);
	if (rc)
		return rc;
	s = schema_make(ds, sp, named, err);
	if (!s)
		return -EINVAL;
	first = schema_find(s, "app_id") + 1;
	ds->set = samp_set_new(sp, s, "", err);
	if (!ds->set)
		return -ENOMEM;
	slots_find(ds, first);
	return 0;
}

/* A number that may be negative. */
static uint64_t signed_number(const char **p)
{
	if (**p != '-')
		return proc_digits(p);
	++*p;
	return 0 - proc_digits(p);
}

/* "4711 (name (with) brackets) S 1 ..." */
static void stat_sample(struct dstat *ds, uint64_t *slots)
{
	const char *p = strrchr(ds->stat.buf, ')');
	int next = STAT_INFO_N;
	uint64_t ppid;

	if (!p)
		return;
	p += strlen(") S");
	ppid = proc_u64(&p);
	for (int field = STAT_FIRST + 1; next < STAT_N; field++) {
		p = proc_blanks(p);
		if (field == stat_fields[next])
			slots[next++ - STAT_INFO_N] = htole64(signed_number(&p));
		else
			p = proc_behind_word(p);
	}
	if (ppid == ds->ppid)
		return;
	p = ds->stat.buf;
	set_meta_u64(ds->set, ds->info, proc_u64(&p));
	set_meta_u64(ds->set, ds->info + 1, ppid);
	ds->ppid = ppid;
}

/* What the link of a descriptor says, as an index behind fd_max; -1: nothing of these. */
static int fd_kind(int dir, const char *name)
{
	char link[16] = "";
	ssize_t n = readlinkat(dir, name, link, sizeof(link) - 1);

	switch (n > 0 ? link[0] : 0) {
	case 's':
		return KIND_SOCKET;
	case 'a':
		return KIND_ANON_INODE;
	case 'p':
		return KIND_PIPE;
	case '/':
		return strncmp(link, "/dev/", 5) ? KIND_PATH : KIND_DEV;
	default:
		return -1;
	}
}

static void fds_sample(struct dstat *ds, uint64_t *count, uint64_t *types)
{
	uint64_t n = 0, max = 0, of[FDTYPES_N - 1] = { 0 };
	struct dirscan d;

	for (dirscan_begin(&d, ds->dir); dirscan_next(&d);) {
		const char *digits = d.name;
		uint64_t fd = proc_digits(&digits);
		int kind = types ? fd_kind(ds->dir, d.name) : -1;

		n++;
		max = fd > max ? fd : max;
		if (kind >= 0)
			of[kind]++;
	}
	*count = htole64(n);
	if (!types)
		return;
	types[0] = htole64(max);
	for (int i = 0; i < FDTYPES_N - 1; i++)
		types[1 + i] = htole64(of[i]);
}

/* Read the file of a group; false when the group is not wanted, or the file cannot be read: *rc of the first such. */
static bool group_read(struct dstat *ds, unsigned int bit, struct proc_file *pf, int *rc, struct err *err)
{
	int failed = ds->mask & bit ? proc_read(pf, *rc ? NULL : err) : 0;

	*rc = *rc ? *rc : failed;
	return ds->mask & bit && !failed;
}

static int dstat_sample(struct samp *sp, struct err *err)
{
	struct dstat *ds = samp_state(sp);
	int rc = 0;

	samp_begin(sp, ds->set);
	if (group_read(ds, IO, &ds->io, &rc, err))
		scalars_scan(ds->io_slots, IO_N, ds->io.buf);
	if (group_read(ds, STAT, &ds->stat, &rc, err))
		stat_sample(ds, ds->slots[1]);
	if (group_read(ds, STATM, &ds->statm, &rc, err)) {
		const char *p = ds->statm.buf;

		for (int i = 0; i < STATM_N; i++)
			ds->slots[2][i] = htole64(proc_u64(&p));
	}
	if (ds->mask & MMALLOC)
		*ds->slots[3] = htole64(pool_used(ds->set->pool));
	if (ds->mask & FD)
		fds_sample(ds, ds->slots[4], ds->slots[5]);
	samp_end(sp, ds->set); /* also when a file failed: its values stay, the others are new */
	return rc;
}

static void dstat_close(struct samp *sp)
{
	struct dstat *ds = samp_state(sp);

	proc_close(&ds->io);
	proc_close(&ds->stat);
	proc_close(&ds->statm);
	if (ds->dir >= 0)
		close(ds->dir);
}

const struct samp_type samp_dstat = {
	.name = "dstat",
	.brief = "the daemon itself",
	.source = SOURCE,
	.attrs = attrs,
	.metrics = metrics,
	.state_size = sizeof(struct dstat),
	.check = dstat_check,
	.open = dstat_open,
	.sample = dstat_sample,
	.close = dstat_close,
};
