/* updtr_hint.c - update hints: how often a set's side samples it.  See updtr.h. */
#include <stdlib.h>

#include "core/base/log.h"
#include "core/base/unit.h"
#include "core/daemon/updtr_impl.h"

/* A set with a hint is read this much after it was sampled, unless the environment says otherwise, as it does to ldmsd;
 * but never so late that it falls together with the next sample. */
#define HINT_LAG_US  (100 * MSEC_US)
#define HINT_LAG_ENV "LDMSD_UPDTR_OFFSET_INCR" /* microseconds */
/* A peer's hint may not make us faster than this, nor slower than that; others are passed over. */
#define HINT_MIN_US (1 * MSEC_US)
#define HINT_MAX_US (366ll * 86400 * SEC_US)

int64_t updtr_hint_lag_us(void)
{
	const char *text = getenv(HINT_LAG_ENV);
	int64_t us;

	if (!text || !*text)
		return HINT_LAG_US;
	if (!unit_time_us(text, &us, NULL) && us >= 0)
		return us;
	log_warning("updater", HINT_LAG_ENV "=%s is no time; as without it, %lld microseconds", text, HINT_LAG_US);
	return HINT_LAG_US;
}

bool updtr_hint_parse(const char *text, int64_t *interval_us, int64_t *offset_us, bool *loose)
{
	char *end;
	long long interval = strtoll(text, &end, 10), offset = 0;

	if (end == text || interval < HINT_MIN_US || interval > HINT_MAX_US)
		return false;
	*loose = *end != ':' || !end[1];
	if (!*loose)
		offset = strtoll(end + 1, &end, 10);
	else
		end += *end == ':';
	if (*end || offset >= interval || offset <= -interval)
		return false;
	*interval_us = interval;
	*offset_us = offset;
	return true;
}
