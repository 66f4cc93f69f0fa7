/* conf_yaml_advert.c - advertise, of samplers and aggregators in a cluster file. */
#include <stdlib.h>
#include <string.h>

#include "core/base/hostlist.h"
#include "core/base/xalloc.h"
#include "core/ctl/conf_yaml_impl.h"

static const char *const advertise_keys[] = { "names", "hosts", "xprt",  "port",    "reconnect", "auth",
					      "perm",  "rail",  "quota", "rx_rate", NULL };

/* Hosts of the file have endpoints; others may be anywhere. */
static void reach_check(struct ygen *g, ynode map)
{
	ynode n = NULL;
	const char *port = ygen_text(g, map, "port", &n);
	struct hostlist hosts;

	if (!port || !yaml_get(map, "hosts") || !ygen_names(g, yaml_get(map, "hosts"), &hosts))
		return;
	for (size_t i = 0; i < hosts.n; i++) {
		bool known = false, found = false;

		for (const struct yendpoint *e = g->endpoints; e && !found; e = e->hh.next) {
			bool here = !strcmp(e->host, hosts.names[i]) ||
				    !strcmp(g->daemons[e->daemon]->host, hosts.names[i]);

			known |= here;
			found = here && !strcmp(e->port, port);
		}
		if (known && !found)
			ygen_doubt(g, n, "advertise: no endpoint of host %s has port %s", hosts.names[i], port);
	}
	hostlist_fini(&hosts);
}

void ygen_advertise_check(struct ygen *g, ynode map, size_t daemons)
{
	static const char *const wanted[] = { "hosts", "xprt", "port", "reconnect" };
	struct hostlist names;

	if (!map)
		return;
	ygen_keys_check(g, map, "advertise", advertise_keys);
	for (size_t i = 0; i < sizeof(wanted) / sizeof(*wanted); i++)
		ygen_required(g, map, wanted[i], "advertise");
	reach_check(g, map);
	if (!yaml_get(map, "names") || !ygen_names(g, yaml_get(map, "names"), &names))
		return;
	if (names.n != daemons)
		ygen_bad(g, yaml_get(map, "names"), "advertise: %zu names for %zu daemons; each has one", names.n,
			 daemons);
	hostlist_fini(&names);
}

void ygen_advertise(struct ygen *g, ynode map)
{
	struct hostlist hosts;
	const char *auth;

	if (!map || !yaml_get(map, "hosts") || !ygen_names(g, yaml_get(map, "hosts"), &hosts))
		return;
	auth = ygen_auth(g, map);
	for (size_t i = 0; i < hosts.n; i++) {
		char *name = xasprintf("%s-%s", g->self, hosts.names[i]);

		ygen_verb(g, map, "advertiser_add");
		ygen_attr(g, map, "name", name);
		ygen_attr(g, yaml_get(map, "hosts"), "host", hosts.names[i]);
		ygen_attr_if(g, map, "xprt", "xprt");
		ygen_attr_if(g, map, "port", "port");
		ygen_attr_time(g, map, "reconnect");
		ygen_attr_auth(g, map, "auth", auth);
		ygen_attr_perm(g, map);
		ygen_attr_if(g, map, "rail", "rail");
		ygen_attr_if(g, map, "quota", "quota");
		ygen_attr_if(g, map, "rx_rate", "rx_rate");
		ygen_end(g);
		ygen_verb(g, map, "advertiser_start");
		ygen_attr(g, map, "name", name);
		ygen_end(g);
		free(name);
	}
	hostlist_fini(&hosts);
}
