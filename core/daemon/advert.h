/* advert.h - advertisers: this daemon tells an aggregator to collect its sets, over a connection that it makes.
 *
 * An advertiser is a producer of type PRDCR_ADVERTISER in a table of its own (daemon->adverts): it connects and comes
 * back as producers do, is connected once the aggregator has agreed, and then just serves.
 */
#ifndef CORE_DAEMON_ADVERT_H
#define CORE_DAEMON_ADVERT_H

#include "core/daemon/prdcr.h"

/* Numbers of the wire, frozen (man ldms-wire): the request, and what it says. */
#define ADVERTISE      0x116
#define ADVERTISE_NAME 1  /* the advertiser's */
#define ADVERTISE_HOST 9  /* this host's */
#define ADVERTISE_PORT 10 /* where it listens; text */

/* For prdcr.c: the connection is up; tell the aggregator. */
void advert_ask(struct prdcr *p);

#endif
