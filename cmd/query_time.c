/* query_time.c - times as people write and read them */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cmd/query.h"
#include "core/base/unit.h"

static bool date_parse(const char *text, int64_t *ret_us)
{
	static const char *const forms[] = { "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M",
					     "%Y-%m-%dT%H:%M", "%Y-%m-%d" };

	for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++) {
		struct tm tm = { .tm_isdst = -1 };
		const char *end = strptime(text, forms[i], &tm);
		time_t t;

		if (!end || (*end && strcmp(end, "Z")))
			continue;
		t = *end ? timegm(&tm) : mktime(&tm);
		*ret_us = (int64_t)t * SEC_US;
		return true;
	}
	return false;
}

int query_time_parse(const char *text, int64_t now_us, int64_t *ret_us, struct err *err)
{
	size_t digits = strspn(text, "0123456789.");
	char *end;
	double sec;

	if (!strcmp(text, "now")) {
		*ret_us = now_us;
		return 0;
	}
	if (date_parse(text, ret_us))
		return 0;
	if (*text && !text[digits]) {
		sec = strtod(text, &end);
		if (*end || sec > 4e9) /* of any row: seconds have 32 bits */
			return err_set(err, -EINVAL, "\"%s\" is no time; write seconds since 1970", text);
		*ret_us = (int64_t)(sec * SEC_US);
		return 0;
	}
	if (digits && !unit_time_us(text, ret_us, NULL)) {
		*ret_us = now_us - *ret_us;
		return 0;
	}
	return err_set(
		err, -EINVAL,
		"\"%.64s\" is no time; write 1h (ago), 2026-11-21, \"2026-11-21 19:30\", seconds since 1970, or now",
		text);
}

const char *query_time_text(int64_t us, char to[QUERY_TIME_MAX])
{
	time_t sec = (time_t)(us / SEC_US);
	struct tm tm;
	size_t n;

	localtime_r(&sec, &tm);
	n = strftime(to, QUERY_TIME_MAX, "%Y-%m-%d %H:%M:%S", &tm);
	if (us % SEC_US)
		snprintf(to + n, QUERY_TIME_MAX - n, ".%06d", (int)(us % SEC_US));
	return to;
}
