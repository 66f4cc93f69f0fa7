/* kafka_props.c - files of properties, as librdkafka and a schema registry are given them, and templates of topics
 *
 * Reaches: store/kafka_props.c, kafka_topic_check(), the properties of store/registry.c.
 * Input: the text of a file; read as JSON, as lines, and as a template.
 */
#include <assert.h>
#include <stdlib.h>

#include "core/base/xalloc.h"
#include "store/kafka.h"

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t len)
{
	char *text = xstrndup((const char *)in, len);
	struct kv lines = { 0 }, json = { 0 };
	struct registry *r;
	struct err err = { "" };

	if (kafka_props_json(text, strlen(text), &json, &err))
		assert(*err.msg);
	*err.msg = '\0';
	if (kafka_props_lines(text, strlen(text), &lines, &err))
		assert(*err.msg);
	else if (!registry_new(&lines, &r, &err))
		registry_free(r);
	for (size_t i = 0; i < lines.n; i++)
		assert(*lines.v[i].key && kafka_prop(&lines, lines.v[i].key));
	kafka_topic_check(text, &err);
	kafka_topic_is_of_schema(text);
	kv_fini(&lines);
	kv_fini(&json);
	free(text);
	return 0;
}
