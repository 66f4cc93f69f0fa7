/* old.c - see old.h */
#include "cmd/old.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define ROW(name)                                                                                                      \
	{                                                                                                              \
#name, &usage_old_##name, old_##name                                                                   \
	}

const struct cmd old_programs[] = {
	ROW(ldms_ls),     ROW(ldms_msg_publish),     ROW(ldms_msg_subscribe),
	ROW(ldmsctl),
	ROW(ldmsd),
	ROW(ldmsd_controller),       ROW(ldmsd_stream_publish), ROW(ldmsd_stream_subscribe),
	{ .name = NULL },
};

const struct cmd *old_find(const char *name)
{
	for (const struct cmd *c = old_programs; c->name; c++)
		if (!strcmp(c->name, name))
			return c;
	return NULL;
}

int old_parse(const char *name, int argc, char **argv, void *into, const bool *help, int *status)
{
	const struct cmd *prog = old_find(name);
	struct err err = { "" };
	int n = opt_parse(prog->usage->opts, argc, argv, into, &err);

	if (n < 0) {
		fprintf(stderr, "%s: %s; `%s --help` lists the options\n", name, err.msg, name);
		*status = OLD_EXIT_USAGE;
		return -1;
	}
	if (*help) {
		opt_help(stdout, prog->usage);
		*status = 0;
		return -1;
	}
	return n;
}

int old_auth_args_check(const struct opt_list *args)
{
	for (size_t i = 0; i < args->n; i++)
		if (!strchr(args->v[i], '=')) {
			printf("ERROR: Expecting -A name=value\n");
			return -EINVAL;
		}
	return 0;
}
