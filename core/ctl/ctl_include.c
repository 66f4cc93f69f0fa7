/* ctl_include.c - include, asked for over the network: a file is carried out on a running daemon.  (In files it is read
 * in its place, see conf_cmd.c.) */
#include <errno.h>
#include <sys/stat.h>

#include "core/ctl/conf.h"
#include "core/ctl/verbs.h"

static void first_complaint(void *arg, const char *words)
{
	struct err *err = arg;

	if (!*err->msg)
		err_set(err, 0, "%s", words);
}

int ctl_include(struct ctl *c, struct err *err)
{
	const char *path = ctl_text(c, ATTR_PATH, "");
	struct err first = { "" };
	struct conf *cf;
	struct stat st;
	int rc;

	if (!stat(path, &st) && !S_ISREG(st.st_mode)) /* a pipe would keep the daemon waiting */
		return err_set(err, -EINVAL, "include: %s: is no regular file", path);
	cf = conf_new(first_complaint, &first);
	rc = conf_read(cf, path, err);
	if (rc) /* ldmsd's words */
		rc = err_set(err, rc, "Failed to process cfg '%s' at line 0: %s", path, err_name(rc));
	else if (conf_errors(cf))
		rc = err_set(err, -EINVAL, "%s%s; nothing of it was carried out", first.msg,
			     conf_errors(cf) > 1 ? " (and more)" : "");
	else
		rc = conf_run(cf, c->d);
	if (rc && *first.msg && !conf_errors(cf))
		err_set(err, rc, "%s", first.msg);
	conf_free(cf);
	return rc;
}
