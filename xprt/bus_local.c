/* bus_local.c - subscribers in this process: see bus.h */
#include <stdlib.h>

#include "core/base/xalloc.h"
#include "xprt/bus_impl.h"

#define TURN_MSGS 256 /* handed over before others on the loop get their turn */

struct local_sub {
	struct bus_port port;
	struct bus_port *ports[1];
	struct bus_sub *sub;
	struct loop_job bury;
	void (*fn)(void *arg, const struct bus_msg *m);
	void *arg;
};

static void turn(struct bus_port *p)
{
	struct local_sub *ls = (struct local_sub *)p; /* its job is done before the one that buries it */

	for (unsigned int i = 0; bus_port_head(p); i++) {
		struct bus_body *body;

		if (i == TURN_MSGS) {
			loop_post(p->loop, &p->job);
			return;
		}
		body = bus_port_done(p);
		ls->fn(ls->arg, &body->m);
		bus_body_put(body);
	}
}

struct bus_sub *bus_subscribe(struct bus *b, const char *match, bool regex, struct loop *loop,
			      void (*fn)(void *arg, const struct bus_msg *m), void *arg, struct err *err)
{
	struct local_sub *ls = xcalloc(1, sizeof(*ls));
	const struct bus_sub_conf conf = {
		.match = match,
		.desc = "local_client",
		.dest = "",
		.regex = regex,
		.rate = BUS_UNLIMITED,
		.ports = ls->ports,
		.n_ports = 1,
	};

	bus_port_open(&ls->port, b, loop, turn);
	ls->ports[0] = &ls->port;
	ls->fn = fn;
	ls->arg = arg;
	if (bus_sub_new(b, &conf, &ls->sub, err)) {
		free(ls);
		return NULL;
	}
	return ls->sub;
}

static void bury_cb(struct loop_job *job)
{
	free((char *)job - offsetof(struct local_sub, bury));
}

void bus_unsubscribe(struct bus_sub *s)
{
	struct local_sub *ls;

	if (!s)
		return;
	ls = (struct local_sub *)s->ports[0];
	bus_sub_free(s);
	bus_port_close(&ls->port);
	ls->bury.fn = bury_cb;
	loop_post(ls->port.loop, &ls->bury);
}
