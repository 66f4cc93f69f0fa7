/* proto_client.c - what a server may say to a client that lists, follows, looks up, updates, and has sets pushed.
 *
 * Reaches: xprt/proto_dir.c, dir_json.c, proto_lookup_ask.c, proto_read.c, proto_push.c, proto_delete.c on the asking side,
 * with core/set/image_check*.c and set_mirror.c behind them. Input: pieces (feed.h); the selector says which message the
 * bytes become: 0 SENDRECV  1 the same with xid and inner length put right  2 RENDEZVOUS, its xid put right 3 READ_RESP
 * to the oldest read, with as many bytes as were asked for (zeros where the piece ends) 4 READ_RESP with a status  5
 * the client asks for updates  6 the client looks up once more 7 it asks for pushes, or ends them  8 PUSH: which set,
 * flags, offset and length in units of 8 bytes (1, 1, 2, 2), then bytes that stand in place of what the mirror has
 * there, with a newer generation
 */
#include "tests/fuzz/feed.h"
#include "xprt/push.h"

#define RSETS 8

static struct xprt *client;
static struct rset *rsets[RSETS];
static unsigned int n_rsets;

static void updated_cb(struct rset *rs, enum update_result res, int rc, const struct set_data *data)
{
	if (res != UPDATE_NEW)
		return;
	if (!data->gn)
		abort(); /* what is new has a higher generation than something */
	/* a callback may free the set, or close the peer */
	for (unsigned int i = 0; i < n_rsets && data->gn % 5 == 3; i++)
		if (rsets[i] == rs) {
			rsets[i] = NULL;
			rset_free(rs);
			return;
		}
	if (data->gn % 11 == 7)
		xprt_close(client);
}

static void lookup_cb(struct xprt *x, void *arg, int rc, struct rset *rs, bool more, const char *why)
{
	if (!rs)
		return;
	if (n_rsets == RSETS) {
		rset_free(rs);
		return;
	}
	rs->updated = updated_cb;
	rsets[n_rsets++] = rs;
}

static void dir_cb(struct xprt *x, void *arg, enum dir_event ev, const struct dir_set *set, int rc)
{
	size_t sum = 0;

	if (!set)
		return;
	sum += strlen(set->name) + strlen(set->schema) + strlen(set->digest) + strlen(set->flags) + strlen(set->perm);
	for (unsigned int i = 0; i < set->info_n; i++)
		sum += strlen(set->info[i].key) + strlen(set->info[i].value);
	if (ev == DIR_DEL && sum == 5)
		xprt_close(x); /* a callback may do that */
}

static void down_cb(struct xprt *x, void *arg, enum xprt_fail fail, const char *why)
{
	xprt_close(x);
	client = NULL;
}

static void put_message(struct buf *b, const struct piece *p, bool right)
{
	uint32_t len = htobe32(p->len);
	uint64_t xid = client->reqs ? client->reqs->xid : 0;
	uint8_t *m;

	feed_header(b, ZAP_SENDRECV, 4 + p->len);
	buf_be32(b, p->len);
	buf_add(b, p->p, p->len);
	m = b->p + b->len - p->len;
	if (!right || p->len < REQ_HDR_SZ)
		return;
	xid += m[0] % 3; /* one of those that are outstanding */
	memcpy(m, &xid, sizeof(xid));
	memcpy(m + 12, &len, sizeof(len));
}

static void put_rendezvous(struct buf *b, const struct piece *p)
{
	uint64_t xid = client->reqs ? client->reqs->xid : 0;

	feed_header(b, ZAP_RENDEZVOUS, p->len);
	buf_add(b, p->p, p->len);
	if (p->len < 20 + 8)
		return;
	xid += p->p[20] % 3;
	memcpy(b->p + b->len - p->len + 20, &xid, sizeof(xid));
}

static void put_read_resp(struct buf *b, const struct zap *z, const struct piece *p, bool good)
{
	const struct zap_read *rd = &z->reads[z->reads_head];
	uint32_t n = good ? rd->len : 0, have = p->len < n ? p->len : n, cookie[2] = { rd->xid, 0 };

	feed_header(b, ZAP_READ_RESP, 16 + n);
	memcpy(b->p + 8, &rd->xid, sizeof(rd->xid));
	memcpy(b->p + 12, cookie, sizeof(cookie));
	buf_be16(b, good ? 0 : (uint16_t)(1 + p->len));
	buf_be16(b, 0);
	buf_be64(b, 0);
	buf_be32(b, n);
	buf_add(b, p->p, have);
	memset(buf_reserve(b, n - have), 0, n - have);
	b->len += n - have;
}

static void put_push(struct buf *b, const struct piece *p)
{
	struct rd r = rd_over(p->p, p->len);
	uint8_t which = rd_u8(&r), how = rd_u8(&r);
	struct rset *rs = n_rsets ? rsets[which % n_rsets] : NULL;
	size_t off = 8 * (size_t)rd_be16(&r), n = 8 * (size_t)rd_be16(&r), size = rs ? set_size(rs->set) : 0, have;
	uint8_t *m;

	if (rs && how & 8) /* the whole of it, or all of it from there */
		n = off < size ? size - off : 0;
	feed_header(b, ZAP_SENDRECV, 4 + PUSH_HDR_SZ + (uint32_t)n);
	buf_be32(b, PUSH_HDR_SZ + (uint32_t)n);
	m = buf_reserve(b, PUSH_HDR_SZ + n);
	memset(m, 0, PUSH_HDR_SZ + n);
	push_header(m, 1 + which % RSETS, (how & 1 ? PUSH_F_MORE : 0) | ((how & 6) == 6 ? PUSH_F_LAST : 0), off, n);
	if (off < size)
		set_copy(rs->set, off, n < size - off ? n : size - off, m + PUSH_HDR_SZ);
	for (uint32_t k = 0; rs && k < rs->set->array_card; k++) {
		size_t at = rs->set->meta_sz + (size_t)k * rs->set->data_sz;
		struct set_data d;

		if (at < off || at + sizeof(d) > off + n)
			continue;
		memcpy(&d, m + PUSH_HDR_SZ + at - off, sizeof(d));
		d.gn = htole64(le64toh(d.gn) + 1 + k);
		d.flags = htole32(SET_TRANS_DONE);
		memcpy(m + PUSH_HDR_SZ + at - off, &d, sizeof(d));
	}
	have = rd_left(&r) < n ? rd_left(&r) : n;
	if (have && !r.short_read)
		memcpy(m + PUSH_HDR_SZ, rd_take(&r, have), have);
	b->len += PUSH_HDR_SZ + n;
}

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t len)
{
	static const struct xprt_events ev = { .down = down_cb };
	struct rd r = rd_over(in, len);
	struct buf b = { 0 };
	struct piece p;

	feed_init();
	n_rsets = 0;
	client = feed_client(&ev, NULL);
	feed_conn(&b, ZAP_ACCEPTED);
	zap_input(fuzz.client, b.p, b.len);
	xprt_dir(client, true, dir_cb, NULL, NULL);
	xprt_lookup(client, "wirehost/procstat2", 0, lookup_cb, NULL, NULL);
	xprt_lookup(client, ".*", LOOKUP_REGEX, lookup_cb, NULL, NULL);
	while (fuzz.client && feed_piece(&r, &p)) {
		struct zap *z = fuzz.client;

		buf_reset(&b);
		switch (p.sel % 9) {
		case 0:
		case 1:
			put_message(&b, &p, p.sel % 9);
			break;
		case 2:
			put_rendezvous(&b, &p);
			break;
		case 3:
		case 4:
			if (!z->ep.reading || z->reads[z->reads_head].len > 65536)
				continue;
			put_read_resp(&b, z, &p, p.sel % 9 == 3);
			break;
		case 5:
			for (unsigned int i = 0; i < n_rsets; i++)
				if (rsets[i])
					rset_update(rsets[i]);
			continue;
		case 7:
			for (unsigned int i = 0; i < n_rsets; i++)
				if (rsets[i])
					rset_push(rsets[i], (p.len + i) % 4 ? RSET_PUSH_CHANGE : RSET_PULL);
			continue;
		case 8:
			put_push(&b, &p);
			break;
		default:
			xprt_lookup(client, "x", LOOKUP_SCHEMA, lookup_cb, NULL, NULL);
			continue;
		}
		feed_input(z, b.p, b.len);
	}
	for (unsigned int i = 0; i < n_rsets; i++)
		rset_free(rsets[i]);
	if (fuzz.client)
		zap_ended(fuzz.client, 0);
	feed_settle();
	buf_fini(&b);
	return 0;
}
