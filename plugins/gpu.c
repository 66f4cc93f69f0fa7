/* gpu.c - the daemon's side of gpu.h: a list of records */
#include "plugins/gpu.h"

#include <errno.h>

#include "core/base/unit.h"
#include "plugins/attr.h"

#define DEADLINE_DFLT (10 * SEC_US) /* a driver that was idle takes seconds to wake up */
#define ROOM_MIN      16

/* clang-format off */
const struct metric_def gpu_members[] = {
	{ "index", V_S64, "", METRIC_INFO, "number of the processor, as the library counts them", 1 },
	{ "uuid", V_CHAR_ARRAY, "", METRIC_INFO, "its identity, also after it was moved", GPU_TEXT },
	{ "name", V_CHAR_ARRAY, "", METRIC_INFO, "of the product", GPU_TEXT },
	[3 + GPU_UTIL] = { "gpu_utilization", V_S64, "%", METRIC_GAUGE, "of the time it was computing; -1, here and below: it does not tell", 1 },
	[3 + GPU_MEMORY_UTIL] = { "memory_utilization", V_S64, "%", METRIC_GAUGE, "of the time its memory was read or written", 1 },
	[3 + GPU_MEMORY_USED] = { "memory_used", V_S64, "bytes", METRIC_GAUGE, "its memory in use", 1 },
	[3 + GPU_MEMORY_TOTAL] = { "memory_total", V_S64, "bytes", METRIC_INFO, "its memory", 1 },
	[3 + GPU_TEMPERATURE] = { "temperature", V_S64, "C", METRIC_GAUGE, "degrees Celsius", 1 },
	[3 + GPU_POWER] = { "power", V_S64, "mW", METRIC_GAUGE, "what it draws", 1 },
	[3 + GPU_CLOCK] = { "clock", V_S64, "MHz", METRIC_GAUGE, "of the processor", 1 },
	[3 + GPU_CLOCK_COMPUTE] = { "clock_compute", V_S64, "MHz", METRIC_GAUGE, "of the units that compute (NVIDIA: SM)", 1 },
	[3 + GPU_CLOCK_MEMORY] = { "clock_memory", V_S64, "MHz", METRIC_GAUGE, "of its memory", 1 },
	[3 + GPU_ECC_CORRECTED] = { "ecc_corrected", V_S64, "", METRIC_COUNTER, "errors of memory that were corrected, since the driver was loaded", 1 },
	[3 + GPU_ECC_UNCORRECTED] = { "ecc_uncorrected", V_S64, "", METRIC_COUNTER, "and those that could not be", 1 },
	[3 + GPU_PCIE_SENT] = { "pcie_sent", V_S64, "kB/s", METRIC_GAUGE, "over PCIe, in a short moment before", 1 },
	[3 + GPU_PCIE_RECEIVED] = { "pcie_received", V_S64, "kB/s", METRIC_GAUGE, "likewise", 1 },
	[3 + GPU_PERFORMANCE] = { "performance_state", V_S64, "", METRIC_GAUGE, "NVIDIA: 0 (fastest) to 15; AMD: the number of its performance level", 1 },
	{ NULL, V_NONE, NULL, METRIC_GAUGE, NULL, 0 },
};
/* clang-format on */

const struct samp_attr gpu_attrs[] = {
	{ "library", "the maker's", "the library, a name or a path, that tells of the processors" },
	{ "deadline", "10s", "a library that has not answered by then hangs: its process is killed" },
	{ NULL, NULL, NULL },
};

int gpus_check(const void *answer, size_t len, struct err *err)
{
	const struct gpu *g = answer;
	size_t n = len / sizeof(*g);

	if (len % sizeof(*g) || n > GPU_MAX)
		return err_set(err, -EPROTO, "its process answered with %zu bytes, which are no list of processors",
			       len);
	for (size_t i = 0; i < n; i++)
		if (!memchr(g[i].uuid, 0, GPU_TEXT) || !memchr(g[i].name, 0, GPU_TEXT))
			return err_set(err, -EPROTO, "its process answered with names that have no end");
	return 0;
}

/* What the library says now: *n processors in gs->answer. */
static int ask(struct gpus *gs, size_t *n, struct err *err)
{
	int rc = child_ask(&gs->child, gs->library, gs->deadline_us, &gs->answer, err);

	if (!rc)
		rc = gpus_check(gs->answer.p, gs->answer.len, err);
	*n = gs->answer.len / sizeof(struct gpu);
	return rc;
}

int gpu_check(struct samp *sp, struct err *err)
{
	const char *library = samp_attr(sp, "library");
	int64_t us;

	if (library && strlen(library) > CHILD_QUESTION_MAX)
		return err_set(err, -EINVAL, "library=: longer than %d bytes", CHILD_QUESTION_MAX);
	return attr_time(sp, "deadline", DEADLINE_DFLT, &us, err);
}

static const struct rows_type list = { "gpu", "gpu_list", NULL, gpu_members, 3 + GPU_VALUES };

int gpu_open(struct samp *sp, const struct gpu_conf *conf, struct err *err)
{
	struct gpus *gs = samp_state(sp);
	int rc = attr_time(sp, "deadline", DEADLINE_DFLT, &gs->deadline_us, err);
	size_t n;

	gs->child.type = conf->child;
	gs->library = samp_attr(sp, "library") ? samp_attr(sp, "library") : conf->library;
	if (!rc)
		rc = ask(gs, &n, err);
	return rc ? rc : rows_set_new(&gs->rows, sp, conf->child, "", &list, n, ROOM_MIN, err);
}

/* A processor that is gone has no record; nothing is changed when they do not fit. */
static int gpus_put(struct gpus *gs, const struct gpu *gpus, size_t n, struct err *err)
{
	do
		for (size_t i = 0; i < n; i++) {
			struct gpu *row = rows_at(&gs->rows, i);

			if (!row)
				return err_set(err, -ESTALE, "there are more than the %zu processors that fit", i);
			*row = gpus[i];
			row->index = (int64_t)htole64((uint64_t)row->index);
			for (int v = 0; v < GPU_VALUES; v++)
				row->values[v] = (int64_t)htole64((uint64_t)row->values[v]);
		}
	while (rows_cut(&gs->rows, n));
	return 0;
}

int gpu_sample(struct samp *sp, struct err *err)
{
	struct gpus *gs = samp_state(sp);
	size_t n;
	int rc = ask(gs, &n, err);

	if (rc)
		return rc;
	samp_begin(sp, gs->rows.set);
	rc = gpus_put(gs, (const struct gpu *)gs->answer.p, n, err);
	if (rc)
		samp_cancel(sp, gs->rows.set);
	else
		samp_end(sp, gs->rows.set);
	return rc;
}

void gpu_close(struct samp *sp)
{
	struct gpus *gs = samp_state(sp);

	child_close(&gs->child);
	buf_fini(&gs->answer);
	rows_fini(&gs->rows);
}
