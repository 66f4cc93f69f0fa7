/* maestro.c - `ldms maestro`: a whole cluster from one file: its verbs, and what they share */
#include "cmd/maestro.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/maestro/plan.h"

#define SAID_MAX 200 /* complaints; who has more will not read them */

#define ROW(name)                                                                                                      \
	{                                                                                                              \
		"maestro", #name, &usage_maestro_##name, maestro_verb_##name                                           \
	}
static const struct subcmd verbs[] = {
	ROW(convert), ROW(diff), ROW(graph), ROW(plan), ROW(run), { .name = NULL },
};
#undef ROW

const struct cmd_usage usage_maestro = {
	.synopsis = "ldms maestro FILE [option ...]\nldms maestro convert|diff|graph|plan FILE [option ...]",
	.brief = "configure a whole cluster from one file, and keep it so",
	.about = "FILE is a cluster file (YAML) with all daemons of a cluster; ldms.conf(5) describes it.  Without a "
		 "verb "
		 "the cluster is made what the file says, and kept so: `ldms maestro run --help` lists the options, "
		 "`ldms maestro VERB --help` those of a verb.",
	.examples = "ldms maestro ldms_cfg.yaml                      until it is stopped\n"
		    "ldms maestro --once ldms_cfg.yaml               until all daemons agree\n"
		    "ldms maestro diff ldms_cfg.yaml                 what is not as the file says\n"
		    "ldms maestro plan ldms_cfg.yaml -o /etc/ldms    a configuration file for each daemon\n"
		    "ldms maestro graph ldms_cfg.yaml                who collects from whom\n"
		    "ldms maestro convert old.yaml > ldms_cfg.yaml   the older forms in today's",
};

struct said {
	unsigned int errors, warnings;
};

static void on_note(void *arg, const struct conf_note *n)
{
	struct said *s = arg;
	unsigned int *count = n->warning ? &s->warnings : &s->errors;

	if (++*count <= SAID_MAX)
		fprintf(stderr, "%s:%u:%u: %s%s\n", n->file, n->line, n->col, n->warning ? "warning: " : "", n->words);
}

int maestro_plan(const char *path, struct plan **ret, struct err *err)
{
	struct said s = { 0 };
	int rc = plan_read(path, on_note, &s, ret, err);

	if (s.errors)
		rc = err_set(err, rc, "%s: %u error%s, see above", path, s.errors, s.errors == 1 ? "" : "s");
	return rc;
}

int cmd_maestro(int argc, char **argv)
{
	const struct subcmd *run = verbs;
	char near[64];
	int status;

	if (subcmd_run(verbs, &usage_maestro, argc, argv, &status))
		return status;
	while (run->run != maestro_verb_run)
		run++;
	if (argc > 1 && (argv[1][0] == '-' || !access(argv[1], F_OK)))
		return run->run(run, argc, argv);
	if (argc > 1)
		fprintf(stderr, "ldms maestro: '%s' is no file, and no verb%s; `ldms help maestro` lists them\n",
			argv[1], subcmd_near(verbs, argv[1], near));
	else
		fprintf(stderr, "ldms maestro: which file? `ldms help maestro` says more\n");
	return SUBCMD_FAILED;
}
