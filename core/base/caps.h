/* caps.h - Linux capabilities by name: the pieces of root's rights that a process may keep on its own. */
#ifndef CORE_BASE_CAPS_H
#define CORE_BASE_CAPS_H

#include <stdint.h>

#include "core/base/err.h"

#define CAPS_TEXT_MAX 1024 /* bytes of all names with blanks between, the NUL included */

/* "sys_rawio dac_read_search" to bits; "" and NULL are none.  -EINVAL with the nearest name for one that is unknown. */
int caps_parse(const char *names, uint64_t *ret, struct err *err);
/* The names into out (at least CAPS_TEXT_MAX bytes), "none" when there are none.  Returns out. */
const char *caps_text(uint64_t caps, char *out);

/* What the calling thread may use now, and what it could ever get by starting a program. */
uint64_t caps_effective(void);
uint64_t caps_permitted(void);
uint64_t caps_bounding(void);
/* Of the calling thread: exactly these permitted and effective, none of them inheritable or ambient.  A negative
 * errno when one of them is not permitted. */
int caps_set(uint64_t caps);
/* Take everything out of the bounding set: no program that is started can get any.  Wants setpcap. */
int caps_bounding_empty(void);

#endif
