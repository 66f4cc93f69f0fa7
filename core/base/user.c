/* user.c - see user.h */
#include "core/base/user.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "core/base/caps.h"
#include "core/base/str.h"
#include "core/base/xalloc.h"

#define GROUPS_ROOM 32 /* of one user, to begin with */

/* A whole number that is not the one that means "unchanged". */
static bool is_id(const char *text, uint64_t *ret)
{
	const char *p = text;

	return str_digits(&p, ret) && !*p && *ret < (uid_t)-1;
}

static int group_find(const char *text, gid_t *ret, struct err *err)
{
	const struct group *g = getgrnam(text);
	uint64_t id;

	if (!g && !is_id(text, &id))
		return err_set(err, -ENOENT, "no group '%s'; `getent group` lists them", text);
	*ret = g ? g->gr_gid : (gid_t)id;
	return 0;
}

static void groups_find(struct user *u, const char *name)
{
	int n = GROUPS_ROOM;

	u->groups = xcalloc((size_t)n, sizeof(*u->groups));
	while (getgrouplist(name, u->gid, u->groups, &n) < 0)
		u->groups = xrealloc(u->groups, (size_t)n * sizeof(*u->groups));
	u->n_groups = n;
}

int user_find(const char *text, struct user *ret, struct err *err)
{
	char *copy = xstrdup(text), *group = strchr(copy, ':');
	struct user u = { .name = NULL };
	const struct passwd *pw;
	uint64_t id = 0;
	int rc = 0;

	if (group)
		*group++ = '\0';
	pw = getpwnam(copy);
	if (!pw && is_id(copy, &id))
		pw = getpwuid((uid_t)id);
	else if (!pw)
		rc = err_set(err, -ENOENT, "no user '%s'; make it (useradd --system %s) or give another one", copy,
			     copy);
	if (!rc && !pw && !group)
		rc = err_set(err, -ENOENT, "user %s is not in the user database; say its group, too: %s:GROUP", copy,
			     copy);
	if (rc)
		goto out;
	u.name = xstrdup(pw ? pw->pw_name : copy);
	u.uid = pw ? pw->pw_uid : (uid_t)id;
	u.gid = pw ? pw->pw_gid : 0;
	if (group)
		rc = group_find(group, &u.gid, err);
	if (rc) {
		user_fini(&u);
		goto out;
	}
	if (pw) {
		groups_find(&u, u.name);
	} else {
		u.groups = xcalloc(1, sizeof(*u.groups));
		u.groups[0] = u.gid;
		u.n_groups = 1;
	}
	*ret = u;
out:
	free(copy);
	return rc;
}

void user_fini(struct user *u)
{
	free(u->name);
	free(u->groups);
	*u = (struct user){ .name = NULL };
}

int user_try(const struct user *u, struct user_saved *saved, struct err *err)
{
	struct user_saved s = { .uid = geteuid(), .gid = getegid(), .n_groups = getgroups(0, NULL) };

	s.groups = xcalloc((size_t)s.n_groups + 1, sizeof(*s.groups));
	s.n_groups = getgroups(s.n_groups, s.groups);
	*saved = s;
	if (s.uid == u->uid && s.gid == u->gid)
		return 0;
	if (setgroups((size_t)u->n_groups, u->groups) || setegid(u->gid) || seteuid(u->uid)) {
		int rc = -errno;

		user_back(saved);
		return err_set(err, rc, "user %s: this process may not become that user: %s; start it as root", u->name,
			       err_name(rc));
	}
	return 0;
}

void user_back(struct user_saved *saved)
{
	if (geteuid() != saved->uid && seteuid(saved->uid))
		abort();
	if (getegid() != saved->gid && setegid(saved->gid))
		abort();
	if (saved->uid == 0 && setgroups((size_t)saved->n_groups, saved->groups) && errno != EPERM)
		abort();
	free(saved->groups);
	saved->groups = NULL;
}

/* The numbers; what the kernel does to capabilities then is put right by the caller. */
static int ids_set(const struct user *u)
{
	if (geteuid() == u->uid && getuid() == u->uid && getegid() == u->gid && u->uid)
		return 0; /* started as that user: there is nothing to change, nor the right to */
	if (setgroups((size_t)u->n_groups, u->groups) || setresgid(u->gid, u->gid, u->gid))
		return -errno;
	return setresuid(u->uid, u->uid, u->uid) ? -errno : 0;
}

int user_become(const struct user *u, uint64_t keep, struct err *err)
{
	uint64_t caps = caps_permitted() & keep;
	int rc;

	/* while we may: who cannot empty it has no right that a program could get by it, but for set-uid ones, and
	 * those end with no_new_privs */
	rc = caps_bounding_empty();
	if (rc && rc != -EPERM)
		return err_set(err, rc, "capabilities: the bounding set cannot be emptied: %s", err_name(rc));
	prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0);
	rc = ids_set(u);
	prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0);
	if (rc)
		return err_set(
			err, rc,
			"user %s (uid %u, gid %u): this process may not become that user: %s; start it as root, or "
			"as that user",
			u->name, u->uid, u->gid, err_name(rc));
	rc = caps_set(caps);
	if (rc)
		return err_set(err, rc, "capabilities: cannot be given up: %s", err_name(rc));
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return err_set(err, -errno, "no_new_privs: %s; this wants Linux 3.5 or later", err_name(errno));
	/* what is in memory (secrets of authentication) is not for other processes of that user */
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	return 0;
}
