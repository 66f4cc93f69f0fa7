/* sqlite_fill.c - a database as a cluster fills it, and what that costs: rows/s, CPU and bytes
 *
 *	make units && build/tests/bench/sqlite_fill FILE [NODES [SECONDS [METRICS [BATCH]]]]
 *
 * Rows of schema "bench" of NODES producers (node-0001 ...), one each second, for SECONDS that end now: component_id,
 * job_id and METRICS numbers called metric_1 ..., half of them integers that grow, half of them floats.  BATCH seconds
 * go into one transaction.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>

#include "core/base/clock.h"
#include "core/base/xalloc.h"
#include "core/daemon/strgp.h"

static void die(const struct err *err)
{
	fprintf(stderr, "%s\n", err->msg);
	exit(1);
}

static struct row_schema *schema_of(uint32_t n)
{
	struct row_schema *rs = xcalloc(1, sizeof(*rs));

	rs->name = xstrdup("bench");
	atomic_init(&rs->refs, 1);
	rs->n_cols = n + 2;
	rs->cols = xcalloc(rs->n_cols, sizeof(*rs->cols));
	rs->cols[0] = (struct row_col){ .name = xstrdup("component_id"), .type = V_U64, .count = 1 };
	rs->cols[1] = (struct row_col){ .name = xstrdup("job_id"), .type = V_U64, .count = 1 };
	for (uint32_t i = 2; i < rs->n_cols; i++)
		rs->cols[i] = (struct row_col){ .name = xasprintf("metric_%u", i - 1),
						.type = i % 2 ? V_D64 : V_U64,
						.count = 1 };
	return rs;
}

static void values_at(const struct row_schema *rs, uint64_t node, uint64_t sec, uint64_t *raw, struct value *v)
{
	for (uint32_t i = 0; i < rs->n_cols; i++) {
		double d = 50 + (double)((node * 31 + sec * 7 + i) % 997) / 20;

		if (i < 2)
			raw[i] = i ? 1000 + sec / 3600 % 24 : node;
		else if (rs->cols[i].type == V_D64)
			memcpy(&raw[i], &d, sizeof(d));
		else
			raw[i] = sec % 86400 * (node + i) * 13;
		v[i] = (struct value){ rs->cols[i].type, 1, (const uint8_t *)&raw[i] };
	}
}

static double cpu_s(void)
{
	struct rusage ru;

	getrusage(RUSAGE_SELF, &ru);
	return (double)(ru.ru_utime.tv_sec + ru.ru_stime.tv_sec) +
	       (double)(ru.ru_utime.tv_usec + ru.ru_stime.tv_usec) / 1e6;
}

int main(int argc, char **argv)
{
	uint64_t nodes = argc > 2 ? strtoull(argv[2], NULL, 10) : 100;
	uint64_t seconds = argc > 3 ? strtoull(argv[3], NULL, 10) : 3600;
	uint32_t metrics = argc > 4 ? (uint32_t)strtoul(argv[4], NULL, 10) : 50;
	uint64_t batch = argc > 5 ? strtoull(argv[5], NULL, 10) : 1, begin;
	struct row_schema *rs = schema_of(metrics);
	uint64_t *raw = xcalloc(rs->n_cols, sizeof(*raw));
	struct value *v = xcalloc(rs->n_cols, sizeof(*v));
	struct store_sink *sink;
	struct err err = { "" };
	struct kv kv = { 0 };
	struct store *st;
	struct stat file;
	double cpu, wall, rows = (double)(nodes * seconds);

	if (argc < 2) {
		fprintf(stderr, "usage: sqlite_fill FILE [NODES [SECONDS [METRICS [BATCH]]]]\n");
		return 1;
	}
	kv_add(&kv, "path", argv[1]);
	if (store_new(store_type_find("sqlite"), "bench", &st, &err) || store_config(st, &kv, &err) ||
	    store_type(st)->open(st, "bench", &sink, &err))
		die(&err);
	begin = (uint64_t)time(NULL) - seconds;
	cpu = cpu_s();
	wall = (double)mono_us();
	for (uint64_t s = 0; s < seconds; s++) {
		for (uint64_t n = 0; n < nodes; n++) {
			char producer[32];
			struct row row = { .schema = rs, .producer = producer, .instance = "", .v = v };

			snprintf(producer, sizeof(producer), "node-%04llu", (unsigned long long)n + 1);
			row.ts_sec = (uint32_t)(begin + s);
			row.ts_usec = (uint32_t)(n * 7 % 1000);
			values_at(rs, n + 1, begin + s, raw, v);
			if (store_type(st)->row(sink, &row, &err))
				die(&err);
		}
		if (s % batch == batch - 1 && store_type(st)->flush(sink, &err))
			die(&err);
	}
	store_type(st)->close(sink);
	cpu = cpu_s() - cpu;
	wall = ((double)mono_us() - wall) / 1e6;
	if (stat(argv[1], &file))
		return 1;
	printf("rows=%.0f rows_per_s=%.0f cpu_us_per_row=%.2f bytes_per_row=%.1f bytes_per_value=%.2f\n", rows,
	       rows / wall, cpu / rows * 1e6, (double)file.st_size / rows, (double)file.st_size / rows / rs->n_cols);
	store_put(st);
	kv_fini(&kv);
	row_schema_put(rs);
	free(raw);
	free(v);
	return 0;
}
