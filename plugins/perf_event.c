/* perf_event.c - see perf_event.h */
#include "plugins/perf_event.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* clang-format off */
static const struct perf_event events[] = {
#define HW(n, m, c, h)    { n, m, "", h, PERF_TYPE_HARDWARE, PERF_COUNT_HW_##c }
#define SW(n, m, u, c, h) { n, m, u, h, PERF_TYPE_SOFTWARE, PERF_COUNT_SW_##c }
	HW("cycles",                  "cycles",                  CPU_CYCLES,              "cycles of the clock while not idle"),
	HW("instructions",            "instructions",            INSTRUCTIONS,            "instructions"),
	HW("cache-references",        "cache_references",        CACHE_REFERENCES,        "looks into the last cache"),
	HW("cache-misses",            "cache_misses",            CACHE_MISSES,            "those in vain"),
	HW("branches",                "branches",                BRANCH_INSTRUCTIONS,     "branches"),
	HW("branch-misses",           "branch_misses",           BRANCH_MISSES,           "those guessed wrongly"),
	HW("bus-cycles",              "bus_cycles",              BUS_CYCLES,              "cycles of the bus"),
	HW("ref-cycles",              "ref_cycles",              REF_CPU_CYCLES,          "cycles of a steady clock"),
	HW("stalled-cycles-frontend", "stalled_cycles_frontend", STALLED_CYCLES_FRONTEND, "cycles without instructions to begin"),
	HW("stalled-cycles-backend",  "stalled_cycles_backend",  STALLED_CYCLES_BACKEND,  "cycles without instructions that end"),
	SW("cpu-clock",               "cpu_clock",        "ns",  CPU_CLOCK,               "time"),
	SW("task-clock",              "task_clock",       "ns",  TASK_CLOCK,              "time in tasks"),
	SW("page-faults",             "page_faults",      "",    PAGE_FAULTS,             "page faults"),
	SW("minor-faults",            "minor_faults",     "",    PAGE_FAULTS_MIN,         "those without I/O"),
	SW("major-faults",            "major_faults",     "",    PAGE_FAULTS_MAJ,         "those with I/O"),
	SW("context-switches",        "context_switches", "",    CONTEXT_SWITCHES,        "context switches"),
	SW("cpu-migrations",          "cpu_migrations",   "",    CPU_MIGRATIONS,          "tasks moved to another processor"),
	SW("alignment-faults",        "alignment_faults", "",    ALIGNMENT_FAULTS,        "misaligned accesses that the kernel mended"),
	SW("emulation-faults",        "emulation_faults", "",    EMULATION_FAULTS,        "instructions that the kernel emulated"),
#undef HW
#undef SW
};
/* clang-format on */
enum { EVENTS = sizeof(events) / sizeof(*events) };

const struct perf_event *perf_event_find(const char *name, size_t len)
{
	for (int i = 0; i < EVENTS; i++)
		if (strlen(events[i].name) == len && !memcmp(events[i].name, name, len))
			return &events[i];
	return NULL;
}

bool perf_event_raw(const char *name, size_t len, uint64_t *ret)
{
	char digits[20], *end;

	if (len < 2 || len > 17 || *name != 'r')
		return false;
	memcpy(digits, name + 1, len - 1);
	digits[len - 1] = 0;
	*ret = strtoull(digits, &end, 16);
	return !*end && digits[0] != '-' && digits[0] != '+';
}

int perf_counter_open(const struct perf_counter *c, uint32_t cpu, int leader)
{
	struct perf_event_attr attr = {
		.size = sizeof(attr),
		.type = c->event ? c->event->type : PERF_TYPE_RAW,
		.config = c->event ? c->event->config : c->raw,
		.read_format = PERF_FORMAT_GROUP | PERF_FORMAT_TOTAL_TIME_ENABLED | PERF_FORMAT_TOTAL_TIME_RUNNING,
		.disabled = leader < 0,
	};
	long fd = syscall(SYS_perf_event_open, &attr, -1, (int)cpu, leader, PERF_FLAG_FD_CLOEXEC);

	return fd < 0 ? -errno : (int)fd;
}

/* Why a counter cannot be had, and what to do. */
int perf_counter_failed(int rc, const struct perf_counter *c, struct err *err)
{
	if (rc == -EACCES || rc == -EPERM)
		return err_set(
			err, rc,
			"event %s: the kernel forbids to count on processors; set kernel.perf_event_paranoid to 0 "
			"or less, or give the daemon the capability CAP_PERFMON",
			c->name);
	if (rc == -ENOENT || rc == -EOPNOTSUPP || rc == -EINVAL || rc == -ENODEV)
		return err_set(err, -ENOENT,
			       "event %s: this machine does not count it (virtual machines often have no hardware "
			       "counters); leave it out of events=",
			       c->name);
	if (rc == -EMFILE)
		return err_set(err, rc,
			       "event %s: too many open files: every event takes one on each processor; raise the "
			       "limit (LimitNOFILE=, ulimit -n)",
			       c->name);
	if (rc == -ENOSYS)
		return err_set(err, rc, "this kernel has no performance events (CONFIG_PERF_EVENTS)");
	return err_set(err, rc, "event %s: cannot be counted: %s", c->name, err_name(rc));
}
