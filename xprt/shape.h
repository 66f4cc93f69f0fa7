/* shape.h - do two pieces of metadata describe the same set, but for what may change while it lives? */
#ifndef XPRT_SHAPE_H
#define XPRT_SHAPE_H

#include <stdbool.h>

/* Both were checked (image_check_meta) and stand on any address.  What may differ: generation, owner, permission, user
 * data, META values. */
bool shape_is_same(const void *a, const void *b);

#endif
