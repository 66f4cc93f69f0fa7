/* log.h - the daemon's log: one line an event, the object first.
 *
 *	log_info("producer", "%s: DISCONNECTED -> CONNECTING: retry after 20s", name);
 *
 * prints "    INFO: producer: n17: ..." (the line format of ldmsd, so that sites' filters go on working), with the time
 * in front where log_open() was told so.  Any thread may log.
 */
#ifndef CORE_BASE_LOG_H
#define CORE_BASE_LOG_H

#include <stdbool.h>

#include "core/base/err.h"

enum log_level { LOG_DEBUG_, LOG_INFO_, LOG_WARNING_, LOG_ERROR_, LOG_CRITICAL_, LOG_QUIET_ };

/* Where lines go: a file (appended to, mode 0600), or standard error when `path` is NULL. */
int log_open(const char *path, struct err *err);
/* Likewise with a file that was opened already (takes fd), or a negative errno of opening it. */
int log_use(int fd, const char *path, struct err *err);

/* Take a level's name (DEBUG INFO WARNING ERROR CRITICAL QUIET, any case); -EINVAL with words otherwise. */
int log_level_parse(const char *word, enum log_level *ret, struct err *err);
void log_level_set(enum log_level level);
bool log_wants(enum log_level level);
/* Put the wall-clock time in front of each line. */
void log_time_set(bool on);

void log_line(enum log_level level, const char *subsys, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

#define log_at(level, subsys, ...)                                                                                     \
	do {                                                                                                           \
		if (log_wants(level))                                                                                  \
			log_line(level, subsys, __VA_ARGS__);                                                          \
	} while (0)
#define log_debug(subsys, ...)    log_at(LOG_DEBUG_, subsys, __VA_ARGS__)
#define log_info(subsys, ...)     log_at(LOG_INFO_, subsys, __VA_ARGS__)
#define log_warning(subsys, ...)  log_at(LOG_WARNING_, subsys, __VA_ARGS__)
#define log_error(subsys, ...)    log_at(LOG_ERROR_, subsys, __VA_ARGS__)
#define log_critical(subsys, ...) log_at(LOG_CRITICAL_, subsys, __VA_ARGS__)

#endif
