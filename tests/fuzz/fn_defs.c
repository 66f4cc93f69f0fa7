/* fn_defs.c - the definitions of store function_csv: fn_defs_parse() */
#include <stdlib.h>

#include "core/base/xalloc.h"
#include "store/fn_impl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = xstrndup((const char *)data, size);
	struct fn_defs defs = { 0 };
	struct err err = { "" };

	if (!fn_defs_parse(text, &defs, &err))
		fn_defs_fini(&defs);
	free(text);
	return 0;
}
