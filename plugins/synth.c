/* synth.c - made-up sets of any number and size, to try a cluster with: every value counts up */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/xalloc.h"
#include "plugins/attr.h"
#include "plugins/fill.h"
#include "plugins/rows.h"
#include "plugins/samp.h"

#define SETS_MAX    1000000
#define METRICS_MAX (SCHEMA_CARD_MAX - 8) /* room for those that every set has, and the list */
#define RECORDS_MAX 999999
#define RECORD_NAME 16 /* bytes of a record's name */

static const struct samp_attr attrs[] = {
	{ "sets", "1", "how many sets; with more than one they are named NAME/0, NAME/1, ..." },
	{ "metrics", "50", "metrics m0, m1, ... of a set" },
	{ "type", "u64", "of the metrics: u8 ... d64, char[], u8[] ... d64[]" },
	{ "array", "8", "elements, when the type is an array" },
	{ "records", "0", "records of a list" },
	{ "change", "100", "per cent of the metrics that change with a sample" },
	{ NULL, NULL, NULL },
};

static const struct metric_def members[] = {
	{ "name", V_CHAR_ARRAY, NULL, METRIC_GAUGE, "r0, r1, ...", RECORD_NAME },
	{ "count", V_U64, NULL, METRIC_COUNTER, "counts up with the samples", 1 },
	{ "half", V_D64, NULL, METRIC_GAUGE, "half of it", 1 },
};
#define MEMBERS (sizeof(members) / sizeof(*members))

struct record_row { /* a record's values in the set */
	char name[RECORD_NAME];
	uint64_t count, half;
};

struct synth_set {
	struct set *set;
	uint8_t *values; /* of m0; the others are behind it */
	struct rows records;
};

struct synth {
	struct synth_set *sets;
	uint64_t n;        /* of them; those made so far stand first */
	int first;         /* index of m0 */
	uint64_t changing; /* of the metrics, from m0 on */
	size_t stride;     /* bytes from one to the next */
	enum value_type type;
	uint32_t count; /* elements of a metric */
	uint64_t records;
	uint64_t samples;
};

static int conf_type(struct samp *sp, struct synth *sy, struct err *err)
{
	const char *word = samp_attr(sp, "type");
	uint64_t count = 1;
	int rc = 0;

	sy->type = word ? value_type_find(word) : V_U64;
	if (!value_elem_size(sy->type) || sy->type == V_TIMESTAMP)
		return err_set(err, -EINVAL, "type=%s: is no type of numbers; use u64, d64, char[], u32[], ...", word);
	if (value_is_array(sy->type))
		rc = attr_range(sp, "array", 8, 1, SCHEMA_ARRAY_MAX, &count, err);
	sy->count = (uint32_t)count;
	return rc;
}

static int conf_read(struct samp *sp, struct synth *sy, uint64_t *sets, uint64_t *metrics, uint64_t *percent,
		     struct err *err)
{
	int rc;

	if ((rc = attr_range(sp, "sets", 1, 1, SETS_MAX, sets, err)) ||
	    (rc = attr_range(sp, "metrics", 50, 0, METRICS_MAX, metrics, err)) ||
	    (rc = attr_range(sp, "records", 0, 0, RECORDS_MAX, &sy->records, err)) ||
	    (rc = attr_range(sp, "change", 100, 0, 100, percent, err)))
		return rc;
	return conf_type(sp, sy, err);
}

static int synth_check(struct samp *sp, struct err *err)
{
	struct synth sy = { 0 };
	uint64_t sets, metrics, percent;

	return conf_read(sp, &sy, &sets, &metrics, &percent, err);
}

static struct schema *synth_schema(struct samp *sp, struct synth *sy, uint64_t metrics, struct err *err)
{
	struct schema *s = samp_schema_new(sp, "synth", err);
	int rc = 0;

	if (!s)
		return NULL;
	sy->first = (int)schema_card(s);
	for (uint64_t i = 0; rc >= 0 && i < metrics; i++) {
		char name[sizeof("m18446744073709551615")];

		snprintf(name, sizeof(name), "m%llu", (unsigned long long)i);
		rc = value_is_array(sy->type) ? schema_add_array(s, name, sy->type, sy->count, NULL, err)
					      : schema_add(s, name, sy->type, NULL, err);
	}
	if (rc >= 0 && sy->records) {
		rc = schema_add_record(s, "rec", members, MEMBERS, err);
		if (rc >= 0)
			rc = schema_add_list(s, "recs", NULL, (uint32_t)schema_record_heap(s, rc, sy->records), err);
	}
	if (rc >= 0)
		return s;
	schema_free(s);
	return NULL;
}

static int synth_open(struct samp *sp, struct err *err)
{
	struct synth *sy = samp_state(sp);
	uint64_t sets, metrics, percent;
	int rc = conf_read(sp, sy, &sets, &metrics, &percent, err);

	if (rc)
		return rc;
	sy->changing = (metrics * percent + 99) / 100;
	sy->stride = value_size(sy->type, sy->count);
	sy->sets = xcalloc(sets, sizeof(*sy->sets));
	while (sy->n < sets) {
		struct synth_set *ss = &sy->sets[sy->n];
		struct schema *s = synth_schema(sp, sy, metrics, err);
		char suffix[32] = "";

		if (!s)
			return -EINVAL;
		if (sets > 1)
			snprintf(suffix, sizeof(suffix), "/%llu", (unsigned long long)sy->n);
		ss->records = (struct rows){ .list = (int)schema_card(s) - 1, .record = (int)schema_card(s) - 2 };
		ss->records.set = ss->set = samp_set_new(sp, s, suffix, err);
		if (!ss->set)
			return -ENOMEM;
		if (metrics)
			ss->values = set_slot(ss->set, sy->first);
		sy->n++;
	}
	return 0;
}

/* The metadata are not looked at: of very many sets they are in nobody's cache. */
static void values_fill(const struct synth *sy, uint8_t *to)
{
	if (sy->count == 1 && value_elem_size(sy->type) == sy->stride) {
		fill_ints(to, sy->type, (uint32_t)sy->changing, sy->samples, 1);
		return;
	}
	for (uint64_t i = 0; i < sy->changing; i++, to += sy->stride)
		fill_ints(to, sy->type, sy->count, sy->samples + i, 1);
}

static int synth_sample(struct samp *sp, struct err *err)
{
	struct synth *sy = samp_state(sp);

	sy->samples++;
	for (uint64_t k = 0; k < sy->n; k++) {
		struct synth_set *ss = &sy->sets[k];

		samp_begin(sp, ss->set);
		values_fill(sy, ss->values);
		for (uint64_t i = 0; i < sy->records; i++) {
			struct record_row *row = rows_at(&ss->records, i);

			if (!row) {
				samp_cancel(sp, ss->set);
				return err_set(err, -ENOSPC, "synth: %llu records do not fit; lower records=",
					       (unsigned long long)sy->records);
			}
			if (!*row->name)
				snprintf(row->name, sizeof(row->name), "r%u", (unsigned int)i);
			row->count = htole64(sy->samples + i);
			fill_reals(&row->half, V_D64, 1, (double)(sy->samples + i) / 2, 0);
		}
		samp_end(sp, ss->set);
	}
	return 0;
}

static void synth_close(struct samp *sp)
{
	struct synth *sy = samp_state(sp);

	for (uint64_t k = 0; k < sy->n; k++)
		rows_fini(&sy->sets[k].records);
	free(sy->sets);
}

const struct samp_type samp_synth = {
	.name = "synth",
	.brief = "made-up sets, to try a cluster with",
	.source = "a counter",
	.attrs = attrs,
	.state_size = sizeof(struct synth),
	.check = synth_check,
	.open = synth_open,
	.sample = synth_sample,
	.close = synth_close,
};
