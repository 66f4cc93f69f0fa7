/* confine.h - what a daemon gives up when it has started: root's rights (--user), and all files but those that its
 * configuration names (--sandbox).
 *
 * The order of a start: settings are carried out (ports are bound, the log is opened), plugins are loaded and stores
 * configured; meanwhile verbs note here the paths and capabilities that they will want.  Then confine_enter(), while
 * there is one thread and no peer is served yet.  From then on the same functions check, and refuse in words what is
 * out of reach.  A daemon with neither option has none (NULL), and every function takes that.
 */
#ifndef CORE_DAEMON_CONFINE_H
#define CORE_DAEMON_CONFINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/err.h"
#include "core/base/user.h"

enum confine_sandbox { SANDBOX_OFF, SANDBOX_ON, SANDBOX_REQUIRED };

struct confine_conf {
	const char *user;             /* USER[:GROUP]; NULL: stay who we are */
	enum confine_sandbox sandbox; /* ON: with what the kernel has; REQUIRED: all of it, or no start */
	const char *sysroot;          /* what is sampled is read below it; NULL or "": / */
};

enum confine_path {
	PATH_READ, /* a file or a folder */
	PATH_DIR,  /* a folder that is written below; made when it is missing */
	PATH_FILE, /* a file that is made or written; so its folder is */
};

struct confine;
/* *ret is NULL when nothing is to be given up.  -ENOENT, -EPERM with words about the user. */
int confine_new(const struct confine_conf *conf, struct confine **ret, struct err *err);
void confine_free(struct confine *c);
/* Whom the daemon will be, NULL when that does not change. */
const struct user *confine_user(const struct confine *c);

/* `what` wants this path (is noted before confine_enter(), and checked later: -EACCES with what to do). */
int confine_path(struct confine *c, const char *what, enum confine_path kind, const char *path, struct err *err);
/* The folder that a file is in; yours. */
char *confine_folder_of(const char *path);
/* Likewise with capabilities, named as in samp_type.caps; -EPERM later when they were not kept. */
int confine_caps(struct confine *c, const char *what, const char *caps, struct err *err);
/* Open, or make, a file that the daemon writes for as long as it runs; a new one is given to the user where `give`:
 * what the user's other programs may then write, too.  The descriptor, or a negative errno without words. */
int confine_open(struct confine *c, const char *path, int flags, bool give);
/* log_open() within these rules. */
int confine_log(struct confine *c, const char *path, struct err *err);

/* Make and check the folders, be the user, close the sandbox, and log what was kept.  One thread.  What fails before
 * the rights are gone names the remedy; nothing may go on after a failure. */
int confine_enter(struct confine *c, struct err *err);
/* Put in front of an error that came of missing rights why they are missing. */
int confine_blame(const struct confine *c, int rc, struct err *err);

/* For status: whom the process is now (a number, where --user gave no name), what it may ("all", "none", or names), and
 * "off" or what holds it.  Into buffers of CAPS_TEXT_MAX bytes. */
void confine_status(const struct confine *c, char *user, char *caps, char *sandbox);

#endif
