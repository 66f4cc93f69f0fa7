/* exec_lines.c - what programs print for the sampler exec: whatever it is, an object comes of it that a set can hold */
#include <assert.h>
#include <string.h>

#include "plugins/exec_lines.h"
#include "plugins/json_shape.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	json_t *object = json_object();
	struct json_shape shape;
	struct err err;
	char *text;

	while (size) {
		const uint8_t *end = memchr(data, '\n', size);
		size_t n = end ? (size_t)(end - data) : size, had = json_object_size(object);
		int rc;

		*err.msg = 0;
		rc = exec_line_take(object, (const char *)data, n, &err);
		assert(rc >= 0 || (*err.msg && json_object_size(object) == had));
		data += end ? n + 1 : n;
		size -= end ? n + 1 : n;
	}
	text = json_dumps(object, 0); /* all of it is JSON */
	assert(text);
	free(text);
	if (json_shape_learn(&(const struct json_shape){ 0 }, object, &shape, &err) > 0)
		json_shape_fini(&shape);
	json_decref(object);
	return 0;
}
