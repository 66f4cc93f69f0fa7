/* proto_read.c - updates: reading the peer's newest data into our mirror.
 *
 * There is no message for it; the memory announced at lookup is read.  A set keeps a ring of n data elements, and c is
 * the one that we hold (at first n - 1, empty).  When the metadata may have changed (their generation differs from what
 * the held element was written with), they are read again: together with element 0 if that is the next one, else by
 * themselves, then the next element.  Otherwise all elements from the one behind c to the peer's newest are read, as
 * far as they stand in a row; around the end of the ring it takes another read.
 *
 * What has come is looked at in order: an element counts if it is newer than the one before it.  A sample that the peer
 * was in the middle of is not taken, and nothing behind it.
 */
#include <errno.h>
#include <stdlib.h>

#include "core/base/log.h"
#include "core/base/xalloc.h"
#include "xprt/proto.h"
#include "xprt/rare.h"
#include "xprt/shape.h"

/* Reads of one update: a ring may wrap, the peer may have sampled meanwhile; then it is enough. */
#define ROUNDS_MAX 4

enum { READ_LOOKUP, READ_ALL /* metadata and elements */, READ_META, READ_DATA };

static struct rset_impl *impl(struct rset *rs)
{
	return (struct rset_impl *)rs;
}

/* -- life ---------------------------------------------------------------------------------------------------------- */

struct rset_impl *rset_new(struct lane *lane)
{
	struct rset_impl *ri = xcalloc(1, sizeof(*ri));

	ri->rs.x = lane->x;
	ri->rs.ep = (uint16_t)lane->idx;
	ri->lane = lane;
	LIST_INSERT_HEAD(&lane->x->rsets, ri, entry);
	return ri;
}

static void really_free(struct rset_impl *ri)
{
	lookup_set_free(ri->looking);
	set_put(ri->rs.set);
	free(ri);
}

void rset_free(struct rset *rs)
{
	struct rset_impl *ri = impl(rs);

	if (!rs || rs->freed)
		return;
	rs->freed = true;
	push_cancel(ri);
	if (ri->reads || rs->busy)
		return; /* the transport still knows it, or we are called from its callback */
	if (rs->x)
		LIST_REMOVE(ri, entry);
	really_free(ri);
}

void rset_orphan(struct rset_impl *ri)
{
	LIST_REMOVE(ri, entry);
	push_orphan(ri);
	ri->rs.x = NULL;
	ri->lane = NULL;
	ri->reads = 0;
	if (ri->walking)
		return; /* rset_read_done() is below us, and looks */
	ri->rs.busy = false;
	if (ri->rs.freed || ri->looking)
		really_free(ri); /* nobody has it, or had it yet */
}

/* -- asking -------------------------------------------------------------------------------------------------------- */

static const struct set_meta *meta_of(const struct rset_impl *ri)
{
	return (const struct set_meta *)ri->rs.set->image;
}

static const struct set_data *elem_of(const struct rset_impl *ri, uint32_t k)
{
	const struct set *s = ri->rs.set;

	return (const struct set_data *)(s->image + s->meta_sz + (size_t)k * s->data_sz);
}

/* Looked at when the bytes have just been copied: when the next update is asked for, none of very many sets is in the
 * processor's cache any more. */
void rset_mirrored(struct rset_impl *ri)
{
	uint64_t meta_gn = meta_of(ri)->meta_gn;

	ri->meta_known = meta_gn && meta_gn == elem_of(ri, ri->rs.elem)->meta_gn;
}

static int ask(struct rset_impl *ri, uint8_t what, uint64_t off, uint64_t len)
{
	struct ep *ep = ri->lane->ep;
	int rc;

	proto_await(ri->lane);
	rc = ep->type->read(ep, ri->rs.key, ri->rs.addr + off, (uint32_t)len, ri);
	if (rc)
		return rc;
	if (!ri->reads++)
		ri->what = what;
	return 0;
}

int rset_read_meta(struct rset_impl *ri, uint32_t meta_len)
{
	return ask(ri, READ_LOOKUP, 0, meta_len);
}

static int ask_elems(struct rset_impl *ri, uint32_t from, uint32_t to)
{
	const struct set *s = ri->rs.set;

	ri->from = from;
	ri->to = to;
	return ask(ri, READ_DATA, s->meta_sz + (uint64_t)from * s->data_sz, (uint64_t)(to - from + 1) * s->data_sz);
}

static int ask_newest(struct rset_impl *ri)
{
	const struct set *s = ri->rs.set;
	uint32_t n = s->array_card, c = ri->rs.elem, from = (c + 1) % n, k = ri->peer_idx;
	int rc;

	ri->rc = 0;
	ri->rounds++;
	if (!ri->meta_known) {
		if (!from) {
			ri->from = ri->to = 0;
			return ask(ri, READ_ALL, 0, (uint64_t)s->meta_sz + s->data_sz);
		}
		rc = ask(ri, READ_META, 0, s->meta_sz);
		return rc ? rc : ask_elems(ri, from, from);
	}
	if ((k + 1) % n == from)
		return ask_elems(ri, from, from); /* we have the newest, as far as we know: is there a next one? */
	return ask_elems(ri, from, k < from ? n - 1 : k);
}

int rset_update(struct rset *rs)
{
	struct rset_impl *ri = impl(rs);
	int rc;

	if (!rs->x || !rs->x->up)
		return -ENOTCONN;
	if (rs->busy)
		return -EBUSY;
	ri->rounds = 0;
	rc = ask_newest(ri);
	if (!rc)
		rs->busy = true;
	return rc;
}

/* -- what came ----------------------------------------------------------------------------------------------------- */

/* Words about a set that a callback has no room for. */
static void complain(const struct rset_impl *ri, const char *why)
{
	static struct rare rare;
	unsigned long held;

	if (rare_now(&rare, &held))
		log_warning("xprt", "%s: set %s: %s (%lu more like this since the last line)", ri->rs.x->peer,
			    ri->rs.set->name, why, held);
}

/* Do they hold together, and are they of the set that was looked up? */
static int check_meta(const struct rset_impl *ri, const uint8_t *bytes)
{
	struct err err;
	int rc;

	rc = image_check_meta(bytes, ri->rs.set->meta_sz, &err);
	if (rc) {
		complain(ri, err.msg);
		return rc;
	}
	if (!shape_is_same(meta_of(ri), bytes)) {
		complain(ri, "its metadata have another shape than when it was looked up; look it up again");
		return -ESTALE;
	}
	return 0;
}

/* Checked ones become the mirror's.  Those who read it from us follow the peer's will. */
static void put_meta(struct rset_impl *ri, const uint8_t *bytes)
{
	const struct set_owner was = set_owner(ri->rs.set);

	set_mirror_meta(ri->rs.set, bytes);
	rset_mirrored(ri);
	if (ri->rs.x->env->sets)
		setdb_perm_changed(ri->rs.x->env->sets, ri->rs.set, &was);
}

static int take_meta(struct rset_impl *ri, const uint8_t *bytes)
{
	int rc = check_meta(ri, bytes);

	if (!rc)
		put_meta(ri, bytes);
	return rc;
}

/* What the elements that came are worth. */
struct harvest {
	uint32_t from, n;       /* new ones */
	enum update_result end; /* what stopped the count, if they are none */
	const void *torn;       /* UPDATE_TORN: the element, if it can be looked at */
	bool more;              /* the peer has newer ones still */
	int rc;
};

/* Is this element newer than the one before it?  The generation goes on from element to element; unlike the timestamp
 * it never stands still nor goes back when a clock is set.  A push in fragments may be older than what was read
 * meanwhile. */
static bool is_newer(const struct rset_impl *ri, const struct set_data *d, const struct set_data *before, bool pushed)
{
	if (pushed || ri->rs.set->array_card > 1)
		return le64toh(d->gn) > le64toh(before->gn);
	return d->gn != before->gn;
}

static struct harvest look_at(struct rset_impl *ri, uint32_t from, uint32_t to, const uint8_t *bytes, bool pushed)
{
	const struct set *s = ri->rs.set;
	struct harvest h = { .from = from, .end = UPDATE_SAME };
	struct set_data before = *elem_of(ri, ri->rs.elem), d = before;
	struct err err;

	for (uint32_t k = from; k <= to; k++, bytes += s->data_sz) {
		memcpy(&d, bytes, sizeof(d));
		ri->peer_idx = le32toh(d.curr_idx) < s->array_card ? le32toh(d.curr_idx) : k;
		if (le32toh(d.flags) != SET_TRANS_DONE) {
			h.end = UPDATE_TORN;
			h.torn = image_check_data(meta_of(ri), bytes, s->linked, NULL) ? NULL : bytes;
			return h;
		}
		if (!is_newer(ri, &d, &before, pushed))
			return h;
		h.rc = image_check_data(meta_of(ri), bytes, s->linked, &err);
		if (h.rc) {
			complain(ri, err.msg);
			h.end = UPDATE_FAIL;
			return h;
		}
		before = d;
		h.n++;
	}
	h.more = ri->peer_idx != to;
	return h;
}

static void tell(struct rset_impl *ri, enum update_result res, int rc, const struct set_data *d)
{
	if (!ri->rs.freed && ri->rs.updated)
		ri->rs.updated(&ri->rs, res, rc, d);
}

/* Call back with the last result; the owner may free the rset or ask again in it. */
static void tell_last(struct rset_impl *ri, enum update_result res, int rc, const struct set_data *d)
{
	ri->rs.busy = false;
	tell(ri, res, rc, d);
}

/* Nothing new; but where the metadata have moved on, the element now says so. */
static void take_same(struct rset_impl *ri, const uint8_t *bytes)
{
	struct set *s = ri->rs.set;
	struct set_data d;

	memcpy(&d, bytes, sizeof(d));
	if (s->array_card == 1 && d.gn == elem_of(ri, 0)->gn && d.meta_gn != elem_of(ri, 0)->meta_gn &&
	    !image_check_data(meta_of(ri), bytes, s->linked, NULL)) {
		set_mirror_data(s, 0, 1, bytes);
		rset_mirrored(ri);
	}
}

/* The elements ri->from.. have come. */
static void take_elems(struct rset_impl *ri, const uint8_t *bytes)
{
	struct harvest h = look_at(ri, ri->from, ri->to, bytes, false);
	bool again = h.more && ri->rounds < ROUNDS_MAX;
	uint32_t from = ri->from;

	if (!h.n) {
		if (h.end == UPDATE_SAME)
			take_same(ri, bytes);
		tell_last(ri, h.end, h.rc, h.torn);
		return;
	}
	set_mirror_data(ri->rs.set, from, h.n, bytes);
	ri->rs.elem = from + h.n - 1;
	rset_mirrored(ri);
	ri->walking = true;
	for (uint32_t i = 0; i + 1 < h.n + again && ri->rs.x && !ri->rs.freed; i++)
		tell(ri, UPDATE_NEW, 0, elem_of(ri, from + i));
	ri->walking = false;
	if (ri->rs.x && !ri->rs.freed) {
		if (again && !ask_newest(ri))
			return;
		/* the last of them; or, if the rest could not be asked for, an end */
		tell_last(ri, again ? UPDATE_SAME : UPDATE_NEW, 0, again ? NULL : elem_of(ri, ri->rs.elem));
		return;
	}
	ri->rs.busy = false;
	if (!ri->rs.freed)
		return;
	if (ri->rs.x)
		LIST_REMOVE(ri, entry);
	really_free(ri);
}

void rset_read_done(struct ep *ep, void *ctxt, int rc, const void *bytes, size_t len)
{
	struct rset_impl *ri = ctxt;
	uint8_t what = ri->what;

	ri->reads--;
	if (ri->rs.freed) {
		if (ri->reads)
			return;
		LIST_REMOVE(ri, entry);
		really_free(ri);
		return;
	}
	switch (what) {
	case READ_LOOKUP:
		lookup_meta_done(ri, rc, bytes, len);
		return;
	case READ_META:
		ri->rc = rc ? rc : take_meta(ri, bytes);
		ri->what = READ_DATA; /* its answer is next */
		return;
	case READ_ALL:
		if (!rc)
			rc = take_meta(ri, bytes);
		bytes = rc ? NULL : (const uint8_t *)bytes + ri->rs.set->meta_sz;
		break;
	default:
		rc = ri->rc ? ri->rc : rc;
		break;
	}
	if (rc)
		tell_last(ri, UPDATE_FAIL, rc, NULL);
	else
		take_elems(ri, bytes);
}

/* -- what was pushed ----------------------------------------------------------------------------------------------- */

/* Call back for all but the last of some elements; false when there is nobody left to be called for the last. */
static bool tell_some(struct rset_impl *ri, uint32_t from, uint32_t n)
{
	bool was = ri->rs.busy;

	ri->rs.busy = ri->walking = true; /* so that it is not freed under us */
	for (uint32_t i = 0; i < n && ri->rs.x && !ri->rs.freed; i++)
		tell(ri, UPDATE_NEW, 0, elem_of(ri, from + i));
	ri->walking = false;
	ri->rs.busy = was && ri->rs.x;
	if (ri->rs.x && !ri->rs.freed)
		return true;
	if (ri->rs.freed && !ri->reads) {
		if (ri->rs.x)
			LIST_REMOVE(ri, entry);
		really_free(ri);
	}
	return false;
}

/* An update may be outstanding: of what it brings, only what is newer still will count. */
void rset_take_push(struct rset_impl *ri, const uint8_t *meta, uint32_t from, uint32_t n, const uint8_t *bytes)
{
	struct harvest h;
	int rc;

	rc = meta ? check_meta(ri, meta) : 0;
	if (rc) {
		tell(ri, UPDATE_FAIL, rc, NULL);
		return;
	}
	/* they are of one shape: what holds with the old ones holds with the new ones */
	h = look_at(ri, from, from + n - 1, bytes, true);
	if (meta && (h.n || h.end == UPDATE_SAME))
		put_meta(ri, meta);
	if (!h.n) {
		if (h.end == UPDATE_SAME)
			take_same(ri, bytes);
		tell(ri, h.end, h.rc, h.torn);
		return;
	}
	set_mirror_data(ri->rs.set, from, h.n, bytes);
	ri->rs.elem = ri->peer_idx = from + h.n - 1;
	rset_mirrored(ri);
	/* it was written with metadata that we have not got: read them */
	if (elem_of(ri, ri->rs.elem)->meta_gn != meta_of(ri)->meta_gn)
		rset_update(&ri->rs);
	if (h.n == 1 || tell_some(ri, from, h.n - 1))
		tell(ri, UPDATE_NEW, 0, elem_of(ri, from + h.n - 1));
}
