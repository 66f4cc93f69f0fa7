/* link.h - a connection to each of many daemons: made, kept, asked over.
 *
 * All links are on one loop, in the calling thread, and share one timer: it dials who is due (not all at once), drops
 * who does not answer, and gives each that is up a turn.  A link that is lost dials again at once, then after 250 ms,
 * 500 ms, 1 s, 2 s, 2 s ...: a daemon that comes back is met within 2 s.
 */
#ifndef CORE_MAESTRO_LINK_H
#define CORE_MAESTRO_LINK_H

#include "core/ctl/ask.h"
#include "core/ctl/book_line.h"
#include "xprt/xprt.h"

struct links;
struct link;

struct link_conf { /* copied */
	const char *xprt, *host;
	unsigned short port;
	const char *auth;
	const struct kv *auth_args; /* NULL: none */
};

struct link_events {
	void (*up)(void *arg);
	/* It was up, or an attempt failed: it dials again by itself.  What was asked has been answered with -ENOTCONN. */
	void (*down)(void *arg, enum xprt_fail fail, const char *why);
	/* It is up, some time has gone by. */
	void (*turn)(void *arg, int64_t now_us);
};

/* `answer_us`: who owes an answer for so long is dropped. */
struct links *links_new(struct loop *loop, int64_t answer_us, struct err *err);
/* All links are gone already. */
void links_free(struct links *ls);

struct link *link_new(struct links *ls, const struct link_conf *conf, const struct link_events *ev, void *arg);
/* What was asked is answered with -ECANCELED; nothing else is said.  NULL is fine. */
void link_free(struct link *l);
bool link_is_up(const struct link *l);
bool link_is_to(const struct link *l, const struct link_conf *conf);
unsigned short link_port(const struct link *l);
bool link_was_up(const struct link *l);
/* Do both lead, or did they last, to one address, however that is spelled? */
bool link_same_host(const struct link *a, const struct link *b);
/* Where it leads; borrowed. */
void link_conf_get(const struct link *l, struct link_conf *ret);

/* Ask: the verb's name, or a line (book_line.h); fn gets the answer as in ask.h.  When it cannot be sent, fn gets that
 * as well, before the call returns. */
void link_ask(struct link *l, const char *line, ask_fn fn, void *arg);
/* How many bytes of data its sets have a second, by what they say of their schedule (once a second where they do not).
 * fn is not called when the link is lost, or there is no set. */
void link_measure(struct link *l, void (*fn)(void *arg, double bytes), void *arg);

#endif
