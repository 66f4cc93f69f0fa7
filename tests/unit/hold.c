/* A user database that takes its time: requests of its users wait, nobody else does. */
#include "tests/unit/rig.h"

#include <grp.h>
#include <pthread.h>
#include <pwd.h>

#include "core/base/groups.h"
#include "core/base/work.h"
#include "xprt/proto.h"

#define GROUP 777u /* every user of this database is in it */
#define MANY  20   /* large messages: more than are kept */

/* -- the database: these stand in for libc's ----------------------------------------------------------------------- */

static pthread_mutex_t door = PTHREAD_MUTEX_INITIALIZER; /* held: it does not answer */
static atomic_uint asked;

int getpwuid_r(uid_t uid, struct passwd *pw, char *buf, size_t len, struct passwd **ret)
{
	(void)buf;
	(void)len;
	asked++;
	pthread_mutex_lock(&door);
	pthread_mutex_unlock(&door);
	*pw = (struct passwd){ .pw_name = (char *)"somebody", .pw_uid = uid, .pw_gid = uid };
	*ret = pw;
	return 0;
}

int getgrouplist(const char *user, gid_t group, gid_t *groups, int *n)
{
	int had = *n;

	(void)user;
	*n = 100; /* more than was made room for at first */
	if (had < *n)
		return -1;
	for (int i = 0; i < *n; i++)
		groups[i] = group + 10000 + (gid_t)i;
	groups[99] = GROUP;
	return *n;
}

/* -- the tests ----------------------------------------------------------------------------------------------------- */

struct ear {
	int sets, done;
};

static void dir_cb(struct xprt *x, void *arg, enum dir_event ev, const struct dir_set *set, int rc)
{
	struct ear *e = arg;

	e->sets += ev == DIR_SET;
	e->done += ev == DIR_DONE;
}

/* A server with a set for members of GROUP, and a peer of it that is `uid`. */
static struct set *begin(struct rig *r, uint32_t uid)
{
	struct set *s;

	rig_open(r, "mem");
	r->env.users = work_new("users", 1);
	s = rig_set(r, "one", "n/a", 1, 1, 0, 0440);
	set_perm_set(s, 0, GROUP, 0440);
	rig_connect(r, 1);
	r->s->uid = r->s->gid = uid; /* as if it had proved that */
	hold_begin(r->s);
	return s;
}

static void end(struct rig *r, struct set *s)
{
	set_put(s);
	work_free(r->env.users, 20 * SEC_US);
	rig_close(r);
}

static void test_requests_wait(void **state)
{
	struct ear e = { 0 };
	struct set *s;
	struct rig r;

	pthread_mutex_lock(&door);
	s = begin(&r, 4001);
	assert_non_null(r.s->hold);
	assert_int_equal(xprt_dir(r.c, false, dir_cb, &e, NULL), 0);
	assert_int_equal(xprt_send(r.c, "hello", 5, NULL), 0);
	rig_settle(&r);
	assert_int_equal(e.done, 0);
	assert_int_equal(r.s_msgs, 0); /* nor does what comes later overtake it */
	pthread_mutex_unlock(&door);
	rig_until(&r, e.done && r.s_msgs);
	assert_int_equal(e.sets, 1);
	assert_null(r.s->hold);
	end(&r, s);
}

/* Who is known is asked for but once. */
static void test_known(void **state)
{
	unsigned int before = asked;
	struct ear e = { 0 };
	struct set *s;
	struct rig r;

	s = begin(&r, 4001);
	assert_null(r.s->hold);
	assert_int_equal(xprt_dir(r.c, false, dir_cb, &e, NULL), 0);
	rig_until(&r, e.done);
	assert_int_equal(e.sets, 1);
	assert_int_equal(asked, before);
	end(&r, s);
}

/* It never answers: then the peer is in no group but its own. */
static void test_patience_ends(void **state)
{
	struct ear e = { 0 };
	struct set *s;
	struct rig r;

	pthread_mutex_lock(&door);
	s = begin(&r, 4002);
	assert_int_equal(xprt_dir(r.c, false, dir_cb, &e, NULL), 0);
	rig_until(&r, e.done);
	assert_int_equal(e.sets, 0);
	assert_null(r.s->hold);
	pthread_mutex_unlock(&door);
	end(&r, s);
	assert_true(groups_has(4002, GROUP)); /* the answer that came late is kept */
	assert_false(groups_has(4002, GROUP + 1));
}

/* The peer goes, with what it asked and before the answer. */
static void test_gone(void **state)
{
	struct ear e = { 0 };
	struct set *s;
	struct rig r;

	pthread_mutex_lock(&door);
	s = begin(&r, 4003);
	assert_int_equal(xprt_dir(r.c, false, dir_cb, &e, NULL), 0);
	rig_settle(&r);
	xprt_close(r.c);
	r.c = NULL;
	rig_until(&r, r.s_downs);
	pthread_mutex_unlock(&door);
	end(&r, s);
	assert_int_equal(e.done, 0);
}

/* Of one that asks and asks no more is read until it is known; then all is answered. */
static void test_much(void **state)
{
	static char big[1 << 20];
	struct set *s;
	struct rig r;

	pthread_mutex_lock(&door);
	s = begin(&r, 4004);
	for (int i = 0; i < MANY; i++) {
		assert_int_equal(xprt_send(r.c, big, SEND_MSG_MAX, NULL), 0);
		rig_settle(&r);
	}
	assert_int_equal(r.s_downs + r.s_msgs, 0);
	assert_true(atomic_load(&r.env.stats.memory) < MANY * SEND_MSG_MAX / 2);
	pthread_mutex_unlock(&door);
	rig_until(&r, r.s_msgs == MANY);
	assert_int_equal(r.s_downs, 0);
	end(&r, s);
}

/* ... and when it goes, unread, it is not missed. */
static void test_much_and_gone(void **state)
{
	static char big[1 << 20];
	struct set *s;
	struct rig r;

	pthread_mutex_lock(&door);
	s = begin(&r, 4005);
	for (int i = 0; i < MANY; i++)
		assert_int_equal(xprt_send(r.c, big, SEND_MSG_MAX, NULL), 0);
	rig_settle(&r);
	xprt_close(r.c);
	r.c = NULL;
	rig_settle(&r);
	pthread_mutex_unlock(&door);
	rig_until(&r, r.s_downs);
	assert_int_equal(atomic_load(&r.env.stats.memory), 0);
	end(&r, s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_requests_wait), cmocka_unit_test(test_known),
		cmocka_unit_test(test_patience_ends), cmocka_unit_test(test_gone),
		cmocka_unit_test(test_much),          cmocka_unit_test(test_much_and_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
