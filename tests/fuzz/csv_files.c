/* csv_files.c - what store csv reads of files: its list of files, and opt_file */
#include <stdlib.h>

#include "core/base/xalloc.h"
#include "store/csv.h"
#include "store/csv_list.h"

static int line(const struct kv *kv, void *arg, struct err *err)
{
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct csv_entries es = { 0 };
	char *text = xstrndup((const char *)data, size);
	struct buf b = { 0 };
	struct err err = { "" };

	csv_opt_lines(text, line, NULL, &err);
	csv_entries_read(&es, text);
	for (size_t i = 0; i < es.n; i++)
		csv_begin_line(&b, &es.v[i]);
	buf_fini(&b);
	csv_entries_fini(&es);
	free(text);
	return 0;
}
