/* csv_rig.h - for tests of store csv: an instance without a policy around it, and small sets. */
#ifndef TESTS_UNIT_CSV_RIG_H
#define TESTS_UNIT_CSV_RIG_H

#include "core/daemon/strgp.h"
#include "csv_sample.h"

static struct pool *pool;
static char *scratch;

static inline int setup(void **state)
{
	pool = pool_new(0);
	scratch = scratch_new();
	return 0;
}

static inline int teardown(void **state)
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
static inline void rig_open(struct rig *r, const char *attrs)
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

static inline void rig_close(struct rig *r)
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

static inline int row_cb(const struct row *row, void *arg)
{
	struct row_arg *a = arg;

	a->rc = store_type(a->r->store)->row(a->r->sink, row, &a->r->err);
	return a->rc ? 1 : 0;
}

static inline int rig_store(struct rig *r, const struct snap *sn)
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

static inline int rig_flush(struct rig *r)
{
	return store_type(r->store)->flush(r->sink, &r->err);
}

static inline char *stored_path(const char *name)
{
	return xasprintf("%s/box/inner/%s", scratch, name);
}

static inline char *stored_text(const char *name)
{
	char *path = stored_path(name), *text = file_text(path);

	free(path);
	return text;
}

static inline void assert_stored(const char *name, const char *want)
{
	char *got = stored_text(name);

	assert_string_equal(got, want);
	free(got);
}

static inline void append(const char *name, const char *text)
{
	char *path = stored_path(name);
	FILE *f = fopen(path, "a");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	free(path);
}

/* A set with metric a, and array b of `n_b` elements when there are any; names as the schema's. */
static inline struct set *small_set(const char *schema, uint32_t n_b, enum value_type type_a)
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

static inline struct snap *small_snap(struct set *s, uint64_t a)
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
static inline int small_store(struct rig *r, struct set *s, uint64_t a)
{
	struct snap *sn = small_snap(s, a);
	int rc = rig_store(r, sn);

	snap_put(sn);
	return rc;
}

#define HEAD_A   "#Time,Time_usec,ProducerName,a\n"
#define ROW_A(a) "1000.000007,7,n1," #a "\n"

#endif
