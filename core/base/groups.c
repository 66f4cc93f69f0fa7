/* groups.c - see groups.h */
#include "core/base/groups.h"

#include <grp.h>
#include <pthread.h>
#include <pwd.h>
#include <stdlib.h>
#include <unistd.h>
#include <uthash.h>

#include "core/base/clock.h"
#include "core/base/xalloc.h"

#define FRESH_US   (30 * INT64_C(1000000)) /* a user who was added to a group does not want to wait for longer */
#define USERS_MAX  4096                    /* kept in memory; a site has fewer that look at metrics */
#define GIDS_GUESS 64                      /* groups of one user, to begin with */

struct user {
	uint32_t uid;
	gid_t *gids;
	int n;
	int64_t learned_us; /* monotonic; 0: never */
	bool asking;
	LIST_HEAD(, groups_wait) waits;
	UT_hash_handle hh;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards all of the below; outside it only loops' job lists */
static struct user *users;

struct question {
	struct work_job job;
	uint32_t uid;
};

/* -- memory, with the lock ----------------------------------------------------------------------------------------- */

static struct user *user_find(uint32_t uid)
{
	struct user *u;

	HASH_FIND(hh, users, &uid, sizeof(uid), u);
	return u;
}

/* Room for one more: the one who came first goes, unless somebody waits for him. */
static void user_evict(void)
{
	struct user *u, *next;

	HASH_ITER(hh, users, u, next) {
		if (u->asking)
			continue;
		HASH_DEL(users, u);
		free(u->gids);
		free(u);
		return;
	}
}

static struct user *user_get(uint32_t uid)
{
	struct user *u = user_find(uid);

	if (u)
		return u;
	if (HASH_COUNT(users) >= USERS_MAX)
		user_evict();
	u = xcalloc(1, sizeof(*u));
	u->uid = uid;
	LIST_INIT(&u->waits);
	HASH_ADD(hh, users, uid, sizeof(u->uid), u);
	return u;
}

bool groups_has(uint32_t uid, uint32_t gid)
{
	const struct user *u;
	bool yes = false;

	pthread_mutex_lock(&lock);
	u = user_find(uid);
	for (int i = 0; u && i < u->n && !yes; i++)
		yes = u->gids[i] == gid;
	pthread_mutex_unlock(&lock);
	return yes;
}

/* -- learning ------------------------------------------------------------------------------------------------------ */

/* All groups of the user; may wait.  Returns how many, 0 for nobody that the database knows. */
static int ask(uint32_t uid, gid_t **ret)
{
	long hint = sysconf(_SC_GETPW_R_SIZE_MAX);
	size_t len = hint > 0 ? (size_t)hint : 4096;
	struct passwd pw, *found = NULL;
	char *text = xmalloc(len);
	gid_t *gids = NULL;
	int n = GIDS_GUESS, had = 0;

	if (getpwuid_r(uid, &pw, text, len, &found) || !found)
		n = 0;
	while (n > had) {
		had = n;
		gids = xrealloc(gids, (size_t)n * sizeof(*gids));
		if (getgrouplist(pw.pw_name, pw.pw_gid, gids, &n) >= 0)
			break;
	}
	free(text);
	*ret = gids;
	return n < had ? n : had;
}

static void learn(uint32_t uid)
{
	struct groups_wait *w;
	struct user *u;
	gid_t *gids;
	int n = ask(uid, &gids);

	pthread_mutex_lock(&lock);
	u = user_get(uid);
	free(u->gids);
	u->gids = gids;
	u->n = n;
	u->learned_us = mono_us();
	u->asking = false;
	while ((w = LIST_FIRST(&u->waits))) {
		LIST_REMOVE(w, entry);
		w->listed = false;
		loop_post(w->loop, &w->job);
	}
	pthread_mutex_unlock(&lock);
}

static void run_cb(struct work_job *job)
{
	learn(((struct question *)job)->uid);
}

static void done_cb(struct work_job *job)
{
	free(job);
}

static void learn_on_worker(struct work *work, struct loop *loop, uint32_t uid)
{
	struct question *q = xcalloc(1, sizeof(*q));

	*q = (struct question){ .job = { .run = run_cb, .done = done_cb, .loop = loop }, .uid = uid };
	work_add(work, &q->job);
}

bool groups_need(struct work *work, struct loop *loop, uint32_t uid, struct groups_wait *w)
{
	bool begin, known;
	struct user *u;

	pthread_mutex_lock(&lock);
	u = user_get(uid);
	known = u->learned_us;
	begin = !u->asking && (!known || mono_us() - u->learned_us > FRESH_US);
	u->asking |= begin;
	if (!known && w && work) {
		LIST_INSERT_HEAD(&u->waits, w, entry);
		w->listed = true;
	}
	pthread_mutex_unlock(&lock);
	if (begin && work)
		learn_on_worker(work, loop, uid);
	else if (begin)
		learn(uid);
	return known || !work;
}

bool groups_unwait(struct groups_wait *w)
{
	bool mine;

	pthread_mutex_lock(&lock);
	mine = w->listed;
	if (mine)
		LIST_REMOVE(w, entry);
	w->listed = false;
	pthread_mutex_unlock(&lock);
	return mine;
}
