/* exec_lines.h - what programs print for the sampler exec: lines of `name value`, or JSON objects of a line each. */
#ifndef PLUGINS_EXEC_LINES_H
#define PLUGINS_EXEC_LINES_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "core/base/err.h"

#define EXEC_LINE_MAX 65536 /* bytes of a line */

/* Take a line (no end of line in it) into `object`:
 *
 *	name 5          a whole number; name 1.5, name true
 *	name some text  and what is in double quotes, without them
 *	name=5          the same
 *	{"name":5}      all members of the object
 *	# anything      nothing
 *
 * 1: the sample ends here (a JSON object, or an empty line behind other lines); 0: there may be more of it; -EINVAL with
 * words for a line of another form, which changes nothing. */
int exec_line_take(json_t *object, const char *line, size_t len, struct err *err);

#endif
