/* csv_roll.c - when files roll over. */
#include <time.h>

#include "store/csv.h"

#define NEAR_S 10 /* a daily roll that is nearer than this belongs to the file before */

/* That many seconds after local midnight, `days` days later: hours count as they do on the wall, so that changes of
 * summer time shift nothing. */
static int64_t after_midnight(int64_t now_s, int days, uint64_t seconds)
{
	time_t t = (time_t)now_s;
	struct tm tm;

	localtime_r(&t, &tm);
	tm.tm_mday += days;
	tm.tm_hour = (int)(seconds / 3600);
	tm.tm_min = (int)(seconds / 60 % 60);
	tm.tm_sec = (int)(seconds % 60);
	tm.tm_isdst = -1;
	return mktime(&tm);
}

/* The first of: `rollover` seconds after midnight, and every `rollagain` from then on until the next midnight. */
static int64_t daily_every(const struct csv_conf *conf, int64_t now_s)
{
	int64_t first = after_midnight(now_s, 0, conf->rollover), next_day = after_midnight(now_s, 1, 0), due;

	if (first > now_s)
		return first;
	due = first + ((now_s - first) / (int64_t)conf->rollagain + 1) * (int64_t)conf->rollagain;
	return due < next_day ? due : after_midnight(now_s, 1, conf->rollover);
}

int64_t csv_roll_due(const struct csv_conf *conf, int64_t opened_s)
{
	int64_t due;

	switch (conf->roll) {
	case ROLL_EVERY:
		return opened_s + (int64_t)conf->rollover;
	case ROLL_DAILY:
		due = after_midnight(opened_s, 0, conf->rollover);
		return due - opened_s < NEAR_S ? after_midnight(opened_s, 1, conf->rollover) : due;
	case ROLL_DAILY_EVERY:
		return daily_every(conf, opened_s);
	default:
		return INT64_MAX;
	}
}

bool csv_roll_full(const struct csv_conf *conf, uint64_t rows, uint64_t bytes)
{
	return (conf->roll == ROLL_ROWS && rows >= conf->rollover) ||
	       (conf->roll == ROLL_BYTES && bytes >= conf->rollover);
}
