/* row.c - feeds a set image to the checks and, when it passes, cuts it to rows and writes them as CSV in four
 * ways, as JSON and as Avro.
 *
 * Reaches: store/row*.c, store/csv_line.c, store/digits.c, store/json_row.c, store/avro.c.
 * Input: as set_image.c: 4 bytes, little endian: bytes of metadata; the metadata; a data element, zeros where the input
 * ends.  A line must have as many newlines as rows: one; and JSON must be JSON.
 */
#include <stdlib.h>

#include "core/base/json_scan.h"
#include "core/base/log.h"
#include "store/avro.h"
#include "store/csv.h"
#include "store/digits.h"
#include "store/json_row.h"

#define META_MAX 16384u
#define DATA_MAX 16384u
#define ROOM_MAX (1u << 20) /* arrays that a few bytes of input may promise; writing them costs time */

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t len);

struct csv_text {
	const struct csv_conf *conf;
	struct csv_plan plan;
	struct buf text;
};

static int add_row(const struct row *row, void *arg)
{
	struct csv_text *l = arg;

	buf_reset(&l->text);
	csv_row_add(&l->text, l->conf, &l->plan, row);
	if (memchr(l->text.p, '\n', l->text.len) != l->text.p + l->text.len - 1)
		abort();
	return 0;
}

static void store(const struct snap *sn, struct row_cut *cut, const struct csv_conf *conf)
{
	struct csv_text l = { .conf = conf };

	if (csv_plan_init(&l.plan, conf, row_cut_schema(cut), NULL) == 0 && l.plan.room < ROOM_MAX) {
		csv_header_add(&l.text, conf, row_cut_schema(cut));
		csv_kinds_add(&l.text, conf, row_cut_schema(cut));
		if (!row_cut_fits(cut, sn->im.meta) || row_cut_each(cut, sn, add_row, &l))
			abort();
		/* once more, from memory */
		if (row_cut_each(cut, sn, add_row, &l))
			abort();
	}
	csv_plan_fini(&l.plan);
	buf_fini(&l.text);
}

struct both {
	struct json_row json;
	struct row_fields avro;
	struct buf text;
};

static int add_messages(const struct row *row, void *arg)
{
	struct both *m = arg;

	buf_reset(&m->text);
	json_row_put(&m->text, &m->json, row);
	if (json_check((const char *)m->text.p, m->text.len, NULL))
		abort();
	buf_reset(&m->text);
	avro_row_put(&m->text, &m->avro, row);
	return 0;
}

static void messages(const struct snap *sn, struct row_cut *cut)
{
	const struct row_schema *rs = row_cut_schema(cut);
	struct both m = { 0 };
	size_t room = 0;

	for (uint32_t i = 0; i < rs->n_cols; i++)
		room += (size_t)rs->cols[i].count * DIGITS_MAX;
	if (room >= ROOM_MAX)
		return;
	json_row_init(&m.json, rs);
	row_fields_init(&m.avro, rs, ROW_FIELD_NAMES_AVRO);
	avro_schema_put(&m.text, rs->name, &m.avro);
	if (json_check((const char *)m.text.p, m.text.len, NULL) || row_cut_each(cut, sn, add_messages, &m))
		abort();
	json_row_fini(&m.json);
	row_fields_fini(&m.avro);
	buf_fini(&m.text);
}

static void cut(const struct snap *sn, const char *const *metrics, size_t n)
{
	static const struct csv_conf confs[] = {
		{ .array_sep = ":", .array_lquote = "\"", .array_rquote = "\"", .expand_array = true },
		{ .array_sep = ":", .array_lquote = "\"", .array_rquote = "\"", .typeheader = 1, .ietf = true },
		{ .array_sep = "", .array_lquote = "", .array_rquote = "", .typeheader = 2, .userdata = true },
		{ .array_sep = "",
		  .array_lquote = "",
		  .array_rquote = "",
		  .time_format = 1,
		  .expand_array = true,
		  .userdata = true },
	};
	struct row_cut *c;

	if (row_cut_new(&sn->im, metrics, n, &c, NULL))
		return;
	for (size_t i = 0; i < sizeof(confs) / sizeof(*confs); i++)
		store(sn, c, &confs[i]);
	messages(sn, c);
	row_cut_free(c);
}

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t len)
{
	uint32_t meta_len, data_sz;
	struct snap *sn;
	uint8_t *data;

	log_level_set(LOG_QUIET_);
	if (len < 4)
		return 0;
	memcpy(&meta_len, in, 4);
	meta_len = le32toh(meta_len);
	in += 4;
	len -= 4;
	if (meta_len > len || meta_len > META_MAX || image_check_meta(in, meta_len, NULL))
		return 0;
	data_sz = le32toh(((const struct set_meta *)in)->data_sz);
	if (data_sz > DATA_MAX)
		return 0;
	data = calloc(1, data_sz);
	memcpy(data, in + meta_len, len - meta_len < data_sz ? len - meta_len : data_sz);
	if (image_check_data((const void *)in, data, true, NULL) == 0) {
		sn = snap_of(in, meta_len, data, data_sz);
		cut(sn, NULL, 0);
		for (uint32_t i = 0; i < image_card(sn->im.meta); i++)
			cut(sn, (const char *const[]){ image_metric(sn->im.meta, i).name }, 1);
		snap_put(sn);
	}
	free(data);
	return 0;
}
