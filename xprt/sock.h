/* sock.h - endpoints and listeners that are sockets: what sock.c shares with transports of another address family. */
#ifndef XPRT_SOCK_H
#define XPRT_SOCK_H

#include "xprt/ep.h"

struct xprt_listener;

struct ep *sock_new(const struct ep_type *type, struct xprt_env *env, struct loop *loop, const struct ep_events *ev,
		    void *owner);
int sock_connect(struct ep *ep, const struct sockaddr *addr, socklen_t len, const void *conn, size_t conn_len,
		 struct err *err);
void sock_move(struct ep *ep, struct loop *to);
void sock_local(const struct ep *ep, struct sockaddr_storage *ret);
/* An endpoint for a socket that was accepted (taken, also closed on failure), which waits for CONNECT. */
struct ep *sock_adopt(const struct ep_type *type, struct xprt_env *env, struct loop *loop, int fd,
		      const struct sockaddr_storage *addr);
/* Open a listening socket at that address (sock_listen.c); the descriptor, or a negative errno without words. */
int sock_listen_at(const struct sockaddr *addr, socklen_t len);
/* Accept from a listening socket (taken) for the listener; and the end of that. */
void sock_door_open(struct xprt_listener *l, int fd);
void sock_unlisten(struct xprt_listener *l);

#endif
