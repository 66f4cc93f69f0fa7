/* set_image.c - feeds a set image to the checks and, when it passes, looks at all there is in it.
 *
 * Reaches: core/set/image_check.c, image_check_data.c, core/set/image.c (every accessor), core/set/value.c (every reader).
 * Input: 4 bytes, little endian: bytes of metadata; the metadata; a data element, zeros where the input ends.
 * The buffers have exactly the sizes that the image tells of, so that the sanitizer sees the first byte beyond.
 */
#include <stdlib.h>

#include "core/set/image.h"

#define DATA_MAX    16384u /* larger elements are mostly the zeros that we put there, and cost time */
#define ELEMS_TRIED 8      /* of an array, and its last one, which is where it would run out of the buffer */

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t len);

static volatile uint64_t sum; /* what was read, so that it is read */

static void text_sum(const char *s)
{
	sum += strlen(s);
}

static void value_sum(const struct image *im, struct value v);

static void elem_sum(struct value v, uint32_t i)
{
	sum += value_u64(v, i) + (uint64_t)value_s64(v, i) + (value_d64(v, i) > 0);
}

static void list_sum(const struct image *im, struct value list)
{
	struct list_it it;
	uint32_t n = 0;

	for (it = list_first(list); it.off; it = list_next(im, it), n++)
		value_sum(im, list_value(im, it));
	if (n != list_len(list))
		abort();
}

static void record_sum(const struct image *im, struct value rec)
{
	uint32_t type = record_type_of(rec), i;

	for (i = 0; i < record_card(im->meta, type); i++)
		value_sum(im, record_value(im, rec, i));
}

static void value_sum(const struct image *im, struct value v)
{
	const char *text;
	uint32_t i;

	switch (v.type) {
	case V_LIST:
		list_sum(im, v);
		return;
	case V_RECORD_INST:
		record_sum(im, v);
		return;
	case V_RECORD_ARRAY:
		sum += record_card(im->meta, record_array_type(v));
		for (i = 0; i < record_array_len(v); i++)
			record_sum(im, record_array_get(im, v, i));
		return;
	default:
		for (i = 0; i < v.count && i < ELEMS_TRIED; i++)
			elem_sum(v, i);
		if (v.count)
			elem_sum(v, v.count - 1);
		sum += value_text(v, &text) + value_time(v).usec;
	}
}

static void metric_sum(const struct image *im, uint32_t i)
{
	struct metric metric = image_metric(im->meta, i), member;
	struct value v = image_value(im, i);
	uint32_t k;

	text_sum(metric.name);
	text_sum(metric.unit);
	text_sum(value_type_name(metric.type));
	if (image_find(im->meta, metric.name) < 0 || (v.type && v.type != metric.type))
		abort();
	for (k = 0; metric.type == V_RECORD_TYPE && k < record_card(im->meta, i); k++) {
		member = record_member(im->meta, i, k);
		text_sum(member.name);
		text_sum(member.unit);
	}
	value_sum(im, v);
}

/* n bytes at an odd address, and not one more. */
static uint8_t *odd_copy(const void *p, size_t n)
{
	uint8_t *mem = malloc(n + 1);

	memcpy(mem + 1, p, n);
	return mem;
}

static void image_sum(const struct image *im)
{
	const uint8_t *digest = image_digest(im->meta);
	uint32_t i;

	text_sum(image_instance(im->meta));
	text_sum(image_schema(im->meta));
	text_sum(im->meta->producer);
	for (i = 0; digest && i < DIGEST_LEN; i++)
		sum += digest[i];
	for (i = 0; i < image_card(im->meta); i++)
		metric_sum(im, i);
}

static void data_try(const struct set_meta *meta, const uint8_t *in, size_t len)
{
	uint32_t data_sz = le32toh(meta->data_sz);
	uint8_t *data, *odd;
	struct err err;
	int rc;

	if (data_sz > DATA_MAX)
		return;
	data = calloc(1, data_sz);
	memcpy(data, in, len < data_sz ? len : data_sz);
	rc = image_check_data(meta, data, true, &err);
	odd = odd_copy(data, data_sz);
	if (image_check_data(meta, odd + 1, true, NULL) != rc)
		abort();
	if (rc == 0)
		image_sum(&(struct image){ meta, (const struct set_data *)data });
	else
		text_sum(err.msg);
	free(odd);
	free(data);
}

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t len)
{
	uint8_t *meta, *odd;
	struct err err;
	uint32_t n;

	if (len < sizeof(n))
		return 0;
	memcpy(&n, in, sizeof(n));
	n = le32toh(n);
	in += sizeof(n);
	len -= sizeof(n);
	if (n > len)
		n = (uint32_t)len;
	meta = malloc(n);
	memcpy(meta, in, n);
	odd = odd_copy(in, n);
	if (image_check_meta(odd + 1, n, &err) == 0)
		data_try((const struct set_meta *)meta, in + n, len - n);
	else
		text_sum(err.msg);
	free(odd);
	free(meta);
	return 0;
}
