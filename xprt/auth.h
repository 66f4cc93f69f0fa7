/* auth.h - who a peer is: what a method of authentication must do.
 *
 * Each side runs the method on its own and decides for itself when it is satisfied.  To add one: xprt/auth_NAME.c with
 * a `const struct auth_type auth_NAME` and one line in the table of auth.c.
 */
#ifndef XPRT_AUTH_H
#define XPRT_AUTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/err.h"
#include "core/base/kv.h"
#include "xprt/ep.h"

#define AUTH_NAME_MAX 15 /* bytes without NUL, on the wire */

struct auth_type;

/* One run of a method, on one connection. */
struct auth_run {
	const struct auth_type *type;
	void *conf; /* what auth_type.open() made */
	struct ep *ep;
	void *state; /* the method's, from begin() to end() */
	bool done;
};

struct auth_type {
	const char *name;
	const char *needs; /* the library that this build lacks, or NULL */
	/* Take the arguments (secret file, socket, ...); once for a listener or a peer.  NULL: there are none. */
	int (*open)(const struct kv *args, void **ret_conf, struct err *err);
	void (*close)(void *conf);
	/* The connection is there: on its loop.  Say what is to be said with auth_send(), and sooner or later call
	 * auth_approve() or auth_refuse(), from here, from message(), or from the loop later on. */
	void (*begin)(struct auth_run *a);
	/* The peer's message; NULL: the method has none, one that comes breaks the protocol. */
	void (*message)(struct auth_run *a, const void *bytes, size_t len);
	/* The connection ends, or the run is over; also after a begin() that did nothing.  NULL: nothing to free. */
	void (*end)(struct auth_run *a);
};

/* -EINVAL with the names there are, -ENOTSUP when this build lacks its library. */
int auth_type_find(const char *name, const struct auth_type **ret, struct err *err);

/* For the methods (lane.c). */
int auth_send(struct auth_run *a, const void *bytes, size_t len);
void auth_approve(struct auth_run *a, uint32_t peer_uid, uint32_t peer_gid);
void auth_refuse(struct auth_run *a, const char *why);

#endif
