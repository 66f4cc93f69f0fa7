/* addr.h - socket addresses as text and as keys. */
#ifndef XPRT_ADDR_H
#define XPRT_ADDR_H

#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>

#define ADDR_TEXT_MAX 160 /* "[v6%scope]:port", or a local name */

/* "10.1.2.3:411", "[2001:db8::1]:411" (v4-mapped addresses as v4), or "mem:NAME"; into out, which is returned. */
const char *addr_text(const struct sockaddr_storage *a, char out[ADDR_TEXT_MAX]);
/* The address alone, without a port, 16 bytes; v4 as v4-mapped.  False for what is no IP address. */
bool addr_ip(const struct sockaddr_storage *a, struct in6_addr *ret);
/* The IPv4 address as it stands in memory, 0 for others. */
uint32_t addr_v4(const struct sockaddr_storage *a);

/* The same end of a connection: address and port. */
bool addr_same(const struct sockaddr_storage *a, const struct sockaddr_storage *b);

#endif
