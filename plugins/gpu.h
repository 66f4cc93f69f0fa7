/* gpu.h - graphics processors: what the samplers nvml and rocm share
 *
 * The library of the maker is opened in a child process (child.h), which answers each question, the library's name, with
 * an array of struct gpu.  What a processor does not tell is -1.
 */
#ifndef PLUGINS_GPU_H
#define PLUGINS_GPU_H

#include <stdint.h>

#include "plugins/child.h"
#include "plugins/rows.h"
#include "plugins/samp.h"

#define GPU_MAX  128 /* in one node; partitions of them count */
#define GPU_TEXT 96  /* bytes of a name, the NUL included */

enum gpu_value {
	GPU_UTIL,
	GPU_MEMORY_UTIL,
	GPU_MEMORY_USED,
	GPU_MEMORY_TOTAL,
	GPU_TEMPERATURE,
	GPU_POWER,
	GPU_CLOCK,
	GPU_CLOCK_COMPUTE,
	GPU_CLOCK_MEMORY,
	GPU_ECC_CORRECTED,
	GPU_ECC_UNCORRECTED,
	GPU_PCIE_SENT,
	GPU_PCIE_RECEIVED,
	GPU_PERFORMANCE,
	GPU_VALUES
};
#define GPU_UNKNOWN INT64_C(-1)

/* As the record's members stand in the set, but for the byte order of numbers. */
struct gpu {
	int64_t index; /* the library's */
	char uuid[GPU_TEXT], name[GPU_TEXT];
	int64_t values[GPU_VALUES];
};

extern const struct metric_def gpu_members[]; /* ended by a row without name */
extern const struct samp_attr gpu_attrs[];    /* of both samplers */

/* -- in the daemon -- */

struct gpu_conf {
	const char *child;   /* the child's type */
	const char *library; /* unless library= says another */
};
/* The state of a sampler, and what its samp_type wants. */
struct gpus {
	struct child child;
	struct buf answer;
	const char *library;
	int64_t deadline_us;
	struct rows rows;
};
int gpu_check(struct samp *sp, struct err *err);
int gpu_open(struct samp *sp, const struct gpu_conf *conf, struct err *err);
int gpu_sample(struct samp *sp, struct err *err);
void gpu_close(struct samp *sp);
/* Can the processors in an answer of so many bytes be believed?  -EPROTO with words. */
int gpus_check(const void *answer, size_t len, struct err *err);

/* -- in the child -- */

/* All unknown. */
void gpu_init(struct gpu *g, uint64_t index);

/* Is the library to begin anew?  While there are fewer processors (n) than there were, at once and then once a minute: it
 * would not see one come back. */
bool gpu_again(size_t n);

/* A function of the library, by name; `at` is where its pointer goes.  Of an optional one, NULL may go there. */
struct gpu_function {
	const char *name;
	void *at;
	bool optional;
};
/* Open the library and find the functions (ended by a row without name); -ENOENT, -ENOSYS with words. */
int gpu_library_open(const char *library, const struct gpu_function *functions, struct err *err);

#endif
