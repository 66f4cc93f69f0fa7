/* ids.h - users and groups as people write them: by name or by number. */
#ifndef CORE_BASE_IDS_H
#define CORE_BASE_IDS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/err.h"

/* -EINVAL for a number that is none, and for a name that nobody here has.  A name is looked up in the system's user
 * database, which may take its time; a number is not. */
int ids_user(const char *text, uint32_t *ret, struct err *err);
int ids_group(const char *text, uint32_t *ret, struct err *err);

/* Learn a name, or that there is none of it, for a few seconds: for who may not wait, a worker asks ahead.  Any thread.
 */
void ids_learn(bool group, const char *name);

#endif
