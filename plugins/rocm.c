/* rocm.c - AMD's graphics processors, by librocm_smi64.so (ROCm SMI), which is opened in a process of its own
 *
 * The few functions used are declared here as AMD's public reference of ROCm SMI has them.  PCIe is not asked for: its
 * function counts for a whole second before it answers.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "plugins/gpu.h"

#define LIBRARY "librocm_smi64.so"
#define DRIVER  "/dev/kfd"

/* -- as documented -------------------------------------------------------------------------------------------------- */

enum { SUCCESS = 0, INVALID_ARGS = 1, NOT_FOUND = 10 };
enum { MEMORY_VRAM = 0 };
enum { SENSOR_EDGE = 0, TEMPERATURE_CURRENT = 0 };
enum { CLOCK_SYSTEM = 0, CLOCK_MEMORY = 4 };
enum { BLOCK_FIRST = 0x1, BLOCK_LAST = 0x2000 }; /* bits of the units that count errors */

struct errors {
	uint64_t corrected, uncorrected;
	uint64_t deferred[7]; /* newer libraries write more */
};
union frequencies {
	struct { /* before ROCm 6 */
		uint32_t n, current;
		uint64_t hz[];
	} old;
	struct {
		bool deep_sleep;
		uint32_t n, current;
		uint64_t hz[];
	} now;
	uint64_t words[64];
};
#define FREQUENCIES_MAX 33

static struct {
	int (*init)(uint64_t);
	int (*end)(void);
	int (*error)(int, const char **);
	int (*count)(uint32_t *);
	int (*id)(uint32_t, uint64_t *);
	int (*name)(uint32_t, char *, size_t);
	int (*busy)(uint32_t, uint32_t *);
	int (*memory_busy)(uint32_t, uint32_t *);
	int (*memory_used)(uint32_t, int, uint64_t *);
	int (*memory_total)(uint32_t, int, uint64_t *);
	int (*temperature)(uint32_t, uint32_t, int, int64_t *);
	int (*power)(uint32_t, uint32_t, uint64_t *);
	int (*socket_power)(uint32_t, uint64_t *); /* what newer processors have in its place */
	int (*frequencies)(uint32_t, int, union frequencies *);
	int (*errors)(uint32_t, int, struct errors *);
	int (*level)(uint32_t, int *);
} smi;

/* clang-format off */
static const struct gpu_function functions[] = {
	{ "rsmi_init", &smi.init, false },
	{ "rsmi_shut_down", &smi.end, true },
	{ "rsmi_status_string", &smi.error, false },
	{ "rsmi_num_monitor_devices", &smi.count, false },
	{ "rsmi_dev_name_get", &smi.name, false },
	{ "rsmi_dev_unique_id_get", &smi.id, true },
	{ "rsmi_dev_busy_percent_get", &smi.busy, true },
	{ "rsmi_dev_memory_busy_percent_get", &smi.memory_busy, true },
	{ "rsmi_dev_memory_usage_get", &smi.memory_used, true },
	{ "rsmi_dev_memory_total_get", &smi.memory_total, true },
	{ "rsmi_dev_temp_metric_get", &smi.temperature, true },
	{ "rsmi_dev_power_ave_get", &smi.power, true },
	{ "rsmi_dev_current_socket_power_get", &smi.socket_power, true },
	{ "rsmi_dev_gpu_clk_freq_get", &smi.frequencies, true },
	{ "rsmi_dev_ecc_count_get", &smi.errors, true },
	{ "rsmi_dev_perf_level_get", &smi.level, true },
	{ NULL, NULL, false },
};
/* clang-format on */

/* -- in the child process ------------------------------------------------------------------------------------------- */

static int failed(const char *what, int rc, struct err *err)
{
	const char *text = NULL;

	if (smi.error(rc, &text) != SUCCESS || !text)
		return err_set(err, -EIO, "%s: %s: status %d", LIBRARY, what, rc);
	return err_set(err, -EIO, "%s: %s: %s", LIBRARY, what, text);
}

/* The name without a number comes with the packages for development; the others have the version's. */
static int library_find(const char *library, struct err *err)
{
	static const char *const names[] = { LIBRARY, LIBRARY ".7", LIBRARY ".6", LIBRARY ".5", LIBRARY ".1" };
	int rc = gpu_library_open(library, functions, err);

	for (size_t i = 1; rc == -ENOENT && !strcmp(library, LIBRARY) && i < sizeof(names) / sizeof(*names); i++)
		rc = gpu_library_open(names[i], functions, NULL);
	return rc;
}

static bool begun;

static int library_begin(const char *library, struct err *err)
{
	static bool open;
	int rc = open ? 0 : library_find(library, err);

	if (rc)
		return rc;
	open = true;
	rc = begun ? SUCCESS : smi.init(0);
	if (rc != SUCCESS)
		return failed("rsmi_init()", rc, err);
	begun = true;
	return 0;
}

/* Which of the two layouts it is, the numbers tell: where the older one has a frequency in Hz, the newer one has an index
 * below 33 and four bytes that nobody writes. */
static int64_t frequency_mhz(const union frequencies *f)
{
	bool old = f->words[1] >= 1000 && f->words[1] >> 48 == 0;
	uint32_t n = old ? f->old.n : f->now.n, current = old ? f->old.current : f->now.current;

	if (n > FREQUENCIES_MAX || current >= n)
		return GPU_UNKNOWN;
	return (int64_t)((old ? f->old.hz : f->now.hz)[current] / 1000000);
}

static void clock_get(uint32_t d, int which, int64_t *to)
{
	union frequencies f;

	memset(&f, 0xff, sizeof(f));
	if (smi.frequencies && smi.frequencies(d, which, &f) == SUCCESS)
		*to = frequency_mhz(&f);
}

/* The sum of all blocks that count. */
static void errors_get(uint32_t d, int64_t *v)
{
	struct errors e;

	for (int block = BLOCK_FIRST; smi.errors && block <= BLOCK_LAST; block <<= 1) {
		if (smi.errors(d, block, &e) != SUCCESS)
			continue;
		for (int i = GPU_ECC_CORRECTED; i <= GPU_ECC_UNCORRECTED; i++)
			if (v[i] == GPU_UNKNOWN)
				v[i] = 0;
		v[GPU_ECC_CORRECTED] += (int64_t)e.corrected;
		v[GPU_ECC_UNCORRECTED] += (int64_t)e.uncorrected;
	}
}

static void memory_get(int (*get)(uint32_t, int, uint64_t *), uint32_t d, int64_t *to)
{
	uint64_t v;

	if (get && get(d, MEMORY_VRAM, &v) == SUCCESS)
		*to = (int64_t)v;
}

static void values_get(uint32_t d, int64_t *v)
{
	uint32_t n;
	uint64_t w;
	int64_t t;
	int level;

	if (smi.busy && smi.busy(d, &n) == SUCCESS)
		v[GPU_UTIL] = n;
	if (smi.memory_busy && smi.memory_busy(d, &n) == SUCCESS)
		v[GPU_MEMORY_UTIL] = n;
	memory_get(smi.memory_used, d, &v[GPU_MEMORY_USED]);
	memory_get(smi.memory_total, d, &v[GPU_MEMORY_TOTAL]);
	if (smi.temperature && smi.temperature(d, SENSOR_EDGE, TEMPERATURE_CURRENT, &t) == SUCCESS)
		v[GPU_TEMPERATURE] = t / 1000; /* of thousandths */
	if ((smi.power && smi.power(d, 0, &w) == SUCCESS) || (smi.socket_power && smi.socket_power(d, &w) == SUCCESS))
		v[GPU_POWER] = (int64_t)(w / 1000); /* of microwatts */
	clock_get(d, CLOCK_SYSTEM, &v[GPU_CLOCK]);
	clock_get(d, CLOCK_MEMORY, &v[GPU_CLOCK_MEMORY]);
	errors_get(d, v);
	if (smi.level && smi.level(d, &level) == SUCCESS)
		v[GPU_PERFORMANCE] = level;
}

/* False: it has gone. */
static bool gpu_get(uint32_t d, struct gpu *g)
{
	uint64_t id;
	int rc;

	gpu_init(g, d);
	rc = smi.name(d, g->name, GPU_TEXT);
	if (rc == NOT_FOUND || rc == INVALID_ARGS)
		return false;
	g->name[GPU_TEXT - 1] = 0;
	if (smi.id && smi.id(d, &id) == SUCCESS)
		snprintf(g->uuid, GPU_TEXT, "0x%016" PRIx64, id);
	values_get(d, g->values);
	return true;
}

static int answer(const char *library, struct buf *to, struct err *err)
{
	uint32_t n;
	int rc = library_begin(library, err);
	struct gpu g;

	if (rc)
		return rc;
	rc = smi.count(&n);
	if (rc != SUCCESS)
		return failed("rsmi_num_monitor_devices()", rc, err);
	for (uint32_t d = 0; d < n && d < GPU_MAX; d++)
		if (gpu_get(d, &g))
			buf_add(to, &g, sizeof(g));
	if (gpu_again(to->len / sizeof(g)) && smi.end && smi.end() == SUCCESS)
		begun = false;
	return 0;
}

const struct child_type child_rocm = { .name = "rocm", .answer = answer };

/* -- in the daemon -------------------------------------------------------------------------------------------------- */

static int rocm_probe(const char *root, struct err *err)
{
	char path[256];

	snprintf(path, sizeof(path), "%s%s", root, DRIVER);
	return access(path, F_OK) ? err_set(err, -errno, "%s: %s", path, err_name(errno)) : 0;
}

static int rocm_open(struct samp *sp, struct err *err)
{
	static const struct gpu_conf conf = { .child = "rocm", .library = LIBRARY };

	return gpu_open(sp, &conf, err);
}

const struct samp_type samp_rocm = {
	.name = "rocm",
	.brief = "AMD's graphics processors, a record each",
	.source = LIBRARY,
	.attrs = gpu_attrs,
	.metrics = gpu_members,
	.state_size = sizeof(struct gpus),
	.probe = rocm_probe,
	.check = gpu_check,
	.open = rocm_open,
	.sample = gpu_sample,
	.close = gpu_close,
};
