/* proc.c - the bytes of /proc files, through the samplers that read them
 *
 * The first byte chooses the sampler and its attributes; the rest is what its file holds, 0xff between what it holds at
 * one sample and at the next.  The first one is what the sampler makes its set from.  Every sample that succeeds must
 * leave a whole set, and a second sample of the same bytes must not find the file changed.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/log.h"
#include "core/base/xalloc.h"
#include "core/daemon/samp.h"

#define FILE_MAX (64u << 10)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct source {
	const char *type, *attrs, *path;
	int fd;
} sources[] = {
	{ "loadavg", "", "/proc/loadavg", 0 },
	{ "meminfo", "", "/proc/meminfo", 1 },
	{ "vmstat", "", "/proc/vmstat", 2 },
	{ "procstat2", "", "/proc/stat", 3 },
	{ "procnetdev2", "", "/proc/net/dev", 4 },
	{ "loadavg", "force_integer metrics=load5min,newest_pid", "/proc/loadavg", 0 },
	{ "procstat2", "interrupt=true soft_interrupt=1", "/proc/stat", 3 },
	{ "procnetdev2", "ifaces=lo,eth0", "/proc/net/dev", 4 },
	{ "procnetdev2", "exclude=lo", "/proc/net/dev", 4 },
};
#define SOURCES (sizeof(sources) / sizeof(*sources))

static struct samp_env env;
static int fds[5];
static void *anchor; /* keeps the pool from unmapping its memory after each run */

static int at(const char *root, const char *path, int is_dir)
{
	char *full = xasprintf("%s%s", root, path);
	int fd = is_dir ? mkdir(full, 0700) : open(full, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	assert(fd >= 0);
	free(full);
	return fd;
}

static void remove_tree(void)
{
	static const char *const paths[] = { "/proc/loadavg", "/proc/meminfo", "/proc/vmstat", "/proc/stat",
					     "/proc/net/dev", "/proc/net",     "/proc",        "" };

	for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++) {
		char *full = xasprintf("%s%s", env.sysroot, paths[i]);

		remove(full);
		free(full);
	}
}

static void begin(void)
{
	char *root = xstrdup(access("/dev/shm", W_OK) ? "/tmp/fuzz-proc-XXXXXX" : "/dev/shm/fuzz-proc-XXXXXX");

	log_level_set(LOG_QUIET_);
	if (!mkdtemp(root))
		abort();
	at(root, "/proc", 1);
	at(root, "/proc/net", 1);
	for (size_t i = 0; i < SOURCES; i++)
		if (!fds[sources[i].fd])
			fds[sources[i].fd] = at(root, sources[i].path, 0);
	env = (struct samp_env){
		.pool = pool_new(256u << 20),
		.sets = setdb_new(),
		.producer = "fuzz",
		.perm = 0440,
		.sysroot = root,
	};
	anchor = pool_alloc(env.pool, 1, NULL);
	atexit(remove_tree);
}

static void put(int fd, const uint8_t *p, size_t n)
{
	if (n > FILE_MAX)
		n = FILE_MAX;
	if (pwrite(fd, p, n, 0) != (ssize_t)n || ftruncate(fd, (off_t)n))
		abort();
}

static void check_sets(struct samp *sp)
{
	struct set *sets[4];
	unsigned int n = samp_sets(sp, sets, 4);
	struct err err;

	for (unsigned int i = 0; i < n; i++) { /* in place: nobody else writes it */
		const struct set_meta *meta = (const struct set_meta *)sets[i]->image;

		assert(!image_check_meta(meta, sets[i]->meta_sz, &err));
		assert(!image_check_data(meta, sets[i]->image + sets[i]->meta_sz, true, &err));
		set_put(sets[i]);
	}
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
	kv_parse(&attrs, src->attrs);
	sp = samp_new(&env, samp_type_find(src->type), "fuzz", &err);
	for (bool first = true;; first = false) {
		const uint8_t *end = size ? memchr(data, 0xff, size) : NULL;
		size_t n = end ? (size_t)(end - data) : size;

		put(fds[src->fd], data, n);
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
