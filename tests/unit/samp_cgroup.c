/* samp_cgroup.c - control groups that come and go */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "samp_rig.h"

#define CG "/sys/fs/cgroup"

static void cgroup_put(struct fixture *f, const char *group, const char *file, const char *text)
{
	char path[256];

	snprintf(path, sizeof(path), CG "/%s%s%s", group, *group ? "/" : "", file);
	sysroot_make(f->root, path, text);
}

static void cgroup_full(struct fixture *f, const char *group)
{
	cgroup_put(f, group, "cpu.stat",
		   "usage_usec 100\nuser_usec 60\nsystem_usec 40\ncore_sched.force_idle_usec 0\nnr_periods 5\n"
		   "nr_throttled 2\nthrottled_usec 30\nnr_bursts 0\nburst_usec 0\n");
	cgroup_put(f, group, "memory.current", "4096\n");
	cgroup_put(f, group, "memory.peak", "8192\n");
	cgroup_put(f, group, "memory.max", "max\n");
	cgroup_put(f, group, "memory.swap.current", "7\n");
	cgroup_put(f, group, "memory.stat",
		   "anon 11\nfile 12\nkernel 13\nkernel_stack 1\nshmem 14\nslab_reclaimable 2\nslab 15\npgfault 16\n"
		   "pgmajfault 17\nthp_fault_alloc 0\n");
	cgroup_put(f, group, "memory.events", "low 0\nhigh 1\nmax 2\noom 3\noom_kill 4\n");
	cgroup_put(f, group, "io.stat",
		   "254:0 rbytes=100 wbytes=200 rios=3 wios=4 dbytes=9 dios=9\n8:0 rbytes=1 wbytes=2 rios=3 wios=4\n");
	cgroup_put(f, group, "pids.current", "21\n");
	cgroup_put(f, group, "pids.max", "100\n");
}

#define FULL_VALUES "100 60 40 5 2 30 4096 8192 1.844674407e+19 7 11 12 13 14 15 16 17 1 2 3 4 101 202 6 8 21 100"

static void test_cgroup(void **state)
{
	struct fixture *f = *state;
	char out[8192];
	struct err err;

	assert_int_equal(try_config(f, "cgroup", "required=true", &err), -ENOENT);
	assert_non_null(strstr(err.msg, CG ": has no cgroup.controllers"));
	cgroup_put(f, "", "cgroup.controllers", "cpu io memory pids\n");
	cgroup_full(f, "system.slice/ssh.service");
	cgroup_full(f, "elsewhere/x");
	config(f, "cgroup", "");
	sample(f, "node-1/cgroup");
	check_records(f, "cgroup_list", "system.slice/ssh.service " FULL_VALUES);
	assert_string_equal(image_schema(f->sn->im.meta), "cgroup");

	/* a job comes, of which not all is accounted */
	cgroup_put(f, "system.slice/slurmstepd.scope/job_17/step_0", "cpu.stat", "usage_usec 1\n");
	cgroup_put(f, "system.slice/slurmstepd.scope/job_17", "cpu.stat", "usage_usec 9\n");
	cgroup_put(f, "system.slice/slurmstepd.scope/job_17", "memory.current", "5\n");
	cgroup_put(f, "system.slice/slurmstepd.scope/job_17", "memory.max", "6\n");
	sample(f, "node-1/cgroup");
	assert_non_null(
		strstr(records(f, "cgroup_list", out),
		       "system.slice/slurmstepd.scope/job_17 9 0 0 0 0 0 5 0 6 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0"));
	assert_non_null(strstr(out, "system.slice/ssh.service " FULL_VALUES));
	assert_null(strstr(out, "step_0"));
	assert_null(strstr(out, "elsewhere"));

	/* and goes */
	sysroot_del_tree(f->root, CG "/system.slice/slurmstepd.scope");
	sample(f, "node-1/cgroup");
	check_records(f, "cgroup_list", "system.slice/ssh.service " FULL_VALUES);
	sysroot_del_tree(f->root, CG "/system.slice");
	sample(f, "node-1/cgroup");
	check_records(f, "cgroup_list", "");
	assert_int_equal(status(f).errors, 0);
	sysroot_del_tree(f->root, CG);
	assert_int_equal(samp_once(f->sp, &err), -ENOENT);
}

/* More than there was room for, and more than descriptors are kept for. */
static void test_cgroup_many(void **state)
{
	struct fixture *f = *state;
	char name[64];

	cgroup_put(f, "", "cgroup.controllers", "cpu\n");
	config(f, "cgroup", "cgroups=jobs/job_*/step_?,jobs/*/step_0");
	sample(f, "node-1/cgroup");
	check_records(f, "cgroup_list", "");
	for (int i = 0; i < 100; i++) {
		snprintf(name, sizeof(name), "jobs/job_%d/step_0", i);
		cgroup_put(f, name, "cpu.stat", "usage_usec 5\n");
		snprintf(name, sizeof(name), "jobs/job_%d/step_batch", i);
		cgroup_put(f, name, "cpu.stat", "usage_usec 6\n");
	}
	sample(f, "node-1/cgroup");
	assert_int_equal(list_len(value(f, "cgroup_list")), 100);
	sample(f, "node-1/cgroup");
	assert_int_equal(list_len(value(f, "cgroup_list")), 100);
	assert_int_equal(status(f).errors, 0);
}

static void test_cgroup_hybrid(void **state)
{
	struct fixture *f = *state;

	sysroot_make(f->root, CG "/unified/cgroup.controllers", "\n");
	sysroot_make(f->root, CG "/unified/a/cpu.stat", "usage_usec 3\n");
	sysroot_make(f->root, "/elsewhere/cgroup.controllers", "\n");
	sysroot_make(f->root, "/elsewhere/b/cpu.stat", "usage_usec 4\n");
	config(f, "cgroup", "cgroups=*");
	sample(f, "node-1/cgroup");
	check_records(f, "cgroup_list", "a 3 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0");
	stop(f);
	config(f, "cgroup", "cgroups=* root=/elsewhere");
	sample(f, "node-1/cgroup");
	check_records(f, "cgroup_list", "b 4 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_cgroup),
		TEST(test_cgroup_many),
		TEST(test_cgroup_hybrid),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
