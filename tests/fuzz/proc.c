/* proc.c - the bytes of /proc files, through the samplers that read them
 *
 * The first byte chooses the sampler and its attributes; the rest is what its file holds, 0xff between what it holds at
 * one sample and at the next.  The first one is what the sampler makes its set from.  Every sample that succeeds must
 * leave a whole set, and a second sample of the same bytes must not find the file changed.  That of filesingle is its
 * list of files.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/log.h"
#include "core/base/xalloc.h"
#include "core/daemon/samp.h"

#define FILE_MAX (64u << 10)
#define SETS_MAX 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
	LOADAVG,
	MEMINFO,
	VMSTAT,
	STAT,
	NETDEV,
	INTERRUPTS,
	DISKSTATS,
	NFS,
	SELF_IO,
	SELF_STAT,
	IO_STAT,
	FILES,
	CE_COUNT,
	LLITE,
	MD_STATS,
	JOB_STATS,
	LNET,
	ARCSTATS,
	OBJSET,
	ENERGY,
	TEMP,
	TELEMETRY,
	PATHS
};
static const char *const paths[PATHS] = {
	"/proc/loadavg",
	"/proc/meminfo",
	"/proc/vmstat",
	"/proc/stat",
	"/proc/net/dev",
	"/proc/interrupts",
	"/proc/diskstats",
	"/proc/net/rpc/nfs",
	"/proc/self/io",
	"/proc/self/stat",
	"/sys/fs/cgroup/a/io.stat",
	"/files",
	"/sys/devices/system/edac/mc/mc0/ce_count",
	"/proc/fs/lustre/llite/s-ff1/stats",
	"/proc/fs/lustre/mdc/s-MDT0000-mdc-ff1/md_stats",
	"/proc/fs/lustre/obdfilter/s-OST0000/job_stats",
	"/proc/sys/lnet/stats",
	"/proc/spl/kstat/zfs/arcstats",
	"/proc/spl/kstat/zfs/tank/objset-0x1",
	"/sys/class/powercap/intel-rapl:0/energy_uj",
	"/sys/class/hwmon/hwmon0/temp1_input",
	"/sys/class/cxi/cxi0/device/telemetry/hni_x",
};
/* What other files those samplers want. */
static const char *const others[][2] = {
	{ "/sys/fs/cgroup/cgroup.controllers", "io\n" },
	{ "/sys/fs/cgroup/a/cpu.stat", "usage_usec 1\n" },
	{ "/sys/devices/system/edac/mc/mc0/ce_noinfo_count", "1\n" },
	{ "/sys/devices/system/edac/mc/mc0/ue_count", "1\n" },
	{ "/sys/devices/system/edac/mc/mc0/ue_noinfo_count", "1\n" },
	{ "/sys/devices/system/edac/mc/mc0/seconds_since_reset", "1\n" },
	{ "/proc/fs/lustre/obdfilter/s-OST0000/stats", "snapshot_time 1.2 secs.nsecs\nsync 5 samples [reqs]\n" },
	{ "/proc/fs/lustre/mdc/s-MDT0000-mdc-ff1/stats", "snapshot_time 1.2 secs.nsecs\n" },
	{ "/sys/class/powercap/intel-rapl:0/max_energy_range_uj", "1000\n" },
};

static const struct source {
	const char *type, *attrs; /* ROOT in attrs: the folder */
	int path;
} sources[] = {
	{ "loadavg", "", LOADAVG },
	{ "meminfo", "", MEMINFO },
	{ "vmstat", "", VMSTAT },
	{ "procstat2", "", STAT },
	{ "procnetdev2", "", NETDEV },
	{ "loadavg", "force_integer metrics=load5min,newest_pid", LOADAVG },
	{ "procstat2", "interrupt=true soft_interrupt=1", STAT },
	{ "procnetdev2", "ifaces=lo,eth0", NETDEV },
	{ "procnetdev2", "exclude=lo", NETDEV },
	{ "procstat", "sc_clk_tck=1", STAT },
	{ "procstat", "maxcpu=2", STAT },
	{ "procnetdev", "ifaces=lo,eth0", NETDEV },
	{ "procnet", "exclude_ports=lo", NETDEV },
	{ "procinterrupts", "", INTERRUPTS },
	{ "procdiskstats", "", DISKSTATS },
	{ "procdiskstats", "device=sda,vda", DISKSTATS },
	{ "procnfs", "", NFS },
	{ "dstat", "io", SELF_IO },
	{ "dstat", "stat", SELF_STAT },
	{ "cgroup", "cgroups=*", IO_STAT },
	{ "filesingle", "timing conf=ROOT/files", FILES },
	{ "edac", "", CE_COUNT },
	{ "jobid", "file=/proc/loadavg", LOADAVG },
	{ "jobinfo", "file=/proc/loadavg", LOADAVG },
	{ "file", "conf=ROOT/files", FILES },
	{ "lustre_client", "extra215=1 extratimes=1", LLITE },
	{ "lustre2_client", "llite=s", LLITE },
	{ "lustre_mdc", "auto_reset=0", MD_STATS },
	{ "lustre_ost", "", JOB_STATS },
	{ "lnet_stats", "", LNET },
	{ "zfs", "", ARCSTATS },
	{ "zfs", "", OBJSET },
	{ "rapl", "", ENERGY },
	{ "hwmon", "", TEMP },
	{ "cxi_sampler", "tel_counters=.*", TELEMETRY },
};
#define SOURCES (sizeof(sources) / sizeof(*sources))

static struct samp_env env;
static int fds[PATHS];
static void *anchor; /* keeps the pool from unmapping its memory after each run */

/* Open a file with all folders above it. */
static int file_make(const char *path)
{
	char *full = xasprintf("%s%s", env.sysroot, path);
	int fd;

	for (char *slash = full + strlen(env.sysroot); (slash = strchr(slash + 1, '/'));) {
		*slash = 0;
		mkdir(full, 0700);
		*slash = '/';
	}
	fd = open(full, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert(fd >= 0);
	free(full);
	return fd;
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	return remove(path);
}

static void remove_tree(void)
{
	nftw(env.sysroot, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void put(int fd, const uint8_t *p, size_t n)
{
	if (n > FILE_MAX)
		n = FILE_MAX;
	if (pwrite(fd, p, n, 0) != (ssize_t)n || ftruncate(fd, (off_t)n))
		abort();
}

static void begin(void)
{
	char *root = xstrdup(access("/dev/shm", W_OK) ? "/tmp/fuzz-proc-XXXXXX" : "/dev/shm/fuzz-proc-XXXXXX");

	log_level_set(LOG_QUIET_);
	if (!mkdtemp(root))
		abort();
	env = (struct samp_env){
		.pool = pool_new(256u << 20),
		.sets = setdb_new(),
		.producer = "fuzz",
		.perm = 0440,
		.sysroot = root,
	};
	for (int i = 0; i < PATHS; i++)
		fds[i] = file_make(paths[i]);
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
		int fd = file_make(others[i][0]);

		put(fd, (const uint8_t *)others[i][1], strlen(others[i][1]));
		close(fd);
	}
	anchor = pool_alloc(env.pool, 1, NULL);
	atexit(remove_tree);
}

static void check_sets(struct samp *sp)
{
	struct set *sets[SETS_MAX];
	unsigned int n = samp_sets(sp, sets, SETS_MAX);
	struct err err;

	for (unsigned int i = 0; i < n && i < SETS_MAX; i++) { /* in place: nobody else writes it */
		const struct set_meta *meta = (const struct set_meta *)sets[i]->image;

		assert(!image_check_meta(meta, sets[i]->meta_sz, &err));
		assert(!image_check_data(meta, sets[i]->image + sets[i]->meta_sz, true, &err));
		set_put(sets[i]);
	}
}

static void attrs_parse(struct kv *kv, const char *text)
{
	const char *root = strstr(text, "ROOT");
	char *full = root ? xasprintf("%.*s%s%s", (int)(root - text), text, env.sysroot, root + 4) : xstrdup(text);

	kv_parse(kv, full);
	free(full);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct source *src;
	struct kv attrs = { 0 };
	struct samp *sp;
	struct err err;
	size_t used;

	if (!size)
		return 0;
	if (!env.pool)
		begin();
	used = pool_used(env.pool);
	src = &sources[*data++ % SOURCES];
	size--;
	if (src->path == FILES && memmem(data, size, "..", 2))
		return 0; /* files outside of the folder are not for us */
	if (src->path == OBJSET)
		put(fds[ARCSTATS], (const uint8_t *)"hits 4 1\n", 9);
	attrs_parse(&attrs, src->attrs);
	sp = samp_new(&env, samp_type_find(src->type), "fuzz", &err);
	for (bool first = true;; first = false) {
		const uint8_t *end = size ? memchr(data, 0xff, size) : NULL;
		size_t n = end ? (size_t)(end - data) : size;

		put(fds[src->path], data, n);
		if (first && samp_config(sp, &attrs, &err))
			break;
		if (!samp_once(sp, &err)) {
			check_sets(sp);
			assert(!samp_once(sp, &err));
		}
		if (!end)
			break;
		data = end + 1;
		size -= n + 1;
	}
	samp_free(sp);
	kv_fini(&attrs);
	assert(!setdb_count(env.sets) && pool_used(env.pool) == used);
	return 0;
}
