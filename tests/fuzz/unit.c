/* unit.c - times, sizes, numbers and truth values from command lines, configurations and control requests
 *
 * Reaches all readers, and the writers with what the readers gave: what is written must read back as the same.
 */
#include "core/base/unit.h"

#include <assert.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/xalloc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = xstrndup((const char *)data, size);
	struct err err = { 0 };
	uint64_t n, n2;
	int64_t us, us2;
	char out[32];
	bool b;

	if (!unit_time_us(text, &us, &err))
		assert(!unit_time_us(unit_time_text(us, out), &us2, &err) && us2 == us);
	else
		assert(*err.msg);
	if (!unit_size(text, &n, NULL))
		assert(!unit_size(unit_size_text(n, out), &n2, &err) && n2 == n);
	unit_u64(text, &n, &err);
	unit_bool(text, &b, &err);
	if (size >= sizeof(us)) {
		memcpy(&us, data, sizeof(us));
		unit_time_text(us, out);
		assert(strlen(out) < sizeof(out));
	}
	free(text);
	return 0;
}
