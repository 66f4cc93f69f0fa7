/* rolled.h - the files of one stream of messages, NAME.SECONDS or NAME.KIND.SECONDS, that begin, roll over and end
 * together.
 *
 * They begin with the first message; names tell the second of that.  A message is in all of them or in none, unless the
 * process is killed: the last of the kinds is written last.  Ended files are moved to FOLDER/spool when that is wanted.
 */
#ifndef STORE_ROLLED_H
#define STORE_ROLLED_H

#include "store/append.h"
#include "store/roll.h"

#define ROLLED_KINDS    4
#define ROLLED_DIR_PERM 0750

struct rolled;

struct rolled_conf {
	const char *who; /* the store, for words */
	char *dir;
	struct roll roll;
	bool spool;
	size_t flush_bytes; /* written when there are so many */
	mode_t file_perm;
	const char *kinds[ROLLED_KINDS]; /* in the order of writing; "": a file without */
	size_t n_kinds;
	void (*head)(struct rolled *r); /* files begin: what stands there goes into their buffers */
};

struct rolled {
	const struct rolled_conf *conf;
	void *arg; /* for head() */
	char *name;
	struct append file[ROLLED_KINDS];
	bool open, failing; /* failing to roll; said */
	int64_t epoch, roll_at;
	uint64_t rows, bytes;
	size_t before[ROLLED_KINDS]; /* while a message is added */
};

void rolled_init(struct rolled *r, const struct rolled_conf *conf, const char *name, void *arg);
/* See that files are open, and not full. */
int rolled_ready(struct rolled *r, struct err *err);
/* A message is added to the buffers of the files between begin and end; an end that fails has taken it out again. */
void rolled_begin(struct rolled *r);
int rolled_end(struct rolled *r, struct err *err);
int rolled_flush(struct rolled *r, struct err *err);
/* What the clock calls for; returns when to look again (wall clock, seconds). */
int64_t rolled_tick(struct rolled *r);
/* What cannot be written is lost, and said. */
void rolled_fini(struct rolled *r);

/* -- rolled_set.c: all those of a store, one for each stream ------------------------------------------------------- */

struct rolled_set {
	struct rolled_conf conf;
	struct rolled_one {
		const char *name; /* borrowed */
		void *arg;
		struct rolled files; /* while open */
	} * v;
	size_t n;
	bool open;
};

/* Before it is opened. */
void rolled_set_add(struct rolled_set *rs, const char *name, void *arg);
/* See that the folder is there; the rest opens with its first message. */
int rolled_set_open(struct rolled_set *rs, struct err *err);
struct rolled *rolled_set_find(struct rolled_set *rs, const char *name);
int rolled_set_flush(struct rolled_set *rs, struct err *err);
int64_t rolled_set_tick(struct rolled_set *rs);
void rolled_set_close(struct rolled_set *rs);
/* Of one that is closed. */
void rolled_set_fini(struct rolled_set *rs);

#endif
