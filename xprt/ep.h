/* ep.h - an endpoint: one connection to a peer, and what a transport must do to carry it.
 *
 * A transport (sock, rdma, mem) moves messages, announces exported sets and reads the peer's; what the messages mean is
 * the business of proto_*.c.  An endpoint lives on one loop for life and all of this runs there.  To add a transport:
 * xprt/NAME.c with a `const struct ep_type ep_NAME` and one line in the table of ep.c.
 */
#ifndef XPRT_EP_H
#define XPRT_EP_H

#include <sys/socket.h>

#include "core/base/buf.h"
#include "core/base/loop.h"
#include "core/set/set.h"

struct ep;
struct ep_events;
struct ep_type;
struct xprt_env;
struct xprt_listener;

#define EP_MSG_MAX 1048536 /* bytes of one message; a peer drops us beyond that */

/* What every endpoint has; a transport's own struct begins with it. */
struct ep {
	const struct ep_type *type;
	const struct ep_events *ev;
	void *owner; /* of the layer above */
	struct loop *loop;
	struct xprt_env *env;
	struct sockaddr_storage addr; /* the peer's, once known */
	int64_t heard_us;             /* when the peer's last bytes came (or ours began to wait for some); monotonic */
	unsigned int waiting;         /* requests of the layer above that want an answer */
	unsigned int reading;         /* ep_type.read()s that want one, */
	int64_t read_us;              /* ... the oldest since then; monotonic */
	unsigned int work;            /* done for this peer in this turn: see proto_work() */
};

/* What the transport tells the layer above; every function is called on the endpoint's loop.  The endpoint may be
 * closed from inside any of them; the transport copes. */
struct ep_events {
	/* passive side: the peer asks to connect; answer with ep_accept() or ep_reject() now */
	void (*asked)(struct ep *ep, const void *conn, size_t len);
	/* active side: the peer accepted; its connect data */
	void (*accepted)(struct ep *ep, const void *conn, size_t len);
	/* both sides: connected; messages may be sent */
	void (*up)(struct ep *ep);
	/* a message; the bytes are borrowed */
	void (*message)(struct ep *ep, const void *msg, size_t len);
	/* the peer exports memory; with a message */
	void (*shared)(struct ep *ep, uint32_t key, uint64_t addr, uint32_t len, const void *msg, size_t msg_len);
	/* the oldest outstanding ep_read() has come: rc 0 and the bytes (borrowed), or a negative errno */
	void (*read_done)(struct ep *ep, void *ctxt, int rc, const void *bytes, size_t len);
	/* all that was to be sent is with the kernel; nothing may be sent or closed from inside */
	void (*drained)(struct ep *ep);
	/* gone, with a reason (enum xprt_fail, words); called once unless ep_close() was called before */
	void (*down)(struct ep *ep, int fail, const char *why);
};

/* A transport. */
struct ep_type {
	const char *name;  /* "sock" */
	const char *needs; /* the library that this build lacks, or NULL */
	/* Make the address of a peer from its name; NULL: it is an IP address or a host's name (resolve.h). */
	int (*address)(const char *host, unsigned short port, struct sockaddr_storage *ret, socklen_t *ret_len,
		       struct err *err);
	/* An endpoint that is going to connect. */
	struct ep *(*new)(const struct ep_type *type, struct xprt_env *env, struct loop *loop,
			  const struct ep_events *ev, void *owner);
	/* Begin to connect to an address; `conn` is sent along.  `down` says when it fails. */
	int (*connect)(struct ep *ep, const struct sockaddr *addr, socklen_t len, const void *conn, size_t conn_len,
		       struct err *err);
	int (*accept)(struct ep *ep, const void *conn, size_t len);
	/* From `asked`: let it live on another loop, where `asked` is called again with the same bytes; until then it
	 * must not be touched. */
	void (*move)(struct ep *ep, struct loop *to);
	void (*reject)(struct ep *ep, const char *why); /* then closes */
	/* On, from `up` or `message`: nothing more of the peer is handled, or read, until it is off; off: not from inside an
	 * event, and what has come already is handled before it returns. */
	void (*hold)(struct ep *ep, bool on);
	/* Our own end's address.  NULL: there is none. */
	void (*local)(const struct ep *ep, struct sockaddr_storage *ret);
	/* Append a message; it leaves with the others of this wake-up.  -ENOBUFS when the bounded queue is full: the
	 * peer does not read, and the endpoint is being dropped. */
	int (*send)(struct ep *ep, const void *msg, size_t len);
	/* The number by which this peer names the set, never 0; from now the peer may read it (a reference is held until
	 * unshare or close). */
	uint64_t (*set_id)(struct ep *ep, struct set *set);
	/* The set that this peer names so, borrowed; NULL for a number that it was not given. */
	struct set *(*set_by_id)(const struct ep *ep, uint64_t id);
	/* Export the set's image to the peer with a message. */
	int (*share)(struct ep *ep, struct set *set, const void *msg, size_t len);
	/* Later reads of it are refused; false when it was not exported. */
	bool (*unshare)(struct ep *ep, struct set *set);
	/* Read the peer's memory; reads complete in order, as many may be outstanding as SETs there are. */
	int (*read)(struct ep *ep, uint32_t key, uint64_t addr, uint32_t len, void *ctxt);
	/* Enough for this turn: what the peer has asked already waits until others had theirs. */
	void (*rest)(struct ep *ep);
	/* Bytes that wait to be sent. */
	size_t (*queued)(const struct ep *ep);
	/* Hand over now what waits (also done at the end of each wake-up). */
	void (*flush)(struct ep *ep);
	/* Close after flushing what the peer will take; frees the endpoint soon; no event comes any more. */
	void (*close)(struct ep *ep);
	/* Listening: see xprt_listen().  The loop of what listens is l->loops[0], and held. */
	int (*listen)(struct xprt_listener *l, struct err *err);
	void (*unlisten)(struct xprt_listener *l);
};

/* The transport of that name: -ENOENT with the names there are, -ENOTSUP when this build lacks its library. */
int ep_type_find(const char *name, const struct ep_type **ret, struct err *err);

/* Our own end's address; all zero when there is none. */
void ep_local(const struct ep *ep, struct sockaddr_storage *ret);

#endif
