/* conf_impl.h - what the files of the configuration share: conf_file.c reads, conf_cmd.c checks each line, conf_run.c
 * carries out, conf_try.c tries, conf_lint.c doubts, conf_explain.c shows, conf_yaml*.c read cluster files; conf_mark.h
 * remembers who came first. */
#ifndef CORE_CTL_CONF_IMPL_H
#define CORE_CTL_CONF_IMPL_H

#include <sys/stat.h>
#include <uthash.h>

#include "core/ctl/conf.h"
#include "core/ctl/conf_mark.h"
#include "core/ctl/line.h"
#include "core/ctl/verb.h"

#define INCLUDE_DEPTH 16 /* files within files */

/* Where something was written; from 1. */
struct conf_pos {
	unsigned int line, col;
	bool value; /* of the value of name=value, not of its name */
};

/* A word of a command: borrowed from what the conf keeps, or reads just now. */
struct conf_word {
	char *text;
	struct conf_pos pos;
};

struct cmd {
	const struct verb *verb;
	struct ctl_arg *args;
	struct conf_pos *arg_pos; /* of each, behind the args in the same memory */
	size_t n;
	char *rest;          /* the text of an AT_REST attribute */
	const char *file;    /* conf->origins' */
	struct conf_pos pos; /* of the verb */
	bool done;
	bool noted; /* env, which was carried out while reading */
	bool bad;   /* the trial has shown that it cannot be carried out */
};

struct open_file {
	dev_t dev;
	ino_t ino;
};

struct conf {
	struct open_file open[INCLUDE_DEPTH]; /* `depth` of them: the file being read, and those that include it */
	struct cmd *cmds;
	size_t n, cap;
	char **origins; /* of lines: files and other names */
	size_t origins_n;
	char **files; /* that were read */
	size_t files_n;
	char *once;   /* what was read, and cannot be read again */
	char **texts; /* that words point into */
	size_t texts_n, texts_cap;
	struct conf_word *words; /* of the command being read */
	size_t words_n, words_cap;
	struct mark *broken;  /* names in commands that could not be taken: who refers to them is not to blame */
	struct mark *started; /* "KIND NAME" */
	unsigned int errors, warnings, depth;
	int rc;                 /* of the first error */
	bool unsafe;            /* a line that protects the daemon could not be taken */
	bool elsewhere;       /* of a cluster file: producers of updaters may run on others of a group */
	bool keep_going, holes; /* holes: a file that was to be included is missing */
	unsigned int go;        /* the next one to be carried out */
	void (*complain)(void *arg, const char *words);
	void *arg;
	void (*note)(void *arg, const struct conf_note *note); /* in its place */
	void *note_arg;
};

/* One complaint. */
void conf_error(struct conf *cf, int rc, const char *file, struct conf_pos pos, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));
void conf_warn(struct conf *cf, const char *file, struct conf_pos pos, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
/* The command could not be taken, or fails: notes its name, and whether it is one that protects the daemon. */
void conf_cmd_failed(struct conf *cf, const char *verb, const char *name);
bool conf_guards(const char *verb);

/* A name for complaints; lives as long as the conf. */
const char *conf_origin(struct conf *cf, const char *name);
/* Add a word to the command being read (`text` as in conf_word), and end the command. */
void conf_word(struct conf *cf, char *text, struct conf_pos pos);
void conf_command(struct conf *cf, const char *file);
/* Keep a text for the words that point into it; takes it. */
char *conf_text_keep(struct conf *cf, char *text);
/* All of a file; *ret is yours. */
int conf_slurp(struct conf *cf, const char *path, struct buf *ret, struct err *err);

/* The files that match, in the place of this command. */
int conf_include(struct conf *cf, const struct cmd *cmd, const char *pattern, struct err *err);

/* An argument of a command, and where it is written; NULL when it has none of that name. */
const char *cmd_arg(const struct cmd *cmd, const char *name);
struct conf_pos cmd_arg_pos(const struct cmd *cmd, const char *name);

/* -- the order of carrying out (conf_run.c) -- */
enum { GO_SETTINGS, GO_LISTEN, GO_PLUGINS, GO_OBJECTS, GO_STARTS /* and behind it, by order */ };
#define DEFER_ORDERS 6 /* policies, updaters, producers, who advertises, failover: verbs.c's `order`, from 1 */
/* Is it the command's turn?  `d`: to tell what is about a sampler that is loaded already. */
bool cmd_is_due(const struct cmd *cmd, const struct daemon *d, unsigned int go);
/* Say what became of it. */
void cmd_complain(struct conf *cf, const struct daemon *d, const struct cmd *cmd, int rc, const char *words);

/* -- what the trial found (conf_try.c) -- */
/* Which command starts that object; NULL: none. */
const struct cmd *conf_started(const struct conf *cf, const char *kind, const char *name);

#endif
