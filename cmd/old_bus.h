/* old_bus.h - what the old programs of messages (old_msg.c) and of streams (old_stream.c) share. */
#ifndef CMD_OLD_BUS_H
#define CMD_OLD_BUS_H

#include "cmd/msg.h"

/* Publish the file, or with `line` all of its lines, so often and with such pauses. */
void old_bus_repeat(struct pub_opts *o, uint64_t times, uint64_t interval_us);

/* A program that waits for publishers; the pointers are into its options. */
struct old_subscriber {
	const char *name;
	struct sub_opts *sub;
	const char *const *channel; /* required; NULL: it takes all */
	const bool *help;
};

/* Parse the options into `into`, and print what publishers send; the exit status. */
int old_bus_subscribe(const struct old_subscriber *prog, int argc, char **argv, void *into);

#endif
