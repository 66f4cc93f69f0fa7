/* csv.c - store csv: its bytes against recorded files, shapes, restarts, torn lines, full disks */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "core/daemon/strgp.h"
#include "csv_sample.h"
#include "store/digits.h"

#define DATA "tests/data/csv/"

static const struct sample samples[] = {
	{ "all_example",
	  { { "char", V_CHAR, 1 },
	    { "u8", V_U8, 1 },
	    { "s8", V_S8, 1 },
	    { "u16", V_U16, 1 },
	    { "s16", V_S16, 1 },
	    { "u32", V_U32, 1 },
	    { "s32", V_S32, 1 },
	    { "s64", V_S64, 1 },
	    { "f32", V_F32, 1 },
	    { "d32", V_D64, 1 },
	    { "char_array", V_CHAR_ARRAY, 4 },
	    { "u8_array", V_U8_ARRAY, 4 },
	    { "s8_array", V_S8_ARRAY, 4 },
	    { "u16_array", V_U16_ARRAY, 4 },
	    { "s16_array", V_S16_ARRAY, 4 },
	    { "u32_array", V_U32_ARRAY, 4 },
	    { "s32_array", V_S32_ARRAY, 4 },
	    { "u64_array", V_U64_ARRAY, 4 },
	    { "s64_array", V_S64_ARRAY, 4 },
	    { "float_array", V_F32_ARRAY, 4 },
	    { "double_array", V_D64_ARRAY, 4 },
	    { "char_end", V_CHAR, 1 } } },
	{ "array_example",
	  { { "u8_array", V_U8_ARRAY, 10 },
	    { "s8_array", V_S8_ARRAY, 10 },
	    { "u16_array", V_U16_ARRAY, 10 },
	    { "s16_array", V_S16_ARRAY, 10 },
	    { "u32_array", V_U32_ARRAY, 10 },
	    { "s32_array", V_S32_ARRAY, 10 },
	    { "u64_array", V_U64_ARRAY, 10 },
	    { "s64_array", V_S64_ARRAY, 10 },
	    { "float_array", V_F32_ARRAY, 10 },
	    { "double_array", V_D64_ARRAY, 10 } } },
	{ "coretemp",
	  { { "core_list_label", V_CHAR_ARRAY, 32 },
	    { "core_list_max_temp", V_D64, 1 },
	    { "core_list_critical_temp", V_D64, 1 },
	    { "core_list_current_temp", V_F32, 1 } } },
	{ "filesingle",
	  { { "dirty_ratio", V_U32, 1 }, { "load", V_F32, 1 }, { "gone", V_S64, 1 }, { "ch", V_CHAR, 1 } } },
	{ "jobid", { { "username", V_CHAR_ARRAY, 32 }, { "job_start", V_U32, 1 } } },
	{ "loadavg", { { "load1min", V_D64, 1 }, { "load5min", V_D64, 1 }, { "load15min", V_D64, 1 } } },
	{ "meminfo", { { 0 } } },
	{ "procnet", { { "device", V_CHAR_ARRAY, 16 } } },
	{ "procnetdev2", { { "netdev_list_name", V_CHAR_ARRAY, 16 } } },
	{ "procstat",
	  { { "per_core_cpu_enabled", V_U8_ARRAY, 4 },
	    { "per_core_user", V_U64_ARRAY, 4 },
	    { "per_core_softirqd", V_U64_ARRAY, 4 } } },
	{ "procstat2", { { "cpu_list_name", V_CHAR_ARRAY, 8 } } },
	{ "record_sampler",
	  { { "round", V_U32, 1 },
	    { "device_list_LDMS_V_CHAR", V_CHAR, 1 },
	    { "device_list_LDMS_V_U8", V_U8, 1 },
	    { "device_list_LDMS_V_S8", V_S8, 1 },
	    { "device_list_LDMS_V_U16", V_U16, 1 },
	    { "device_list_LDMS_V_S16", V_S16, 1 },
	    { "device_list_LDMS_V_U32", V_U32, 1 },
	    { "device_list_LDMS_V_S32", V_S32, 1 },
	    { "device_list_LDMS_V_S64", V_S64, 1 },
	    { "device_list_LDMS_V_F32", V_F32, 1 },
	    { "device_list_LDMS_V_D64", V_D64, 1 },
	    { "device_list_LDMS_V_CHAR_ARRAY", V_CHAR_ARRAY, 8 },
	    { "device_list_LDMS_V_U8_ARRAY", V_U8_ARRAY, 8 },
	    { "device_list_LDMS_V_S8_ARRAY", V_S8_ARRAY, 8 },
	    { "device_list_LDMS_V_U16_ARRAY", V_U16_ARRAY, 8 },
	    { "device_list_LDMS_V_S16_ARRAY", V_S16_ARRAY, 8 },
	    { "device_list_LDMS_V_U32_ARRAY", V_U32_ARRAY, 8 },
	    { "device_list_LDMS_V_S32_ARRAY", V_S32_ARRAY, 8 },
	    { "device_list_LDMS_V_U64_ARRAY", V_U64_ARRAY, 8 },
	    { "device_list_LDMS_V_S64_ARRAY", V_S64_ARRAY, 8 },
	    { "device_list_LDMS_V_F32_ARRAY", V_F32_ARRAY, 8 },
	    { "device_list_LDMS_V_D64_ARRAY", V_D64_ARRAY, 8 },
	    { "device_list_name", V_CHAR_ARRAY, 16 },
	    { "device_array", V_RECORD_ARRAY, 1 } } },
};

static struct pool *pool;
static char *scratch;

static int setup(void **state)
{
	pool = pool_new(0);
	scratch = scratch_new();
	return 0;
}

static int teardown(void **state)
{
	scratch_free(scratch);
	pool_free(pool);
	return 0;
}

/* -- a store, without a policy around it --------------------------------------------------------------------------- */

struct rig {
	struct store *store;
	struct store_sink *sink;
	struct row_cut *cuts[4]; /* as a policy keeps them: one a shape */
	size_t n_cuts;
	struct err err;
};

/* `attrs`: beyond path=. */
static void rig_open(struct rig *r, const char *attrs)
{
	struct kv kv = { 0 };

	*r = (struct rig){ 0 };
	kv_parse(&kv, attrs);
	kv_add(&kv, "path", scratch);
	if (store_new(store_type_find("store_csv"), "csv", &r->store, &r->err) ||
	    store_config(r->store, &kv, &r->err) ||
	    store_type(r->store)->open(r->store, "box/inner", &r->sink, &r->err))
		fail_msg("%s", r->err.msg);
	kv_fini(&kv);
}

static void rig_close(struct rig *r)
{
	store_type(r->store)->close(r->sink);
	for (size_t i = 0; i < r->n_cuts; i++)
		row_cut_free(r->cuts[i]);
	store_put(r->store);
}

struct row_arg {
	struct rig *r;
	int rc;
};

static int row_cb(const struct row *row, void *arg)
{
	struct row_arg *a = arg;

	a->rc = store_type(a->r->store)->row(a->r->sink, row, &a->r->err);
	return a->rc ? 1 : 0;
}

static int rig_store(struct rig *r, const struct snap *sn)
{
	struct row_arg a = { r, 0 };
	size_t i;

	for (i = 0; i < r->n_cuts && !row_cut_fits(r->cuts[i], sn->im.meta); i++)
		;
	if (i == r->n_cuts && row_cut_new(&sn->im, NULL, 0, &r->cuts[r->n_cuts++], &r->err))
		fail_msg("%s", r->err.msg);
	assert_true(row_cut_each(r->cuts[i], sn, row_cb, &a) != -ESTALE);
	return a.rc;
}

static int rig_flush(struct rig *r)
{
	return store_type(r->store)->flush(r->sink, &r->err);
}

static char *stored_path(const char *name)
{
	return xasprintf("%s/box/inner/%s", scratch, name);
}

static char *stored_text(const char *name)
{
	char *path = stored_path(name), *text = file_text(path);

	free(path);
	return text;
}

static void assert_stored(const char *name, const char *want)
{
	char *got = stored_text(name);

	assert_string_equal(got, want);
	free(got);
}

static void append(const char *name, const char *text)
{
	char *path = stored_path(name);
	FILE *f = fopen(path, "a");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	free(path);
}

/* -- recorded files ------------------------------------------------------------------------------------------------ */

/* Store what DATA/plain/SCHEMA was made of; compare with DATA/dir/SCHEMA, of which only the first lines were recorded.
 */
static void check_sample(const struct sample *s, const char *dir, const char *attrs, const char *const *suffixes)
{
	char *plain = xasprintf(DATA "plain/%s", s->schema);
	struct snap *snaps[SAMPLE_SNAPS];
	size_t n = sample_snaps(pool, s, plain, snaps);
	struct rig r;

	rig_open(&r, attrs);
	for (size_t i = 0; i < n; i++) {
		if (rig_store(&r, snaps[i]))
			fail_msg("%s: %s", s->schema, r.err.msg);
		snap_put(snaps[i]);
	}
	rig_close(&r);
	for (; *suffixes; suffixes++) {
		char *name = xasprintf("%s%s", s->schema, *suffixes), *path = xasprintf(DATA "%s/%s", dir, name);
		char *want, *got;

		if (access(path, F_OK)) {
			assert_string_equal(*suffixes, ".KIND"); /* wrong in ldmsd for lists; not recorded */
		} else {
			want = file_text(path);
			got = stored_text(name);
			/* ldmsd separates s64 by commas, whatever array_sep says */
			for (char *p = want; !strcmp(dir, "na") && (p = strstr(p, "\"76,76,76,0\""));)
				memcpy(p, "\"76:76:76:0\"", 12);
			if (!strcmp(dir, "plain"))
				assert_string_equal(got, want);
			else
				assert_memory_equal(got, want, strlen(want));
			free(want);
			free(got);
		}
		free(name);
		free(path);
	}
	free(plain);
}

static const struct sample *sample_find(const char *schema)
{
	for (size_t i = 0; i < sizeof(samples) / sizeof(*samples); i++)
		if (!strcmp(samples[i].schema, schema))
			return &samples[i];
	fail_msg("no sample %s", schema);
	return NULL;
}

static void test_recorded_plain(void **state)
{
	for (size_t i = 0; i < sizeof(samples) / sizeof(*samples); i++)
		check_sample(&samples[i], "plain", "", (const char *const[]){ "", NULL });
}

static void test_recorded_variants(void **state)
{
	static const struct {
		const char *dir, *attrs;
		const char *schemas[4], *suffixes[4];
	} rows[] = {
		{ "alt",
		  "altheader=1 typeheader=1",
		  { "all_example", "loadavg", "procnetdev2" },
		  { "", ".HEADER", ".KIND" } },
		{ "ud", "userdata=1 typeheader=2", { "all_example", "loadavg", "procnetdev2" }, { "", ".KIND" } },
		{ "ms", "time_format=1 ietfcsv=1", { "all_example", "loadavg", "procnetdev2" }, { "" } },
		{ "na", "expand_array=0", { "all_example", "loadavg" }, { "" } },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		for (const char *const *s = rows[i].schemas; *s; s++)
			check_sample(sample_find(*s), rows[i].dir, rows[i].attrs, rows[i].suffixes);
		scratch_free(scratch);
		scratch = scratch_new();
	}
}

static void test_kinds_of_lists(void **state)
{
	struct snap *snaps[SAMPLE_SNAPS];
	size_t n = sample_snaps(pool, sample_find("procstat2"), DATA "plain/procstat2", snaps);
	struct rig r;

	rig_open(&r, "typeheader=1");
	assert_int_equal(rig_store(&r, snaps[0]), 0);
	rig_close(&r);
	assert_stored("procstat2.KIND",
		      "#!ldms-kinds!timestamp,u64,char[]64,u64,u64,u64,u64,char[],u64,u64,u64,u64,u64,"
		      "u64,u64,u64,u64,u64,u64,u64,u64,u64,u64\n");
	while (n)
		snap_put(snaps[--n]);
}

/* -- sets of our own ----------------------------------------------------------------------------------------------- */

/* A set with metric a, and array b of `n_b` elements when there are any; names as the schema's. */
static struct set *small_set(const char *schema, uint32_t n_b, enum value_type type_a)
{
	struct err err = { "" };
	struct schema *sc = schema_new(schema, &err);
	struct set *s;

	schema_add(sc, "a", type_a, NULL, &err);
	if (n_b)
		schema_add_array(sc, "b", V_U16_ARRAY, n_b, NULL, &err);
	if (set_new(pool, sc, "n1/small", "n1", 0, 0, 0777, &s, &err))
		fail_msg("%s", err.msg);
	schema_free(sc);
	return s;
}

static struct snap *small_snap(struct set *s, uint64_t a)
{
	struct snap *sn;
	struct set_data *data;

	set_begin(s);
	set_u64(s, 0, a);
	set_end(s);
	sn = snap_new(s);
	data = (struct set_data *)sn->im.data;
	data->ts_sec = htole32(1000);
	data->ts_usec = htole32(7);
	return sn;
}

/* Store one snapshot of it, with a = `a`. */
static int small_store(struct rig *r, struct set *s, uint64_t a)
{
	struct snap *sn = small_snap(s, a);
	int rc = rig_store(r, sn);

	snap_put(sn);
	return rc;
}

#define HEAD_A   "#Time,Time_usec,ProducerName,a\n"
#define ROW_A(a) "1000.000007,7,n1," #a "\n"

static void test_shapes(void **state)
{
	struct set *one = small_set("s", 0, V_U64), *two = small_set("s", 2, V_U64), *three = small_set("s", 3, V_U64);
	char hex[2 * DIGEST_LEN + 1], *name2, *name3;
	struct snap *sn = snap_new(two);
	struct rig r;

	digest_hex(image_digest(sn->im.meta), hex);
	for (char *p = hex; *p; p++)
		*p |= *p >= 'A' ? 0x20 : 0;
	snap_put(sn);
	name2 = xasprintf("s_%.7s", hex);
	name3 = xasprintf("s_%.7s.2", hex); /* the digest knows nothing of array lengths */
	for (int run = 0; run < 2; run++) { /* after a restart each finds its file again, in whatever order */
		rig_open(&r, "");
		for (int k = 0; k < 2; k++) {
			assert_int_equal(small_store(&r, run ? three : one, 1), 0);
			assert_int_equal(small_store(&r, two, 2), 0);
			assert_int_equal(small_store(&r, run ? one : three, 3), 0);
		}
		rig_close(&r);
	}
	assert_stored("s", HEAD_A ROW_A(1) ROW_A(1) ROW_A(3) ROW_A(3));
	assert_stored(name2, "#Time,Time_usec,ProducerName,a,b0,b1\n1000.000007,7,n1,2,0,0\n1000.000007,7,n1,2,0,0\n"
			     "1000.000007,7,n1,2,0,0\n1000.000007,7,n1,2,0,0\n");
	assert_stored(name3, "#Time,Time_usec,ProducerName,a,b0,b1,b2\n1000.000007,7,n1,3,0,0,0\n"
			     "1000.000007,7,n1,3,0,0,0\n1000.000007,7,n1,1,0,0,0\n1000.000007,7,n1,1,0,0,0\n");
	free(name2);
	free(name3);
	set_put(one);
	set_put(two);
	set_put(three);
}

/* A schema's name comes from a peer. */
static void test_names_stay_inside(void **state)
{
	struct set *up = small_set("../../up", 0, V_U64);
	struct rig r;

	rig_open(&r, "");
	assert_int_equal(small_store(&r, up, 1), 0);
	rig_close(&r);
	assert_stored("_._.._up", HEAD_A ROW_A(1));
	set_put(up);
}

static void test_restart(void **state)
{
	struct set *s = small_set("s", 0, V_U64);
	struct rig r;

	for (int i = 0; i < 3; i++) {
		rig_open(&r, "");
		assert_int_equal(small_store(&r, s, 1), 0);
		rig_close(&r);
	}
	assert_stored("s", HEAD_A ROW_A(1) ROW_A(1) ROW_A(1));
	/* ldmsd has written headers in between: the last one counts */
	append("s", "#Time,Time_usec,ProducerName,other\n1,2,3,4\n");
	rig_open(&r, "");
	assert_int_equal(small_store(&r, s, 2), 0);
	rig_close(&r);
	assert_stored("s", HEAD_A ROW_A(1) ROW_A(1) ROW_A(1) "#Time,Time_usec,ProducerName,other\n1,2,3,4\n");
	append("s", HEAD_A "1,2,3,#4\n");
	rig_open(&r, "");
	assert_int_equal(small_store(&r, s, 3), 0);
	rig_close(&r);
	assert_stored("s", HEAD_A ROW_A(1) ROW_A(1) ROW_A(1) "#Time,Time_usec,ProducerName,other\n1,2,3,4\n" HEAD_A
							     "1,2,3,#4\n" ROW_A(3));
	set_put(s);
}

/* The last header is found wherever the pieces of the file end in which it is looked for. */
static void test_restart_long(void **state)
{
	struct set *s = small_set("s", 0, V_U64);
	struct stat st;
	struct rig r;

	for (int pad = 0; pad < 3; pad++) {
		char *path = stored_path("s"), *text;

		rig_open(&r, "");
		assert_int_equal(small_store(&r, s, 1), 0);
		assert_int_equal(rig_flush(&r), 0);
		rig_close(&r);
		append("s", "#other\n");
		/* the '#' stands 65536 bytes from the end, one more, or one less */
		text = xmalloc(65536);
		memset(text, 'x', 65536);
		text[65536 - strlen("#other\n") - 1 + (size_t)pad] = '\0';
		append("s", text);
		append("s", "\n");
		free(text);
		assert_int_equal(stat(path, &st), 0);
		rig_open(&r, "");
		assert_int_equal(small_store(&r, s, 1), 0);
		rig_close(&r);
		assert_int_equal(stat(path, &st), 0);
		text = stored_text("s");
		assert_null(strstr(text, "#other\n" ROW_A(1)));
		assert_string_not_equal(text + strlen(text) - strlen(ROW_A(1)), ROW_A(1));
		free(text);
		unlink(path);
		free(path);
	}
	set_put(s);
}

static void test_restart_altheader(void **state)
{
	struct set *s = small_set("s", 0, V_U64), *other = small_set("s", 1, V_U64);
	struct rig r;

	for (int i = 0; i < 2; i++) {
		rig_open(&r, "altheader=1");
		assert_int_equal(small_store(&r, s, 1), 0);
		rig_close(&r);
	}
	assert_stored("s", ROW_A(1) ROW_A(1));
	assert_stored("s.HEADER", HEAD_A);
	rig_open(&r, "altheader=1"); /* another shape, alone: the header beside the file tells */
	assert_int_equal(small_store(&r, other, 1), 0);
	rig_close(&r);
	assert_stored("s", ROW_A(1) ROW_A(1));
	assert_stored("s.HEADER", HEAD_A);
	set_put(s);
	set_put(other);
}

static void test_torn_line(void **state)
{
	struct set *s = small_set("s", 0, V_U64);
	struct rig r;

	rig_open(&r, "");
	assert_int_equal(small_store(&r, s, 1), 0);
	rig_close(&r);
	append("s", "1000.0000");
	rig_open(&r, "");
	assert_int_equal(small_store(&r, s, 2), 0);
	assert_int_equal(small_store(&r, s, 3), 0);
	rig_close(&r);
	assert_stored("s", HEAD_A ROW_A(1) "1000.0000\n" ROW_A(2) ROW_A(3));
	set_put(s);
}

static void test_modes(void **state)
{
	struct set *s = small_set("s", 0, V_U64);
	char *path = stored_path("s"), *dir = stored_path(".");
	mode_t mask = umask(077);
	struct stat st;
	struct rig r;

	rig_open(&r, "");
	assert_int_equal(small_store(&r, s, 1), 0);
	rig_close(&r);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(stat(dir, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0750);
	scratch_free(scratch);
	scratch = scratch_new();
	free(path);
	free(dir);
	path = stored_path("s");
	dir = stored_path(".");
	rig_open(&r, "create_perm=0755");
	assert_int_equal(small_store(&r, s, 1), 0);
	rig_close(&r);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0644);
	assert_int_equal(stat(dir, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0755);
	umask(mask);
	free(path);
	free(dir);
	set_put(s);
}

/* -- buffering and full disks -------------------------------------------------------------------------------------- */

static void test_buffer(void **state)
{
	struct set *s = small_set("s", 0, V_U64);
	struct rig r;

	rig_open(&r, "buffer=0");
	assert_int_equal(small_store(&r, s, 1), 0);
	assert_stored("s", HEAD_A ROW_A(1));
	rig_close(&r);
	rig_open(&r, "buffer=3 buffertype=3");
	assert_int_equal(small_store(&r, s, 2), 0);
	assert_int_equal(small_store(&r, s, 3), 0);
	assert_stored("s", HEAD_A ROW_A(1));
	assert_int_equal(small_store(&r, s, 4), 0);
	assert_stored("s", HEAD_A ROW_A(1) ROW_A(2) ROW_A(3) ROW_A(4));
	rig_close(&r);
	rig_open(&r, "buffer=1");
	assert_int_equal(small_store(&r, s, 5), 0);
	assert_stored("s", HEAD_A ROW_A(1) ROW_A(2) ROW_A(3) ROW_A(4));
	assert_int_equal(rig_flush(&r), 0);
	assert_stored("s", HEAD_A ROW_A(1) ROW_A(2) ROW_A(3) ROW_A(4) ROW_A(5));
	rig_close(&r);
	set_put(s);
}

static void limit_file_size(rlim_t bytes)
{
	struct rlimit rl;

	getrlimit(RLIMIT_FSIZE, &rl);
	rl.rlim_cur = bytes;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &rl), 0);
}

/* The file never holds a part of a row, and no row twice, whatever the disk takes. */
static void check_full(const char *attrs, uint64_t rows)
{
	struct set *s = small_set("s", 0, V_U64);
	struct buf want = { 0 };
	uint64_t refused = 0;
	rlim_t limit = 50; /* less than the header and a row */
	struct rig r;

	signal(SIGXFSZ, SIG_IGN);
	buf_addf(&want, "%s", HEAD_A);
	rig_open(&r, attrs);
	limit_file_size(limit);
	for (uint64_t i = 0; i < rows;) {
		int rc = small_store(&r, s, i);

		if (!rc)
			buf_addf(&want, "1000.000007,7,n1,%llu\n", (unsigned long long)i++);
		if (!rc && i % 7)
			continue;
		if (rc || (rc = rig_flush(&r))) {
			char *got = stored_text("s");
			size_t len = strlen(got);

			assert_int_equal(rc, -EFBIG);
			assert_non_null(strstr(r.err.msg, "/box/inner/s: cannot be written: File too large; "));
			assert_true(len <= limit);
			assert_true(!len || got[len - 1] == '\n');
			assert_memory_equal(got, want.p, len);
			free(got);
			refused++;
			limit += 31; /* about one row more each time */
			limit_file_size(limit);
		}
	}
	limit_file_size(RLIM_INFINITY);
	assert_int_equal(rig_flush(&r), 0);
	rig_close(&r);
	assert_true(refused > rows / 10);
	assert_stored("s", buf_str(&want));
	buf_fini(&want);
	set_put(s);
}

static void test_full_disk_each_row(void **state)
{
	check_full("buffer=0", 50);
}

static void test_full_disk_buffered(void **state)
{
	check_full("buffer=1", 200);
}

static void test_full_disk_rows(void **state)
{
	check_full("buffer=5 buffertype=3", 200);
}

static void test_no_space(void **state)
{
	struct set *s = small_set("s", 0, V_U64);
	char *dir = stored_path("."), *path = stored_path("s"), *cmd = xasprintf("mkdir -p %s", dir);
	struct rig r;

	assert_int_equal(system(cmd), 0);
	assert_int_equal(symlink("/dev/full", path), 0);
	rig_open(&r, "");
	assert_int_equal(small_store(&r, s, 1), -ENOSPC);
	assert_non_null(strstr(r.err.msg, "s: cannot be written: No space left on device; free some space"));
	unlink(path);
	assert_int_equal(small_store(&r, s, 1), 0);
	rig_close(&r);
	assert_stored("s", HEAD_A ROW_A(1));
	free(dir);
	free(path);
	free(cmd);
	set_put(s);
}

/* -- texts --------------------------------------------------------------------------------------------------------- */

static void check_text(const char *attrs, const char *value, const char *want)
{
	struct err err = { "" };
	struct schema *sc = schema_new("t", &err);
	struct snap *sn;
	struct set *s;
	struct rig r;
	char *got;

	schema_add_array(sc, "t", V_CHAR_ARRAY, 8, NULL, &err);
	assert_int_equal(set_new(pool, sc, "n1/t", "n1", 0, 0, 0777, &s, &err), 0);
	schema_free(sc);
	set_begin(s);
	set_text(s, 0, value, strlen(value));
	set_end(s);
	sn = snap_new(s);
	rig_open(&r, attrs);
	assert_int_equal(rig_store(&r, sn), 0);
	rig_close(&r);
	got = stored_text("t");
	assert_string_equal(strstr(got, ",n1,") + 4, want);
	free(got);
	snap_put(sn);
	set_put(s);
	scratch_free(scratch);
	scratch = scratch_new();
}

static void test_texts(void **state)
{
	check_text("", "a,\"b", "a,\"b\n");
	check_text("", "a\nb\rc", "a b c\n");
	check_text("", "12345678", "12345678\n");
	check_text("ietfcsv=1", "a,\"b\n", "\"a,\"\"b \"\n");
	check_text("ietfcsv=1", "\"\"\"\"\"\"\"\"", "\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\n");
}

static void test_digits(void **state)
{
	static const double reals[] = { 0.0,  -0.0,      1,       -1,       0.1,       1e16,       99999999999999999.0,
					1e17, 1e18,      -1e300,  5e-324,   123456789, 1234567890, 0.54,
					1e9,  999999999, 1.0 / 3, INFINITY, -INFINITY };
	char got[64], want[64];

	for (unsigned int bit = 0; bit < 64; bit++)
		for (int d = -1; d <= 1; d++) {
			uint64_t v = ((uint64_t)1 << bit) + (uint64_t)d;

			*put_u64(got, v) = '\0';
			snprintf(want, sizeof(want), "%llu", (unsigned long long)v);
			assert_string_equal(got, want);
			*put_s64(got, (int64_t)v) = '\0';
			snprintf(want, sizeof(want), "%lld", (long long)v);
			assert_string_equal(got, want);
		}
	for (uint64_t v = 1, i = 0; i < 20; i++, v *= 10)
		for (int d = -1; d <= 1; d++) {
			*put_u64(got, v + (uint64_t)d) = '\0';
			snprintf(want, sizeof(want), "%llu", (unsigned long long)(v + (uint64_t)d));
			assert_string_equal(got, want);
		}
	for (size_t i = 0; i < sizeof(reals) / sizeof(*reals); i++) {
		*put_d64(got, reals[i]) = '\0';
		snprintf(want, sizeof(want), "%.17g", reals[i]);
		assert_string_equal(got, want);
		*put_f32(got, (float)reals[i]) = '\0';
		snprintf(want, sizeof(want), "%.9g", (double)(float)reals[i]);
		assert_string_equal(got, want);
	}
	*put_six(got, 1651) = '\0';
	assert_string_equal(got, "001651");
}

/* -- config -------------------------------------------------------------------------------------------------------- */

static void test_config(void **state)
{
	static const struct {
		const char *attrs;
		int rc;
		const char *words;
	} rows[] = {
		{ "", -EINVAL, "store x: path is required" },
		{ "path=/tmp/x alt_header=1", -EINVAL, "csv has no attribute 'alt_header'; did you mean 'altheader'?" },
		{ "path=/tmp/x altheader=maybe", -EINVAL, "store x: altheader: " },
		{ "path=/tmp/x typeheader=3", -EINVAL, "store x: typeheader=3: " },
		{ "path=/tmp/x buffer=10", -EINVAL, "buffertype=3 (rows) or 4 (kilobytes)" },
		{ "path=/tmp/x buffer=1 buffertype=3", -EINVAL, "buffer=0 and 1 stand alone" },
		{ "path=/tmp/x create_perm=rw", -EINVAL, "store x: create_perm=rw: an octal mode" },
		{ "name=x path=/tmp/x create_perm=0640 buffer=64 buffertype=4", 0, "" },
		{ "path=/tmp/x", -EINVAL, "store x: it is configured already" },
	};
	struct err err = { "" };
	struct store *st;

	assert_int_equal(store_new(store_type_find("csv"), "x", &st, &err), 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct kv kv = { 0 };

		kv_parse(&kv, rows[i].attrs);
		err.msg[0] = '\0';
		if (store_config(st, &kv, &err) != rows[i].rc || !strstr(err.msg, rows[i].words))
			fail_msg("%s: %s", rows[i].attrs, err.msg);
		kv_fini(&kv);
	}
	store_put(st);
	assert_ptr_equal(store_type_find("csv"), store_type_find("store_csv"));
	assert_null(store_type_find("store_"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_recorded_plain, setup, teardown),
		cmocka_unit_test_setup_teardown(test_recorded_variants, setup, teardown),
		cmocka_unit_test_setup_teardown(test_kinds_of_lists, setup, teardown),
		cmocka_unit_test_setup_teardown(test_shapes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_names_stay_inside, setup, teardown),
		cmocka_unit_test_setup_teardown(test_restart, setup, teardown),
		cmocka_unit_test_setup_teardown(test_restart_long, setup, teardown),
		cmocka_unit_test_setup_teardown(test_restart_altheader, setup, teardown),
		cmocka_unit_test_setup_teardown(test_torn_line, setup, teardown),
		cmocka_unit_test_setup_teardown(test_modes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_buffer, setup, teardown),
		cmocka_unit_test_setup_teardown(test_full_disk_each_row, setup, teardown),
		cmocka_unit_test_setup_teardown(test_full_disk_buffered, setup, teardown),
		cmocka_unit_test_setup_teardown(test_full_disk_rows, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_space, setup, teardown),
		cmocka_unit_test_setup_teardown(test_texts, setup, teardown),
		cmocka_unit_test(test_digits),
		cmocka_unit_test(test_config),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
