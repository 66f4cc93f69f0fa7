/* slurm.c - Slurm's events, as its notifier publishes them, and the sets that an ldmsd made of them */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/base/buf.h"
#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/unit.h"
#include "core/set/value_text.h"
#include "samp_rig.h"

static void tell_as(struct fixture *f, bool json, const char *text)
{
	const struct samp_msg m = { .via = SAMP_MSG, .name = "slurm", .json = json, .data = text, .len = strlen(text) };
	struct err err;

	samp_tell(f->sp, &m);
	if (samp_once(f->sp, &err))
		fail_msg("%s", err.msg);
}

static void tell(struct fixture *f, const char *text)
{
	tell_as(f, true, text);
}

/* An event with these members in its data. */
static void event(struct fixture *f, const char *name, unsigned int job, long long at, const char *more)
{
	char *text = xasprintf("{\"event\":\"%s\",\"timestamp\":%lld,\"data\":{\"job_id\":%u%s%s}}", name, at, job,
			       *more ? "," : "", more);

	tell(f, text);
	free(text);
}

static void job(struct fixture *f, unsigned int id, long long at)
{
	event(f, "init", id, at, "\"nnodes\":1,\"local_tasks\":2,\"total_tasks\":4,\"uid\":1000,\"gid\":100");
}

static uint64_t errors(struct fixture *f)
{
	struct samp_status st;

	samp_status(f->sp, &st);
	return st.msg_errors;
}

static const char *shown(struct fixture *f, const char *name)
{
	static struct buf b[4];
	static unsigned int at;
	struct buf *to = &b[at++ % 4];

	buf_reset(to);
	value_text_put(to, &f->sn->im, value(f, name));
	return buf_str(to);
}

/* The events of a job of one task, as they were published. */
static const char init[] = "{\"schema\":\"slurm_job_data\",\"event\":\"init\",\"timestamp\":1795187234,"
			   "\"context\":\"node-1(prolog/"
			   "epilog),1001,-2\",\"data\":{\"job_id\":1001,\"nodeid\":0,\"uid\":1000,\"gid\":1000,"
			   "\"ncpus\":4,\"nnodes\":1,\"local_tasks\":2,\"total_tasks\":2,\"workflow_id\":null}}";
static const char step[] =
	"{\"schema\":\"slurm_step_data\",\"event\":\"step_init\",\"timestamp\":1795187234,"
	"\"context\":\"node-1(slurmstepd),1001,0\",\"data\":{\"subscriber_data\":{\"job_tag\":\"tagA\"},"
	"\"job_name\":\"sleepy\",\"job_user\":\"alice\",\"job_id\":1001,\"nodeid\":0,\"step_id\":0,\"alloc_mb\":100,"
	"\"ncpus\":4,\"nnodes\":1,\"local_tasks\":2,\"total_tasks\":2,\"workflow_id\":null}}";
static const char task[] =
	"{\"schema\":\"slurm_task_data\",\"event\":\"task_init_priv\",\"timestamp\":1795187234,"
	"\"context\":\"node-1(slurmstepd),1001,0\",\"data\":{\"job_id\":1001,\"step_id\":0,\"task_id\":0,"
	"\"task_global_id\":0,\"task_pid\":5963,\"nodeid\":0,\"uid\":1000,\"gid\":1000,\"ncpus\":4,\"nnodes\":1,"
	"\"local_tasks\":2,\"total_tasks\":2,\"workflow_id\":null}}";
static const char task_exit[] =
	"{\"schema\":\"slurm_task_data\",\"event\":\"task_exit\",\"timestamp\":1795187265,"
	"\"context\":\"node-1(slurmstepd),1001,0\",\"data\":{\"job_id\":1001,\"step_id\":0,\"task_id\":0,"
	"\"task_global_id\":0,\"task_pid\":5963,\"nodeid\":0,\"task_exit_status\":256,\"workflow_id\":null}}";
static const char job_exit[] =
	"{\"schema\":\"slurm_job_data\",\"event\":\"exit\",\"timestamp\":1795187265,"
	"\"context\":\"node-1(prolog/epilog),1001,-2\",\"data\":{\"job_id\":1001,\"nodeid\":0,\"workflow_id\":null}}";

static void test_slots(void **state)
{
	struct fixture *f = *state;

	config(f, "slurm_sampler", "instance=node-1/slurm component_id=1 job_count=4 task_count=4");
	look(f, "node-1/slurm");
	check_digest(f, "mt-slurm", "5D68EE23934EB070E836CCC55ABEB2BA2E87A892F195042CC90FFF2C1A6C0379");
	assert_int_equal(le32toh(f->sn->im.meta->meta_sz), 1920);
	assert_int_equal(le32toh(f->sn->im.meta->data_sz), 2704);
	assert_int_equal(le32toh(f->sn->im.data->flags), SET_TRANS_NEVER);
	assert_string_equal(shown(f, "component_id"), "1,1,1,1");
	assert_string_equal(shown(f, "job_slot_list"), "-1,-1,-1,-1");
	tell(f, init);
	tell(f, step);
	tell(f, task);
	look(f, "node-1/slurm");
	assert_int_equal(le32toh(f->sn->im.data->flags), SET_TRANS_DONE);
	assert_string_equal(shown(f, "job_id"), "1001,0,0,0");
	assert_string_equal(shown(f, "job_slot_list"), "0,-1,-1,-1");
	assert_string_equal(shown(f, "job_slot_list_tail"), "0");
	assert_string_equal(shown(f, "job_state"), "0x02,0x00,0x00,0x00");
	assert_string_equal(shown(f, "job_size"), "2,0,0,0");
	assert_string_equal(shown(f, "job_uid"), "1000,0,0,0");
	assert_string_equal(shown(f, "job_start"), "1795187234,0,0,0");
	assert_string_equal(shown(f, "node_count"), "1,0,0,0");
	assert_string_equal(shown(f, "task_count"), "2,0,0,0");
	assert_string_equal(shown(f, "task_pid_0"), "5963,0,0,0");
	assert_string_equal(shown(f, "user_0"), "\"alice\"");
	assert_string_equal(shown(f, "job_name_0"), "\"sleepy\"");
	assert_string_equal(shown(f, "job_tag_0"), "\"tagA\"");
	tell(f, task_exit);
	look(f, "node-1/slurm");
	assert_string_equal(shown(f, "job_state"), "0x03,0x00,0x00,0x00");
	assert_string_equal(shown(f, "task_exit_status_0"), "256,0,0,0");
	tell(f, job_exit);
	look(f, "node-1/slurm");
	assert_string_equal(shown(f, "job_state"), "0x04,0x00,0x00,0x00");
	assert_string_equal(shown(f, "job_end"), "1795187265,0,0,0");
	assert_int_equal(errors(f), 0);
}

/* Several jobs at a time; slots of ended ones are used again, the oldest first. */
static void test_slots_again(void **state)
{
	struct fixture *f = *state;

	log_level_set(LOG_QUIET_);
	config(f, "slurm_sampler", "job_count=3 task_count=2");
	for (unsigned int i = 1; i <= 3; i++)
		job(f, i, 100 + i);
	job(f, 4, 104); /* lost: no slot */
	assert_int_equal(errors(f), 1);
	job(f, 2, 200); /* known */
	look(f, "node-1/slurm_sampler");
	assert_string_equal(shown(f, "job_id"), "1,2,3");
	assert_string_equal(shown(f, "job_slot_list"), "0,1,2");
	assert_string_equal(shown(f, "job_start"), "101,102,103");
	event(f, "step_init", 2, 105, "\"job_user\":\"bob\",\"job_name\":\"b\",\"step_id\":7");
	event(f, "exit", 2, 110, "");
	event(f, "exit", 1, 111, "");
	look(f, "node-1/slurm_sampler");
	assert_string_equal(shown(f, "job_id"), "1,2,3"); /* to be read until they are needed */
	assert_string_equal(shown(f, "app_id"), "0,7,0");
	assert_string_equal(shown(f, "job_end"), "111,110,0");
	assert_string_equal(shown(f, "user_1"), "\"bob\"");
	job(f, 5, 120);
	job(f, 6, 121);
	look(f, "node-1/slurm_sampler");
	assert_string_equal(shown(f, "job_id"), "6,5,3");
	assert_string_equal(shown(f, "job_slot_list"), "1,0,2");
	assert_string_equal(shown(f, "job_slot_list_tail"), "1");
	assert_string_equal(shown(f, "job_end"), "0,0,0");
	assert_string_equal(shown(f, "user_1"), "\"\"");
	/* what is not right changes nothing */
	event(f, "exit", 1, 130, "");
	event(f, "task_init_priv", 5, 130, "\"task_id\":2,\"task_pid\":1");
	event(f, "task_exit", 5, 130, "");
	tell(f, "{\"event\":\"init\",\"timestamp\":1,\"data\":{}}");
	tell(f, "{\"event\":\"init\",\"data\":{\"job_id\":9}}");
	tell(f, "{\"timestamp\":1,\"data\":{\"job_id\":9}}");
	tell(f, "{\"event\":\"init\",\"timestamp\":1}");
	tell(f, "{\"event\":\"init\",\"timestamp\":1,\"data\":{\"job_id\":9,\"total_tasks\":null}}");
	tell(f, "[]");
	tell(f, "{");
	assert_int_equal(errors(f), 11);
	event(f, "heartbeat", 77, 130, "");
	tell_as(f, false, "some text");
	assert_int_equal(errors(f), 11);
	look(f, "node-1/slurm_sampler");
	assert_string_equal(shown(f, "job_id"), "6,5,3");
	assert_string_equal(shown(f, "job_state"), "0x01,0x01,0x01");
	log_level_set(LOG_INFO_);
}

static void test_lists(void **state)
{
	struct fixture *f = *state;

	config(f, "slurm_sampler2", "instance=node-1/slurm2 component_id=1");
	look(f, "node-1/slurm2");
	check_digest(f, "mt-slurm2", "5BD07337CF356874EAAE5825B65CEDB4B88E9C8CAD4818EB06C48EF421EDA11D");
	assert_int_equal(le32toh(f->sn->im.meta->meta_sz), 2008);
	assert_int_equal(le32toh(f->sn->im.meta->data_sz) - le32toh(f->sn->im.meta->heap_sz), 9864 - 9728);
	check_u64(f, "component_id", 1);
	tell(f, init);
	tell(f, step);
	tell(f, task);
	look(f, "node-1/slurm2");
	check_u64(f, "component_id", 1);
	assert_string_equal(
		shown(f, "job_list"),
		"\n  job_id app_id    user job_name job_tag job_state job_size job_uid job_gid job_start (timestamp) "
		"job_end (timestamp) node_count task_count\n"
		"    1001      0 \"alice\" \"sleepy\"  \"tagA\"         2        2    1000    1000            "
		"1795187234 "
		"                  0          1          2");
	assert_string_equal(shown(f, "task_list"), "\n  job_id task_pid task_rank task_exit_status\n"
						   "    1001     5963         0                0");
	tell(f, task_exit);
	tell(f, job_exit);
	look(f, "node-1/slurm2");
	assert_string_equal(shown(f, "task_list"), "\n  job_id task_pid task_rank task_exit_status\n"
						   "    1001     5963         0              256");
	assert_int_equal(errors(f), 0);
}

/* More than there is room for; ended jobs go, those that ended just now stay. */
static void test_lists_grow(void **state)
{
	struct fixture *f = *state;
	long long now = wall_us() / SEC_US;
	struct set *first;

	log_level_set(LOG_QUIET_);
	config(f, "slurm_sampler2", "job_count=1 task_count=2 delete_time=100");
	first = setdb_find(f->env.sets, "node-1/slurm_sampler2");
	for (unsigned int i = 1; i <= 5; i++)
		job(f, i, now - 1000);
	for (unsigned int i = 0; i < 50; i++) {
		char more[64];

		snprintf(more, sizeof(more), "\"task_pid\":%u,\"task_global_id\":%u", 100 + i, i);
		event(f, "task_init_priv", 1 + i % 5, now - 1000, more);
	}
	assert_true(first->deleted);
	set_put(first);
	look(f, "node-1/slurm_sampler2");
	assert_int_equal(list_len(value(f, "job_list")), 5);
	assert_int_equal(list_len(value(f, "task_list")), 50);
	event(f, "exit", 1, now - 500, "");
	event(f, "exit", 2, now, "");
	look(f, "node-1/slurm_sampler2");
	assert_int_equal(list_len(value(f, "job_list")), 5); /* until another begins */
	job(f, 6, now);
	look(f, "node-1/slurm_sampler2");
	assert_int_equal(list_len(value(f, "job_list")), 5);
	assert_int_equal(list_len(value(f, "task_list")), 40);
	job(f, 2, now); /* a number comes again */
	look(f, "node-1/slurm_sampler2");
	assert_int_equal(list_len(value(f, "job_list")), 6);
	assert_int_equal(list_len(value(f, "task_list")), 30);
	assert_int_equal(errors(f), 0);
	event(f, "task_exit", 3, now, "\"task_pid\":9999");
	event(f, "step_init", 1, now, "");
	assert_int_equal(errors(f), 2);
	stop(f);

	config(f, "slurm_sampler2", "delete_time=0");
	job(f, 1, now);
	event(f, "exit", 1, now, "");
	job(f, 2, now);
	look(f, "node-1/slurm_sampler2");
	assert_int_equal(list_len(value(f, "job_list")), 1);
	stop(f);

	config(f, "slurm_sampler2", "delete_time=-1");
	job(f, 1, 5);
	event(f, "exit", 1, 6, "");
	job(f, 2, now);
	look(f, "node-1/slurm_sampler2");
	assert_int_equal(list_len(value(f, "job_list")), 2);
	log_level_set(LOG_INFO_);
}

static void test_conf(void **state)
{
	struct fixture *f = *state;
	struct err err;

	assert_int_equal(try_config(f, "slurm_sampler2", "delete_time=x", &err), -EINVAL);
	assert_non_null(strstr(err.msg, "delete_time=x"));
	assert_int_equal(try_config(f, "slurm_sampler2", "delete_time=-2", &err), -EINVAL);
	assert_int_equal(try_config(f, "slurm_sampler2", "job_count=0", &err), -EINVAL);
	stop(f);
	assert_int_equal(try_config(f, "slurm_sampler", "job_count=0", &err), -EINVAL);
	assert_int_equal(try_config(f, "slurm_sampler", "task_count=100000", &err), -EINVAL);
	config(f, "slurm_sampler", "");
	look(f, "node-1/slurm_sampler");
	assert_int_equal(value(f, "job_id").count, 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_slots, setup, teardown),
		cmocka_unit_test_setup_teardown(test_slots_again, setup, teardown),
		cmocka_unit_test_setup_teardown(test_lists, setup, teardown),
		cmocka_unit_test_setup_teardown(test_lists_grow, setup, teardown),
		cmocka_unit_test_setup_teardown(test_conf, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
