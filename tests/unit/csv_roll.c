/* csv_roll.c - store csv: files that roll over, are renamed, told apart, and deleted when they are old */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/unit.h"
#include "core/base/xalloc.h"
#include "core/daemon/strgp.h"
#include "scratch.h"
#include "store/csv_impl.h"

static char *scratch;

static int setup(void **state)
{
	scratch = scratch_new();
	return 0;
}

static int teardown(void **state)
{
	scratch_free(scratch);
	return 0;
}

/* -- a store and rows ---------------------------------------------------------------------------------------------- */

static struct row_col cols[] = { { "n", V_U64, 1, ROW_METRIC },
				 { "uid", V_U64, 1, ROW_METRIC },
				 { "job_id", V_U64, 1, ROW_METRIC } };
static struct row_schema *schema;

static int schema_make(void **state)
{
	schema = xcalloc(1, sizeof(*schema));
	*schema = (struct row_schema){ .name = xstrdup("s"), .n_cols = 3, .refs = 1 };
	schema->cols = xcalloc(3, sizeof(*cols));
	memcpy(schema->cols, cols, sizeof(cols));
	for (size_t i = 0; i < 3; i++)
		schema->cols[i].name = xstrdup(cols[i].name);
	return 0;
}

static int schema_end(void **state)
{
	row_schema_put(schema);
	return 0;
}

struct rig {
	struct store *store;
	struct store_sink *sink;
	struct err err;
};

static int rig_config(struct rig *r, const char *attrs)
{
	struct kv kv = { 0 };
	int rc;

	kv_parse(&kv, attrs);
	rc = store_config(r->store, &kv, &r->err);
	kv_fini(&kv);
	return rc;
}

static void rig_open(struct rig *r, const char *attrs)
{
	char *all = xasprintf("path=%s %s", scratch, attrs);

	*r = (struct rig){ 0 };
	if (store_new(store_type_find("csv"), "x", &r->store, &r->err) || rig_config(r, all) ||
	    store_type(r->store)->open(r->store, "c", &r->sink, &r->err))
		fail_msg("%s", r->err.msg);
	free(all);
}

static void rig_close(struct rig *r)
{
	store_type(r->store)->close(r->sink);
	store_put(r->store);
}

static void put_row(struct rig *r, uint64_t n, uint64_t uid, uint64_t job)
{
	const uint64_t v[] = { htole64(n), htole64(uid), htole64(job) };
	const struct value values[] = { { V_U64, 1, (const uint8_t *)&v[0] },
					{ V_U64, 1, (const uint8_t *)&v[1] },
					{ V_U64, 1, (const uint8_t *)&v[2] } };
	struct row row = { .schema = schema, .producer = "p/../q", .instance = "p/s", .ts_sec = 86400, .v = values };

	if (store_type(r->store)->row(r->sink, &row, &r->err))
		fail_msg("%s", r->err.msg);
}

/* -- files --------------------------------------------------------------------------------------------------------- */

static char *text_of(const char *path)
{
	FILE *f = fopen(path, "r");
	struct buf b = { 0 };
	size_t n;

	if (!f)
		return NULL;
	while ((n = fread(buf_reserve(&b, 4096), 1, 4096, f)))
		b.len += n;
	fclose(f);
	buf_str(&b);
	return (char *)b.p;
}

static char *stored(const char *name)
{
	char *path = xasprintf("%s/%s", scratch, name), *text = text_of(path);

	if (!text)
		fail_msg("%s: is not there", path);
	free(path);
	return text;
}

static void assert_stored(const char *name, const char *want)
{
	char *text = stored(name);

	assert_string_equal(text, want);
	free(text);
}

static bool is_there(const char *name)
{
	char *path = xasprintf("%s/%s", scratch, name);
	bool there = !access(path, F_OK);

	free(path);
	return there;
}

/* Names in a folder that begin so, in order; returns how many. */
static int names_in(const char *folder, const char *begin, char *names[64])
{
	char *path = xasprintf("%s/%s", scratch, folder);
	struct dirent **list;
	int n = scandir(path, &list, NULL, alphasort), found = 0;

	for (int i = 0; i < n; i++) {
		if (!strncmp(list[i]->d_name, begin, strlen(begin)) && found < 64)
			names[found++] = xasprintf("%s/%s", folder, list[i]->d_name);
		free(list[i]);
	}
	if (n >= 0)
		free(list);
	free(path);
	return found;
}

static void next_second(void)
{
	time_t now = time(NULL);

	while (time(NULL) == now)
		usleep(2000);
}

/* -- tests --------------------------------------------------------------------------------------------------------- */

/* Every row is in one file, in order, whatever rolls; each file has a header and the names that the template says. */
static void test_rows(void **state)
{
	char *names[64], *text;
	uint64_t n = 0;
	struct rig r;
	int files;

	rig_open(&r, "rolltype=3 rollover=3 buffer=2 buffertype=3 typeheader=1 rename_perm=640 "
		     "rename_template=%D/spool/%P.%C.%S.%T.%B.%s.%x");
	for (int turn = 0; turn < 3; turn++) {
		for (int i = 0; i < 4; i++)
			put_row(&r, n++, 0, 0);
		next_second();
	}
	rig_close(&r);
	assert_int_equal(names_in("c", "s.", names), 0); /* all have their new names */
	assert_int_equal(names_in("c/spool", "store_csv.c.s.KIND.s.KIND.", names), 3);
	for (int i = 0; i < 3; i++)
		free(names[i]);
	files = names_in("c/spool", "store_csv.c.s.DATA.s.", names);
	assert_int_equal(files, 3);
	n = 0;
	for (int i = 0; i < files; i++) {
		struct stat st;
		char *path = xasprintf("%s/%s", scratch, names[i]), *line, *at;

		assert_false(stat(path, &st));
		assert_int_equal(st.st_mode & 0777, 0640);
		at = text = text_of(path);
		assert_string_equal(strsep(&at, "\n"), "#Time,Time_usec,ProducerName,n,uid,job_id");
		while ((line = strsep(&at, "\n")) && *line) {
			char *want = xasprintf("86400.000000,0,p/../q,%llu,0,0", (unsigned long long)n++);

			assert_string_equal(line, want);
			free(want);
		}
		free(text);
		free(path);
		free(names[i]);
	}
	assert_int_equal(n, 12);
}

/* By the clock: a file is closed without another row; one without rows is not made. */
static void test_timed(void **state)
{
	char *names[64];
	struct rig r;

	rig_open(&r, "rolltype=1 rollover=10 rename_template=%D/%B.done");
	put_row(&r, 1, 0, 0);
	rig_close(&r);
	assert_int_equal(names_in("c", "s.", names), 1);
	assert_non_null(strstr(names[0], ".done"));
	free(names[0]);
}

static void test_due(void **state)
{
	static const struct {
		const char *tz;
		struct roll roll;
		int64_t opened, due;
	} rows[] = {
		{ "UTC0", { .type = ROLL_NONE }, 5, INT64_MAX },
		{ "UTC0", { .type = ROLL_ROWS, .over = 3 }, 5, INT64_MAX },
		{ "UTC0", { .type = ROLL_EVERY, .over = 60 }, 5, 65 },
		{ "UTC0", { .type = ROLL_DAILY, .over = 0 }, 5, 86400 },
		{ "UTC0", { .type = ROLL_DAILY, .over = 3600 }, 5, 3600 },
		{ "UTC0", { .type = ROLL_DAILY, .over = 3600 }, 3595, 86400 + 3600 }, /* too near */
		{ "UTC0", { .type = ROLL_DAILY, .over = 3600 }, 3600, 86400 + 3600 },
		{ "UTC0", { .type = ROLL_DAILY_EVERY, .over = 600, .again = 3600 }, 5, 600 },
		{ "UTC0", { .type = ROLL_DAILY_EVERY, .over = 600, .again = 3600 }, 600, 4200 },
		{ "UTC0", { .type = ROLL_DAILY_EVERY, .over = 600, .again = 3600 }, 86399, 86400 + 600 },
		{ "CET-1", { .type = ROLL_DAILY, .over = 0 }, 5, 82800 },
		/* the day with 25 hours: 2024-10-27 */
		{ "CET-1CEST,M3.5.0,M10.5.0/3", { .type = ROLL_DAILY, .over = 0 }, 1729980000, 1729980000 + 90000 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		setenv("TZ", rows[i].tz, 1);
		tzset();
		assert_int_equal(roll_due(&rows[i].roll, rows[i].opened), rows[i].due);
	}
	unsetenv("TZ");
	tzset();
}

static void test_rename_path(void **state)
{
	static const struct {
		const char *template, *want; /* NULL: refused */
	} rows[] = {
		{ "%D/%B", "/a/b/s.KIND.17" },
		{ "%P.%C.%S.%T.%s", "store_csv.box/in.s.KIND.17" },
		{ "%{CSV_TEST}/x", "v1/x" },
		{ "%{CSV_TEST_NONE}x", "x" },
		{ "%{CSV_TEST_BAD}", NULL },
		{ "%{CSV_TEST", NULL },
		{ "%q%", "%q%" },
	};
	const struct csv_named n = { "/a/b/s.KIND.17", "box/in", "s", "KIND" }, plain = { "/a/s", "c", "s", "DATA" };
	struct err err = { "" };

	setenv("CSV_TEST", "v1", 1);
	setenv("CSV_TEST_BAD", "v1;rm", 1);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char *got = csv_rename_path(rows[i].template, &n, &err);

		assert_true(!got == !rows[i].want);
		if (got)
			assert_string_equal(got, rows[i].want);
		free(got);
	}
	assert_null(csv_rename_path("%s", &plain, &err));
	assert_non_null(strstr(err.msg, "set rolltype"));
}

/* Another file is never replaced. */
static void test_rename_taken(void **state)
{
	struct rig r;

	rig_open(&r, "rename_template=%D/done");
	put_row(&r, 1, 0, 0);
	rig_close(&r);
	assert_true(is_there("c/done"));
	rig_open(&r, "rename_template=%D/done");
	put_row(&r, 2, 0, 0);
	rig_close(&r);
	assert_stored("c/done", "#Time,Time_usec,ProducerName,n,uid,job_id\n86400.000000,0,p/../q,1,0,0\n");
	assert_stored("c/s", "#Time,Time_usec,ProducerName,n,uid,job_id\n86400.000000,0,p/../q,2,0,0\n");
}

/* A clock that is set back by an hour does not keep files from rolling over for an hour. */
static void test_clock_set_back(void **state)
{
	char *names[64];
	struct csv_file *f;
	struct rig r;
	size_t n;

	rig_open(&r, "rolltype=3 rollover=3");
	for (uint64_t i = 0; i < 2; i++)
		put_row(&r, i, 0, 0);
	f = r.sink->files;
	f->opened_s += 3600;
	f->epoch += 3600;
	put_row(&r, 2, 0, 0);
	assert_int_equal(f->out.fd, -1);
	put_row(&r, 3, 0, 0);
	rig_close(&r);
	n = names_in("c", "s.", names);
	assert_int_equal(n, 2);
	while (n)
		free(names[--n]);

	rig_open(&r, "rolltype=1 rollover=1000");
	put_row(&r, 1, 0, 0);
	f = r.sink->files;
	pthread_mutex_lock(&r.sink->lock);
	f->opened_s += 3600;
	f->roll_at += 3600;
	pthread_mutex_unlock(&r.sink->lock);
	csv_tick_wake(r.sink->csv);
	for (bool late = true; late; nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL)) {
		pthread_mutex_lock(&r.sink->lock);
		late = f->roll_at > wall_us() / SEC_US + 1000;
		pthread_mutex_unlock(&r.sink->lock);
	}
	rig_close(&r);
}

/* What a daemon left that was killed is closed by the next one: no row is lost, none is there twice, no part of one. */
static void test_killed(void **state)
{
	char *names[64], *path, *text;
	struct rig r;
	int status;
	pid_t pid = fork();
	FILE *f;

	if (!pid) {
		rig_open(&r, "rolltype=1 rollover=1000 rename_template=%D/%B.done");
		put_row(&r, 1, 0, 0);
		put_row(&r, 2, 0, 0);
		if (!store_type(r.store)->flush(r.sink, &r.err)) {
			put_row(&r, 3, 0, 0); /* not flushed: not stored */
			kill(getpid(), SIGKILL);
		}
		_exit(1);
	}
	waitpid(pid, &status, 0);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(names_in("c", "s.", names), 1);
	path = xasprintf("%s/%s", scratch, names[0]);
	f = fopen(path, "a");
	fputs("86400.00", f);
	fclose(f);
	free(path);
	rig_open(&r, "rolltype=1 rollover=1000 rename_template=%D/%B.done");
	put_row(&r, 3, 0, 0);
	path = xasprintf("%s.done", names[0]);
	text = stored(path);
	assert_string_equal(text, "#Time,Time_usec,ProducerName,n,uid,job_id\n86400.000000,0,p/../q,1,0,0\n"
				  "86400.000000,0,p/../q,2,0,0\n");
	free(text);
	free(path);
	free(names[0]);
	rig_close(&r);
	assert_int_equal(names_in("c", "s.", names), 2);
	for (int i = 0; i < 2; i++) {
		assert_non_null(strstr(names[i], ".done"));
		free(names[i]);
	}
}

/* Two daemons that write below one folder by one name would take each other's files for their own. */
static void test_list_is_locked(void **state)
{
	struct csv_list *a, *b;
	struct err err = { "" };

	assert_int_equal(csv_list_open(scratch, "x", &a, &err), 0);
	assert_int_equal(csv_list_open(scratch, "x", &b, &err), -EBUSY);
	csv_list_close(a);
	assert_int_equal(csv_list_open(scratch, "x", &a, &err), 0);
	csv_list_close(a);
}

static void test_overrides(void **state)
{
	char *path = xasprintf("%s/opt", scratch), *attrs;
	FILE *f = fopen(path, "w");
	struct rig r;

	fputs("# a comment\nstore_csv typeheader=1\n\ncontainer=c schema=s ietfcsv=1 time_format=1\n", f);
	fclose(f);
	attrs = xasprintf("opt_file=%s", path);
	rig_open(&r, attrs);
	put_row(&r, 1, 0, 0);
	rig_close(&r);
	assert_stored("c/s", "#\"Time_msec\",\"Time_usec\",\"ProducerName\",\"n\",\"uid\",\"job_id\"\n"
			     "86400000,0,p/../q,1,0,0\n");
	assert_true(is_there("c/s.KIND"));
	rig_open(&r, "");
	assert_int_equal(rig_config(&r, "name=x container=d schema=s altheader=1"), 0);
	assert_int_equal(rig_config(&r, "container=c"), -EINVAL);
	assert_int_equal(rig_config(&r, "container=c schema=s path=/tmp"), -EINVAL);
	assert_int_equal(rig_config(&r, "container=c schema=s altheader=maybe"), -EINVAL);
	assert_int_equal(rig_config(&r, "altheader=1"), -EINVAL);
	rig_close(&r);
	free(attrs);
	free(path);
}

/* A file for each user and job; nobody is led out of the folder. */
static void test_names(void **state)
{
	struct stat st;
	struct rig r;
	char *path;

	setenv("TZ", "UTC0", 1);
	rig_open(&r, "name_template=%u/%j/%S.%P.%Y%m%d%H");
	put_row(&r, 1, 4000000001, 7);
	put_row(&r, 2, 4000000002, 7);
	put_row(&r, 3, 4000000001, 8);
	put_row(&r, 4, 4000000001, 7);
	rig_close(&r);
	unsetenv("TZ");
	if (!is_there("4000000001")) /* without the right to give files away nothing is stored */
		return;
	assert_stored("4000000001/7/s.p_.._q.1970010200",
		      "#Time,Time_usec,ProducerName,n,uid,job_id\n86400.000000,0,p/../q,1,4000000001,7\n"
		      "86400.000000,0,p/../q,4,4000000001,7\n");
	assert_true(is_there("4000000001/8/s.p_.._q.1970010200"));
	path = xasprintf("%s/4000000002/7/s.p_.._q.1970010200", scratch);
	assert_false(stat(path, &st));
	assert_int_equal(st.st_uid, 4000000002);
	assert_int_equal(st.st_mode & 0777, 0600);
	free(path);
}

static void test_many_names(void **state)
{
	struct rig r;

	rig_open(&r, "name_template=j/%j");
	for (int turn = 0; turn < 2; turn++)
		for (uint64_t i = 0; i < 300; i++) /* more than are kept open */
			put_row(&r, (uint64_t)turn, 0, i);
	rig_close(&r);
	assert_stored("j/0", "#Time,Time_usec,ProducerName,n,uid,job_id\n86400.000000,0,p/../q,0,0,0\n"
			     "86400.000000,0,p/../q,1,0,0\n");
	assert_stored("j/299", "#Time,Time_usec,ProducerName,n,uid,job_id\n86400.000000,0,p/../q,0,0,299\n"
			       "86400.000000,0,p/../q,1,0,299\n");
}

static void age(const char *name, int64_t by_s)
{
	char *path = xasprintf("%s/%s", scratch, name);
	struct timespec ts[2] = { { .tv_nsec = UTIME_OMIT }, { .tv_sec = time(NULL) - by_s } };

	assert_false(utimensat(AT_FDCWD, path, ts, 0));
	free(path);
}

static void write_file(const char *name, const char *text)
{
	char *path = xasprintf("%s/%s", scratch, name);
	FILE *f = fopen(path, "w");

	fputs(text, f);
	fclose(f);
	free(path);
}

/* Old files go, the oldest first; those that it did not write stay, also one that took the name of one of ours. */
static void test_keep(void **state)
{
	struct rig r;

	rig_open(&r, "name_template=%j keep=1d/100k");
	for (uint64_t job = 1; job <= 4; job++)
		put_row(&r, 0, 0, job);
	rig_close(&r);
	write_file("other", "not ours");
	age("other", 900000);
	age("1", 90000);
	age("2", 90000);
	age("3", 80000);
	write_file("new", "not ours, either");
	assert_false(chdir(scratch));
	assert_false(rename("new", "2"));
	age("2", 90000);
	rig_open(&r, "name_template=%j keep=1d/100k");
	put_row(&r, 0, 0, 4);
	rig_close(&r);
	assert_false(is_there("1"));
	assert_true(is_there("2"));
	assert_true(is_there("3"));
	assert_true(is_there("4"));
	assert_true(is_there("other"));
	rig_open(&r, "name_template=%j keep=80B"); /* one has 73 bytes, about */
	put_row(&r, 1, 0, 5);
	rig_close(&r);
	assert_false(is_there("3"));
	assert_false(is_there("4"));
	assert_true(is_there("5"));
	assert_true(is_there("2") && is_there("other"));
	assert_false(chdir("/"));
}

/* A list that was cut anywhere is read as far as it goes. */
static void test_list_torn(void **state)
{
	struct csv_list *l;
	struct err err = { "" };
	struct stat st;
	char *path, line[512];
	struct keep keep = { .age_us = SEC_US };

	write_file("f", "x");
	write_file("g", "x");
	path = xasprintf("%s/f", scratch);
	stat(path, &st);
	snprintf(line, sizeof(line),
		 "what is this\n+\t%lu:%lu\tDATA\tc\ts\t%s\n=\t%lu:%lu\t%s\n=\t1:2\t/x\n-\t7:7\n+\t1:2\tDATA\tc",
		 (unsigned long)st.st_dev, (unsigned long)st.st_ino, path, (unsigned long)st.st_dev,
		 (unsigned long)st.st_ino, path);
	write_file(".x.files", line);
	assert_int_equal(csv_list_open(scratch, "x", &l, &err), 0);
	assert_int_equal(csv_list_prune(l, &keep, wall_us() + 10 * SEC_US), 1);
	assert_false(is_there("f"));
	assert_true(is_there("g"));
	csv_list_close(l);
	free(path);
}

static void test_config(void **state)
{
	static const struct {
		const char *attrs, *words;
	} rows[] = {
		{ "rollover=often", "store x: rollover: " },
		{ "rollover=10 rollagain=-1", "store x: rollagain: " },
		{ "rolltype=1", "store x: rolltype given without rollover." },
		{ "rolltype=6 rollover=1", "store x: rolltype out of range." },
		{ "rolltype=5 rollover=600", "rolltype=5 takes rollagain=SECONDS" },
		{ "rolltype=5 rollover=600 rollagain=60", "rolltype=5 takes rollagain=SECONDS" },
		{ "rolltype=2 rollover=90000", "store x: rollover=90000: a whole number from 0 to 86399" },
		{ "keep=1", "store x: keep: " },
		{ "name_template=/x", "names a file below path=" },
		{ "name_template=a/../x", "names a file below path=" },
		{ "name_template=%z", "'%z' has no meaning" },
		{ "rename_perm=9", "store x: rename_perm=9: an octal mode" },
		{ "opt_file=/nowhere/x", "store x: opt_file /nowhere/x: cannot be opened" },
		{ "container=c schema=s", "what holds for all files comes first" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char *attrs = xasprintf("path=%s %s", scratch, rows[i].attrs);
		struct rig r = { 0 };

		assert_int_equal(store_new(store_type_find("csv"), "x", &r.store, &r.err), 0);
		if (!rig_config(&r, attrs) || !strstr(r.err.msg, rows[i].words))
			fail_msg("%s: %s", attrs, r.err.msg);
		store_put(r.store);
		free(attrs);
	}
}

int main(void)
{
#define ROW(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
	const struct CMUnitTest tests[] = {
		ROW(test_rows),
		ROW(test_timed),
		cmocka_unit_test(test_due),
		cmocka_unit_test(test_rename_path),
		ROW(test_rename_taken),
		ROW(test_clock_set_back),
		ROW(test_killed),
		ROW(test_list_is_locked),
		ROW(test_overrides),
		ROW(test_names),
		ROW(test_many_names),
		ROW(test_keep),
		ROW(test_list_torn),
		ROW(test_config),
	};

	return cmocka_run_group_tests(tests, schema_make, schema_end);
}
