/* csv_rows.c - what a stored row costs: CPU time and instructions of a storage policy's worker, from queue to file
 *
 *	cc -O2 -D_GNU_SOURCE -I. -o /tmp/bench-csv tests/bench/csv_rows.c build/libldms.a \
 *	   -lev -lnettle -ljansson -lsqlite3 -lpthread -lm
 *	/tmp/bench-csv [ROWS [FOLDER [DECOMPOSITION [STORE CONTAINER ATTR=VALUE]]]]
 *	valgrind --tool=callgrind --callgrind-out-file=/dev/null --toggle-collect=strgp_run /tmp/bench-csv 100000
 *
 * The rows are of 1000 nodes' meminfo: 57 columns of u64, in a new folder below FOLDER (/tmp), which is removed.  The
 * second command counts user instructions: divide what it calls "Collected" by ROWS.  Another store than csv, as Kafka
 * with a broker in this process:
 *
 *	echo test.mock.num.brokers=1 >/tmp/props
 *	/tmp/bench-csv 100000 /tmp "" kafka none kafka_conf=/tmp/props
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/xalloc.h"
#include "core/daemon/strgp.h"

#define NODES   1000
#define METRICS 57
#define AHEAD   4096 /* rows that may wait: the bench is not to measure a queue that overflows */

static void die(const char *what, const struct err *err)
{
	fprintf(stderr, "%s: %s\n", what, err->msg);
	exit(1);
}

/* Kilobytes as /proc/meminfo has them: many large, many small, many zero. */
static uint64_t value_at(unsigned int node, unsigned int i)
{
	static const uint64_t typical[] = { 24684084, 23089372, 0,     20768, 1004592, 276864,
					    0,        1644,     67956, 0,     24760,   48364 };
	uint64_t v = typical[i % (sizeof(typical) / sizeof(*typical))];

	return v ? v + node : 0;
}

static struct snap *snap_of_node(struct pool *pool, unsigned int node)
{
	struct err err = { "" };
	struct schema *sc = schema_new("meminfo", &err);
	char name[32];
	struct snap *sn;
	struct set *s;

	schema_add_meta(sc, "component_id", V_U64, NULL, &err);
	for (unsigned int i = 1; i < METRICS; i++) {
		snprintf(name, sizeof(name), "Metric(number_%u)", i);
		schema_add(sc, name, V_U64, "kB", &err);
	}
	snprintf(name, sizeof(name), "node-%04u/meminfo", node);
	if (set_new(pool, sc, name, "node-0001", 0, 0, 0777, &s, &err))
		die("set", &err);
	schema_free(sc);
	set_meta_u64(s, 0, node);
	set_begin(s);
	for (unsigned int i = 1; i < METRICS; i++)
		set_u64(s, (int)i, value_at(node, i));
	set_end(s);
	sn = snap_new(s);
	set_put(s);
	return sn;
}

/* `other`: store, container, attributes; NULL: csv. */
static struct strgp *policy_start(struct strgp_pool *threads, const char *dir, const char *decomposition, char **other)
{
	struct strgp_conf conf = { .name = "bench", .schema = "meminfo", .container = other ? other[1] : "bench" };
	struct kv kv = { 0 };
	struct err err = { "" };
	unsigned int line;
	struct store *st;
	struct strgp *sg;

	if (other)
		kv_parse(&kv, other[2]);
	else
		kv_add(&kv, "path", dir);
	if (store_new(store_type_find(other ? other[0] : "csv"), "bench", &st, &err) || store_config(st, &kv, &err))
		die("store", &err);
	conf.store = st;
	if (decomposition && *decomposition && decomp_load("bench", decomposition, &conf.decomp, &line, &err))
		die(decomposition, &err);
	if (strgp_new(&conf, threads, &sg, &err) || strgp_start(sg, &err))
		die("policy", &err);
	store_put(st);
	kv_fini(&kv);
	return sg;
}

static double cpu_s(int who)
{
	struct rusage ru;

	getrusage(who, &ru);
	return (double)(ru.ru_utime.tv_sec + ru.ru_stime.tv_sec) +
	       (double)(ru.ru_utime.tv_usec + ru.ru_stime.tv_usec) / 1e6;
}

/* Of the threads that are not this one. */
static double workers_cpu_s(void)
{
	return cpu_s(RUSAGE_SELF) - cpu_s(RUSAGE_THREAD);
}

int main(int argc, char **argv)
{
	uint64_t rows = argc > 1 ? strtoull(argv[1], NULL, 10) : 1000000;
	char *dir = xasprintf("%s/bench-csv-XXXXXX", argc > 2 ? argv[2] : "/tmp"), *cmd;
	struct strgp_pool *threads = strgp_pool_new(1);
	struct pool *pool = pool_new(0);
	struct snap *snaps[NODES];
	struct err err = { "no folder" };
	struct strgp_status st;
	struct strgp *sg;
	double cpu, wall;

	if (!mkdtemp(dir))
		die(dir, &err);
	for (unsigned int i = 0; i < NODES; i++)
		snaps[i] = snap_of_node(pool, i);
	sg = policy_start(threads, dir, argc > 3 ? argv[3] : NULL, argc > 6 ? argv + 4 : NULL);
	cpu = workers_cpu_s();
	wall = (double)mono_us();
	for (uint64_t i = 0; i < rows; i++) {
		strgp_offer(sg, snaps[i % NODES]);
		if (i % AHEAD == 0)
			while (strgp_status(sg, &st), st.queued_bytes)
				nanosleep(&(struct timespec){ .tv_nsec = 100000 }, NULL);
	}
	if (strgp_stop(sg, 600000000, &err))
		die("stop", &err);
	cpu = workers_cpu_s() - cpu;
	wall = ((double)mono_us() - wall) / 1e6;
	strgp_status(sg, &st);
	printf("rows=%llu dropped=%llu cpu=%.0f ns/row rows_per_cpu_s=%.0f wall=%.2f s\n", (unsigned long long)st.rows,
	       (unsigned long long)st.dropped, cpu * 1e9 / (double)rows, (double)rows / cpu, wall);
	cmd = xasprintf("find '%s' -type f -exec wc -c {} +; rm -rf '%s'", dir, dir);
	fflush(stdout);
	if (system(cmd))
		fprintf(stderr, "%s: look there\n", dir);
	free(cmd);
	free(dir);
	for (unsigned int i = 0; i < NODES; i++)
		snap_put(snaps[i]);
	strgp_put(sg);
	strgp_pool_free(threads, 2000000);
	pool_free(pool);
	return 0;
}
