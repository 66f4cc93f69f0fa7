/* confine.c - see confine.h */
#include "core/daemon/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/buf.h"
#include "core/base/caps.h"
#include "core/base/landlock.h"
#include "core/base/log.h"
#include "core/base/seccomp.h"
#include "core/base/xalloc.h"
#include "store/dirs.h"

#define DIR_PERM 0750

/* What every daemon reads.  /etc as a whole: resolv.conf, hosts and the like are replaced by new files while we run,
 * and a rule about a file ends with it.  Who reads what in there is the matter of its modes, and of --user. */
static const char *const everywhere[] = {
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
	"/run/NetworkManager",
	"/run/resolvconf",
	"/run/nscd",
	"/var/lib/sss",
};

struct path {
	char *what, *name;
	char *real; /* without links, once the sandbox is closed */
	enum confine_path kind;
};

struct confine {
	struct user user;
	bool changes_user;
	enum confine_sandbox sandbox;
	bool entered;
	struct path *paths;
	size_t n;
	uint64_t caps; /* asked for */
	char held[64]; /* by what: for status */
	bool landlocked;
};

/* -- the beginning --------------------------------------------------------------------------------------------------
 */

static int note(struct confine *c, const char *what, enum confine_path kind, const char *name)
{
	c->paths = xrealloc(c->paths, (c->n + 1) * sizeof(*c->paths));
	c->paths[c->n++] = (struct path){ .what = xstrdup(what), .name = xstrdup(name), .kind = kind };
	return 0;
}

int confine_new(const struct confine_conf *conf, struct confine **ret, struct err *err)
{
	struct confine *c;
	int rc = 0;

	*ret = NULL;
	if (!conf->user && conf->sandbox == SANDBOX_OFF)
		return 0;
	c = xcalloc(1, sizeof(*c));
	c->sandbox = conf->sandbox;
	if (conf->user) {
		rc = user_find(conf->user, &c->user, err);
		if (!rc && geteuid() && c->user.uid != geteuid())
			rc = err_set(err, -EPERM, "only root may become user %s; start as root, or as that user",
				     c->user.name);
		c->changes_user = !rc;
		rc = rc ? err_prefix(err, rc, "--user: ") : 0;
	}
	if (rc) {
		confine_free(c);
		return rc;
	}
	if (conf->sysroot && *conf->sysroot)
		note(c, "--sysroot", PATH_READ, conf->sysroot);
	*ret = c;
	return 0;
}

void confine_free(struct confine *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->n; i++) {
		free(c->paths[i].what);
		free(c->paths[i].name);
		free(c->paths[i].real);
	}
	free(c->paths);
	user_fini(&c->user);
	free(c);
}

const struct user *confine_user(const struct confine *c)
{
	return c && c->changes_user ? &c->user : NULL;
}

/* -- paths ----------------------------------------------------------------------------------------------------------
 */

/* The folder that a file is in; yours. */
static char *folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return !slash ? xstrdup(".") : slash == path ? xstrdup("/") : xstrndup(path, (size_t)(slash - path));
}

/* Without links; of the nearest folder above it that is there, when it is not.  Yours. */
static char *real_of(const char *path)
{
	char *at = xstrdup(path), *real, *up;

	while (!(real = realpath(at, NULL)) && errno == ENOENT && strcmp(at, "/") && strcmp(at, ".")) {
		up = folder_of(at);
		free(at);
		at = up;
	}
	free(at);
	return real;
}

static bool is_below(const char *path, const char *dir)
{
	size_t n = strlen(dir);

	return !strncmp(path, dir, n) && (!path[n] || path[n] == '/' || (n && dir[n - 1] == '/'));
}

/* The folders that may be written below, for messages. */
static void writable_add(struct buf *b, const struct confine *c)
{
	const char *sep = "";

	for (size_t i = 0; i < c->n; i++) {
		const struct path *p = &c->paths[i];
		bool again = p->kind == PATH_READ || !p->real;

		for (size_t k = 0; k < i && !again; k++)
			again = c->paths[k].kind != PATH_READ && c->paths[k].real && !strcmp(c->paths[k].real, p->real);
		if (again)
			continue;
		buf_addf(b, "%s%s", sep, p->real);
		sep = ", ";
	}
	if (!*sep)
		buf_addf(b, "nowhere");
}

static bool is_everywhere(const char *real)
{
	for (size_t i = 0; i < sizeof(everywhere) / sizeof(*everywhere); i++)
		if (is_below(real, everywhere[i]))
			return true;
	return false;
}

static int check(const struct confine *c, const char *what, enum confine_path kind, const char *path, struct err *err)
{
	char *real = real_of(path), *folder;
	bool ok = real && kind == PATH_READ && is_everywhere(real);
	struct buf b = { 0 };
	int rc;

	for (size_t i = 0; real && i < c->n && !ok; i++)
		ok = c->paths[i].real && is_below(real, c->paths[i].real) &&
		     (kind == PATH_READ || c->paths[i].kind != PATH_READ);
	free(real);
	if (ok)
		return 0;
	folder = kind == PATH_FILE ? folder_of(path) : xstrdup(path);
	writable_add(&b, c);
	rc = err_set(
		err, -EACCES,
		"%s: %s is outside of the sandbox, which was closed when the daemon started; what may be written is "
		"below: %s.  Name it in the configuration file, or start with --sandbox-allow %s",
		what, path, buf_str(&b), folder);
	buf_fini(&b);
	free(folder);
	return rc;
}

int confine_path(struct confine *c, const char *what, enum confine_path kind, const char *path, struct err *err)
{
	if (!c)
		return 0;
	if (!c->entered)
		return note(c, what, kind, path);
	return c->landlocked ? check(c, what, kind, path, err) : 0;
}

/* While we may more than the user will: in a folder where that user can put anything, links as well, it is opened with
 * no more than that user's rights; elsewhere with ours. */
static int open_for(const struct user *u, const char *path, int flags, bool give)
{
	char *folder = folder_of(path);
	struct user_saved saved;
	bool as_user;
	int fd, rc = user_try(u, &saved, NULL);

	if (rc)
		goto out;
	as_user = !faccessat(AT_FDCWD, folder, W_OK, AT_EACCESS);
	if (!as_user)
		user_back(&saved);
	fd = open(path, flags | O_CREAT | O_EXCL, 0600);
	if (fd >= 0 && give && !as_user && fchown(fd, u->uid, u->gid))
		log_warning("ldmsd", "%s: cannot be given to user %s: %s", path, u->name, err_name(errno));
	if (fd < 0 && errno == EEXIST)
		fd = open(path, flags);
	rc = fd < 0 ? -errno : fd;
	if (as_user)
		user_back(&saved);
out:
	free(folder);
	return rc;
}

int confine_open(struct confine *c, const char *path, int flags, bool give)
{
	int fd;

	flags |= O_CLOEXEC | O_NOCTTY;
	if (c && c->changes_user && !c->entered)
		return open_for(&c->user, path, flags, give);
	fd = open(path, flags | O_CREAT, 0600);
	return fd < 0 ? -errno : fd;
}

int confine_log(struct confine *c, const char *path, struct err *err)
{
	int rc = confine_path(c, "log file", PATH_FILE, path, err);

	return rc ? rc : log_use(confine_open(c, path, O_WRONLY | O_APPEND, true), path, err);
}

/* -- capabilities ---------------------------------------------------------------------------------------------------
 */

int confine_caps(struct confine *c, const char *what, const char *caps, struct err *err)
{
	char text[CAPS_TEXT_MAX];
	uint64_t want;
	int rc;

	if (!c || !c->changes_user || !caps)
		return 0;
	rc = caps_parse(caps, &want, err);
	if (rc)
		return err_prefix(err, rc, "%s: ", what);
	if (!c->entered) {
		c->caps |= want;
		return 0;
	}
	want &= ~caps_effective();
	if (!want)
		return 0;
	return err_set(err, -EPERM,
		       "%s: wants the capability %s, which this daemon gave up when it became user %s; load it in the "
		       "configuration file",
		       what, caps_text(want, text), c->user.name);
}

int confine_blame(const struct confine *c, int rc, struct err *err)
{
	if (!c || !c->changes_user || !c->entered)
		return rc;
	return err_prefix(
		err, rc,
		"this daemon became user %s when it had started and has no rights of root any more; what wants "
		"them goes into the configuration file or on the command line: ",
		c->user.name);
}

/* -- entering -------------------------------------------------------------------------------------------------------
 */

/* A folder that is not there is made, as the user where that one may, else as we are, and given to the user. */
static int dir_make(const struct confine *c, const char *path, struct err *err)
{
	struct user_saved saved;
	struct stat st;
	int rc;

	if (!stat(path, &st))
		return 0;
	if (!c->changes_user)
		return dirs_make(path, DIR_PERM, (uid_t)-1, (gid_t)-1, err);
	rc = user_try(&c->user, &saved, err);
	if (rc)
		return rc;
	rc = dirs_make(path, DIR_PERM, (uid_t)-1, (gid_t)-1, err);
	user_back(&saved);
	if (rc == -EACCES)
		rc = dirs_make(path, DIR_PERM, c->user.uid, c->user.gid, err);
	return rc;
}

static int dir_check(const struct confine *c, const char *path, struct err *err)
{
	struct user_saved saved;
	int rc;

	if (!c->changes_user)
		return 0;
	rc = user_try(&c->user, &saved, err);
	if (rc)
		return rc;
	if (faccessat(AT_FDCWD, path, R_OK | W_OK | X_OK, AT_EACCESS))
		rc = -errno;
	user_back(&saved);
	if (!rc)
		return 0;
	return err_set(err, rc,
		       "folder %s: user %s, whom this daemon would become, cannot write there: %s; chown it "
		       "(chown -R %s %s), let that user enter the folders above it, or give another path",
		       path, c->user.name, err_name(rc), c->user.name, path);
}

/* What a path means for the sandbox: itself, or its folder. */
static char *place_of(const struct path *p)
{
	return p->kind == PATH_FILE ? folder_of(p->name) : xstrdup(p->name);
}

static int dirs_prepare(struct confine *c, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; i < c->n && !rc; i++) {
		const struct path *p = &c->paths[i];

		if (p->kind != PATH_DIR)
			continue;
		rc = dir_make(c, p->name, err);
		if (!rc)
			rc = dir_check(c, p->name, err);
		if (rc)
			rc = err_prefix(err, rc, "%s: ", p->what);
	}
	return rc;
}

static int rules_add(struct confine *c, struct landlock *ll, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; i < sizeof(everywhere) / sizeof(*everywhere) && !rc; i++) {
		rc = landlock_allow(ll, everywhere[i], false, err);
		if (rc == -ENOENT || rc == -EACCES) /* not every system has all of them */
			rc = 0;
	}
	if (!rc)
		rc = landlock_allow(ll, "/dev/null", true, err);
	for (size_t i = 0; i < c->n && !rc; i++) {
		struct path *p = &c->paths[i];
		char *place = place_of(p);

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
		writable_add(&b, c);
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

/* -- status ---------------------------------------------------------------------------------------------------------
 */

void confine_status(const struct confine *c, char *user, char *caps, char *sandbox)
{
	uint64_t now = caps_effective();

	if (confine_user(c))
		snprintf(user, CAPS_TEXT_MAX, "%s", c->user.name);
	else
		snprintf(user, CAPS_TEXT_MAX, geteuid() ? "%u" : "root", geteuid());
	if (now && now == caps_bounding())
		snprintf(caps, CAPS_TEXT_MAX, "all");
	else
		caps_text(now, caps);
	snprintf(sandbox, CAPS_TEXT_MAX, "%s", c && *c->held ? c->held : "off");
}
