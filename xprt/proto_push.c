/* proto_push.c - pushes: sets that come by themselves, both sides.
 *
 *   RENDEZVOUS, cmd 2   16 set_id raw u64, the server's | 24 push_id raw u64, the client's | 32 flags BE u32:
 *                       1 when the server is told to push, 3 at the end of each sample, too.  The memory beside it is
 *                       the client's copy, which nobody writes
 *   CANCEL_PUSH (7)     16 set_id raw u64
 *   PUSH (0x108)        see push.h
 *
 * A registration has no answer; to register again changes it.  The first push, and any after a change of the metadata,
 * has them in front of the sample; of a ring they are another run of fragments than the sample, unless that is the
 * ring's first.  CANCEL_PUSH is answered by a push with the flag LAST and nothing in it.
 *
 * What comes is gathered whole and checked before any of it gets into the mirror.
 */
#include "xprt/push.h"

#include <errno.h>
#include <stdlib.h>

#include "core/base/xalloc.h"
#include "xprt/subs.h"

#define REGISTER_LEN 36

/* -- answering ----------------------------------------------------------------------------------------------------- */

void push_header(uint8_t *to, uint64_t push_id, uint32_t flags, size_t off, size_t len)
{
	const struct {
		uint64_t xid;
		uint32_t cmd, len, rc;
		uint64_t push_id;
		uint32_t flags, off, data_len;
	} __attribute__((packed)) h = {
		.cmd = htobe32(CMD_PUSH),
		.len = htobe32((uint32_t)(PUSH_HDR_SZ + len)),
		.push_id = push_id,
		.flags = htobe32(flags),
		.off = htobe32((uint32_t)off),
		.data_len = htobe32((uint32_t)len),
	};

	static_assert(sizeof(h) == PUSH_HDR_SZ, "wire");
	memcpy(to, &h, sizeof(h));
}

void push_register_got(struct lane *lane, struct msg *m)
{
	uint64_t set_id = rd_raw64(&m->r), push_id = rd_raw64(&m->r);
	uint32_t flags = rd_be32(&m->r);
	struct sub *sub;

	if (m->r.short_read) {
		proto_violation(lane, "the registration for a push is too short");
		return;
	}
	sub = sub_get(lane, set_id);
	if (sub)
		sub_push_set(sub, (flags & PUSH_ON_CHANGE) | PUSH_ON_REQUEST, push_id);
}

void cancel_push_got(struct msg *m)
{
	struct sub *sub = sub_find(m->lane, rd_raw64(&m->r));
	uint8_t last[PUSH_HDR_SZ];

	if (!sub)
		return;
	if (!sub->push_flags) {
		proto_odd(m->x, "the end of pushes that it did not ask for");
		return;
	}
	sub_flush(sub);
	push_header(last, sub->push_id, PUSH_F_PUSH | PUSH_F_LAST, 0, 0);
	sub_push_set(sub, 0, 0);
	sub_settle(sub);
	m->lane->ep->type->send(m->lane->ep, last, sizeof(last));
}

/* -- asking -------------------------------------------------------------------------------------------------------- */

/* Pushes of one set that are to come. */
struct push_in {
	uint64_t id; /* of x->pushes: what the peer calls it */
	struct rset_impl *ri;
	/* fragments so far */
	struct buf got;
	size_t held;   /* bytes of it that count towards the memory for all peers */
	bool meta;     /* they begin with the metadata */
	bool astray;   /* one was not the next: the rest of this push is passed over */
	uint32_t from; /* the first element of theirs */
	uint64_t next; /* the offset of the next, in a row */
	UT_hash_handle hh;
};

static void push_odd(struct xprt *x, const char *what)
{
	atomic_fetch_add_explicit(&x->env->stats.pushes_odd, 1, memory_order_relaxed);
	proto_odd(x, what);
}

static void push_forget(struct push_in *pi)
{
	buf_fini(&pi->got);
	xprt_release(pi->ri->rs.x->env, pi->held);
	pi->held = 0;
}

static int register_send(struct rset_impl *ri, uint32_t flags)
{
	struct ep *ep = ri->lane->ep;
	struct buf *b = proto_req(ri->lane, (enum proto_cmd)RENDEZVOUS_PUSH, 0);
	uint32_t len = htobe32(REGISTER_LEN);
	int rc;

	buf_raw64(b, ri->rs.remote_id);
	buf_raw64(b, ri->push->id);
	buf_be32(b, flags);
	memcpy(b->p + 12, &len, sizeof(len));
	rc = ep->type->share(ep, ri->rs.set, b->p, b->len);
	buf_reset(b);
	return rc;
}

static void push_in_free(struct rset_impl *ri)
{
	struct push_in *pi = ri->push;

	HASH_DEL(ri->rs.x->pushes, pi);
	push_forget(pi);
	free(pi);
	ri->push = NULL;
	ri->rs.pushed = RSET_PULL;
	if (ri->lane->ep)
		ri->lane->ep->type->unshare(ri->lane->ep, ri->rs.set);
}

void push_orphan(struct rset_impl *ri)
{
	if (ri->push)
		push_in_free(ri);
}

void push_cancel(struct rset_impl *ri)
{
	struct buf *b;

	if (!ri->push)
		return;
	if (ri->lane->ep && !ri->rs.gone) {
		b = proto_req(ri->lane, CMD_CANCEL_PUSH, 0);
		buf_raw64(b, ri->rs.remote_id);
		proto_put(ri->lane, b);
	}
	push_in_free(ri);
}

int rset_push(struct rset *rs, enum rset_push when)
{
	struct rset_impl *ri = (struct rset_impl *)rs;
	struct xprt *x = rs->x;
	struct push_in *pi;
	int rc;

	if (!x || !x->up)
		return -ENOTCONN;
	if (when == RSET_PULL) {
		push_cancel(ri);
		return 0;
	}
	if (!ri->push) {
		pi = ri->push = xcalloc(1, sizeof(*pi));
		pi->id = ++x->push_id;
		pi->ri = ri;
		HASH_ADD(hh, x->pushes, id, sizeof(pi->id), pi);
	}
	rc = register_send(ri, when);
	if (rc)
		push_in_free(ri);
	else
		rs->pushed = when;
	return rc;
}

/* The element of the image that begins at that offset; false when none does. */
static bool elem_at(const struct set *s, uint64_t off, uint32_t *ret)
{
	if (off < s->meta_sz || (off - s->meta_sz) % s->data_sz)
		return false;
	*ret = (uint32_t)((off - s->meta_sz) / s->data_sz);
	return true;
}

/* May this fragment come now? */
static bool fits(struct push_in *pi, uint32_t off)
{
	const struct set *s = pi->ri->rs.set;

	if (!pi->got.len) {
		pi->meta = !off;
		pi->from = 0;
		return pi->meta || elem_at(s, off, &pi->from);
	}
	return off == pi->next || (pi->meta && pi->got.len == s->meta_sz && elem_at(s, off, &pi->from));
}

/* Keep the fragment until the others are here. */
static bool keep(struct push_in *pi, uint32_t off, const uint8_t *bytes, uint32_t len)
{
	struct xprt_env *env = pi->ri->rs.x->env;

	if (!xprt_hold(env, len)) {
		refuse(env, REFUSE_MEMORY, &pi->ri->lane->ep->addr);
		return false;
	}
	pi->held += len;
	buf_add(&pi->got, bytes, len); /* all in rows within the image: never more than it */
	pi->next = (uint64_t)off + len;
	return true;
}

/* All fragments are here: metadata (or not) and whole elements? */
static void push_whole(struct push_in *pi, const uint8_t *bytes, size_t len)
{
	struct rset_impl *ri = pi->ri;
	struct xprt_env *env = ri->rs.x->env;
	const struct set *s = ri->rs.set;
	size_t meta = pi->meta ? s->meta_sz : 0, held = pi->held;
	struct buf got = pi->got;

	pi->got = (struct buf){ 0 }; /* the set may be given up below */
	pi->held = 0;
	if (len <= meta || (len - meta) % s->data_sz) {
		push_odd(ri->rs.x, "a push that is no whole sample");
	} else {
		atomic_fetch_add_explicit(&env->stats.pushes_in, 1, memory_order_relaxed);
		rset_take_push(ri, meta ? bytes : NULL, pi->from, (uint32_t)((len - meta) / s->data_sz), bytes + meta);
	}
	buf_fini(&got);
	xprt_release(env, held);
}

static void fragment_got(struct push_in *pi, uint32_t off, const uint8_t *bytes, uint32_t len, bool more)
{
	bool good = !pi->astray && len && fits(pi, off), alone = !more && !pi->got.len;

	if (good && !alone)
		good = keep(pi, off, bytes, len);
	if (!good) {
		if (!pi->astray)
			push_odd(pi->ri->rs.x, "a fragment of a push out of its order, or that there is no room for");
		push_forget(pi);
		pi->astray = more; /* the next push begins behind the last of these */
	} else if (alone) {
		push_whole(pi, bytes, len);
	} else if (!more) {
		push_whole(pi, pi->got.p, pi->got.len);
	}
}

void push_got(struct msg *m)
{
	uint64_t id = rd_raw64(&m->r);
	uint32_t flags = rd_be32(&m->r), off = rd_be32(&m->r), len = rd_be32(&m->r);
	const uint8_t *bytes = rd_take(&m->r, len);
	struct push_in *pi;
	size_t size;

	if (m->r.short_read) {
		proto_violation(m->lane, "PUSH does not hold the %u bytes that it announces", len);
		return;
	}
	HASH_FIND(hh, m->x->pushes, &id, sizeof(id), pi);
	if (!pi || pi->ri->lane != m->lane) {
		push_odd(m->x, "a push that was not asked for, or not any more");
		return;
	}
	size = set_size(pi->ri->rs.set);
	if (off > size || len > size - off) {
		proto_violation(m->lane, "PUSH of set %s: bytes %u to %llu of %zu", pi->ri->rs.set->name, off,
				(unsigned long long)off + len, size);
		return;
	}
	if (flags & PUSH_F_LAST)
		push_in_free(pi->ri); /* the peer pushes no more */
	else
		fragment_got(pi, off, bytes, len, flags & PUSH_F_MORE);
}
