/* ctl.h - `ldms ctl`: what one command, scripts and the prompt share. */
#ifndef CMD_CTL_H
#define CMD_CTL_H

#include "cmd/cmd.h"
#include "cmd/ctl_show.h"
#include "cmd/tool.h"
#include "core/ctl/client.h"

/* Whom commands go to, and how their answers are shown.  The connection is made when the first one needs it. */
struct ctl_session {
	const char *self; /* "ldms ctl" */
	struct client_conf conf;
	const char *peer;      /* "n17:411" */
	struct client *client; /* NULL: not connected (any more) */
	enum ctl_form form;
	bool prompt; /* somebody sits there */
	bool quit;   /* that was said */
};

/* -- ctl_run.c ----------------------------------------------------------------------------------------------------- */

/* A line on stderr; words of a peer may be in it, and lose what is not harmless on a terminal. */
void ctl_say(const struct ctl_session *s, const char *where, const char *words);
/* An answer goes out at once: a program may wait for it. */
void ctl_print(const struct buf *text);
/* Connect, if that is not so; what goes wrong is said. */
enum exit_status ctl_connect(struct ctl_session *s, const char *where);
/* Carry out one command; its answer goes to stdout.  What goes wrong is said, behind `where` ("FILE:12: ", or ""). */
enum exit_status ctl_command(struct ctl_session *s, const char *command, const char *where);
/* The lines of a file ("-": standard input).  Stops at the first error, or, with keep_going, at one of the connection;
 * the status is that of the first error. */
enum exit_status ctl_script(struct ctl_session *s, const char *path, bool keep_going);
/* Ask without showing: the daemon's errno, or negative with words; see client_ask(). */
int ctl_ask(struct ctl_session *s, const char *command, struct buf *answer, enum exit_status *status, struct err *err);

/* -- words of our own, beside the verbs ---------------------------------------------------------------------------- */

struct ctl_word {
	const char *name;
	enum exit_status (*run)(struct ctl_session *s, const char *arg, const char *where);
	const char *help;
};
extern const struct ctl_word ctl_words[]; /* ended by one without name */

enum exit_status ctl_help(struct ctl_session *s, const char *arg, const char *where);  /* ctl_help.c */
enum exit_status ctl_stats(struct ctl_session *s, const char *arg, const char *where); /* ctl_stats.c */

/* -- the prompt (ctl_prompt.c) ---------------------------------------------------------------------------------------
 */

enum exit_status ctl_prompt(struct ctl_session *s);

/* -- completion (ctl_complete.c) -------------------------------------------------------------------------------------
 */

struct ctl_list {
	char **v;
	size_t n;
};
void ctl_list_fini(struct ctl_list *l);
/* What may stand in place of the last word of a line that is not finished, in alphabetical order.  `names` adds those
 * that the daemon knows, out of the answer to a status verb.  The length of that last word. */
size_t ctl_complete(const char *line, void (*names)(void *arg, const char *status_verb, struct ctl_list *to), void *arg,
		    struct ctl_list *ret);
/* Add the members `name` of the objects in a status verb's answer. */
void ctl_list_names(struct ctl_list *to, const char *json, size_t len);

#endif
