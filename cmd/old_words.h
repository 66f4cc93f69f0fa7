/* old_words.h - with which words ldmsd_controller begins to tell that a command failed */
#ifndef CMD_OLD_WORDS_H
#define CMD_OLD_WORDS_H

#include "core/ctl/line.h"

/* What comes before the daemon's own words; `code` is its errno. */
void old_words_put(struct buf *to, const struct line *l, int code);

#endif
