/* confine.c - see confine.h.  What is wanted, and whether it may be had; giving the rest up is in confine_enter.c. */
#include "core/daemon/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/caps.h"
#include "core/base/log.h"
#include "core/base/xalloc.h"
#include "core/daemon/confine_impl.h"

/* -- the beginning ------------------------------------------------------------------------------------------------- */

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

/* -- paths --------------------------------------------------------------------------------------------------------- */

char *confine_folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return !slash ? xstrdup(".") : slash == path ? xstrdup("/") : xstrndup(path, (size_t)(slash - path));
}

/* Without links; of the nearest folder above it that is there, when it is not.  Yours. */
static char *real_of(const char *path)
{
	char *at = xstrdup(path), *real, *up;

	while (!(real = realpath(at, NULL)) && errno == ENOENT && strcmp(at, "/") && strcmp(at, ".")) {
		up = confine_folder_of(at);
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

void confine_writable_add(struct buf *b, const struct confine *c)
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

static int check(const struct confine *c, const char *what, enum confine_path kind, const char *path, struct err *err)
{
	char *real = real_of(path), *folder;
	struct buf b = { 0 };
	bool ok = false;
	int rc;

	for (size_t i = 0; real && kind == PATH_READ && confine_everywhere[i] && !ok; i++)
		ok = is_below(real, confine_everywhere[i]);
	for (size_t i = 0; real && i < c->n && !ok; i++)
		ok = c->paths[i].real && is_below(real, c->paths[i].real) &&
		     (kind == PATH_READ || c->paths[i].kind != PATH_READ);
	free(real);
	if (ok)
		return 0;
	folder = kind == PATH_FILE ? confine_folder_of(path) : xstrdup(path);
	confine_writable_add(&b, c);
	rc = err_set(err, -EACCES,
		     "%s: %s is outside of the sandbox, which was closed when the daemon started; it may write below: "
		     "%s.  Name it in the configuration file, or start with --sandbox-allow %s",
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
	char *folder = confine_folder_of(path);
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
	int rc;

	if (log_is_service(path))
		return log_open(path, err);
	rc = confine_path(c, "log file", PATH_FILE, path, err);
	return rc ? rc : log_use(confine_open(c, path, O_WRONLY | O_APPEND, true), path, err);
}

/* -- capabilities -------------------------------------------------------------------------------------------------- */

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
	return err_prefix(err, rc,
			  "this daemon became user %s when it had started and has no rights of root any more; what "
			  "wants them goes into the configuration file or on the command line: ",
			  c->user.name);
}

/* -- status -------------------------------------------------------------------------------------------------------- */

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
