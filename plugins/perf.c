/* perf.c - performance counters of the processors and the kernel, by perf_event_open(2): of the whole machine, or of each
 * processor
 *
 * Counters of one kind are opened in groups on each processor, and a group is one read().  When there are more groups
 * than the hardware counts at once the kernel takes turns; time_enabled and time_running tell how long a counter was
 * wanted and how long it counted, and its value is what it would have been at all times.
 */
#include <errno.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "core/base/xalloc.h"
#include "plugins/attr.h"
#include "plugins/namelist.h"
#include "plugins/perf_event.h"
#include "plugins/proc.h"
#include "plugins/samp.h"

#define SOURCE     "/proc/sys/kernel/perf_event_paranoid"
#define ONLINE     "/sys/devices/system/cpu/online"
#define EVENTS_MAX 64
#define GROUP_MAX  4 /* hardware counters that processors have at least */
#define CPU_MAX    65536

#define DFLT_EVENTS "cycles,instructions,cache-references,cache-misses,page-faults,context-switches,cpu-migrations"

static const struct metric_def metrics[] = {
	{ "EVENT", V_U64, "", METRIC_COUNTER, "a metric for each event: cache_misses, context_switches, ...", 1 },
	{ "time_enabled", V_U64, "ns", METRIC_COUNTER, "time that the counters were wanted", 1 },
	{ "time_running", V_U64, "ns", METRIC_COUNTER, "time that they counted, the least of all", 1 },
	{ NULL, V_NONE, NULL, METRIC_GAUGE, NULL, 0 },
};

static const struct samp_attr attrs[] = {
	{ "events", "those of " DFLT_EVENTS " that there are",
	  "events to count, separated by commas: names as perf(1) has them, or rHEX for the processor's own" },
	{ "per_cpu", "false", "a record for each processor, in place of the sum of all" },
	{ NULL, NULL, NULL },
};

/* An event that is counted. */
struct counted {
	struct perf_counter counter;
	uint32_t group;    /* that it is in */
	uint32_t in_group; /* the how manyth of it */
};

struct group { /* of events of one kind */
	bool hardware;
	uint32_t n;
};

struct perf {
	struct proc_file online; /* processors */
	char *was_online;
	uint32_t *cpus, n_cpus;
	struct counted events[EVENTS_MAX];
	struct group groups[EVENTS_MAX];
	uint32_t n_events, n_groups;
	int *fds; /* n_groups leaders for each processor */
	int *all; /* every descriptor, to be closed */
	size_t n_all;
	bool per_cpu;
	struct set *set;
	uint64_t *slots; /* the sums, without per_cpu: events, enabled, running */
	int list;
};

/* -- what to count ------------------------------------------------------------------------------------------------- */

static int events_parse(const char *list, struct perf *pf, struct err *err)
{
	const char *name;
	size_t n;

	while ((n = namelist_next(&list, &name))) {
		struct counted *c = &pf->events[pf->n_events];

		if (pf->n_events == EVENTS_MAX)
			return err_set(err, -EINVAL, "events=: more than %d", EVENTS_MAX);
		c->counter.event = perf_event_find(name, n);
		if (!c->counter.event && !perf_event_raw(name, n, &c->counter.raw))
			return err_set(err, -EINVAL,
				       "events=: no event %.*s; use names as `perf list` has them (instructions, "
				       "cache-misses, context-switches, ...) or rHEX",
				       (int)n, name);
		if (namelist_has(list, name, n))
			return err_set(err, -EINVAL, "events=: %.*s is there twice", (int)n, name);
		snprintf(c->counter.name, sizeof(c->counter.name), "%.*s", (int)n, name);
		pf->n_events++;
	}
	return pf->n_events ? 0 : err_set(err, -EINVAL, "events=: has no event");
}

static int conf_read(struct samp *sp, struct perf *pf, struct err *err)
{
	const char *list = samp_attr(sp, "events");
	int rc = attr_bool(sp, "per_cpu", false, &pf->per_cpu, err);

	return rc ? rc : events_parse(list ? list : DFLT_EVENTS, pf, err);
}

static int perf_probe(const char *root, struct err *err)
{
	const struct perf_counter c = { .event = perf_event_find("page-faults", 11), .name = "page-faults" };
	char *online = xasprintf("%s%s", root, ONLINE);
	int rc = access(online, R_OK) ? err_set(err, -ENOENT, "%s is not there", online) : 0;
	int fd = -1;

	if (!rc && (fd = perf_counter_open(&c, 0, -1)) < 0)
		rc = perf_counter_failed(fd, &c, err);
	if (fd >= 0)
		close(fd);
	free(online);
	return rc;
}

static int perf_check(struct samp *sp, struct err *err)
{
	struct perf *pf = xcalloc(1, sizeof(*pf));
	int rc = conf_read(sp, pf, err);

	free(pf);
	return rc;
}

/* -- counters ------------------------------------------------------------------------------------------------------ */

/* Of the default events, those that the machine does not count are left out. */
static int events_filter(struct perf *pf, struct err *err)
{
	uint32_t n = 0;
	int rc = 0;

	for (uint32_t i = 0; i < pf->n_events; i++) {
		int fd = perf_counter_open(&pf->events[i].counter, pf->cpus[0], -1);

		if (fd >= 0) {
			close(fd);
			pf->events[n++] = pf->events[i];
		} else if (!rc) {
			rc = fd;
			perf_counter_failed(rc, &pf->events[i].counter, err);
		}
	}
	pf->n_events = n;
	return n ? 0 : rc;
}

static void groups_make(struct perf *pf)
{
	for (uint32_t i = 0; i < pf->n_events; i++) {
		struct counted *c = &pf->events[i];
		bool hardware = !c->counter.event || c->counter.event->type == PERF_TYPE_HARDWARE;
		uint32_t k;

		for (k = 0; k < pf->n_groups; k++)
			if (pf->groups[k].hardware == hardware && (!hardware || pf->groups[k].n < GROUP_MAX))
				break;
		if (k == pf->n_groups)
			pf->groups[pf->n_groups++] = (struct group){ .hardware = hardware };
		c->group = k;
		c->in_group = pf->groups[k].n++;
	}
}

/* All counters of a processor; -ENODEV when it has just gone. */
static int cpu_open(struct perf *pf, uint32_t cpu, int *leaders, struct err *err)
{
	for (uint32_t k = 0; k < pf->n_groups; k++)
		leaders[k] = -1;
	for (uint32_t i = 0; i < pf->n_events; i++) {
		int *leader = &leaders[pf->events[i].group],
		    fd = perf_counter_open(&pf->events[i].counter, cpu, *leader);

		if (fd < 0)
			return perf_counter_failed(fd, &pf->events[i].counter, err);
		if (*leader < 0)
			*leader = fd;
		pf->all[pf->n_all++] = fd;
	}
	for (uint32_t k = 0; k < pf->n_groups; k++)
		if (ioctl(leaders[k], PERF_EVENT_IOC_ENABLE, PERF_IOC_FLAG_GROUP))
			return err_set(err, -errno, "a group of counters cannot be started: %s", err_name(errno));
	return 0;
}

/* The list "0-3,5" of the kernel. */
static int cpus_parse(struct perf *pf, struct err *err)
{
	const char *p = pf->online.buf;
	uint64_t from, to;

	while (proc_number(&p, &from)) {
		to = from;
		if (*p == '-' && (p++, !proc_number(&p, &to)))
			break;
		if (to < from || to >= CPU_MAX)
			break;
		pf->cpus = xrealloc(pf->cpus, (pf->n_cpus + to - from + 1) * sizeof(*pf->cpus));
		for (; from <= to; from++)
			pf->cpus[pf->n_cpus++] = (uint32_t)from;
		p += *p == ',';
	}
	if (!pf->n_cpus || *p != '\n')
		return err_set(err, -EPROTO, "%s: is no list of processors like 0-3,5: %.*s", pf->online.path,
			       (int)proc_word(pf->online.buf, 0), pf->online.buf);
	pf->was_online = xstrdup(pf->online.buf);
	return 0;
}

/* -- the set ------------------------------------------------------------------------------------------------------- */

/* The metrics of the events, and the two times; into a table for a schema or a record. */
static struct metric_def *defs_make(const struct perf *pf)
{
	struct metric_def *defs = xcalloc(pf->n_events + 3, sizeof(*defs));

	defs[0] = (struct metric_def){ "cpu", V_U64, "", METRIC_GAUGE, "number of the processor", 1 };
	for (uint32_t i = 0; i < pf->n_events; i++) {
		const struct perf_event *e = pf->events[i].counter.event;

		defs[1 + i] = metrics[0];
		defs[1 + i].name = e ? e->metric : pf->events[i].counter.name;
		defs[1 + i].unit = e ? e->unit : "";
		defs[1 + i].help = e ? e->help : "an event of the processor's own";
	}
	memcpy(&defs[1 + pf->n_events], &metrics[1], 2 * sizeof(*defs));
	return defs;
}

static int set_make(struct perf *pf, struct samp *sp, struct err *err)
{
	struct schema *s = samp_schema_new(sp, pf->per_cpu ? "perf_cpu" : "perf", err);
	struct metric_def *defs = defs_make(pf);
	int rc = s ? 0 : -EINVAL, record;

	if (!rc && !pf->per_cpu) {
		rc = schema_add_defs(s, defs + 1, pf->n_events + 2, err);
	} else if (!rc) {
		rc = record = schema_add_record(s, "perf_rec", defs, pf->n_events + 3, err);
		if (rc >= 0)
			rc = schema_add_record_array(s, "perf_list", record, pf->n_cpus, "", err);
	}
	free(defs);
	if (rc < 0) {
		schema_free(s);
		return rc;
	}
	pf->set = samp_set_new(sp, s, "", err);
	if (!pf->set)
		return -ENOMEM;
	pf->list = rc;
	pf->slots = pf->per_cpu ? NULL : set_slot(pf->set, rc);
	return 0;
}

static int perf_open(struct samp *sp, struct err *err)
{
	struct perf *pf = samp_state(sp);
	int rc = conf_read(sp, pf, err);

	if (!rc)
		rc = proc_open(&pf->online, samp_root(sp), ONLINE, err);
	if (!rc)
		rc = proc_read(&pf->online, err);
	if (!rc)
		rc = cpus_parse(pf, err);
	if (!rc && !samp_attr(sp, "events"))
		rc = events_filter(pf, err);
	if (rc)
		return rc;
	groups_make(pf);
	pf->fds = xcalloc((size_t)pf->n_cpus * pf->n_groups, sizeof(*pf->fds));
	pf->all = xcalloc((size_t)pf->n_cpus * pf->n_events, sizeof(*pf->all));
	for (uint32_t i = 0; i < pf->n_cpus && !rc; i++)
		rc = cpu_open(pf, pf->cpus[i], pf->fds + (size_t)i * pf->n_groups, err);
	return rc ? rc : set_make(pf, sp, err);
}

/* -- samples ------------------------------------------------------------------------------------------------------- */

/* Add what the counters of a processor say to `sums`: the events, time_enabled, time_running. */
static int cpu_read(const struct perf *pf, const int *leaders, uint64_t *sums, struct err *err)
{
	uint64_t got[EVENTS_MAX][3 + EVENTS_MAX]; /* of each group: n, enabled, running, values */
	uint64_t enabled = 0, running = UINT64_MAX;

	for (uint32_t k = 0; k < pf->n_groups; k++) {
		ssize_t want = (ssize_t)((3 + pf->groups[k].n) * sizeof(uint64_t));

		if (read(leaders[k], got[k], sizeof(got[k])) < want)
			return err_set(err, -ESTALE, "the counters of a processor cannot be read any more");
		enabled = got[k][1] > enabled ? got[k][1] : enabled;
		running = got[k][2] < running ? got[k][2] : running;
	}
	for (uint32_t i = 0; i < pf->n_events; i++) {
		const struct counted *c = &pf->events[i];
		const uint64_t *g = got[c->group];
		uint64_t v = g[3 + c->in_group];

		if (g[2] && g[2] < g[1])
			v = (uint64_t)((double)v * (double)g[1] / (double)g[2]);
		sums[i] += v;
	}
	sums[pf->n_events] += enabled;
	sums[pf->n_events + 1] += running;
	return 0;
}

static void values_put(uint64_t *to, const uint64_t *from, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		to[i] = htole64(from[i]);
}

static int counters_sample(struct perf *pf, struct err *err)
{
	uint64_t values[EVENTS_MAX + 2] = { 0 };
	uint32_t n = pf->n_events + 2;
	int rc = 0;

	for (uint32_t i = 0; i < pf->n_cpus && !rc; i++) {
		rc = cpu_read(pf, pf->fds + (size_t)i * pf->n_groups, values, err);
		if (!rc && pf->per_cpu) {
			struct record *r = record_array_slot(pf->set, pf->list, i);

			record_u64(pf->set, r, 0, pf->cpus[i]);
			for (uint32_t k = 0; k < n; k++)
				record_u64(pf->set, r, (int)(1 + k), values[k]);
			memset(values, 0, sizeof(values));
		}
	}
	if (!rc && !pf->per_cpu)
		values_put(pf->slots, values, n);
	return rc;
}

static int perf_sample(struct samp *sp, struct err *err)
{
	struct perf *pf = samp_state(sp);
	int rc = proc_read(&pf->online, err);

	if (!rc && strcmp(pf->online.buf, pf->was_online))
		rc = err_set(err, -ESTALE, "%s: processors have come or gone", pf->online.path);
	if (rc)
		return rc;
	samp_begin(sp, pf->set);
	rc = counters_sample(pf, err);
	if (rc)
		samp_cancel(sp, pf->set);
	else
		samp_end(sp, pf->set);
	return rc;
}

static void perf_close(struct samp *sp)
{
	struct perf *pf = samp_state(sp);

	for (size_t i = 0; i < pf->n_all; i++)
		close(pf->all[i]);
	proc_close(&pf->online);
	free(pf->all);
	free(pf->fds);
	free(pf->cpus);
	free(pf->was_online);
}

const struct samp_type samp_perf = {
	.name = "perf",
	.brief = "performance counters of the processors",
	.source = SOURCE,
	.attrs = attrs,
	.metrics = metrics,
	.state_size = sizeof(struct perf),
	.caps = "perfmon",
	.probe = perf_probe,
	.check = perf_check,
	.open = perf_open,
	.sample = perf_sample,
	.close = perf_close,
};
