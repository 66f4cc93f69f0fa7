/* image_check.c - a good image with one field changed: refused in words, or one metric less, or of no consequence */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>

#include "core/set/layout.h"
#include "image_file.h"

#define ROWS(a) (sizeof(a) / sizeof((a)[0]))

/* Where things stand in demo.bin. */
enum {
	META_SZ = 904,
	DATA_SZ = 4432,
	HEAP = 336, /* in the data element */
	CARD = 13,
	INSTANCE = META_HDR_SZ + 4 * CARD, /* length byte, "wire/demo", NUL */
	SCHEMA = INSTANCE + 11,            /* length byte, "wire_demo", NUL, digest, spare */
	COMPONENT_ID = 248,                /* descriptors */
	COUNTER = 296,
	DARR = 560,
	REC = 640,
	RECS = 672,
	RARR = 712,
	REC_TYPE = 760, /* the value of `rec`: its head, a dict of 3, its members' descriptors */
	MEMBER_0 = 788,
	MEMBER_2 = 868,
	LIST_HEAD = 208, /* the value of `recs` */
	ENTRY_0 = HEAP + 12,
	ENTRY_1 = HEAP + 76,
	ENTRY_2 = HEAP + 140,
	RARR_HEAD = 224, /* the value of `rarr`, and its records of 48 bytes */
	RARR_0 = RARR_HEAD + 12,
	RARR_1 = RARR_0 + 48,
};
enum { I_COUNTER = 1, I_DARR = 8, I_RECS = 11, I_RARR = 12 };

#define HDR(field)       offsetof(struct set_meta, field), sizeof(((struct set_meta *)0)->field)
#define DATA(field)      offsetof(struct set_data, field), sizeof(((struct set_data *)0)->field)
#define AT(at, s, field) (at) + offsetof(struct s, field), sizeof(((struct s *)0)->field)
#define DESC(at, field)  AT(at, metric_desc, field)
#define ENTRY_VALUE(at)  ((at) + sizeof(struct list_entry))
#define TYPE_COUNT(t, n) ((t) | (n) << 8)

/* One field: its place and size, what is put there, and what comes of it. */
struct row {
	size_t off, size;
	uint64_t value;
	const char *words; /* of the refusal; NULL: the image is taken */
	uint32_t lost;     /* ... but this metric (never 0) is unavailable then */
};
#define REFUSED(words) words, 0
#define LOST(metric)   NULL, metric
#define TAKEN          NULL, 0

static const struct row meta_rows[] = {
	{ HDR(version[0]), 3, REFUSED("version is 3.2.0.0") },
	{ HDR(version[3]), 1, REFUSED("version is 4.2.0.1") },
	{ HDR(flags), 1, REFUSED("big-endian") },
	{ HDR(flags), 3, REFUSED("flags are 0x03") },
	{ HDR(flags), 0, REFUSED("flags are 0x00") },
	{ HDR(producer[0]), '\n', REFUSED("producer name") },
	{ HDR(card), SCHEMA_CARD_MAX + 1, REFUSED("at most 1048576") },
	{ HDR(card), UINT32_MAX, REFUSED("at most 1048576") },
	{ HDR(card), 192, REFUSED("dictionary of 192 metrics does not fit") },
	{ HDR(card), 191, REFUSED("names run over") },
	{ HDR(meta_sz), META_SZ - 8, REFUSED("size is 896, but 904") },
	{ HDR(meta_sz), META_SZ + 8, REFUSED("size is 912, but 904") },
	{ HDR(meta_sz), UINT32_MAX, REFUSED("but 904") },
	{ HDR(data_sz), DATA_SZ - 4, REFUSED("no multiple of 8") },
	{ HDR(data_sz), DATA_HDR_SZ - 8, REFUSED("less than its header") },
	{ HDR(data_sz), 0, REFUSED("less than its header") },
	{ HDR(data_sz), SET_DATA_MAX + 8, REFUSED("make the set smaller") },
	{ HDR(array_card), 0, REFUSED("array_card is 0") },
	{ HDR(array_card), UINT32_MAX, REFUSED("make the set smaller") },
	{ HDR(heap_sz), 4, REFUSED("heap of 4 bytes") },
	{ HDR(heap_sz), DATA_SZ, REFUSED("heap of 4432 bytes") },
	{ HDR(heap_sz), UINT32_MAX - 7, REFUSED("does not fit") },
	{ HDR(dict[0]), 0, REFUSED("descriptor at 0") },
	{ HDR(dict[0]), META_SZ - 26, REFUSED("descriptor at 878") },
	{ HDR(dict[1]), META_SZ, REFUSED("metric 1: its descriptor at 904") },
	{ HDR(dict[12]), UINT32_MAX, REFUSED("metric 12: its descriptor at 4294967295") },
	{ INSTANCE, 1, 0, REFUSED("instance name") },
	{ INSTANCE, 1, 9, REFUSED("instance name") },
	{ INSTANCE, 1, 255, REFUSED("schema name") }, /* ... is then somewhere else */
	{ INSTANCE + 1, 1, 0, REFUSED("instance name is empty") },
	{ INSTANCE + 2, 1, 0x7f, REFUSED("instance name") },
	{ INSTANCE + 2, 1, 0xc3, TAKEN }, /* UTF-8 is welcome */
	{ SCHEMA, 1, 9, REFUSED("schema name") },
	{ SCHEMA, 1, 10, TAKEN }, /* no digest */
	{ SCHEMA, 1, 0, REFUSED("schema name") },
	{ SCHEMA + 3, 1, 0x1b, REFUSED("control characters") },

	{ DESC(COUNTER, name_unit_len), 0, REFUSED("metric 1: its name is empty") },
	{ DESC(COUNTER, name_unit_len), 7, REFUSED("has no end") },
	{ DESC(COUNTER, name_unit_len), 11, REFUSED("counter: its unit") },
	{ DESC(COUNTER, name_unit_len), 8, TAKEN }, /* no unit */
	{ DESC(COUNTER, name_unit[0]), 0, REFUSED("name is empty") },
	{ DESC(COUNTER, name_unit[2]), '\t', REFUSED("control characters") },
	{ DESC(COUNTER, name_unit[9]), '\t', REFUSED("counter: its unit") },
	{ DESC(COUNTER, type), V_NONE, REFUSED("type 0 with flags 1") },
	{ DESC(COUNTER, type), V_LIST_ENTRY, REFUSED("type 24") },
	{ DESC(COUNTER, type), V_RECORD_INST, REFUSED("type 26") },
	{ DESC(COUNTER, type), V_RECORD_TYPE, REFUSED("type 25 with flags 1") },
	{ DESC(COUNTER, type), V_TYPE_MAX + 1, REFUSED("type 29") },
	{ DESC(COUNTER, type), 255, REFUSED("type 255") },
	{ DESC(COUNTER, flags), 0, REFUSED("with flags 0") },
	{ DESC(COUNTER, flags), METRIC_DATA | METRIC_META, REFUSED("with flags 3") },
	{ DESC(COUNTER, flags), METRIC_DATA | METRIC_RECORD, REFUSED("with flags 5") },
	{ DESC(COUNTER, flags), 0x81, REFUSED("with flags 129") },
	{ DESC(COUNTER, flags), METRIC_META, REFUSED("not inside the metadata") }, /* 96 is in the header */
	{ DESC(COUNTER, count), 0, TAKEN },                                        /* of a scalar: not looked at */
	{ DESC(COUNTER, count), UINT32_MAX, TAKEN },
	{ DESC(COUNTER, user_data), UINT64_MAX, TAKEN },
	{ DESC(COUNTER, off), DATA_HDR_SZ - 8, LOST(I_COUNTER) },
	{ DESC(COUNTER, off), 0, LOST(I_COUNTER) },
	{ DESC(COUNTER, off), DATA_SZ - 8, TAKEN },
	{ DESC(COUNTER, off), DATA_SZ - 7, LOST(I_COUNTER) },
	{ DESC(COUNTER, off), DATA_SZ, LOST(I_COUNTER) },
	{ DESC(COUNTER, off), UINT32_MAX, LOST(I_COUNTER) },
	{ DESC(DARR, count), 0, TAKEN },
	{ DESC(DARR, count), (DATA_SZ - 176) / 8 + 1, LOST(I_DARR) },
	{ DESC(DARR, count), UINT32_MAX, LOST(I_DARR) },
	{ DESC(DARR, count), (DATA_SZ - 176) / 8, REFUSED("some overlap") },
	{ DESC(COMPONENT_ID, off), META_SZ - 7, REFUSED("component_id: 8 bytes at 897") },
	{ DESC(COMPONENT_ID, off), UINT32_MAX, REFUSED("component_id: 8 bytes at 4294967295") },
	{ DESC(COMPONENT_ID, off), 64, REFUSED("not inside the metadata") },
	{ DESC(COMPONENT_ID, type), V_D64_ARRAY, TAKEN },
	{ DESC(COMPONENT_ID, type), V_LIST, REFUSED("type 23 with flags 2") },
	{ DESC(COMPONENT_ID, type), V_RECORD_ARRAY, REFUSED("type 27 with flags 2") },

	{ DESC(RECS, off), HEAP, LOST(I_RECS) },
	{ DESC(RECS, off), HEAP - 8, LOST(I_RECS) },
	{ DESC(RECS, off), DATA_SZ, LOST(I_RECS) },
	{ DESC(RECS, flags), METRIC_META, REFUSED("type 23 with flags 2") },
	{ DESC(RARR, off), HEAP, LOST(I_RARR) },
	{ DESC(RARR, off), DATA_SZ + 100, LOST(I_RARR) },
	{ DESC(RARR, off), LIST_HEAD, REFUSED("rarr: its record type is metric 140") },
	{ DESC(RARR, count), 1, REFUSED("tells of 2 records, the metadata of 1") },

	{ DESC(REC, type), V_U64, REFUSED("type 8 with flags 6") },
	{ DESC(REC, flags), METRIC_META, REFUSED("type 25 with flags 2") },
	{ DESC(REC, off), META_SZ - 8, REFUSED("record type at 896 is not inside") },
	{ DESC(REC, off), UINT32_MAX, REFUSED("is not inside") },
	{ DESC(REC, off), REC_TYPE + 8, REFUSED("there is no record type") },
	{ AT(REC_TYPE, record_type, flags), 2, REFUSED("there is no record type") },
	{ AT(REC_TYPE, record_type, card), 200, REFUSED("dictionary of 200 members") },
	{ AT(REC_TYPE, record_type, card), UINT32_MAX, REFUSED("dictionary of 4294967295 members") },
	{ AT(REC_TYPE, record_type, card), 4, REFUSED("rec: member 3: ") },
	{ AT(REC_TYPE, record_type, card), 2, TAKEN },
	{ AT(REC_TYPE, record_type, inst_sz), 15, REFUSED("no room for its head") },
	{ AT(REC_TYPE, record_type, inst_sz), 0, REFUSED("no room for its head") },
	{ AT(REC_TYPE, record_type, inst_sz), 45, REFUSED("x: 6 bytes at 40 are not inside its record of 45") },
	{ AT(REC_TYPE, record_type, inst_sz), 46, REFUSED("take 48 bytes, those of its type 46") },
	{ AT(REC_TYPE, record_type, inst_sz), UINT32_MAX, REFUSED("entry 0: 4294967295 bytes at 360 run over") },
	{ AT(REC_TYPE, record_type, dict[1]), META_SZ - REC_TYPE, REFUSED("rec: member 1: its descriptor at 904") },
	{ AT(REC_TYPE, record_type, dict[1]), UINT32_MAX, REFUSED("rec: member 1: its descriptor at 4294968055") },
	{ DESC(MEMBER_0, count), 31, REFUSED("take more bytes than the record's 48") },
	{ DESC(MEMBER_0, count), 33, REFUSED("name: 33 bytes at 16") },
	{ DESC(MEMBER_0, count), UINT32_MAX, REFUSED("name: 4294967295 bytes at 16") },
	{ DESC(MEMBER_0, off), 8, REFUSED("name: 16 bytes at 8") },
	{ DESC(MEMBER_0, off), UINT32_MAX, REFUSED("name: 16 bytes at 4294967295") },
	{ DESC(MEMBER_0, type), V_LIST, REFUSED("type 23 with flags 5") },
	{ DESC(MEMBER_0, type), V_NONE, REFUSED("type 0 with flags 5") },
	{ DESC(MEMBER_0, flags), METRIC_DATA, REFUSED("can be no member") },
	{ DESC(MEMBER_2, name_unit_len), 200, REFUSED("member 2: its name at 895 runs over") },
	{ DESC(MEMBER_2, name_unit[0]), 7, REFUSED("member 2: its name") },
};

static const struct row data_rows[] = {
	{ DATA(flags), 3, REFUSED("transaction flags are 3") },
	{ DATA(flags), SET_TRANS_NEVER, TAKEN },
	{ DATA(size), DATA_SZ + 8, REFUSED("size is 4440") },
	{ DATA(size), 0, REFUSED("size is 0") },
	{ DATA(heap_sz), 4088, REFUSED("heap's size is 4088") },
	{ DATA(heap_sz), UINT64_MAX, REFUSED("heap's size is 18446744073709551615") },
	{ DATA(curr_idx), 1, REFUSED("newest element is number 1, there are 1") },
	{ DATA(curr_idx), UINT32_MAX, REFUSED("newest element") },
	{ DATA(gn), 0, TAKEN },
	{ DATA(heap_grain), 0, TAKEN }, /* the owner's */
	{ DATA(heap_addr_tree), UINT64_MAX, TAKEN },
	{ HEAP, 8, 0, REFUSED("signature BOHEAP0") },
	{ HEAP + 7, 1, 1, REFUSED("signature BOHEAP0") },

	{ AT(LIST_HEAD, list_head, first), 0, REFUSED("recs: 0 entries ending at 0") },
	{ AT(LIST_HEAD, list_head, first), 4, REFUSED("entry 0 at 4 is not inside") },
	{ AT(LIST_HEAD, list_head, first), 4096 - 11, REFUSED("entry 0 at 4085") },
	{ AT(LIST_HEAD, list_head, first), UINT32_MAX, REFUSED("entry 0 at 4294967295") },
	{ AT(LIST_HEAD, list_head, first), 76, REFUSED("links back to 12, not to 0") },
	{ AT(LIST_HEAD, list_head, last), 76, REFUSED("tells of 3 ending at 76") },
	{ AT(LIST_HEAD, list_head, len), 2, REFUSED("more entries than the 2") },
	{ AT(LIST_HEAD, list_head, len), 4, REFUSED("tells of 4") },
	{ AT(LIST_HEAD, list_head, len), 0, REFUSED("more entries than the 0") },
	{ AT(ENTRY_1, list_entry, next), 12, REFUSED("entry 2 links back to 0, not to 76") },
	{ AT(ENTRY_1, list_entry, next), 76, REFUSED("entry 2 links back to 12, not to 76") },
	{ AT(ENTRY_1, list_entry, next), 0, REFUSED("2 entries ending at 76") },
	{ AT(ENTRY_1, list_entry, next), 4096, REFUSED("entry 2 at 4096") },
	{ AT(ENTRY_2, list_entry, next), 12, REFUSED("more entries than the 3") },
	{ AT(ENTRY_1, list_entry, prev), 76, REFUSED("links back to 76") },
	{ AT(ENTRY_0, list_entry, type_count), V_NONE, REFUSED("entry 0: type 0") },
	{ AT(ENTRY_0, list_entry, type_count), V_RECORD_TYPE, REFUSED("entry 0: type 25") },
	{ AT(ENTRY_0, list_entry, type_count), 255, REFUSED("entry 0: type 255") },
	{ AT(ENTRY_0, list_entry, type_count), V_U64, TAKEN },
	{ AT(ENTRY_0, list_entry, type_count), TYPE_COUNT(V_U64, 0xffffffu), TAKEN }, /* of a scalar: not looked at */
	{ AT(ENTRY_0, list_entry, type_count), TYPE_COUNT(V_U64_ARRAY, 509), REFUSED("some overlap") },
	{ AT(ENTRY_0, list_entry, type_count), TYPE_COUNT(V_U64_ARRAY, 510), REFUSED("run over the end of the heap") },
	{ AT(ENTRY_0, list_entry, type_count), TYPE_COUNT(V_U64_ARRAY, 0xffffffu), REFUSED("run over") },
	{ AT(ENTRY_0, list_entry, type_count), V_LIST,
	  REFUSED("entry 0 at 2") }, /* the record's flags are its first entry */
	{ AT(ENTRY_VALUE(ENTRY_0), record_head, flags), 1, REFUSED("there is no record at 360") },
	{ AT(ENTRY_VALUE(ENTRY_0), record_head, set_data_off), 361, REFUSED("stands at 360, and says at 361") },
	{ AT(ENTRY_VALUE(ENTRY_0), record_head, type), 1, REFUSED("record type is metric 1") },
	{ AT(ENTRY_VALUE(ENTRY_0), record_head, type), CARD, REFUSED("record type is metric 13") },
	{ AT(ENTRY_VALUE(ENTRY_0), record_head, type), UINT32_MAX, REFUSED("record type is metric 4294967295") },

	{ AT(RARR_HEAD, record_array_head, inst_sz), 0, LOST(I_RARR) }, /* never filled in */
	{ AT(RARR_HEAD, record_array_head, inst_sz), 40, REFUSED("take 40 bytes, those of its type 48") },
	{ AT(RARR_HEAD, record_array_head, inst_sz), 64, LOST(I_RARR) },
	{ AT(RARR_HEAD, record_array_head, inst_sz), UINT32_MAX, LOST(I_RARR) },
	{ AT(RARR_HEAD, record_array_head, type), 11, REFUSED("record type is metric 11") },
	{ AT(RARR_HEAD, record_array_head, type), UINT32_MAX, REFUSED("record type is metric 4294967295") },
	{ AT(RARR_HEAD, record_array_head, len), 1, TAKEN },
	{ AT(RARR_HEAD, record_array_head, len), 0, TAKEN },
	{ AT(RARR_HEAD, record_array_head, len), 3, LOST(I_RARR) },
	{ AT(RARR_HEAD, record_array_head, len), UINT32_MAX, LOST(I_RARR) },
	{ AT(RARR_1, record_head, flags), 0, REFUSED("rarr: record 1: there is no record at 284") },
	{ AT(RARR_1, record_head, set_data_off), 236, REFUSED("record 1: it stands at 284, and says at 236") },
	{ AT(RARR_0, record_head, type), 0, REFUSED("record 0: its record type is metric 0") },
};

/* -- the image under test, in buffers that end where it ends ------------------------------------------------------- */

static struct image_file file;

static int load(void **state)
{
	file = image_file_load("demo");
	return 0;
}

static int unload(void **state)
{
	image_file_fini(&file);
	return 0;
}

static uint8_t *data_of(void)
{
	return file.data;
}

static uint8_t *meta_of(void)
{
	return (uint8_t *)file.meta;
}

static int check(struct err *err)
{
	int rc = image_check_meta(file.meta, file.meta_len, err);

	return rc ? rc : image_check_data(file.meta, file.data, true, err);
}

static void put(uint8_t *p, uint64_t v, size_t size)
{
	v = htole64(v);
	memcpy(p, &v, size);
}

static void put32(uint8_t *p, uint32_t v)
{
	put(p, v, sizeof(v));
}

static struct image image_of(void)
{
	return (struct image){ file.meta, (const void *)file.data };
}

static bool row_holds(const struct row *r, int rc, const struct err *err)
{
	struct image im = image_of();

	if (r->words)
		return rc == -EPROTO && strstr(err->msg, r->words);
	if (rc)
		return false;
	for (uint32_t i = 0; i < image_card(im.meta); i++)
		if ((image_value(&im, i).type == V_NONE) != (r->lost && i == r->lost))
			return false;
	return true;
}

/* Change one field of `part` after the other. */
static void rows_walk(uint8_t *part, const struct row *rows, size_t n)
{
	uint8_t old[8];

	for (size_t i = 0; i < n; i++) {
		const struct row *r = &rows[i];
		struct err err = { "taken" };

		memcpy(old, part + r->off, r->size);
		put(part + r->off, r->value, r->size);
		if (!row_holds(r, check(&err), &err))
			fail_msg("row %zu (%llu at %zu): expected \"%s\", got \"%s\"", i, (unsigned long long)r->value,
				 r->off,
				 r->words  ? r->words
				 : r->lost ? "unavailable"
					   : "taken",
				 err.msg);
		memcpy(part + r->off, old, r->size);
	}
}

static void test_meta_fields(void **state)
{
	rows_walk(meta_of(), meta_rows, ROWS(meta_rows));
}

static void test_data_fields(void **state)
{
	rows_walk(data_of(), data_rows, ROWS(data_rows));
}

/* -- whole conditions ---------------------------------------------------------------------------------------------- */

static void assert_refused(const char *words)
{
	struct err err = { "taken" };

	if (check(&err) != -EPROTO || !strstr(err.msg, words))
		fail_msg("expected \"%s\", got \"%s\"", words, err.msg);
}

static void test_cut_metadata(void **state)
{
	struct err err;

	for (uint32_t n = 0; n < META_SZ; n++) {
		uint8_t *cut = xmalloc(n + 1);

		memcpy(cut, file.meta, n);
		assert_int_equal(image_check_meta(cut, n, &err), -EPROTO);
		if (n >= META_HDR_SZ) {
			put32(cut + offsetof(struct set_meta, meta_sz), n);
			assert_int_equal(image_check_meta(cut, n, &err), -EPROTO);
		}
		free(cut);
	}
	assert_int_equal(image_check_meta(file.meta, (size_t)SET_META_MAX + 8, &err), -EPROTO);
	assert_non_null(strstr(err.msg, "split the set"));
}

static void test_any_address(void **state)
{
	uint8_t *meta = xmalloc(META_SZ + 7), *data = xmalloc(DATA_SZ + 7);

	for (uint32_t k = 0; k < 8; k++) {
		memcpy(meta + k, file.meta, META_SZ);
		memcpy(data + k, file.data, DATA_SZ);
		assert_int_equal(image_check_meta(meta + k, META_SZ, NULL), 0);
		assert_int_equal(image_check_data(file.meta, data + k, true, NULL), 0);
	}
	free(meta);
	free(data);
}

static void test_producer_without_end(void **state)
{
	memset(file.meta->producer, 'p', sizeof(file.meta->producer));
	assert_refused("the producer name has no end");
}

/* Many metrics that are all the same bytes would make a small image tell of endless data. */
static void test_shared_descriptors(void **state)
{
	for (uint32_t i = 0; i < CARD; i++)
		file.meta->dict[i] = htole32(REC);
	assert_refused("some overlap");
}

static void test_shared_record_arrays(void **state)
{
	for (uint32_t i = 1; i < 4; i++)
		file.meta->dict[i] = htole32(RARR);
	assert_refused("the record arrays take more bytes");
}

/* Each record of an array says its type again; here a smaller one. */
static void test_record_of_another_type(void **state)
{
	struct record_head *rec;

	unload(state);
	file = image_file_load("json_stream");
	rec = (struct record_head *)(data_of() + 152 + sizeof(struct record_array_head));
	assert_int_equal(le32toh(rec->type), 6);
	rec->type = htole32(9);
	assert_refused("d: record 0: it is of type 9, not 6");
}

static void test_shared_members(void **state)
{
	for (uint32_t i = 0; i < 3; i++)
		put32(meta_of() + REC_TYPE + sizeof(struct record_type) + 4 * i, MEMBER_0 - REC_TYPE);
	assert_refused("some overlap");
}

static void test_never_updated(void **state)
{
	struct image im = image_of();

	memset(data_of(), 0, DATA_SZ);
	assert_int_equal(check(NULL), 0);
	assert_int_equal(list_len(image_value(&im, I_RECS)), 0);
	assert_int_equal(list_first(image_value(&im, I_RECS)).off, 0);
	assert_int_equal(image_value(&im, I_RARR).type, V_NONE);
	put32(data_of() + LIST_HEAD, 12); /* lists are walked all the same */
	assert_refused("more entries than the 0");
}

/* An honest peer that is read in the middle of a sample may send such. */
static void test_torn(void **state)
{
	struct set_data *data = (struct set_data *)file.data;
	struct err err;

	data->flags = htole32(SET_TRANS_OPEN);
	assert_int_equal(check(&err), 0);
	put32(data_of() + LIST_HEAD + offsetof(struct list_head, len), 2);
	assert_int_equal(check(&err), -EAGAIN);
	assert_non_null(strstr(err.msg, "being written: data: recs: "));
}

/* `depth` lists, each the only entry of the one before; entries on the 64 bytes of the demo's heap. */
static void nest(unsigned int depth)
{
	uint8_t *head = data_of() + LIST_HEAD;

	for (unsigned int k = 1; k <= depth; k++) {
		uint32_t off = k < depth ? 12 + 64 * k : 0;
		uint8_t *entry = data_of() + HEAP + off;

		put32(head, off);
		put32(head + 4, off);
		put32(head + 8, !!off);
		if (off) {
			put32(entry, 0);
			put32(entry + 4, 0);
			put32(entry + 8, TYPE_COUNT(V_LIST, 1));
		}
		head = entry + sizeof(struct list_entry);
	}
}

static void test_nested_lists(void **state)
{
	struct image im = image_of();
	struct value list;
	unsigned int depth = 1;

	nest(LIST_DEPTH_MAX);
	assert_int_equal(check(NULL), 0);
	for (list = image_value(&im, I_RECS); list_len(list); depth++)
		list = list_value(&im, list_first(list));
	assert_int_equal(depth, LIST_DEPTH_MAX);
	nest(LIST_DEPTH_MAX + 1);
	assert_refused("lists in lists deeper than 8");
}

/* Two entries that are lists, both of the same entry: the links are right, but the heap has not the bytes for it twice.
 */
static void test_shared_entries(void **state)
{
	struct list_head shared = { htole32(140), htole32(140), htole32(1) };
	uint8_t *data = data_of();

	put32(data + ENTRY_0 + 8, TYPE_COUNT(V_LIST, 1));
	memcpy(data + ENTRY_VALUE(ENTRY_0), &shared, sizeof(shared));
	put32(data + ENTRY_1, 0);
	put32(data + ENTRY_1 + 8, TYPE_COUNT(V_LIST, 1));
	memcpy(data + ENTRY_VALUE(ENTRY_1), &shared, sizeof(shared));
	put32(data + LIST_HEAD + 4, 76);
	put32(data + LIST_HEAD + 8, 2);
	put32(data + ENTRY_2 + 4, 0);
	put32(data + ENTRY_2 + 8, TYPE_COUNT(V_CHAR_ARRAY, 2500));
	assert_refused("entry 1: entry 0: the entries take more bytes than the heap's 4096");
	put32(data + ENTRY_2 + 8, TYPE_COUNT(V_CHAR_ARRAY, 100)); /* small enough to pay for twice */
	assert_int_equal(check(NULL), 0);
}

static void test_list_that_holds_itself(void **state)
{
	struct list_head self = { htole32(12), htole32(12), htole32(1) };
	uint8_t *data = data_of();

	put32(data + ENTRY_0, 0);
	put32(data + ENTRY_0 + 8, TYPE_COUNT(V_LIST, 1));
	memcpy(data + ENTRY_VALUE(ENTRY_0), &self, sizeof(self));
	memcpy(data + LIST_HEAD, &self, sizeof(self));
	assert_refused("lists in lists deeper than 8");
}

/* A known defect of ldmsd 4.5.x: behind a record array of n records the offsets are 16 + n * (size of the array). */
static void test_behind_a_record_array(void **state)
{
	uint32_t array_sz = VALUE_ROUND(sizeof(struct record_array_head) + 2 * 48);
	struct metric m;
	struct image im = image_of();

	put32(meta_of() + COUNTER + offsetof(struct metric_desc, off), RARR_HEAD + 16 + 2 * array_sz + DATA_SZ);
	assert_int_equal(check(NULL), 0);
	m = image_metric(im.meta, I_COUNTER);
	assert_string_equal(m.name, "counter");
	assert_int_equal(m.type, V_NONE);
	assert_int_equal(image_value(&im, I_COUNTER).type, V_NONE);
	assert_int_equal(value_u64(image_value(&im, I_COUNTER), 0), 0);
	assert_int_equal(value_s64(image_value(&im, I_COUNTER + 1), 0), -716);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_meta_fields, load, unload),
		cmocka_unit_test_setup_teardown(test_data_fields, load, unload),
		cmocka_unit_test_setup_teardown(test_cut_metadata, load, unload),
		cmocka_unit_test_setup_teardown(test_any_address, load, unload),
		cmocka_unit_test_setup_teardown(test_producer_without_end, load, unload),
		cmocka_unit_test_setup_teardown(test_shared_descriptors, load, unload),
		cmocka_unit_test_setup_teardown(test_shared_record_arrays, load, unload),
		cmocka_unit_test_setup_teardown(test_record_of_another_type, load, unload),
		cmocka_unit_test_setup_teardown(test_shared_members, load, unload),
		cmocka_unit_test_setup_teardown(test_never_updated, load, unload),
		cmocka_unit_test_setup_teardown(test_torn, load, unload),
		cmocka_unit_test_setup_teardown(test_nested_lists, load, unload),
		cmocka_unit_test_setup_teardown(test_shared_entries, load, unload),
		cmocka_unit_test_setup_teardown(test_list_that_holds_itself, load, unload),
		cmocka_unit_test_setup_teardown(test_behind_a_record_array, load, unload),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
