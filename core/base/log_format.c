/* log_format.c - a line as bytes.  See log_impl.h.
 *
 *	text	2026-11-20T15:21:53.366:     INFO: producer: n17: ...
 *	ldmsd	    INFO: producer: n17: ...
 *	json	{"time":"2026-11-20T14:21:53.366153Z","level":"INFO","subsystem":"producer","text":"n17: ..."}
 *	logfmt	time=2026-11-20T14:21:53.366153Z level=INFO subsystem=producer text="n17: ..."
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/json_put.h"
#include "core/base/log_impl.h"
#include "core/base/utf8.h"

#define FACILITY_DAEMON (3 << 3) /* syslog's */
#define PROGRAM         "ldms"

/* What stands in front of a text line. */
enum stamp {
	STAMP_NONE,
	STAMP_ISO,  /* for people and for sorting; local time */
	STAMP_SEC,  /* as ldmsd with LDMSD_LOG_TIME_SEC */
	STAMP_DATE, /* as ldmsd with LDMSD_LOG_DATE_TIME */
};

static size_t format_text(const struct log_entry *e, char *to);
static size_t format_json(const struct log_entry *e, char *to);
static size_t format_logfmt(const struct log_entry *e, char *to);

static const struct format {
	const char *name;
	size_t (*fn)(const struct log_entry *e, char *to);
	enum stamp stamp;
} formats[] = {
	{ "json", format_json, STAMP_NONE },
	{ "ldmsd", format_text, STAMP_NONE },
	{ "logfmt", format_logfmt, STAMP_NONE },
	{ "text", format_text, STAMP_ISO },
};

/* ldmsd's ways to ask for the time. */
static const struct {
	const char *variable;
	enum stamp stamp;
} stamp_asked[] = {
	{ "LDMSD_LOG_TIME_SEC", STAMP_SEC },
	{ "OVIS_LOG_TIME_SEC", STAMP_SEC },
	{ "LDMSD_LOG_DATE_TIME", STAMP_DATE },
	{ "OVIS_LOG_DATE_TIME", STAMP_DATE },
};

/* Tools say what they have to say without the time; daemons set a format when they begin, before there are threads. */
static const struct format *format = &formats[1];
static enum stamp stamp = STAMP_NONE;

int log_format_set(const char *name, struct err *err)
{
	const struct format *f = NULL;

	for (size_t i = 0; i < sizeof(formats) / sizeof(*formats) && !f; i++)
		if (!strcmp(formats[i].name, name))
			f = &formats[i];
	if (!f)
		return err_set(err, -EINVAL, "log format %s: unknown; use text, ldmsd, json or logfmt", name);
	format = f;
	stamp = f->stamp;
	for (size_t i = sizeof(stamp_asked) / sizeof(*stamp_asked); i-- > 0;) {
		const char *value = getenv(stamp_asked[i].variable);

		if (value && *value)
			stamp = stamp_asked[i].stamp;
	}
	tzset(); /* while the file of the time zone can be read */
	return 0;
}

size_t log_escape(char *to, const char *text, size_t len)
{
	static const char hex[] = "0123456789abcdef";
	const unsigned char *p = (const unsigned char *)text, *end = p + len;
	char *at = to;

	while (p < end) {
		const unsigned char *plain = p;
		size_t n;

		while (plain < end && *plain >= ' ' && *plain < 0x7f)
			plain++;
		n = (size_t)(plain - p);
		if (!n && *p >= 0x80) {
			n = utf8_len(p, (size_t)(end - p));
			if (n && utf8_misleads(p, n))
				n = 0;
		}
		if (n) {
			memcpy(at, p, n);
			at += n;
			p += n;
			continue;
		}
		*at++ = '\\';
		if (*p == '\n' || *p == '\t' || *p == '\r') {
			*at++ = *p == '\n' ? 'n' : *p == '\t' ? 't' : 'r';
		} else {
			*at++ = 'x';
			*at++ = hex[*p >> 4];
			*at++ = hex[*p & 15];
		}
		p++;
	}
	return (size_t)(at - to);
}

/* The second as text: most lines share theirs with the one before.  One thread at a time formats lines. */
static size_t put_second(time_t second, bool utc, char *to)
{
	static struct {
		time_t second;
		size_t len; /* 0: nothing is kept */
		char text[32];
	} kept[2];
	struct tm tm;

	if (!kept[utc].len || kept[utc].second != second) {
		if (utc)
			gmtime_r(&second, &tm);
		else
			localtime_r(&second, &tm);
		kept[utc].second = second;
		kept[utc].len = strftime(kept[utc].text, sizeof(kept[utc].text), "%Y-%m-%dT%H:%M:%S", &tm);
	}
	memcpy(to, kept[utc].text, kept[utc].len);
	return kept[utc].len;
}

static size_t put_stamp(const struct log_entry *e, char *to)
{
	struct tm tm;
	size_t n;

	switch (stamp) {
	case STAMP_SEC:
		return (size_t)sprintf(to, "%lld.%06ld:", (long long)e->at.tv_sec, e->at.tv_nsec / 1000);
	case STAMP_DATE:
		localtime_r(&e->at.tv_sec, &tm);
		return strftime(to, 64, "%a %b %d %H:%M:%S %Y:", &tm);
	case STAMP_ISO:
		n = put_second(e->at.tv_sec, false, to);
		return n + (size_t)sprintf(to + n, ".%03ld:", e->at.tv_nsec / 1000000);
	case STAMP_NONE:
		break;
	}
	return 0;
}

static size_t put_utc(const struct log_entry *e, char *to)
{
	size_t n = put_second(e->at.tv_sec, true, to);

	return n + (size_t)sprintf(to + n, ".%06ldZ", e->at.tv_nsec / 1000);
}

static size_t put_message(const struct log_entry *e, char *to)
{
	size_t n = (size_t)sprintf(to, "%s: ", e->subsys);

	return n + log_escape(to + n, e->text, e->len);
}

static size_t format_text(const struct log_entry *e, char *to)
{
	size_t n = put_stamp(e, to);

	n += (size_t)sprintf(to + n, "%9s: ", e->level == LOG_QUIET_ ? "" : log_level_name(e->level));
	n += put_message(e, to + n);
	to[n++] = '\n';
	return n;
}

/* A string of JSON. */
static size_t put_quoted(char *to, const char *text, size_t len)
{
	struct buf b = { .p = (uint8_t *)to,
			 .cap = 6 * len + 8 + 64 }; /* it has room for the worst: it does not grow */

	json_put_text(&b, text, len);
	return b.len;
}

static size_t format_json(const struct log_entry *e, char *to)
{
	size_t n = (size_t)sprintf(to, "{\"time\":\"");

	n += put_utc(e, to + n);
	n += (size_t)sprintf(to + n, "\",\"level\":\"%s\",\"subsystem\":", log_level_name(e->level));
	n += put_quoted(to + n, e->subsys, strlen(e->subsys));
	n += (size_t)sprintf(to + n, ",\"text\":");
	n += put_quoted(to + n, e->text, e->len);
	return n + (size_t)sprintf(to + n, "}\n");
}

static size_t format_logfmt(const struct log_entry *e, char *to)
{
	size_t n = (size_t)sprintf(to, "time=");

	n += put_utc(e, to + n);
	n += (size_t)sprintf(to + n, " level=%s subsystem=%s text=", log_level_name(e->level), e->subsys);
	n += put_quoted(to + n, e->text, e->len);
	to[n++] = '\n';
	return n;
}

size_t log_format(const struct log_entry *e, char *to)
{
	return format->fn(e, to);
}

/* As in <syslog.h>, whose names are ours as well. */
static int priority(enum log_level level)
{
	static const int priorities[] = { 7, 6, 4, 3, 2, 5 };

	return priorities[level];
}

size_t log_format_syslog(const struct log_entry *e, char *to)
{
	size_t n = (size_t)sprintf(to, "<%d>", FACILITY_DAEMON | priority(e->level));
	struct tm tm;

	localtime_r(&e->at.tv_sec, &tm);
	n += strftime(to + n, 64, "%b %e %H:%M:%S ", &tm);
	n += (size_t)sprintf(to + n, PROGRAM "[%d]: ", (int)getpid());
	return n + put_message(e, to + n);
}

/* Fields, one a line: none of them holds a newline. */
size_t log_format_journal(const struct log_entry *e, char *to)
{
	size_t n = (size_t)sprintf(to, "PRIORITY=%d\nSYSLOG_IDENTIFIER=" PROGRAM "\nSUBSYSTEM=%s\nMESSAGE=",
				   priority(e->level), e->subsys);

	n += put_message(e, to + n);
	to[n++] = '\n';
	return n;
}
