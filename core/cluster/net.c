/* net.c - see net.h; rtnetlink(7): a request is a header, a struct of its kind, and attributes within each other */
#include "core/cluster/net.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PER_NET 250 /* addresses of a third byte: node 249 is 10.77.1.250, node 250 is 10.77.2.1 */

const char *net_addr(size_t i, char *out)
{
	snprintf(out, 32, "10.77.%zu.%zu", (i + 1) / PER_NET + 1, (i + 1) % PER_NET + 1);
	return out;
}

const char *net_addr6(size_t i, char *out)
{
	snprintf(out, 32, "fd77::%zu:%zu", (i + 1) / PER_NET + 1, (i + 1) % PER_NET + 1);
	return out;
}

const char *net_port(size_t i, char *out)
{
	snprintf(out, 32, "v%zu", i + 1);
	return out;
}

int net_open(struct net *n, struct err *err)
{
	struct sockaddr_nl self = { .nl_family = AF_NETLINK };

	*n = (struct net){ .fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE) };
	if (n->fd >= 0 && !bind(n->fd, (struct sockaddr *)&self, sizeof(self)))
		return 0;
	err_set(err, -errno, "rtnetlink: %s", err_name(errno));
	net_close(n);
	return -EIO;
}

void net_close(struct net *n)
{
	if (n->fd >= 0)
		close(n->fd);
	n->fd = -1;
	buf_fini(&n->msg);
}

/* -- a request ----------------------------------------------------------------------------------------------------- */

static void begin(struct net *n, unsigned int type, unsigned int flags, const void *body, size_t len)
{
	struct nlmsghdr h = { .nlmsg_type = (uint16_t)type,
			      .nlmsg_flags = (uint16_t)(NLM_F_REQUEST | NLM_F_ACK | flags),
			      .nlmsg_seq = ++n->seq };

	buf_reset(&n->msg);
	buf_add(&n->msg, &h, sizeof(h));
	buf_add(&n->msg, body, len);
}

static void put(struct net *n, unsigned int type, const void *p, size_t len)
{
	static const uint8_t zero[RTA_ALIGNTO];
	struct rtattr a = { .rta_len = (uint16_t)RTA_LENGTH(len), .rta_type = (uint16_t)type };

	buf_add(&n->msg, &a, sizeof(a));
	buf_add(&n->msg, p, len);
	buf_add(&n->msg, zero, RTA_ALIGN(len) - len);
}

static void put_text(struct net *n, unsigned int type, const char *s)
{
	put(n, type, s, strlen(s) + 1);
}

/* An attribute that holds others: from the place that is returned to where nest_end() is said. */
static size_t nest(struct net *n, unsigned int type)
{
	size_t at = n->msg.len;

	put(n, type, NULL, 0);
	return at;
}

static void nest_end(struct net *n, size_t at)
{
	uint16_t len = (uint16_t)(n->msg.len - at);

	memcpy(n->msg.p + at + offsetof(struct rtattr, rta_len), &len, sizeof(len));
}

/* Send it, and wait for what the kernel says: 0 or a negative errno. */
static int request(struct net *n)
{
	uint32_t len = (uint32_t)n->msg.len;
	struct {
		struct nlmsghdr h;
		struct nlmsgerr e;
		char rest[4096];
	} answer;
	ssize_t got;

	memcpy(n->msg.p + offsetof(struct nlmsghdr, nlmsg_len), &len, sizeof(len));
	if (send(n->fd, n->msg.p, n->msg.len, 0) < 0)
		return -errno;
	do {
		do
			got = recv(n->fd, &answer, sizeof(answer), 0);
		while (got < 0 && errno == EINTR);
		if (got < 0)
			return -errno;
	} while ((size_t)got < sizeof(answer.h) + sizeof(answer.e.error) || answer.h.nlmsg_seq != n->seq ||
		 answer.h.nlmsg_type != NLMSG_ERROR);
	return answer.e.error;
}

/* -- links --------------------------------------------------------------------------------------------------------- */

static const struct ifinfomsg link_up = { .ifi_flags = IFF_UP, .ifi_change = IFF_UP };

int net_bridge_add(struct net *n, const char *name, struct err *err)
{
	const uint8_t snooping =
		0; /* multicast goes everywhere: there is little, and groups need no time to be learnt */
	size_t info, data;
	int rc;

	begin(n, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &link_up, sizeof(link_up));
	put_text(n, IFLA_IFNAME, name);
	info = nest(n, IFLA_LINKINFO);
	put_text(n, IFLA_INFO_KIND, "bridge");
	data = nest(n, IFLA_INFO_DATA);
	put(n, IFLA_BR_MCAST_SNOOPING, &snooping, sizeof(snooping));
	nest_end(n, data);
	nest_end(n, info);
	rc = request(n);
	return rc ? err_set(err, rc, "bridge %s cannot be made: %s%s", name, err_name(rc),
			    rc == -EOPNOTSUPP ? "; this kernel has no bridges (CONFIG_BRIDGE)" : "")
		  : 0;
}

int net_wire_add(struct net *n, const char *port, const char *bridge, pid_t to, struct err *err)
{
	uint32_t master = if_nametoindex(bridge), pid = (uint32_t)to;
	const struct ifinfomsg none = { 0 };
	size_t info, data, peer;
	int rc;

	begin(n, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &link_up, sizeof(link_up));
	put_text(n, IFLA_IFNAME, port);
	put(n, IFLA_MASTER, &master, sizeof(master));
	info = nest(n, IFLA_LINKINFO);
	put_text(n, IFLA_INFO_KIND, "veth");
	data = nest(n, IFLA_INFO_DATA);
	peer = nest(n, VETH_INFO_PEER);
	buf_add(&n->msg, &none, sizeof(none));
	put_text(n, IFLA_IFNAME, NET_ETH);
	put(n, IFLA_NET_NS_PID, &pid, sizeof(pid));
	nest_end(n, peer);
	nest_end(n, data);
	nest_end(n, info);
	rc = request(n);
	return rc ? err_set(err, rc, "wire %s cannot be made: %s%s", port, err_name(rc),
			    rc == -EOPNOTSUPP ? "; this kernel has no pairs of interfaces (CONFIG_VETH)" : "")
		  : 0;
}

int net_link_set(struct net *n, const char *name, bool up, struct err *err)
{
	struct ifinfomsg m = { .ifi_flags = up ? IFF_UP : 0,
			       .ifi_change = IFF_UP,
			       .ifi_index = (int)if_nametoindex(name) };
	int rc = m.ifi_index ? 0 : -ENODEV;

	if (!rc) {
		begin(n, RTM_NEWLINK, 0, &m, sizeof(m));
		rc = request(n);
	}
	return rc ? err_set(err, rc, "interface %s cannot be set %s: %s", name, up ? "up" : "down", err_name(rc)) : 0;
}

int net_port_set(struct net *n, const char *port, bool on, struct err *err)
{
	const uint8_t state = on ? BR_STATE_FORWARDING : BR_STATE_DISABLED;
	struct ifinfomsg m = { .ifi_family = AF_BRIDGE, .ifi_index = (int)if_nametoindex(port) };
	int rc = m.ifi_index ? 0 : -ENODEV;
	size_t info;

	if (!rc) {
		begin(n, RTM_SETLINK, 0, &m, sizeof(m));
		info = nest(n, IFLA_PROTINFO | NLA_F_NESTED);
		put(n, IFLA_BRPORT_STATE, &state, sizeof(state));
		nest_end(n, info);
		rc = request(n);
	}
	return rc ? err_set(err, rc, "port %s cannot be switched %s: %s", port, on ? "on" : "off", err_name(rc)) : 0;
}

int net_addr_add(struct net *n, const char *name, const char *addr, unsigned int prefix, struct err *err)
{
	bool v6 = strchr(addr, ':');
	struct ifaddrmsg m = { .ifa_family = v6 ? AF_INET6 : AF_INET,
			       .ifa_prefixlen = (uint8_t)prefix,
			       .ifa_flags = v6 ? IFA_F_NODAD : 0, /* nobody else has it; it is there at once */
			       .ifa_index = if_nametoindex(name) };
	struct in6_addr ip;
	size_t len = v6 ? sizeof(ip) : sizeof(struct in_addr);
	int rc = m.ifa_index ? 0 : -ENODEV;

	if (!rc && inet_pton(m.ifa_family, addr, &ip) != 1)
		rc = -EINVAL;
	if (!rc) {
		begin(n, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, &m, sizeof(m));
		put(n, IFA_LOCAL, &ip, len);
		put(n, IFA_ADDRESS, &ip, len);
		rc = request(n);
	}
	return rc ? err_set(err, rc, "interface %s cannot get the address %s: %s", name, addr, err_name(rc)) : 0;
}
