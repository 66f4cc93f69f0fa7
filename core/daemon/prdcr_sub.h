/* prdcr_sub.h - what producers are asked to pass on to us: streams, and channels of the message bus.
 *
 * A rule says which producers (also those that are added later) are asked for what.  A producer keeps its own list of
 * wants, asks for them each time it is connected, and again from time to time for what was refused.
 */
#ifndef CORE_DAEMON_PRDCR_SUB_H
#define CORE_DAEMON_PRDCR_SUB_H

#include "core/daemon/daemon.h"

enum prdcr_want_kind { WANT_STREAM, WANT_MESSAGES };

struct prdcr_want_conf {
	enum prdcr_want_kind kind;
	const char *text; /* a stream's name; a channel's, or an expression */
	int64_t rate;     /* bytes of messages a second, -1: any */
};

/* -- main loop ----------------------------------------------------------------------------------------------------- */

/* Ask all producers that match, now or as soon as they are connected.  Once more for the same is fine. */
int prdcr_subscribe(struct daemon *d, const char *regex, const struct prdcr_want_conf *conf, struct err *err);
/* The reverse for the producers that match; rules of this expression go. */
int prdcr_unsubscribe(struct daemon *d, const char *regex, const struct prdcr_want_conf *conf, struct err *err);
/* Ask this one producer, without a rule. */
void prdcr_want(struct prdcr *p, const struct prdcr_want_conf *conf);
/* A producer was added: the rules that match hold for it, too. */
void prdcr_rules_apply(struct daemon *d, struct prdcr *p);
void prdcr_rules_free(struct daemon *d);

/* -- with the producer's loop held --------------------------------------------------------------------------------- */

enum prdcr_want_state { WANT_WAITS, WANT_ASKED, WANT_TAKEN, WANT_REFUSED, WANT_STATES };

struct prdcr_want {
	struct prdcr *prdcr;
	struct prdcr_want *next;
	struct prdcr_want_conf conf; /* text is ours */
	bool regex;
	bool gone; /* was taken back while it is asked for */
	enum prdcr_want_state state;
	char *why; /* the words of a refusal */
};

const char *prdcr_want_state_name(enum prdcr_want_state s);
const struct prdcr_want *prdcr_wants(const struct prdcr *p); /* a list */
void prdcr_wants_up(struct prdcr *p);   /* connected: ask */
void prdcr_wants_down(struct prdcr *p); /* the connection is closed */
void prdcr_wants_free(struct prdcr *p);

#endif
