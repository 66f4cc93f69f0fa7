/* json_shape.c - objects that strangers publish: what a set can hold it holds, whatever came before
 *
 * The input is one object a line.
 */
#include <assert.h>
#include <stdlib.h>

#include "core/base/xalloc.h"
#include "core/set/set.h"
#include "plugins/json_shape.h"

#define SET_MAX (1u << 20) /* larger ones only take time */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct state {
	struct pool *pool;
	struct json_shape shape;
	struct set *set;
};

static bool set_make(struct state *st, struct json_shape *shape, struct err *err)
{
	struct schema *s = schema_new("fuzz", NULL);
	struct set *set = NULL;

	if (!json_shape_build(shape, s, 0, err))
		set_new(st->pool, s, "fuzz", "fuzz", 0, 0, 0777, &set, err);
	schema_free(s);
	if (!set) {
		assert(*err->msg);
		json_shape_fini(shape);
		return false;
	}
	set_put(st->set);
	json_shape_fini(&st->shape);
	st->shape = *shape;
	st->set = set;
	return true;
}

static void object_take(struct state *st, const json_t *object)
{
	struct json_shape shape;
	struct err err = { "" };
	const struct set_meta *meta;
	int rc = json_shape_learn(&st->shape, object, &shape, &err);

	if (rc < 0)
		assert(*err.msg);
	if (rc < 0 || (rc > 0 && !set_make(st, &shape, &err)) || !st->set)
		return;
	set_begin(st->set);
	json_shape_fill(&st->shape, st->set, object);
	set_end(st->set);
	meta = (const struct set_meta *)st->set->image;
	assert(!image_check_meta(meta, st->set->meta_sz, &err));
	assert(!image_check_data(meta, st->set->image + st->set->meta_sz, true, &err));
	rc = json_shape_learn(&st->shape, object, &shape, &err);
	assert(!rc); /* it knows it now */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct pool *pool;
	struct state st = { 0 };

	if (!pool)
		pool = pool_new(SET_MAX);
	st.pool = pool;
	while (size) {
		const uint8_t *end = memchr(data, '\n', size);
		size_t n = end ? (size_t)(end - data) : size;
		json_t *object = json_loadb((const char *)data, n, JSON_DECODE_ANY, NULL);

		if (json_is_object(object))
			object_take(&st, object);
		json_decref(object);
		data += end ? n + 1 : n;
		size -= end ? n + 1 : n;
	}
	set_put(st.set);
	json_shape_fini(&st.shape);
	return 0;
}
