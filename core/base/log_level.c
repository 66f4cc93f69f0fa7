/* log_level.c - which lines are wanted: a set of levels for each subsystem, or those of the default.  See log.h. */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "core/base/log.h"
#include "core/base/regex.h"

#define UP_FROM(level) ((1u << LOG_QUIET_) - (1u << (level)))

static const struct {
	const char *name, *also, *desc;
} rows[LOG_SUBSYSTEMS_N] = {
#define X(id, name, also, desc) { name, also, desc },
	LOG_SUBSYSTEMS(X)
#undef X
};

static const char *const level_names[] = { "DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL", "QUIET" };

/* As ldmsd knows them, too, but only in lists. */
static const struct {
	const char *name;
	enum log_level level;
} short_names[] = { { "WARN", LOG_WARNING_ }, { "CRIT", LOG_CRITICAL_ } };

atomic_uint log_masks[LOG_SUBSYSTEMS_N] = {
#define X(id, name, also, desc) UP_FROM(LOG_INFO_),
	LOG_SUBSYSTEMS(X)
#undef X
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* who changes levels */
static bool own[LOG_SUBSYSTEMS_N];                       /* has levels of its own */

const char *log_level_name(enum log_level level)
{
	return level_names[level];
}

static bool is_word(const char *word, size_t len, const char *name)
{
	return strlen(name) == len && !strncasecmp(word, name, len);
}

static int level_find(const char *word, size_t len)
{
	for (int i = 0; i <= LOG_QUIET_; i++)
		if (is_word(word, len, level_names[i]))
			return i;
	return -EINVAL;
}

static int list_parse(const char *words, uint32_t *ret)
{
	uint32_t mask = 0;
	bool quiet = false;

	for (const char *w = words; *w;) {
		size_t len = strcspn(w, ",");
		int level = len ? level_find(w, len) : LOG_QUIET_;

		for (size_t i = 0; i < sizeof(short_names) / sizeof(*short_names) && level < 0; i++)
			if (is_word(w, len, short_names[i].name))
				level = (int)short_names[i].level;
		if (level < 0)
			return level;
		if (level == LOG_QUIET_)
			quiet |= len;
		else
			mask |= 1u << level;
		w += len + (w[len] == ',');
	}
	*ret = quiet ? 0 : mask;
	return 0;
}

int log_levels_parse(const char *words, uint32_t *ret)
{
	int level;

	if (strchr(words, ','))
		return list_parse(words, ret);
	if (!strcasecmp(words, "default") || !strcasecmp(words, "reset")) {
		*ret = LOG_FOLLOW;
		return 0;
	}
	level = level_find(words, strlen(words));
	if (level >= 0)
		*ret = UP_FROM(level);
	return level < 0 ? level : 0;
}

/* Under the lock. */
static void set(enum log_subsys at, uint32_t mask)
{
	if (at == LOG_DEFAULT && mask == LOG_FOLLOW)
		return; /* it has nobody to follow */
	own[at] = at == LOG_DEFAULT || mask != LOG_FOLLOW;
	log_masks[at] = mask == LOG_FOLLOW ? log_masks[LOG_DEFAULT] : mask;
	if (at != LOG_DEFAULT)
		return;
	for (int i = LOG_DEFAULT + 1; i < LOG_SUBSYSTEMS_N; i++)
		if (!own[i])
			log_masks[i] = mask;
}

/* Is `name` a subsystem's, or, with a regular expression instead, one of its names a match? */
static bool is_meant(int i, const char *name, const struct rx *rx)
{
	char also[64] = "", *at = also;

	if (rx ? rx_match(rx, rows[i].name) : !strcmp(rows[i].name, name))
		return true;
	if (rows[i].also)
		snprintf(also, sizeof(also), "%s", rows[i].also);
	for (char *word; (word = strtok_r(at, " ", &at));)
		if (rx ? rx_match(rx, word) : !strcmp(word, name))
			return true;
	return false;
}

int log_levels_set(const char *name, const char *regex, uint32_t mask)
{
	struct rx rx = { 0 };
	bool found = false;
	int rc = regex ? rx_init(&rx, regex, NULL) : 0;

	if (rc)
		return rc;
	if (!name && !regex)
		name = rows[LOG_DEFAULT].name;
	pthread_mutex_lock(&lock);
	for (int i = 0; i < LOG_SUBSYSTEMS_N; i++) {
		if (!is_meant(i, name, regex ? &rx : NULL))
			continue;
		set((enum log_subsys)i, mask);
		found = true;
	}
	pthread_mutex_unlock(&lock);
	if (regex)
		rx_fini(&rx);
	return found ? 0 : -ENOENT;
}

void log_level_set(enum log_level level)
{
	log_levels_set(NULL, NULL, UP_FROM(level));
}

/* One level alone has a comma behind it: without one it would be those above it, too. */
static const char *levels_text(uint32_t mask, char *text, size_t room)
{
	size_t n = 0;

	for (int i = 0; i < LOG_QUIET_; i++)
		if (mask & 1u << i)
			n += (size_t)snprintf(text + n, room - n, "%s%s", n ? "," : "", level_names[i]);
	if (!n)
		return level_names[LOG_QUIET_];
	if (!strchr(text, ','))
		snprintf(text + n, room - n, ",");
	return text;
}

void log_subsys_each(void (*fn)(void *arg, const char *name, const char *desc, const char *levels), void *arg)
{
	char text[64];

	pthread_mutex_lock(&lock);
	for (int i = 0; i < LOG_SUBSYSTEMS_N; i++)
		fn(arg, rows[i].name, rows[i].desc,
		   i == LOG_DEFAULT || own[i] ? levels_text(log_masks[i], text, sizeof(text)) : "default");
	pthread_mutex_unlock(&lock);
}
