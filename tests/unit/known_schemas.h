/* known_schemas.h - schemas whose digests and sizes are known from ldmsd 4.5.3; for tests. */
#ifndef TESTS_UNIT_KNOWN_SCHEMAS_H
#define TESTS_UNIT_KNOWN_SCHEMAS_H

#include "core/set/schema.h"

/* What every sampler's schema begins with. */
static inline struct schema *known_base(const char *name)
{
	struct schema *s = schema_new(name, NULL);

	schema_add_meta(s, "component_id", V_U64, "", NULL);
	schema_add(s, "job_id", V_U64, "", NULL);
	schema_add(s, "app_id", V_U64, "", NULL);
	return s;
}

static inline struct schema *known_loadavg(void)
{
	static const struct metric_def defs[] = {
		{ "load1min", V_D64, "", METRIC_GAUGE, "", 0 },
		{ "load5min", V_D64, "", METRIC_GAUGE, "", 0 },
		{ "load15min", V_D64, "", METRIC_GAUGE, "", 0 },
		{ "runnable", V_U64, "", METRIC_GAUGE, "", 0 },
		{ "scheduling_entities", V_U64, "", METRIC_GAUGE, "", 0 },
		{ "newest_pid", V_U64, "", METRIC_GAUGE, "", 0 },
	};
	struct schema *s = known_base("loadavg");

	schema_add_defs(s, defs, sizeof(defs) / sizeof(*defs), NULL);
	return s;
}

/* The list is metric 4, of records of metric 3. */
static inline struct schema *known_procstat2(uint32_t cpus)
{
	static const struct metric_def members[] = {
		{ "name", V_CHAR_ARRAY, "", METRIC_GAUGE, "", 8 },
		{ "user", V_U64, "jiffies", METRIC_COUNTER, "", 0 },
		{ "nice", V_U64, "jiffies", METRIC_COUNTER, "", 0 },
		{ "system", V_U64, "jiffies", METRIC_COUNTER, "", 0 },
		{ "idle", V_U64, "jiffies", METRIC_COUNTER, "", 0 },
		{ "iowait", V_U64, "jiffies", METRIC_COUNTER, "", 0 },
		{ "irq", V_U64, "jiffies", METRIC_COUNTER, "", 0 },
		{ "softirq", V_U64, "jiffies", METRIC_COUNTER, "", 0 },
		{ "steal", V_U64, "jiffies", METRIC_COUNTER, "", 0 },
		{ "guest", V_U64, "jiffies", METRIC_COUNTER, "", 0 },
		{ "guest_nice", V_U64, "jiffies", METRIC_COUNTER, "", 0 },
	};
	static const struct metric_def rest[] = {
		{ "ctxt", V_U64, "", METRIC_COUNTER, "", 0 },
		{ "btime", V_U64, "seconds", METRIC_GAUGE, "", 0 },
		{ "processes", V_U64, "", METRIC_COUNTER, "", 0 },
		{ "procs_running", V_U64, "", METRIC_GAUGE, "", 0 },
		{ "procs_blocked", V_U64, "", METRIC_GAUGE, "", 0 },
	};
	struct schema *s = known_base("procstat2");
	int rec = schema_add_record(s, "cpu_rec", members, sizeof(members) / sizeof(*members), NULL);

	schema_add_list(s, "cpu_list", "", (uint32_t)schema_record_heap(s, rec, cpus), NULL);
	schema_add_defs(s, rest, sizeof(rest) / sizeof(*rest), NULL);
	return s;
}

static inline struct schema *known_procnetdev2(uint32_t devices)
{
	static const struct metric_def members[] = {
		{ "name", V_CHAR_ARRAY, "", METRIC_GAUGE, "", 16 },
		{ "rx_bytes", V_U64, "bytes", METRIC_COUNTER, "", 0 },
		{ "rx_packets", V_U64, "packets", METRIC_COUNTER, "", 0 },
		{ "rx_errs", V_U64, "packets", METRIC_COUNTER, "", 0 },
		{ "rx_drop", V_U64, "packets", METRIC_COUNTER, "", 0 },
		{ "rx_fifo", V_U64, "events", METRIC_COUNTER, "", 0 },
		{ "rx_frame", V_U64, "events", METRIC_COUNTER, "", 0 },
		{ "rx_compressed", V_U64, "packets", METRIC_COUNTER, "", 0 },
		{ "rx_multicast", V_U64, "packets", METRIC_COUNTER, "", 0 },
		{ "tx_bytes", V_U64, "bytes", METRIC_COUNTER, "", 0 },
		{ "tx_packets", V_U64, "packets", METRIC_COUNTER, "", 0 },
		{ "tx_errs", V_U64, "packets", METRIC_COUNTER, "", 0 },
		{ "tx_drop", V_U64, "packets", METRIC_COUNTER, "", 0 },
		{ "tx_fifo", V_U64, "events", METRIC_COUNTER, "", 0 },
		{ "tx_colls", V_U64, "events", METRIC_COUNTER, "", 0 },
		{ "tx_carrier", V_U64, "events", METRIC_COUNTER, "", 0 },
		{ "tx_compressed", V_U64, "packets", METRIC_COUNTER, "", 0 },
	};
	struct schema *s = known_base("procnetdev2");
	int rec = schema_add_record(s, "netdev", members, sizeof(members) / sizeof(*members), NULL);

	schema_add_list(s, "netdev_list", NULL, (uint32_t)schema_record_heap(s, rec, devices), NULL);
	return s;
}

#endif
