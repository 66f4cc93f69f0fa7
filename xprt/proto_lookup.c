/* proto_lookup.c - LOOKUP: from a name to memory that can be read; the asking side is proto_lookup_ask.c.
 *
 *   LOOKUP (2)   16 flags BE u32: 1 a schema's name, 2 a regular expression | 20 length BE u32 (NUL counted) |
 *                24 name with NUL, at most 511 bytes
 *   answer       RENDEZVOUS for each set, or LOOKUP_REPLY (0x104), a header with rc != 0
 *
 * The message of RENDEZVOUS (beside key, address and length of the image), cmd 1:
 *
 *   0  xid raw u64 | 8  cmd BE u32 | 12  length | 16 set_id raw u64 | 24 more BE u32 | 28 meta_len BE u32 |
 *   32 data_len BE u32 (of one element) | 36 card BE u32 | 40 0 u32 | 44 array_card BE u32 |
 *   48 strings, each a length byte and so many bytes with the NUL: schema (its bytes may be zero behind the name),
 *      instance, then key and value of each info pair; a length of 0 ends them.  What follows is of no interest.
 */
#include <errno.h>
#include <stdlib.h>

#include "core/base/regex.h"
#include "core/base/xalloc.h"
#include "core/set/perm.h"
#include "xprt/announce.h"
#include "xprt/proto.h"

#define PSTRING_MAX 255 /* bytes with the NUL */
#define REGEX_WORK  256 /* sets that might be looked at while an expression is compiled */

struct matching {
	const struct xprt *x;
	const char *name; /* of the schema, or */
	const struct rx *rx;
	bool schema;
	struct set **found; /* references are held */
	size_t n, cap, seen;
	bool hidden; /* one of that very name, which the peer may not read */
};

bool proto_may_read(const struct xprt *x, const struct set *s)
{
	struct set_stat st;

	set_stat(s, &st);
	return perm_allows(x->uid, x->gid, PERM_READ, st.uid, st.gid, st.perm);
}

static int match_set(struct set *s, void *arg)
{
	struct matching *ma = arg;
	const char *text;

	ma->seen++;
	text = ma->schema ? image_schema((const struct set_meta *)s->image) : s->name;

	if (ma->rx ? !rx_match(ma->rx, text) : strcmp(ma->name, text))
		return 0;
	if (!proto_may_read(ma->x, s)) {
		ma->hidden = true;
		return 0;
	}
	if (ma->n == ma->cap) {
		ma->cap = ma->cap ? 2 * ma->cap : 8;
		ma->found = xrealloc(ma->found, ma->cap * sizeof(struct set *));
	}
	ma->found[ma->n++] = set_get(s);
	return 0;
}

/* All sets that the peer means and may read; a negative errno for an expression that is none. */
static int find_matches(struct matching *ma, uint32_t flags, const char *what)
{
	struct setdb *sets = ma->x->env->sets;
	struct rx rx = { 0 };
	struct set *s;
	int rc;

	if (!flags) {
		s = setdb_find(sets, what);
		if (s)
			match_set(s, ma);
		set_put(s);
		return 0;
	}
	ma->schema = flags & LOOKUP_SCHEMA;
	if (flags & LOOKUP_REGEX) {
		rc = rx_init(&rx, what, NULL);
		if (rc)
			return rc;
		ma->rx = &rx;
	}
	setdb_each(sets, match_set, ma);
	rx_fini(&rx);
	return 0;
}

static void put_pstring(struct buf *b, const char *s)
{
	size_t len = strlen(s) + 1;

	buf_u8(b, (uint8_t)len);
	buf_add(b, s, len);
}

static int share_set(struct msg *m, struct set *s, bool more)
{
	struct ep *ep = m->lane->ep;
	uint64_t set_id = ep->type->set_id(ep, s);
	struct buf *b = proto_req(m->lane, (enum proto_cmd)RENDEZVOUS_LOOKUP, m->xid);
	struct set_stat st;
	uint32_t len;
	int rc;

	if (!set_id) {
		buf_reset(b);
		return -ENOSPC;
	}
	set_stat(s, &st);
	buf_raw64(b, set_id);
	buf_be32(b, more);
	buf_be32(b, s->meta_sz);
	buf_be32(b, s->data_sz);
	buf_be32(b, st.card);
	buf_be32(b, 0);
	buf_be32(b, s->array_card);
	put_pstring(b, image_schema((const struct set_meta *)s->image));
	put_pstring(b, s->name);
	setdb_lock(m->x->env->sets);
	for (uint16_t i = 0; i < s->info_n; i++) {
		const struct info_pair *p = &s->info[i];

		if (!*p->key || strlen(p->key) >= PSTRING_MAX || strlen(p->value) >= PSTRING_MAX)
			continue; /* the wire has no room for it; the directory has */
		put_pstring(b, p->key);
		put_pstring(b, p->value);
	}
	setdb_unlock(m->x->env->sets);
	buf_u8(b, 0);
	len = htole32((uint32_t)b->len);
	memcpy(b->p + 12, &len, sizeof(len));
	rc = ep->type->share(ep, s, b->p, b->len);
	buf_reset(b);
	return rc;
}

void lookup_got(struct msg *m)
{
	struct matching ma = { .x = m->x };
	uint32_t flags = rd_be32(&m->r), len = rd_be32(&m->r);
	const char *what = (const char *)rd_take(&m->r, len);
	int rc = 0;

	if (m->r.short_read || !len || len > LOOKUP_NAME_MAX + 1 || what[len - 1] != '\0') {
		proto_violation(m->lane, "LOOKUP does not hold a name of %u bytes", len);
		return;
	}
	announce_join(m->x); /* that it goes again */
	ma.name = what;
	if (m->x->env->sets)
		rc = find_matches(&ma, flags & (LOOKUP_SCHEMA | LOOKUP_REGEX), what);
	if (!rc && !ma.n) /* who knows a name is told; who searches is not told what there is */
		rc = ma.hidden && !flags ? -EACCES : -ENOENT;
	while (ma.n--) { /* found in descending order of name; answered in ascending, as real peers do */
		if (!rc)
			rc = share_set(m, ma.found[ma.n], ma.n > 0);
		set_put(ma.found[ma.n]);
	}
	/* the one last word on this xid; nobody hears it where the queue is full: the connection is ending */
	if (rc)
		proto_put(m->lane, proto_reply(m->lane, CMD_LOOKUP_REPLY, m->xid, (uint32_t)-rc));
	proto_work(m->lane, ma.seen + (flags ? REGEX_WORK : 0));
	free(ma.found);
}
