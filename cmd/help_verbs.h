/* help_verbs.h - the table of verbs, for manuals. */
#ifndef CMD_HELP_VERBS_H
#define CMD_HELP_VERBS_H

#include <stdbool.h>
#include <stdio.h>

/* "--conf": their part of ldms.conf(5); "--wire": of ldms-wire(7).  False: neither. */
bool help_verbs(FILE *to, const char *option);

#endif
