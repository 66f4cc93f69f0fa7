/* proto_dir.c - the directory: DIR, its answer, and the news that follow it, both sides.
 *
 *   DIR (0)            16 flags BE u32: 0 list once, 1 list and tell of changes
 *   DIR_REPLY (0x101), DIR_UPDATE (0x103)
 *                      20 type BE u32: 0 list, 1 deleted, 2 added, 3 info changed | 24 more BE u32 |
 *                      28 length of the text BE u32 (do not rely on it) | 32 text (dir_json.h); a NUL behind updates
 *   DIR_CANCEL (1)     nothing | DIR_CANCEL_REPLY (0x102) nothing
 *
 * A long list comes in several replies, each a complete text, all but the last with `more`.
 */
#include <errno.h>
#include <inttypes.h>

#include "core/base/log.h"
#include "core/base/xalloc.h"
#include "core/set/perm.h"
#include "xprt/announce.h"
#include "xprt/dir_json.h"
#include "xprt/proto.h"
#include "xprt/rare.h"
#include "xprt/stats.h"
#include "xprt/subs.h"

#define DIR_HDR_SZ 32
#define DIR_OPEN   "{ \"directory\" : ["
#define DIR_CLOSE  "]}"

/* -- answering ----------------------------------------------------------------------------------------------------- */

static bool may_read(const struct xprt *x, const struct set_stat *st)
{
	return perm_allows(x->uid, x->gid, PERM_READ, st->uid, st->gid, st->perm);
}

static bool could_read(const struct xprt *x, const struct set_owner *was)
{
	return perm_allows(x->uid, x->gid, PERM_READ, was->uid, was->gid, was->perm);
}

static struct buf *dir_begin(struct lane *lane, enum proto_cmd cmd, uint64_t xid, uint32_t type)
{
	struct buf *b = proto_reply(lane, cmd, xid, 0);

	buf_be32(b, type);
	buf_be32(b, 0); /* more, length: dir_put() */
	buf_be32(b, 0);
	buf_add(b, DIR_OPEN, strlen(DIR_OPEN));
	return b;
}

static int dir_put(struct lane *lane, struct buf *b, bool more)
{
	uint32_t tail[2] = { htobe32(more), htobe32((uint32_t)(b->len - DIR_HDR_SZ)) };

	memcpy(b->p + 24, tail, sizeof(tail));
	return proto_put(lane, b);
}

struct listing {
	struct msg *m;
	struct buf *b;  /* the reply that is being filled */
	struct buf one; /* a set's text */
	bool any;
	size_t seen; /* sets looked at */
	struct dir_hidden hidden;
	int rc;
};

static int list_set(struct set *s, void *arg)
{
	struct listing *li = arg;
	struct xprt *x = li->m->x;
	struct set_stat st;

	li->seen++;
	x->follow_from = announce_serial(x->announce); /* exact: the lock is held */
	set_stat(s, &st);
	if (!may_read(x, &st)) {
		li->hidden.sets++;
		return 0;
	}
	buf_reset(&li->one);
	dir_json_put(&li->one, s, &st);
	if (DIR_HDR_SZ + sizeof(DIR_OPEN) + li->one.len + DIR_HIDDEN_MAX + sizeof(DIR_CLOSE) > SEND_MSG_MAX)
		return 0; /* megabytes of info pairs; no message could carry it */
	if (li->b->len + 1 + li->one.len + DIR_HIDDEN_MAX + strlen(DIR_CLOSE) > SEND_MSG_MAX) {
		buf_add(li->b, DIR_CLOSE, strlen(DIR_CLOSE));
		li->rc = dir_put(li->m->lane, li->b, true);
		if (li->rc)
			return 1;
		li->b = dir_begin(li->m->lane, CMD_DIR_REPLY, li->m->xid, DIR_TYPE_LIST);
		li->any = false;
	}
	buf_u8(li->b, li->any ? ',' : ' ');
	buf_add(li->b, li->one.p, li->one.len);
	li->any = true;
	return 0;
}

void dir_got(struct msg *m)
{
	struct xprt *x = m->x;
	struct listing li = { .m = m, .hidden = { .uid = x->uid, .gid = x->gid } };
	int64_t began_us = mono_us();

	announce_join(x);
	x->followed = rd_be32(&m->r) != 0 && x->announce;
	x->follow_xid = m->xid;
	x->follow_lane = m->lane;
	x->follow_from = x->announce ? announce_serial(x->announce) : 0;
	li.b = dir_begin(m->lane, CMD_DIR_REPLY, m->xid, DIR_TYPE_LIST);
	if (x->announce)
		setdb_each(x->env->sets, list_set, &li);
	if (!li.rc) {
		buf_addf(li.b, "]");
		dir_json_put_hidden(li.b, &li.hidden);
		buf_addf(li.b, "}");
		dir_put(m->lane, li.b, false);
	}
	xprt_op_done(x, OP_DIR_REP, began_us);
	proto_work(m->lane, li.seen);
	buf_fini(&li.one);
}

void dir_cancel_got(struct msg *m)
{
	m->x->followed = false;
	proto_put(m->lane, proto_reply(m->lane, CMD_DIR_CANCEL_REPLY, m->xid, 0));
}

static void tell_update(struct xprt *x, uint32_t type, struct set *s, const struct set_stat *st)
{
	struct buf *b = dir_begin(x->follow_lane, CMD_DIR_UPDATE, x->follow_xid, type);

	buf_add(b, "  ", 2); /* as real peers do it */
	setdb_lock(x->env->sets);
	dir_json_put(b, s, st);
	setdb_unlock(x->env->sets);
	buf_add(b, " " DIR_CLOSE, sizeof(" " DIR_CLOSE)); /* with its NUL */
	if (b->len <= SEND_MSG_MAX)
		dir_put(x->follow_lane, b, false);
}

/* What a change of a set is to this peer: a set that it may not read any more is gone for it. */
static enum setdb_event event_for(const struct xprt *x, enum setdb_event ev, const struct set_stat *st,
				  const struct set_owner *was)
{
	if (ev != SETDB_PERM)
		return ev;
	if (!may_read(x, st))
		return SETDB_DEL;
	return could_read(x, was) ? SETDB_UPDATE : SETDB_ADD;
}

void dir_tell(struct xprt *x, enum setdb_event ev, struct set *s, const struct set_owner *was, uint64_t serial)
{
	static const uint32_t types[] = { [SETDB_ADD] = DIR_TYPE_ADD, [SETDB_UPDATE] = DIR_TYPE_UPD };
	struct lane *lane = x->follow_lane;
	struct set_stat st;
	bool knows;

	set_stat(s, &st);
	knows = ev == SETDB_PERM ? could_read(x, was) || may_read(x, &st) : may_read(x, &st);
	ev = event_for(x, ev, &st, was);
	for (unsigned int i = 0; ev == SETDB_DEL && i < x->n_eps; i++) {
		struct ep *ep = x->lanes[i] ? x->lanes[i]->ep : NULL;

		if (!ep)
			continue;
		subs_set_gone(x->lanes[i], s);
		if (ep->type->unshare(ep, s))
			lane = x->lanes[i]; /* where it was looked up */
	}
	if (!x->followed || serial <= x->follow_from || !knows)
		return;
	if (ev == SETDB_DEL)
		set_delete_send(x, lane, s);
	else
		tell_update(x, types[ev], s, &st);
}

/* -- asking -------------------------------------------------------------------------------------------------------- */

struct dir_req {
	struct req rq;
	dir_fn fn;
	void *arg;
	bool follow, listed;
	size_t bytes; /* of the list so far */
};

static struct dir_req *dir_of(struct xprt *x)
{
	return (struct dir_req *)x->dir;
}

/* The request is over; its last words. */
static void dir_end(struct dir_req *dr, enum dir_event ev, int rc)
{
	struct xprt *x = dr->rq.lane->x;
	dir_fn fn = dr->fn;
	void *arg = dr->arg;

	x->dir = NULL;
	req_del(&dr->rq);
	fn(x, arg, ev, NULL, rc);
}

static void dir_expired(struct req *rq)
{
	dir_end((struct dir_req *)rq, DIR_FAIL, -ETIMEDOUT);
}

static const struct req_type dir_req_type = { "DIR", dir_expired };

int xprt_dir(struct xprt *x, bool follow, dir_fn fn, void *arg, struct err *err)
{
	struct lane *lane = proto_lane(x, err);
	struct dir_req *dr;
	struct buf *b;
	int rc;

	if (!lane)
		return -ENOTCONN;
	if (x->dir && !dir_of(x)->listed)
		return err_set(err, -EBUSY, "%s: its directory is being listed already", x->peer);
	if (x->dir)
		req_del(x->dir); /* the peer forgets it too: it keeps one a connection */
	x->hidden = (struct dir_hidden){ 0 };
	dr = xcalloc(1, sizeof(*dr));
	dr->fn = fn;
	dr->arg = arg;
	dr->follow = follow;
	req_add(lane, &dr->rq, &dir_req_type);
	x->dir = &dr->rq;
	b = proto_req(lane, CMD_DIR, dr->rq.xid);
	buf_be32(b, follow);
	rc = proto_put(lane, b);
	if (!rc)
		return 0;
	x->dir = NULL;
	req_del(&dr->rq);
	return err_set(err, rc, "%s: cannot be asked for its directory: %s", x->peer, err_name(rc));
}

struct dir_hidden xprt_dir_hidden(const struct xprt *x)
{
	return x->hidden;
}

struct delivery {
	struct xprt *x;
	struct dir_req *dr;
	enum dir_event ev;
};

/* True: go on; not when the callback has closed the peer or asked anew. */
static bool deliver(const struct dir_set *set, void *arg)
{
	struct delivery *d = arg;

	d->dr->fn(d->x, d->dr->arg, d->ev, set, 0);
	return d->x->dir == &d->dr->rq;
}

/* Tell of each set of the text; false when it was the last thing to do with this request. */
static bool deliver_all(struct msg *m, struct dir_req *dr, enum dir_event ev)
{
	struct delivery d = { .x = m->x, .dr = dr, .ev = ev };
	size_t len = rd_left(&m->r);
	struct dir_notes notes = { 0 };
	static struct rare rare;
	unsigned long held;
	struct err err;

	if (dir_json_get((const char *)rd_take(&m->r, len), len, ev == DIR_DEL, deliver, &d, &notes, &err)) {
		proto_violation(m->lane, "%s", err.msg);
		return false;
	}
	if (notes.skipped && rare_now(&rare, &held))
		log_warning("xprt", "%s: %lu sets of its directory lack a key or have no usable name: left out",
			    m->x->peer, notes.skipped);
	if (m->x->dir != &dr->rq)
		return false;
	m->x->hidden = notes.hidden;
	return true;
}

void dir_reply_got(struct msg *m)
{
	struct dir_req *dr = (struct dir_req *)req_find(m->lane, m->xid, &dir_req_type);
	uint32_t more;

	rd_be32(&m->r); /* type: a list */
	more = rd_be32(&m->r);
	rd_be32(&m->r);
	if (!dr || dr->listed) {
		proto_odd(m->x, "a directory that was not asked for");
		return;
	}
	if (m->rc) {
		dir_end(dr, DIR_FAIL, -(int)(m->rc & 0xfff));
		return;
	}
	dr->bytes += rd_left(&m->r);
	if (!xprt_allows(m->x, REFUSE_DIR, dr->bytes)) {
		rail_down(m->x, XPRT_LIMIT, "its directory is larger than the limit `dir`");
		return;
	}
	dr->rq.since_us = m->lane->ep->heard_us;
	if (!deliver_all(m, dr, DIR_SET) || more)
		return;
	xprt_op_done(m->x, OP_DIR_REQ, dr->rq.asked_us);
	dr->listed = true;
	if (!dr->follow) {
		dir_end(dr, DIR_DONE, 0);
		return;
	}
	req_settle(&dr->rq);
	dr->fn(m->x, dr->arg, DIR_DONE, NULL, 0);
}

void dir_update_got(struct msg *m)
{
	static const enum dir_event events[] = {
		[DIR_TYPE_DEL] = DIR_DEL, [DIR_TYPE_ADD] = DIR_ADD, [DIR_TYPE_UPD] = DIR_UPD
	};
	struct dir_req *dr = (struct dir_req *)req_find(m->lane, m->xid, &dir_req_type);
	uint32_t type = rd_be32(&m->r);

	rd_be64(&m->r);
	if (dr && type != DIR_TYPE_LIST && type < sizeof(events) / sizeof(*events))
		deliver_all(m, dr, events[type]);
	else
		proto_odd(m->x, "news of a directory that we do not follow");
}

void dir_deleted(struct xprt *x, const char *name)
{
	struct dir_req *dr = dir_of(x);
	const struct dir_set set = { .name = name, .schema = "", .digest = "", .flags = "", .perm = "" };

	if (dr)
		dr->fn(x, dr->arg, DIR_DEL, &set, 0);
}
