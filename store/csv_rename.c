/* csv_rename.c - rename_template: the name, mode and owner of files that are closed.
 *
 *	%D folder  %B base name  %C container  %S schema  %T DATA, HEADER or KIND  %s the seconds at its end
 *	%P store_csv  %{VAR} environment variable
 *
 * Any other %x stays as it is.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/log.h"
#include "core/base/xalloc.h"
#include "store/csv.h"
#include "store/dirs.h"

#define DIR_PERM 0750

/* -- the name ------------------------------------------------------------------------------------------------------ */

static const char *base_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static int seconds_add(struct buf *b, const struct csv_named *n, struct err *err)
{
	const char *base = base_of(n->path), *dot = strrchr(base, '.');

	if (!dot || !dot[1] || dot[1 + strspn(dot + 1, "0123456789")])
		return err_set(err, -EINVAL,
			       "%%s: the file's name does not end in seconds; set rolltype, or leave %%s out");
	buf_addf(b, "%s", dot + 1);
	return 0;
}

/* %{VAR}: *p is behind the brace. */
static int variable_add(struct buf *b, const char **p, struct err *err)
{
	static const char fine[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789%()+-=_./:@";
	const char *end = strchr(*p, '}');
	const char *value;
	char *var;
	int rc = 0;

	if (!end)
		return err_set(err, -EINVAL, "%%{%s: no } follows", *p);
	var = xstrndup(*p, (size_t)(end - *p));
	value = getenv(var);
	if (value && value[strspn(value, fine)])
		rc = err_set(err, -EINVAL,
			     "%%{%s}: the variable's value has other characters than letters, digits and %%()+-=_./:@",
			     var);
	else if (value)
		buf_addf(b, "%s", value);
	*p = end + 1;
	free(var);
	return rc;
}

char *csv_rename_path(const char *template, const struct csv_named *n, struct err *err)
{
	const char *base = base_of(n->path);
	struct buf b = { 0 };
	int rc = 0;

	for (const char *p = template; !rc && *p;) {
		char c = *p++;

		if (c != '%' || !*p) {
			buf_add(&b, &c, 1);
			continue;
		}
		switch (c = *p++) {
		case 'D':
			buf_add(&b, n->path, base > n->path ? (size_t)(base - n->path) - 1 : 0);
			break;
		case 'B':
			buf_addf(&b, "%s", base);
			break;
		case 'C':
			buf_addf(&b, "%s", n->container);
			break;
		case 'S':
			buf_addf(&b, "%s", n->schema);
			break;
		case 'T':
			buf_addf(&b, "%s", n->kind);
			break;
		case 'P':
			buf_addf(&b, "store_csv");
			break;
		case 's':
			rc = seconds_add(&b, n, err);
			break;
		case '{':
			rc = variable_add(&b, &p, err);
			break;
		default:
			buf_addf(&b, "%%%c", c);
		}
	}
	if (!rc) {
		buf_str(&b);
		return (char *)b.p;
	}
	buf_fini(&b);
	return NULL;
}

/* -- the file ------------------------------------------------------------------------------------------------------ */

static int owner_and_mode(const struct csv_conf *conf, const char *path, struct err *err)
{
	if (conf->rename_perm && chmod(path, conf->rename_perm & 0666))
		return err_set(err, -errno, "cannot set its mode: %s; %s", err_name(-errno), file_remedy(-errno));
	if ((conf->rename_uid != (uid_t)-1 || conf->rename_gid != (gid_t)-1) &&
	    chown(path, conf->rename_uid, conf->rename_gid))
		return err_set(err, -errno, "cannot set its owner: %s; %s", err_name(-errno), file_remedy(-errno));
	return 0;
}

/* The folder that the new name is in. */
static int folder_make(const struct csv_conf *conf, const char *path, struct err *err)
{
	mode_t perm = conf->rename_perm ? conf->rename_perm | (conf->rename_perm & 0444) >> 2 | 0700 : DIR_PERM;
	const char *base = base_of(path);
	char *dir;
	int rc;

	if (base <= path + 1)
		return 0;
	dir = xstrndup(path, (size_t)(base - path) - 1);
	rc = dirs_make(dir, perm & 0777, conf->rename_uid, conf->rename_gid, err);
	free(dir);
	return rc;
}

char *csv_rename(const struct csv_conf *conf, const struct csv_named *n, struct undo *undo)
{
	struct err err = { "" };
	char *to = NULL;
	int rc = owner_and_mode(conf, n->path, &err);

	if (rc) /* the name may do all the same */
		log_error("store", "file %s: %s", n->path, err.msg);
	if (!conf->rename)
		return xstrdup(n->path);
	to = csv_rename_path(conf->rename, n, &err);
	rc = to ? folder_make(conf, to, &err) : -EINVAL;
	if (!rc)
		undo_rename(undo, n->path, to);
	if (!rc)
		rc = file_move(n->path, to, &err);
	if (rc == -EEXIST)
		err_set(&err, rc, "there is a file %s; give names that differ (%%s, %%B)", to);
	if (!rc)
		return to;
	log_error("store", "file %s: keeps its name: rename_template: %s", n->path, err.msg);
	free(to);
	return xstrdup(n->path);
}
