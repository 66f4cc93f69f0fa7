/* auth.c - what a stranger may say to a server that authenticates by ovis, by naive, or by a method that takes its
 * time.
 *
 * Reaches: xprt/lane.c, auth_ovis.c, auth_naive.c, the AUTH_MSG part of proto.c, and ep_type.hold in zap_in.c.
 * Input: a byte that says which method, then pieces (feed.h); the selector says which message the bytes become:
 *   0 SENDRECV  1 AUTH_MSG  2 an ovis CHALLENGE  3 the right ovis REPLY, if the piece is long: with a byte changed
 *   4 DIR  5 the slow method approves (odd length) or refuses
 * Nobody may get in who has not said what the method wants.
 */
#include <stdio.h>
#include <unistd.h>

#include "tests/fuzz/feed.h"
#include "xprt/auth_ovis.h"

#define WORD          "swordfish-42"
#define AT_CHALLENGE  (88 + 44 + 4) /* in what the server has said: behind ACCEPTED, in its first AUTH_MSG */
#define REPLY_LEN_BAD 8

enum { OVIS, NAIVE, SLOW, METHODS };

static struct {
	struct auth_conf *conf[METHODS];
	struct auth_run *run; /* of the slow method, when it has a decision to make */
	bool entitled, up;
} it;

static void slow_begin(struct auth_run *a)
{
}

static void slow_message(struct auth_run *a, const void *bytes, size_t len)
{
	it.run = a;
	auth_hold(a);
}

static void slow_end(struct auth_run *a)
{
	it.run = NULL;
}

static const struct auth_type auth_slow = {
	.name = "slow", .hung_up = "", .begin = slow_begin, .message = slow_message, .end = slow_end
};

static void up_cb(struct xprt *x, void *arg)
{
	it.up = true;
	if (!it.entitled)
		abort();
}

static void init(void)
{
	static const struct xprt_events ev = { .up = up_cb };
	static struct auth_conf slow = { .type = &auth_slow, .refs = 1 };
	char path[] = "/tmp/ldms-fuzz-XXXXXX";
	struct kv args = { 0 };
	int fd;

	if (it.conf[OVIS])
		return;
	feed_init();
	fuzz.l.ev = &ev;
	fd = mkstemp(path);
	dprintf(fd, "secretword=%s\n", WORD);
	close(fd);
	kv_add(&args, "conf", path);
	if (auth_open("ovis", &args, &it.conf[OVIS], NULL) || auth_open("naive", NULL, &it.conf[NAIVE], NULL))
		abort();
	unlink(path);
	kv_fini(&args);
	it.conf[SLOW] = &slow;
}

static void put_auth(struct buf *b, const void *bytes, uint32_t len)
{
	feed_header(b, ZAP_SENDRECV, 4 + REQ_HDR_SZ + 4 + len);
	buf_be32(b, REQ_HDR_SZ + 4 + len);
	buf_raw64(b, 0);
	buf_be32(b, CMD_AUTH_MSG);
	buf_be32(b, REQ_HDR_SZ + 4 + len);
	buf_be32(b, len);
	buf_add(b, bytes, len);
}

static void put_challenge(struct buf *b, const struct piece *p)
{
	uint8_t m[12] = { 1 };

	memcpy(m + 4, p->p, p->len < 8 ? p->len : 8);
	put_auth(b, m, sizeof(m));
}

static void put_reply(struct buf *b, const struct zap *z, const struct piece *p)
{
	char m[4 + OVIS_DIGEST_SZ] = { 2 };
	uint64_t be;

	if (zap_pending(z) < AT_CHALLENGE + sizeof(be))
		return;
	memcpy(&be, z->out.p + z->out_off + AT_CHALLENGE, sizeof(be));
	ovis_digest(be64toh(be), WORD, strlen(WORD), m + 4);
	if (p->len >= REPLY_LEN_BAD)
		m[4 + p->p[0] % (OVIS_DIGEST_SZ - 1)] ^= (char)(p->p[1] | 1);
	put_auth(b, m, sizeof(m));
}

static void put_dir(struct buf *b)
{
	feed_header(b, ZAP_SENDRECV, 4 + REQ_HDR_SZ + 4);
	buf_be32(b, REQ_HDR_SZ + 4);
	buf_raw64(b, 7);
	buf_be32(b, CMD_DIR);
	buf_be32(b, REQ_HDR_SZ + 4);
	buf_be32(b, 1);
}

static void decide(const struct piece *p)
{
	if (!it.run)
		return;
	it.entitled = p->len & 1;
	if (it.entitled)
		auth_approve(it.run, 0, 0);
	else
		auth_refuse(it.run, AUTH_SECRET, "no");
}

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t len)
{
	struct rd r = rd_over(in, len);
	unsigned int method = rd_u8(&r) % METHODS;
	struct buf b = { 0 };
	struct piece p;
	struct zap *z;

	init();
	fuzz.l.auth = it.conf[method]->type;
	fuzz.l.auth_conf = it.conf[method];
	it.entitled = method == NAIVE; /* whoever says anything of 8 bytes */
	it.up = false;
	it.run = NULL;
	z = feed_accept();
	feed_conn_as(&b, ZAP_CONNECT, it.conf[method]->type->name);
	feed_header(&b, ZAP_ACK_ACCEPTED, 4);
	buf_be32(&b, 0);
	zap_input(z, b.p, b.len);
	while (!zap_is_closed(z) && feed_piece(&r, &p)) {
		buf_reset(&b);
		switch (p.sel % 6) {
		case 0:
			feed_header(&b, ZAP_SENDRECV, 4 + p.len);
			buf_be32(&b, p.len);
			buf_add(&b, p.p, p.len);
			break;
		case 1:
			put_auth(&b, p.p, p.len);
			break;
		case 2:
			put_challenge(&b, &p);
			break;
		case 3:
			put_reply(&b, z, &p);
			it.entitled |= method == OVIS && p.len < REPLY_LEN_BAD;
			break;
		case 4:
			put_dir(&b);
			break;
		default:
			decide(&p);
			break;
		}
		if (b.len && !zap_is_closed(z) && !(z->paused && z->stash.len > IO_SCRATCH))
			zap_input(z, b.p, b.len);
	}
	if (!zap_is_closed(z))
		zap_ended(z, 0);
	feed_settle();
	buf_fini(&b);
	return 0;
}
