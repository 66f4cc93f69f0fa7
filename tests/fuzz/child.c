/* child.c - what a child process may answer: the head of the packet, and the processors behind it */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "plugins/child.h"
#include "plugins/child_wire.h"
#include "plugins/gpu.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct child_head h;
	struct err err = { "" };
	struct gpu *g;
	size_t n;

	if (!child_head_check(data, size, CHILD_ANSWER_MAX, &h))
		return 0;
	assert(h.len == size - sizeof(h) && h.rc <= 0);
	n = h.len / sizeof(*g);
	g = malloc(h.len + 1); /* where an array may stand */
	if (!g)
		return 0;
	memcpy(g, data + sizeof(h), h.len);
	if (gpus_check(g, h.len, &err))
		assert(*err.msg);
	else
		for (size_t i = 0; i < n; i++)
			assert(strlen(g[i].name) < GPU_TEXT && strlen(g[i].uuid) < GPU_TEXT);
	free(g);
	return 0;
}
