/* ldmsd.h - what an ldmsd 4.5.3 says of itself, as a configuration.
 *
 * It has no dump_cfg that could be read over the network; its status answers name producers, updaters, policies and
 * plugins, with most of what they were made with.  What they do not say (the options of a plugin, who samples, domains,
 * subscriptions) is taken from what was sent to this daemon, and else from what is wanted.
 */
#ifndef CORE_MAESTRO_LDMSD_H
#define CORE_MAESTRO_LDMSD_H

#include "core/ctl/book.h"

/* The questions, and what their answers (JSON) say as commands; -EPROTO when an answer is nothing of the kind. */
struct ldmsd_question {
	const char *verb;
	int (*take)(struct book *seen, const char *answer, struct err *err);
};
extern const struct ldmsd_question ldmsd_questions[]; /* ended by a row without verb */

/* Fill in what it does not say.  `sent`: what it was sent since it has been running; NULL: nothing is known of that.
 * What it does not show at all is there when it was sent. */
void ldmsd_fill(struct book *seen, const struct book *sent, const struct book *want);

#endif
