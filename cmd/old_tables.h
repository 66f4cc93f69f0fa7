/* old_tables.h - answers of control verbs as the old controllers print them. */
#ifndef CMD_OLD_TABLES_H
#define CMD_OLD_TABLES_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/buf.h"

enum old_ctl { OLD_CONTROLLER, OLD_CTL }; /* ldmsd_controller, ldmsctl */

/* Append the answer to a verb; false: it has no table of theirs. */
bool old_tables_put(struct buf *to, enum old_ctl who, const char *verb, const char *json, size_t len);

#endif
