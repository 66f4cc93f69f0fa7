/* convert.h - a cluster file of an older form in today's: plugins in a section of their own, stores by name. */
#ifndef CORE_MAESTRO_CONVERT_H
#define CORE_MAESTRO_CONVERT_H

#include "core/base/buf.h"
#include "core/base/err.h"
#include "core/base/yaml.h"

/* `renamed` (may be NULL) is called for each plugin that could not keep its instance's name, as another one has it.
 * -EINVAL with line and column for what can stand in no file, -ELOOP, -E2BIG for aliases without end. */
int convert(const struct yaml_node *root, void (*renamed)(void *arg, const char *from, const char *to), void *arg,
	    struct buf *to, struct err *err);

#endif
