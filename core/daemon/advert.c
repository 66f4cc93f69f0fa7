/* advert.c - see advert.h */
#include "core/daemon/advert.h"

#include <stdio.h>
#include <unistd.h>

#include "core/daemon/listener.h"
#include "core/daemon/prdcr_impl.h"
#include "core/daemon/records.h"

#define HOST_NAME_SIZE 256

static void on_answer(void *arg, int rc, const char *words)
{
	struct prdcr *p = arg;
	struct err why;

	if (rc < 0) /* the connection ended; that is told elsewhere */
		return;
	if (!rc) {
		prdcr_deadline(p, 0);
		prdcr_is_up(p);
		return;
	}
	err_set(&why, 0, "%s does not want this daemon's sets: %s; asked again later", xprt_peer(p->x),
		*words ? words : err_name(rc));
	prdcr_is_down(p, XPRT_CLOSED, why.msg);
}

void advert_ask(struct prdcr *p)
{
	char host[HOST_NAME_SIZE] = "localhost", port[8];
	const struct record_pair pairs[] = {
		{ ADVERTISE_NAME, p->conf.name },
		{ ADVERTISE_HOST, host },
		{ ADVERTISE_PORT, port },
	};
	struct err err = { "" };

	gethostname(host, sizeof(host) - 1);
	snprintf(port, sizeof(port), "%u", listener_port(p->d));
	if (records_ask(p->d, p->x, ADVERTISE, pairs, sizeof(pairs) / sizeof(*pairs), on_answer, p, &err)) {
		prdcr_is_down(p, XPRT_LOCAL, err.msg);
		return;
	}
	prdcr_deadline(p, p->d->xprt.limits.answer_us);
}
