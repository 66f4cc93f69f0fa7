/* confine_enter.c - giving rights and files up: the end of a start, see confine.h */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/caps.h"
#include "core/base/landlock.h"
#include "core/base/log.h"
#include "core/base/seccomp.h"
#include "core/base/xalloc.h"
#include "core/daemon/confine_impl.h"
#include "store/dirs.h"

#define DIR_PERM 0750

/* What every daemon reads.  /etc as a whole: resolv.conf, hosts and the like are replaced by new files while we run,
 * and a rule about a file ends with it.  Who reads what in there is the matter of its modes, and of --user. */
const char *const confine_everywhere[] = {
	"/etc",
	"/proc",
	"/sys",
	"/dev/urandom",
	/* the name service loads libraries when it is first asked */
	"/lib",
	"/lib64",
	"/usr/lib",
	"/usr/lib64",
	"/usr/share/zoneinfo",
	/* what resolv.conf often points to, and the caches of name services */
	"/run/systemd/resolve",
	"/run/systemd/userdb",
	"/run/NetworkManager",
	"/run/resolvconf",
	"/run/nscd",
	"/run/cxi", /* what Slingshot's retry handler tells: cxi_sampler */
	"/var/lib/sss",
	NULL,
};

/* May the user, whom this will be? */
static int dir_check(const struct confine *c, const char *path, int mode, struct err *err)
{
	struct user_saved saved;
	int rc;

	if (!c->changes_user)
		return 0;
	rc = user_try(&c->user, &saved, err);
	if (rc)
		return rc;
	if (faccessat(AT_FDCWD, path, mode, AT_EACCESS))
		rc = -errno;
	user_back(&saved);
	if (!rc)
		return 0;
	return err_set(
		err, rc,
		"folder %s: user %s, whom this daemon would become, cannot %s there: %s; let that user enter all "
		"folders above it and write in this one (chown -R %s %s), or give another path",
		path, c->user.name, mode & W_OK ? "write" : "go", err_name(rc), c->user.name, path);
}

/* As the user where that one may, else as we are, and given to the user. */
static int dir_make(const struct confine *c, const char *path, struct err *err)
{
	struct user_saved saved;
	int rc;

	if (!c->changes_user)
		return dirs_make(path, DIR_PERM, (uid_t)-1, (gid_t)-1, err);
	rc = user_try(&c->user, &saved, err);
	if (rc)
		return rc;
	rc = dirs_make(path, DIR_PERM, (uid_t)-1, (gid_t)-1, err);
	user_back(&saved);
	return rc == -EACCES ? dirs_make(path, DIR_PERM, c->user.uid, c->user.gid, err) : rc;
}

/* It is made when it is not there, but not where the user could not go. */
static int dir_prepare(const struct confine *c, const char *path, struct err *err)
{
	char *at = xstrdup(path), *up;
	struct stat st;
	int rc = 0;

	while (stat(at, &st) && errno == ENOENT && strcmp(at, ".") && strcmp(at, "/")) {
		up = confine_folder_of(at);
		free(at);
		at = up;
	}
	if (strcmp(at, path)) {
		rc = dir_check(c, at, X_OK, err);
		if (!rc)
			rc = dir_make(c, path, err);
	}
	if (!rc)
		rc = dir_check(c, path, R_OK | W_OK | X_OK, err);
	free(at);
	return rc;
}

/* What a path means for the sandbox: itself, or its folder; NULL when that is a device or a pipe, which is open already
 * and need not be made again (/dev/stderr must not open all of /dev). */
static char *place_of(const struct path *p)
{
	struct stat st;

	if (p->kind != PATH_FILE)
		return xstrdup(p->name);
	return !stat(p->name, &st) && !S_ISREG(st.st_mode) ? NULL : confine_folder_of(p->name);
}

static int dirs_prepare(struct confine *c, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; i < c->n && !rc; i++) {
		const struct path *p = &c->paths[i];

		if (p->kind != PATH_DIR)
			continue;
		rc = dir_prepare(c, p->name, err);
		if (rc)
			rc = err_prefix(err, rc, "%s: ", p->what);
	}
	return rc;
}

static int rules_add(struct confine *c, struct landlock *ll, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; confine_everywhere[i] && !rc; i++) {
		rc = landlock_allow(ll, confine_everywhere[i], false, err);
		if (rc == -ENOENT || rc == -EACCES) /* not every system has all of them */
			rc = 0;
	}
	if (!rc)
		rc = landlock_allow(ll, "/dev/null", true, err);
	for (size_t i = 0; i < c->n && !rc; i++) {
		struct path *p = &c->paths[i];
		char *place = place_of(p);

		if (!place)
			continue;
		rc = landlock_allow(ll, place, p->kind != PATH_READ, err);
		if (rc)
			rc = err_prefix(err, rc, "%s: ", p->what);
		p->real = realpath(place, NULL);
		free(place);
	}
	return rc;
}

/* The rules, while everything can be reached. */
static int files_prepare(struct confine *c, struct landlock *ll, struct err *err)
{
	int rc = landlock_open(ll, err);

	return rc ? rc : rules_add(c, ll, err);
}

/* What the kernel lacks is a warning, or the end of a start that requires it; what else fails is always the end. */
static int lacking(const struct confine *c, int rc, struct err *err)
{
	if (rc != -ENOSYS)
		return rc;
	if (c->sandbox == SANDBOX_REQUIRED)
		return err_prefix(err, rc, "--sandbox=required: ");
	log_warning("ldmsd", "sandbox: %s; goes on without", err->msg);
	return 0;
}

static int sandbox_close(struct confine *c, struct landlock *ll, struct err *err)
{
	struct buf b = { 0 };
	size_t n = 0;
	int rc;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return err_set(err, -errno, "no_new_privs: %s; this wants Linux 3.5 or later", err_name(errno));
	if (ll->abi) {
		rc = landlock_enter(ll, err);
		if (rc)
			return rc;
		c->landlocked = true;
		n = (size_t)snprintf(c->held, sizeof(c->held), "landlock %d", ll->abi);
	}
	rc = seccomp_enter(err);
	if (!rc)
		snprintf(c->held + n, sizeof(c->held) - n, "%sseccomp", n ? ", " : "");
	rc = lacking(c, rc, err);
	if (rc)
		return rc;
	if (c->landlocked)
		confine_writable_add(&b, c);
	log_info("ldmsd", "sandbox: %s%s%s", *c->held ? c->held : "none", c->landlocked ? "; may write below: " : "",
		 c->landlocked ? buf_str(&b) : "");
	buf_fini(&b);
	return 0;
}

static int user_enter(struct confine *c, struct err *err)
{
	uint64_t lost = c->caps & ~caps_permitted();
	char text[CAPS_TEXT_MAX];
	int rc;

	if (lost)
		log_warning("ldmsd", "samplers want the capability %s, which this process does not have",
			    caps_text(lost, text));
	rc = user_become(&c->user, c->caps, err);
	if (!rc)
		log_info("ldmsd", "runs as user %s (uid %u, gid %u), capabilities: %s", c->user.name, c->user.uid,
			 c->user.gid, caps_text(caps_effective(), text));
	return rc;
}

int confine_enter(struct confine *c, struct err *err)
{
	struct landlock ll = { .fd = -1 };
	int rc;

	if (!c)
		return 0;
	rc = dirs_prepare(c, err);
	if (!rc && c->sandbox != SANDBOX_OFF)
		rc = lacking(c, files_prepare(c, &ll, err), err);
	if (!rc && c->changes_user)
		rc = user_enter(c, err);
	if (!rc && c->sandbox != SANDBOX_OFF)
		rc = sandbox_close(c, &ll, err);
	landlock_close(&ll);
	c->entered = !rc;
	return rc;
}
