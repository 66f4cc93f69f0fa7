/* strgp_spool.c - storage policies with a spool: dead stores, kill -9, full disks, spoilt files */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/unit.h"
#include "core/daemon/spool.h"
#include "core/daemon/strgp.h"
#include "in_child.h"
#include "spool_rig.h"

#define KILLS 50

/* -- a dead store -------------------------------------------------------------------------------------------------- */

/* What comes while the store is dead waits on disk, over a restart, and is stored in order; memory stays flat. */
static void test_dead_store(void **state)
{
	enum { N = 5000 };
	struct strgp_conf conf = { .queue_bytes = 100000 };
	char *dir = scratch_new();
	bool *seen = xcalloc(N, sizeof(*seen)), in_order;
	struct rig r;

	sink_block(dir, true);
	rig_init(&r, dir, conf);
	assert_int_equal(strgp_start(r.sg, &r.err), 0);
	for (uint64_t i = 0; i < N; i++) {
		offer(&r, i);
		assert_true(look(&r).queued_bytes <= conf.queue_bytes);
		if (i % 50 == 0)
			WAIT_STATUS(&r, st.queued_bytes < conf.queue_bytes / 2);
	}
	WAIT_STATUS(&r, st.spooled == N);
	assert_int_equal(look(&r).dropped, 0);
	assert_non_null(strstr(look(&r).why, "Not a directory"));
	assert_true(look(&r).since_us > 0);
	assert_true(look(&r).retry_us > 0);
	assert_true(look(&r).spooled_bytes > N * 100);
	rig_fini(&r);

	rig_init(&r, dir, conf);
	assert_int_equal(strgp_start(r.sg, &r.err), 0);
	assert_int_equal(look(&r).spooled, N);
	assert_int_equal(look(&r).produced, N);
	WAIT_STATUS(&r, st.errors);
	sink_block(dir, false);
	WAIT_STATUS(&r, st.stored == N && !st.spooled_bytes);
	assert_string_equal(look(&r).why, "");
	assert_int_equal(look(&r).since_us, 0);
	assert_int_equal(stored(&r, seen, N, &in_order), N);
	assert_true(in_order);
	rig_fini(&r);
	free(seen);
	scratch_free(dir);
}

/* The spool has its bound, too: the oldest are dropped, and counted. */
static void test_bounds(void **state)
{
	struct strgp_conf conf = { .spool_bytes = SPOOL_BYTES_MIN, .queue_bytes = 4u << 20 };
	char *dir = scratch_new();
	struct rig r, other;
	uint64_t i = 0;

	sink_block(dir, true);
	rig_init(&r, dir, conf);
	assert_int_equal(strgp_start(r.sg, &r.err), 0);
	while (!look(&r).dropped) {
		for (int k = 0; k < 500; k++)
			offer(&r, i++);
		WAIT_STATUS(&r, st.queued_bytes < conf.queue_bytes / 4);
		assert_true(look(&r).spooled_bytes <= conf.spool_bytes);
	}
	rig_init(&other, dir, conf); /* one daemon at a time */
	assert_int_equal(strgp_start(other.sg, &other.err), -EBUSY);
	assert_non_null(strstr(other.err.msg, "another daemon uses it"));
	rig_fini(&other);
	rig_fini(&r);

	conf.spool_age_us = 1; /* all of it is older */
	rig_init(&r, dir, conf);
	assert_int_equal(strgp_start(r.sg, &r.err), 0);
	WAIT_STATUS(&r, st.dropped == i && !st.spooled_bytes);
	rig_fini(&r);
	scratch_free(dir);
}

/* Without a spool: what waited too long is dropped. */
static void test_queue_age(void **state)
{
	struct strgp_conf conf = { .name = "q", .schema = "s", .queue_age_us = 50 * MSEC_US };
	char *dir = scratch_new();
	struct rig r;

	sink_block(dir, true);
	rig_init(&r, dir, (struct strgp_conf){ 0 });
	strgp_put(r.sg);
	conf.store = r.store;
	assert_int_equal(strgp_new(&conf, r.threads, &r.sg, &r.err), 0);
	assert_int_equal(strgp_start(r.sg, &r.err), 0);
	offer(&r, 1);
	WAIT_STATUS(&r, st.errors);
	WAIT_STATUS(&r, st.dropped == 1 && st.produced == 1); /* though nothing else comes */
	rig_fini(&r);
	scratch_free(dir);
}

/* -- kill -9 ------------------------------------------------------------------------------------------------------- */

struct shared {
	_Atomic uint64_t next; /* offered: all below */
};

static void produce_until_killed(const char *dir, struct shared *sh)
{
	struct rig r;

	rig_init(&r, dir, (struct strgp_conf){ .queue_bytes = 40000 });
	if (strgp_start(r.sg, &r.err))
		_exit(1);
	for (;;) {
		for (int k = 0; k < 20; k++) {
			offer(&r, sh->next);
			sh->next++;
		}
		nap();
	}
}

/* Killed at any moment, with a store that is dead in every other life: all is stored, or spooled, or counted. */
static void test_kill(void **state)
{
	struct shared *sh = mmap(NULL, sizeof(*sh), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	char *dir = scratch_new();
	struct strgp_status end;
	bool *seen, in_order;
	uint64_t n, got;
	int status;
	struct rig r;

	srand(20);
	for (int i = 0; i < KILLS; i++) {
		pid_t pid;

		sink_block(dir, i % 2);
		pid = fork();
		if (!pid)
			produce_until_killed(dir, sh);
		nanosleep(&(struct timespec){ .tv_nsec = 1000000 * (5 + rand() % 40) }, NULL);
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status));
		if (i % 2)
			sink_block(dir, false);
	}
	n = sh->next;
	rig_init(&r, dir, (struct strgp_conf){ 0 });
	assert_int_equal(strgp_start(r.sg, &r.err), 0);
	WAIT_STATUS(&r, !st.spooled);
	assert_int_equal(strgp_stop(r.sg, 10 * SEC_US, &r.err), 0);
	end = look(&r);
	/* between an offer and its count here a process may have ended */
	assert_in_range(end.produced, n, n + KILLS);
	assert_int_equal(end.produced, end.stored + end.dropped);
	assert_true(end.stored > 0);
	seen = xcalloc(n + KILLS, sizeof(*seen));
	got = stored(&r, seen, n + KILLS, &in_order);
	assert_true(in_order);
	/* what a store had not flushed when the process ended is counted, though some of it may be there */
	assert_true(got >= end.stored - KILLS);
	assert_true(n - got <= end.dropped);
	print_message("produced=%llu stored=%llu dropped=%llu there=%llu\n", (unsigned long long)end.produced,
		      (unsigned long long)end.stored, (unsigned long long)end.dropped, (unsigned long long)got);
	free(seen);
	rig_fini(&r);
	munmap(sh, sizeof(*sh));
	scratch_free(dir);
}

/* -- disks --------------------------------------------------------------------------------------------------------- */

/* The whole spool, as text, is in one file. */
static char *segment(const struct rig *r)
{
	return xasprintf("%s/sg/0000000000000000.spool", r->spool);
}

static void spool_ten(const char *dir, struct rig *r)
{
	sink_block(dir, true);
	rig_init(r, dir, (struct strgp_conf){ 0 });
	assert_int_equal(strgp_start(r->sg, &r->err), 0);
	for (uint64_t i = 0; i < 10; i++)
		offer(r, i);
	WAIT_STATUS(r, st.spooled == 10);
	assert_int_equal(strgp_stop(r->sg, SEC_US, &r->err), 0);
}

/* A torn record is cut off; a spoilt one is passed; both are counted. */
static void test_torn_and_spoilt(void **state)
{
	char *dir = scratch_new(), *path;
	bool seen[10] = { false }, in_order;
	struct stat sb;
	struct rig r;
	int fd;

	spool_ten(dir, &r);
	path = segment(&r);
	assert_int_equal(stat(path, &sb), 0);
	assert_int_equal(truncate(path, sb.st_size - 5), 0);
	assert_int_equal(strgp_start(r.sg, &r.err), 0);
	WAIT_STATUS(&r, st.errors);
	assert_int_equal(look(&r).spooled, 9);
	assert_int_equal(look(&r).dropped, 1);
	/* the eighth, while they are read: those behind it refer to the first one's metadata */
	assert_int_equal(stat(path, &sb), 0);
	fd = open(path, O_WRONLY);
	assert_int_equal(pwrite(fd, "\xff\xff\xff\xff", 4, sb.st_size - (off_t)r.set->data_sz - 4), 4);
	close(fd);
	sink_block(dir, false);
	WAIT_STATUS(&r, !st.spooled);
	assert_int_equal(look(&r).produced, 10);
	/* unless it had been read */
	assert_in_range(look(&r).stored, 8, 9);
	assert_int_equal(stored(&r, seen, 10, &in_order), look(&r).stored);
	assert_true(in_order);
	free(path);
	rig_fini(&r);
	scratch_free(dir);
}

/* One that does not tell where it ends costs no other, whether that is seen at once or while they are read. */
static void test_spoilt_head(void **state)
{
	char *dir = scratch_new(), *path;
	bool seen[10] = { false }, in_order;
	struct stat sb;
	off_t size;
	struct rig r;
	int fd;

	spool_ten(dir, &r);
	path = segment(&r);
	assert_int_equal(stat(path, &sb), 0);
	size = 32 + (off_t)r.set->data_sz; /* all but the first have no metadata */
	fd = open(path, O_WRONLY);
	assert_int_equal(pwrite(fd, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 12, sb.st_size - 4 * size), 12);
	assert_int_equal(strgp_start(r.sg, &r.err), 0);
	WAIT_STATUS(&r, st.errors);
	assert_int_equal(look(&r).spooled, 10);
	assert_int_equal(pwrite(fd, "\0\0\0\0", 4, sb.st_size - 6 * size), 4);
	assert_int_equal(pwrite(fd, "\xff\xff\xff\xff", 4, sb.st_size - 2 * size), 4);
	close(fd);
	sink_block(dir, false);
	WAIT_STATUS(&r, !st.spooled);
	/* those that were read already are in memory */
	assert_in_range(look(&r).stored, 7, 9);
	assert_int_equal(look(&r).stored + look(&r).dropped, 10);
	assert_int_equal(stored(&r, seen, 10, &in_order), look(&r).stored);
	assert_false(seen[6]);
	assert_true(seen[9] && in_order);
	free(path);
	rig_fini(&r);
	scratch_free(dir);
}

/* Where it is the one that has the metadata, it takes those with it that refer to it; they are counted. */
static void test_spoilt_metadata(void **state)
{
	char *dir = scratch_new(), *path;
	bool seen[10] = { false }, in_order;
	struct rig r;
	int fd;

	spool_ten(dir, &r);
	path = segment(&r);
	fd = open(path, O_WRONLY);
	assert_int_equal(pwrite(fd, "\xff\xff\xff\xff", 4, 40), 4);
	close(fd);
	sink_block(dir, false);
	assert_int_equal(strgp_start(r.sg, &r.err), 0);
	offer(&r, 10);
	WAIT_STATUS(&r, !st.spooled && !st.queued);
	assert_int_equal(look(&r).produced, 11);
	assert_int_equal(look(&r).stored, 1);
	assert_int_equal(look(&r).dropped, 10);
	assert_int_equal(stored(&r, seen, 10, &in_order), 0);
	free(path);
	rig_fini(&r);
	scratch_free(dir);
}

/* Somebody takes a segment away: that is counted as well. */
static void test_removed(void **state)
{
	char *dir = scratch_new(), *path;
	struct rig r;

	spool_ten(dir, &r);
	path = segment(&r);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(strgp_start(r.sg, &r.err), 0);
	assert_int_equal(look(&r).produced, 10);
	assert_int_equal(look(&r).dropped, 10);
	free(path);
	rig_fini(&r);
	scratch_free(dir);
}

/* ... or the whole folder, while it is in use: all is there until the policy stops, and counted as dropped then. */
static void test_removed_in_use(void **state)
{
	char *dir = scratch_new(), *away;
	struct rig r;

	sink_block(dir, true);
	rig_init(&r, dir, (struct strgp_conf){ 0 });
	assert_int_equal(strgp_start(r.sg, &r.err), 0);
	for (uint64_t i = 0; i < 10; i++)
		offer(&r, i);
	WAIT_STATUS(&r, st.spooled == 10);
	WAIT_STATUS(&r, st.errors > 1); /* it has begun to read */
	away = xasprintf("rm -r '%s'", r.spool);
	assert_int_equal(system(away), 0);
	assert_int_equal(look(&r).spooled, 10);
	assert_int_equal(strgp_stop(r.sg, SEC_US, &r.err), 0);
	assert_int_equal(look(&r).spooled, 0);
	assert_int_equal(look(&r).dropped, 10);
	free(away);
	rig_fini(&r);
	scratch_free(dir);
}

/* In a mount namespace of its own: a disk of one megabyte. */
static int full_disk(const void *arg)
{
	const char *dir = arg;
	struct strgp_status st;
	struct rig r;
	uint64_t i = 0;
	int64_t until = mono_us() + WAIT_MAX_US;

	if (unshare(CLONE_NEWNS)) /* root's; others have no disks to make small */
		return 77;
	sink_block(dir, true);
	rig_init(&r, dir, (struct strgp_conf){ .queue_bytes = 200000 });
	mkdir(r.spool, 0700);
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) || mount("none", r.spool, "tmpfs", 0, "size=1m"))
		return 77;
	WANT(!strgp_start(r.sg, &r.err));
	do {
		for (int k = 0; k < 100; k++)
			offer(&r, i++);
		nap();
		strgp_status(r.sg, &st);
		WANT(adds_up(&st));
	} while (!(st.dropped && strstr(st.why, "No space left")) && mono_us() < until);
	WANT(st.dropped);
	WANT(strstr(st.why, "spool") && strstr(st.why, "No space left"));
	WANT(st.spooled > 1000);
	WANT(!strgp_stop(r.sg, SEC_US, &r.err));
	strgp_status(r.sg, &st);
	WANT(adds_up(&st) && st.produced == i && !st.queued);
	/* and what is on the disk is whole */
	sink_block(dir, false);
	WANT(!strgp_start(r.sg, &r.err));
	do {
		nap();
		strgp_status(r.sg, &st);
	} while (st.spooled && mono_us() < until);
	WANT(!st.spooled && st.stored > 1000 && st.stored + st.dropped == i);
	rig_fini(&r);
	return 0;
}

static void test_full_disk(void **state)
{
	char *dir = scratch_new();
	int rc = in_child(full_disk, dir);

	scratch_free(dir);
	if (rc == 77)
		skip();
	assert_int_equal(rc, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kill), /* before there are threads: it forks */
		cmocka_unit_test(test_full_disk),
		cmocka_unit_test(test_dead_store),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_queue_age),
		cmocka_unit_test(test_torn_and_spoilt),
		cmocka_unit_test(test_spoilt_head),
		cmocka_unit_test(test_spoilt_metadata),
		cmocka_unit_test(test_removed),
		cmocka_unit_test(test_removed_in_use),
	};

	log_level_set(LOG_QUIET_);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
