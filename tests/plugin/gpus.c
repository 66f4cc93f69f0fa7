/* gpus.c - stands in for libnvidia-ml.so.1 and librocm_smi64.so: the functions that our samplers use, declared from the
 * public references of NVML and ROCm SMI.  It has never been beside a real one.
 *
 * The file that the environment variable GPUS names says what it does: "N" for N processors, then
 *	lost=I     processor I has gone from the bus
 *	poor       they tell nothing but their names
 *	old        frequencies as before ROCm 6
 *	begins     their performance state is how often the library was begun
 *	crash, hang, exit, babble, fail    when it is asked for their number
 *	read=PATH  likewise: a byte of that file is read first
 */
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MIB (1024ull * 1024)

static char mode[256];
static unsigned int count;
static int lost;
static unsigned int begins;

static bool is(const char *word)
{
	return strstr(mode, word);
}

static void mode_read(void)
{
	const char *path = getenv("GPUS");
	FILE *f = path ? fopen(path, "r") : NULL;
	const char *at;

	if (!f || !fgets(mode, sizeof(mode), f))
		*mode = 0;
	if (f)
		fclose(f);
	count = (unsigned int)atoi(mode);
	at = strstr(mode, "lost=");
	lost = at ? atoi(at + 5) : -1;
}

/* The file may be on a file system that hangs. */
static void path_read(const char *at)
{
	char path[sizeof(mode)] = "";
	FILE *f = at && sscanf(at, "read=%255s", path) == 1 ? fopen(path, "r") : NULL;

	if (f && fgetc(f) != EOF)
		fclose(f);
}

/* 0, or the processors cannot be counted. */
static int count_read(void)
{
	mode_read();
	path_read(strstr(mode, "read="));
	if (is("crash"))
		raise(SIGSEGV);
	if (is("exit"))
		_exit(7);
	if (is("babble") && send(3, "hello", 5, 0) < 0)
		return 1;
	while (is("hang"))
		pause();
	return is("fail");
}

/* -- NVML ----------------------------------------------------------------------------------------------------------- */

typedef struct nvmlDevice_st *nvmlDevice_t;
typedef int nvmlReturn_t;
struct utilization {
	unsigned int gpu, memory;
};
struct memory {
	unsigned long long total, free, used;
};
enum {
	NVML_SUCCESS = 0,
	NVML_ERROR_INVALID_ARGUMENT = 2,
	NVML_ERROR_NOT_SUPPORTED = 3,
	NVML_ERROR_GPU_IS_LOST = 15,
	NVML_ERROR_UNKNOWN = 999
};

static unsigned int index_of(nvmlDevice_t d)
{
	return (unsigned int)((uintptr_t)d - 1);
}

static nvmlReturn_t put(nvmlDevice_t d, unsigned int *to, unsigned int v)
{
	if (is("poor"))
		return NVML_ERROR_NOT_SUPPORTED;
	*to = v + index_of(d);
	return NVML_SUCCESS;
}

nvmlReturn_t nvmlInit_v2(void)
{
	begins++;
	return NVML_SUCCESS;
}
nvmlReturn_t nvmlShutdown(void)
{
	return NVML_SUCCESS;
}
const char *nvmlErrorString(nvmlReturn_t rc)
{
	return rc == NVML_ERROR_UNKNOWN ? "Unknown Error" : "Something else";
}

nvmlReturn_t nvmlDeviceGetCount_v2(unsigned int *n)
{
	if (count_read())
		return NVML_ERROR_UNKNOWN;
	*n = count;
	return NVML_SUCCESS;
}

nvmlReturn_t nvmlDeviceGetHandleByIndex_v2(unsigned int i, nvmlDevice_t *d)
{
	if (i >= count)
		return NVML_ERROR_INVALID_ARGUMENT;
	*d = (nvmlDevice_t)(uintptr_t)(i + 1);
	return (int)i == lost ? NVML_ERROR_GPU_IS_LOST : NVML_SUCCESS;
}

nvmlReturn_t nvmlDeviceGetUUID(nvmlDevice_t d, char *to, unsigned int n)
{
	snprintf(to, n, "GPU-%08x", index_of(d));
	return NVML_SUCCESS;
}

nvmlReturn_t nvmlDeviceGetName(nvmlDevice_t d, char *to, unsigned int n)
{
	snprintf(to, n, "Stand-in %u", index_of(d));
	return NVML_SUCCESS;
}

nvmlReturn_t nvmlDeviceGetUtilizationRates(nvmlDevice_t d, struct utilization *to)
{
	return put(d, &to->gpu, 40) || put(d, &to->memory, 20);
}

nvmlReturn_t nvmlDeviceGetMemoryInfo(nvmlDevice_t d, struct memory *to)
{
	if (is("poor"))
		return NVML_ERROR_NOT_SUPPORTED;
	to->total = 81920 * MIB;
	to->used = 1024 * MIB + index_of(d);
	to->free = to->total - to->used;
	return NVML_SUCCESS;
}

nvmlReturn_t nvmlDeviceGetTemperature(nvmlDevice_t d, int sensor, unsigned int *to)
{
	return sensor ? NVML_ERROR_INVALID_ARGUMENT : put(d, to, 50);
}

nvmlReturn_t nvmlDeviceGetPowerUsage(nvmlDevice_t d, unsigned int *to)
{
	return put(d, to, 300000);
}
nvmlReturn_t nvmlDeviceGetClockInfo(nvmlDevice_t d, int type, unsigned int *to)
{
	return put(d, to, 1000 + 100 * type);
}
nvmlReturn_t nvmlDeviceGetPcieThroughput(nvmlDevice_t d, int way, unsigned int *to)
{
	return put(d, to, 700 + 100 * way);
}
nvmlReturn_t nvmlDeviceGetPerformanceState(nvmlDevice_t d, unsigned int *to)
{
	return put(d, to, is("begins") ? begins : 2);
}

nvmlReturn_t nvmlDeviceGetTotalEccErrors(nvmlDevice_t d, int type, int counter, unsigned long long *to)
{
	if (is("poor") || counter)
		return NVML_ERROR_NOT_SUPPORTED;
	*to = (type ? 3 : 30) + index_of(d);
	return NVML_SUCCESS;
}

/* -- ROCm SMI ------------------------------------------------------------------------------------------------------- */

typedef int rsmi_status_t;
struct errors {
	uint64_t correctable, uncorrectable;
};
enum {
	RSMI_STATUS_SUCCESS = 0,
	RSMI_STATUS_NOT_SUPPORTED = 2,
	RSMI_STATUS_NOT_FOUND = 10,
	RSMI_STATUS_UNKNOWN_ERROR = -1
};

static rsmi_status_t put64(uint32_t d, uint64_t *to, uint64_t v)
{
	if (is("poor"))
		return RSMI_STATUS_NOT_SUPPORTED;
	*to = v + d;
	return RSMI_STATUS_SUCCESS;
}

static rsmi_status_t put32(uint32_t d, uint32_t *to, uint32_t v)
{
	uint64_t w;
	rsmi_status_t rc = put64(d, &w, v);

	if (!rc)
		*to = (uint32_t)w;
	return rc;
}

rsmi_status_t rsmi_init(uint64_t flags)
{
	begins++;
	return flags ? RSMI_STATUS_UNKNOWN_ERROR : RSMI_STATUS_SUCCESS;
}
rsmi_status_t rsmi_shut_down(void)
{
	return RSMI_STATUS_SUCCESS;
}

rsmi_status_t rsmi_status_string(rsmi_status_t rc, const char **to)
{
	*to = "an unknown error";
	return RSMI_STATUS_SUCCESS;
}

rsmi_status_t rsmi_num_monitor_devices(uint32_t *n)
{
	if (count_read())
		return RSMI_STATUS_UNKNOWN_ERROR;
	*n = count;
	return RSMI_STATUS_SUCCESS;
}

rsmi_status_t rsmi_dev_name_get(uint32_t d, char *to, size_t n)
{
	snprintf(to, n, "Stand-in %u", d);
	return (int)d == lost ? RSMI_STATUS_NOT_FOUND : RSMI_STATUS_SUCCESS;
}

rsmi_status_t rsmi_dev_unique_id_get(uint32_t d, uint64_t *to)
{
	return put64(d, to, 0xabc0);
}
rsmi_status_t rsmi_dev_busy_percent_get(uint32_t d, uint32_t *to)
{
	return put32(d, to, 40);
}
rsmi_status_t rsmi_dev_memory_busy_percent_get(uint32_t d, uint32_t *to)
{
	return put32(d, to, 20);
}
rsmi_status_t rsmi_dev_memory_usage_get(uint32_t d, int type, uint64_t *to)
{
	return put64(d, to, type ? 0 : 1024 * MIB);
}
rsmi_status_t rsmi_dev_memory_total_get(uint32_t d, int type, uint64_t *to)
{
	return put64(d, to, type ? 0 : 65536 * MIB);
}

rsmi_status_t rsmi_dev_temp_metric_get(uint32_t d, uint32_t sensor, int metric, int64_t *to)
{
	uint64_t v;
	rsmi_status_t rc = put64(d, &v, 50);

	if (!rc)
		*to = (int64_t)v * 1000;
	return sensor || metric ? RSMI_STATUS_NOT_SUPPORTED : rc;
}

rsmi_status_t rsmi_dev_power_ave_get(uint32_t d, uint32_t sensor, uint64_t *to)
{
	return d ? RSMI_STATUS_NOT_SUPPORTED : put64(d, to, 300000000);
}

rsmi_status_t rsmi_dev_current_socket_power_get(uint32_t d, uint64_t *to)
{
	return put64(d, to, 299999999 + 1000 * d);
}

rsmi_status_t rsmi_dev_gpu_clk_freq_get(uint32_t d, int type, void *to)
{
	struct old {
		uint32_t n, current;
		uint64_t hz[32];
	} *old = to;
	struct now {
		bool has_deep_sleep;
		uint32_t n, current;
		uint64_t hz[33];
	} *now = to;
	uint64_t *hz;

	if (is("poor"))
		return RSMI_STATUS_NOT_SUPPORTED;
	if (is("old")) {
		old->n = 3;
		old->current = 1;
		hz = old->hz;
	} else {
		now->has_deep_sleep = false;
		now->n = 3;
		now->current = 1;
		hz = now->hz;
	}
	hz[0] = 500000000;
	hz[1] = (1000 + 100ull * type + d) * 1000000;
	hz[2] = 3000000000;
	return RSMI_STATUS_SUCCESS;
}

rsmi_status_t rsmi_dev_ecc_count_get(uint32_t d, int block, struct errors *to)
{
	if (is("poor") || block > 2)
		return RSMI_STATUS_NOT_SUPPORTED;
	to->correctable = 15;
	to->uncorrectable = 1 + d;
	return RSMI_STATUS_SUCCESS;
}

rsmi_status_t rsmi_dev_perf_level_get(uint32_t d, uint32_t *to)
{
	return put32(d, to, is("begins") ? begins : 2);
}
