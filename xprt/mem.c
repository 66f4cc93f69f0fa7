/* mem.c - the transport `mem`: peers inside one process, for tests and for programs that are several daemons at once.
 *
 * It is `sock` between local sockets whose names nobody outside this process finds: the same framing, the same limits,
 * no network.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "xprt/sock.h"
#include "xprt/zap.h"
#include "xprt/xprt_impl.h"

static int mem_address(const char *host, unsigned short port, struct sockaddr_storage *ret, socklen_t *ret_len,
		       struct err *err)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int n;

	/* sun_path[0] is NUL: the abstract namespace */
	n = snprintf(un.sun_path + 1, sizeof(un.sun_path) - 1, "%s.%u.ldms.%d", host ? host : "", port, getpid());
	if (n < 0 || (size_t)n >= sizeof(un.sun_path) - 1)
		return err_set(err, -ENAMETOOLONG, "mem:%s: the name is too long; at most %zu bytes fit", host,
			       sizeof(un.sun_path) - 32);
	memset(ret, 0, sizeof(*ret));
	memcpy(ret, &un, sizeof(un));
	*ret_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)n);
	return 0;
}

static int mem_listen(struct xprt_listener *l, struct err *err)
{
	struct sockaddr_storage at;
	socklen_t len;
	int rc;

	rc = mem_address(l->host, l->port, &at, &len, err);
	if (rc)
		return rc;
	rc = sock_listen_at((const struct sockaddr *)&at, len);
	if (rc < 0)
		return err_set(err, rc, "mem:%s: cannot listen: %s", l->host ? l->host : "", err_name(rc));
	sock_door_open(l, rc);
	return 0;
}

extern const struct ep_type ep_mem; /* ep.c's table */
const struct ep_type ep_mem = {
	.name = "mem",
	.address = mem_address,
	.new = sock_new,
	.connect = sock_connect,
	.accept = zap_accept,
	.move = sock_move,
	.reject = zap_reject,
	.hold = zap_hold,
	.local = sock_local,
	.send = zap_send,
	.set_id = zap_set_id,
	.set_by_id = zap_set_by_id,
	.share = zap_share,
	.unshare = zap_unshare,
	.read = zap_read,
	.rest = zap_rest,
	.queued = zap_queued,
	.flush = zap_flush,
	.close = zap_close,
	.listen = mem_listen,
	.unlisten = sock_unlisten,
};
