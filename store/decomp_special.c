/* decomp_special.c - sources of columns that are no metrics: the time, names, what is known of the set */
#include "store/decomp_impl.h"

static struct value text_value(const char *text)
{
	return (struct value){ V_CHAR_ARRAY, (uint32_t)strlen(text) + 1, (const uint8_t *)text };
}

#define VALUE(name, type, at)                                                                                          \
	static struct value name(const struct decomp_cut *dc, const struct image *im)                                  \
	{                                                                                                              \
		return (struct value){ type, 1, (const uint8_t *)(at) };                                               \
	}
#define TEXT(name, text)                                                                                               \
	static struct value name(const struct decomp_cut *dc, const struct image *im)                                  \
	{                                                                                                              \
		return text_value(text);                                                                               \
	}
VALUE(value_ts, V_TIMESTAMP, &im->data->ts_sec)
VALUE(value_duration, V_TIMESTAMP, &im->data->dur_sec)
VALUE(value_card, V_U32, &im->meta->card)
VALUE(value_uid, V_U32, &im->meta->uid)
VALUE(value_gid, V_U32, &im->meta->gid)
VALUE(value_perm, V_U32, &im->meta->perm)
TEXT(value_producer, im->meta->producer)
TEXT(value_instance, image_instance(im->meta))
TEXT(value_schema, image_schema(im->meta))
TEXT(value_digest, dc->digest)

const struct special specials[] = {
	{ "timestamp", V_TIMESTAMP, 1, ROW_TIME, value_ts },
	{ "producer", V_CHAR_ARRAY, 64, ROW_PRODUCER, value_producer },
	{ "instance", V_CHAR_ARRAY, 256, ROW_INSTANCE, value_instance },
	{ "M_card", V_U32, 1, ROW_METRIC, value_card },
	{ "M_digest", V_CHAR_ARRAY, 2 * DIGEST_LEN + 1, ROW_METRIC, value_digest },
	{ "M_duration", V_TIMESTAMP, 1, ROW_DURATION, value_duration },
	{ "M_gid", V_U32, 1, ROW_METRIC, value_gid },
	{ "M_instance", V_CHAR_ARRAY, 256, ROW_INSTANCE, value_instance },
	{ "M_perm", V_U32, 1, ROW_METRIC, value_perm },
	{ "M_producer", V_CHAR_ARRAY, 64, ROW_PRODUCER, value_producer },
	{ "M_schema", V_CHAR_ARRAY, SCHEMA_NAME_MAX + 1, ROW_METRIC, value_schema },
	{ "M_timestamp", V_TIMESTAMP, 1, ROW_TIME, value_ts },
	{ "M_uid", V_U32, 1, ROW_METRIC, value_uid },
	{ 0 },
};

const struct special *special_find(const char *name)
{
	const struct special *s = specials;

	while (s->name && strcmp(s->name, name))
		s++;
	return s->name ? s : NULL;
}
