/* book_diff_impl.h - what finding a difference (book_diff.c) and carrying it out (book_steps.c) share. */
#ifndef CORE_CTL_BOOK_DIFF_IMPL_H
#define CORE_CTL_BOOK_DIFF_IMPL_H

#include "core/ctl/book_diff.h"

enum what {
	SAME,
	ADDED,
	REMOVED,
	ANEW,  /* its line or its parts differ */
	USER,  /* nothing of its own, but what it uses is made anew */
	SAY,   /* the line is said again */
	PARTS, /* lines are added and taken away while it runs */
	RERUN, /* stopped, and started with other attributes */
	START,
	STOP,
};

struct change {
	enum book_kind kind;
	enum what what;
	const struct book_item *was, *now; /* one may be NULL */
	const struct book_item *because;   /* USER: this one */
};

struct book_diff {
	struct book *from, *to;
	struct change *v;
	size_t n;
};

/* What a setting is when nobody sets it, and whether it may change while the daemon runs. */
struct setting {
	const char *name, *unset; /* unset: a line; NULL: it cannot be taken back */
};
/* NULL: only a restart changes it. */
const struct setting *setting_find(const char *name);

bool item_has_part(const struct book_item *it, const char *part);

#endif
