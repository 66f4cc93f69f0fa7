/* book_diff.h - the difference of two configurations: in words, and as the commands that lead from one to the other. */
#ifndef CORE_CTL_BOOK_DIFF_H
#define CORE_CTL_BOOK_DIFF_H

#include "core/ctl/book.h"

struct book_diff;

/* Both are sorted, and must outlive it. */
struct book_diff *book_diff_new(struct book *from, struct book *to);
/* The same for an ldmsd, whose updaters know the producers that were there when they were made: where producers come or
 * go, updaters are made anew. */
struct book_diff *book_diff_new_ldmsd(struct book *from, struct book *to);
void book_diff_free(struct book_diff *df);
/* How many objects differ. */
size_t book_diff_n(const struct book_diff *df);
/* Readable lines: "+ prdcr n17 ...", "- strgp x", "~ updtr u interval 1s -> 2s (restart)"; without secrets. */
void book_diff_put(struct buf *out, const struct book_diff *df);
/* May this setting be said anew while the daemon runs? */
bool book_setting_is_live(const char *name);
/* Those among them that only a restart of the daemon can bring about, in words; 0: none. */
size_t book_diff_fixed(struct buf *out, const struct book_diff *df);
/* Leave those out of it. */
void book_diff_leave_fixed(struct book_diff *df);
/* Can the ports be opened that are not open yet? */
int book_diff_try(const struct book_diff *df, struct err *err);

/* One command of those that carry it out. */
enum book_step_kind {
	BOOK_STEP_HALT,  /* it is stopped, */
	BOOK_STEP_DEL,   /* deleted, */
	BOOK_STEP_UNSET, /* a setting is as if nobody had set it, */
	BOOK_STEP_MAKE,  /* made, or said anew, */
	BOOK_STEP_PART,  /* a line of it is added or taken away, */
	BOOK_STEP_RUN,   /* started */
};
struct book_step {
	enum book_step_kind what;
	enum book_kind kind;
	const char *name; /* of the object; borrowed, as is the line */
	const char *line; /* book_line.h */
};
typedef int book_step_fn(void *arg, const struct book_step *st, struct err *err);
/* In the order in which they are carried out; ends at the first that fails. */
int book_diff_steps(const struct book_diff *df, book_step_fn *fn, void *arg, struct err *err);

/* Carry it out; at the first failure it is left as it is then, and d->book knows how far it went. */
int book_diff_apply(const struct book_diff *df, struct daemon *d, struct err *err);

#endif
