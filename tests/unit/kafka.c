/* kafka.c - messages of the Kafka stores: their shapes beside those of ldmsd (tests/data/kafka), topics, properties, and
 * what is taken while no broker is there */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "store/kafka.h"

#include <dlfcn.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/base/xalloc.h"
#include "core/daemon/strgp.h"
#include "store/avro.h"
#include "store/json_row.h"
#include "store/kafka_out_impl.h"

#define DATA "tests/data/kafka/"

/* -- rows of a test ------------------------------------------------------------------------------------------------ */

struct col {
	const char *name;
	enum value_type type;
	uint32_t count;
	const void *p;
};

#define COLS_MAX 32

struct made {
	struct row_schema schema;
	struct row_col cols[COLS_MAX];
	struct value v[COLS_MAX];
	struct row row;
};

static void make(struct made *m, const char *name, bool decomposed, const struct col *cols, uint32_t n)
{
	*m = (struct made){ 0 };
	m->schema = (struct row_schema){
		.name = (char *)name, .cols = m->cols, .n_cols = n, .decomposed = decomposed, .refs = 1
	};
	for (uint32_t i = 0; i < n; i++) {
		m->cols[i] = (struct row_col){ (char *)cols[i].name, cols[i].type, cols[i].count, ROW_METRIC };
		m->v[i] = (struct value){ cols[i].p ? cols[i].type : V_NONE, cols[i].count, cols[i].p };
	}
	m->row = (struct row){ .schema = &m->schema,
			       .producer = "node-1",
			       .instance = "node-1/set",
			       .ts_sec = 1795188734,
			       .ts_usec = 2287,
			       .v = m->v };
}

#define MAKE(m, name, decomposed, cols) make((m), (name), (decomposed), (cols), sizeof(cols) / sizeof(*(cols)))

static char *file(const char *name)
{
	char path[128], *line = xcalloc(1, 4096);
	FILE *f;

	snprintf(path, sizeof(path), DATA "%s", name);
	f = fopen(path, "r");
	assert_non_null(f);
	assert_non_null(fgets(line, 4096, f));
	fclose(f);
	line[strcspn(line, "\n")] = '\0';
	return line;
}

static char *json_of(const struct row *row)
{
	struct json_row j;
	struct buf b = { 0 };

	json_row_init(&j, row->schema);
	json_row_put(&b, &j, row);
	json_row_fini(&j);
	buf_str(&b);
	return (char *)b.p;
}

static char *avro_of(const struct row *row)
{
	struct row_fields f;
	struct buf b = { 0 }, hex = { 0 };

	row_fields_init(&f, row->schema, ROW_FIELD_NAMES_AVRO);
	avro_row_put(&b, &f, row);
	for (size_t i = 0; i < b.len; i++)
		buf_addf(&hex, "%02x", b.p[i]);
	row_fields_fini(&f);
	buf_fini(&b);
	buf_str(&hex);
	return (char *)hex.p;
}

/* As a registry is asked. */
static char *schema_of(const struct row_schema *rs)
{
	struct row_fields f;
	struct buf schema = { 0 }, body = { 0 };

	row_fields_init(&f, rs, ROW_FIELD_NAMES_AVRO);
	avro_schema_put(&schema, rs->name, &f);
	row_fields_fini(&f);
	registry_request(&body, buf_str(&schema));
	buf_fini(&schema);
	buf_str(&body);
	return (char *)body.p;
}

#define EXPECT(made, expected)                                                                                         \
	do {                                                                                                           \
		char *got_ = (made), *want_ = (expected);                                                              \
		assert_string_equal(got_, want_);                                                                      \
		free(got_);                                                                                            \
		free(want_);                                                                                           \
	} while (0)

/* -- shapes -------------------------------------------------------------------------------------------------------- */

static const uint32_t ts[] = { 1795188734, 2287 }, dur[] = { 0, 1 }, diff[] = { 1, 260 };
static const uint8_t u8[] = { 76, 76, 76, 0 };
static const uint16_t u16[] = { 76, 76, 76, 0 };
static const uint32_t u32 = 76;
static const uint64_t u64[] = { 76, 76, 76, 0 };
static const float f32[] = { 76, 76, 76, 0 };
static const double d64[] = { 76, 76, 76, 0 };

/* Every type; ldmsd's tests/data/kafka has it of its sampler all_example. */
static void all_row(struct made *m, const char *double_name)
{
	const struct col cols[] = {
		{ "ts", V_TIMESTAMP, 1, ts },
		{ "prdcr", V_CHAR_ARRAY, 7, "node-1" },
		{ "char", V_CHAR, 1, "L" },
		{ "u8", V_U8, 1, u8 },
		{ "s8", V_S8, 1, u8 },
		{ "u16", V_U16, 1, u16 },
		{ "s16", V_S16, 1, u16 },
		{ "u32", V_U32, 1, &u32 },
		{ "s32", V_S32, 1, &u32 },
		{ "u64", V_U64, 1, u64 },
		{ "s64", V_S64, 1, u64 },
		{ "f32", V_F32, 1, f32 },
		{ double_name, V_D64, 1, d64 },
		{ "char_array", V_CHAR_ARRAY, 4, "LLL" },
		{ "u8_array", V_U8_ARRAY, 4, u8 },
		{ "s16_array", V_S16_ARRAY, 4, u16 },
		{ "u64_array", V_U64_ARRAY, 4, u64 },
		{ "float_array", V_F32_ARRAY, 4, f32 },
		{ "double_array", V_D64_ARRAY, 4, d64 },
		{ "M_duration", V_TIMESTAMP, 1, dur },
		{ "dt", V_TIMESTAMP, 1, diff },
	};

	MAKE(m, "all_row", true, cols);
}

static void test_every_type(void **state)
{
	struct made m;
	char *want = file("all_row.avro.hex"), *u32_at;

	all_row(&m, "d-32.x#y");
	EXPECT(json_of(&m.row), file("all_row.json"));
	all_row(&m, "d32.x#y");
	EXPECT(schema_of(&m.schema), file("all_row.schema.json"));
	/* ldmsd encodes this u32 as 0: behind u8, s8, u16 and s16 */
	u32_at = strstr(want, "9801980198019801"
			      "00");
	assert_non_null(u32_at);
	u32_at += 16;
	memmove(u32_at + 4, u32_at + 2, strlen(u32_at + 2) + 1);
	memcpy(u32_at, "9801", 4);
	EXPECT(avro_of(&m.row), xstrdup(want + 10));
	free(want);
}

static void test_loadavg(void **state)
{
	static const uint32_t at[] = { 1795188733, 1993 };
	static const uint64_t ids[] = { 1, 0, 0, 5, 365, 18295 };
	static const double loads[] = { 0.23, 0.35, 0.32 };
	const struct col cols[] = {
		{ "timestamp", V_TIMESTAMP, 1, at },
		{ "component_id", V_U64, 1, &ids[0] },
		{ "job_id", V_U64, 1, &ids[1] },
		{ "app_id", V_U64, 1, &ids[2] },
		{ "load1min", V_D64, 1, &loads[0] },
		{ "load5min", V_D64, 1, &loads[1] },
		{ "load15min", V_D64, 1, &loads[2] },
		{ "runnable", V_U64, 1, &ids[3] },
		{ "scheduling_entities", V_U64, 1, &ids[4] },
		{ "newest_pid", V_U64, 1, &ids[5] },
	};
	struct made m;
	char *hex = file("loadavg.avro.hex");

	MAKE(&m, "loadavg_8be3781", true, cols);
	EXPECT(json_of(&m.row), file("loadavg.json"));
	EXPECT(schema_of(&m.schema), file("loadavg.schema.json"));
	EXPECT(avro_of(&m.row), xstrdup(hex + 10));
	free(hex);
}

/* The plain cut, texts that JSON must escape, numbers that it has not, values that are missing. */
static void test_odd_values(void **state)
{
	static const double odd[] = { NAN, INFINITY };
	static const int64_t low = INT64_MIN;
	static const uint64_t high = UINT64_MAX;
	const struct col cols[] = {
		{ "a\"b", V_CHAR_ARRAY, 16, "q\"b\\n\n\xe9" },
		{ "nan", V_D64, 1, &odd[0] },
		{ "inf", V_D64_ARRAY, 2, odd },
		{ "low", V_S64, 1, &low },
		{ "high", V_U64, 1, &high },
		{ "gone", V_U32, 1, NULL },
		{ "gone too", V_U32_ARRAY, 3, NULL },
		{ "no char", V_CHAR, 1, "" },
		{ "timestamp", V_U8, 1, u8 },
		{ "recs", V_RECORD_ARRAY, 1, NULL },
	};
	struct made m;

	MAKE(&m, "odd schema", false, cols);
	EXPECT(json_of(&m.row), xstrdup("{\"timestamp\":1795188734.002287,\"producer\":\"node-1\","
					"\"a\\\"b\":\"q\\\"b\\\\n\\u000a\\u00e9\",\"nan\":null,\"inf\":[null,null],"
					"\"low\":-9223372036854775808,\"high\":18446744073709551615,\"gone\":null,"
					"\"gone too\":null,\"no char\":\"\",\"timestamp_2\":76}"));
	EXPECT(avro_of(&m.row), xstrdup("e4e0b199bf68"
					"0c6e6f64652d31"
					"10"
					"7122625c6e0ac3a9"
					"000000000000f87f"
					"04"
					"000000000000f87f"
					"000000000000f07f"
					"00"
					"ffffffffffffffffff01"
					"01"
					"00"
					"00"
					"00"
					"9801"));
}

static void test_avro_names(void **state)
{
	const struct col cols[] = {
		{ "a.b", V_U64, 1, u64 },
		{ "a-b", V_U64, 1, u64 },
		{ "9", V_U64, 1, u64 },
		{ "", V_U64, 1, u64 },
	};
	struct made m;
	char *text;

	MAKE(&m, "7x-y", true, cols);
	text = schema_of(&m.schema);
	assert_non_null(strstr(text, "{\\\"name\\\":\\\"_7x_y\\\","));
	assert_non_null(strstr(text, "{\\\"name\\\":\\\"a_b\\\","));
	assert_non_null(strstr(text, "{\\\"name\\\":\\\"a_b_2\\\","));
	assert_non_null(strstr(text, "{\\\"name\\\":\\\"_9\\\","));
	assert_non_null(strstr(text, "{\\\"name\\\":\\\"_\\\","));
	free(text);
}

/* -- topics, properties, registries -------------------------------------------------------------------------------- */

static void test_topics(void **state)
{
	struct set_meta meta = { .uid = htole32(4000000001u), .gid = htole32(0), .perm = htole32(0440) };
	struct image im = { .meta = &meta };
	struct kafka_names names = { 0 };
	struct buf to = { 0 };
	struct err err = { "" };
	struct made m;

	all_row(&m, "d");
	m.row.im = &im;
	for (int i = 0; i < 2; i++) /* met, and known */
		assert_int_equal(kafka_topic_expand("%F:%P.%S/%I_%u_%U_%g_%G_%a_%A", "json", &names, &m.row, &to, &err),
				 0);
	assert_string_equal(buf_str(&to),
			    "json.node-1.all_row.node-1.set_4000000001_4000000001_root_0_-r--r-----_0440");
	assert_true(kafka_topic_is_of_schema("x.%F.%S"));
	assert_false(kafka_topic_is_of_schema("%S.%P"));
	assert_int_equal(kafka_topic_check("%F.%S", &err), 0);
	assert_int_equal(kafka_topic_check("%S%Z", &err), -EINVAL);
	assert_non_null(strstr(err.msg, "'%Z' is not known"));
	assert_int_equal(kafka_topic_check("100%", &err), -EINVAL);
	assert_int_equal(kafka_topic_check("", &err), -EINVAL);
	assert_int_equal(kafka_topic_expand("..", "json", &names, &m.row, &to, &err), -EINVAL);
	kafka_names_fini(&names);
	buf_fini(&to);
}

static void test_properties(void **state)
{
	static const char json[] = "{\"acks\":\"1\",\"linger.ms\":5,\"a\":true,\"b\":0.5}",
			  lines[] = "# words\n\n acks = all \r\nsasl.password=a=b c\nempty=\n";
	struct kv kv = { 0 };
	struct err err = { "" };

	assert_int_equal(kafka_props_json(json, strlen(json), &kv, &err), 0);
	assert_string_equal(kafka_prop(&kv, "linger.ms"), "5");
	assert_string_equal(kafka_prop(&kv, "a"), "true");
	assert_int_equal(kafka_props_lines(lines, strlen(lines), &kv, &err), 0);
	assert_string_equal(kafka_prop(&kv, "acks"), "all");
	assert_string_equal(kafka_prop(&kv, "sasl.password"), "a=b c");
	assert_string_equal(kafka_prop(&kv, "empty"), "");
	assert_null(kafka_prop(&kv, "none"));
	assert_int_equal(kafka_props_lines("acks\n", 5, &kv, &err), -EINVAL);
	assert_string_equal(err.msg, "line 1: is no KEY=VALUE");
	/* slips are said without what stands there */
	assert_int_equal(kafka_props_lines("sasl.password: secret\n", 22, &kv, &err), -EINVAL);
	assert_null(strstr(err.msg, "secret"));
	for (const char *const *bad =
		     (const char *const[]){ "{\"sasl.password\":\"secret\n\"}", "{\"sasl.password\":secret}", NULL };
	     *bad; bad++) {
		assert_int_equal(kafka_props_json(*bad, strlen(*bad), &kv, &err), -EINVAL);
		assert_non_null(strstr(err.msg, "line 1, column "));
		assert_null(strstr(err.msg, "secret"));
	}
	assert_int_equal(kafka_props_json("{\"a\":[]}", 8, &kv, &err), -EINVAL);
	assert_int_equal(kafka_props_json("[]", 2, &kv, &err), -EINVAL);
	assert_int_equal(kafka_props_json("{\"a\":1,\"a\":2}", 13, &kv, &err), -EINVAL);
	kv_fini(&kv);
}

static void test_registry_answers(void **state)
{
	struct err err = { "" };
	uint32_t id = 0;

	assert_int_equal(registry_answer_id("{\"id\":7}", 8, &id, &err), 0);
	assert_int_equal(id, 7);
	assert_int_equal(registry_answer_id("{\"id\":\"7\"}", 10, &id, &err), -EPROTO);
	assert_int_equal(registry_answer_id("{\"id\":-1}", 9, &id, &err), -EPROTO);
	assert_int_equal(registry_answer_id("<html>", 6, &id, &err), -EPROTO);
	assert_int_equal(registry_answer_id("", 0, &id, &err), -EPROTO);
}

static void test_registry_properties(void **state)
{
	static const struct {
		const char *lines, *words;
	} bad[] = {
		{ "schema.registry.url=localhost\n", "must begin with http" },
		{ "schema.registry.url=\n", "a URL goes there" },
		{ "schema.registry.url=http://u:p@h\n", "a password in a URL" },
		{ "schema.registry.basic.auth.user.info=me\n", "USER:PASSWORD" },
		{ "serializer.framing=none\n", "only cp1" },
		{ "schema.registry.uri=http://h\n", "there is no property" },
	};
	struct kv good = { 0 };
	struct registry *r;
	struct err err = { "" };

	kv_add(&good, "schema.registry.url", "nothing");
	kv_add(&good, "schema.registry.url", "http://a:1/x/, https://b");
	kv_add(&good, "debug", "all");
	assert_int_equal(registry_new(&good, &r, &err), 0);
	registry_free(r);
	kv_fini(&good);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct kv kv = { 0 };

		assert_int_equal(kafka_props_lines(bad[i].lines, strlen(bad[i].lines), &kv, &err), 0);
		assert_int_equal(registry_new(&kv, &r, &err), -EINVAL);
		if (!strstr(err.msg, bad[i].words))
			fail_msg("%s: %s", bad[i].lines, err.msg);
		kv_fini(&kv);
	}
}

/* -- a store without a broker, and with one in this process -------------------------------------------------------- */

#ifdef HAVE_RDKAFKA
#include <librdkafka/rdkafka_mock.h>

struct rig {
	char path[64];
	struct store *st;
	struct store_sink *sk;
	struct err err;
};

static int rig_init(struct rig *r, const char *props, const char *container)
{
	const struct rdkafka *lib;
	struct kv kv = { 0 };
	int fd, rc;

	*r = (struct rig){ .path = "/tmp/ldms-kafka-XXXXXX" };
	if (rdkafka_get(&lib, &r->err))
		skip();
	fd = mkstemp(r->path);
	assert_int_equal(write(fd, props, strlen(props)), (ssize_t)strlen(props));
	close(fd);
	kv_add(&kv, "kafka_conf", r->path);
	assert_int_equal(store_new(store_type_find("store_kafka"), "k", &r->st, &r->err), 0);
	rc = store_config(r->st, &kv, &r->err);
	if (!rc)
		rc = store_type(r->st)->open(r->st, container, &r->sk, &r->err);
	kv_fini(&kv);
	unlink(r->path);
	return rc;
}

static void rig_fini(struct rig *r)
{
	if (r->sk)
		store_type(r->st)->close(r->sk);
	store_put(r->st);
}

static int rig_row(struct rig *r, struct made *m)
{
	return store_type(r->st)->row(r->sk, &m->row, &r->err);
}

/* What is taken is bounded, the reason is said, and nothing waits for long. */
static void test_no_broker(void **state)
{
	struct rig r;
	struct made m;
	unsigned int taken = 0;

	all_row(&m, "d");
	assert_int_equal(rig_init(&r, "queue.buffering.max.messages=50\n", "127.0.0.1:1"), 0);
	while (taken < 1000 && !rig_row(&r, &m))
		taken++;
	assert_int_equal(taken, 50);
	assert_int_equal(rig_row(&r, &m), -EAGAIN);
	assert_int_equal(store_type(r.st)->flush(r.sk, &r.err), -EAGAIN);
	assert_non_null(strstr(r.err.msg, "store k: Kafka 127.0.0.1:1: messages=50 are not delivered: "));
	assert_non_null(strstr(r.err.msg, "Connection refused"));
	assert_int_equal(store_type(r.st)->refused(r.sk, &r.err), 0);
	rig_fini(&r);
}

static void test_delivery(void **state)
{
	struct rig r;
	struct made m, long_one;
	char large[2048];
	const struct col cols[] = { { "text", V_CHAR_ARRAY, sizeof(large), large } };

	memset(large, 'x', sizeof(large));
	all_row(&m, "d");
	assert_int_equal(rig_init(&r, "test.mock.num.brokers=1\nmessage.max.bytes=1500\n", "127.0.0.1:1"), 0);
	for (int i = 0; i < 500; i++)
		assert_int_equal(rig_row(&r, &m), 0);
	if (store_type(r.st)->flush(r.sk, &r.err))
		fail_msg("%s", r.err.msg);
	assert_int_equal(store_type(r.st)->refused(r.sk, &r.err), 0);
	/* one that is too long is refused for good, the others are delivered */
	MAKE(&long_one, "large", true, cols);
	assert_int_equal(rig_row(&r, &long_one), 0);
	assert_int_equal(rig_row(&r, &m), 0);
	assert_int_equal(store_type(r.st)->flush(r.sk, &r.err), 0);
	assert_int_equal(store_type(r.st)->refused(r.sk, &r.err), 1);
	if (!strstr(r.err.msg, "topic large: a message of"))
		fail_msg("%s", r.err.msg);
	assert_int_equal(store_type(r.st)->refused(r.sk, &r.err), 0);
	rig_fini(&r);
}

/* Brokers in this process. */
struct mock {
	void *so;
	rd_kafka_t *rk;
	rd_kafka_mock_cluster_t *cluster;
	const char *brokers;
	__typeof__(&rd_kafka_mock_broker_set_rtt) set_rtt;
	__typeof__(&rd_kafka_mock_push_request_errors_array) push_errors;
};

#define MOCK(m, name) ((__typeof__(&name))dlsym((m)->so, #name))

static void mock_init(struct mock *m, int partitions)
{
	const struct rdkafka *lib;
	char words[256];

	*m = (struct mock){ .so = dlopen("librdkafka.so.1", RTLD_NOW) };
	if (!m->so || rdkafka_get(&lib, NULL))
		skip();
	m->rk = lib->new (RD_KAFKA_PRODUCER, lib->conf_new(), words, sizeof(words));
	assert_non_null(m->rk);
	m->cluster = MOCK(m, rd_kafka_mock_cluster_new)(m->rk, 1);
	assert_non_null(m->cluster);
	m->brokers = MOCK(m, rd_kafka_mock_cluster_bootstraps)(m->cluster);
	MOCK(m, rd_kafka_mock_topic_create)(m->cluster, "t", partitions, 1);
	m->set_rtt = MOCK(m, rd_kafka_mock_broker_set_rtt);
	m->push_errors = MOCK(m, rd_kafka_mock_push_request_errors_array);
}

static void mock_fini(struct mock *m)
{
	MOCK(m, rd_kafka_mock_cluster_destroy)(m->cluster);
	MOCK(m, rd_kafka_destroy)(m->rk);
	dlclose(m->so);
}

#define FLUSHES 5 /* each waits for some seconds */

/* A producer that is of no more use gives its messages to the next one. */
static void test_fatal(void **state)
{
	struct kv props = { 0 };
	struct buf value = { 0 };
	const struct kafka_msg msg = { .topic = "t", .key = "k", .value = &value };
	struct err err = { "" };
	struct kafka_out *o;
	__typeof__(&rd_kafka_test_fatal_error) break_it;
	void *so = dlopen("librdkafka.so.1", RTLD_NOW);

	if (!so)
		skip();
	break_it = (__typeof__(break_it))dlsym(so, "rd_kafka_test_fatal_error");
	buf_addf(&value, "value");
	kv_add(&props, "test.mock.num.brokers", "1");
	assert_int_equal(kafka_out_open(&props, NULL, false, &o, &err), 0);
	assert_int_equal(kafka_out_put(o, &msg, &err), 0);
	assert_int_equal(kafka_out_flush(o, &err), 0);
	for (int i = 0; i < 100; i++)
		assert_int_equal(kafka_out_put(o, &msg, &err), 0);
	assert_int_equal(break_it(o->rk, RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER, "for a test"), 0);
	for (int i = 0; i < 5 && kafka_out_flush(o, &err); i++) /* some may have been on their way */
		;
	assert_int_equal(o->pending + o->n_again, 0);
	assert_int_equal(kafka_out_put(o, &msg, &err), 0);
	assert_int_equal(kafka_out_flush(o, &err), 0);
	assert_int_equal(kafka_out_refused(o, NULL), 0);
	assert_int_equal(kafka_out_close(o), 0);
	dlclose(so);
	buf_fini(&value);
	kv_fini(&props);
}

/* What comes back is sent again in steps, whatever the way to the brokers takes: not one by one. */
static void test_coming_back(void **state)
{
	static const rd_kafka_resp_err_t codes[] = { RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED,
						     RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE };
	struct kv props = { 0 };
	struct buf value = { 0 };
	const struct kafka_msg msg = { .topic = "t", .value = &value };
	struct err err = { "" };
	struct kafka_out *o;
	struct mock mock;

	mock_init(&mock, 4);
	buf_addf(&value, "value");
	kv_add(&props, "linger.ms", "1000");
	assert_int_equal(kafka_out_open(&props, mock.brokers, false, &o, &err), 0);
	assert_int_equal(kafka_out_put(o, &msg, &err), 0); /* the topic is there then */
	for (int i = 0; i < FLUSHES && kafka_out_flush(o, &err); i++)
		;
	mock.set_rtt(mock.cluster, 1, 50);
	for (size_t i = 0; i < sizeof(codes) / sizeof(*codes); i++) {
		mock.push_errors(mock.cluster, 0, 1, &codes[i]);
		for (int k = 0; k < 2000; k++)
			assert_int_equal(kafka_out_put(o, &msg, &err), 0);
		for (int k = 0; k < FLUSHES && kafka_out_flush(o, &err); k++)
			;
		assert_int_equal(o->pending + o->n_again, 0);
		assert_int_equal(kafka_out_refused(o, NULL), 0);
	}
	assert_int_equal(kafka_out_close(o), 0);
	mock_fini(&mock);
	buf_fini(&value);
	kv_fini(&props);
}

/* What comes back when a producer is of no more use goes before what comes then. */
static void test_order_of_renewal(void **state)
{
	struct kv props = { 0 };
	struct buf value = { 0 };
	const struct kafka_msg msg = { .topic = "t", .value = &value };
	struct err err = { "" };
	struct kafka_out *o;

	if (kafka_out_check(&props, &err))
		skip();
	buf_addf(&value, "value");
	assert_int_equal(kafka_out_open(&props, "127.0.0.1:1", false, &o, &err), 0);
	assert_int_equal(kafka_out_put(o, &msg, &err), 0);
	o->renew = o->upset = true; /* as a fatal error says while all is on its way */
	assert_int_equal(kafka_out_put(o, &msg, &err), -EAGAIN);
	assert_int_equal(o->pending + o->n_again, 1);
	assert_int_equal(kafka_out_close(o), 1);
	buf_fini(&value);
	kv_fini(&props);
}

/* Properties that would take reports from us, or fill memory with what nobody fetches, are left out. */
static void test_properties_left_out(void **state)
{
	struct rig r;
	struct made m;

	all_row(&m, "d");
	assert_int_equal(rig_init(&r,
				  "test.mock.num.brokers=1\ndelivery.report.only.error=true\nenabled_events=255\n"
				  "log.queue=true\nstatistics.interval.ms=1\n",
				  "127.0.0.1:1"),
			 0);
	for (int i = 0; i < 10; i++)
		assert_int_equal(rig_row(&r, &m), 0);
	if (store_type(r.st)->flush(r.sk, &r.err))
		fail_msg("%s", r.err.msg);
	rig_fini(&r);
}

/* Where there cannot be a next one for now, that is nothing about the message. */
static void test_not_renewed(void **state)
{
	struct kv props = { 0 };
	struct buf value = { 0 };
	const struct kafka_msg msg = { .topic = "t", .value = &value };
	struct err err = { "" };
	struct kafka_out *o;

	if (kafka_out_check(&props, &err))
		skip();
	buf_addf(&value, "value");
	assert_int_equal(kafka_out_open(&props, "127.0.0.1:1", false, &o, &err), 0);
	o->renew = true;
	kv_add(&props, "ssl.ca.location", "/nowhere.pem");
	kv_add(&props, "security.protocol", "ssl");
	assert_int_equal(kafka_out_put(o, &msg, &err), -EIO);
	assert_non_null(strstr(err.msg, "ssl.ca.location failed"));
	kv_add(&props, "security.protocol", "plaintext");
	assert_int_equal(kafka_out_put(o, &msg, &err), 0);
	assert_int_equal(kafka_out_close(o), 1);
	buf_fini(&value);
	kv_fini(&props);
}

static void test_configurations(void **state)
{
	static const struct {
		const char *props, *words;
	} bad[] = {
		{ "nonsense=1\n", "No such configuration property: \"nonsense\"" },
		{ "acks=7777\n", "acks" },
		{ "enable.idempotence=true\nacks=1\n", "acks" },
		{ "transactional.id=x\n", "leave it out" },
		{ "compression.codec=fast\n", "compression.codec" },
		{ "words\n", "line 1: is no KEY=VALUE" },
		{ "ssl.ca.location=/nowhere.pem\nsecurity.protocol=ssl\n", "ssl.ca.location failed" },
	};
	struct rig r;

	/* the order is kept with less than all acknowledgements, too */
	assert_int_equal(rig_init(&r, "acks=1\nlinger.ms=5\ncompression.codec=gzip\n", "127.0.0.1:1"), 0);
	rig_fini(&r);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		assert_int_equal(rig_init(&r, bad[i].props, "127.0.0.1:1"), -EINVAL);
		if (strncmp(r.err.msg, "store k: ", 9) || !strstr(r.err.msg, bad[i].words))
			fail_msg("%s: %s", bad[i].props, r.err.msg);
		rig_fini(&r);
	}
}
#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_type),
		cmocka_unit_test(test_loadavg),
		cmocka_unit_test(test_odd_values),
		cmocka_unit_test(test_avro_names),
		cmocka_unit_test(test_topics),
		cmocka_unit_test(test_properties),
		cmocka_unit_test(test_registry_answers),
		cmocka_unit_test(test_registry_properties),
#ifdef HAVE_RDKAFKA
		cmocka_unit_test(test_no_broker),
		cmocka_unit_test(test_delivery),
		cmocka_unit_test(test_fatal),
		cmocka_unit_test(test_coming_back),
		cmocka_unit_test(test_order_of_renewal),
		cmocka_unit_test(test_properties_left_out),
		cmocka_unit_test(test_not_renewed),
		cmocka_unit_test(test_configurations),
#endif
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
