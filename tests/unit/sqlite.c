/* sqlite.c - store sqlite: what is in the tables, shapes, names, locks, full disks, retention, and being killed */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/daemon/strgp.h"

#ifdef HAVE_SQLITE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/buf.h"
#include "core/base/clock.h"
#include "core/base/xalloc.h"
#include "row_rig.h"
#include "store/keep.h"

/* -- a store of a test, in a folder of its own --------------------------------------------------------------------- */

struct rig {
	char dir[64], path[128];
	struct store *st;
	struct store_sink *sk;
	struct err err;
};

static void rig_open(struct rig *r, const char *more)
{
	struct kv kv = { 0 };

	kv_add(&kv, "path", r->path);
	kv_parse(&kv, more);
	assert_int_equal(store_new(store_type_find("store_sqlite"), "db", &r->st, &r->err), 0);
	if (store_config(r->st, &kv, &r->err) || store_type(r->st)->open(r->st, "c", &r->sk, &r->err))
		fail_msg("%s", r->err.msg);
	kv_fini(&kv);
}

static void rig_init(struct rig *r, const char *more)
{
	*r = (struct rig){ .dir = "/tmp/ldms-sqlite-XXXXXX" };
	assert_non_null(mkdtemp(r->dir));
	snprintf(r->path, sizeof(r->path), "%s/sub/ldms.db", r->dir);
	rig_open(r, more);
}

static void rig_close(struct rig *r)
{
	store_type(r->st)->close(r->sk);
	store_put(r->st);
}

static void rig_remove(struct rig *r)
{
	char cmd[128];

	snprintf(cmd, sizeof(cmd), "rm -rf %s", r->dir);
	assert_int_equal(system(cmd), 0);
}

static int rig_row(struct rig *r, const struct row *row)
{
	return store_type(r->st)->row(r->sk, row, &r->err);
}

static int rig_flush(struct rig *r)
{
	return store_type(r->st)->flush(r->sk, &r->err);
}

/* The rows of a statement: values divided by '|', rows by newlines.  Yours. */
static char *ask(struct rig *r, const char *sql)
{
	struct buf b = { 0 };
	sqlite3 *db;
	sqlite3_stmt *st;

	assert_int_equal(sqlite3_open_v2(r->path, &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
	if (sqlite3_prepare_v2(db, sql, -1, &st, NULL) != SQLITE_OK)
		fail_msg("%s: %s", sql, sqlite3_errmsg(db));
	while (sqlite3_step(st) == SQLITE_ROW) {
		if (b.len)
			buf_u8(&b, '\n');
		for (int i = 0; i < sqlite3_column_count(st); i++) {
			const char *text = (const char *)sqlite3_column_text(st, i);

			buf_addf(&b, "%s%s", i ? "|" : "", text ? text : "NULL");
		}
	}
	sqlite3_finalize(st);
	sqlite3_close(db);
	buf_str(&b);
	return (char *)b.p;
}

#define ASK(r, sql, expected)                                                                                          \
	do {                                                                                                           \
		char *got = ask((r), (sql));                                                                           \
		assert_string_equal(got, (expected));                                                                  \
		free(got);                                                                                             \
	} while (0)

/* -- rows of a test ------------------------------------------------------------------------------------------------ */

/* A row of one u64 called n. */
static int number_row(struct rig *r, const char *schema, uint32_t sec, uint64_t n)
{
	static const struct def defs[] = { { "n", V_U64, 1 } };
	static struct row_schema *rs;
	struct value v = value_at(V_U64, 1, &n);
	struct row row = { .producer = "node-1", .instance = "i", .ts_sec = sec, .ts_usec = 5, .v = &v };
	int rc;

	if (!rs || strcmp(rs->name, schema)) {
		row_schema_put(rs);
		rs = SCHEMA(schema, defs);
	}
	row.schema = rs;
	rc = rig_row(r, &row);
	return rc;
}

static void test_values(void **state)
{
	static const struct def defs[] = {
		{ "u8", V_U8, 1 },           { "s32", V_S32, 1 },       { "u64", V_U64, 1 },
		{ "d64", V_D64, 1 },         { "nan", V_D64, 1 },       { "f32", V_F32, 1 },
		{ "text", V_CHAR_ARRAY, 8 }, { "arr", V_S16_ARRAY, 3 }, { "farr", V_D64_ARRAY, 2 },
		{ "ts", V_TIMESTAMP, 1 },    { "ch", V_CHAR, 1 },       { "gone", V_U64, 1 },
	};
	const uint8_t u8 = 200;
	const int32_t s32 = -7;
	const uint64_t u64 = UINT64_MAX;
	const double d64 = 0.1, not_a_number = NAN, two[] = { 1.5, -2 };
	const float f32 = 0.5;
	const int16_t arr[] = { 1, -2, 3 };
	const uint32_t ts[] = { 1700000000, 250000 };
	const struct value v[] = {
		value_at(V_U8, 1, (void *)&u8),
		value_at(V_S32, 1, &s32),
		value_at(V_U64, 1, &u64),
		value_at(V_D64, 1, &d64),
		value_at(V_D64, 1, &not_a_number),
		value_at(V_F32, 1, &f32),
		value_at(V_CHAR_ARRAY, 8, "it's\"\0x"),
		value_at(V_S16_ARRAY, 3, arr),
		value_at(V_D64_ARRAY, 2, two),
		value_at(V_TIMESTAMP, 1, ts),
		value_at(V_CHAR, 1, "c"),
		value_at(V_NONE, 1, NULL),
	};
	struct row row = { .producer = "n\"1", .instance = "i", .ts_sec = 1700000001, .ts_usec = 42, .v = v };
	struct rig r;
	struct stat st;

	rig_init(&r, "create_perm=0640");
	row.schema = SCHEMA("all", defs);
	assert_int_equal(rig_row(&r, &row), 0);
	assert_int_equal(rig_flush(&r), 0);
	ASK(&r, "SELECT * FROM \"all\"",
	    "1700000001000042|n\"1|200|-7|1.84467440737096e+19|0.1|NULL|0.5|it's\"|[1,-2,3]|[1.5,-2]|"
	    "1700000000250000|c|NULL");
	ASK(&r, "SELECT sum(value) FROM \"all\", json_each(arr)", "2");
	ASK(&r, "SELECT type, count FROM ldms_columns WHERE \"column\"='arr'", "s16[]|3");
	assert_int_equal(stat(r.path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0640);
	row_schema_put((struct row_schema *)row.schema);
	rig_close(&r);
	rig_remove(&r);
}

/* What peers call their schemas and metrics is a name, and nothing else. */
static void test_names(void **state)
{
	static const struct def defs[] = {
		{ "x\"); DROP TABLE \"ldms_columns", V_U64, 1 },
		{ "Time", V_U64, 1 },
		{ "producer", V_U64, 1 },
		{ "Active", V_U64, 1 },
		{ "active", V_U64, 1 },
		{ "Active(anon)", V_U64, 1 },
		{ "", V_U64, 1 },
	};
	static const char *const names[] = { "it's; \"DROP\" TABLE", "sqlite_master", "LDMS_columns",
					     "ldms_index x",         "select",        "ldms_self" };
	static const char *const tables[] = { "it's; \"DROP\" TABLE", "_sqlite_master", "_LDMS_columns",
					      "_ldms_index x",        "select",         "ldms_self" };
	uint64_t n[7] = { 1, 2, 3, 4, 5, 6, 7 };
	struct value v[7];
	struct row row = { .producer = "'; DELETE FROM x; --", .instance = "i", .ts_sec = 1, .v = v };
	struct rig r;

	for (size_t i = 0; i < 7; i++)
		v[i] = value_at(V_U64, 1, &n[i]);
	rig_init(&r, "");
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		struct row_schema *rs = SCHEMA(names[i], defs);
		char *sql;

		row.schema = rs;
		if (rig_row(&r, &row) || rig_flush(&r))
			fail_msg("%s", r.err.msg);
		sql = sqlite3_mprintf("SELECT * FROM \"%w\"", tables[i]);
		ASK(&r, sql, "1000000|'; DELETE FROM x; --|1|2|3|4|5|6|7");
		sqlite3_free(sql);
		row_schema_put(rs);
	}
	ASK(&r, "SELECT name FROM pragma_table_info('select') LIMIT 5 OFFSET 3",
	    "Time_2\nproducer_2\nActive\nactive_2\nActive(anon)");
	rig_close(&r);
	rig_remove(&r);
}

/* Another shape of a schema: its columns are added; a column of another type gets one beside. */
static void test_shapes(void **state)
{
	static const struct def first[] = { { "a", V_U64, 1 } }, more[] = { { "a", V_U64, 1 }, { "b", V_D64, 1 } },
				other[] = { { "a", V_CHAR_ARRAY, 4 } };
	uint64_t n = 7;
	double d = 2.5;
	struct value v[2] = { value_at(V_U64, 1, &n), value_at(V_D64, 1, &d) };
	struct row_schema *rs[3] = { SCHEMA("s", first), SCHEMA("s", more), SCHEMA("s", other) };
	struct row row = { .producer = "p", .instance = "i", .ts_sec = 1, .v = v };
	struct rig r;

	rig_init(&r, "");
	for (int round = 0; round < 2; round++) { /* the second one with what is there */
		for (size_t i = 0; i < 3; i++) {
			v[0] = i == 2 ? value_at(V_CHAR_ARRAY, 4, "abc") : value_at(V_U64, 1, &n);
			row.schema = rs[i];
			assert_int_equal(rig_row(&r, &row), 0);
		}
		assert_int_equal(rig_flush(&r), 0);
		rig_close(&r);
		rig_open(&r, "");
	}
	ASK(&r, "SELECT a, b, a_text FROM s",
	    "7|NULL|NULL\n7|2.5|NULL\nNULL|NULL|abc\n7|NULL|NULL\n7|2.5|NULL\nNULL|NULL|abc");
	for (size_t i = 0; i < 3; i++)
		row_schema_put(rs[i]);
	rig_close(&r);
	rig_remove(&r);
}

/* Of a decomposition: its time and producer are not there twice, its indices are. */
static void test_decomposed(void **state)
{
	static const struct def defs[] = {
		{ "producer", V_CHAR_ARRAY, 8 },
		{ "a", V_U64, 1 },
		{ "time", V_TIMESTAMP, 1 },
		{ "timestamp", V_TIMESTAMP, 1 },
	};
	const uint32_t ts[] = { 7, 8 };
	uint64_t n = 5;
	struct value v[] = { value_at(V_CHAR_ARRAY, 8, "p"), value_at(V_U64, 1, &n), value_at(V_TIMESTAMP, 1, ts),
			     value_at(V_TIMESTAMP, 1, ts) };
	struct row_schema *rs = SCHEMA("d", defs);
	struct row row = { .schema = rs, .producer = "p", .instance = "i", .ts_sec = 7, .ts_usec = 8, .v = v };
	struct rig r;

	rs->decomposed = true;
	rs->cols[0].what = ROW_PRODUCER;
	rs->cols[2].what = rs->cols[3].what = ROW_TIME;
	rs->n_indices = 1;
	rs->indices = xcalloc(1, sizeof(*rs->indices));
	rs->indices[0] = (struct row_index){ .name = xstrdup("x"), .cols = xcalloc(2, sizeof(uint32_t)), .n_cols = 2 };
	rs->indices[0].cols[0] = 1;
	rs->indices[0].cols[1] = 2;
	rig_init(&r, "");
	if (rig_row(&r, &row) || rig_flush(&r))
		fail_msg("%s", r.err.msg);
	ASK(&r, "SELECT * FROM d", "7000008|p|5|7000008");
	ASK(&r, "SELECT group_concat(name, ' ') FROM pragma_table_info('d')", "time producer a timestamp");
	ASK(&r, "SELECT group_concat(name, ' ') FROM pragma_index_info('ldms_index d a time')", "a time");
	row_schema_put(rs);
	rig_close(&r);
	rig_remove(&r);
}

struct policy {
	struct rig *r;
	struct store_sink *sk;
	uint64_t from;
};

#define POLICY_ROWS 2000

static void *policy_main(void *arg)
{
	static const struct def defs[] = { { "n", V_U64, 1 } };
	struct policy *p = arg;
	struct row_schema *rs = SCHEMA("s", defs);

	for (uint64_t i = 0; i < POLICY_ROWS; i++) {
		uint64_t n = p->from + i;
		struct value v = value_at(V_U64, 1, &n);
		struct row row = { .schema = rs, .producer = "p", .instance = "i", .ts_sec = (uint32_t)n, .v = &v };

		assert_int_equal(store_type(p->r->st)->row(p->sk, &row, NULL), 0);
		if (i % 50 == 49)
			assert_int_equal(store_type(p->r->st)->flush(p->sk, NULL), 0);
	}
	row_schema_put(rs);
	return NULL;
}

/* Two policies of one instance, at the same time. */
static void test_two_policies(void **state)
{
	struct policy one, two;
	pthread_t thread;
	struct rig r;

	rig_init(&r, "");
	one = (struct policy){ &r, r.sk, 0 };
	two = (struct policy){ .r = &r, .from = POLICY_ROWS };
	assert_int_equal(store_type(r.st)->open(r.st, "other", &two.sk, &r.err), 0);
	assert_int_equal(pthread_create(&thread, NULL, policy_main, &two), 0);
	policy_main(&one);
	pthread_join(thread, NULL);
	store_type(r.st)->close(two.sk);
	ASK(&r, "SELECT count(*), count(DISTINCT n), max(n) FROM s", "4000|4000|3999");
	rig_close(&r);
	rig_remove(&r);
}

static void test_too_wide(void **state)
{
	struct row_schema *rs = xcalloc(1, sizeof(*rs));
	struct row row = { .schema = rs, .producer = "p", .instance = "i" };
	struct rig r;

	atomic_init(&rs->refs, 1);
	rs->name = xstrdup("wide");
	rs->n_cols = 2500;
	rs->cols = xcalloc(rs->n_cols, sizeof(*rs->cols));
	for (uint32_t i = 0; i < rs->n_cols; i++)
		rs->cols[i] = (struct row_col){ .name = xasprintf("m%u", i), .type = V_U64, .count = 1 };
	rig_init(&r, "");
	assert_int_equal(rig_row(&r, &row), -EINVAL);
	assert_non_null(strstr(r.err.msg, "2502 columns, at most 2000"));
	assert_int_equal(number_row(&r, "other", 1, 1), 0);
	assert_int_equal(rig_flush(&r), 0);
	row_schema_put(rs);
	rig_close(&r);
	rig_remove(&r);
}

/* A table of somebody else's is not written to. */
static void test_foreign_table(void **state)
{
	struct rig r;

	rig_init(&r, "");
	assert_int_equal(number_row(&r, "mine", 1, 1), 0);
	assert_int_equal(rig_flush(&r), 0);
	free(ask(&r, "CREATE TABLE theirs(x)"));
	assert_int_equal(number_row(&r, "theirs", 1, 1), -EEXIST);
	assert_non_null(strstr(r.err.msg, "not of our making"));
	rig_close(&r);
	rig_remove(&r);
}

/* -- trouble ------------------------------------------------------------------------------------------------------- */

static void test_locked(void **state)
{
	struct rig r;
	sqlite3 *other;

	rig_init(&r, "busy=10ms");
	assert_int_equal(number_row(&r, "s", 1, 1), 0);
	assert_int_equal(rig_flush(&r), 0);
	assert_int_equal(sqlite3_open(r.path, &other), SQLITE_OK);
	assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(number_row(&r, "s", 2, 2), 0);
	assert_int_equal(rig_flush(&r), -EBUSY);
	assert_non_null(strstr(r.err.msg, "another program has locked it"));
	assert_int_equal(number_row(&r, "s", 3, 3), 0);
	assert_int_equal(rig_flush(&r), -EBUSY);
	sqlite3_close(other);
	assert_int_equal(rig_flush(&r), 0);
	ASK(&r, "SELECT n FROM s", "1\n2\n3");
	rig_close(&r);
	rig_remove(&r);
}

/* Who reads holds up nobody. */
static void test_reader(void **state)
{
	struct rig r;
	sqlite3 *reader;

	rig_init(&r, "busy=0");
	assert_int_equal(number_row(&r, "s", 1, 1), 0);
	assert_int_equal(rig_flush(&r), 0);
	assert_int_equal(sqlite3_open_v2(r.path, &reader, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_exec(reader, "BEGIN; SELECT * FROM s", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(number_row(&r, "s", 2, 2), 0);
	assert_int_equal(rig_flush(&r), 0);
	ASK(&r, "SELECT count(*) FROM s", "2");
	sqlite3_close(reader);
	rig_close(&r);
	rig_remove(&r);
}

/* What does not fit waits in memory, as much as is allowed, and is stored once when there is room. */
static void test_full(void **state)
{
	struct rlimit was, small;
	unsigned int taken = 0, refused = 0;
	char expected[64];
	struct rig r;

	rig_init(&r, "");
	assert_int_equal(number_row(&r, "s", 1, 0), 0);
	assert_int_equal(rig_flush(&r), 0);
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &was);
	small = was;
	small.rlim_cur = 300000;
	setrlimit(RLIMIT_FSIZE, &small);
	while (refused < 3) {
		if (number_row(&r, "s", 1 + taken, taken + 1))
			refused++;
		else
			taken++;
		if (taken % 1000 == 0)
			rig_flush(&r);
		assert_true(taken < 1000000);
	}
	assert_int_not_equal(rig_flush(&r), 0);
	assert_non_null(strstr(r.err.msg, "ldms.db"));
	setrlimit(RLIMIT_FSIZE, &was);
	assert_int_equal(rig_flush(&r), 0);
	snprintf(expected, sizeof(expected), "%u|%u|%u", taken + 1, taken + 1, taken);
	ASK(&r, "SELECT count(*), count(DISTINCT n), max(n) FROM s", expected);
	ASK(&r, "PRAGMA integrity_check", "ok");
	rig_close(&r);
	rig_remove(&r);
}

static void test_no_database(void **state)
{
	char other[128];
	struct rig r;
	FILE *f;

	rig_init(&r, "");
	snprintf(other, sizeof(other), "%s/sub", r.dir);
	mkdir(other, 0700);
	f = fopen(r.path, "w");
	for (int i = 0; i < 1000; i++)
		fputs("this is no database\n", f);
	fclose(f);
	assert_int_equal(number_row(&r, "s", 1, 1), -EBADMSG);
	assert_non_null(strstr(r.err.msg, "no database of SQLite; move it away"));
	snprintf(other, sizeof(other), "%s/other", r.dir);
	rename(r.path, other);
	assert_int_equal(number_row(&r, "s", 1, 1), 0);
	assert_int_equal(rig_flush(&r), 0);
	/* and under our hands */
	rename(r.path, other);
	assert_int_equal(number_row(&r, "s", 2, 2), 0);
	assert_int_equal(rig_flush(&r), 0);
	ASK(&r, "SELECT n FROM s", "2");
	unlink(r.path);
	assert_int_equal(number_row(&r, "s", 3, 3), 0);
	assert_int_equal(rig_flush(&r), 0);
	ASK(&r, "SELECT n FROM s", "3");
	snprintf(r.path, sizeof(r.path), "%s", other);
	ASK(&r, "SELECT n FROM s", "1");
	rig_close(&r);
	rig_remove(&r);
}

/* -- retention ----------------------------------------------------------------------------------------------------- */

static void test_keep_words(void **state)
{
	static const struct {
		const char *text;
		int64_t age_us;
		uint64_t bytes;
	} rows[] = {
		{ "30d", INT64_C(30) * 86400 * 1000000, 0 },
		{ "20G", 0, UINT64_C(20) << 30 },
		{ "30m/20M", 1800 * INT64_C(1000000), 20 << 20 },
		{ "20GB/1h", INT64_C(3600) * 1000000, UINT64_C(20) << 30 },
	};
	static const char *const bad[] = { "",   "30", "d",   "30d/", "30d/2h", "1G/2G",
					   "0d", "0G", "-1d", "x",    "/",      "1h/1G/1G" };
	struct keep k;
	struct err err;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		assert_int_equal(keep_parse(rows[i].text, &k, &err), 0);
		assert_int_equal(k.age_us, rows[i].age_us);
		assert_int_equal(k.bytes, rows[i].bytes);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		if (keep_parse(bad[i], &k, &err) != -EINVAL || strncmp(err.msg, "keep: ", 6))
			fail_msg("\"%s\" is taken", bad[i]);
}

static void test_keep_age(void **state)
{
	uint32_t now = (uint32_t)(wall_us() / 1000000);
	struct rig r;

	rig_init(&r, "keep=1h");
	for (uint32_t i = 0; i < 6000; i++) /* more than one step of it */
		assert_int_equal(number_row(&r, "old", now - 7200, i), 0);
	for (uint32_t i = 0; i < 10; i++)
		assert_int_equal(number_row(&r, "new", now - 60, i), 0);
	assert_int_equal(rig_flush(&r), 0);
	free(ask(&r, "SELECT 1"));
	for (int i = 0; i < 100; i++) /* what one turn had no time for */
		assert_int_equal(rig_flush(&r), 0);
	ASK(&r, "SELECT (SELECT count(*) FROM old), (SELECT count(*) FROM new)", "0|10");
	rig_close(&r);
	rig_remove(&r);
}

static void test_keep_bytes(void **state)
{
	struct rig r;
	struct stat st;
	char *oldest;

	rig_init(&r, "keep=1M");
	for (uint32_t i = 0; i < 60000; i++)
		assert_int_equal(number_row(&r, i % 2 ? "odd" : "even", 1000 + i, i), 0);
	assert_int_equal(rig_flush(&r), 0);
	for (int i = 0; i < 100; i++)
		assert_int_equal(rig_flush(&r), 0);
	ASK(&r, "SELECT max(n) FROM odd", "59999");
	oldest = ask(&r, "SELECT min(n) FROM odd");
	assert_in_range(atoi(oldest), 30000, 59999);
	free(oldest);
	rig_close(&r);
	assert_int_equal(stat(r.path, &st), 0);
	assert_true(st.st_size < 4 << 20);
	rig_remove(&r);
}

/* -- killed -------------------------------------------------------------------------------------------------------- */

/* Store numbers from `from` on, and say behind each flush how far it is: until killed. */
static void child_main(struct rig *r, uint64_t from, int fd)
{
	uint64_t n = from;

	rig_open(r, "");
	for (;;) {
		for (uint64_t i = 0; i < 1 + n % 40; i++, n++)
			if (number_row(r, "s", (uint32_t)n, n))
				_exit(1);
		if (rig_flush(r) || write(fd, &n, sizeof(n)) != sizeof(n))
			_exit(2);
	}
}

/* Fifty times at any moment: the database is whole, what was said to be stored is there, and nothing twice. */
static void test_killed(void **state)
{
	struct rig r = { .dir = "/tmp/ldms-sqlite-XXXXXX" };
	unsigned int seed = 7;
	uint64_t stored = 0;

	assert_non_null(mkdtemp(r.dir));
	snprintf(r.path, sizeof(r.path), "%s/ldms.db", r.dir);
	for (int round = 0; round < 50; round++) {
		char sql[128], expected[64], *next;
		int fds[2], status;
		pid_t pid;

		assert_int_equal(pipe(fds), 0);
		pid = fork();
		if (!pid) {
			close(fds[0]);
			child_main(&r, stored, fds[1]);
		}
		close(fds[1]);
		/* some flushes, and a moment of the next ones */
		for (int k = rand_r(&seed) % 6; k >= 0; k--)
			assert_int_equal(read(fds[0], &stored, sizeof(stored)), sizeof(stored));
		usleep((useconds_t)rand_r(&seed) % 2000);
		kill(pid, SIGKILL);
		waitpid(pid, &status, 0);
		assert_true(WIFSIGNALED(status));
		while (read(fds[0], &stored, sizeof(stored)) == sizeof(stored))
			;
		close(fds[0]);
		ASK(&r, "PRAGMA integrity_check", "ok");
		snprintf(sql, sizeof(sql), "SELECT count(*), count(DISTINCT n) FROM s WHERE n<%" PRIu64, stored);
		snprintf(expected, sizeof(expected), "%" PRIu64 "|%" PRIu64, stored, stored);
		ASK(&r, sql, expected);
		next = ask(&r, "SELECT max(n)+1 FROM s"); /* the flush that it had no time to tell of */
		stored = strtoull(next, NULL, 10);
		free(next);
	}
	rig_remove(&r);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),        cmocka_unit_test(test_names),
		cmocka_unit_test(test_shapes),        cmocka_unit_test(test_too_wide),
		cmocka_unit_test(test_decomposed),    cmocka_unit_test(test_two_policies),
		cmocka_unit_test(test_foreign_table), cmocka_unit_test(test_locked),
		cmocka_unit_test(test_reader),        cmocka_unit_test(test_full),
		cmocka_unit_test(test_no_database),   cmocka_unit_test(test_keep_words),
		cmocka_unit_test(test_keep_age),      cmocka_unit_test(test_keep_bytes),
		cmocka_unit_test(test_killed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
#else
/* The row is in the table, and says what is missing. */
static void test_without(void **state)
{
	struct store *st;
	struct err err = { "" };

	assert_int_not_equal(store_new(store_type_find("sqlite"), "db", &st, &err), 0);
	assert_non_null(strstr(err.msg, "built without libsqlite3"));
}

int main(void)
{
	static const struct CMUnitTest tests[] = { cmocka_unit_test(test_without) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
#endif
