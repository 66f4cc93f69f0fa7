/* conf.h - configuration files: verbs in lines (man ldms.conf).
 *
 * All files are read and checked first, every complaint with file:line:column; then all is tried on a daemon that never
 * runs, which finds names that nobody has defined and the like.  Nothing runs when there is a complaint, unless the
 * operator wants to go on with what is left.  Then the commands run in goes, as in ldmsd: those that are settings (env,
 * auth_add, ...), listen, the rest in order, and at last the starts of policies, updaters, producers, and who
 * advertises and listens.  Of the rest, plugins are loaded and stores configured first: then all is known that the
 * daemon needs of the system, and it can give up what it does not.
 */
#ifndef CORE_CTL_CONF_H
#define CORE_CTL_CONF_H

#include "core/base/buf.h"
#include "core/base/err.h"
#include "core/daemon/daemon.h"

struct conf;

/* One complaint. */
struct conf_note {
	const char *file;
	unsigned int line, col; /* 0: of the file as a whole */
	bool warning;           /* suspicious, but it can be carried out */
	const char *words;
};

/* Errors are handed to `complain` one by one, as "FILE:LINE:COLUMN: what; what to do". */
struct conf *conf_new(void (*complain)(void *arg, const char *words), void *arg);
void conf_free(struct conf *cf);
/* Hand complaints, and warnings, to `note` instead. */
void conf_notes(struct conf *cf, void (*note)(void *arg, const struct conf_note *note), void *arg);

/* Read a file ("-": standard input).  Complaints are counted; -ENOENT etc. only for the file itself. */
int conf_read(struct conf *cf, const char *path, struct err *err);
/* Take lines from memory; `origin` stands for the file's name in complaints ("--samp"). */
void conf_text(struct conf *cf, const char *origin, const char *text);
/* Read what a cluster file (YAML) says for one daemon.  Likewise. */
int conf_read_yaml(struct conf *cf, const char *path, const char *daemon, struct err *err);
/* The daemon that a cluster file means on this host: the one of that name, else the only one that has this host, of
 * several the only one that collects (or does not); yours.  -ENOENT, -ENOTUNIQ with words.  A file that is no YAML or
 * names no daemon leaves *ret alone: reading it says what is wrong. */
int conf_yaml_here(const char *path, const char *host, bool collects, char **ret, struct err *err);
void conf_text_yaml(struct conf *cf, const char *origin, const char *text, size_t len, const char *daemon);

/* A file could not be read at all: counts as a complaint. */
void conf_missed(struct conf *cf, int rc, const char *words);

unsigned int conf_errors(const struct conf *cf);
/* The first thing that was read and cannot be read again (standard input, a pipe), NULL: there is none. */
const char *conf_once(const struct conf *cf);
unsigned int conf_warnings(const struct conf *cf);
/* The negative errno of the first complaint. */
int conf_rc(const struct conf *cf);
/* Go on without the lines that fail.  Those that say who may do what are never left out: conf_unsafe(). */
void conf_keep_going(struct conf *cf);
/* Was there a complaint about a line that protects the daemon? */
bool conf_unsafe(const struct conf *cf);
/* The i-th file that was read (not pipes and the like), NULL behind the last one. */
const char *conf_file(const struct conf *cf, size_t i);

/* Carry all out on `d`, a daemon made for that (daemon_conf.hold) and thrown away: no port is opened, nobody is asked,
 * no source is looked at.  Complaints are counted. */
enum conf_try { CONF_TRY_DAEMON, CONF_TRY_CHECK /* variables may be set elsewhere: without them nothing is wrong */ };
void conf_try(struct conf *cf, struct daemon *d, enum conf_try how);
/* Warn of what is suspicious; behind conf_try() with the same daemon.  `resolve`: look host names up. */
void conf_lint(struct conf *cf, struct daemon *d, bool resolve);
/* The objects, and which line gave each value: as text, or as a JSON list.  Behind conf_try(). */
void conf_explain(const struct conf *cf, struct buf *to, bool json);

/* Carry out the settings, load the plugins and configure the stores: no thread of the daemon is needed for these. */
int conf_prepare(struct conf *cf, struct daemon *d);
/* Carry out all, or what conf_prepare() left.  Stops at the first command that fails: a complaint, and its negative
 * errno; and quietly when the daemon's main loop was told to stop. */
int conf_run(struct conf *cf, struct daemon *d);

#endif
