/* strgp_undo.c - a process that ends between writing rows and counting them: with a spool they are in the file once */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#ifdef HAVE_SQLITE
#include <sqlite3.h>
#endif
#include <sys/stat.h>
#include <sys/wait.h>

#include "core/base/log.h"
#include "spool_rig.h"

#define N 200

static int flushes_left, rows_left;
#ifdef HAVE_SQLITE
static const char *database;
#endif

/* Stores what it has, and the process is killed. */
static int flush_and_die(struct store_sink *sk, struct err *err)
{
	int rc = store_type_find("csv")->flush(sk, err);

	if (!rc && !flushes_left--)
		kill(getpid(), SIGKILL);
	return rc;
}

/* Stores what it has, and does not know that. */
static int flush_and_fail(struct store_sink *sk, struct err *err)
{
	int rc = store_type_find("csv")->flush(sk, err);

	return rc ? rc : err_set(err, -EIO, "it may be there, or not");
}

static struct store_type csv_but(int (*flush)(struct store_sink *sk, struct err *err))
{
	struct store_type type = *store_type_find("csv");

	type.flush = flush;
	return type;
}

static void spool_all(const char *dir)
{
	struct rig r;

	sink_block(dir, true);
	rig_init(&r, dir, (struct strgp_conf){ 0 });
	assert_int_equal(strgp_start(r.sg, &r.err), 0);
	for (uint64_t i = 0; i < N; i++)
		offer(&r, i);
	WAIT_STATUS(&r, st.spooled == N);
	rig_fini(&r);
	sink_block(dir, false);
}

/* A life that ends at its flush number `flushes`; in a child. */
static void live_until_killed(const char *dir, int flushes, uint64_t first)
{
	struct store_type type = csv_but(flush_and_die);
	struct rig r;

	flushes_left = flushes;
	rig_init_with(&r, dir, (struct strgp_conf){ 0 }, &type);
	if (strgp_start(r.sg, &r.err))
		_exit(1);
	for (uint64_t i = first;; i++) {
		offer(&r, i);
		nap();
	}
}

static struct strgp_status last_life(const char *dir, uint64_t n, uint64_t *ret_lines)
{
	char *path = xasprintf("%s/rows/c/s", dir), *text;
	bool *seen = xcalloc(n, sizeof(*seen)), in_order;
	struct strgp_status end;
	struct rig r;

	rig_init(&r, dir, (struct strgp_conf){ 0 });
	assert_int_equal(strgp_start(r.sg, &r.err), 0);
	WAIT_STATUS(&r, !st.spooled);
	assert_int_equal(strgp_stop(r.sg, 10 * SEC_US, &r.err), 0);
	end = look(&r);
	text = file_text(path);
	*ret_lines = 0;
	for (const char *at = text; (at = strchr(at, '\n')); at++)
		++*ret_lines;
	assert_int_equal(stored(&r, seen, n, &in_order) + 1, *ret_lines); /* a header, and nothing twice or torn */
	assert_true(in_order);
	rig_fini(&r);
	free(seen);
	free(text);
	free(path);
	return end;
}

/* Killed behind the write, before its account: what was spooled is there, once. */
static void test_killed_behind_writing(void **state)
{
	char *dir = scratch_new();
	struct strgp_status end;
	uint64_t lines;
	int status;
	pid_t pid;

	spool_all(dir);
	for (int k = 0; k < 4; k++) {
		pid = fork();
		if (!pid)
			live_until_killed(dir, k, (uint64_t)(k + 1) * 10000);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status));
	}
	end = last_life(dir, 100000, &lines);
	assert_true(lines - 1 >= N);
	assert_true(lines - 1 >= end.stored);
	assert_true(end.stored >= N);
	scratch_free(dir);
}

/* Stopped while the store fails, after it has stored all the same: the next life finds no row twice. */
static void test_stopped_behind_writing(void **state)
{
	struct store_type type = csv_but(flush_and_fail);
	char *dir = scratch_new();
	struct strgp_status end;
	uint64_t lines;
	struct rig r;

	rig_init_with(&r, dir, (struct strgp_conf){ 0 }, &type);
	assert_int_equal(strgp_start(r.sg, &r.err), 0);
	for (uint64_t i = 0; i < N; i++)
		offer(&r, i);
	WAIT_STATUS(&r, st.spooled);
	strgp_stop(r.sg, 10 * SEC_US, NULL);
	assert_int_equal(look(&r).spooled, N);
	rig_fini(&r);
	end = last_life(dir, N, &lines);
	assert_int_equal(end.stored, N);
	assert_int_equal(lines, N + 1);
	scratch_free(dir);
}

/* Takes so many rows, each of which is in the file at once. */
static int row_or_fail(struct store_sink *sk, const struct row *row, struct err *err)
{
	int rc = rows_left ? store_type_find("csv")->row(sk, row, err) : err_set(err, -ENOSPC, "it is full");

	rows_left -= !rc;
	return rc ? rc : store_type_find("csv")->flush(sk, err);
}

/* A set of as many rows. */
static void offer_list(struct rig *r, uint32_t rows)
{
	struct schema *sc = schema_new("s", NULL);
	struct snap *sn;
	struct set *set;

	schema_add_list(sc, "l", "", (uint32_t)schema_list_heap(V_U64, 1, rows), &r->err);
	set_new(r->pool, sc, "n1/l", "n1", 0, 0, 0777, &set, &r->err);
	set_begin(set);
	list_clear(set, 0);
	for (uint64_t i = 0; i < rows; i++)
		memcpy(list_append(set, 0, V_U64, 1), &i, sizeof(i));
	set_end(set);
	sn = snap_new(set);
	strgp_offer(r->sg, sn);
	snap_put(sn);
	set_put(set);
	schema_free(sc);
}

static unsigned int lines_in(const char *dir)
{
	char *path = xasprintf("%s/rows/c/s", dir), *text = file_text(path);
	unsigned int n = 0;

	for (const char *at = text; (at = strchr(at, '\n')); at++)
		n++;
	free(text);
	free(path);
	return n;
}

/* In a child. */
static void live_amid_rows(const char *dir)
{
	struct store_type type = csv_but(flush_and_fail);
	struct rig r;

	type.row = row_or_fail;
	rows_left = 2;
	rig_init_with(&r, dir, (struct strgp_conf){ 0 }, &type);
	if (strgp_start(r.sg, &r.err))
		_exit(1);
	offer_list(&r, 5);
	WAIT_STATUS(&r, st.spooled == 1);
	kill(getpid(), SIGKILL);
}

/* A set of which only the first rows were taken comes again as a whole: also where nothing stood before it. */
static void test_killed_amid_rows(void **state)
{
	char *dir = scratch_new();
	struct rig r;
	int status;
	pid_t pid = fork();

	if (!pid)
		live_amid_rows(dir);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(lines_in(dir), 1 + 2);
	rig_init(&r, dir, (struct strgp_conf){ 0 });
	assert_int_equal(strgp_start(r.sg, &r.err), 0);
	WAIT_STATUS(&r, st.stored == 1);
	assert_int_equal(lines_in(dir), 1 + 5);
	rig_fini(&r);
	scratch_free(dir);
}

/* As a kill in the middle of spooling leaves it: not all records are there, nor is the last one whole. */
static void spool_tear(const char *dir)
{
	char *path = xasprintf("%s/spool/sg/%016x.spool", dir, 0);
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(truncate(path, st.st_size / 2 + 5), 0);
	free(path);
}

/* Rows that are in the file stay there where only some of those beside them come again. */
static void test_killed_while_spooling(void **state)
{
	struct store_type type = csv_but(flush_and_fail);
	bool before[N] = { false }, after[N] = { false }, in_order;
	char *dir = scratch_new();
	struct rig r;

	rig_init_with(&r, dir, (struct strgp_conf){ 0 }, &type);
	assert_int_equal(strgp_start(r.sg, &r.err), 0);
	for (uint64_t i = 0; i < N; i++)
		offer(&r, i);
	WAIT_STATUS(&r, st.spooled);
	strgp_stop(r.sg, 10 * SEC_US, NULL);
	assert_true(stored(&r, before, N, &in_order));
	rig_fini(&r);
	spool_tear(dir);
	rig_init(&r, dir, (struct strgp_conf){ 0 });
	assert_int_equal(strgp_start(r.sg, &r.err), 0);
	WAIT_STATUS(&r, !st.spooled);
	assert_int_equal(strgp_stop(r.sg, 10 * SEC_US, &r.err), 0);
	stored(&r, after, N, &in_order);
	for (size_t i = 0; i < N; i++)
		assert_true(!before[i] || after[i]);
	rig_fini(&r);
	scratch_free(dir);
}

#ifdef HAVE_SQLITE
/* A database that somebody has locked while the policy stops, and then not any more. */
static int flush_locked(struct store_sink *sk, struct err *err)
{
	sqlite3 *other;
	int rc;

	assert_int_equal(sqlite3_open(database, &other), SQLITE_OK);
	assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	rc = store_type_find("sqlite")->flush(sk, err);
	sqlite3_close(other);
	return rc;
}

/* What was spooled since the store failed is not stored by its last breath, too. */
static void test_unlocked_behind_spooling(void **state)
{
	const struct store_type *sqlite = store_type_find("sqlite");
	struct store_type type = *sqlite;
	char *dir = scratch_new();
	sqlite3_stmt *ask;
	sqlite3 *db;
	struct rig r;

	type.flush = flush_locked;
	rig_init_with(&r, dir, (struct strgp_conf){ 0 }, &type);
	database = r.rows;
	assert_int_equal(strgp_start(r.sg, &r.err), 0);
	offer(&r, 1);
	WAIT_STATUS(&r, st.spooled == 1);
	strgp_stop(r.sg, 10 * SEC_US, NULL);
	assert_int_equal(look(&r).spooled, 1);
	rig_fini(&r);
	rig_init_with(&r, dir, (struct strgp_conf){ 0 }, sqlite);
	assert_int_equal(strgp_start(r.sg, &r.err), 0);
	WAIT_STATUS(&r, st.stored == 1);
	assert_int_equal(strgp_stop(r.sg, 10 * SEC_US, &r.err), 0);
	assert_int_equal(sqlite3_open(r.rows, &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, "SELECT count(*) FROM s", -1, &ask, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(ask), SQLITE_ROW);
	assert_int_equal(sqlite3_column_int(ask, 0), 1);
	sqlite3_finalize(ask);
	sqlite3_close(db);
	rig_fini(&r);
	scratch_free(dir);
}
#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_killed_behind_writing), /* before there are threads: these two fork */
		cmocka_unit_test(test_killed_amid_rows),         cmocka_unit_test(test_stopped_behind_writing),
		cmocka_unit_test(test_killed_while_spooling),
#ifdef HAVE_SQLITE
		cmocka_unit_test(test_unlocked_behind_spooling),
#endif
	};

	log_level_set(LOG_QUIET_);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
