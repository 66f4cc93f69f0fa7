/* addr.c - see addr.h */
#include "xprt/addr.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

bool addr_ip(const struct sockaddr_storage *a, struct in6_addr *ret)
{
	if (a->ss_family == AF_INET6) {
		*ret = ((const struct sockaddr_in6 *)a)->sin6_addr;
		return true;
	}
	if (a->ss_family != AF_INET)
		return false;
	memset(ret, 0, sizeof(*ret));
	memset(ret->s6_addr + 10, 0xff, 2);
	memcpy(ret->s6_addr + 12, &((const struct sockaddr_in *)a)->sin_addr, 4);
	return true;
}

uint32_t addr_v4(const struct sockaddr_storage *a)
{
	struct in6_addr ip;
	uint32_t v4;

	if (!addr_ip(a, &ip) || !IN6_IS_ADDR_V4MAPPED(&ip))
		return 0;
	memcpy(&v4, ip.s6_addr + 12, sizeof(v4));
	return v4;
}

static in_port_t port_of(const struct sockaddr_storage *a)
{
	return a->ss_family == AF_INET ? ((const struct sockaddr_in *)a)->sin_port
				       : ((const struct sockaddr_in6 *)a)->sin6_port;
}

bool addr_same(const struct sockaddr_storage *a, const struct sockaddr_storage *b)
{
	struct in6_addr ip[2];

	if (a->ss_family == AF_UNIX && b->ss_family == AF_UNIX)
		return !memcmp(a, b, sizeof(struct sockaddr_un));
	return addr_ip(a, &ip[0]) && addr_ip(b, &ip[1]) && !memcmp(&ip[0], &ip[1], sizeof(ip[0])) &&
	       port_of(a) == port_of(b);
}

const char *addr_text(const struct sockaddr_storage *a, char out[ADDR_TEXT_MAX])
{
	char ip_text[INET6_ADDRSTRLEN];
	struct in6_addr ip;
	uint32_t v4 = addr_v4(a);

	if (a->ss_family == AF_UNIX) {
		/* an abstract name: what connects has none */
		snprintf(out, ADDR_TEXT_MAX, "mem:%.*s", (int)sizeof(((struct sockaddr_un *)0)->sun_path) - 1,
			 ((const struct sockaddr_un *)a)->sun_path + 1);
		return out;
	}
	if (!addr_ip(a, &ip)) {
		snprintf(out, ADDR_TEXT_MAX, "an unknown address");
		return out;
	}
	if (v4) {
		inet_ntop(AF_INET, &v4, ip_text, sizeof(ip_text));
		snprintf(out, ADDR_TEXT_MAX, "%s:%u", ip_text, ntohs(((const struct sockaddr_in *)a)->sin_port));
	} else {
		inet_ntop(AF_INET6, &ip, ip_text, sizeof(ip_text));
		snprintf(out, ADDR_TEXT_MAX, "[%s]:%u", ip_text, ntohs(((const struct sockaddr_in6 *)a)->sin6_port));
	}
	return out;
}
