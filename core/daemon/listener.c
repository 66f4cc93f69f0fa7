/* listener.c - see listener.h */
#include "core/daemon/listener.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/base/log.h"
#include "core/base/xalloc.h"
#include "core/daemon/auth_domain.h"
#include "core/daemon/records.h"

struct listener {
	struct node node; /* in the daemon's table; the name is ours */
	struct xprt_listener *xl;
	struct daemon *d;
	struct auth_domain *auth; /* a reference is held */
	struct listener *next; /* of those that are shut */
};

static void on_msg(struct xprt *x, void *arg, const void *bytes, size_t len)
{
	struct listener *l = arg;

	records_msg(l->d, x, bytes, len);
}

static void on_down(struct xprt *x, void *arg, enum xprt_fail fail, const char *why)
{
	struct listener *l = arg;

	log_debug("xprt", "%s: peer %s is gone: %s (%s)", l->node.name, xprt_peer(x), why, xprt_fail_name(fail));
	records_gone(l->d, x);
}

static const struct xprt_events listener_events = { .down = on_down, .msg = on_msg };

int listener_add(struct daemon *d, const struct listener_conf *conf, struct err *err)
{
	struct xprt_listen_conf xc = {
		.type = conf->xprt,
		.host = conf->host,
		.port = conf->port,
		.quota = conf->quota,
	};
	char *name = xasprintf("%s:%u", conf->xprt, conf->port);
	struct auth_domain *auth = NULL;
	struct listener *l = NULL;
	int rc;

	if (conf->port && node_find(d->listeners, name)) {
		rc = err_set(err, -EEXIST, "The listening endpoint %s is already exists", name);
		goto out;
	}
	if (conf->auth_args)
		auth = auth_domain_private(d, conf->auth, conf->auth_args, err);
	else
		auth = auth_domain_get(d, conf->auth, err);
	if (!auth) {
		rc = err_prefix(err, -ENOENT, "Listen error: ");
		goto out;
	}
	xc.auth = auth->plugin;
	xc.auth_args = &auth->args;
	l = xcalloc(1, sizeof(*l));
	l->node.name = name;
	l->d = d;
	l->auth = auth;
	rc = xprt_listen(&d->xprt, d->io, d->n_io, &xc, &listener_events, l, &l->xl, err);
	if (rc) {
		err_prefix(err, rc, "Failed to listen on the endpoint %s. ", name);
		goto out;
	}
	if (!conf->port) {
		free(name);
		l->node.name = name = xasprintf("%s:%u", conf->xprt, xprt_listener_port(l->xl));
	}
	if (!d->listeners)
		atomic_store(&d->listen_port, xprt_listener_port(l->xl));
	node_add(&d->listeners, &l->node);
	log_info("ldmsd", "Listening on %s using `%s` transport and `%s` authentication", name, conf->xprt,
		 auth->plugin);
	return 0;
out:
	auth_domain_put(auth);
	free(name);
	free(l);
	return rc;
}

int listener_try(const char *host, unsigned short port, struct err *err)
{
	const struct addrinfo hints = { .ai_flags = AI_PASSIVE | AI_NUMERICHOST, .ai_socktype = SOCK_STREAM };
	struct addrinfo *ai;
	char service[8];
	int fd, on = 1, rc = 0;

	snprintf(service, sizeof(service), "%u", port);
	if (getaddrinfo(host, service, &hints, &ai))
		return 0; /* a name: it is asked for when it is needed */
	fd = socket(ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) || bind(fd, ai->ai_addr, ai->ai_addrlen))
		rc = err_set(err, -errno, "listen: port %u cannot be listened on: %s", port, err_name(errno));
	if (fd >= 0)
		close(fd);
	freeaddrinfo(ai);
	return rc;
}

/* Another one is now the first; or none is. */
static void first_port(struct daemon *d)
{
	const struct listener *l = (struct listener *)d->listeners;

	atomic_store(&d->listen_port, l ? xprt_listener_port(l->xl) : 0);
}

int listener_shut(struct daemon *d, const char *name, struct err *err)
{
	struct listener *l = node_find(d->listeners, name);

	if (!l)
		return err_set(err, -ENOENT, "listen %s: nobody listens there", name);
	node_del(&d->listeners, &l->node);
	xprt_listener_shut(l->xl);
	auth_domain_put(l->auth);
	l->auth = NULL;
	l->next = d->shut;
	d->shut = l;
	first_port(d);
	log_info("ldmsd", "No longer listening on %s", name);
	return 0;
}

static void listener_close(struct listener *l)
{
	xprt_listener_close(l->xl);
	auth_domain_put(l->auth);
	free((char *)l->node.name);
	free(l);
}

void listener_close_all(struct daemon *d)
{
	struct listener *l;

	while ((l = d->shut)) {
		d->shut = l->next;
		listener_close(l);
	}
	while ((l = (struct listener *)d->listeners)) {
		node_del(&d->listeners, &l->node);
		listener_close(l);
	}
}

unsigned short listener_port(const struct daemon *d)
{
	return (unsigned short)atomic_load(&d->listen_port);
}
