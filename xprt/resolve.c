/* resolve.c - see resolve.h */
#include "xprt/resolve.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "core/base/xalloc.h"

struct resolve {
	struct work_job job;
	struct loop_job soon; /* when no worker is needed */
	char *host;
	char service[8];
	struct addrinfo *list;
	int rc; /* of getaddrinfo(); EAI_AGAIN as long as nobody has asked */
	int errnum;
	resolve_fn fn; /* NULL: cancelled */
	void *arg;
};

static void ask(struct resolve *r, const char *host, int flags)
{
	struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = flags };

	r->rc = getaddrinfo(host, r->service, &hints, &r->list);
	r->errnum = errno;
}

static void ask_by_name(struct resolve *r)
{
	ask(r, r->host, 0);
	if (r->rc && !strcmp(r->host, "localhost"))
		ask(r, NULL, 0); /* a container may have no /etc/hosts; what is meant is never in doubt */
}

static void run_cb(struct work_job *job)
{
	ask_by_name((struct resolve *)job);
}

static void finish(struct resolve *r)
{
	struct err err;

	if (r->fn && r->rc) {
		err_set(&err, 0, "host %s: the name does not resolve (%s); check /etc/hosts or DNS", r->host,
			r->rc == EAI_SYSTEM ? err_name(r->errnum) : gai_strerror(r->rc));
		r->fn(r->arg, NULL, err.msg);
	} else if (r->fn) {
		r->fn(r->arg, r->list, NULL);
	}
	if (r->list)
		freeaddrinfo(r->list);
	free(r->host);
	free(r);
}

static void done_cb(struct work_job *job)
{
	finish((struct resolve *)job);
}

static void soon_cb(struct loop_job *job)
{
	finish((struct resolve *)((char *)job - offsetof(struct resolve, soon)));
}

struct resolve *resolve_start(struct work *work, struct loop *loop, const char *host, unsigned short port,
			      resolve_fn fn, void *arg)
{
	struct resolve *r = xcalloc(1, sizeof(*r));

	*r = (struct resolve){ .job = { .run = run_cb, .done = done_cb, .loop = loop },
			       .soon = { .fn = soon_cb },
			       .host = xstrdup(host),
			       .rc = EAI_AGAIN,
			       .fn = fn,
			       .arg = arg };
	snprintf(r->service, sizeof(r->service), "%u", port);
	ask(r, host, AI_NUMERICHOST);
	if (r->rc && work) {
		work_add(work, &r->job);
		return r;
	}
	if (r->rc)
		ask_by_name(r);
	loop_post(loop, &r->soon);
	return r;
}

void resolve_cancel(struct resolve *r)
{
	if (r)
		r->fn = NULL;
}
