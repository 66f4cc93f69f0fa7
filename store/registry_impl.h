/* registry_impl.h - the inside of a schema registry, shared by its files: registry.c (who wants to know, and what is
 * known), registry_conf.c (its properties), registry_ask.c (a server is asked). */
#ifndef STORE_REGISTRY_IMPL_H
#define STORE_REGISTRY_IMPL_H

#include <pthread.h>
#include <uthash.h>

#include "core/base/http.h"
#include "store/kafka.h"

#define URLS_MAX 8

/* A schema of a subject. */
struct lookup {
	UT_hash_handle hh;
	struct registry *registry;
	char *key; /* subject, blank, schema */
	enum lookup_state {
		LOOKUP_NEW,    /* nobody has asked, or all know that it failed */
		LOOKUP_ASKING, /* a thread has it */
		LOOKUP_KNOWN,
		LOOKUP_FAILED, /* nobody knows yet */
	} state;
	uint32_t id;
	int64_t again_at; /* monotonic: not before */
	int rc;           /* of the last try; and why */
	struct err why;
	unsigned int waiters;
	/* the thread's */
	char *subject;
	struct buf body;
	struct http *http; /* on its way, to abort it; under the lock */
};

struct registry {
	/* what does not change */
	char *urls[URLS_MAX];
	size_t n;
	char *user, *password;
	char *ca, *cert, *key;
	bool no_verify;

	pthread_mutex_t lock; /* for all below; held for a few instructions */
	pthread_cond_t answered;
	size_t at; /* the URL that answered last */
	struct lookup *lookups;
	unsigned int asking; /* threads */
	bool failing;        /* the last one that was asked did not answer */
	unsigned int refs;   /* of these, and the instance's */
	bool ended;          /* the latter is given back */
};

/* -- registry_conf.c -- */

int registry_configure(struct registry *r, const struct kv *props, struct err *err);

/* -- registry_ask.c -- */

/* One server, for a lookup's schema; -EINVAL: it will not have it. */
int registry_ask(struct lookup *l, const char *url, uint32_t *ret, struct err *err);

/* -- registry.c -- */

/* What can be aborted; NULL: nothing. */
void lookup_show(struct lookup *l, struct http *http);

#endif
