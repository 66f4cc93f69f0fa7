/* cidr.c - see cidr.h */
#include "core/base/cidr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "core/base/str.h"

#define V4_BITS      32
#define V6_BITS      128
#define V4_MAPPED_AT (V6_BITS - V4_BITS) /* bits in front of a v4 address: ::ffff:0:0/96 */

/* Leave the first `bits` of an address alone and clear the others. */
static void mask(struct in6_addr *ip, unsigned int bits)
{
	for (unsigned int i = 0; i<sizeof(ip->s6_addr); i++, bits = bits> 8 ? bits - 8 : 0)
		if (bits < 8)
			ip->s6_addr[i] &= (uint8_t)(0xff00 >> bits);
}

/* The address, and how many bits one of its family has. */
static unsigned int address(const char *text, struct in6_addr *ret)
{
	*ret = (struct in6_addr){ .s6_addr = { [10] = 0xff, [11] = 0xff } };
	if (inet_pton(AF_INET, text, ret->s6_addr + V4_MAPPED_AT / 8) == 1)
		return V4_BITS;
	return inet_pton(AF_INET6, text, ret) == 1 ? V6_BITS : 0;
}

int cidr_parse(const char *text, struct cidr *ret, struct err *err)
{
	const char *slash = strchrnul(text, '/'), *digits = slash + 1;
	char addr[INET6_ADDRSTRLEN];
	unsigned int max = 0;
	uint64_t bits;

	if ((size_t)(slash - text) < sizeof(addr)) {
		memcpy(addr, text, (size_t)(slash - text));
		addr[slash - text] = '\0';
		max = address(addr, &ret->ip);
	}
	bits = max;
	if (!max || (*slash && (!str_digits(&digits, &bits) || *digits)) || bits > max)
		return err_set(
			err, -EINVAL,
			"The given CIDR string '%.64s' is invalid; write ADDRESS/BITS, as 10.0.0.0/8 or 2001:db8::/32",
			text);
	ret->bits = (unsigned int)bits + V6_BITS - max;
	mask(&ret->ip, ret->bits);
	return 0;
}

bool cidr_has(const struct cidr *c, const struct in6_addr *ip)
{
	struct in6_addr masked = *ip;

	mask(&masked, c->bits);
	return !memcmp(&masked, &c->ip, sizeof(masked));
}
