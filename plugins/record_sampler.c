/* record_sampler.c - records in a list and in an array, with a member of every type; values go with the samples */
#include <errno.h>
#include <stdio.h>

#include "plugins/attr.h"
#include "plugins/fill.h"
#include "plugins/samp.h"

#define RECORDS   3 /* of the list, and of the array; the list's heap has room for one more, as in LDMS */
#define CARD      8 /* elements of a member that is an array */
#define NAME_SIZE 16

static const struct samp_attr attrs[] = {
	{ "with_name", "false", "a member `name` behind the others: list0, ..., arr0, ..." },
	{ NULL, NULL, NULL },
};

#define MEMBER(word, n, text)                                                                                          \
	{                                                                                                              \
		"LDMS_V_" #word, V_##word, "unit", METRIC_GAUGE, text, n                                               \
	}

/* What a member is: v is the sample's number, and one more with each record; array elements go on by one each. */
static const struct member {
	struct metric_def def;
	double from; /* of v = 0 */
	int sign;
} members[] = {
	{ MEMBER(CHAR, 1, "a or b"), 0, 1 },
	{ MEMBER(U8, 1, "v"), 0, 1 },
	{ MEMBER(S8, 1, "-v"), 0, -1 },
	{ MEMBER(U16, 1, "1000 + v"), 1000, 1 },
	{ MEMBER(S16, 1, "-(1000 + v)"), 1000, -1 },
	{ MEMBER(U32, 1, "100000 + v"), 100000, 1 },
	{ MEMBER(S32, 1, "-(100000 + v)"), 100000, -1 },
	{ MEMBER(U64, 1, "200000 + v"), 200000, 1 },
	{ MEMBER(S64, 1, "-(200000 + v)"), 200000, -1 },
	{ MEMBER(F32, 1, "v"), 0, 1 },
	{ MEMBER(D64, 1, "v"), 0, 1 },
	{ MEMBER(CHAR_ARRAY, CARD, "a_v"), 0, 1 },
	{ MEMBER(U8_ARRAY, CARD, "v, ..."), 0, 1 },
	{ MEMBER(S8_ARRAY, CARD, "-v, ..."), 0, -1 },
	{ MEMBER(U16_ARRAY, CARD, "1000 + v, ..."), 1000, 1 },
	{ MEMBER(S16_ARRAY, CARD, "-(1000 + v), ..."), 1000, -1 },
	{ MEMBER(U32_ARRAY, CARD, "100000 + v, ..."), 100000, 1 },
	{ MEMBER(S32_ARRAY, CARD, "-(100000 + v), ..."), 100000, -1 },
	{ MEMBER(U64_ARRAY, CARD, "500000 + v, ..."), 500000, 1 },
	{ MEMBER(S64_ARRAY, CARD, "-(500000 + v), ..."), 500000, -1 },
	{ MEMBER(F32_ARRAY, CARD, "v + 0.5, ..."), 0.5, 1 },
	{ MEMBER(D64_ARRAY, CARD, "v + 0.75, ..."), 0.75, 1 },
	{ { "name", V_CHAR_ARRAY, NULL, METRIC_GAUGE, "where it stands", NAME_SIZE }, 0, 1 },
};
enum { MEMBERS = sizeof(members) / sizeof(*members), MEMBER_NAME = MEMBERS - 1 };

struct record_sampler {
	struct set *set;
	int round, record, list, array;
	bool with_name;
	uint32_t samples;
};

static int record_check(struct samp *sp, struct err *err)
{
	bool with_name;

	return attr_bool(sp, "with_name", false, &with_name, err);
}

static int record_schema(struct record_sampler *rs, struct schema *s, struct err *err)
{
	struct metric_def defs[MEMBERS];

	for (size_t i = 0; i < MEMBERS; i++)
		defs[i] = members[i].def;
	rs->round = schema_add(s, "round", V_U32, "", err);
	if (rs->round < 0)
		return rs->round;
	schema_about_set(s, rs->round, METRIC_COUNTER, "samples so far");
	rs->record = schema_add_record(s, "device_record", defs, rs->with_name ? MEMBERS : MEMBER_NAME, err);
	if (rs->record < 0)
		return rs->record;
	rs->list =
		schema_add_list(s, "device_list", NULL, (uint32_t)schema_record_heap(s, rs->record, RECORDS + 1), err);
	if (rs->list < 0)
		return rs->list;
	return rs->array = schema_add_record_array(s, "device_array", rs->record, RECORDS, NULL, err);
}

static int record_open(struct samp *sp, struct err *err)
{
	struct record_sampler *rs = samp_state(sp);
	int rc = attr_bool(sp, "with_name", false, &rs->with_name, err);
	struct schema *s;

	if (rc)
		return rc;
	s = samp_schema_new(sp, "record_sampler", err);
	if (!s)
		return -EINVAL;
	rc = record_schema(rs, s, err);
	if (rc < 0) {
		schema_free(s);
		return rc;
	}
	rs->set = samp_set_new(sp, s, "", err);
	return rs->set ? 0 : -ENOMEM;
}

static void record_put(struct record_sampler *rs, struct record *r, uint32_t v, const char *where, uint32_t at)
{
	char text[NAME_SIZE];

	for (int i = 0; i < MEMBER_NAME; i++) {
		const struct member *m = &members[i];
		void *slot = record_slot(rs->set, r, i);

		if (m->def.type == V_CHAR)
			fill_ints(slot, V_CHAR, 1, v % 2, 0);
		else if (m->def.type == V_CHAR_ARRAY)
			record_text(rs->set, r, i, text, (size_t)snprintf(text, CARD, "a_%u", v));
		else
			fill_reals(slot, m->def.type, m->def.count, m->sign * (v + m->from), m->sign);
	}
	if (rs->with_name)
		record_text(rs->set, r, MEMBER_NAME, text, (size_t)snprintf(text, sizeof(text), "%s%u", where, at));
}

static int record_sample(struct samp *sp, struct err *err)
{
	struct record_sampler *rs = samp_state(sp);
	uint32_t v = ++rs->samples, round = htole32(v);

	samp_begin(sp, rs->set);
	memcpy(set_slot(rs->set, rs->round), &round, sizeof(round));
	list_clear(rs->set, rs->list);
	for (uint32_t k = 0; k < RECORDS; k++)
		record_put(rs, list_append_record(rs->set, rs->list, rs->record), v++, "list", k);
	for (uint32_t k = 0; k < RECORDS; k++)
		record_put(rs, record_array_slot(rs->set, rs->array, k), v++, "arr", k);
	samp_end(sp, rs->set);
	return 0;
}

static void record_close(struct samp *sp)
{
}

const struct samp_type samp_record_sampler = {
	.name = "record_sampler",
	.brief = "records with a member of every type",
	.source = "a counter",
	.attrs = attrs,
	.state_size = sizeof(struct record_sampler),
	.check = record_check,
	.open = record_open,
	.sample = record_sample,
	.close = record_close,
};
