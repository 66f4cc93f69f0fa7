/* log_impl.h - what the parts of the log share: a line on its way from who says it (log.c) past its repetitions
 * (log_fold.c), through a queue (log_queue.c), into bytes (log_format.c), to a file or a service (log_sink.c). */
#ifndef CORE_BASE_LOG_IMPL_H
#define CORE_BASE_LOG_IMPL_H

#include <stddef.h>
#include <time.h>

#include "core/base/log.h"

#define LOG_TEXT_MAX  1600                                      /* bytes of a line's text; longer ones are cut */
#define LOG_NAME_MAX  32                                        /* bytes of a subsystem's name */
#define LOG_BYTES_MAX (6 * (LOG_TEXT_MAX + LOG_NAME_MAX) + 256) /* ... when each needs to be escaped */

struct log_entry {
	struct timespec at;
	enum log_level level;
	const char *subsys, *text;
	size_t len; /* of the text */
};

/* -- log_format.c -------------------------------------------------------------------------------------------------- */

/* Into at least LOG_BYTES_MAX bytes; how many.  With its newline. */
size_t log_format(const struct log_entry *e, char *to);
/* The datagrams of syslog (3164) and of journald's socket. */
size_t log_format_syslog(const struct log_entry *e, char *to);
size_t log_format_journal(const struct log_entry *e, char *to);
/* Text in which nothing ends the line or moves the cursor: such bytes become \n or \x1b.  At most 4 bytes each. */
size_t log_escape(char *to, const char *text, size_t len);

/* -- log_fold.c: the caller has the queue's lock ------------------------------------------------------------------- */

typedef void log_put_fn(const struct log_entry *e);
/* Is it the last line of its subsystem once more?  Then it is counted.  Else that is put first, as often as it was. */
bool log_fold(const struct log_entry *e, int64_t now_us, log_put_fn *put);
/* Say what has been counted for long enough, or all. */
void log_fold_flush(int64_t now_us, bool all, log_put_fn *put);
/* When log_fold_flush() has to be called; INT64_MAX: not. */
int64_t log_fold_due_us(void);

/* -- log_sink.c ---------------------------------------------------------------------------------------------------- */

struct log_sink;
/* Standard error, or journald where that reads it. */
struct log_sink *log_sink_dflt(void);
struct log_sink *log_sink_file(int fd, const char *path); /* takes fd */
/* NULL with words when nobody listens there. */
struct log_sink *log_sink_service(const char *name, struct err *err);
void log_sink_free(struct log_sink *s);
/* 0, -EAGAIN when it would have to wait for more than wait_ms, or another negative errno: then it is lost. */
int log_sink_write(struct log_sink *s, const struct log_entry *e, int wait_ms);
/* NULL when it is no file. */
const char *log_sink_path(const struct log_sink *s);
/* Open the file under its name again; on failure the old one stays. */
int log_sink_reopen(struct log_sink *s);

/* -- log_queue.c --------------------------------------------------------------------------------------------------- */

void log_queue_put(const struct log_entry *e);
/* From the next line on; takes it. */
void log_queue_sink(struct log_sink *s);
/* A copy of the path of the file that is written; NULL: none.  Yours. */
char *log_queue_path(void);

#endif
