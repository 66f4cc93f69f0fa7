/* limits.c - see limits.h
 *
 * The defaults are for a daemon that 30,000 nodes talk to.
 */
#include "xprt/limits.h"

#include <errno.h>
#include <pthread.h>
#include <stddef.h>
#include <string.h>

#include "core/base/log.h"
#include "core/base/str.h"
#include "core/base/unit.h"
#include "xprt/rare.h"
#include "xprt/xprt.h"

const struct xprt_limits xprt_limits_dflt = {
	.conns = 65536,           /* two connections of each node, and some tools */
	.conns_per_addr = 4096,   /* a whole virtual cluster behind one address */
	.guests = 4096,           /* a handshake takes milliseconds: all nodes may come back at once */
	.memory = 2ull << 30,     /* some dozen peers may take a directory of 100,000 sets at once */
	.out_bytes = 64u << 20,   /* a directory of 100,000 sets is about 42 MB */
	.dir_bytes = 512u << 20,  /* of a million sets */
	.parts_bytes = 16u << 20, /* one message has at most 1 MB today */
	.sets = 1u << 20,         /* 30 sets of each node, at the second level */
	.requests = 1024,
	.pushes = 1u << 20,
	.subs = 1024,
	.handshake_us = 10 * SEC_US,
	.answer_us = 30 * SEC_US,
	.dead_us = 16 * SEC_US, /* what the keep-alive of real peers comes to */
};

#define ROW(name, field, unit)                                                                                         \
	{                                                                                                              \
		name, offsetof(struct xprt_limits, field), unit                                                        \
	}

const struct xprt_limit xprt_limit_rows[] = {
	ROW("answer", answer_us, LIMIT_TIME),
	ROW("conns", conns, LIMIT_NUM),
	ROW("conns_per_addr", conns_per_addr, LIMIT_NUM),
	ROW("dead", dead_us, LIMIT_TIME),
	ROW("dir", dir_bytes, LIMIT_SIZE),
	ROW("guests", guests, LIMIT_NUM),
	ROW("handshake", handshake_us, LIMIT_TIME),
	ROW("memory", memory, LIMIT_SIZE),
	ROW("out", out_bytes, LIMIT_SIZE),
	ROW("parts", parts_bytes, LIMIT_SIZE),
	ROW("pushes", pushes, LIMIT_NUM),
	ROW("requests", requests, LIMIT_NUM),
	ROW("sets", sets, LIMIT_NUM),
	ROW("subs", subs, LIMIT_NUM),
	{ .name = NULL },
};

#define ROWS (sizeof(xprt_limit_rows) / sizeof(*xprt_limit_rows))

static const struct xprt_limit *limit_find(const char *name)
{
	for (const struct xprt_limit *row = xprt_limit_rows; row->name; row++)
		if (!strcmp(row->name, name))
			return row;
	return NULL;
}

uint64_t xprt_limit_get(const struct xprt_limits *l, const struct xprt_limit *row)
{
	return *(const _Atomic uint64_t *)((const char *)l + row->off);
}

int xprt_limit_set(struct xprt_limits *l, const char *name, const char *value, struct err *err)
{
	const struct xprt_limit *row = limit_find(name);
	const char *names[ROWS], *near;
	uint64_t n = 0;
	int64_t us = 0;
	int rc;

	if (!row) {
		for (size_t i = 0; i < ROWS; i++)
			names[i] = xprt_limit_rows[i].name;
		near = nearest(name, names);
		return err_set(err, -ENOENT, "limit '%s': there is no such limit%s%s%s", name,
			       near ? "; did you mean '" : "; see limits in ldms.conf(5)", near ? near : "",
			       near ? "'?" : "");
	}
	if (row->unit == LIMIT_TIME)
		rc = unit_time_us(value, &us, err);
	else if (row->unit == LIMIT_SIZE)
		rc = unit_size(value, &n, err);
	else
		rc = unit_u64(value, &n, err);
	if (!rc && us < 0)
		rc = err_set(err, -EINVAL, "'%s' is less than nothing; 0 is no limit", value);
	if (rc)
		return err_prefix(err, rc, "limit %s: ", name);
	atomic_store((_Atomic uint64_t *)((char *)l + row->off), row->unit == LIMIT_TIME ? (uint64_t)us : n);
	return 0;
}

/* -- what was refused ---------------------------------------------------------------------------------------------- */

static const struct refusal_row {
	const char *name, *words;
	size_t limit; /* its offset + 1 in struct xprt_limits; 0: it is no limit */
} rows[REFUSALS] = {
#define LIMIT(field) (offsetof(struct xprt_limits, field) + 1)
	[REFUSE_CONNS] = { "conns", "Too many connections", LIMIT(conns) },
	[REFUSE_CONNS_PER_ADDR] = { "conns_per_addr", "Too many connections from this address", LIMIT(conns_per_addr) },
	[REFUSE_GUESTS] = { "guests", "Too many connections that have not said who they are", LIMIT(guests) },
	[REFUSE_DESCRIPTORS] = { "descriptors", "no descriptors or memory for another connection", 0 },
	[REFUSE_MEMORY] = { "memory", "the memory for all peers is used up", LIMIT(memory) },
	[REFUSE_DIR] = { "dir", "a directory that is too large", LIMIT(dir_bytes) },
	[REFUSE_PARTS] = { "parts", "too large messages in parts", LIMIT(parts_bytes) },
	[REFUSE_SETS] = { "sets", "too many sets", LIMIT(sets) },
	[REFUSE_REQUESTS] = { "requests", "too many requests that wait", LIMIT(requests) },
	[REFUSE_PUSHES] = { "pushes", "too many sets to be pushed", LIMIT(pushes) },
	[REFUSE_SUBS] = { "subs", "too many subscriptions", LIMIT(subs) },
	[REFUSE_HANDSHAKE] = { "handshake", "did not connect and authenticate in time", 0 },
	[REFUSE_SILENT] = { "silent", "did not answer in time, or is dead", 0 },
	[REFUSE_SLOW] = { "slow", "does not read what it is sent", 0 },
	[REFUSE_NOT_LDMS] = { "not-ldms", "does not speak LDMS", 0 },
	[REFUSE_VERSION] = { "version", "another version of the protocol", 0 },
	[REFUSE_AUTH] = { "auth", "authentication failed, or another method", 0 },
	[REFUSE_PROTOCOL] = { "protocol", "broke the protocol", 0 },
	[REFUSE_EARLY] = { "early", "messages before authentication", 0 },
	[REFUSE_READ] = { "read", "reads of memory that is not shared", 0 },
	[REFUSE_WRITE] = { "write", "writes into our sets", 0 },
	[REFUSE_ODD] = { "odd", "messages that nobody asked for, or unknown", 0 },
#undef LIMIT
};

static pthread_mutex_t last_lock = PTHREAD_MUTEX_INITIALIZER; /* guards all refusals.last; innermost */

const char *refusal_name(enum refusal why)
{
	return rows[why].name;
}

const char *refusal_words(enum refusal why)
{
	return rows[why].words;
}

void refuse(struct xprt_env *env, enum refusal why, const struct sockaddr_storage *from)
{
	struct refusals *r = &env->stats.refusals;

	atomic_fetch_add_explicit(&r->n[why], 1, memory_order_relaxed);
	pthread_mutex_lock(&last_lock);
	r->last[why].wall_us = wall_us();
	if (from)
		r->last[why].addr = *from;
	pthread_mutex_unlock(&last_lock);
}

struct refusal_last refusal_last(struct xprt_env *env, enum refusal why)
{
	struct refusal_last ret;

	pthread_mutex_lock(&last_lock);
	ret = env->stats.refusals.last[why];
	pthread_mutex_unlock(&last_lock);
	return ret;
}

bool xprt_allows(struct xprt *x, enum refusal why, uint64_t have)
{
	static struct rare rares[REFUSALS];
	struct xprt_env *env = xprt_env(x);
	uint64_t limit = *(_Atomic uint64_t *)((char *)&env->limits + rows[why].limit - 1);
	unsigned long held;

	if (!limit || have < limit)
		return true;
	refuse(env, why, (const struct sockaddr_storage *)xprt_peer_addr(x));
	if (rare_now(&rares[why], &held))
		log_warning("xprt", "%s: refused: %s: the limit `%s` is %llu (%lu more since the last line)",
			    xprt_peer(x), rows[why].words, rows[why].name, (unsigned long long)limit, held);
	return false;
}

bool xprt_hold(struct xprt_env *env, size_t bytes)
{
	uint64_t limit = env->limits.memory, now = atomic_fetch_add(&env->stats.memory, bytes) + bytes;

	if (!limit || now <= limit)
		return true;
	xprt_release(env, bytes);
	return false;
}

void xprt_release(struct xprt_env *env, size_t bytes)
{
	atomic_fetch_sub(&env->stats.memory, bytes);
}
