/* roll.h - when a file is closed and the next one begun: the attributes rolltype, rollover, rollagain and rollempty of
 * stores that write files. */
#ifndef STORE_ROLL_H
#define STORE_ROLL_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/err.h"

/* As ldmsd numbers it. */
enum roll_type {
	ROLL_NONE,
	ROLL_EVERY,
	ROLL_DAILY,
	ROLL_ROWS,
	ROLL_BYTES,
	ROLL_DAILY_EVERY,
	ROLL_MAX = ROLL_DAILY_EVERY
};

struct roll {
	enum roll_type type;
	uint64_t over, again; /* seconds, rows, or bytes */
	bool empty;           /* also without rows */
};

/* The attributes as they were given; NULL: not. */
struct roll_texts {
	const char *type, *over, *again, *empty;
};
/* -EINVAL with words that begin with the store's name. */
int roll_read(struct roll *ret, const char *who, const struct roll_texts *t, struct err *err);

/* When a file that was opened at that second rolls over, by the clock: INT64_MAX for never. */
int64_t roll_due(const struct roll *roll, int64_t opened_s);
/* Has a file of so many rows and bytes had enough? */
bool roll_full(const struct roll *roll, uint64_t rows, uint64_t bytes);

#endif
