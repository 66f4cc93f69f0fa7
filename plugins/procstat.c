/* procstat.c - what the processors spend their time on, and the kernel's counters, from /proc/stat: a metric for the sum
 * of each kind of time, and an array with an element for each processor
 *
 * procstat2 has the same as records.
 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/base/xalloc.h"
#include "plugins/attr.h"
#include "plugins/proc.h"
#include "plugins/samp.h"
#include "plugins/scalars.h"

#define SOURCE   "/proc/stat"
#define CPUS_MAX 65536 /* more than any machine has */

static const struct metric_def metrics[] = {
	/* of our own, then the times of the line `cpu` */
	{ "cores_up", V_U64, "", METRIC_GAUGE, "processors that are online", 1 },
	{ "cpu_enabled", V_U64, "", METRIC_GAUGE, "1 when any is", 1 },
	{ "user", V_U64, "", METRIC_COUNTER, "jiffies in programs", 1 },
	{ "nice", V_U64, "", METRIC_COUNTER, "in programs of lower priority", 1 },
	{ "sys", V_U64, "", METRIC_COUNTER, "in the kernel", 1 },
	{ "idle", V_U64, "", METRIC_COUNTER, "in nothing", 1 },
	{ "iowait", V_U64, "", METRIC_COUNTER, "in nothing, with disk I/O under way", 1 },
	{ "irq", V_U64, "", METRIC_COUNTER, "in interrupts", 1 },
	{ "softirq", V_U64, "", METRIC_COUNTER, "in soft interrupts", 1 },
	{ "steal", V_U64, "", METRIC_COUNTER, "taken by the hypervisor", 1 },
	{ "guest", V_U64, "", METRIC_COUNTER, "in guests (in user, too)", 1 },
	{ "guest_nice", V_U64, "", METRIC_COUNTER, "in guests of lower priority (in nice, too)", 1 },
	/* further lines (`words`); in a set they stand in the order of the file */
	{ "hwintr_count", V_U64, "", METRIC_COUNTER, "interrupts", 1 },
	{ "context_switches", V_U64, "", METRIC_COUNTER, "context switches", 1 },
	{ "processes", V_U64, "", METRIC_COUNTER, "processes ever made", 1 },
	{ "procs_running", V_U64, "", METRIC_GAUGE, "processes that could run now", 1 },
	{ "procs_blocked", V_U64, "", METRIC_GAUGE, "processes that wait for I/O", 1 },
	{ "softirq_count", V_U64, "", METRIC_COUNTER, "soft interrupts", 1 },
	/* an element for each processor; ldmsd has the `d` of softirqd, too */
	{ "per_core_cpu_enabled", V_U64_ARRAY, "", METRIC_GAUGE, "1 when it is online", 0 },
	{ "per_core_user", V_U64_ARRAY, "", METRIC_COUNTER, "as user, of each processor", 0 },
	{ "per_core_nice", V_U64_ARRAY, "", METRIC_COUNTER, "nice", 0 },
	{ "per_core_sys", V_U64_ARRAY, "", METRIC_COUNTER, "sys", 0 },
	{ "per_core_idle", V_U64_ARRAY, "", METRIC_COUNTER, "idle", 0 },
	{ "per_core_iowait", V_U64_ARRAY, "", METRIC_COUNTER, "iowait", 0 },
	{ "per_core_irq", V_U64_ARRAY, "", METRIC_COUNTER, "irq", 0 },
	{ "per_core_softirqd", V_U64_ARRAY, "", METRIC_COUNTER, "softirq", 0 },
	{ "per_core_steal", V_U64_ARRAY, "", METRIC_COUNTER, "steal", 0 },
	{ "per_core_guest", V_U64_ARRAY, "", METRIC_COUNTER, "guest", 0 },
	{ "per_core_guest_nice", V_U64_ARRAY, "", METRIC_COUNTER, "guest_nice", 0 },
	/* when asked for */
	{ "sc_clk_tck", V_U64, "", METRIC_INFO, "jiffies a second", 1 },
	{ NULL, V_NONE, NULL, METRIC_GAUGE, NULL, 0 },
};
static const char *const words[] = { "intr ", "ctxt ", "processes ", "procs_running ", "procs_blocked ", "softirq " };
enum {
	TIMES = 10,
	TOTALS = 2 + TIMES,
	LINES = sizeof(words) / sizeof(*words),
	ARRAYS = 1 + TIMES,
	TICK = TOTALS + LINES + ARRAYS,
};

static const struct samp_attr attrs[] = {
	{ "maxcpu", "as many as there are", "elements of the arrays; processors of higher numbers are left out" },
	{ "sc_clk_tck", "false", "append the metric sc_clk_tck: jiffies a second" },
	{ NULL, NULL, NULL },
};

struct procstat {
	struct proc_file file;
	struct cells cells;
	struct set *set;
	uint64_t *totals;           /* TOTALS of them */
	uint64_t *arrays[ARRAYS];   /* cpus elements each */
	struct scalar lines[LINES]; /* those that there are */
	size_t n_lines;
	uint64_t cpus;
	bool cpus_given; /* maxcpu= */
};

static bool is_cpu(const char *p)
{
	return p[0] == 'c' && p[1] == 'p' && p[2] == 'u';
}

/* The processor that the line is about; *p behind its number. */
static uint64_t cpu_number(const char **p)
{
	*p += strlen("cpu");
	return proc_digits(p);
}

/* One more than the highest number of a processor. */
static uint64_t cpus_count(const char *p)
{
	uint64_t n = 0;

	for (p = proc_next_line(p); is_cpu(p); p = proc_next_line(p)) {
		uint64_t i = cpu_number(&p);

		n = i < n ? n : i + 1;
	}
	return n;
}

static int conf_read(struct samp *sp, struct procstat *ps, bool *ticks, struct err *err)
{
	int rc = attr_range(sp, "maxcpu", 0, 1, CPUS_MAX, &ps->cpus, err);

	ps->cpus_given = ps->cpus;
	return rc ? rc : attr_bool(sp, "sc_clk_tck", false, ticks, err);
}

static int procstat_check(struct samp *sp, struct err *err)
{
	struct procstat ps;
	bool ticks;

	return conf_read(sp, &ps, &ticks, err);
}

/* Metrics for the lines behind the processors; their places are found later. */
static int lines_add(struct procstat *ps, struct schema *s, struct err *err)
{
	int rc = 0;

	for (const char *p = ps->file.buf; *p && rc >= 0; p = proc_next_line(p))
		for (size_t i = 0; i < LINES && rc >= 0; i++) {
			if (strncmp(p, words[i], strlen(words[i])) || schema_find(s, metrics[TOTALS + i].name) >= 0)
				continue;
			scalar_set(&ps->lines[ps->n_lines++], words[i], NULL);
			rc = schema_add_defs(s, &metrics[TOTALS + i], 1, err);
		}
	return rc;
}

static int metrics_add(struct procstat *ps, struct schema *s, bool ticks, struct err *err)
{
	int rc = schema_add_defs(s, metrics, TOTALS, err);

	if (rc >= 0)
		rc = lines_add(ps, s, err);
	for (size_t i = 0; i < ARRAYS && rc >= 0; i++) {
		struct metric_def def = metrics[TOTALS + LINES + i];

		def.count = (uint32_t)ps->cpus;
		rc = schema_add_defs(s, &def, 1, err);
	}
	if (rc >= 0 && ticks)
		rc = schema_add_defs(s, &metrics[TICK], 1, err);
	return rc;
}

static int set_make(struct procstat *ps, struct samp *sp, bool ticks, struct err *err)
{
	struct schema *s = samp_schema_new(sp, "procstat", err);
	int first, rc = s ? 0 : -EINVAL;

	if (!rc) {
		first = (int)schema_card(s);
		rc = metrics_add(ps, s, ticks, err);
	}
	if (rc < 0) {
		schema_free(s);
		return rc;
	}
	ps->set = samp_set_new(sp, s, "", err);
	if (!ps->set)
		return -ENOMEM;
	ps->totals = set_slot(ps->set, first);
	first += TOTALS;
	for (size_t i = 0; i < ps->n_lines; i++)
		ps->lines[i].slot = set_slot(ps->set, first++);
	for (size_t i = 0; i < ARRAYS; i++)
		ps->arrays[i] = set_slot(ps->set, first++);
	if (ticks)
		set_meta_u64(ps->set, first, (uint64_t)sysconf(_SC_CLK_TCK));
	return 0;
}

static int procstat_open(struct samp *sp, struct err *err)
{
	struct procstat *ps = samp_state(sp);
	bool ticks;
	int rc = conf_read(sp, ps, &ticks, err);

	if (!rc)
		rc = proc_open(&ps->file, samp_root(sp), SOURCE, err);
	ps->file.whole = true;
	if (!rc)
		rc = proc_read(&ps->file, err);
	if (!rc && !is_cpu(ps->file.buf))
		rc = err_set(err, -ENODATA, "%s: does not begin with `cpu`; is it the right file?", ps->file.path);
	if (rc)
		return rc;
	if (!ps->cpus)
		ps->cpus = cpus_count(ps->file.buf);
	if (!ps->cpus || ps->cpus > CPUS_MAX)
		return err_set(err, -ENODATA, "%s: tells of %llu processors; is it the right file?", ps->file.path,
			       (unsigned long long)ps->cpus);
	return set_make(ps, sp, ticks, err);
}

/* Processors from..to-1 are offline. */
static void cpus_offline(struct procstat *ps, uint64_t from, uint64_t to)
{
	for (int i = 0; i < ARRAYS && from < to; i++)
		memset(ps->arrays[i] + from, 0, (to - from) * sizeof(uint64_t));
}

/* The numbers that stand in the line behind p; those that are missing are 0. */
static void times_learn(struct procstat *ps, const char *p, uint64_t *const *slots, size_t at)
{
	for (int i = 0; i < TIMES; i++)
		if (!cells_number(&ps->cells, &p, slots[i] + at))
			slots[i][at] = 0;
}

/* The processors' lines, at the front of the file; behind the last of them, or NULL when the arrays are too short. */
static const char *cpus_learn(struct procstat *ps)
{
	const char *p = ps->file.buf;
	uint64_t up = 0, next = 0, *totals[TIMES];

	for (int i = 0; i < TIMES; i++)
		totals[i] = ps->totals + 2 + i;
	cells_line(&ps->cells, p);
	times_learn(ps, p + strlen("cpu"), totals, 0);
	for (p = proc_next_line(p); is_cpu(p); p = proc_next_line(p)) {
		const char *times = p;
		uint64_t cpu = cpu_number(&times);

		cells_line(&ps->cells, p);
		up++;
		if (cpu >= ps->cpus && !ps->cpus_given)
			return NULL;
		if (cpu >= ps->cpus) {
			cells_loose(&ps->cells, times + 1);
			continue;
		}
		cpus_offline(ps, next, cpu);
		ps->arrays[0][cpu] = htole64(1);
		times_learn(ps, times, ps->arrays + 1, cpu);
		next = cpu + 1;
	}
	cpus_offline(ps, next, ps->cpus);
	ps->totals[0] = htole64(up);
	ps->totals[1] = htole64(up > 0);
	return p;
}

/* All of the file; false when the arrays are too short. */
static bool stat_learn(struct procstat *ps)
{
	const char *p;
	size_t line = 0;

	cells_begin(&ps->cells);
	p = cpus_learn(ps);
	if (!p)
		return false;
	for (; *p; p = proc_next_line(p))
		scalars_learn(ps->lines, ps->n_lines, &line, p, &ps->cells);
	cells_end(&ps->cells, &ps->file);
	return true;
}

static int procstat_sample(struct samp *sp, struct err *err)
{
	struct procstat *ps = samp_state(sp);
	int rc = proc_read(&ps->file, err);

	if (rc)
		return rc;
	if (!is_cpu(ps->file.buf))
		return err_set(err, -EPROTO, "%s: does not begin with `cpu`; is it the right file?", ps->file.path);
	samp_begin(sp, ps->set);
	if (!cells_update(&ps->cells, &ps->file) && !stat_learn(ps)) {
		samp_cancel(sp, ps->set);
		return err_set(err, -ESTALE, "%s: has more than the %llu processors that fit", ps->file.path,
			       (unsigned long long)ps->cpus);
	}
	samp_end(sp, ps->set);
	return 0;
}

static void procstat_close(struct samp *sp)
{
	struct procstat *ps = samp_state(sp);

	proc_close(&ps->file);
	cells_fini(&ps->cells);
}

const struct samp_type samp_procstat = {
	.name = "procstat",
	.brief = "times of the processors, as arrays",
	.source = SOURCE,
	.attrs = attrs,
	.metrics = metrics,
	.state_size = sizeof(struct procstat),
	.check = procstat_check,
	.open = procstat_open,
	.sample = procstat_sample,
	.close = procstat_close,
};
