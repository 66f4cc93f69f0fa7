/* keep.h - how long, and how much, a store keeps: "30d", "20G", "30d/20G". */
#ifndef STORE_KEEP_H
#define STORE_KEEP_H

#include <stdint.h>

#include "core/base/err.h"

struct keep {
	int64_t age_us; /* 0: for ever */
	uint64_t bytes; /* 0: without end */
};

/* A time, a size, or both with a slash between, either first; "m" is minutes, "M" megabytes.  NULL: all is kept. */
int keep_parse(const char *text, struct keep *ret, struct err *err);

#endif
