/* old_tables.c - see old_tables.h
 *
 * A table has its title as they print it, one row for each object of the answer, and rows of what belongs to that
 * behind it.  To add one: its columns, and a row in tables[].
 */
#include "cmd/old_tables.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum kind {
	END,
	TEXT,
	RIGHT,    /* the same, at the right */
	INTERVAL, /* "1.0s:200.0ms", of members interval and offset */
	WHEN,     /* members KEY.sec and KEY.usec: a date */
	SPAN,     /* ... seconds */
};

struct col {
	const char *key;
	int width;
	enum kind kind;
};

struct part {
	const char *key; /* the member with the rows */
	const struct col *cols;
};

struct table {
	enum old_ctl who;
	const char *verb, *title;
	const struct col *cols;
	struct part sub;          /* rows behind each row */
	const char *lists[3];     /* members that are lists of texts, each on a line of its own; NULL: no more */
	const char *skip_type[3]; /* objects of this type are not shown */
};

#define COLS(...) ((const struct col[]){ __VA_ARGS__, { NULL, 0, END } })

/* A member as text; numbers, too. */
static const char *member(const json_t *o, const char *key, char number[32])
{
	const json_t *v = json_object_get(o, key);

	if (json_is_string(v))
		return json_string_value(v);
	if (json_is_integer(v))
		snprintf(number, 32, "%" JSON_INTEGER_FORMAT, json_integer_value(v));
	else
		number[0] = '\0';
	return number;
}

static long long number_of(const json_t *o, const char *key, const char *part)
{
	char path[64], number[32];

	snprintf(path, sizeof(path), "%s%s", key, part);
	return atoll(member(o, path, number));
}

/* A number with at least one digit behind the point, and no zeros behind that: "1.0", "0.05". */
static int decimal_put(char *to, size_t size, double number, int digits)
{
	int n = snprintf(to, size, "%.*f", digits, number);

	while (n > 2 && to[n - 1] == '0' && to[n - 2] != '.')
		to[--n] = '\0';
	return n;
}

/* Seconds and milliseconds, whatever their size. */
static void interval_put(char *to, size_t size, long long interval_us, long long offset_us)
{
	int n = decimal_put(to, size, interval_us / 1e6, 6);

	n += snprintf(to + n, size - n, "s:");
	n += decimal_put(to + n, size - n, offset_us / 1e3, 3);
	snprintf(to + n, size - n, "ms");
}

static const char *cell(const json_t *o, const struct col *c, char *room, size_t size)
{
	time_t sec = (time_t)number_of(o, c->key, ".sec");
	long long usec = number_of(o, c->key, ".usec");
	struct tm tm;
	size_t n;

	switch (c->kind) {
	case INTERVAL:
		interval_put(room, size, number_of(o, "interval", ""), number_of(o, "offset", ""));
		return room;
	case WHEN:
		localtime_r(&sec, &tm);
		n = strftime(room, size, "%m-%d-%y %H:%M:%S", &tm);
		snprintf(room + n, size - n, " [%lld]", usec);
		return room;
	case SPAN:
		snprintf(room, size, "%lld.%06lld", (long long)sec, usec);
		return room;
	default:
		return member(o, c->key, room);
	}
}

static void row_put(struct buf *to, const json_t *o, const struct col *cols, const char *indent)
{
	char room[80];

	buf_addf(to, "%s", indent);
	for (const struct col *c = cols; c->kind != END; c++)
		buf_addf(to, c->kind == RIGHT ? "%s%*s" : "%s%-*s", c == cols ? "" : " ", c->width,
			 cell(o, c, room, sizeof(room)));
	buf_u8(to, '\n');
}

static void lists_put(struct buf *to, const json_t *o, const struct table *t)
{
	const json_t *v;
	size_t i;

	for (size_t k = 0; k < 3 && t->lists[k]; k++) {
		buf_addf(to, "    %s: ", t->lists[k]);
		json_array_foreach(json_object_get(o, t->lists[k]), i, v)
			buf_addf(to, "%s ", json_is_string(v) ? json_string_value(v) : "");
		buf_u8(to, '\n');
	}
}

static bool is_skipped(const json_t *o, const struct table *t)
{
	char number[32];

	for (size_t i = 0; i < 3 && t->skip_type[i]; i++)
		if (!strcmp(member(o, "type", number), t->skip_type[i]))
			return true;
	return false;
}

static void table_put(struct buf *to, const struct table *t, const json_t *answer)
{
	const json_t *o, *s;
	size_t i, k;

	buf_addf(to, "%s", t->title);
	json_array_foreach(answer, i, o)
	{
		if (is_skipped(o, t))
			continue;
		row_put(to, o, t->cols, "");
		if (t->sub.key)
			json_array_foreach(json_object_get(o, t->sub.key), k, s) row_put(to, s, t->sub.cols, "    ");
		lists_put(to, o, t);
	}
}

/* clang-format off */
static const struct col prdcr_cols[] = {
	{ "name", 16, TEXT }, { "host", 16, TEXT }, { "port", 12, RIGHT }, { "transport", 12, TEXT },
	{ "auth", 16, TEXT }, { "rail", 4, RIGHT }, { "quota", 8, RIGHT }, { "rx_rate", 8, RIGHT },
	{ "state", 12, TEXT }, { "type", 10, TEXT }, { NULL, 0, END },
};
static const struct col prdcr_set_cols[] = {
	{ "inst_name", 16, TEXT }, { "schema_name", 16, TEXT }, { "state", 0, TEXT }, { NULL, 0, END },
};
static const struct col set_cols[] = {
	{ "inst_name", 30, TEXT }, { "schema_name", 16, TEXT }, { "state", 10, TEXT }, { "origin", 16, TEXT },
	{ "producer", 16, TEXT }, { "timestamp", 25, WHEN }, { "duration", 12, SPAN }, { NULL, 0, END },
};
static const struct col updtr_cols[] = {
	{ "name", 16, TEXT }, { "", 16, INTERVAL }, { "auto", 6, TEXT }, { "mode", 15, TEXT }, { "state", 10, TEXT },
	{ NULL, 0, END },
};
static const struct col updtr_prdcr_cols[] = {
	{ "name", 16, TEXT }, { "host", 16, TEXT }, { "port", 12, RIGHT }, { "transport", 12, TEXT },
	{ "state", 12, TEXT }, { NULL, 0, END },
};
static const struct col strgp_cols[] = {
	{ "name", 16, TEXT }, { "container", 16, TEXT }, { "schema", 16, TEXT }, { "regex", 16, TEXT },
	{ "plugin", 16, TEXT }, { "flush", 16, TEXT }, { "state", 10, TEXT }, { "decomp", 0, TEXT }, { NULL, 0, END },
};
static const struct col plugn_cols[] = {
	{ "name", 24, TEXT }, { "plugin", 24, TEXT }, { "type", 12, TEXT }, { "libpath", 0, TEXT }, { NULL, 0, END },
};
static const struct col ctl_prdcr_cols[] = {
	{ "name", 16, TEXT }, { "host", 16, TEXT }, { "port", 11, TEXT }, { "transport", 12, TEXT }, { "state", 12, TEXT },
	{ NULL, 0, END },
};
static const struct col ctl_updtr_prdcr_cols[] = {
	{ "name", 16, TEXT }, { "host", 16, TEXT }, { "port", 11, TEXT }, { "transport", 12, TEXT }, { "state", 0, TEXT },
	{ NULL, 0, END },
};
static const struct col ctl_updtr_cols[] = {
	{ "name", 16, TEXT }, { "interval", 12, TEXT }, { "offset", 12, TEXT }, { "mode", 15, TEXT }, { "state", 0, TEXT },
	{ NULL, 0, END },
};

#define SETS	   { "sets", prdcr_set_cols }
#define NO_PRDCRS  { "advertiser", "bridge" }

static const struct table tables[] = {
	{ .who = OLD_CONTROLLER, .verb = "plugn_status", .cols = plugn_cols,
	  .title = "Config Name              Plugin Name              Type         libpath\n"
		   "------------------------ ------------------------ ------------ ------------\n" },
	{ .who = OLD_CONTROLLER, .verb = "prdcr_set_status", .cols = set_cols,
	  .title = "Name                           Schema Name      State      Origin           Producer         "
		   "Timestamp                 Duration(sec)\n"
		   "------------------------------ ---------------- ---------- ---------------- ---------------- "
		   "------------------------- ------------\n" },
	{ .who = OLD_CONTROLLER, .verb = "prdcr_status", .cols = prdcr_cols, .sub = SETS, .skip_type = NO_PRDCRS,
	  .title = "Name             Host             Port         Transport    auth             Rail quota    "
		   "rx_rate  State        Type                \n"
		   "---------------- ---------------- ------------ ------------ ---------------- ---- -------- "
		   "-------- ------------ --------------------\n" },
	{ .who = OLD_CONTROLLER, .verb = "strgp_status", .cols = strgp_cols, .lists = { "producers", "metrics" },
	  .title = "Name             Container        Schema           Regex            Plugin           Flush            "
		   "State      Decomposition       \n"
		   "---------------- ---------------- ---------------- ---------------- ---------------- ---------------- "
		   "---------- --------------------\n" },
	{ .who = OLD_CONTROLLER, .verb = "updtr_status", .cols = updtr_cols, .sub = { "producers", updtr_prdcr_cols },
	  .title = "Name             Interval:Offset  Auto   Mode            State\n"
		   "---------------- ---------------- ------ --------------- ---------------\n" },
	{ .who = OLD_CTL, .verb = "prdcr_status", .cols = ctl_prdcr_cols, .sub = SETS, .skip_type = NO_PRDCRS,
	  .title = "Name             Host             Port         Transport    State\n"
		   "---------------- ---------------- ------------ ------------ ------------\n" },
	{ .who = OLD_CTL, .verb = "updtr_status", .cols = ctl_updtr_cols, .sub = { "producers", ctl_updtr_prdcr_cols },
	  .title = "Name             Interval     Offset       Mode            State\n"
		   "---------------- ------------ ------------ --------------- ------------\n" },
};

/* What is not a list. */
static const struct facts {
	enum old_ctl who;
	const char *verb, *key, *title;
} facts[] = {
	{ OLD_CONTROLLER, "daemon_status", "state", "Deamon State" }, /* they have it so */
	{ OLD_CONTROLLER, "version", "LDMSD Version", "LDMSD Version" },
	{ OLD_CONTROLLER, "version", "LDMS Protocol Version", "LDMS Protocol Version" },
	{ OLD_CONTROLLER, "version", "LDMSD Plugin Interface Version", "LDMSD Plugin Interface Version" },
	{ OLD_CONTROLLER, "version", "git-SHA", "git-SHA" },
	{ OLD_CTL, "daemon_status", "state", "Daemon State" },
};
/* clang-format on */

static bool facts_put(struct buf *to, enum old_ctl who, const char *verb, const json_t *answer)
{
	char number[32];
	bool any = false;

	for (size_t i = 0; i < sizeof(facts) / sizeof(*facts); i++) {
		if (facts[i].who != who || strcmp(facts[i].verb, verb))
			continue;
		buf_addf(to, "%s: %s\n", facts[i].title, member(answer, facts[i].key, number));
		any = true;
	}
	return any;
}

bool old_tables_put(struct buf *to, enum old_ctl who, const char *verb, const char *json, size_t len)
{
	json_t *answer = json_loadb(json, len, 0, NULL);
	bool done = answer && json_is_object(answer) && facts_put(to, who, verb, answer);

	for (size_t i = 0; i < sizeof(tables) / sizeof(*tables) && answer && !done; i++) {
		if (tables[i].who != who || strcmp(tables[i].verb, verb) || !json_is_array(answer))
			continue;
		table_put(to, &tables[i], answer);
		done = true;
	}
	json_decref(answer);
	return done;
}
