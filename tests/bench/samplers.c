/* samplers.c - what a sample costs: CPU time beside the bare pread of its file, and instructions
 *
 *	cc -O2 -D_GNU_SOURCE -I. -o /tmp/bench-samplers tests/bench/samplers.c build/libldms.a -lev -lnettle -lpthread
 *-lm /tmp/bench-samplers [NAME [N]] valgrind --tool=callgrind --callgrind-out-file=/dev/null
 *--toggle-collect=bench_samples /tmp/bench-samplers NAME 1000
 *
 * The last one counts user instructions: divide what it calls "Collected" by N.  A sample is all that the schedule's
 * worker does for one instance: the read, the scan, the beginning and end of the set.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/daemon/samp.h"

void bench_samples(struct samp *sp, unsigned long n);

__attribute__((noinline)) void bench_samples(struct samp *sp, unsigned long n)
{
	struct err err;

	while (n--)
		if (samp_once(sp, &err)) {
			fprintf(stderr, "%s\n", err.msg);
			exit(1);
		}
}

static double cpu_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double)ts.tv_sec * 1e9 + (double)ts.tv_nsec;
}

/* The floor: one pread of the whole file. */
static double pread_ns(const char *path, unsigned long n)
{
	static char buf[1 << 20];
	int fd = open(path, O_RDONLY);
	double since;

	if (fd < 0)
		return 0;
	since = cpu_ns();
	for (unsigned long i = 0; i < n; i++)
		if (pread(fd, buf, sizeof(buf), 0) < 0)
			return 0;
	since = cpu_ns() - since;
	close(fd);
	return since / (double)n;
}

static void bench(const struct samp_env *env, const struct samp_type *type, unsigned long n)
{
	struct samp *sp = samp_new(env, type, type->name, NULL);
	struct kv none = { 0 };
	struct err err = { 0 };
	double floor_ns, ns;

	/* the sample is for buffers that grow and caches that warm */
	if (!sp || samp_config(sp, &none, &err) || samp_once(sp, &err)) {
		fprintf(stderr, "%s: %s\n", type->name, err.msg); /* it wants attributes, or what this machine lacks */
		samp_free(sp);
		return;
	}
	floor_ns = pread_ns(type->source, n);
	ns = cpu_ns();
	bench_samples(sp, n);
	ns = (cpu_ns() - ns) / (double)n;
	printf("%-12s  CPU %7.0f ns a sample  bare pread %7.0f ns  ratio %.2f\n", type->name, ns, floor_ns,
	       floor_ns > 0 ? ns / floor_ns : 0);
	samp_free(sp);
}

int main(int argc, char **argv)
{
	struct samp_env env = { .pool = pool_new(0), .sets = setdb_new(), .producer = "bench", .sysroot = "" };
	unsigned long n = argc > 2 ? strtoul(argv[2], NULL, 10) : 20000;

	for (size_t i = 0; samp_types[i]; i++)
		if (argc < 2 || !strcmp(argv[1], samp_types[i]->name))
			bench(&env, samp_types[i], n);
	setdb_free(env.sets);
	pool_free(env.pool);
	return 0;
}
