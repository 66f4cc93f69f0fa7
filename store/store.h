/* store.h - what a store plugin is.  To add one: store/NAME.c with a `const struct store_type store_NAME`, and
 * X(NAME) in stores.c.
 *
 * A store instance (`load name=x plugin=csv`, `config name=x path=...`) is shared by the policies that name it.  Its
 * functions are called by store workers, one at a time for each container: a policy's rows come in order, and what may
 * wait (files, databases) may wait here.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "core/base/err.h"
#include "core/base/kv.h"
#include "store/row.h"

struct store;      /* an instance; the daemon's */
struct store_sink; /* one container of it, opened for one policy; the plugin's */
struct undo;

struct store_attr {
	const char *name;
	const char *dflt; /* in words, for help; NULL: required or none */
	const char *help;
	/* What is written there, for people: as ldms-stores(7) calls it under "Values", words with | between for one of
	 * them; NULL: a text. */
	const char *type;
};

/* What ldms-stores(7) and `ldms store help` say of a store beside its attributes. */
struct store_about {
	const char *example; /* lines of a configuration, from `load` on, that can be carried out */
	const char *flush;   /* when what came is stored, and where it is then */
	const char *once;    /* whether it comes once: what a restart, a failure or a kill do to that */
};

/* `--to WORD:VALUE` of daemons that have no configuration file: what it says in the lines of one. */
struct store_to {
	const char *word; /* "csv" */
	const char *form; /* what VALUE is, for people: "DIR", "HOST:PORT[,...][/TOPIC]"; "": there is none */
	const char *attr; /* the attribute of `config` that takes it; NULL: it is the container of every policy */
	const char
		*tail; /* the attribute that takes what stands behind the first '/' of VALUE, where one is; or NULL */
	const char *more;      /* further attributes, as "flavor=vm"; or NULL */
	const char *container; /* of every policy; NULL: the schema's name, and "." for a policy of all schemas */
	const char *help;
};

struct store_type {
	const char *name; /* "csv"; `load name=store_csv` and `plugin=store_csv` find it too */
	const char *brief;
	const char *needs;                /* the library that this build lacks, or NULL */
	const char *path;                 /* of another maker's: the object it came from; NULL: it is ours */
	const struct store_attr *attrs;   /* ended by a row without name */
	const char *dir_attr, *file_attr; /* the attribute that is a folder, or a file, that is written; or NULL */
	const char *reads;         /* attributes that are files to read, also later: "ca key", for --sandbox; or NULL */
	const struct store_to *to; /* short forms, ended by a row without word; or NULL: a word does not suffice */
	size_t state_size;         /* bytes of store_state(), zeroed before config */
	/* Of a store that also stores what row() has taken before it is told to flush: so many bytes of sets come from a
	 * spool at the most until it is.  When the process is killed, rows that are stored and were not flushed are in the
	 * spool still, and come again (undo() takes them back).  0: when it is time to. */
	size_t again_bytes;

	/* Take over the attributes; called on the main loop until it succeeds once (state zeroed before each try; a
	 * failure must leave nothing behind); must not wait.  A policy that finds its store unconfigured calls it
	 * with no attributes. */
	int (*config)(struct store *st, struct err *err);
	/* A further `config` of an instance that is configured, where that has a meaning (NULL: it is refused): on the
	 * main loop, while workers may be at its containers; the attributes are borrowed. */
	int (*config_more)(struct store *st, const struct kv *attrs, struct err *err);
	/* Open a container for a policy. */
	int (*open)(struct store *st, const char *container, struct store_sink **ret, struct err *err);
	/* Optional, for stores of files that are appended to: behind open(), before the first row.  What is written is noted
	 * there before, so that it is in the files once though the process be killed (undo.h). */
	void (*undo)(struct store_sink *sk, struct undo *undo);
	/* Keep one row.  A negative errno means that the row was not taken; it will be offered again.  -EINVAL: rows
	 * of this schema can never be taken; they are counted as dropped. */
	int (*row)(struct store_sink *sk, const struct row *row, struct err *err);
	/* Make what was taken safe against the end of the process; also called at stop.  A failing store is asked again
	 * ever later; after -EAGAIN, which says that its engine tries on by itself, each second: then this must be cheap. */
	int (*flush)(struct store_sink *sk, struct err *err);
	/* Optional: how many of the rows that were taken the engine has refused for good since the last call, though
	 * flush() answered 0 (a message that is too long, one bad line of a batch); `why` says so of the last one. Called
	 * after each flush that answers 0; status counts them. */
	uint64_t (*refused)(struct store_sink *sk, struct err *why);
	/* Optional: the policy is to stop, and its time is over: what row() or flush() wait for on a worker fails now, and
	 * so does all that they would wait for from now on; rows are the policy's to spool then.  On the main loop, between
	 * open() and close(); must not wait. */
	void (*abort)(struct store_sink *sk);
	void (*close)(struct store_sink *sk); /* flushes */
	void (*fini)(struct store *st);       /* undo config; any thread, when nobody uses it any more */
	const struct store_about *about;      /* NULL: of another maker */
};

extern const struct store_type *const store_types[]; /* stores.c: alphabetical, ended by NULL */
const struct store_type *store_type_find(const char *name);
/* The store with a short form of that word, which goes into *ret; NULL when there is none. */
const struct store_type *store_to_find(const char *word, const struct store_to **ret);

void *store_state(struct store *st);
const char *store_name(const struct store *st);
const char *store_attr(const struct store *st, const char *name);
int store_attr_u64(const struct store *st, const char *name, uint64_t dflt, uint64_t *ret, struct err *err);

#endif
