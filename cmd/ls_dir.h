/* ls_dir.h - the directory of a peer, kept, and which of its sets were asked for. */
#ifndef CMD_LS_DIR_H
#define CMD_LS_DIR_H

#include <stdbool.h>
#include <uthash.h>

#include "core/base/err.h"
#include "core/base/regex.h"
#include "xprt/xprt.h"

struct ls_set {
	struct dir_set d; /* its strings and info are ours */
	bool picked;
	UT_hash_handle hh; /* by name */
};

/* Zero to begin with. */
struct ls_dir {
	struct ls_set **v; /* in the peer's order */
	size_t n;
	struct ls_set *by_name;
};

/* Copied; a second one of the same name is dropped. */
void ls_dir_add(struct ls_dir *dir, const struct dir_set *d);
void ls_dir_fini(struct ls_dir *dir);

struct ls_names { /* what was asked for; zero: everything */
	const char *const *text;
	struct rx *rx;
	size_t n;
	bool schema; /* the names are schema names */
};

/* `search`: a name is an expression found anywhere; else it must match from end to end (and is one, too).  The texts
 * are borrowed.  -EINVAL for a bad one. */
int ls_names_init(struct ls_names *names, const char *const *text, size_t n, bool search, bool schema, struct err *err);
void ls_names_fini(struct ls_names *names);

/* The sets that were asked for, and behind them the members of the groups among them.  *ret (free it) holds what is
 * returned, in the order of the directory. */
size_t ls_dir_pick(struct ls_dir *dir, const struct ls_names *names, const struct dir_set ***ret);

#endif
