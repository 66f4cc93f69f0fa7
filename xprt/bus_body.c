/* bus_body.c - a message of the bus: its bytes, and who is paid when it has gone.  See bus_impl.h. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/clock.h"
#include "core/base/rd.h"
#include "core/base/xalloc.h"
#include "xprt/bus_impl.h"

#define SEC_NS      INT64_C(1000000000)
#define HASH_PRIME  0x01000193u /* FNV-1a's, which real peers begin with, too */
#define LANE_MODULO 1033

uint32_t bus_hash(const char *name)
{
	uint32_t h = HASH_PRIME;

	for (; *name; name++)
		h = (h ^ (uint8_t)*name) * HASH_PRIME;
	return h;
}

unsigned int bus_lane(const struct bus_body *body, unsigned int n)
{
	const uint8_t *addr = body->m.src.addr;
	uint64_t key = body->hash;
	uint32_t a;

	if (body->m.src.family) {
		memcpy(&a, body->m.src.family == AF_INET ? addr : addr + 12, sizeof(a));
		key |= ((uint64_t)be32toh(a) << 16 | body->m.src.port) << 32;
	}
	return (unsigned int)(key % LANE_MODULO % n);
}

/* -- integers in the image ----------------------------------------------------------------------------------------- */

static void be16_put(uint8_t *p, uint16_t v)
{
	v = htobe16(v);
	memcpy(p, &v, sizeof(v));
}

static void be32_put(uint8_t *p, uint32_t v)
{
	v = htobe32(v);
	memcpy(p, &v, sizeof(v));
}

static void be64_put(uint8_t *p, uint64_t v)
{
	v = htobe64(v);
	memcpy(p, &v, sizeof(v));
}

static void time_put(uint8_t *p, int64_t ns)
{
	be64_put(p, (uint64_t)(ns / SEC_NS));
	be64_put(p + 8, (uint64_t)(ns % SEC_NS));
}

/* What is no time of our age counts as not known. */
static int64_t time_get(struct rd *r)
{
	int64_t s = (int64_t)rd_be64(r), ns = (int64_t)rd_be64(r);

	return s < 0 || s >= INT64_MAX / SEC_NS || ns < 0 || ns >= SEC_NS ? 0 : s * SEC_NS + ns;
}

static void src_put(uint8_t *p, const struct bus_msg *m)
{
	be16_put(p, m->src.family);
	be16_put(p + 2, m->src.port);
	memcpy(p + 4, m->src.addr, sizeof(m->src.addr));
}

/* -- life ---------------------------------------------------------------------------------------------------------- */

static void release(struct bus *b, size_t bytes)
{
	atomic_fetch_sub(&b->held, bytes);
}

/* Count bytes that are kept; false: there is no room for them. */
static bool hold(struct bus *b, size_t bytes)
{
	size_t held = atomic_fetch_add(&b->held, bytes);

	if (!held || held + bytes <= b->lim.held_bytes)
		return true;
	release(b, bytes);
	return false;
}

/* One with room for that much, counted. */
static int body_alloc(struct bus *b, size_t image, struct bus_body **ret, struct err *err)
{
	struct bus_body *body;

	if (b && !hold(b, sizeof(*body) + image))
		return err_set(err, -ENOBUFS,
			       "message bus: no more than %zu bytes are kept for slow receivers; msg_client_stats says "
			       "who they are",
			       b->lim.held_bytes);
	body = xmalloc(sizeof(*body) + image);
	memset(body, 0, sizeof(*body));
	atomic_init(&body->refs, 1);
	body->bus = b;
	body->size = (uint32_t)image;
	*ret = body;
	return 0;
}

void bus_body_put(struct bus_body *body)
{
	if (!body || atomic_fetch_sub(&body->refs, 1) != 1)
		return;
	if (body->bus)
		release(body->bus, sizeof(*body) + body->size);
	if (body->from) {
		bus_origin_owe(body->from, body->cost);
		bus_origin_put(body->from);
	}
	free(body);
}

int bus_body_new(struct bus *b, const struct bus_msg *m, struct bus_body **ret, struct err *err)
{
	static _Atomic uint64_t gn; /* of the process: real ones number so, too */
	size_t name_len = strlen(m->channel) + 1;
	struct bus_body *body;
	uint8_t *p;
	int rc;

	if (name_len < 2)
		return err_set(err, -EINVAL, "message bus: a message wants a channel; name one");
	if (name_len > BUS_NAME_MAX)
		return err_set(err, -EINVAL, "channel %.32s...: the name has %zu bytes, at most %d fit", m->channel,
			       name_len - 1, BUS_NAME_MAX - 1);
	if (m->len > BUS_MSG_MAX - name_len)
		return err_set(err, -EMSGSIZE, "channel %s: a message of %u bytes; at most %zu fit, split it",
			       m->channel, m->len, BUS_MSG_MAX - name_len);
	rc = body_alloc(b, BUS_HDR_SZ + name_len + m->len, &body, err);
	if (rc)
		return rc;
	p = body->image;
	memset(p, 0, BUS_HDR_SZ);
	memcpy(p + BUS_HDR_SZ, m->channel, name_len);
	if (m->len)
		memcpy(p + BUS_HDR_SZ + name_len, m->data, m->len);
	body->cost = (uint32_t)name_len + m->len;
	body->hash = bus_hash(m->channel);
	body->m = *m;
	body->m.channel = (const char *)p + BUS_HDR_SZ;
	body->m.data = p + BUS_HDR_SZ + name_len;
	memset(&body->m.src, 0, sizeof(body->m.src));
	memset(body->m.hops, 0, sizeof(body->m.hops));
	body->m.hop_cnt = 0;
	body->m.gn = ++gn;
	body->m.hops[0].recv_ns = wall_ns();
	be64_put(p + 56, body->m.gn);
	be32_put(p + 64, body->cost);
	be32_put(p + 68, m->type);
	be32_put(p + 72, m->uid);
	be32_put(p + 76, m->gid);
	be32_put(p + 80, m->perm);
	memcpy(p + 84, &body->hash, sizeof(body->hash));
	*ret = body;
	return 0;
}

const char *bus_image_channel(const void *image, size_t len, uint32_t *ret_cost)
{
	struct rd r = rd_over(image, len);
	size_t left;

	rd_take(&r, 64);
	*ret_cost = rd_be32(&r);
	rd_take(&r, BUS_HDR_SZ - 68);
	left = rd_left(&r);
	if (r.short_read || *ret_cost != left || !left || !*r.p)
		return NULL;
	return memchr(r.p, 0, left < BUS_NAME_MAX ? left : BUS_NAME_MAX) ? (const char *)r.p : NULL;
}

int bus_body_parse(struct bus *b, const void *image, size_t len, struct bus_body **ret, struct err *err)
{
	struct rd r = rd_over(image, len);
	struct bus_msg m = { 0 };
	struct bus_body *body;
	uint32_t cost, hash;
	size_t name_len;
	const char *name;
	int rc;

	name = bus_image_channel(image, len, &cost);
	if (!name)
		return err_set(err, -EPROTO, "a bus message of %zu bytes is cut, or names no channel of up to %d bytes",
			       len, BUS_NAME_MAX - 1);
	name_len = strlen(name) + 1;

	m.src.family = rd_be16(&r);
	m.src.port = rd_be16(&r);
	rd_take(&r, sizeof(m.src.addr) + 4 + 32);
	m.gn = rd_be64(&r);
	rd_take(&r, 4);
	m.type = (enum bus_type)rd_be32(&r);
	m.uid = rd_be32(&r);
	m.gid = rd_be32(&r);
	m.perm = rd_be32(&r);
	hash = rd_raw32(&r);
	m.hop_cnt = rd_be32(&r);
	rd_take(&r, 4);
	for (unsigned int i = 0; i < BUS_HOPS; i++) {
		m.hops[i].recv_ns = time_get(&r);
		m.hops[i].send_ns = time_get(&r);
		if (i > m.hop_cnt) /* nobody wrote it */
			m.hops[i] = (struct bus_hop){ 0 };
	}
	rc = body_alloc(b, len, &body, err);
	if (rc)
		return rc;
	memcpy(body->image, image, len);
	memcpy(m.src.addr, body->image + 4, sizeof(m.src.addr));
	m.channel = (const char *)body->image + BUS_HDR_SZ;
	m.data = body->image + BUS_HDR_SZ + name_len;
	m.len = cost - (uint32_t)name_len;
	body->m = m;
	body->cost = cost;
	body->hash = hash;
	*ret = body;
	return 0;
}

/* Where it came from; an address of this host says nothing to others. */
static void src_fill(struct bus_msg *m, const struct sockaddr *sa)
{
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)sa;
	struct sockaddr_in in;

	memcpy(&in, sa, sizeof(in));
	if (sa->sa_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr)) {
		in.sin_family = AF_INET;
		memcpy(&in.sin_addr, in6->sin6_addr.s6_addr + 12, sizeof(in.sin_addr));
	}
	if (in.sin_family == AF_INET) {
		if (ntohl(in.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET)
			return;
		memcpy(m->src.addr, &in.sin_addr, sizeof(in.sin_addr));
	} else if (in.sin_family == AF_INET6) {
		if (IN6_IS_ADDR_LOOPBACK(&in6->sin6_addr))
			return;
		memcpy(m->src.addr, &in6->sin6_addr, sizeof(in6->sin6_addr));
	} else {
		return;
	}
	m->src.family = in.sin_family;
	m->src.port = ntohs(in.sin_port);
}

void bus_body_arrived(struct bus_body *body, const void *sockaddr)
{
	struct bus_msg *m = &body->m;

	if (!m->src.family)
		src_fill(m, sockaddr);
	src_put(body->image, m);
	if (m->hop_cnt < UINT32_MAX)
		m->hop_cnt++;
	be32_put(body->image + 88, m->hop_cnt);
	if (m->hop_cnt < BUS_HOPS)
		m->hops[m->hop_cnt] = (struct bus_hop){ .recv_ns = wall_ns() };
}

void bus_body_stamp(const struct bus_body *body, uint8_t *image)
{
	uint32_t n = body->m.hop_cnt;

	if (n >= BUS_HOPS)
		return;
	time_put(image + BUS_HOPS_OFF + n * BUS_HOP_SZ, body->m.hops[n].recv_ns);
	time_put(image + BUS_HOPS_OFF + n * BUS_HOP_SZ + 16, wall_ns());
}

/* -- who is paid --------------------------------------------------------------------------------------------------- */

static void pay_cb(struct loop_job *job)
{
	struct bus_origin *o = (struct bus_origin *)((char *)job - offsetof(struct bus_origin, job));
	uint64_t owed;

	pthread_mutex_lock(&o->lock);
	owed = o->owed;
	o->owed = 0;
	o->posted = false;
	pthread_mutex_unlock(&o->lock);
	o->unpaid -= owed;
	if (o->arg && owed)
		o->pay(o->arg, owed);
	bus_origin_put(o);
}

struct bus_origin *bus_origin_new(struct loop *loop, void (*pay)(void *arg, uint64_t bytes), void *arg)
{
	struct bus_origin *o = xcalloc(1, sizeof(*o));

	atomic_init(&o->refs, 1);
	pthread_mutex_init(&o->lock, NULL);
	o->loop = loop;
	o->job.fn = pay_cb;
	o->pay = pay;
	o->arg = arg;
	return o;
}

struct bus_origin *bus_origin_get(struct bus_origin *o)
{
	atomic_fetch_add(&o->refs, 1);
	return o;
}

void bus_origin_put(struct bus_origin *o)
{
	if (!o || atomic_fetch_sub(&o->refs, 1) != 1)
		return;
	pthread_mutex_destroy(&o->lock);
	free(o);
}

void bus_origin_owe(struct bus_origin *o, uint64_t bytes)
{
	pthread_mutex_lock(&o->lock);
	o->owed += bytes;
	if (o->arg && !o->posted) {
		o->posted = true;
		bus_origin_get(o);
		loop_post(o->loop, &o->job);
	}
	pthread_mutex_unlock(&o->lock);
}

void bus_origin_close(struct bus_origin *o)
{
	if (!o)
		return;
	pthread_mutex_lock(&o->lock);
	o->arg = NULL;
	pthread_mutex_unlock(&o->lock);
	bus_origin_put(o);
}
