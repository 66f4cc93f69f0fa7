/* roll.c - see roll.h */
#include "store/roll.h"

#include <errno.h>
#include <inttypes.h>
#include <time.h>

#include "core/base/log.h"
#include "core/base/unit.h"

#define DAY_S  86400
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
static int64_t daily_every(const struct roll *roll, int64_t now_s)
{
	int64_t first = after_midnight(now_s, 0, roll->over), next_day = after_midnight(now_s, 1, 0), due;

	if (first > now_s)
		return first;
	due = first + ((now_s - first) / (int64_t)roll->again + 1) * (int64_t)roll->again;
	return due < next_day ? due : after_midnight(now_s, 1, roll->over);
}

int64_t roll_due(const struct roll *roll, int64_t opened_s)
{
	int64_t due;

	switch (roll->type) {
	case ROLL_EVERY:
		return opened_s + (int64_t)roll->over;
	case ROLL_DAILY:
		due = after_midnight(opened_s, 0, roll->over);
		return due - opened_s < NEAR_S ? after_midnight(opened_s, 1, roll->over) : due;
	case ROLL_DAILY_EVERY:
		return daily_every(roll, opened_s);
	default:
		return INT64_MAX;
	}
}

bool roll_full(const struct roll *roll, uint64_t rows, uint64_t bytes)
{
	return (roll->type == ROLL_ROWS && rows >= roll->over) || (roll->type == ROLL_BYTES && bytes >= roll->over);
}

/* What ldmsd rolls at least, it also makes of less. */
static const struct roll_rule {
	const char *what;
	uint64_t min, max;
} rules[] = {
	[ROLL_NONE] = { "", 0, 0 },
	[ROLL_EVERY] = { "seconds", 10, 366 * DAY_S },
	[ROLL_DAILY] = { "seconds", 0, DAY_S - 1 },
	[ROLL_ROWS] = { "rows", 3, UINT64_MAX },
	[ROLL_BYTES] = { "bytes", 1024, UINT64_MAX },
	[ROLL_DAILY_EVERY] = { "seconds", 0, DAY_S - 1 },
};

static int text_num(const char *who, const char *name, const char *text, uint64_t max, uint64_t *ret, struct err *err)
{
	int rc = text ? unit_u64(text, ret, err) : 0;

	if (rc)
		return err_prefix(err, rc, "store %s: %s: ", who, name);
	if (*ret > max)
		return err_set(err, -EINVAL, "store %s: %s=%s: a whole number from 0 to %" PRIu64 " goes there", who,
			       name, text, max);
	return 0;
}

/* ldmsd takes them so, and they mean nothing; here they are looked at, and that is said. */
static int typeless_read(const char *who, const struct roll_texts *t, struct err *err)
{
	uint64_t n = 0;
	int rc = text_num(who, "rollover", t->over, UINT64_MAX, &n, err);

	if (!rc)
		rc = text_num(who, "rollagain", t->again, DAY_S, &n, err);
	if (!rc && t->over)
		log_warning("store", "store %s: rollover=%s rolls nothing without rolltype=; say what it counts", who,
			    t->over);
	return rc;
}

static int texts_read(struct roll *roll, const char *who, const struct roll_texts *t, struct err *err)
{
	const struct roll_rule *rule;
	uint64_t n;
	int rc = 0;

	if (t->empty)
		rc = unit_bool(t->empty, &roll->empty, err);
	if (rc)
		return err_prefix(err, rc, "store %s: rollempty: ", who);
	if (!t->type)
		return typeless_read(who, t, err);
	rc = unit_u64(t->type, &n, err);
	if (rc || !n || n > ROLL_MAX)
		return err_set(err, -EINVAL, "store %s: rolltype out of range.  rolltype=%s: 1 to %d go there", who,
			       t->type, ROLL_MAX);
	rule = &rules[n];
	if (!t->over)
		return err_set(err, -EINVAL, "store %s: rolltype given without rollover.  Say how many %s", who,
			       rule->what);
	roll->type = (enum roll_type)n;
	rc = text_num(who, "rollover", t->over, rule->max, &roll->over, err);
	if (!rc)
		rc = text_num(who, "rollagain", t->again, DAY_S, &roll->again, err);
	if (rc)
		return rc;
	if (roll->over < rule->min) {
		log_warning("store", "store %s: rollover=%" PRIu64 " is too little; taken as %" PRIu64 " %s", who,
			    roll->over, rule->min, rule->what);
		roll->over = rule->min;
	}
	if (n == ROLL_DAILY_EVERY && (roll->again < 10 || roll->again < roll->over))
		return err_set(err, -EINVAL,
			       "store %s: rolltype=5 takes rollagain=SECONDS, at least 10 and at least rollover", who);
	return 0;
}

int roll_read(struct roll *ret, const char *who, const struct roll_texts *t, struct err *err)
{
	struct roll roll = { 0 };
	int rc = texts_read(&roll, who, t, err);

	if (!rc)
		*ret = roll;
	return rc;
}
