/* auth_rig.h - strangers at a server (behind rig.h) */
#ifndef TESTS_UNIT_AUTH_RIG_H
#define TESTS_UNIT_AUTH_RIG_H

#define AUTH_MSG 6

/* Connect and confirm; authentication begins. */
static struct raw stranger(struct rig *r, const char *auth)
{
	static uint64_t gn;
	struct raw w = raw_connect(xprt_listener_port(r->l));
	struct buf b = { 0 };

	put_connect(&b, auth, 1, 0, ++gn);
	put_ack(&b);
	raw_send(r, &w, b.p, b.len);
	raw_until(r, &w, raw_has(&w));
	assert_int_equal(raw_type(&w), 8);
	buf_consume(&w.in, raw_has(&w));
	buf_fini(&b);
	return w;
}

static void put_auth(struct buf *b, const void *bytes, uint32_t len)
{
	struct buf body = { 0 };

	buf_be32(&body, len);
	buf_add(&body, bytes, len);
	put_ldms(b, 0, AUTH_MSG, false, 0, body.p, (uint32_t)body.len);
	buf_fini(&body);
}

#endif
