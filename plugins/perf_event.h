/* perf_event.h - performance events: their names, and counters of them. */
#ifndef PLUGINS_PERF_EVENT_H
#define PLUGINS_PERF_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/err.h"

struct perf_event {
	const char *name; /* as perf(1) has it */
	const char *metric, *unit, *help;
	uint32_t type; /* PERF_TYPE_HARDWARE, PERF_TYPE_SOFTWARE */
	uint64_t config;
};

/* The event of that name, or NULL. */
const struct perf_event *perf_event_find(const char *name, size_t len);
/* Is that rHEX, an event of the processor's own? */
bool perf_event_raw(const char *name, size_t len, uint64_t *ret);

/* What is counted: an event, or (NULL) the raw one of that number; `name` is for words. */
struct perf_counter {
	const struct perf_event *event;
	uint64_t raw;
	char name[24]; /* long enough for all of them */
};

/* A counter of everything that a processor does, or a negative errno.  With a leader (not -1) it joins its group, which
 * is read as a whole, with both times. */
int perf_counter_open(const struct perf_counter *c, uint32_t cpu, int leader);
/* Why perf_counter_open() has failed, and what to do; returns what became of `rc`. */
int perf_counter_failed(int rc, const struct perf_counter *c, struct err *err);

#endif
