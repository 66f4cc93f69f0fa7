/* set_rig.h - sets of a pool for tests, and a look at what is in them (after cmocka.h) */
#ifndef TESTS_UNIT_SET_RIG_H
#define TESTS_UNIT_SET_RIG_H

#define TEXT(s) (s), strlen(s)

static struct pool *pool;

static int setup(void **state)
{
	pool = pool_new(0);
	return 0;
}

static int teardown(void **state)
{
	pool_free(pool); /* asserts that every set was freed */
	return 0;
}

/* Takes the schema. */
static struct set *make(struct schema *schema, const char *name)
{
	struct err err = { "" };
	struct set *s;

	if (set_new(pool, schema, name, "node-1", 1000, 100, 0640, &s, &err))
		fail_msg("%s", err.msg);
	schema_free(schema);
	return s;
}

/* The newest sample, which our own checks for peers find good. */
static struct snap *look(const struct set *s)
{
	struct snap *sn = snap_new(s);
	struct err err = { "" };

	if (image_check_meta(sn->im.meta, s->meta_sz, &err))
		fail_msg("%s: %s", s->name, err.msg);
	if (image_check_data(sn->im.meta, sn->im.data, true, &err))
		fail_msg("%s: %s", s->name, err.msg);
	return sn;
}

static uint64_t value_of(const struct snap *sn, uint32_t i)
{
	return value_u64(image_value(&sn->im, i), 0);
}

static void assert_text(struct value v, const char *want)
{
	const char *text;
	size_t len = value_text(v, &text);

	assert_int_equal(len, strlen(want));
	assert_memory_equal(text, want, len);
}

#define PROCSTAT2_REC  3
#define PROCSTAT2_LIST 4

static bool fill_cpus(struct set *s, uint32_t n, uint64_t base)
{
	char name[16];

	list_clear(s, PROCSTAT2_LIST);
	for (uint32_t i = 0; i < n; i++) {
		struct record *r = list_append_record(s, PROCSTAT2_LIST, PROCSTAT2_REC);

		if (!r)
			return false;
		snprintf(name, sizeof(name), "cpu%u", i);
		record_text(s, r, 0, name, strlen(name));
		for (int m = 1; m <= 10; m++)
			record_u64(s, r, m, base + i * 100 + (uint64_t)m);
	}
	return true;
}

static void check_cpus(const struct snap *sn, uint32_t n, uint64_t base)
{
	struct value list = image_value(&sn->im, PROCSTAT2_LIST);
	struct list_it it = list_first(list);
	char name[16];

	assert_int_equal(list_len(list), n);
	for (uint32_t i = 0; i < n; i++, it = list_next(&sn->im, it)) {
		struct value r = list_value(&sn->im, it);

		assert_int_equal(r.type, V_RECORD_INST);
		assert_int_equal(record_type_of(r), PROCSTAT2_REC);
		assert_int_equal(((uintptr_t)r.p - (uintptr_t)sn->im.data) % 8, 0);
		snprintf(name, sizeof(name), "cpu%u", i);
		assert_text(record_value(&sn->im, r, 0), name);
		for (uint32_t m = 1; m <= 10; m++)
			assert_int_equal(value_u64(record_value(&sn->im, r, m), 0), base + i * 100 + m);
	}
	assert_int_equal(it.off, 0);
}

#endif
