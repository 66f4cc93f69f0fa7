/* log_fold.c - a line that is said again and again is counted.  See log_impl.h.
 *
 * For each subsystem its last line is kept.  The same line once more, within a while, is held back, and said with the
 * number when another line of that subsystem comes, or when it has been held for a while.  What is not quite the same
 * (another peer) is the business of those who say it: xprt/rare.h, core/daemon/prdcr_outage.h.
 */
#include <stdio.h>
#include <string.h>

#include "core/base/log_impl.h"
#include "core/base/unit.h"

#define FOLD_US  (10 * SEC_US) /* held for so long: an operator who watches the log should see that it goes on */
#define FOLD_LEN 512           /* bytes of a text; longer ones are never the same */

static struct fold {
	char text[FOLD_LEN];
	char subsys[LOG_NAME_MAX]; /* those without levels of their own share the default's */
	size_t len;                /* 0: none */
	enum log_level level;
	struct timespec at; /* of the last one */
	unsigned long held;
	int64_t since_us; /* when it was said last, or held first */
} folds[LOG_SUBSYSTEMS_N];

static int64_t due_us = INT64_MAX;

static bool is_same(const struct fold *f, const struct log_entry *e)
{
	return f->len == e->len && f->level == e->level && !memcmp(f->text, e->text, e->len) &&
	       !strcmp(f->subsys, e->subsys);
}

static void say(struct fold *f, log_put_fn *put)
{
	char text[FOLD_LEN + 64];
	struct log_entry e = { .at = f->at, .level = f->level, .subsys = f->subsys, .text = text };

	e.len = (size_t)snprintf(text, sizeof(text), "%.*s (repeated %lu time%s)", (int)f->len, f->text, f->held,
				 f->held == 1 ? "" : "s");
	f->held = 0;
	put(&e);
}

bool log_fold(const struct log_entry *e, int64_t now_us, log_put_fn *put)
{
	struct fold *f = &folds[log_subsys(e->subsys)];

	if (f->len && is_same(f, e) && (f->held || now_us - f->since_us < FOLD_US)) {
		f->at = e->at;
		if (!f->held++) {
			f->since_us = now_us;
			if (due_us > now_us + FOLD_US)
				due_us = now_us + FOLD_US;
		}
		return true;
	}
	if (f->held)
		say(f, put);
	f->len = e->len <= sizeof(f->text) ? e->len : 0;
	memcpy(f->text, e->text, f->len);
	snprintf(f->subsys, sizeof(f->subsys), "%s", e->subsys);
	f->level = e->level;
	f->since_us = now_us;
	return false;
}

void log_fold_flush(int64_t now_us, bool all, log_put_fn *put)
{
	int64_t next = INT64_MAX;

	for (size_t i = 0; i < LOG_SUBSYSTEMS_N; i++) {
		struct fold *f = &folds[i];

		if (f->held && (all || f->since_us + FOLD_US <= now_us)) {
			say(f, put);
			f->since_us = now_us;
		} else if (f->held && f->since_us + FOLD_US < next) {
			next = f->since_us + FOLD_US;
		}
	}
	due_us = next;
}

int64_t log_fold_due_us(void)
{
	return due_us;
}
