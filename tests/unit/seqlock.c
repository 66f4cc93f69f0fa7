/* seqlock.c - a writer and several readers of one set at once: every copy is from one moment.  Run it under
 * SAN=thread too. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>

#include "core/set/snap.h"
#include "known_schemas.h"

#define READERS 3
#define COPIES  2000 /* by each reader */
#define VALUES  2048 /* long enough to come in between */

struct shared {
	struct set *set;
	atomic_uint busy; /* readers that go on */
	atomic_uint torn;
};

/* All values of a sample are alike, and so are those of its list, and each sample has its own generation. */
static bool is_whole(const struct snap *sn)
{
	struct value arr = image_value(&sn->im, 3), list = image_value(&sn->im, 4);
	uint64_t want = value_u64(arr, 0), n = 0;

	for (uint32_t i = 0; i < VALUES; i++)
		if (value_u64(arr, i) != want)
			return false;
	for (struct list_it it = list_first(list); it.off; it = list_next(&sn->im, it), n++)
		if (value_u64(list_value(&sn->im, it), 0) != want)
			return false;
	if (n != list_len(list) || n != want % 8)
		return false;
	if (le64toh(sn->im.data->gn) != want + 1)
		return false;
	return value_u64(image_value(&sn->im, 0), 0) + 1 == le64toh(sn->im.meta->meta_gn);
}

static void *reader(void *arg)
{
	struct shared *sh = arg;
	uint64_t gn = 0;

	for (int i = 0; i < COPIES; i++) {
		struct snap *sn = snap_new(sh->set);
		struct set_stat st;

		if (le32toh(sn->im.data->flags) == SET_TRANS_DONE && !is_whole(sn))
			sh->torn++;
		set_stat(sh->set, &st);
		if (st.gn < le64toh(sn->im.data->gn) || st.gn < gn || set_gn(sh->set) < st.gn)
			sh->torn++;
		gn = st.gn;
		snap_put(sn);
	}
	sh->busy--;
	return NULL;
}

/* META values come from another thread than samples. */
static void *meta_writer(void *arg)
{
	struct shared *sh = arg;

	for (uint64_t v = 1; sh->busy; v++) {
		set_meta_u64(sh->set, 0, v);
		sched_yield();
	}
	return NULL;
}

static void sample(struct set *s, uint64_t v)
{
	uint64_t le = htole64(v), all[VALUES];

	for (int i = 0; i < VALUES; i++)
		all[i] = htole64(v);
	set_begin(s);
	memcpy(set_slot(s, 3), all, sizeof(all));
	list_clear(s, 4);
	for (uint64_t i = 0; i < v % 8; i++)
		memcpy(list_append(s, 4, V_U64, 1), &le, sizeof(le));
	set_end(s);
}

static void run(uint32_t array_card)
{
	struct schema *schema = known_base("seqlock");
	struct pool *pool = pool_new(0);
	struct shared sh = { .busy = READERS };
	pthread_t readers[READERS], meta;

	schema_add_array(schema, "all", V_U64_ARRAY, VALUES, NULL, NULL);
	schema_add_list(schema, "list", NULL, (uint32_t)schema_list_heap(V_U64, 1, 8), NULL);
	schema_array_card_set(schema, array_card);
	assert_int_equal(set_new(pool, schema, "seqlock", "p", 0, 0, 0, &sh.set, NULL), 0);
	schema_free(schema);
	for (int i = 0; i < READERS; i++)
		assert_int_equal(pthread_create(&readers[i], NULL, reader, &sh), 0);
	assert_int_equal(pthread_create(&meta, NULL, meta_writer, &sh), 0);
	for (uint64_t v = 1; sh.busy; v++)
		sample(sh.set, v);
	for (int i = 0; i < READERS; i++)
		pthread_join(readers[i], NULL);
	pthread_join(meta, NULL);
	assert_int_equal(sh.torn, 0);
	set_put(sh.set);
	pool_free(pool);
}

static void test_one_element(void **state)
{
	run(1);
}

static void test_ring(void **state)
{
	run(3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_element),
		cmocka_unit_test(test_ring),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
