/* ids.c - see ids.h */
#include "core/base/ids.h"

#include <ctype.h>
#include <errno.h>
#include <grp.h>
#include <pthread.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/unit.h"
#include "core/base/xalloc.h"

#define TEXT_MAX  (1u << 20) /* bytes of one entry; the members of the largest groups */
#define LEARNT_N  16         /* names in memory: those of requests under way */
#define LEARNT_SZ 256        /* bytes of such a name; longer ones are asked for each time */
#define LEARNT_US (5 * INT64_C(1000000))

/* What the database said a moment ago. */
static struct learnt {
	char name[LEARNT_SZ];
	bool group, found;
	uint32_t id;
	int64_t until_us; /* on the monotonic clock */
} learnt[LEARNT_N];
static unsigned int learnt_next;
static pthread_mutex_t learnt_lock = PTHREAD_MUTEX_INITIALIZER;

static bool user_find(const char *name, char *buf, size_t len, uint32_t *ret, int *rc)
{
	struct passwd pw, *found = NULL;

	*rc = getpwnam_r(name, &pw, buf, len, &found);
	if (found)
		*ret = pw.pw_uid;
	return found;
}

static bool group_find(const char *name, char *buf, size_t len, uint32_t *ret, int *rc)
{
	struct group gr, *found = NULL;

	*rc = getgrnam_r(name, &gr, buf, len, &found);
	if (found)
		*ret = gr.gr_gid;
	return found;
}

/* Ask the database. */
static bool ask(bool group, const char *name, uint32_t *ret)
{
	bool found = false;
	int rc = ERANGE;

	for (size_t len = 4096; rc == ERANGE && len <= TEXT_MAX; len *= 4) {
		char *buf = xmalloc(len);

		found = (group ? group_find : user_find)(name, buf, len, ret, &rc);
		free(buf);
	}
	return found;
}

void ids_learn(bool group, const char *name)
{
	struct learnt l = { .group = group };

	if (strlen(name) >= LEARNT_SZ)
		return;
	strcpy(l.name, name);
	l.found = ask(group, name, &l.id);
	l.until_us = mono_us() + LEARNT_US;
	pthread_mutex_lock(&learnt_lock);
	learnt[learnt_next++ % LEARNT_N] = l;
	pthread_mutex_unlock(&learnt_lock);
}

/* Is it in memory?  The last word counts. */
static bool recall(bool group, const char *name, bool *found, uint32_t *ret)
{
	const int64_t now_us = mono_us();
	bool known = false;

	pthread_mutex_lock(&learnt_lock);
	for (unsigned int i = 1; i <= LEARNT_N && !known; i++) {
		const struct learnt *l = &learnt[(learnt_next - i) % LEARNT_N];

		if (l->until_us < now_us || l->group != group || strcmp(l->name, name))
			continue;
		known = true;
		*found = l->found;
		if (l->found)
			*ret = l->id;
	}
	pthread_mutex_unlock(&learnt_lock);
	return known;
}

static int parse(bool group, const char *text, uint32_t *ret, struct err *err)
{
	const char *what = group ? "group" : "user";
	bool found;
	uint64_t v;

	if (isdigit((unsigned char)*text)) {
		if (unit_u64(text, &v, NULL) || v > UINT32_MAX)
			return err_set(err, -EINVAL, "%s: is no number of a %s", text, what);
		*ret = (uint32_t)v;
		return 0;
	}
	if (!recall(group, text, &found, ret))
		found = ask(group, text, ret);
	return found ? 0 : err_set(err, -EINVAL, "%s: there is no such %s here; use its number", text, what);
}

int ids_user(const char *text, uint32_t *ret, struct err *err)
{
	return parse(false, text, ret, err);
}

int ids_group(const char *text, uint32_t *ret, struct err *err)
{
	return parse(true, text, ret, err);
}
