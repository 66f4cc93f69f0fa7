/* book.h - the configuration of a daemon as the commands that made it.
 *
 * Every command that succeeded, from a file or over the network, is noted here: what makes an object is its line, what
 * changes it changes the line, what deletes it takes the line away.  So the book is always the shortest configuration
 * that gives the same daemon: dump_cfg prints it, and a reload compares two books.  What a verb does to the book is its
 * row in book_verbs.c; a verb without a row is one that configures nothing.
 *
 * Values are as the verbs' rows have them: variables replaced, times and sizes in one spelling, defaults left out.
 * All of this is the main loop's.
 */
#ifndef CORE_CTL_BOOK_H
#define CORE_CTL_BOOK_H

#include <uthash.h>

#include "core/ctl/verb.h"

/* Kinds of objects, in the order of making them; in the reverse order they go. */
enum book_kind {
	BOOK_ENV,
	BOOK_SETTING,
	BOOK_LOG,
	BOOK_LIMIT,
	BOOK_AUTH,
	BOOK_LISTEN,
	BOOK_PLUGIN,
	BOOK_PRDCR,
	BOOK_SUB,
	BOOK_ADVERTISER,
	BOOK_PRDCR_LISTEN,
	BOOK_SETGROUP,
	BOOK_SEC_MOD,
	BOOK_UDATA,
	BOOK_UPDTR,
	BOOK_STRGP,
	BOOK_QGROUP_MEMBER,
	BOOK_QGROUP,
	BOOK_FAILOVER,
	BOOK_KINDS
};

/* What a verb does to the object that it names. */
enum book_act {
	BOOK_ADD,    /* makes it; -EEXIST */
	BOOK_DEL,    /* it goes */
	BOOK_RUN,    /* starts it; other attributes of the verb change what it was made with, or are kept (own_run) */
	BOOK_HALT,   /* stops it */
	BOOK_PART,   /* adds a line to it */
	BOOK_UNPART, /* takes such a line (of the verb `of`) away */
	BOOK_SET,    /* sets it anew: the attributes that are given, the others stay */
	BOOK_FIRST,  /* sets it when nothing did before */
	BOOK_MOD,    /* all attributes of the verb are those that it now has */
	BOOK_WORDS,  /* NAME=VALUE ...: an object for each */
};

struct book_verb {
	const char *verb;
	enum book_act act;
	enum book_kind kind;
	const char *of; /* UNPART: the verb of the part; SET, FIRST, MOD: the name of the object, and its verb else */
	bool draft; /* carried out in a draft, too (daemon.h): it makes or changes objects that nobody outside sees */
};
extern const struct book_verb book_verbs[]; /* ended by a row without verb */
const struct book_verb *book_verb_find(const char *verb);

struct book_kind_row {
	const char *word;             /* for people: "prdcr" */
	enum attr_id key[3];          /* the attributes that name it; 0: no more */
	const char *del, *run, *halt; /* verbs; NULL: there is none */
	const char *unpart;           /* takes a line away while it runs; NULL: it is made anew for that */
	bool own_run;                 /* the start has attributes of its own */
	bool live;                    /* its verb may be said again with other values */
};
extern const struct book_kind_row book_kinds[BOOK_KINDS];

/* An attribute of one kind that names an object of another: when that is made anew, so are its users. */
struct book_ref {
	enum book_kind from;
	enum attr_id attr;
	enum book_kind to;
};
extern const struct book_ref book_refs[]; /* ended by a row with attr 0 */

struct book_item {
	UT_hash_handle hh;
	char *line;   /* that makes it: see book_line.h */
	char *run;    /* that starts it, where that has attributes; NULL */
	char **parts; /* lines that were added to it, in order */
	unsigned int n_parts;
	bool on;   /* was started */
	const char *anew; /* a reload's: why it is made anew with the same lines; NULL: it is not */
	char name[];
};

struct book {
	struct book_item *items[BOOK_KINDS];
};

struct book *book_new(void);
void book_free(struct book *b); /* NULL is fine */
struct book *book_copy(const struct book *b);
/* The command was carried out.  -ENOENT, -EEXIST when it does not suit what is noted: it is then not noted. */
int book_note(struct book *b, const struct ctl *c, struct err *err);
/* The same with a line of our own making, of a verb that sets something. */
int book_note_line(struct book *b, const char *line, struct err *err);
struct book_item *book_find(const struct book *b, enum book_kind kind, const char *name);
/* A copy of the object takes the place of the one of its name. */
void book_put_item(struct book *b, enum book_kind kind, const struct book_item *it);
void book_del(struct book *b, enum book_kind kind, struct book_item *it);
/* By name, as people read lists. */
void book_sort(struct book *b);

/* The verb with what names the object ("prdcr_start name=n1"), and what starts it; lines, yours. */
char *book_call(enum book_kind kind, const struct book_item *it, const char *verb);
char *book_run_line(enum book_kind kind, const struct book_item *it);

/* All of it as a configuration file. */
void book_put(struct buf *out, struct book *b);

#endif
