/* reload.h - the configuration files are read again, and what differs is carried out: all of it, or nothing.
 *
 * Everything is read and checked first, in a draft: a daemon of its own that makes all objects and runs none of them.
 * Its configuration is compared with the running one, commands that came over the network included; a reload leads back
 * to what the files say.  What cannot change while the daemon runs refuses the whole.  When a command fails in the
 * middle all the same, what was done is taken back.
 */
#ifndef CORE_CTL_RELOAD_H
#define CORE_CTL_RELOAD_H

#include "core/base/buf.h"
#include "core/ctl/conf.h"

struct reload_conf {
	/* Gather what the daemon was started with, files and command line. */
	int (*gather)(void *arg, struct conf *cf, struct err *err);
	void *arg;
};

struct reload;
/* Before the first gathering: the environment is remembered as it is now. */
struct reload *reload_new(const struct reload_conf *conf);
void reload_free(struct reload *r); /* NULL is fine */
/* The daemon was started with `cf`. */
void reload_began(struct reload *r, const struct conf *cf);

/* On the main loop.  The difference is added to `said`, a line for each object; `test`: nothing else is done.  On
 * failure the daemon is as before, err says why, and `said` what is wrong (file:line), or would have been done. */
int reload_run(struct daemon *d, bool test, struct buf *said, struct err *err);
/* The same, and the log tells. */
int reload_say(struct daemon *d, bool test, struct buf *said, struct err *err);

#endif
