/* conf.h - configuration files: verbs in lines (man ldms.conf).
 *
 * All files are read and checked first, every complaint with file:line; nothing runs when there is one.  Then the
 * commands run in goes, as in ldmsd: those that are settings (env, auth_add, ...), listen, the rest in order, and at
 * last the starts of policies, updaters, producers, and who advertises and listens.  Of the rest, plugins are loaded and stores
 * configured first: then all is known that the daemon needs of the system, and it can give up what it does not.
 */
#ifndef CORE_CTL_CONF_H
#define CORE_CTL_CONF_H

#include "core/base/err.h"
#include "core/daemon/daemon.h"

struct conf;

/* Errors are handed to `complain` one by one, as "FILE:LINE: what; what to do". */
struct conf *conf_new(void (*complain)(void *arg, const char *words), void *arg);
void conf_free(struct conf *cf);

/* Read a file ("-": standard input).  Complaints are counted; -ENOENT etc. only for the file itself. */
int conf_read(struct conf *cf, const char *path, struct err *err);
/* Take lines from memory; `origin` stands for the file's name in complaints ("--samp"). */
void conf_text(struct conf *cf, const char *origin, const char *text);
unsigned int conf_errors(const struct conf *cf);
/* The first thing that was read and cannot be read again (standard input, a pipe), NULL: there is none. */
const char *conf_once(const struct conf *cf);
/* The i-th file that was read (not pipes and the like), NULL behind the last one. */
const char *conf_file(const struct conf *cf, size_t i);
/* Carry out the settings, load the plugins and configure the stores: no thread of the daemon is needed for these. */
int conf_prepare(struct conf *cf, struct daemon *d);
/* Carry out all, or what conf_prepare() left.  Stops at the first command that fails: a complaint, and its negative
 * errno; and quietly when the daemon's main loop was told to stop. */
int conf_run(struct conf *cf, struct daemon *d);

#endif
