/* linux_proc.c - the files of a process, through linux_proc_sampler
 *
 * Each byte 0xff begins the next of the files below.  The set that comes of them is whole, in the first sample, which
 * writes META values, too, and in the second.
 */
#include <assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/log.h"
#include "core/base/xalloc.h"
#include "core/daemon/samp.h"

#define POOL_MAX (8u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const files[] = { "/proc/7/status", "/proc/7/stat",    "/proc/7/io",        "/proc/7/cmdline",
				     "/proc/7/wchan",  "/proc/7/syscall", "/proc/7/oom_score", "/proc/7/environ",
				     "/proc/7/maps",   "/syscalls" };
#define FILES (sizeof(files) / sizeof(*files))

static struct samp_env env;
static int fds[FILES];
static char *syscalls;

static int at(const char *path, bool dir)
{
	char *full = xasprintf("%s%s", env.sysroot, path);
	int fd = dir ? mkdir(full, 0700) : open(full, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	assert(fd >= 0);
	free(full);
	return fd;
}

static void remove_tree(void)
{
	static const char *const rest[] = { "/proc/stat", "/proc/7", "/proc", "" };

	for (size_t i = 0; i < FILES + sizeof(rest) / sizeof(*rest); i++) {
		char *full = xasprintf("%s%s", env.sysroot, i < FILES ? files[i] : rest[i - FILES]);

		remove(full);
		free(full);
	}
}

static void begin(void)
{
	char *root = xstrdup(access("/dev/shm", W_OK) ? "/tmp/fuzz-lp-XXXXXX" : "/dev/shm/fuzz-lp-XXXXXX");
	int fd;

	log_level_set(LOG_QUIET_);
	if (!mkdtemp(root))
		abort();
	env = (struct samp_env){
		.pool = pool_new(POOL_MAX),
		.sets = setdb_new(),
		.producer = "fuzz",
		.perm = 0440,
		.sysroot = root,
	};
	at("/proc", true);
	at("/proc/7", true);
	for (size_t i = 0; i < FILES; i++)
		fds[i] = at(files[i], false);
	syscalls = xasprintf("%s/syscalls", root);
	fd = at("/proc/stat", false);
	assert(write(fd, "btime 5\n", 8) == 8);
	close(fd);
	atexit(remove_tree);
}

static void check_sets(struct samp *sp)
{
	struct set *set;
	struct err err;

	if (!samp_sets(sp, &set, 1))
		return;
	assert(!image_check_meta((const struct set_meta *)set->image, set->meta_sz, &err));
	set_put(set);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char event[] = "{\"event\":\"task_init_priv\",\"data\":{\"job_id\":1,\"os_pid\":7}}";
	const struct samp_msg m = {
		.via = SAMP_STREAM, .name = "slurm", .json = true, .data = event, .len = sizeof(event) - 1
	};
	struct kv attrs = { 0 };
	struct samp *sp;
	struct err err;

	if (!env.pool)
		begin();
	for (size_t i = 0; i < FILES; i++) {
		const uint8_t *end = size ? memchr(data, 0xff, size) : NULL;
		size_t n = end ? (size_t)(end - data) : size;

		if (pwrite(fds[i], data, n, 0) != (ssize_t)n || ftruncate(fds[i], (off_t)n))
			abort();
		data += end ? n + 1 : n;
		size -= end ? n + 1 : n;
	}
	kv_parse(&attrs, "argv_msg=1 env_msg=1 fd_msg=1 fd_map_files=1 sc_clk_tck=1");
	kv_add(&attrs, "syscalls", syscalls);
	sp = samp_new(&env, samp_type_find("linux_proc_sampler"), "fuzz", &err);
	if (!samp_config(sp, &attrs, &err)) {
		samp_tell(sp, &m);
		samp_once(sp, &err);
		check_sets(sp);
		samp_once(sp, &err);
		check_sets(sp);
	}
	samp_free(sp);
	kv_fini(&attrs);
	assert(!setdb_count(env.sets) && !pool_used(env.pool));
	return 0;
}
