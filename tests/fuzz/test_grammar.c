/* test_grammar.c - metrics= of test_sampler: what can be read makes a set, and samples of it are whole */
#include <assert.h>
#include <stdlib.h>

#include "core/base/log.h"
#include "core/base/xalloc.h"
#include "core/set/snap.h"
#include "plugins/test_grammar.h"

#define SET_MAX (1u << 20) /* larger ones only take time */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_set(struct pool *pool, const struct test_schema *ts, const struct schema *s)
{
	struct set *set;
	struct err err;

	if (set_new(pool, s, "fuzz", "fuzz", 0, 0, 0777, &set, NULL))
		return;
	test_set_init(ts, set);
	for (uint64_t n = 1; n < 4; n++) {
		const struct set_meta *meta = (const struct set_meta *)set->image;

		set_begin(set);
		test_set_fill(ts, set, n);
		set_end(set);
		assert(!image_check_meta(meta, set->meta_sz, &err));
		assert(!image_check_data(meta, set->image + set->meta_sz, true, &err));
	}
	set_put(set);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct pool *pool;
	struct test_schema ts;
	struct err err = { "" };
	char *text = xstrndup((const char *)data, size);

	if (!pool)
		pool = pool_new(SET_MAX);
	if (!test_schema_parse(&ts, text, ':', &err)) {
		struct schema *s = schema_new("fuzz", NULL);

		if (!test_schema_build(&ts, s, &err))
			try_set(pool, &ts, s);
		else
			assert(*err.msg);
		schema_free(s);
	} else {
		assert(!ts.n && *err.msg);
	}
	test_schema_fini(&ts);
	free(text);
	return 0;
}
