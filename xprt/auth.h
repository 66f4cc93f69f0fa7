/* auth.h - who a peer is: what a method of authentication must do.
 *
 * Each side runs the method on its own and decides for itself when it is satisfied.  To add one: xprt/auth_NAME.c with
 * a `const struct auth_type auth_NAME` and one line in the table of auth.c.
 *
 * Real peers die of an AUTH_MSG that comes when they have approved us, and some approve with our last message.  So a
 * method sends all that it has to say before auth_approve(), and nothing behind its last message.
 */
#ifndef XPRT_AUTH_H
#define XPRT_AUTH_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/err.h"
#include "core/base/kv.h"
#include "xprt/ep.h"
#include "xprt/xprt.h"

#define AUTH_NAME_MAX 15 /* bytes without NUL, on the wire */

struct auth_type;

/* One run of a method, on one connection. */
struct auth_run {
	const struct auth_type *type;
	void *conf; /* auth_conf.own */
	struct ep *ep;
	void *state; /* the method's, from begin() to end() */
	bool done;
	bool holding;      /* auth_hold() */
	bool active;       /* we made the connection */
	enum auth_why why; /* of a run that failed */
};

struct auth_type {
	const char *name;
	const char *needs;          /* the library that this build lacks, or NULL */
	const char *const *options; /* that it takes, ended by NULL; NULL: none */
	const char *caution;        /* what an operator should be told who uses it, or NULL */
	const char *hung_up;        /* why a peer may hang up in the middle of it, and what to do; NULL: never is one */
	/* Take the arguments (secret file, socket, ...): for a listener or a peer.  NULL: there are none. */
	int (*open)(const struct kv *args, void **ret_conf, struct err *err);
	void (*close)(void *conf);
	/* Add to the arguments what open() would take from the environment, so that later it need not.  May be NULL. */
	int (*settle)(struct kv *args, struct err *err);
	/* The connection is there: on its loop.  Say what is to be said with auth_say(), and sooner or later call
	 * auth_approve() or auth_refuse(), from here, from message(), or from the loop later on. */
	void (*begin)(struct auth_run *a);
	/* The peer's message; NULL: the method has none, one that comes breaks the protocol. */
	void (*message)(struct auth_run *a, const void *bytes, size_t len);
	/* The connection ends, or the run is over; also after a begin() that did nothing.  NULL: nothing to free. */
	void (*end)(struct auth_run *a);
	/* Time is up: words when it is not the peer that is waited for, and *why.  May be NULL. */
	const char *(*late)(const struct auth_run *a, enum auth_why *why);
};

/* -EINVAL with the names there are, -ENOTSUP when this build lacks its library. */
int auth_type_find(const char *name, const struct auth_type **ret, struct err *err);

/* A method with its arguments taken: what a listener or a peer needs, and any number of them may share. */
struct auth_conf {
	const struct auth_type *type;
	void *own; /* what auth_type.open() made */
	atomic_uint refs;
};
/* Find a method and open it with these arguments (NULL: none); unknown ones are refused. */
int auth_open(const char *name, const struct kv *args, struct auth_conf **ret, struct err *err);
/* Make the arguments independent of the environment; they are such that auth_open() takes them. */
int auth_settle(const struct auth_conf *ac, struct kv *args, struct err *err);
struct auth_conf *auth_conf_get(struct auth_conf *ac);
void auth_conf_put(struct auth_conf *ac); /* NULL is fine */

/* For the methods (lane.c). */
/* Not auth_send(): a libmunge that is linked in has one. */
int auth_say(struct auth_run *a, const void *bytes, size_t len);
/* From begin() or message(): this takes its time; what else the peer says waits for it, unread. */
void auth_hold(struct auth_run *a);
/* Not from there, but from the loop later on: read on.  The run may be over when it returns. */
void auth_resume(struct auth_run *a);
/* The last thing that is done with a run; both call end(). */
void auth_approve(struct auth_run *a, uint32_t peer_uid, uint32_t peer_gid);
void auth_refuse(struct auth_run *a, enum auth_why why, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

#endif
