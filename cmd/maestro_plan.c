/* maestro_plan.c - `ldms maestro plan`: each daemon's configuration, printed or in files */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/maestro.h"
#include "core/base/xalloc.h"
#include "core/maestro/plan.h"
#include "core/maestro/share.h"

struct plan_opts {
	const char *out, *name;
	bool help;
};

#define AT(field) offsetof(struct plan_opts, field)
static const struct opt opts[] = {
	{ 'n', "name", OPT_TEXT, "NAME", AT(name), "only this daemon's, without a heading" },
	{ 'o', "out", OPT_TEXT, "DIR", AT(out),
	  "into DIR/NAME.conf for each; files that are so already are left alone" },
	{ 0, "help", OPT_FLAG, NULL, AT(help), "print this help and exit" },
	{ 0 },
};
#undef AT

const struct cmd_usage usage_maestro_plan = {
	.synopsis = "ldms maestro plan FILE [-n NAME] [-o DIR]",
	.brief = "print each daemon's configuration",
	.about = "What each daemon of the cluster is configured with, in the language of ldms.conf(5), which ldmsd "
		 "reads, "
		 "too.  Nobody is asked or changed; the same file gives the same bytes.",
	.opts = opts,
	.examples = "ldms maestro plan ldms_cfg.yaml -n agg-11\nldms maestro plan ldms_cfg.yaml -o /etc/ldms",
};

/* -- files --------------------------------------------------------------------------------------------------------- */

struct files {
	const char *dir;
	size_t written, same;
};

static bool is_so_already(const char *path, const struct buf *text)
{
	char *has = xmalloc(text->len + 1);
	FILE *f = fopen(path, "re");
	size_t n = f ? fread(has, 1, text->len + 1, f) : 0;
	bool same = f && n == text->len && !memcmp(has, text->p, n);

	if (f)
		fclose(f);
	free(has);
	return same;
}

/* Under its name is the old file or the new one, never a half. */
static int file_write(struct files *fs, const char *name, const struct buf *text, struct err *err)
{
	char *path, *draft;
	FILE *f;
	int rc = 0;

	if (strchr(name, '/') || name[0] == '.')
		return err_set(err, -EINVAL, "daemon %s: cannot be the name of a file; print it with -n", name);
	path = xasprintf("%s/%s.conf", fs->dir, name);
	draft = xasprintf("%s/.%s.conf.new", fs->dir, name);
	if (is_so_already(path, text)) {
		fs->same++;
		goto out;
	}
	f = fopen(draft, "we");
	if (!f || fwrite(text->p, 1, text->len, f) != text->len)
		rc = err_set(err, -errno, "%s: %s", draft, err_name(errno));
	if (f && fclose(f) && !rc)
		rc = err_set(err, -errno, "%s: %s", draft, err_name(errno));
	if (!rc && rename(draft, path))
		rc = err_set(err, -errno, "%s: %s", path, err_name(errno));
	if (rc && f)
		unlink(draft);
	fs->written += !rc;
out:
	free(path);
	free(draft);
	return rc;
}

static int files_write(const struct plan *p, const struct share *s, const char *dir, struct err *err)
{
	struct files fs = { .dir = dir };
	struct buf b = { 0 };
	int rc = 0;

	if (mkdir(dir, 0755) && errno != EEXIST)
		return err_set(err, -errno, "%s: %s", dir, err_name(errno));
	for (size_t i = 0; i < p->n_daemons && !rc; i++) {
		buf_reset(&b);
		plan_lines(p, i, s, 0, &b);
		if (b.len)
			rc = file_write(&fs, p->daemons[i].name, &b, err);
	}
	buf_fini(&b);
	if (!rc)
		printf("%zu files in %s: %zu written, %zu were so already\n", fs.written + fs.same, dir, fs.written,
		       fs.same);
	return rc;
}

/* -- print --------------------------------------------------------------------------------------------------------- */

static int print(const struct plan *p, const struct share *s, const char *only, struct err *err)
{
	size_t one = only ? plan_find(p, only) : PLAN_NONE;
	struct buf b = { 0 };

	if (only && one == PLAN_NONE)
		return err_set(err, -ENOENT, "%s: there is no daemon '%s'", p->file, only);
	for (size_t i = 0; i < p->n_daemons; i++) {
		if (only && i != one)
			continue;
		buf_reset(&b);
		if (!only)
			buf_addf(&b, "%s# %s\n", i ? "\n" : "", p->daemons[i].name);
		plan_lines(p, i, s, 0, &b);
		fwrite(b.p, 1, b.len, stdout);
	}
	buf_fini(&b);
	return fflush(stdout) ? err_set(err, -errno, "standard output: %s", err_name(errno)) : 0;
}

int maestro_verb_plan(const struct subcmd *v, int argc, char **argv)
{
	struct plan_opts o = { 0 };
	struct err err = { "" };
	struct plan *p = NULL;
	struct share *s = NULL;
	int status = 0, rc;

	if (subcmd_parse(v, argc, argv, &o, &o.help, 1, 1, &status) < 0)
		return status;
	if (o.name && o.out) {
		err_set(&err, -EINVAL, "-n prints one, -o writes files of all: one of them");
		return subcmd_complain(v, &err);
	}
	rc = maestro_plan(argv[1], &p, &err);
	if (!rc)
		s = share_new(p, NULL);
	if (!rc)
		rc = o.out ? files_write(p, s, o.out, &err) : print(p, s, o.name, &err);
	share_free(s);
	plan_free(p);
	return rc ? subcmd_complain(v, &err) : 0;
}
