/* all_example.c - a metric of every type that LDMS has, with known values: 76 or 'L', and an end of arrays that is 0 */
#include <errno.h>

#include "plugins/fill.h"
#include "plugins/samp.h"

#define VALUE 76
#define CARD  4 /* elements of an array */

#define ONE(name, type)                                                                                                \
	{                                                                                                              \
		name, type, "", METRIC_GAUGE, "76 or 'L'", 1                                                           \
	}
#define FOUR(name, type)                                                                                               \
	{                                                                                                              \
		name, type, "", METRIC_GAUGE, "three times 76 or 'L', and 0", CARD                                     \
	}

static const struct metric_def metrics[] = {
	ONE("char", V_CHAR),
	ONE("u8", V_U8),
	ONE("s8", V_S8),
	ONE("u16", V_U16),
	ONE("s16", V_S16),
	ONE("u32", V_U32),
	ONE("s32", V_S32),
	ONE("u64", V_U64),
	ONE("s64", V_S64),
	ONE("f32", V_F32),
	ONE("d32", V_D64), /* so it is named */
	FOUR("char_array", V_CHAR_ARRAY),
	FOUR("u8_array", V_U8_ARRAY),
	FOUR("s8_array", V_S8_ARRAY),
	FOUR("u16_array", V_U16_ARRAY),
	FOUR("s16_array", V_S16_ARRAY),
	FOUR("u32_array", V_U32_ARRAY),
	FOUR("s32_array", V_S32_ARRAY),
	FOUR("u64_array", V_U64_ARRAY),
	FOUR("s64_array", V_S64_ARRAY),
	FOUR("float_array", V_F32_ARRAY),
	FOUR("double_array", V_D64_ARRAY),
	ONE("char_end", V_CHAR),
	{ NULL, V_NONE, NULL, METRIC_GAUGE, NULL, 0 },
};
#define METRICS (sizeof(metrics) / sizeof(*metrics) - 1)

struct all_example {
	struct set *set;
};

static void metric_put(void *slot, const struct metric_def *m)
{
	uint32_t n = value_is_array(m->type) ? CARD - 1 : 1;

	if (value_elem_type(m->type) == V_CHAR)
		memset(slot, VALUE, n);
	else
		fill_ints(slot, m->type, n, VALUE, 0);
}

static int all_example_open(struct samp *sp, struct err *err)
{
	struct all_example *ae = samp_state(sp);
	int first = samp_set_make(sp, samp_schema_new(sp, "all_example", err), metrics, METRICS, NULL, &ae->set, err);

	if (first < 0)
		return first;
	for (size_t i = 0; i < METRICS; i++)
		metric_put(set_slot(ae->set, first + (int)i), &metrics[i]);
	return 0;
}

static int all_example_sample(struct samp *sp, struct err *err)
{
	struct all_example *ae = samp_state(sp);

	samp_begin(sp, ae->set); /* they stand there from the beginning */
	samp_end(sp, ae->set);
	return 0;
}

static void all_example_close(struct samp *sp)
{
}

const struct samp_type samp_all_example = {
	.name = "all_example",
	.brief = "a metric of every type, with known values",
	.source = "constants",
	.metrics = metrics,
	.state_size = sizeof(struct all_example),
	.open = all_example_open,
	.sample = all_example_sample,
	.close = all_example_close,
};
