/* array_example.c - arrays of numbers that count up (signed ones: down) from a number that counts the samples */
#include <errno.h>
#include <stdio.h>

#include "plugins/attr.h"
#include "plugins/fill.h"
#include "plugins/samp.h"
#include "plugins/test_grammar.h"

#define CARD_DFLT 10

static const struct samp_attr attrs[] = {
	{ "num_metrics", "one of each type", "arrays array_0, array_1, ..." },
	{ "num_ele", "10", "elements of each" },
	{ "type", "u64_array", "type of these: u8_array to d64_array" },
	{ NULL, NULL, NULL },
};

#define UP(name, type)                                                                                                 \
	{                                                                                                              \
		name, type, "", METRIC_GAUGE, "counts up", CARD_DFLT                                                   \
	}
#define DOWN(name, type)                                                                                               \
	{                                                                                                              \
		name, type, "", METRIC_GAUGE, "counts down", CARD_DFLT                                                 \
	}

static const struct metric_def metrics[] = {
	UP("u8_array", V_U8_ARRAY),
	DOWN("s8_array", V_S8_ARRAY),
	UP("u16_array", V_U16_ARRAY),
	DOWN("s16_array", V_S16_ARRAY),
	UP("u32_array", V_U32_ARRAY),
	DOWN("s32_array", V_S32_ARRAY),
	UP("u64_array", V_U64_ARRAY),
	DOWN("s64_array", V_S64_ARRAY),
	UP("float_array", V_F32_ARRAY),
	UP("double_array", V_D64_ARRAY),
	{ NULL, V_NONE, NULL, METRIC_GAUGE, NULL, 0 },
};
#define METRICS (sizeof(metrics) / sizeof(*metrics) - 1)

struct array_example {
	struct set *set;
	uint32_t first, n;    /* metrics */
	enum value_type type; /* of all, or V_NONE: as in the table */
	uint32_t count;
	uint64_t samples;
};

static int conf_read(struct samp *sp, struct array_example *ae, struct err *err)
{
	const char *type = samp_attr(sp, "type");
	uint64_t n, count;
	int rc = attr_range(sp, "num_metrics", 1, 1, SCHEMA_CARD_MAX - 8, &n, err);

	if (!rc)
		rc = attr_range(sp, "num_ele", CARD_DFLT, 1, SCHEMA_ARRAY_MAX, &count, err);
	if (rc)
		return rc;
	ae->count = (uint32_t)count;
	ae->n = METRICS;
	if (!type && !samp_attr(sp, "num_metrics"))
		return 0;
	ae->n = (uint32_t)n;
	ae->type = type ? test_type_find(type, strlen(type)) : V_U64_ARRAY;
	if (!value_is_array(ae->type) || ae->type == V_CHAR_ARRAY)
		return err_set(err, -EINVAL, "type=%s: is no array of numbers; use u8_array to d64_array", type);
	return 0;
}

static int array_example_check(struct samp *sp, struct err *err)
{
	struct array_example ae = { 0 };

	return conf_read(sp, &ae, err);
}

static int metrics_add(const struct array_example *ae, struct schema *s, struct err *err)
{
	int rc = 0;

	for (uint32_t i = 0; rc >= 0 && i < ae->n; i++) {
		char name[sizeof("array_4294967295")];

		snprintf(name, sizeof(name), "array_%u", i);
		rc = ae->type ? schema_add_array(s, name, ae->type, ae->count, "", err)
			      : schema_add_array(s, metrics[i].name, metrics[i].type, ae->count, "", err);
		if (rc >= 0 && !ae->type)
			schema_about_set(s, rc, metrics[i].kind, metrics[i].help);
	}
	return rc;
}

static int array_example_open(struct samp *sp, struct err *err)
{
	struct array_example *ae = samp_state(sp);
	int rc = conf_read(sp, ae, err);
	struct schema *s;

	if (rc)
		return rc;
	s = samp_schema_new(sp, "array_example", err);
	if (!s)
		return -EINVAL;
	ae->first = schema_card(s);
	rc = metrics_add(ae, s, err);
	if (rc < 0) {
		schema_free(s);
		return rc;
	}
	ae->set = samp_set_new(sp, s, "", err);
	return ae->set ? 0 : -ENOMEM;
}

static bool is_signed(enum value_type t)
{
	return t == V_S8_ARRAY || t == V_S16_ARRAY || t == V_S32_ARRAY || t == V_S64_ARRAY;
}

static int array_example_sample(struct samp *sp, struct err *err)
{
	struct array_example *ae = samp_state(sp);

	samp_begin(sp, ae->set);
	for (uint32_t i = 0; i < ae->n; i++) {
		enum value_type t = ae->type ? ae->type : metrics[i].type;
		void *slot = set_slot(ae->set, (int)(ae->first + i));

		if (t == V_F32_ARRAY || t == V_D64_ARRAY)
			fill_reals(slot, t, ae->count, (double)ae->samples, 0.1);
		else
			fill_ints(slot, t, ae->count, ae->samples, is_signed(t) ? -1 : 1);
	}
	samp_end(sp, ae->set);
	ae->samples++;
	return 0;
}

static void array_example_close(struct samp *sp)
{
}

const struct samp_type samp_array_example = {
	.name = "array_example",
	.brief = "arrays of every type of numbers, counting",
	.source = "a counter",
	.attrs = attrs,
	.metrics = metrics,
	.state_size = sizeof(struct array_example),
	.check = array_example_check,
	.open = array_example_open,
	.sample = array_example_sample,
	.close = array_example_close,
};
