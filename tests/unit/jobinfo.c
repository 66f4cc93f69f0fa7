/* jobinfo.c - files that say which job runs: read, written, and as sets of the samplers jobinfo and jobid */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/base/jobinfo.h"
#include "core/base/log.h"
#include "samp_rig.h"

static void check_text(struct fixture *f, const char *name, const char *want)
{
	const char *text;
	size_t len = value_text(value(f, name), &text);

	assert_int_equal(len, strlen(want));
	assert_memory_equal(text, want, len);
}

static void test_file(void **state)
{
	struct fixture *f = *state;
	const struct jobinfo ji = { 1001, 3, 1000, JOBINFO_STATUS_RUNS, 1795187234, 0, 0, "alice", "my \"job\"\nX=1" };
	char *path = sysroot_path(f->root, "/jobinfo"), *text;
	struct jobinfo back;
	struct err err;

	assert_int_equal(jobinfo_write(path, &ji, &err), 0);
	text = sysroot_get(f->root, "/jobinfo");
	assert_string_equal(text, "JOB_ID=1001\nJOB_APP_ID=3\nJOB_USER_ID=1000\nJOB_STATUS=1\nJOB_START=1795187234\n"
				  "JOB_END=0\nJOB_EXIT=0\nJOB_USER=\"alice\"\nJOB_NAME=\"my  job  X=1\"\n");
	assert_int_equal(jobinfo_parse(&back, text, &err), 0);
	assert_int_equal(back.job_id, 1001);
	assert_int_equal(back.start_s, 1795187234);
	assert_string_equal(back.name, "my  job  X=1");
	free(text);
	assert_int_equal(jobinfo_parse(&back, "JOB_NAME=plain \r\nJOB_ID=7\nOTHER=x\nnothing", &err), 0);
	assert_int_equal(back.job_id, 7);
	assert_int_equal(back.start_s, 0);
	assert_string_equal(back.name, "plain");
	assert_int_equal(jobinfo_parse(&back, "JOB_ID=8\nJOB_END=x\n", &err), -EINVAL);
	assert_non_null(strstr(err.msg, "JOB_END="));
	assert_int_equal(back.job_id, 7);
	assert_int_equal(jobinfo_write("/no/such/folder/file", &ji, &err), -ENOENT);
	assert_non_null(strstr(err.msg, "/no/such/folder/file: cannot be written"));
	free(path);
}

static void test_jobinfo(void **state)
{
	struct fixture *f = *state;
	struct err err;

	config(f, "jobinfo", "file=/jobinfo component_id=4");
	assert_int_equal(samp_once(f->sp, &err), 0); /* no job yet */
	look(f, "node-1/jobinfo");
	check_digest(f, "jobinfo", "777211B128C9FCA5203DBEDC393DB0F702C446F6A5AE6AF71456360A335D73A5");
	assert_int_equal(le32toh(f->sn->im.meta->meta_sz), 664);
	assert_int_equal(le32toh(f->sn->im.meta->data_sz), 672);
	assert_int_equal(le32toh(f->sn->im.data->flags), SET_TRANS_NEVER);
	sysroot_put(f->root, "/jobinfo",
		    "JOB_ID=77\nJOB_APP_ID=3\nJOB_STATUS=1\nJOB_START=1795285000\nJOB_NAME=\"my job\"\n");
	sample(f, "node-1/jobinfo");
	check_u64(f, "component_id", 4);
	check_u64(f, "job_id", 77);
	check_u64(f, "app_id", 3);
	check_u64(f, "job_start", 1795285000);
	check_u64(f, "job_end", 0);
	check_text(f, "job_name", "my job");
	check_text(f, "job_user", "");
	assert_int_equal(le64toh(f->sn->im.data->gn), 2);
	sample(f, "node-1/jobinfo"); /* nothing new */
	assert_int_equal(le64toh(f->sn->im.data->gn), 2);
	sysroot_put(f->root, "/jobinfo", "JOB_ID=78\nJOB_EXIT=x\n");
	assert_int_equal(samp_once(f->sp, &err), -EINVAL);
	assert_non_null(strstr(err.msg, "/jobinfo: JOB_EXIT=: "));
	sysroot_put(f->root, "/jobinfo", "JOB_ID=79\nJOB_END=1795285999\nJOB_EXIT=256\n");
	sample(f, "node-1/jobinfo");
	check_u64(f, "job_id", 79);
	check_u64(f, "app_id", 0);
	check_u64(f, "job_exit_status", 256);
	sysroot_del(f->root, "/jobinfo");
	sample(f, "node-1/jobinfo");
	check_u64(f, "job_id", 79);
}

static void test_jobid(void **state)
{
	struct fixture *f = *state;

	log_level_set(LOG_QUIET_);
	config(f, "jobid", "file=/jobid component_id=4");
	sample(f, "node-1/jobid");
	check_digest(f, "jobid", "3F8ABE6EF89347642D68733430C458280881C2C0DE0AC65AE02C6449BAA9A9B3");
	assert_int_equal(le32toh(f->sn->im.meta->meta_sz), 544);
	assert_int_equal(le32toh(f->sn->im.meta->data_sz), 160);
	check_u64(f, "component_id", 4);
	check_u64(f, "job_id", 0);
	check_text(f, "username", "root");
	sysroot_put(f->root, "/jobid", "JOBID=42\nUID=1000\nUSER=alice\nAPPID=7\n");
	sample(f, "node-1/jobid");
	check_u64(f, "job_id", 42);
	check_u64(f, "uid", 1000);
	check_u64(f, "app_id", 7);
	check_text(f, "username", "alice");
	sysroot_put(f->root, "/jobid", "JOBID=43\n");
	sample(f, "node-1/jobid");
	check_u64(f, "job_id", 43);
	check_u64(f, "uid", 0);
	check_text(f, "username", "root");
	for (int i = 0; i < 3; i++) {
		sysroot_put(f->root, "/jobid", i == 0 ? "JOBID=x\nUID=5\n" : i == 1 ? "UID=5\n" : "");
		sample(f, "node-1/jobid");
		check_u64(f, "job_id", 0);
		check_u64(f, "uid", 0);
	}
	log_level_set(LOG_INFO_);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_file, setup, teardown),
		cmocka_unit_test_setup_teardown(test_jobinfo, setup, teardown),
		cmocka_unit_test_setup_teardown(test_jobid, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
