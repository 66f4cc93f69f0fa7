/* samp_msg.c - messages of strangers, through the samplers that make sets of them
 *
 * The first byte chooses the sampler; the rest are messages, a line each.  Every sample that comes of them is whole.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/log.h"
#include "core/base/xalloc.h"
#include "core/daemon/samp.h"

#define POOL_MAX (8u << 20)
#define SETS_MAX 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct {
	const char *type, *attrs, *name;
} samplers[] = {
	{ "slurm_sampler", "job_count=2 task_count=2", "slurm" },
	{ "slurm_sampler2", "job_count=1 task_count=1 delete_time=0", "slurm" },
	{ "json_stream_sampler", "stream=slurm instance_fmt=%P/%S/%U", "slurm" },
	{ "linux_proc_sampler", "fd_msg=1 argv_msg=1 env_msg=1 metrics=stat_pid,stat_comm,status_uid", "slurm" },
};
#define SAMPLERS (sizeof(samplers) / sizeof(*samplers))

static struct samp_env env;

static void put(const char *root, const char *path, const char *text)
{
	char *full = xasprintf("%s%s", root, path);
	FILE *f = text ? fopen(full, "w") : NULL;

	if (text ? !f || fputs(text, f) < 0 || fclose(f) : mkdir(full, 0700))
		abort();
	free(full);
}

static void remove_tree(void)
{
	static const char *const paths[] = { "/proc/7/stat", "/proc/7/status", "/proc/7", "/proc/stat", "/proc", "" };

	for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++) {
		char *full = xasprintf("%s%s", env.sysroot, paths[i]);

		remove(full);
		free(full);
	}
}

static void begin(void)
{
	char *root = xstrdup(access("/dev/shm", W_OK) ? "/tmp/fuzz-msg-XXXXXX" : "/dev/shm/fuzz-msg-XXXXXX");

	log_level_set(LOG_QUIET_);
	if (!mkdtemp(root))
		abort();
	put(root, "/proc", NULL);
	put(root, "/proc/7", NULL);
	put(root, "/proc/stat", "cpu 1\nbtime 1795186023\n");
	put(root, "/proc/7/stat", "7 (a b) c) S 1 7 7 0 -1 0 1 2 3 4 5 6 7 8 20 0 1 0 77 8192 20 1\n");
	put(root, "/proc/7/status", "Name:\tx\nUid:\t0\t0\t0\t0\n");
	env = (struct samp_env){
		.pool = pool_new(POOL_MAX),
		.sets = setdb_new(),
		.producer = "fuzz",
		.perm = 0440,
		.sysroot = root,
	};
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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct kv attrs = { 0 };
	struct samp *sp;
	struct err err;
	unsigned int which;

	if (!size)
		return 0;
	if (!env.pool)
		begin();
	which = *data++ % SAMPLERS;
	size--;
	kv_parse(&attrs, samplers[which].attrs);
	sp = samp_new(&env, samp_type_find(samplers[which].type), "fuzz", &err);
	if (samp_config(sp, &attrs, &err))
		abort();
	while (size) {
		const uint8_t *end = memchr(data, '\n', size);
		size_t n = end ? (size_t)(end - data) : size;
		const struct samp_msg m = { .via = SAMP_STREAM,
					    .name = samplers[which].name,
					    .json = true,
					    .data = (const char *)data,
					    .len = n };

		samp_tell(sp, &m);
		data += end ? n + 1 : n;
		size -= end ? n + 1 : n;
	}
	samp_once(sp, &err);
	check_sets(sp);
	samp_free(sp);
	kv_fini(&attrs);
	assert(!setdb_count(env.sets) && !pool_used(env.pool));
	return 0;
}
