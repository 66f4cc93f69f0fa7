/* help_verbs.h - the table of verbs, for manuals. */
#ifndef CMD_HELP_VERBS_H
#define CMD_HELP_VERBS_H

#include <stdbool.h>
#include <stdio.h>

/* "--conf": their part of ldms.conf(5); "--wire": of ldms-wire(7).  "--samplers" is the other table, of ldms-samplers(7),
 * and "--store" a store, called `arg`, of ldms-stores(7).  False: none of these. */
bool help_verbs(FILE *to, const char *option, const char *arg);

#endif
