/* prdlast.c - see prdlast.h */
#include "core/daemon/prdlast.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "core/base/xalloc.h"

#define SETS_MAX 65536 /* that went and did not come back: the first of them is forgotten */

struct last {
	UT_hash_handle hh; /* the one that went first is first */
	uint32_t ts_sec, ts_usec;
	char name[];
};

struct prdlast {
	pthread_mutex_t lock; /* innermost */
	struct last *sets;
};

struct prdlast *prdlast_new(void)
{
	struct prdlast *l = xcalloc(1, sizeof(*l));

	pthread_mutex_init(&l->lock, NULL);
	return l;
}

static void forget(struct prdlast *l, struct last *s)
{
	HASH_DEL(l->sets, s);
	free(s);
}

void prdlast_free(struct prdlast *l)
{
	while (l->sets)
		forget(l, l->sets);
	pthread_mutex_destroy(&l->lock);
	free(l);
}

void prdlast_keep(struct prdlast *l, const struct set *s)
{
	size_t len = strlen(s->name) + 1;
	struct last *last, *old;
	struct set_stat st;

	set_stat(s, &st);
	if (!st.ts_sec && !st.ts_usec)
		return;
	last = xcalloc(1, sizeof(*last) + len);
	last->ts_sec = st.ts_sec;
	last->ts_usec = st.ts_usec;
	memcpy(last->name, s->name, len);
	pthread_mutex_lock(&l->lock);
	HASH_FIND_STR(l->sets, last->name, old);
	if (old)
		forget(l, old);
	else if (HASH_COUNT(l->sets) >= SETS_MAX)
		forget(l, l->sets);
	HASH_ADD_STR(l->sets, name, last);
	pthread_mutex_unlock(&l->lock);
}

bool prdlast_is(struct prdlast *l, const char *name, uint32_t ts_sec, uint32_t ts_usec)
{
	struct last *last;
	bool same;

	pthread_mutex_lock(&l->lock);
	HASH_FIND_STR(l->sets, name, last);
	same = last && last->ts_sec == ts_sec && last->ts_usec == ts_usec;
	if (last)
		forget(l, last);
	pthread_mutex_unlock(&l->lock);
	return same;
}
