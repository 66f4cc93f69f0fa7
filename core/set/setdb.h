/* setdb.h - the sets of a daemon by instance name, and who is told when they come and go.
 *
 * One lock guards the table, the sets' info pairs and the listeners; it is innermost but for the pool's.  A listener's
 * callback runs in the thread that made the change, with the lock held: it only takes a reference and posts to its loop.
 */
#ifndef CORE_SET_SETDB_H
#define CORE_SET_SETDB_H

#include "core/set/set.h"

struct setdb;

enum setdb_event {
	SETDB_ADD,
	SETDB_UPDATE /* info changed */,
	SETDB_PERM /* owner or permission; s->was: before */,
	SETDB_DEL
};

struct setdb_listener {
	void (*fn)(struct setdb_listener *l, enum setdb_event ev, struct set *s);
	struct setdb_listener *next, **prev; /* setdb.c's */
};

struct setdb *setdb_new(void);
void setdb_free(struct setdb *db); /* sets still in it are let go of */

/* Publish a set: the database takes a reference of its own.  -EEXIST for a name that is there. */
int setdb_add(struct setdb *db, struct set *s, struct err *err);
/* Unpublish; no-op for a set that is not in. */
void setdb_del(struct setdb *db, struct set *s);
/* With a reference that is yours, or NULL. */
struct set *setdb_find(struct setdb *db, const char *name);
/* Change an info pair of a published set (value NULL: remove) and tell the listeners. */
void setdb_info_put(struct setdb *db, struct set *s, const char *key, const char *value);
/* A copy of the info pairs, and how many they are: info_copy_free() it. */
struct info_pair *setdb_info_copy(struct setdb *db, const struct set *s, unsigned int *ret_n);
/* Replace all info pairs (copied); listeners are told when that changed anything. */
void setdb_info_replace(struct setdb *db, struct set *s, const struct info_pair *pairs, unsigned int n);
/* Change owner and permission of a set, and tell the listeners when that is a change. */
void setdb_perm_set(struct setdb *db, struct set *s, const struct set_owner *now);
/* They have changed, and were so before: tell the listeners. */
void setdb_perm_changed(struct setdb *db, struct set *s, const struct set_owner *was);
/* Call fn for each set, lock held, in descending order of name (as ldmsd lists them); stops when fn returns non-zero. */
int setdb_each(struct setdb *db, int (*fn)(struct set *s, void *arg), void *arg);
size_t setdb_count(struct setdb *db);
/* Moves whenever a set is published: while it stands still, what was not found is not there either.  Takes no lock. */
unsigned int setdb_adds(const struct setdb *db);

void setdb_listen(struct setdb *db, struct setdb_listener *l);
void setdb_unlisten(struct setdb *db, struct setdb_listener *l);
void setdb_lock(struct setdb *db);
void setdb_unlock(struct setdb *db);

#endif
