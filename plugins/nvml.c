/* nvml.c - NVIDIA's graphics processors, by libnvidia-ml.so.1 (NVML), which is opened in a process of its own
 *
 * The few functions used are declared here as NVIDIA's public reference of NVML has them: names that end in _v2 have kept
 * their meaning and their structures since 2013.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "plugins/gpu.h"

#define LIBRARY "libnvidia-ml.so.1"
#define DRIVER  "/proc/driver/nvidia/version"

/* -- as documented -------------------------------------------------------------------------------------------------- */

enum { SUCCESS = 0, INVALID_ARGUMENT = 2, NOT_FOUND = 6, GPU_IS_LOST = 15 };
enum { SENSOR_GPU = 0 };
enum { CLOCK_GRAPHICS = 0, CLOCK_SM = 1, CLOCK_MEMORY = 2 };
enum { ECC_CORRECTED = 0, ECC_UNCORRECTED = 1 };
enum { ECC_VOLATILE = 0 }; /* since the driver was loaded */
enum { PCIE_TX = 0, PCIE_RX = 1 };
enum { PSTATE_UNKNOWN = 32 };

typedef struct nvmlDevice_st *device;
struct utilization {
	unsigned int gpu, memory;
};
struct memory {
	unsigned long long total, free, used;
};

static struct {
	int (*init)(void);
	int (*end)(void);
	const char *(*error)(int);
	int (*count)(unsigned int *);
	int (*by_index)(unsigned int, device *);
	int (*uuid)(device, char *, unsigned int);
	int (*name)(device, char *, unsigned int);
	int (*utilization)(device, struct utilization *);
	int (*memory)(device, struct memory *);
	int (*temperature)(device, int, unsigned int *);
	int (*power)(device, unsigned int *);
	int (*clock)(device, int, unsigned int *);
	int (*ecc)(device, int, int, unsigned long long *);
	int (*pcie)(device, int, unsigned int *);
	int (*pstate)(device, int *);
} nv;

/* clang-format off */
static const struct gpu_function functions[] = {
	{ "nvmlInit_v2", &nv.init, false },
	{ "nvmlShutdown", &nv.end, true },
	{ "nvmlErrorString", &nv.error, false },
	{ "nvmlDeviceGetCount_v2", &nv.count, false },
	{ "nvmlDeviceGetHandleByIndex_v2", &nv.by_index, false },
	{ "nvmlDeviceGetUUID", &nv.uuid, false },
	{ "nvmlDeviceGetName", &nv.name, false },
	{ "nvmlDeviceGetUtilizationRates", &nv.utilization, true },
	{ "nvmlDeviceGetMemoryInfo", &nv.memory, true },
	{ "nvmlDeviceGetTemperature", &nv.temperature, true },
	{ "nvmlDeviceGetPowerUsage", &nv.power, true },
	{ "nvmlDeviceGetClockInfo", &nv.clock, true },
	{ "nvmlDeviceGetTotalEccErrors", &nv.ecc, true },
	{ "nvmlDeviceGetPcieThroughput", &nv.pcie, true },
	{ "nvmlDeviceGetPerformanceState", &nv.pstate, true },
	{ NULL, NULL, false },
};
/* clang-format on */

/* -- in the child process ------------------------------------------------------------------------------------------- */

static int failed(const char *what, int rc, struct err *err)
{
	return err_set(err, -EIO, "%s: %s: %s", LIBRARY, what, nv.error(rc));
}

static bool begun;

/* Opened once.  A driver that is not ready yet is asked again the next time. */
static int library_begin(const char *library, struct err *err)
{
	static bool open;
	int rc = open ? 0 : gpu_library_open(library, functions, err);

	if (rc)
		return rc;
	open = true;
	rc = begun ? SUCCESS : nv.init();
	if (rc != SUCCESS)
		return failed("nvmlInit_v2()", rc, err);
	begun = true;
	return 0;
}

static void clock_get(device d, int which, int64_t *to)
{
	unsigned int v;

	if (nv.clock && nv.clock(d, which, &v) == SUCCESS)
		*to = v;
}

static void ecc_get(device d, int which, int64_t *to)
{
	unsigned long long v;

	if (nv.ecc && nv.ecc(d, which, ECC_VOLATILE, &v) == SUCCESS)
		*to = (int64_t)v;
}

static void pcie_get(device d, int which, int64_t *to)
{
	unsigned int v;

	if (nv.pcie && nv.pcie(d, which, &v) == SUCCESS)
		*to = v;
}

/* What it does not tell stays unknown. */
static void values_get(device d, int64_t *v)
{
	struct utilization use;
	struct memory mem;
	unsigned int n;
	int state;

	if (nv.utilization && nv.utilization(d, &use) == SUCCESS) {
		v[GPU_UTIL] = use.gpu;
		v[GPU_MEMORY_UTIL] = use.memory;
	}
	if (nv.memory && nv.memory(d, &mem) == SUCCESS) {
		v[GPU_MEMORY_USED] = (int64_t)mem.used;
		v[GPU_MEMORY_TOTAL] = (int64_t)mem.total;
	}
	if (nv.temperature && nv.temperature(d, SENSOR_GPU, &n) == SUCCESS)
		v[GPU_TEMPERATURE] = n;
	if (nv.power && nv.power(d, &n) == SUCCESS)
		v[GPU_POWER] = n;
	clock_get(d, CLOCK_GRAPHICS, &v[GPU_CLOCK]);
	clock_get(d, CLOCK_SM, &v[GPU_CLOCK_COMPUTE]);
	clock_get(d, CLOCK_MEMORY, &v[GPU_CLOCK_MEMORY]);
	ecc_get(d, ECC_CORRECTED, &v[GPU_ECC_CORRECTED]);
	ecc_get(d, ECC_UNCORRECTED, &v[GPU_ECC_UNCORRECTED]);
	pcie_get(d, PCIE_TX, &v[GPU_PCIE_SENT]);
	pcie_get(d, PCIE_RX, &v[GPU_PCIE_RECEIVED]);
	if (nv.pstate && nv.pstate(d, &state) == SUCCESS && state != PSTATE_UNKNOWN)
		v[GPU_PERFORMANCE] = state;
}

/* False: it has gone.  One that tells nothing for other reasons (rights) is there, and all of it unknown. */
static bool gpu_get(unsigned int index, struct gpu *g)
{
	device d;
	int rc = nv.by_index(index, &d);

	gpu_init(g, index);
	if (rc == INVALID_ARGUMENT || rc == NOT_FOUND || rc == GPU_IS_LOST)
		return false;
	if (rc != SUCCESS)
		return true;
	if (nv.uuid(d, g->uuid, GPU_TEXT) == GPU_IS_LOST || nv.name(d, g->name, GPU_TEXT) == GPU_IS_LOST)
		return false;
	g->uuid[GPU_TEXT - 1] = g->name[GPU_TEXT - 1] = 0;
	values_get(d, g->values);
	return true;
}

static int answer(const char *library, struct buf *to, struct err *err)
{
	unsigned int n;
	int rc = library_begin(library, err);
	struct gpu g;

	if (rc)
		return rc;
	rc = nv.count(&n);
	if (rc != SUCCESS)
		return failed("nvmlDeviceGetCount_v2()", rc, err);
	for (unsigned int i = 0; i < n && i < GPU_MAX; i++)
		if (gpu_get(i, &g))
			buf_add(to, &g, sizeof(g));
	if (gpu_again(to->len / sizeof(g)) && nv.end && nv.end() == SUCCESS)
		begun = false;
	return 0;
}

const struct child_type child_nvml = { .name = "nvml", .answer = answer };

/* -- in the daemon -------------------------------------------------------------------------------------------------- */

static int nvml_probe(const char *root, struct err *err)
{
	char path[256];

	snprintf(path, sizeof(path), "%s%s", root, DRIVER);
	return access(path, R_OK) ? err_set(err, -errno, "%s: %s", path, err_name(errno)) : 0;
}

static int nvml_open(struct samp *sp, struct err *err)
{
	static const struct gpu_conf conf = { .child = "nvml", .library = LIBRARY };

	return gpu_open(sp, &conf, err);
}

const struct samp_type samp_nvml = {
	.name = "nvml",
	.brief = "NVIDIA's graphics processors, a record each",
	.source = LIBRARY,
	.attrs = gpu_attrs,
	.metrics = gpu_members,
	.state_size = sizeof(struct gpus),
	.probe = nvml_probe,
	.check = gpu_check,
	.open = nvml_open,
	.sample = gpu_sample,
	.close = gpu_close,
};
