/* proto_lookup_ask.c - LOOKUP, the asking side: until the metadata are here.  The messages: proto_lookup.c. */
#include <errno.h>
#include <stdlib.h>

#include "core/base/log.h"
#include "core/base/xalloc.h"
#include "xprt/proto.h"
#include "xprt/rare.h"
#include "xprt/stats.h"

#define INFO_PAIRS_MAX 4096 /* of one set; a group's members are pairs */

struct lookup_req {
	struct req rq;
	lookup_fn fn;
	void *arg;
	unsigned int flags, answers;
	bool last_came; /* no more answers, only the metadata of some sets are still to be read */
	char what[];
};

/* A set that is being looked up: from its RENDEZVOUS until its metadata are here. */
struct lookup_set {
	struct lookup_req *lr; /* NULL: given up */
	bool last;
	uint32_t data_len, card, array_card;
	struct buf info; /* the strings as they came */
};

void lookup_set_free(struct lookup_set *ls)
{
	if (!ls)
		return;
	buf_fini(&ls->info);
	free(ls);
}

/* The request is over; its last words. */
static void lookup_end(struct lookup_req *lr, int rc, struct rset *rs, const char *why)
{
	struct xprt *x = lr->rq.lane->x;
	lookup_fn fn = lr->fn;
	void *arg = lr->arg;

	if (!rc)
		xprt_op_done(x, OP_LOOKUP, lr->rq.asked_us);
	req_del(&lr->rq);
	fn(x, arg, rc, rs, false, why);
}

/* ... together with the sets whose metadata are still being read. */
static void lookup_give_up(struct lookup_req *lr, int rc, const char *why)
{
	struct rset_impl *ri, *next;

	for (ri = LIST_FIRST(&lr->rq.lane->x->rsets); ri; ri = next) {
		next = LIST_NEXT(ri, entry);
		if (ri->looking && ri->looking->lr == lr) {
			ri->looking->lr = NULL;
			rset_free(&ri->rs);
		}
	}
	lookup_end(lr, rc, NULL, why);
}

static void lookup_expired(struct req *rq)
{
	lookup_give_up((struct lookup_req *)rq, -ETIMEDOUT, "the peer did not finish its answer in time");
}

static const struct req_type lookup_req_type = { "LOOKUP", lookup_expired };

int xprt_lookup(struct xprt *x, const char *what, unsigned int flags, lookup_fn fn, void *arg, struct err *err)
{
	size_t len = strlen(what);
	struct lookup_req *lr;
	struct lane *lane;
	struct buf *b;
	int rc;

	if (len > LOOKUP_NAME_MAX)
		return err_set(err, -ENAMETOOLONG, "%s: look up %.32s...: %zu bytes; at most %d fit", x->peer, what,
			       len, LOOKUP_NAME_MAX);
	lane = proto_next_lane(x, err);
	if (!lane)
		return -ENOTCONN;
	lr = xcalloc(1, sizeof(*lr) + len + 1);
	lr->fn = fn;
	lr->arg = arg;
	lr->flags = flags;
	memcpy(lr->what, what, len + 1);
	req_add(lane, &lr->rq, &lookup_req_type);
	b = proto_req(lane, CMD_LOOKUP, lr->rq.xid);
	buf_be32(b, flags);
	buf_be32(b, (uint32_t)len + 1);
	buf_add(b, what, len + 1);
	rc = proto_put(lane, b);
	if (!rc)
		return 0;
	req_del(&lr->rq);
	return err_set(err, rc, "%s: cannot be asked for %s: %s", x->peer, what, err_name(rc));
}

void lookup_reply_got(struct msg *m)
{
	struct lookup_req *lr = (struct lookup_req *)req_find(m->lane, m->xid, &lookup_req_type);
	int rc = -(int)(m->rc & 0xfff);
	struct err err;

	if (!lr || lr->last_came) {
		proto_odd(m->x, "an answer to no lookup");
		return;
	}
	if (!rc)
		rc = -EPROTO;
	if (rc == -EACCES)
		err_set(&err, rc, "%s: %s: it does not let us read this set; see its uid, gid and perm", m->x->peer,
			lr->what);
	else
		err_set(&err, rc, "%s: %s: %s", m->x->peer, lr->what,
			rc == -ENOENT ? "it has no such set" : err_name(rc));
	lookup_give_up(lr, rc, err.msg);
}

/* One string of the message; NULL when it is not there or not ended. */
static const char *take_pstring(struct rd *r)
{
	uint8_t len = rd_u8(r);
	const char *s = (const char *)rd_take(r, len);

	return s && len && memchr(s, '\0', len) ? s : NULL;
}

/* What the peer says about a set: NULL, or what is wrong with it. */
static const char *check_sizes(uint32_t key, uint64_t addr, uint32_t map_len, uint32_t meta_len,
			       const struct lookup_set *ls)
{
	uint64_t data = (uint64_t)ls->data_len * ls->array_card;

	if (meta_len < META_HDR_SZ || meta_len > SET_META_MAX)
		return "impossible size of metadata";
	if (ls->data_len < DATA_HDR_SZ || !ls->array_card || data > SET_DATA_MAX)
		return "impossible size of data";
	if (map_len < meta_len || map_len - meta_len < data)
		return "the memory announced is smaller than the set";
	if (!key)
		return "memory with key 0";
	if (addr + map_len < addr)
		return "the memory announced goes beyond the end of all addresses";
	return NULL;
}

void lookup_shared(struct lane *lane, uint32_t key, uint64_t addr, uint32_t map_len, struct msg *m)
{
	struct lookup_req *lr = (struct lookup_req *)req_find(lane, m->xid, &lookup_req_type);
	struct lookup_set *ls;
	struct rset_impl *ri;
	uint32_t meta_len, more;
	const uint8_t *strings;
	const char *wrong;
	uint64_t set_id;

	if (!lr || lr->last_came) {
		proto_odd(lane->x, "a set that was not looked up");
		return;
	}
	set_id = rd_raw64(&m->r);
	more = rd_be32(&m->r);
	meta_len = rd_be32(&m->r);
	ls = xcalloc(1, sizeof(*ls));
	ls->data_len = rd_be32(&m->r);
	ls->card = rd_be32(&m->r);
	rd_be32(&m->r);
	ls->array_card = rd_be32(&m->r);
	take_pstring(&m->r); /* schema and instance: the metadata say it too */
	take_pstring(&m->r);
	strings = m->r.p;
	for (unsigned int i = 0; i < 2 * INFO_PAIRS_MAX && take_pstring(&m->r); i++)
		;
	wrong = m->r.short_read ? "the message is cut short" : check_sizes(key, addr, map_len, meta_len, ls);
	if (wrong || ++lr->answers > LOOKUP_MATCHES_MAX) {
		lookup_set_free(ls);
		proto_violation(lane, "answer to the lookup of %s: %s", lr->what, wrong ? wrong : "it never ends");
		return;
	}
	buf_add(&ls->info, strings, (size_t)(m->r.p - strings));
	ls->lr = lr;
	ls->last = !more || !lr->flags; /* a name has one answer */
	lr->last_came = ls->last;
	lr->rq.since_us = lane->ep->heard_us;
	ri = rset_new(lane);
	ri->rs.key = key;
	ri->rs.addr = addr;
	ri->rs.remote_id = set_id;
	ri->looking = ls;
	if (rset_read_meta(ri, meta_len))
		rset_free(&ri->rs); /* the queue is full: the connection is ending */
}

static int fits_promise(const struct lookup_set *ls, const struct set_meta *meta, struct err *err)
{
	const char *name = image_instance(meta);

	if (le32toh(meta->data_sz) != ls->data_len || le32toh(meta->array_card) != ls->array_card ||
	    image_card(meta) != ls->card)
		return err_set(err, -EPROTO, "set %s: its metadata have other sizes than its lookup announced", name);
	if (!ls->lr->flags && strcmp(name, ls->lr->what))
		return err_set(err, -EPROTO, "set %s: it came in answer to the lookup of %s", name, ls->lr->what);
	return 0;
}

static void put_info(struct set *set, const struct lookup_set *ls)
{
	struct rd r;

	if (!ls->info.len)
		return;
	r = rd_over(ls->info.p, ls->info.len);
	for (unsigned int i = 0; i < INFO_PAIRS_MAX; i++) {
		const char *key = take_pstring(&r), *value = key ? take_pstring(&r) : NULL;

		if (!value)
			break;
		set_info_put(set, key, value);
	}
}

static int make_mirror(struct rset_impl *ri, const void *bytes, size_t len, struct err *err)
{
	struct set_meta *meta;
	struct set *set = NULL;
	int rc;

	rc = image_check_meta(bytes, len, err);
	if (rc)
		return rc;
	meta = xmalloc(len); /* as received it stands on any address */
	memcpy(meta, bytes, len);
	rc = fits_promise(ri->looking, meta, err);
	if (!rc)
		rc = set_mirror_new(ri->rs.x->env->pool, meta, &set, err);
	free(meta);
	if (rc)
		return rc;
	put_info(set, ri->looking);
	ri->rs.set = set;
	ri->rs.elem = set->array_card - 1;
	ri->peer_idx = ri->rs.elem;
	rset_mirrored(ri);
	return 0;
}

void lookup_meta_done(struct rset_impl *ri, int rc, const void *bytes, size_t len)
{
	struct xprt *x = ri->rs.x;
	struct lookup_set *ls = ri->looking;
	struct lookup_req *lr = ls->lr;
	static struct rare rare;
	unsigned long held;
	bool last = ls->last;
	struct err err;

	lr->rq.since_us = ri->lane->ep->heard_us;
	if (rc)
		err_set(&err, rc, "%s: the metadata cannot be read: %s", lr->what, err_name(rc));
	else
		rc = make_mirror(ri, bytes, len, &err);
	ri->looking = NULL;
	lookup_set_free(ls);
	if (rc) {
		err_prefix(&err, rc, "%s: ", x->peer);
		rset_free(&ri->rs);
		if (!last && rare_now(&rare, &held)) /* who asked hears of the others */
			log_warning("xprt", "%s (left out; %lu more like this since the last line)", err.msg, held);
		if (last)
			lookup_end(lr, rc, NULL, err.msg);
		return;
	}
	if (last)
		lookup_end(lr, 0, &ri->rs, NULL);
	else
		lr->fn(x, lr->arg, 0, &ri->rs, true, NULL);
}
