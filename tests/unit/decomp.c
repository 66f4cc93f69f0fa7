/* decomp.c - decompositions: rows as ldmsd's store_csv writes them, what is missing, lists that change, choices, words
 * about mistakes */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/log.h"
#include "decomp_rig.h"

/* -- examples as ldmsd stores them --------------------------------------------------------------------------------- */

static void test_static(void **state)
{
	struct schema *sc = schema_new("meminfo", NULL);
	struct decomp *d = decomp_file("meminfo_static");
	struct printed stopped = { .stop = -5 };
	struct row_cut *c;
	struct snap *sn;
	struct set *s;

	schema_add_meta(sc, "component_id", V_U64, NULL, NULL);
	schema_add(sc, "MemFree", V_U64, "kB", NULL);
	schema_add(sc, "Active", V_U64, "kB", NULL);
	schema_add(sc, "DirectMap4k", V_U64, "kB", NULL);
	s = set_of(sc, "node-1/meminfo");
	set_meta_u64(s, 0, 1);
	set_begin(s);
	set_u64(s, 1, 23089372);
	set_u64(s, 2, 276864);
	set_u64(s, 3, 28672);
	set_end(s);
	sn = snap_at(s, 1795187393, 1436);
	c = decomp_cut_new(d, &sn->im);
	assert_rows(c, sn,
		    "meminfo_filter: #Time,Time_usec,prdcr,inst,comp_id,free,Active,free_f\n"
		    "1795187393.001436,1436,node-1,node-1/meminfo,1,23089372,276864,23089372.000000\n"
		    "meminfo_dm: #Time,Time_usec,comp_id,dm4k,nosuch,nosuch_arr0,nosuch_arr1,nosuch_arr2,nosuch_str\n"
		    "1795187393.001436,1436,1,28672,-7,1,2,3,xyz\n");
	assert_int_equal(row_cut_each(c, sn, print_row, &stopped), -5);
	assert_int_equal(stopped.n, 1);
	row_schema_put(stopped.last);
	buf_fini(&stopped.text);
	row_cut_free(c);
	snap_put(sn);
	set_put(s);
	decomp_free(d);
}

struct netdev {
	struct set *s;
	int list, rec;
};

static struct netdev netdev_new(const char *instance)
{
	static const struct metric_def members[] = {
		{ "name", V_CHAR_ARRAY, NULL, METRIC_INFO, NULL, 16 },
		{ "rx_bytes", V_U64, "B", METRIC_COUNTER, NULL, 1 },
		{ "tx_bytes", V_U64, "B", METRIC_COUNTER, NULL, 1 },
	};
	struct schema *sc = schema_new("procnetdev2", NULL);
	struct netdev n;

	schema_add_meta(sc, "component_id", V_U64, NULL, NULL);
	n.rec = schema_add_record(sc, "netdev", members, 3, NULL);
	n.list = schema_add_list(sc, "netdev_list", NULL, (uint32_t)schema_record_heap(sc, n.rec, 4), NULL);
	n.s = set_of(sc, instance);
	set_meta_u64(n.s, 0, 1);
	return n;
}

static void netdev_put(struct netdev *n, const char *name, uint64_t bytes)
{
	struct record *r = list_append_record(n->s, n->list, n->rec);

	record_text(n->s, r, 0, name, strlen(name));
	record_u64(n->s, r, 1, bytes);
	record_u64(n->s, r, 2, bytes);
}

static void test_list_and_operators(void **state)
{
	static const struct {
		uint32_t sec, usec;
		uint64_t lo;
		const char *row;
	} steps[] = {
		{ 1795187393, 1327, 6270859, "6270859,6270859,0,6270859,6270859,6270859,0.000000,0" },
		{ 1795187394, 1638, 6485015, "6485015,6485015,214156,6377937,6485015,6270859,1.000311,311" },
		{ 1795187395, 1424, 6649330, "6649330,6649330,164315,6468401,6649330,6270859,0.999786,999786" },
		/* the window has three rows */
		{ 1795187396, 1424, 6649330, "6649330,6649330,0,6594558,6649330,6485015,1.000000,0" },
	};
	struct decomp *d = decomp_file("netdev2_static");
	struct netdev n = netdev_new("node-1/procnetdev2");
	struct row_cut *c = NULL;
	struct snap *sn;
	char *want;

	for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
		set_begin(n.s);
		list_clear(n.s, n.list);
		netdev_put(&n, "lo", steps[i].lo);
		netdev_put(&n, "ifb0", 0);
		set_end(n.s);
		sn = snap_at(n.s, steps[i].sec, steps[i].usec);
		c = c ? c : decomp_cut_new(d, &sn->im);
		want = xasprintf("netdev2_small: #Time,Time_usec,prdcr,inst,comp_id,netdev.name,netdev.rx_bytes,"
				 "netdev_list[tx_bytes],rx_diff,rx_mean,rx_max,rx_min,Time,Time_usec\n"
				 "%u.%06u,%u,node-1,node-1/procnetdev2,1,lo,%s\n"
				 "%u.%06u,%u,node-1,node-1/procnetdev2,1,ifb0,0,0,0,0,0,0,%s\n",
				 steps[i].sec, steps[i].usec, steps[i].usec, steps[i].row, steps[i].sec, steps[i].usec,
				 steps[i].usec, strrchr(steps[i].row, '.') - 1);
		assert_rows(c, sn, want);
		free(want);
		snap_put(sn);
	}
	row_cut_free(c);
	set_put(n.s);
	decomp_free(d);
}

static struct snap *one_value(const char *schema, const char *instance, const char *metric, enum value_type t, double x,
			      struct set **ret)
{
	struct schema *sc = schema_new(schema, NULL);

	schema_add(sc, metric, t, NULL, NULL);
	*ret = set_of(sc, instance);
	set_begin(*ret);
	t == V_D64 ? set_d64(*ret, 0, x) : set_u64(*ret, 0, (uint64_t)x);
	set_end(*ret);
	return snap_at(*ret, 10, 20);
}

static struct snap *loadavg(struct set **ret)
{
	static const char *const names[] = { "load1min", "load5min", "load15min" };
	static const char *const counts[] = { "runnable", "scheduling_entities", "newest_pid" };
	struct schema *sc = schema_new("loadavg", NULL);

	schema_add_meta(sc, "component_id", V_U64, NULL, NULL);
	schema_add(sc, "job_id", V_U64, NULL, NULL);
	schema_add(sc, "app_id", V_U64, NULL, NULL);
	for (int i = 0; i < 3; i++)
		schema_add(sc, names[i], V_D64, NULL, NULL);
	for (int i = 0; i < 3; i++)
		schema_add(sc, counts[i], V_U64, NULL, NULL);
	*ret = set_of(sc, "n1/loadavg");
	set_meta_u64(*ret, 0, 1);
	set_begin(*ret);
	set_d64(*ret, 3, 0.54);
	set_d64(*ret, 4, 0.47);
	set_d64(*ret, 5, 0.34);
	set_u64(*ret, 6, 1);
	set_u64(*ret, 7, 210);
	set_u64(*ret, 8, 24999);
	set_end(*ret);
	return snap_at(*ret, 1795187393, 1651);
}

static void test_flex(void **state)
{
	struct decomp *d = decomp_file("flex");
	struct set *s[3];
	struct snap *sn[3] = { loadavg(&s[0]), one_value("clock", "n1/clock", "null_tick", V_U64, 275, &s[1]),
			       one_value("other", "n1/other", "x", V_D64, 0.5, &s[2]) };
	static const char *const want[] = {
		"loadavg_8be3781: #Time,Time_usec,component_id,job_id,app_id,load1min,load5min,load15min,runnable,"
		"scheduling_entities,newest_pid\n"
		"1795187393.001651,1651,1,0,0,0.540000,0.470000,0.340000,1,210,24999\n"
		"la_row: #Time,Time_usec,l1\n"
		"1795187393.001651,1651,0.540000\n",
		"clk_row: #Time,Time_usec,tick\n10.000020,20,275\n",
		"other_401391a: #Time,Time_usec,x\n10.000020,20,0.500000\n",
	};

	for (int i = 0; i < 3; i++) {
		struct row_cut *c = decomp_cut_new(d, &sn[i]->im);

		assert_rows(c, sn[i], want[i]);
		row_cut_free(c);
		snap_put(sn[i]);
		set_put(s[i]);
	}
	decomp_free(d);
}

/* A list of three numbers, one of two records, a record array of one. */
static const struct metric_def rec_def[] = { { "n", V_CHAR_ARRAY, NULL, METRIC_INFO, NULL, 8 },
					     { "v", V_U64, NULL, METRIC_GAUGE, NULL, 1 } };
static const struct metric_def d_def[] = { { "a", V_U64, NULL, METRIC_GAUGE, NULL, 1 },
					   { "b", V_CHAR_ARRAY, NULL, METRIC_INFO, NULL, 8 },
					   { "arr", V_S64_ARRAY, NULL, METRIC_GAUGE, NULL, 2 } };

struct jss {
	struct set *s;
	int i, list, recs, d, rec;
};

static struct jss jss_new(void)
{
	struct schema *sc = schema_new("jss", NULL);
	int d_rec = schema_add_record(sc, "d_rec", d_def, 3, NULL);
	struct jss j;
	struct record *r;

	j.rec = schema_add_record(sc, "rec", rec_def, 2, NULL);
	j.i = schema_add(sc, "i", V_S64, NULL, NULL);
	j.list = schema_add_list(sc, "list", NULL, (uint32_t)schema_list_heap(V_S64, 1, 3), NULL);
	j.recs = schema_add_list(sc, "recs", NULL, (uint32_t)schema_record_heap(sc, j.rec, 3), NULL);
	j.d = schema_add_record_array(sc, "d", d_rec, 1, NULL, NULL);
	j.s = set_of(sc, "n1/jss");
	set_begin(j.s);
	set_s64(j.s, j.i, 5);
	r = record_array_slot(j.s, j.d, 0);
	record_u64(j.s, r, 0, 1);
	record_text(j.s, r, 1, "x", 1);
	memcpy(record_slot(j.s, r, 2), (uint64_t[]){ htole64(1), htole64(2) }, 16);
	return j;
}

static void jss_list(struct jss *j, int64_t n)
{
	n = (int64_t)htole64((uint64_t)n);
	memcpy(list_append(j->s, j->list, V_S64, 1), &n, sizeof(n));
}

static void jss_rec(struct jss *j, const char *name, int64_t v)
{
	struct record *r = list_append_record(j->s, j->recs, j->rec);

	record_text(j->s, r, 0, name, strlen(name));
	record_u64(j->s, r, 1, (uint64_t)v);
}

static struct snap *jss_end(struct jss *j)
{
	set_end(j->s);
	return snap_at(j->s, 100, 7);
}

static void test_unequal_lists(void **state)
{
	struct decomp *d = decomp_file("lists_static"), *as_is = decomp_of("{\"type\":\"as_is\"}");
	struct jss j = jss_new();
	struct row_cut *c;
	struct snap *sn;

	jss_list(&j, 1);
	jss_list(&j, 2);
	jss_list(&j, 3);
	jss_rec(&j, "r1", 1);
	jss_rec(&j, "r2", 2);
	sn = jss_end(&j);
	c = decomp_cut_new(d, &sn->im);
	assert_rows(c, sn,
		    "two: #Time,Time_usec,i,list,n,v\n"
		    "100.000007,7,5,1,r1,1\n"
		    "100.000007,7,5,2,r2,2\n"
		    "100.000007,7,5,3,none,0\n"
		    "rarr: #Time,Time_usec,b,a,arr0,arr1\n"
		    "100.000007,7,x,1,1,2\n");
	row_cut_free(c);
	c = decomp_cut_new(as_is, &sn->im);
	/* arrays that have ended keep their length */
	assert_rows(c, sn,
		    "jss_343bbf8: #Time,Time_usec,i,list,recs.n,recs.v,d.a,d.b,d.arr0,d.arr1\n"
		    "100.000007,7,5,1,r1,1,1,x,1,2\n"
		    "100.000007,7,5,2,r2,2,0,,0,0\n"
		    "100.000007,7,5,3,,0,0,,0,0\n");
	row_cut_free(c);
	snap_put(sn);
	set_put(j.s);
	decomp_free(d);
	decomp_free(as_is);
}

static void test_meta(void **state)
{
	struct decomp *d = decomp_file("meta_static");
	struct set *s;
	struct snap *sn = loadavg(&s);
	struct row_cut *c = decomp_cut_new(d, &sn->im);

	assert_rows(
		c, sn,
		"meta_row: #Time,Time_usec,M_duration,M_duration_usec,M_producer,M_instance,M_schema,M_digest,M_uid,"
		"M_gid,M_perm,M_card,load1min\n"
		"1795187393.001651,1651,0.000008,8,node-1,n1/loadavg,loadavg,"
		"8BE378143DF8894C6C911EE1934E5BF166BAD9C012013D1E9F1361F0ACC249E1,0,0,511,9,0.540000\n");
	row_cut_free(c);
	snap_put(sn);
	set_put(s);
	decomp_free(d);
}

/* -- what is missing ----------------------------------------------------------------------------------------------- */

/* A column that nothing is found for is empty; the rest is stored. */
static void test_missing(void **state)
{
	struct decomp *d = decomp_of("{\"type\":\"static\",\"rows\":["
				     "{\"schema\":\"a\",\"cols\":[{\"src\":\"load1min\"},{\"src\":\"gone\"},"
				     "{\"src\":\"gone\",\"dst\":\"g\",\"type\":\"u64\"},{\"src\":\"load1min[x]\"},"
				     "{\"src\":\"runnable\",\"type\":\"char_array\"},"
				     "{\"src\":\"M_schema\",\"type\":\"u64\",\"dst\":\"ms\"},"
				     "{\"src\":\"nosuchlist[x]\",\"dst\":\"f\",\"type\":\"u64[]\",\"fill\":[1,2]},"
				     "{\"src\":\"load5min\",\"type\":\"s32\"}]},"
				     "{\"schema\":\"b\",\"cols\":[{\"src\":\"load1min\",\"type\":\"foo\"}]}]}");
	struct set *s;
	struct snap *sn = loadavg(&s);
	struct row_cut *c = decomp_cut_new(d, &sn->im);

	assert_rows(c, sn,
		    "a: #load1min,gone,g,load1min[x],runnable,ms,f0,f1,load5min\n"
		    "0.540000,,,,,,1,2,0\n"
		    "b: #load1min\n"
		    "0.540000\n");
	row_cut_free(c);
	snap_put(sn);
	set_put(s);
	decomp_free(d);
}

/* A store that refuses the rows of one row schema gets the others. */
static int refuse_a(const struct row *row, void *arg)
{
	struct printed *p = arg;

	if (*row->schema->name == 'a') {
		p->skip++;
		decomp_refuse(row);
		return ROW_HAD;
	}
	return print_row(row, &(struct printed){ .last = NULL, .stop = 0, .skip = 1 }) == ROW_HAD ? (int)!++p->n : 1;
}

static void test_refused(void **state)
{
	struct decomp *d = decomp_of("{\"type\":\"static\",\"rows\":["
				     "{\"schema\":\"a\",\"cols\":[{\"src\":\"load1min\"}]},"
				     "{\"schema\":\"b\",\"cols\":[{\"src\":\"load1min\"}]}]}");
	struct printed p = { 0 };
	struct set *s;
	struct snap *sn = loadavg(&s);
	struct row_cut *c = decomp_cut_new(d, &sn->im);

	assert_false(decomp_refuses(c));
	assert_int_equal(row_cut_each(c, sn, refuse_a, &p), 0);
	assert_int_equal(row_cut_each(c, sn, refuse_a, &p), 0);
	assert_int_equal(p.skip, 1);
	assert_int_equal(p.n, 2);
	assert_true(decomp_refuses(c));
	row_cut_free(c);
	snap_put(sn);
	set_put(s);
	decomp_free(d);
}

/* Lists that are empty at first, or hold something else later. */
static void test_lists_that_change(void **state)
{
	struct decomp *d = decomp_of("{\"type\":\"static\",\"rows\":[{\"schema\":\"a\",\"cols\":["
				     "{\"src\":\"i\"},{\"src\":\"recs[v]\"},{\"src\":\"list\"}]}]}"),
		      *as_is = decomp_of("{\"type\":\"as_is\",\"indices\":[{\"name\":\"x\",\"cols\":[\"i\",\"list\"]},"
					 "{\"name\":\"y\",\"cols\":[\"gone\"]}]}");
	struct jss j = jss_new();
	struct snap *sn = jss_end(&j);
	struct row_cut *c = decomp_cut_new(d, &sn->im), *a = decomp_cut_new(as_is, &sn->im);
	double x;

	assert_rows(c, sn, "");
	assert_rows(a, sn, "");
	snap_put(sn);
	/* the members' types are known from the record type, those of the list's entries are not */
	set_begin(j.s);
	jss_list(&j, 4);
	sn = jss_end(&j);
	assert_rows(c, sn, "a: #i,recs[v],list\n5,0,4\n");
	assert_rows(a, sn,
		    "jss_343bbf8: #Time,Time_usec,i,list,d.a,d.b,"
		    "d.arr0,d.arr1\n100.000007,7,5,4,1,x,1,2\n");
	snap_put(sn);
	set_begin(j.s);
	jss_rec(&j, "r1", 8);
	sn = jss_end(&j);
	assert_rows(c, sn, "a: #i,recs[v],list\n5,8,4\n");
	assert_rows(a, sn,
		    "jss_343bbf8: #Time,Time_usec,i,list,recs.n,recs.v,d.a,d.b,d.arr0,d.arr1\n"
		    "100.000007,7,5,4,r1,8,1,x,1,2\n");
	snap_put(sn);
	/* other entries: a column of another type */
	set_begin(j.s);
	list_clear(j.s, j.list);
	x = 1.5;
	memcpy(list_append(j.s, j.list, V_D64, 1), &x, sizeof(x));
	jss_list(&j, 6);
	sn = jss_end(&j);
	assert_rows(c, sn, "a: #i,recs[v],list\n5,8,1.500000\n5,0,0.000000\n");
	snap_put(sn);
	/* empty ones give no rows */
	set_begin(j.s);
	list_clear(j.s, j.list);
	list_clear(j.s, j.recs);
	sn = jss_end(&j);
	assert_rows(c, sn, "");
	assert_rows(a, sn, "");
	snap_put(sn);
	row_cut_free(c);
	row_cut_free(a);
	set_put(j.s);
	decomp_free(d);
	decomp_free(as_is);
}

static int see_indices(const struct row *row, void *arg)
{
	const struct row_schema *rs = row->schema;
	struct buf *b = arg;

	for (uint32_t i = 0; i < rs->n_indices; i++) {
		buf_addf(b, "%s:", rs->indices[i].name);
		for (uint32_t k = 0; k < rs->indices[i].n_cols; k++)
			buf_addf(b, " %s", rs->cols[rs->indices[i].cols[k]].name);
		buf_addf(b, "\n");
	}
	return 0;
}

static void test_indices(void **state)
{
	struct decomp *d = decomp_file("as_is");
	struct buf b = { 0 };
	struct set *s;
	struct snap *sn = loadavg(&s);
	struct row_cut *c = decomp_cut_new(d, &sn->im);

	assert_int_equal(row_cut_each(c, sn, see_indices, &b), 0);
	assert_string_equal(buf_str(&b), "time: timestamp\ntime_comp: timestamp component_id\n");
	buf_fini(&b);
	row_cut_free(c);
	snap_put(sn);
	set_put(s);
	decomp_free(d);
}

/* -- flex ---------------------------------------------------------------------------------------------------------- */

#define FLEX(more)                                                                                                     \
	"{\"type\":\"flex\",\"decomposition\":{"                                                                       \
	"\"a\":{\"type\":\"static\",\"rows\":[{\"schema\":\"a\",\"cols\":[{\"src\":\"x\"}]}]},"                        \
	"\"b\":{\"type\":\"static\",\"rows\":[{\"schema\":\"b\",\"cols\":[{\"src\":\"x\"}]}]}}" more "}"

static void test_flex_choices(void **state)
{
	static const struct {
		const char *text, *instance, *want;
	} rows[] = {
		{ FLEX(""), "n1/s", "s_5ebe6d1: #Time,Time_usec,x\n10.000020,20,3\n" },
		{ FLEX(",\"default\":[]"), "n1/s", "" },
		{ FLEX(",\"default\":[\"b\",\"a\"]"), "n1/s", "a: #x\n3\nb: #x\n3\n" },
		{ FLEX(",\"digest\":{\"*\":\"b\"},\"default\":\"a\""), "n1/s", "b: #x\n3\n" },
		{ FLEX(",\"matches\":[{\"instance\":\"^n1/\",\"apply\":\"b\"}],\"default\":\"a\""), "n1/s",
		  "b: #x\n3\n" },
		{ FLEX(",\"matches\":[{\"instance\":\"^n1/\",\"apply\":\"b\"}],\"default\":\"a\""), "n2/s",
		  "a: #x\n3\n" },
		{ FLEX(",\"matches\":[{\"schema\":\"^t\",\"apply\":\"b\"}],\"default\":\"a\""), "n1/s", "a: #x\n3\n" },
		{ FLEX(",\"matches\":[{\"schema\":\"s\",\"instance\":\"n1\",\"apply\":\"b\"},"
		       "{\"schema\":\"s\",\"apply\":[\"a\",\"b\"]}]"),
		  "n1/s", "a: #x\n3\nb: #x\n3\n" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct decomp *d = decomp_of(rows[i].text);
		struct set *s, *other;
		struct snap *sn = one_value("s", rows[i].instance, "x", V_U64, 3, &s),
			    *first = one_value("s", "n9/s", "x", V_U64, 4, &other);
		struct row_cut *c = decomp_cut_new(d, &first->im);

		assert_rows(c, sn, rows[i].want);
		assert_rows(c, sn, rows[i].want);
		row_cut_free(c);
		snap_put(sn);
		snap_put(first);
		set_put(s);
		set_put(other);
		decomp_free(d);
	}
}

/* -- mistakes ------------------------------------------------------------------------------------------------------ */

#define STATIC(row) "{\"type\":\"static\",\n \"rows\":[\n  " row "\n ]}"
#define COL(more)   STATIC("{\"schema\":\"a\",\n\"cols\":[{\"src\":\"a\"" more "}]}")
#define GROUP(more) STATIC("{\"schema\":\"a\",\"cols\":[{\"src\":\"a\",\"op\":\"diff\"}],\n\"group\":{" more "}}")

static void test_mistakes(void **state)
{
	static const struct {
		const char *text, *words;
		unsigned int line;
	} rows[] = {
		{ "",
		  "decomposer: json parser error: line 1 column: 0 unexpected end of file: '[' or '{' expected near "
		  "end of "
		  "file",
		  1 },
		{ "{\"type\":\"static\",\n \"rows\":[",
		  "decomposer: json parser error: line 2 column: 9 unexpected end of file: ']' expected near end of "
		  "file",
		  2 },
		{ "{\"type\" \"static\"}",
		  "decomposer: json parser error: line 1 column: 16 invalid syntax: ':' expected near '\"static\"'",
		  1 },
		{ "{\"type\":\"as_is\"} x",
		  "decomposer: json parser error: line 1 column: 18 unexpected data at end of object: end of file "
		  "expected "
		  "near 'x'",
		  1 },
		{ "[]", "decomposer: json parser error: JSON configuration is missing the 'type' attribute.", 1 },
		{ "{\"type\":5}", "decomposer: json parser error: JSON configuration is missing the 'type' attribute.",
		  1 },
		{ "{\n\"type\":\"nope\"}", "decomposer: Cannot load the decomposer nope library.", 2 },
		{ "{\"type\":\"static\"}", "strgp 'sg': The 'rows' attribute is missing, or its value is not a list.",
		  1 },
		{ STATIC("5"), "strgp 'sg': row '0': The list item must be a dictionary.", 3 },
		{ STATIC("{}"), "strgp 'sg': row '0': row['schema'] attribute is required and must be a string", 3 },
		{ STATIC("{\"schema\":\"a\"}"), "strgp 'sg': row '0': row['cols'] is required and must be an array.",
		  3 },
		{ STATIC("{\"schema\":\"a\",\"cols\":[]}"), "strgp 'sg': row '0': row['cols'] list is empty", 3 },
		{ STATIC("{\"schema\":\"a\",\"cols\":[4]}"),
		  "strgp 'sg': row '0'--col '0': a column entry must be a dictionary.", 3 },
		{ STATIC("{\"schema\":\"a\",\"cols\":[\n{}]}"),
		  "strgp 'sg': row '0'--col '0': column['src'] is required and must be a string.", 4 },
		{ STATIC("{\"schema\":\"a\",\"cols\":[{\"src\":\"x[\"}]}"),
		  "strgp 'sg': row '0'--col '0': incomplete brackets in column['src'].", 3 },
		{ COL(",\"rec_member\":4"), "strgp 'sg': row '0'--col '0': rec_member must be a string.", 4 },
		{ COL(",\"dst\":4"), "strgp 'sg': row '0'--col '0': column['dst'] must be a string.", 4 },
		{ COL(",\"type\":4"), "strgp 'sg': row '0'--col 0 : bad 'type'", 4 },
		{ COL(",\n\"fill\":3"), "strgp 'sg': row '0': col[dst] 'a','fill' error, 'type' is required.", 5 },
		{ COL(",\"type\":\"u64\",\"fill\":[1]"),
		  "strgp 'sg': row '0': col[dst] 'a','fill' error 22: array value must have array type.", 4 },
		{ COL(",\"type\":\"u64_array\",\"fill\":1"),
		  "strgp 'sg': row '0': col[dst] 'a','fill' error 22: array type must have array value.", 4 },
		{ COL(",\"type\":\"u64\",\"fill\":\"x\""),
		  "strgp 'sg': row '0': col[dst] 'a','fill' error 22: string value must have 'char' or 'char_array' "
		  "type.",
		  4 },
		{ COL(",\"type\":\"char[]\",\"fill\":1"),
		  "strgp 'sg': row '0': col[dst] 'a','fill' error 22: string type must have string value.", 4 },
		{ COL(",\"type\":\"u64\",\"fill\":true"),
		  "strgp 'sg': row '0': col[dst] 'a','fill' error 22: Unsupported JSON value.", 4 },
		{ COL(",\"op\":\"foo\""), "strgp 'sg': row '0'--col 0 : unrecognized functional operator 'foo'", 4 },
		{ COL(",\"op\":4"), "strgp 'sg': row '0'--col 0 : 'op' must be a string: diff, mean, min or max", 4 },
		{ COL(",\"op\":\"diff\""),
		  "sg: row: 0, The 'group' clause is required if functional operators are in use.", 3 },
		{ GROUP(""), "strgp 'sg': row '0': group['index'] is a required and must be an array.", 4 },
		{ GROUP("\"index\":[\"a\"]"), "strgp 'sg': row '0': group['order'] is a required and must be an array.",
		  4 },
		{ GROUP("\"index\":[\"z\"]"),
		  "strgp 'sg': row '0': group['index'] the specified column 'z'is not present in the column list.", 4 },
		{ GROUP("\"index\":[\"a\"],\"order\":[\"a\"],\"limit\":0"),
		  "strgp 'sg': row '0': group['limit'] must be a whole number from 1 to 65536.", 4 },
		{ GROUP("\"index\":[\"a\"],\"order\":[\"a\"],\"timeout\":5"),
		  "strgp 'sg': row '0': group['timeout'] must be a STRING describing time (e.g. \"10s\").", 4 },
		{ GROUP("\"index\":[\"a\"],\"order\":[\"a\"],\"timeout\":\"foo\""),
		  "strgp 'sg': row '0': group['timeout'] value \"foo\" has invalid format.", 4 },
		{ STATIC("{\"schema\":\"a\",\"cols\":[{\"src\":\"a\"}],\"indices\":{}}"),
		  "strgp 'sg': row '0': the 'indices' value must be an array.", 3 },
		{ STATIC("{\"schema\":\"a\",\"cols\":[{\"src\":\"a\"}],\"indices\":[{\"name\":\"i\",\n\"cols\":[\"a\","
			 "\n"
			 "\"zz\"]}]}"),
		  "strgp 'sg': row '0': index '0': column 'zz' not found.", 5 },
		{ "{\"type\":\"as_is\",\"indices\":{}}", "The 'indices' key must refer to an array.", 1 },
		{ "{\"type\":\"as_is\",\"indices\":[{\"name\":\"x\"}]}",
		  "strgp 'sg': index '0': index['cols'] is required.", 1 },
		{ "{\"type\":\"flex\"}", "'decomposition' attribute is missing", 1 },
		{ FLEX(",\n\"digest\":{\"00\":\"a\"}"), "Invalid digest key '00'.", 2 },
		{ FLEX(",\"digest\":{\"*\":\"z\"}"), "The specified decomposition schema ('z') was not found.", 1 },
		{ FLEX(",\"digest\":{\"*\":3}"), "'digest' must be a string or an array of strings.", 1 },
		{ FLEX(",\"matches\":[{\"apply\":\"a\"}]"), "'schema' and/or 'instance' is needed in a match object.",
		  1 },
		{ FLEX(",\"matches\":[{\"schema\":\"a\"}]"), "'apply' is needed in a match object.", 1 },
		{ FLEX(",\"default\":\"z\""), "The specified decomposition 'z' was not found.", 1 },
		{ "{\"type\":\"flex\",\"decomposition\":{\"a\":{\"type\":\"static\"}}}",
		  "strgp 'sg.a': The 'rows' attribute is missing, or its value is not a list.", 1 },
		{ "{\"type\":\"flex\",\"decomposition\":{\"a\":{\"type\":\"flex\"}}}",
		  "decomposition['a']: a flex holds as_is and static decompositions, no further flex", 1 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct err err = { "" };
		struct decomp *d = NULL;
		unsigned int line = 0;

		assert_true(decomp_parse("sg", rows[i].text, strlen(rows[i].text), &d, &line, &err) < 0);
		assert_string_equal(err.msg, rows[i].words);
		if (line != rows[i].line)
			fail_msg("%s: line %u, not %u", rows[i].words, line, rows[i].line);
		assert_null(d);
	}
}

static void test_no_file(void **state)
{
	char dir[] = "/tmp/decomp-XXXXXX", *fifo;
	struct err err = { "" };
	struct decomp *d = NULL;
	unsigned int line;

	assert_int_equal(decomp_load("sg", "/none", &d, &line, &err), -EINVAL);
	assert_string_equal(err.msg,
			    "decomposer: json parser error: line -1 column: -1 cannot open file: unable to open "
			    "/none: No such file or directory");
	assert_int_equal(decomp_load("sg", "/dev/zero", &d, &line, &err), -EFBIG);
	assert_int_equal(decomp_load("sg", "/", &d, &line, &err), -EISDIR);
	/* nobody writes */
	assert_non_null(mkdtemp(dir));
	fifo = xasprintf("%s/fifo", dir);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	assert_int_equal(decomp_load("sg", fifo, &d, &line, &err), -EINVAL);
	unlink(fifo);
	rmdir(dir);
	free(fifo);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_static),   cmocka_unit_test(test_list_and_operators),
		cmocka_unit_test(test_flex),     cmocka_unit_test(test_unequal_lists),
		cmocka_unit_test(test_meta),     cmocka_unit_test(test_missing),
		cmocka_unit_test(test_refused),  cmocka_unit_test(test_lists_that_change),
		cmocka_unit_test(test_indices),  cmocka_unit_test(test_flex_choices),
		cmocka_unit_test(test_mistakes), cmocka_unit_test(test_no_file),
	};

	log_level_set(LOG_QUIET_);
	return cmocka_run_group_tests(tests, pool_setup, pool_teardown);
}
