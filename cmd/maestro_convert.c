/* maestro_convert.c - `ldms maestro convert`: a cluster file of an older form in today's */
#include <errno.h>
#include <stdio.h>

#include "cmd/maestro.h"
#include "core/ctl/conf_yaml.h"
#include "core/maestro/convert.h"

struct convert_opts {
	bool help;
};

static const struct opt opts[] = {
	{ 0, "help", OPT_FLAG, NULL, offsetof(struct convert_opts, help), "print this help and exit" },
	{ 0 },
};

const struct cmd_usage usage_maestro_convert = {
	.synopsis = "ldms maestro convert FILE",
	.brief = "print a cluster file of an older form in today's",
	.about = "Plugins go to a section of their own, stores are named, and aliases and merges are written out; what "
		 "it "
		 "says stays the same, comments are lost.  A file of today's form stays one.",
	.opts = opts,
	.examples = "ldms maestro convert old.yaml > ldms_cfg.yaml",
};

static void on_note(void *arg, const struct conf_note *n)
{
	const char *file = arg;

	if (!n->warning)
		fprintf(stderr, "%s:%u:%u: %s\n", n->file ? n->file : file, n->line, n->col, n->words);
}

static void on_renamed(void *arg, const char *from, const char *to)
{
	fprintf(stderr,
		"%s: there are several plugins '%s': one is the instance '%s' now, and its sets are called so\n",
		(const char *)arg, from, to);
}

int maestro_verb_convert(const struct subcmd *v, int argc, char **argv)
{
	struct convert_opts o = { 0 };
	struct err err = { "" };
	struct conf *cf;
	struct ygen *g = NULL;
	struct buf b = { 0 };
	int status = 0, rc;

	if (subcmd_parse(v, argc, argv, &o, &o.help, 1, 1, &status) < 0)
		return status;
	cf = conf_new(NULL, NULL);
	conf_notes(cf, on_note, argv[1]);
	rc = ygen_read(cf, argv[1], NULL, &g, &err);
	if (!rc && !ygen_root(g))
		rc = err_set(&err, -EINVAL, "%s: no YAML, see above", argv[1]);
	if (!rc) {
		rc = convert(ygen_root(g), on_renamed, argv[1], &b, &err);
		if (rc)
			err_prefix(&err, rc, "%s:", argv[1]);
	}
	if (!rc)
		fwrite(b.p, 1, b.len, stdout);
	if (!rc && fflush(stdout))
		rc = err_set(&err, -errno, "standard output: %s", err_name(errno));
	buf_fini(&b);
	ygen_free(g);
	conf_free(cf);
	return rc ? subcmd_complain(v, &err) : 0;
}
