/* setdb.c - see setdb.h */
#include "core/set/setdb.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "core/base/xalloc.h"

struct setdb {
	pthread_mutex_t lock;
	struct set *sets; /* by name */
	struct setdb_listener *listeners;
	atomic_uint adds;
	bool sorted; /* the table's own order is setdb_each()'s */
};

struct setdb *setdb_new(void)
{
	struct setdb *db = xcalloc(1, sizeof(*db));

	pthread_mutex_init(&db->lock, NULL);
	return db;
}

void setdb_free(struct setdb *db)
{
	struct set *s, *next;

	if (!db)
		return;
	HASH_ITER(hh, db->sets, s, next) {
		HASH_DEL(db->sets, s);
		set_put(s);
	}
	pthread_mutex_destroy(&db->lock);
	free(db);
}

void setdb_lock(struct setdb *db)
{
	pthread_mutex_lock(&db->lock);
}

void setdb_unlock(struct setdb *db)
{
	pthread_mutex_unlock(&db->lock);
}

static void tell(struct setdb *db, enum setdb_event ev, struct set *s)
{
	struct setdb_listener *l, *next;

	for (l = db->listeners; l; l = next) {
		next = l->next;
		l->fn(l, ev, s);
	}
}

static struct set *find(const struct setdb *db, const char *name)
{
	struct set *s;

	HASH_FIND_STR(db->sets, name, s);
	return s;
}

int setdb_add(struct setdb *db, struct set *s, struct err *err)
{
	int rc = 0;

	setdb_lock(db);
	if (find(db, s->name)) {
		rc = err_set(err, -EEXIST,
			     "set %s: there is a set of that name already; give one of the two another instance name",
			     s->name);
		goto out;
	}
	set_get(s);
	s->deleted = false;
	HASH_ADD_KEYPTR(hh, db->sets, s->name, strlen(s->name), s);
	db->sorted = false;
	atomic_fetch_add(&db->adds, 1);
	tell(db, SETDB_ADD, s);
out:
	setdb_unlock(db);
	return rc;
}

void setdb_del(struct setdb *db, struct set *s)
{
	bool in;

	setdb_lock(db);
	in = find(db, s->name) == s;
	if (in) {
		HASH_DEL(db->sets, s);
		s->deleted = true;
		tell(db, SETDB_DEL, s);
	}
	setdb_unlock(db);
	if (in)
		set_put(s);
}

struct set *setdb_find(struct setdb *db, const char *name)
{
	struct set *s;

	setdb_lock(db);
	s = find(db, name);
	if (s)
		set_get(s);
	setdb_unlock(db);
	return s;
}

/* -- info pairs ---------------------------------------------------------------------------------------------------- */

static void info_changed(struct setdb *db, struct set *s)
{
	if (find(db, s->name) == s)
		tell(db, SETDB_UPDATE, s);
}

void setdb_info_put(struct setdb *db, struct set *s, const char *key, const char *value)
{
	const char *old;

	setdb_lock(db);
	old = set_info_find(s, key);
	if (old && value && !strcmp(old, value))
		goto out;
	if (!old && !value)
		goto out;
	if (value)
		set_info_put(s, key, value);
	else
		set_info_del(s, key);
	info_changed(db, s);
out:
	setdb_unlock(db);
}

struct info_pair *setdb_info_copy(struct setdb *db, const struct set *s, unsigned int *ret_n)
{
	struct info_pair *pairs;

	setdb_lock(db);
	pairs = xcalloc(s->info_n + 1u, sizeof(*pairs));
	for (uint16_t i = 0; i < s->info_n; i++)
		pairs[i] = (struct info_pair){ xstrdup(s->info[i].key), xstrdup(s->info[i].value) };
	*ret_n = s->info_n;
	setdb_unlock(db);
	return pairs;
}

static bool info_is(const struct set *s, const struct info_pair *pairs, unsigned int n)
{
	if (s->info_n != n)
		return false;
	for (unsigned int i = 0; i < n; i++)
		if (strcmp(s->info[i].key, pairs[i].key) || strcmp(s->info[i].value, pairs[i].value))
			return false;
	return true;
}

void setdb_info_replace(struct setdb *db, struct set *s, const struct info_pair *pairs, unsigned int n)
{
	setdb_lock(db);
	if (!info_is(s, pairs, n)) {
		set_info_clear(s);
		for (unsigned int i = 0; i < n; i++)
			set_info_put(s, pairs[i].key, pairs[i].value);
		info_changed(db, s);
	}
	setdb_unlock(db);
}

/* -- owner and permission ------------------------------------------------------------------------------------------ */

static void perm_changed(struct setdb *db, struct set *s, const struct set_owner *was)
{
	const struct set_owner now = set_owner(s);

	if (find(db, s->name) != s || (now.uid == was->uid && now.gid == was->gid && now.perm == was->perm))
		return;
	s->was = *was;
	tell(db, SETDB_PERM, s);
}

void setdb_perm_changed(struct setdb *db, struct set *s, const struct set_owner *was)
{
	setdb_lock(db);
	perm_changed(db, s, was);
	setdb_unlock(db);
}

void setdb_perm_set(struct setdb *db, struct set *s, const struct set_owner *now)
{
	const struct set_owner was = set_owner(s);

	setdb_lock(db);
	set_perm_set(s, now->uid, now->gid, now->perm);
	perm_changed(db, s, &was);
	setdb_unlock(db);
}

/* -- all ----------------------------------------------------------------------------------------------------------- */

static int descending(const struct set *a, const struct set *b)
{
	return strcmp(b->name, a->name);
}

int setdb_each(struct setdb *db, int (*fn)(struct set *s, void *arg), void *arg)
{
	int rc = 0;

	setdb_lock(db);
	if (!db->sorted)
		HASH_SORT(db->sets, descending);
	db->sorted = true;
	for (struct set *s = db->sets; s && !rc; s = s->hh.next)
		rc = fn(s, arg);
	setdb_unlock(db);
	return rc;
}

size_t setdb_count(struct setdb *db)
{
	size_t n;

	setdb_lock(db);
	n = HASH_COUNT(db->sets);
	setdb_unlock(db);
	return n;
}

unsigned int setdb_adds(const struct setdb *db)
{
	return atomic_load_explicit(&db->adds, memory_order_acquire);
}

/* -- listeners ----------------------------------------------------------------------------------------------------- */

void setdb_listen(struct setdb *db, struct setdb_listener *l)
{
	setdb_lock(db);
	l->next = db->listeners;
	l->prev = &db->listeners;
	if (l->next)
		l->next->prev = &l->next;
	db->listeners = l;
	setdb_unlock(db);
}

void setdb_unlisten(struct setdb *db, struct setdb_listener *l)
{
	setdb_lock(db);
	if (l->prev) {
		*l->prev = l->next;
		if (l->next)
			l->next->prev = l->prev;
		l->prev = NULL;
	}
	setdb_unlock(db);
}
