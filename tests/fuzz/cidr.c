/* cidr.c - ranges of addresses from configurations and control requests
 *
 * Reaches cidr_parse() and cidr_has(): what a range begins with is in it, and what differs within its prefix is not.
 */
#include "core/base/cidr.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "core/base/xalloc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = xstrndup((const char *)data, size);
	struct err err = { "" };
	struct cidr c;

	if (!cidr_parse(text, &c, &err)) {
		struct in6_addr ip = c.ip;
		unsigned int bit = size % 128;

		assert(c.bits <= 128 && cidr_has(&c, &ip));
		ip.s6_addr[bit / 8] ^= (uint8_t)(0x80 >> bit % 8);
		assert(cidr_has(&c, &ip) == (bit >= c.bits));
	} else {
		assert(*err.msg);
	}
	free(text);
	return 0;
}
