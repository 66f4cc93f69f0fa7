/* zap_map.c - see zap.h: our sets that one peer may read.
 *
 * A set takes a slot; what the peer is told of it is made up: the key from slot and generation, the address from the
 * slot alone.  To have been given a key on this very connection is the permission to read, so that nothing needs to be
 * looked at for a read but the slot.
 *
 *   key        bits 0-19 slot + 1, bits 20-31 generation: never 0
 *   address    (slot + 1) << 32, never 0; the length of any image fits the low half
 *
 * A slot is used again with the next generation once its set is gone.
 */
#include "xprt/zap.h"

#include <errno.h>
#include <stdlib.h>

#include "core/base/xalloc.h"

#define SLOT_BITS 20
#define SLOTS_MAX ((1u << SLOT_BITS) - 1) /* sets that one connection may look up */
#define SLOTS_MIN 16                      /* first size of the table; it doubles */
#define FETCH_MAX 1024                    /* bytes of a set that are asked for: the processor goes on by itself */

static uint32_t slot_key(uint32_t slot, const struct zap_map *m)
{
	return (slot + 1) | m->gen << SLOT_BITS;
}

static uint64_t slot_addr(uint32_t slot)
{
	return (uint64_t)(slot + 1) << 32;
}

/* The slot of a set, taken if need be; SLOTS_MAX when there are too many. */
static uint32_t slot_of(struct zap *z, struct set *set)
{
	uint64_t limit = z->ep.env->limits.sets;
	struct zap_map *m;
	uint32_t slot;

	HASH_FIND_PTR(z->by_set, &set, m);
	if (m)
		return m->slot;
	if (limit && HASH_COUNT(z->by_set) >= limit) {
		refuse(z->ep.env, REFUSE_SETS, &z->ep.addr);
		return SLOTS_MAX;
	}
	if (z->maps_free) {
		slot = z->maps_free - 1;
		m = z->maps[slot];
		z->maps_free = m->next_free;
	} else {
		if (z->maps_n == SLOTS_MAX)
			return SLOTS_MAX;
		if (z->maps_n == z->maps_cap) {
			z->maps_cap = z->maps_cap ? 2 * z->maps_cap : SLOTS_MIN;
			z->maps = xrealloc(z->maps, z->maps_cap * sizeof(*z->maps));
		}
		slot = z->maps_n++;
		m = z->maps[slot] = xcalloc(1, sizeof(*m));
		m->slot = slot;
	}
	m->set = set_get(set);
	HASH_ADD_PTR(z->by_set, set, m);
	return slot;
}

static void slot_drop(struct zap *z, struct zap_map *m)
{
	HASH_DEL(z->by_set, m);
	set_put(m->set);
	m->set = NULL;
	m->gen++;
}

void zap_maps_fini(struct zap *z)
{
	for (uint32_t i = 0; i < z->maps_n; i++) {
		if (z->maps[i]->set)
			slot_drop(z, z->maps[i]);
		free(z->maps[i]);
	}
	free(z->maps);
	z->maps = NULL;
	z->maps_n = 0;
}

uint64_t zap_set_id(struct ep *ep, struct set *set)
{
	struct zap *z = (struct zap *)ep;
	uint32_t slot = slot_of(z, set);

	return slot == SLOTS_MAX ? 0 : slot_key(slot, z->maps[slot]);
}

/* The slot that this key opens, or NULL. */
static struct zap_map *map_of(const struct zap *z, uint32_t key)
{
	uint32_t slot = (key & SLOTS_MAX) - 1; /* a key of 0 gives a slot that is never there */
	struct zap_map *m = slot < z->maps_n ? z->maps[slot] : NULL;

	return m && m->set && slot_key(slot, m) == key ? m : NULL;
}

struct set *zap_set_by_id(const struct ep *ep, uint64_t id)
{
	const struct zap_map *m = id > UINT32_MAX ? NULL : map_of((const struct zap *)ep, (uint32_t)id);

	return m ? m->set : NULL;
}

int zap_share(struct ep *ep, struct set *set, const void *msg, size_t msg_len)
{
	struct zap *z = (struct zap *)ep;
	uint32_t slot = slot_of(z, set), key, acc = htobe32(ZAP_ACCESS), map_len = htobe32((uint32_t)set_size(set)),
		 len;
	uint64_t addr = htobe64(slot_addr(slot));
	uint8_t *m;

	if (slot == SLOTS_MAX)
		return -ENOSPC;
	if (msg_len > ZAP_MSG_MAX - ZAP_RENDEZVOUS_SZ)
		return -EMSGSIZE;
	key = slot_key(slot, z->maps[slot]);
	len = ZAP_RENDEZVOUS_SZ + (uint32_t)msg_len;
	m = zap_msg(z, ZAP_RENDEZVOUS, len, zap_next_xid(z), NULL);
	if (!m)
		return -ENOBUFS;
	memcpy(m + 20, &key, sizeof(key));
	memcpy(m + 24, &acc, sizeof(acc));
	memcpy(m + 28, &addr, sizeof(addr));
	memcpy(m + 36, &map_len, sizeof(map_len));
	memcpy(m + 40, msg, msg_len);
	zap_msg_done(z, len);
	return 0;
}

bool zap_unshare(struct ep *ep, struct set *set)
{
	struct zap *z = (struct zap *)ep;
	struct zap_map *m;

	HASH_FIND_PTR(z->by_set, &set, m);
	if (!m)
		return false;
	slot_drop(z, m);
	m->next_free = z->maps_free;
	z->maps_free = m->slot + 1;
	return true;
}

/* Peers read sets in the order in which they looked them up.  Of very many, none is in the processor's cache any more:
 * ask for the next ones' now, first for the way there, then for as many bytes as this one's. */
static inline __attribute__((always_inline)) void fetch_ahead(const struct zap *z, uint32_t slot, uint64_t off,
							      uint32_t n)
{
	const struct set *near = slot + 5 < z->maps_n ? z->maps[slot + 5]->set : NULL;

	if (slot + 15 < z->maps_n)
		__builtin_prefetch(z->maps[slot + 15]);
	if (slot + 10 < z->maps_n)
		__builtin_prefetch(z->maps[slot + 10]->set);
	for (uint32_t at = 0; near && at < n && at < FETCH_MAX; at += 64)
		__builtin_prefetch(near->image + off + at);
}

void zap_map_read(struct zap *z, uint32_t xid, const void *ctxt, uint32_t key, uint64_t addr, uint32_t len)
{
	const struct zap_map *map = map_of(z, key);
	uint16_t status = ZAP_OK;
	uint64_t off = 0;
	uint32_t n = 0;
	uint8_t *m;

	if (!map) {
		status = ZAP_REMOTE_MAP;
	} else {
		size_t size = set_size(map->set);

		off = addr - slot_addr(map->slot); /* an address below it wraps around and is too large */
		if (off > size || len > size - off)
			status = ZAP_REMOTE_LEN;
		else
			n = len;
	}
	if (status)
		refuse(z->ep.env, REFUSE_READ, &z->ep.addr);
	m = zap_msg(z, ZAP_READ_RESP, ZAP_READ_RESP_SZ + n, xid, ctxt);
	if (!m)
		return;
	memset(m + 20, 0, ZAP_READ_RESP_SZ - 20);
	status = htobe16(status);
	memcpy(m + 20, &status, sizeof(status));
	len = htobe32(n);
	memcpy(m + 32, &len, sizeof(len));
	if (n) {
		fetch_ahead(z, map->slot, off, n);
		set_copy(map->set, off, n, m + ZAP_READ_RESP_SZ);
	}
	zap_msg_done(z, ZAP_READ_RESP_SZ + n);
}
