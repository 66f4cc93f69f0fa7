/* log.h - the daemon's log: one line an event, the object first.
 *
 *	log_info("producer", "%s: DISCONNECTED -> CONNECTING: retry after 20s", name);
 *
 * prints "    INFO: producer: n17: ..." (the line format of ldmsd, so that sites' filters go on working), with the time
 * in front, or the same as JSON or logfmt.  Any thread may log.
 *
 * A line never hurts.  One that is not wanted costs a load.  One that is equal to the last one of its subsystem is
 * counted, and said again with the number ("repeated 512 times").  From log_begin() on, lines are written by a thread
 *of their own: a full disk, or a pipe that nobody reads, loses lines, which are counted, and holds up nobody.  Whatever
 * peers and files put into a line, it stays one line without control characters.
 */
#ifndef CORE_BASE_LOG_H
#define CORE_BASE_LOG_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/base/err.h"

/* A line of level LOG_QUIET_ is said whatever the level is (by log_line() alone). */
enum log_level { LOG_DEBUG_, LOG_INFO_, LOG_WARNING_, LOG_ERROR_, LOG_CRITICAL_, LOG_QUIET_ };

/* Every subsystem that has a level of its own; lines of other names follow the first.  `also`: the names that ldmsd has
 * for it (NULL: this one). */
#define LOG_SUBSYSTEMS(X)                                                                                              \
	X(DEFAULT, "ldmsd", NULL, "The default log subsystem")                                                         \
	X(ADVERTISER, "advertiser", NULL, "Connections to those who are told of this daemon")                          \
	X(AUTH_MUNGE, "auth.munge", NULL, "Messages of authentication munge")                                          \
	X(CONFIG, "config", NULL, "Messages for the configuration infrastructure")                                     \
	X(FAILOVER, "failover", NULL, "Messages for the failover infrastructure")                                      \
	X(MSG, "msg", "ldms.msg", "LDMS Message Service")                                                              \
	X(PRODUCER, "producer", NULL, "Messages for the producer infrastructure")                                      \
	X(QGROUP, "qgroup", NULL, "Messages of the members of the quota group")                                        \
	X(SAMPLER, "sampler", NULL, "Messages for the common sampler infrastructure")                                  \
	X(STORE, "store", NULL, "Messages for the common storage infrastructure")                                      \
	X(STREAM, "stream", NULL, "Messages for the stream infrastructure")                                            \
	X(UPDATER, "updater", NULL, "Messages for the updater infrastructure")                                         \
	X(XPRT, "xprt", "xprt.ldms xprt.zap xprt.zap.sock", "Connections, and what peers send over them")

enum log_subsys {
#define X(id, name, also, desc) LOG_##id,
	LOG_SUBSYSTEMS(X)
#undef X
		LOG_SUBSYSTEMS_N
};

/* -- levels -------------------------------------------------------------------------------------------------------- */

/* Bit 1 << level for each level that a subsystem's lines may have. */
extern atomic_uint log_masks[LOG_SUBSYSTEMS_N];

/* For a name that the compiler knows this is a number. */
static inline enum log_subsys log_subsys(const char *name)
{
#define X(id, word, also, desc)                                                                                        \
	if (!__builtin_strcmp(name, word))                                                                             \
		return LOG_##id;
	LOG_SUBSYSTEMS(X)
#undef X
	return LOG_DEFAULT;
}

static inline bool log_wants(enum log_level level, const char *subsys)
{
	return atomic_load_explicit(&log_masks[log_subsys(subsys)], memory_order_relaxed) & 1u << level;
}

#define LOG_FOLLOW UINT32_MAX /* no levels of its own: those of the default */

/* What is wanted, in words: a level and those above it, in any case ("INFO"; QUIET: nothing), exactly those of a list
 * ("INFO,ERROR", "DEBUG,"), or LOG_FOLLOW ("default", "reset").  -EINVAL. */
int log_levels_parse(const char *words, uint32_t *ret);
/* Of the subsystem of that name, of all that match a regular expression (either may be NULL), or else of the default
 * and those that follow it.  -ENOENT: there is none; -EINVAL: a bad expression. */
int log_levels_set(const char *name, const char *regex, uint32_t mask);
/* This level and those above it, for the default. */
void log_level_set(enum log_level level);
/* Every subsystem in the order of names behind the default: its levels as ldmsd says them ("INFO,ERROR", "DEBUG,",
 * "QUIET"), or "default" where it follows that. */
void log_subsys_each(void (*fn)(void *arg, const char *name, const char *desc, const char *levels), void *arg);
/* "DEBUG" ... */
const char *log_level_name(enum log_level level);

/* -- where lines go ------------------------------------------------------------------------------------------------ */

/* A file (appended to, mode 0600), "syslog" or "journald" (also with another socket's path behind a colon), or standard
 * error when `path` is NULL: journald's own protocol, where that is what reads it. */
int log_open(const char *path, struct err *err);
/* Is that the name of a service, and not of a file? */
bool log_is_service(const char *path);
/* Use a file that was opened already (takes fd), or a negative errno of opening it.  Without a path it is never opened
 * anew. */
int log_use(int fd, const char *path, struct err *err);
/* Open the file again under its name: somebody has renamed it (SIGHUP).  What goes wrong is logged; then the old one is
 * written to further on. */
void log_reopen(void);
/* Rename the file to PATH-SECONDS and begin a new one; -EINVAL when the log goes to no file. */
int log_rotate(struct err *err);
/* text, ldmsd (the same without time), json, logfmt.  -EINVAL with words. */
int log_format_set(const char *name, struct err *err);

/* From here on nobody waits for the log: there may be threads now. */
int log_begin(struct err *err);
/* All that was said is written, unless that takes longer; then lines are written by those who say them, again. */
void log_end(int64_t deadline_us);

/* -- saying it ----------------------------------------------------------------------------------------------------- */

void log_line(enum log_level level, const char *subsys, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

#define log_at(level, subsys, ...)                                                                                     \
	do {                                                                                                           \
		if (log_wants(level, subsys))                                                                          \
			log_line(level, subsys, __VA_ARGS__);                                                          \
	} while (0)
#define log_debug(subsys, ...)    log_at(LOG_DEBUG_, subsys, __VA_ARGS__)
#define log_info(subsys, ...)     log_at(LOG_INFO_, subsys, __VA_ARGS__)
#define log_warning(subsys, ...)  log_at(LOG_WARNING_, subsys, __VA_ARGS__)
#define log_error(subsys, ...)    log_at(LOG_ERROR_, subsys, __VA_ARGS__)
#define log_critical(subsys, ...) log_at(LOG_CRITICAL_, subsys, __VA_ARGS__)

#endif
