/* query_csv.c - a file of CSV as `ldms query` reads it: whatever is in it, there are rows or there are none
 *
 * Reaches the header, the fields with their quotes, times, and series of the rows.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/query.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char dir[] = "/tmp/fuzz-query-XXXXXX";
static char path[64];

static void folder_remove(void)
{
	unlink(path);
	rmdir(dir);
}

static void folder_make(void)
{
	if (path[0])
		return;
	assert(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/s", dir);
	atexit(folder_remove);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct query_agg_conf conf = {
		.fn = AGG_RATE, .n_slots = 4, .every_us = 1000000, .n_metrics = 1, .by = BY_NODE
	};
	struct query_cols cols = { 0 };
	struct query_agg *agg = NULL;
	struct query_src *src;
	struct err err = { "" };
	const char *name;
	FILE *f;

	folder_make();
	f = fopen(path, "w");
	assert(f);
	fwrite("#Time,Time_usec,ProducerName,", 1, 29, f);
	fwrite(data, 1, size, f);
	fclose(f);
	assert(!query_csv.open(dir, &src, &err));
	if (!query_csv.columns(src, "s", &cols, &err) && cols.n) {
		struct query_ask ask = { .schema = "s", .cols = &name, .n_cols = 1, .until_us = INT64_MAX };

		name = cols.v[cols.n - 1].name;
		assert(!query_csv.range(src, "s", &conf.begin_us, &ask.since_us, &err));
		ask.since_us = INT64_MIN;
		assert(!query_agg_new(&conf, &agg, &err));
		query_csv.rows(src, &ask, query_agg_row, agg, &err);
		query_agg_end(agg);
		query_agg_free(agg);
	}
	query_cols_fini(&cols);
	query_csv.close(src);
	return 0;
}
