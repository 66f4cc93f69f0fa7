/* unit.h - times, sizes and small numbers as operators write them. */
#ifndef CORE_BASE_UNIT_H
#define CORE_BASE_UNIT_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/err.h"

#define MSEC_US 1000ll
#define SEC_US	1000000ll

/* "1000000", "1s", "1.5 s", "200ms", "-100ms", "20us", "1m", "2h", "1d" to microseconds; no unit means microseconds.
 * Units by prefix of the word as ldmsd takes them (us micro.. ms milli.. s.. m min.. h.. d..). */
int unit_time_us(const char *text, int64_t *ret_us, struct err *err);
/* "512", "4k", "128M", "1g", "2T" (1024-based, either case, an optional trailing "B" or "iB") to bytes. */
int unit_size(const char *text, uint64_t *ret_bytes, struct err *err);
int unit_u64(const char *text, uint64_t *ret, struct err *err); /* decimal, or 0x.. */
int unit_bool(const char *text, bool *ret, struct err *err); /* true false yes no on off 1 0, any case */
/* Back into words: "1s", "200ms", "1.5s" into out (at least 32 bytes); "128M", "4k" likewise.  Returns out. */
const char *unit_time_text(int64_t us, char *out);
const char *unit_size_text(uint64_t bytes, char *out);

#endif
