/* old_bus.c - see old_bus.h */
#include "cmd/old_bus.h"

#include <stdio.h>

#include "cmd/old.h"

void old_bus_repeat(struct pub_opts *o, uint64_t times, uint64_t interval_us)
{
	if (o->line) {
		o->loops = times;
		o->loop_us = (int64_t)interval_us;
	} else {
		o->count = times;
		o->interval_us += times > 1 ? (int64_t)interval_us : 0;
	}
}

int old_bus_subscribe(const struct old_subscriber *prog, int argc, char **argv, void *into)
{
	struct sub_opts *sub = prog->sub;
	int status = OLD_EXIT_USAGE;

	if (old_parse(prog->name, argc, argv, into, prog->help, &status) < 0)
		goto out;
	if (!sub->listen || (prog->channel && !*prog->channel)) {
		opt_help(stdout, old_find(prog->name)->usage);
		goto out;
	}
	if (old_auth_args_check(&sub->peer.auth_args))
		goto out;
	sub->quiet = true;
	return msg_sub(prog->name, sub, prog->channel ? *prog->channel : NULL);
out:
	opt_list_fini(&sub->peer.auth_args);
	return status;
}
