/* msg_part.c - bus messages that come in several parts.
 *
 * Parts of different messages may be interleaved; source and number tell which are of one.  What is put together is
 * bounded: a peer may have so many bytes begun, a connection so many messages.  A message that does not fit is let pass
 * to its last part, and then paid back as if it had been used.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/xalloc.h"
#include "xprt/msg_rail.h"

#define PARTS_MAX 64 /* messages begun on one connection; real peers finish one before the next */

struct msg_part {
	LIST_ENTRY(msg_part) entry;
	uint8_t src[BUS_SRC_SZ];
	uint64_t gn;
	uint32_t size; /* of the whole message */
	uint32_t got;
	bool dropped; /* there is no room for it */
	struct buf b;
};

static struct msg_part *find(struct msg_lane *ml, const struct msg_part_hdr *h)
{
	struct msg_part *mp;

	LIST_FOREACH(mp, &ml->parts, entry)
		if (mp->gn == h->gn && !memcmp(mp->src, h->src, BUS_SRC_SZ))
			return mp;
	return NULL;
}

static void part_free(struct msg_lane *ml, struct msg_part *mp)
{
	LIST_REMOVE(mp, entry);
	ml->parts_n--;
	if (!mp->dropped) {
		ml->parts_bytes -= mp->size;
		xprt_release(ml->x->env, mp->size);
	}
	buf_fini(&mp->b);
	free(mp);
}

void msg_parts_free(struct msg_lane *ml)
{
	while (!LIST_EMPTY(&ml->parts))
		part_free(ml, LIST_FIRST(&ml->parts));
}

/* May the peer have so much more begun, and may all? */
static bool room_for(struct msg_lane *ml, uint32_t size)
{
	const struct msg_rail *mr = ml->x->msg;
	uint64_t have = size - 1;

	for (unsigned int i = 0; i < ml->x->n_eps; i++)
		have += mr->lanes[i].parts_bytes;
	if (!xprt_allows(ml->x, REFUSE_PARTS, have))
		return false;
	if (xprt_hold(ml->x->env, size))
		return true;
	refuse(ml->x->env, REFUSE_MEMORY, &ml->x->addr);
	return false;
}

/* The first part: it says how long all will be. */
static struct msg_part *begin(struct msg_lane *ml, const struct msg_part_hdr *h, const void *bytes, size_t len)
{
	struct msg_part *mp;
	uint32_t cost;

	if (len < BUS_HDR_SZ || ml->parts_n == PARTS_MAX)
		return NULL;
	memcpy(&cost, (const uint8_t *)bytes + 64, sizeof(cost));
	cost = be32toh(cost);
	if (cost > UINT32_MAX - BUS_HDR_SZ)
		return NULL;
	mp = xcalloc(1, sizeof(*mp));
	memcpy(mp->src, h->src, BUS_SRC_SZ);
	mp->gn = h->gn;
	mp->size = BUS_HDR_SZ + cost;
	mp->dropped = !room_for(ml, mp->size);
	if (!mp->dropped)
		ml->parts_bytes += mp->size;
	LIST_INSERT_HEAD(&ml->parts, mp, entry);
	ml->parts_n++;
	return mp;
}

bool msg_part_add(struct msg_lane *ml, const struct msg_part_hdr *h, const void *bytes, size_t len, struct buf *ret,
		  int *ret_rc, uint32_t *ret_cost)
{
	struct msg_part *mp = find(ml, h);
	bool whole = false;

	*ret_rc = -EPROTO;
	if (h->first == !!mp)
		return false;
	if (!mp)
		mp = begin(ml, h, bytes, len);
	if (!mp || len > mp->size - mp->got || (!h->more && len != mp->size - mp->got))
		return false;
	*ret_rc = 0;
	mp->got += (uint32_t)len;
	if (!mp->dropped)
		buf_add(&mp->b, bytes, len);
	if (h->more)
		return false;
	if (mp->dropped) {
		*ret_rc = -ENOBUFS;
		*ret_cost = mp->size - BUS_HDR_SZ;
	} else {
		*ret = mp->b;
		mp->b = (struct buf){ 0 };
		whole = true;
	}
	part_free(ml, mp);
	return whole;
}
