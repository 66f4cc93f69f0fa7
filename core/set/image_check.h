/* image_check.h - what the checks of metadata and of data share; the checks themselves: image.h */
#ifndef CORE_SET_IMAGE_CHECK_H
#define CORE_SET_IMAGE_CHECK_H

#include "core/set/image.h"

/* Pay n bytes for a part out of what is left of the whole; false: it is not there. */
static inline bool image_claim(uint64_t *left, uint64_t n)
{
	if (n > *left)
		return false;
	*left -= n;
	return true;
}

#endif
