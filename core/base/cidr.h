/* cidr.h - ranges of addresses: "10.0.0.0/8", "2001:db8::/32", or one address alone. */
#ifndef CORE_BASE_CIDR_H
#define CORE_BASE_CIDR_H

#include <netinet/in.h>
#include <stdbool.h>

#include "core/base/err.h"

struct cidr {
	struct in6_addr ip; /* v4 as v4-mapped; the bits behind the prefix are 0 */
	unsigned int bits;  /* of the prefix, of 128 */
};

/* -EINVAL with words for what is none. */
int cidr_parse(const char *text, struct cidr *ret, struct err *err);
/* Is the address (v4 as v4-mapped) in the range? */
bool cidr_has(const struct cidr *c, const struct in6_addr *ip);

#endif
