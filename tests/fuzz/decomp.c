/* decomp.c - feeds a text to the reader of decompositions and, when it is one, a set image to it
 *
 * Reaches: store/decomp*.c, store/row*.c, store/csv_line.c.
 * Input: 4 bytes, little endian: bytes of JSON; the JSON; then as row.c: 4 bytes: bytes of metadata; the metadata; a data
 * element, zeros where the input ends.  Where it ends with the JSON, the set is one of ours, with lists.  Each set is cut
 * twice, to rows as CSV of one line each.
 */
#include <stdlib.h>

#include "core/base/log.h"
#include "store/csv.h"
#include "store/decomp.h"

#define JSON_MAX 16384u
#define META_MAX 16384u
#define DATA_MAX 16384u
#define ROOM_MAX (1u << 20) /* as row.c */
#define ROWS_MAX 4096       /* rows of a few bytes' lists, times row schemas */

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t len);

static unsigned int rows;

static int add_row(const struct row *row, void *arg)
{
	static const struct csv_conf conf = {
		.array_sep = ":", .array_lquote = "\"", .array_rquote = "\"", .expand_array = true
	};
	struct csv_plan plan;
	struct buf text = { 0 };
	int rc = 0;

	if (++rows > ROWS_MAX)
		return -E2BIG;
	if (csv_plan_init(&plan, &conf, row->schema, NULL))
		return 0;
	if (plan.room < ROOM_MAX) {
		csv_row_add(&text, &conf, &plan, row);
		if (memchr(text.p, '\n', text.len) != text.p + text.len - 1)
			abort();
	}
	for (uint32_t i = 0; i < row->schema->n_indices; i++)
		for (uint32_t k = 0; k < row->schema->indices[i].n_cols; k++)
			if (row->schema->indices[i].cols[k] >= row->schema->n_cols)
				abort();
	/* some are refused, some were had */
	if (rows % 7 == 3)
		rc = ROW_HAD;
	if (rows % 31 == 30)
		decomp_refuse(row);
	csv_plan_fini(&plan);
	buf_fini(&text);
	return rc;
}

static void cut(struct decomp *d, const struct snap *sn)
{
	struct row_cut *c = decomp_cut_new(d, &sn->im);

	rows = 0;
	for (int i = 0; i < 2; i++)
		if (row_cut_each(c, sn, add_row, NULL) == -ESTALE)
			abort();
	row_cut_free(c);
}

/* One with lists, records and arrays. */
static void cut_ours(struct decomp *d)
{
	static const struct metric_def members[] = { { "name", V_CHAR_ARRAY, NULL, METRIC_INFO, NULL, 8 },
						     { "x", V_U64, NULL, METRIC_COUNTER, NULL, 1 } };
	struct pool *pool = pool_new(0);
	struct schema *sc = schema_new("s", NULL);
	struct set *s;
	struct snap *sn;
	int rec, list;

	schema_add(sc, "a", V_U64, NULL, NULL);
	schema_add_array(sc, "arr", V_S16_ARRAY, 3, NULL, NULL);
	rec = schema_add_record(sc, "rec", members, 2, NULL);
	list = schema_add_list(sc, "list", NULL, (uint32_t)schema_record_heap(sc, rec, 3), NULL);
	schema_add_record_array(sc, "recs", rec, 2, NULL, NULL);
	if (set_new(pool, sc, "n/s", "n", 0, 0, 0777, &s, NULL))
		abort();
	set_begin(s);
	for (uint64_t i = 0; i < 3; i++)
		record_u64(s, list_append_record(s, list, rec), 1, i);
	set_end(s);
	sn = snap_new(s);
	cut(d, sn);
	snap_put(sn);
	set_put(s);
	schema_free(sc);
	pool_free(pool);
}

static void cut_image(struct decomp *d, const uint8_t *in, size_t len)
{
	uint32_t meta_len, data_sz;
	uint8_t *meta, *data;
	struct snap *sn;

	memcpy(&meta_len, in, 4);
	meta_len = le32toh(meta_len);
	in += 4;
	len -= 4;
	if (meta_len > len || meta_len > META_MAX)
		return;
	meta = malloc(meta_len + 1); /* aligned */
	memcpy(meta, in, meta_len);
	if (image_check_meta(meta, meta_len, NULL) == 0) {
		data_sz = le32toh(((const struct set_meta *)meta)->data_sz);
		data = data_sz <= DATA_MAX ? calloc(1, data_sz) : NULL;
		if (data)
			memcpy(data, in + meta_len, len - meta_len < data_sz ? len - meta_len : data_sz);
		if (data && image_check_data((const void *)meta, data, true, NULL) == 0) {
			sn = snap_of(meta, meta_len, data, data_sz);
			cut(d, sn);
			snap_put(sn);
		}
		free(data);
	}
	free(meta);
}

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t len)
{
	struct decomp *d = NULL;
	unsigned int line;
	uint32_t n;

	log_level_set(LOG_QUIET_);
	if (len < 4)
		return 0;
	memcpy(&n, in, 4);
	n = le32toh(n);
	in += 4;
	len -= 4;
	if (n > len || n > JSON_MAX || decomp_parse("sg", (const char *)in, n, &d, &line, NULL))
		return 0;
	cut_ours(d);
	if (len - n >= 4)
		cut_image(d, in + n, len - n);
	decomp_free(d);
	return 0;
}
