/* proto_server.c - what an authenticated peer may say to a server that has three sets.
 *
 * Reaches: xprt/proto.c and every proto_*.c on the answering side, subs.c, zap_map.c, announce.c.
 * Input: pieces (feed.h); the selector says which message the bytes become:
 *   0 SENDRECV  1 the same with its inner length put right  2 RENDEZVOUS  3 READ_REQ  4 WRITE_REQ
 *   5 a set of the server changes  6 one goes and comes back
 *   7 a message about a set that was looked up: the first byte says which set, the second whether pushes or
 *     notifications are asked for or ended  8 a set has a new sample
 */
#include "tests/fuzz/feed.h"

static void put_message(struct buf *b, const struct piece *p, bool right)
{
	uint32_t len = htobe32(p->len);

	feed_header(b, ZAP_SENDRECV, 4 + p->len);
	buf_be32(b, p->len);
	buf_add(b, p->p, p->len);
	if (right && p->len >= REQ_HDR_SZ)
		memcpy(b->p + b->len - p->len + 12, &len, sizeof(len));
}

/* Requests that name a set by its number. */
static void put_wish(struct buf *b, struct zap *z, const struct piece *p)
{
	static const enum proto_cmd cmds[] = { CMD_CANCEL_PUSH, CMD_REQ_NOTIFY, CMD_CANCEL_NOTIFY };
	uint8_t which = p->len ? p->p[0] % 3 : 0, what = p->len > 1 ? p->p[1] % 4 : 3;
	uint64_t id = zap_set_id(&z->ep, fuzz.sets[which]);
	bool flags = what == 1 || what == 3;
	uint32_t len = REQ_HDR_SZ + 8 + (flags ? 4 : 0) + (what == 3 ? 8 : 0);

	feed_header(b, what == 3 ? ZAP_RENDEZVOUS : ZAP_SENDRECV, (what == 3 ? 20 : 4) + len);
	if (what == 3) {
		buf_raw32(b, 1);
		buf_be32(b, 3);
		buf_be64(b, 4096);
	}
	buf_be32(b, len);
	buf_raw64(b, p->len);
	buf_be32(b, what == 3 ? RENDEZVOUS_PUSH : cmds[what]);
	buf_be32(b, len);
	buf_raw64(b, id);
	if (what == 3)
		buf_raw64(b, p->len);
	if (flags)
		buf_be32(b, p->len % 4);
}

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t len)
{
	struct rd r = rd_over(in, len);
	struct buf b = { 0 };
	struct piece p;
	struct zap *z;

	feed_init();
	z = feed_peer("none");
	while (!zap_is_closed(z) && feed_piece(&r, &p)) {
		buf_reset(&b);
		switch (p.sel % 9) {
		case 0:
		case 1:
			put_message(&b, &p, p.sel % 9);
			break;
		case 5:
			setdb_info_put(fuzz.env.sets, fuzz.sets[0], "k", p.len & 1 ? "v" : NULL);
			feed_settle();
			continue;
		case 6:
			setdb_del(fuzz.env.sets, fuzz.sets[1]);
			setdb_add(fuzz.env.sets, fuzz.sets[1], NULL);
			feed_settle();
			continue;
		case 7:
			put_wish(&b, z, &p);
			break;
		case 8:
			set_begin(fuzz.sets[p.len % 3]);
			set_end(fuzz.sets[p.len % 3]);
			if (p.len & 4)
				feed_settle();
			continue;
		default:
			feed_header(&b,
				    p.sel % 9 == 2   ? ZAP_RENDEZVOUS
				    : p.sel % 9 == 3 ? ZAP_READ_REQ
						     : ZAP_WRITE_REQ,
				    p.len);
			buf_add(&b, p.p, p.len);
			break;
		}
		feed_input(z, b.p, b.len);
	}
	if (!zap_is_closed(z))
		zap_ended(z, 0);
	feed_settle();
	buf_fini(&b);
	return 0;
}
