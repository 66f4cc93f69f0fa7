/* strgp_times.c - see strgp_times.h */
#include "core/daemon/strgp_times.h"

#include <stdlib.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/xalloc.h"

void strgp_times_init(struct strgp_times *t)
{
	pthread_mutex_init(&t->lock, NULL);
}

static void time_free(struct strgp_times *t, struct strgp_time *tm)
{
	if (t->next == tm)
		t->next = NULL;
	HASH_DEL(t->table, tm);
	snap_meta_put(tm->meta);
	free(tm);
}

void strgp_times_fini(struct strgp_times *t)
{
	while (t->table)
		time_free(t, t->table);
	pthread_mutex_destroy(&t->lock);
}

static struct strgp_time *time_new(struct strgp_times *t, const char *set, const char *prdcr, const char *schema)
{
	size_t a = strlen(set) + 1, b = strlen(prdcr) + 1, c = strlen(schema) + 1;
	struct strgp_time *tm = xcalloc(1, sizeof(*tm) + a + b + c);

	memcpy(tm->name, set, a);
	tm->prdcr = memcpy(tm->name + a, prdcr, b);
	tm->schema = memcpy(tm->name + a + b, schema, c);
	HASH_ADD_STR(t->table, name, tm);
	return tm;
}

void strgp_times_join(struct strgp_times *t, const char *set, const char *prdcr, const char *schema)
{
	struct strgp_time *tm;
	unsigned int users = 0;

	pthread_mutex_lock(&t->lock);
	HASH_FIND_STR(t->table, set, tm);
	if (tm && (strcmp(tm->prdcr, prdcr) || strcmp(tm->schema, schema))) { /* another one of that name */
		users = tm->users;
		time_free(t, tm);
		tm = NULL;
	}
	if (!tm) {
		tm = time_new(t, set, prdcr, schema);
		tm->users = users;
	}
	tm->users++;
	pthread_mutex_unlock(&t->lock);
}

void strgp_times_leave(struct strgp_times *t, const char *set)
{
	struct strgp_time *tm;

	pthread_mutex_lock(&t->lock);
	HASH_FIND_STR(t->table, set, tm);
	if (tm && !--tm->users)
		time_free(t, tm);
	pthread_mutex_unlock(&t->lock);
}

static struct strgp_time *find(struct strgp_times *t, struct snap_meta *meta)
{
	const char *name = NULL;
	struct strgp_time *tm = t->next;

	if (!tm || tm->meta != meta)
		name = image_instance((const struct set_meta *)meta->bytes);
	if (name && (!tm || strcmp(tm->name, name)))
		HASH_FIND_STR(t->table, name, tm);
	if (tm && name) {
		snap_meta_put(tm->meta);
		tm->meta = snap_meta_get(meta);
	}
	t->next = tm && tm->hh.next ? tm->hh.next : t->table;
	return tm;
}

static void count(struct strgp_time *tm, double us, int64_t now_us, int tid)
{
	if (!tm->first_us)
		tm->first_us = now_us - (int64_t)us;
	if (!tm->n++ || us < tm->min_us) {
		tm->min_us = us;
		tm->min_at_us = now_us;
	}
	if (us > tm->max_us) {
		tm->max_us = us;
		tm->max_at_us = now_us;
	}
	tm->sum_us += us;
	tm->last_us = now_us;
	tm->tid = tid;
}

void strgp_times_count(struct strgp_times *t, struct snap *const *sn, size_t n, int64_t took_ns, int64_t now_us)
{
	double us = n && took_ns > 0 ? (double)took_ns / 1e3 / (double)n : 0;
	int tid = gettid();

	pthread_mutex_lock(&t->lock);
	for (size_t i = 0; i < n; i++) {
		struct strgp_time *tm = find(t, sn[i]->meta);

		if (tm) /* else it has gone since */
			count(tm, us, now_us, tid);
	}
	pthread_mutex_unlock(&t->lock);
}

static void reset_one(struct strgp_time *tm, int64_t now_us)
{
	tm->n = 0;
	tm->sum_us = tm->min_us = tm->max_us = 0;
	tm->min_at_us = tm->max_at_us = tm->last_us = 0;
	tm->first_us = now_us;
}

void strgp_times_walk(struct strgp_times *t, bool reset, void (*fn)(const struct strgp_time *tm, void *arg), void *arg)
{
	int64_t now_us = wall_us();

	pthread_mutex_lock(&t->lock);
	for (struct strgp_time *tm = t->table; tm; tm = tm->hh.next) {
		if (!tm->tid)
			continue;
		fn(tm, arg);
		if (reset)
			reset_one(tm, now_us);
	}
	pthread_mutex_unlock(&t->lock);
}
