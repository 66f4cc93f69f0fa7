/* prdcr_listen.h - who may advertise itself: the daemons that connect to us and ask to be collected.
 *
 * Each running prdcr_listen says from where and under which names they may come, and what becomes of them: an
 * advertisement makes a producer HOST:PORT, which uses the connection that it came on (passive), or connects back
 * (active).  All of this is the main loop's.
 */
#ifndef CORE_DAEMON_PRDCR_LISTEN_H
#define CORE_DAEMON_PRDCR_LISTEN_H

#include "core/base/cidr.h"
#include "core/daemon/daemon.h"
#include "core/daemon/prdcr.h"

#define PRDCR_LISTEN_MAX_DFLT 16384 /* producers of one: half of the connections that a daemon takes */

struct prdcr_listen_conf {
	const char *name;
	const char *regex; /* on the advertised host; NULL: any */
	const char *ip;    /* a range of addresses; NULL: any */
	bool active, disable_start;
	struct xprt_quota quota; /* of the connections */
	uint64_t max;           /* how many producers it makes */
	uint32_t uid, gid, perm;
	/* active: how to connect back */
	const char *xprt, *auth, *reconnect; /* reconnect: as written */
	int64_t reconnect_us;
	unsigned short port;
	unsigned int rail;
};

struct prdcr_listen_stats {
	uint64_t prdcrs;  /* that it made and that are still there */
	uint64_t taken;   /* advertisements */
	uint64_t refused; /* that matched, but could not be had: too many, or somebody else's name */
};

struct prdcr_listen *prdcr_listen_new(struct daemon *d, const struct prdcr_listen_conf *conf, struct err *err);
void prdcr_listen_free(struct prdcr_listen *l); /* its producers stay; NULL is fine */
void prdcr_listen_run(struct prdcr_listen *l, bool on);
bool prdcr_listen_running(const struct prdcr_listen *l);
const struct prdcr_listen_conf *prdcr_listen_conf(const struct prdcr_listen *l);
void prdcr_listen_stats(const struct prdcr_listen *l, struct prdcr_listen_stats *ret);

/* Somebody at that address advertises itself as a host and a port: its producer, made if need be by the first, in the
 * order of names, that takes it.  *ret_take: it waits for the connection (prdcr_take).  -ENOENT: nobody wants it; -EBUSY:
 * the name is in use; -ENOSPC, -EINVAL. */
int prdcr_listen_ask(struct daemon *d, const char *host, unsigned short port, const struct sockaddr *from,
		     struct prdcr **ret, bool *ret_take, struct err *err);
/* A producer is being deleted. */
void prdcr_listen_left(struct daemon *d, const struct prdcr_conf *prdcr);

#endif
