/* daemon_to.h - where rows go, and who is to collect: --to, --strgp, --shard and --spool as configuration lines. */
#ifndef CMD_DAEMON_TO_H
#define CMD_DAEMON_TO_H

#include "cmd/daemon_opts.h"

/* The stores of --to, and a policy for each schema of --strgp into each of them.  *ret_stores: how many stores. */
int daemon_to_stores(const struct daemon_opts *o, struct buf *lines, size_t *ret_stores, struct err *err);
/* The aggregators of --to. */
int daemon_to_adverts(const struct daemon_opts *o, struct buf *lines, struct err *err);
/* What --help says of the stores. */
void daemon_to_help(FILE *to);

#endif
