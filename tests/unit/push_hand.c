/* Pushes and notifications by hand: what a client says and hears, and what a server may send. */
#include "tests/unit/rig.h"

#include "core/set/snap.h"
#include "xprt/push.h"
#include "xprt/subs.h"
#include "xprt/zap.h"
#include "push_rig.h"

static void put_lookup(struct buf *b, const char *name)
{
	struct buf body = { 0 };

	buf_be32(&body, 0);
	buf_be32(&body, (uint32_t)strlen(name) + 1);
	buf_add(&body, name, strlen(name) + 1);
	put_ldms(b, 5, CMD_LOOKUP, false, 0, body.p, (uint32_t)body.len);
	buf_fini(&body);
}

static void put_register(struct buf *b, uint64_t set_id, uint64_t push_id, uint32_t flags)
{
	put_zap(b, 3, 20 + 36);
	buf_raw32(b, 9);
	buf_be32(b, 3);
	buf_be64(b, 4096);
	buf_be32(b, 100);
	buf_raw64(b, 0);
	buf_be32(b, 2);
	buf_be32(b, 36);
	buf_raw64(b, set_id);
	buf_raw64(b, push_id);
	buf_be32(b, flags);
}

static void put_by_id(struct buf *b, uint32_t cmd, uint64_t xid, uint64_t set_id, bool flags)
{
	struct buf body = { 0 };

	buf_raw64(&body, set_id);
	if (flags)
		buf_be32(&body, 0);
	put_ldms(b, xid, cmd, false, 0, body.p, (uint32_t)body.len);
	buf_fini(&body);
}

static void say(struct rig *r, struct raw *w, struct buf *b)
{
	raw_send(r, w, b->p, b->len);
	buf_reset(b);
}

static uint32_t be32_in(const struct raw *w, size_t at)
{
	uint32_t v;

	memcpy(&v, w->in.p + at, 4);
	return ntohl(v);
}

static uint64_t raw64_in(const struct raw *w, size_t at)
{
	uint64_t v;

	memcpy(&v, w->in.p + at, 8);
	return v;
}

static void heard(struct rig *r, struct raw *w)
{
	raw_until(r, w, raw_has(w));
}

static void next(struct raw *w)
{
	buf_consume(&w->in, raw_has(w));
}

static uint64_t raw_look_up(struct rig *r, struct raw *w, const char *name)
{
	struct buf b = { 0 };
	uint64_t id;

	put_lookup(&b, name);
	say(r, w, &b);
	heard(r, w);
	assert_int_equal(raw_type(w), 3);
	id = raw64_in(w, 40 + 16);
	next(w);
	buf_fini(&b);
	return id;
}

static void is_push(const struct raw *w, uint64_t push_id, uint32_t flags, uint32_t off, uint32_t len)
{
	assert_int_equal(be32_in(w, 24 + 8), CMD_PUSH);
	assert_int_equal(raw64_in(w, 24), 0);
	assert_int_equal(be32_in(w, 24 + 12), 40 + len);
	assert_int_equal(be32_in(w, 24 + 16), 0);
	assert_int_equal(raw64_in(w, 24 + 20), push_id);
	assert_int_equal(be32_in(w, 24 + 28), flags);
	assert_int_equal(be32_in(w, 24 + 32), off);
	assert_int_equal(be32_in(w, 24 + 36), len);
	assert_int_equal(be32_in(w, 20), 40 + len);
}

static void test_messages_of_a_push(void **state)
{
	struct buf b = { 0 };
	struct set *s, *ring;
	struct raw w;
	struct rig r;
	uint64_t id;

	rig_open(&r, "sock");
	rig_listen(&r);
	s = rig_set(&r, "one", "n/a", 3, 1, 0, 0777);
	ring = rig_set(&r, "one", "n/r", 3, 4, 0, 0777);
	w = raw_handshake(&r);
	id = raw_look_up(&r, &w, "n/a");
	put_by_id(&b, CMD_CANCEL_PUSH, 0, id, false); /* nothing to be cancelled: no answer */
	put_register(&b, id + 1000, 41, 3);           /* nobody was given that */
	put_register(&b, id, 42, 3);
	say(&r, &w, &b);
	registered(&r, s);
	assert_int_equal(r.s->odd, 2);
	rig_sample(s, 2);
	heard(&r, &w);
	is_push(&w, 42, 0x10000000, 0, s->meta_sz + s->data_sz);
	next(&w);
	rig_sample(s, 3);
	heard(&r, &w);
	is_push(&w, 42, 0x10000000, s->meta_sz, s->data_sz);
	next(&w);
	put_register(&b, id, 43, 3); /* into another copy: all begins anew */
	say(&r, &w, &b);
	rig_settle(&r);
	rig_sample(s, 4);
	heard(&r, &w);
	is_push(&w, 43, 0x10000000, 0, s->meta_sz + s->data_sz);
	next(&w);
	put_by_id(&b, CMD_CANCEL_PUSH, 0, id, false);
	put_by_id(&b, CMD_CANCEL_PUSH, 0, id, false);
	say(&r, &w, &b);
	heard(&r, &w);
	is_push(&w, 43, 0x30000000, 0, 0);
	next(&w);
	/* a ring: metadata and the newest sample are two runs */
	rig_sample(ring, 1);
	id = raw_look_up(&r, &w, "n/r");
	put_register(&b, id, 44, 3);
	say(&r, &w, &b);
	registered(&r, ring);
	rig_sample(ring, 2);
	heard(&r, &w);
	is_push(&w, 44, 0x90000000, 0, ring->meta_sz);
	next(&w);
	heard(&r, &w);
	is_push(&w, 44, 0x10000000, ring->meta_sz + ring->data_sz, ring->data_sz);
	next(&w);
	raw_close(&w);
	rig_until(&r, !ring->watches);
	buf_fini(&b);
	set_put(s);
	set_put(ring);
	rig_close(&r);
}

static void is_event(const struct raw *w, uint64_t xid)
{
	assert_int_equal(be32_in(w, 24 + 8), CMD_NOTIFY_EVENT);
	assert_int_equal(raw64_in(w, 24), xid);
	assert_int_equal(be32_in(w, 24 + 12), 36);
	assert_int_equal(be32_in(w, 24 + 20), 1);
	assert_int_equal(be32_in(w, 24 + 28), 16);
}

static void test_notifications(void **state)
{
	struct buf b = { 0 };
	struct set *s;
	struct raw w;
	struct rig r;
	uint64_t id;

	rig_open(&r, "sock");
	rig_listen(&r);
	s = rig_set(&r, "one", "n/a", 3, 1, 0, 0777);
	w = raw_handshake(&r);
	id = raw_look_up(&r, &w, "n/a");
	rig_sample(s, 2); /* of which nobody who has only looked it up is told */
	put_by_id(&b, CMD_CANCEL_NOTIFY, 0, id, false);
	put_by_id(&b, CMD_REQ_NOTIFY, 7, id + 1, true);
	put_by_id(&b, CMD_REQ_NOTIFY, 99, id, true);
	say(&r, &w, &b);
	registered(&r, s);
	assert_int_equal(s->pushed, 0);
	rig_sample(s, 3);
	heard(&r, &w);
	is_event(&w, 99);
	next(&w);
	for (int i = 0; i < 5; i++)
		rig_sample(s, 4);
	heard(&r, &w);
	is_event(&w, 99);
	next(&w);
	rig_settle(&r);
	assert_int_equal(raw_has(&w), 0); /* one for all that happened before it */
	assert_int_equal(atomic_load(&r.env.stats.pushes_merged), 4);
	put_register(&b, id, 42, 3); /* both at once */
	say(&r, &w, &b);
	rig_until(&r, s->pushed);
	rig_sample(s, 5);
	heard(&r, &w);
	is_event(&w, 99);
	next(&w);
	heard(&r, &w);
	is_push(&w, 42, 0x10000000, 0, s->meta_sz + s->data_sz);
	next(&w);
	put_by_id(&b, CMD_CANCEL_NOTIFY, 0, id, false);
	put_by_id(&b, CMD_CANCEL_PUSH, 0, id, false);
	say(&r, &w, &b);
	heard(&r, &w);
	is_push(&w, 42, 0x30000000, 0, 0);
	assert_null(s->watches);
	raw_close(&w);
	buf_fini(&b);
	set_put(s);
	rig_close(&r);
}

/* A peer that does not read: the server keeps one set for it, whatever is sampled, and it gets the newest in the end.
 */
static void test_slow_reader(void **state)
{
	struct buf b = { 0 };
	struct set *s[8];
	uint64_t id[8], last[8] = { 0 };
	char name[8];
	struct raw w;
	struct rig r;

	rig_open(&r, "sock");
	rig_listen(&r);
	w = raw_handshake(&r);
	for (int i = 0; i < 8; i++) {
		snprintf(name, sizeof(name), "n/%d", i);
		s[i] = rig_set(&r, "one", name, 10000, 1, 0, 0777);
		id[i] = raw_look_up(&r, &w, name);
		put_register(&b, id[i], (uint64_t)i, 3);
	}
	say(&r, &w, &b);
	for (int i = 0; i < 8; i++)
		registered(&r, s[i]);
	for (uint64_t v = 1; v < 300; v++) {
		for (int i = 0; i < 8; i++)
			rig_sample(s[i], v);
		ev_run(loop_ev(r.loop), EVRUN_NOWAIT);
		assert_true(r.s->lanes[0]->ep->type->queued(r.s->lanes[0]->ep) <= ZAP_MSG_MAX);
	}
	for (int left = 8; left;) {
		uint64_t v, k;

		heard(&r, &w);
		k = raw64_in(&w, 24 + 20);
		assert_true(k < 8);
		memcpy(&v, w.in.p + raw_has(&w) - s[0]->data_sz + DATA_HDR_SZ, sizeof(v));
		assert_true(v > last[k]);
		last[k] = v;
		left -= v == 299;
		next(&w);
	}
	rig_settle(&r);
	assert_int_equal(atomic_load(&r.env.stats.pushes_out) + atomic_load(&r.env.stats.pushes_merged), 8 * 299);
	raw_close(&w);
	rig_until(&r, !s[7]->watches);
	buf_fini(&b);
	for (int i = 0; i < 8; i++)
		set_put(s[i]);
	rig_close(&r);
}

/* Say it to the client's end of the connection, as if it had come. */
static void pushed(struct rig *r, uint64_t push_id, uint32_t flags, uint32_t off, const void *bytes, uint32_t len)
{
	struct buf b = { 0 };

	buf_reserve(&b, PUSH_HDR_SZ + len);
	push_header(b.p, push_id, flags, off, len);
	memcpy(b.p + PUSH_HDR_SZ, bytes, len);
	proto_message(r->c->lanes[0], b.p, PUSH_HDR_SZ + len);
	buf_fini(&b);
}

static void test_fragments_in_disorder(void **state)
{
	struct rig r;
	struct ear e;
	struct set *s = begin(&r, &e, 3, 4);
	size_t size = set_size(s), data = s->meta_sz + s->data_sz;
	uint8_t *im = malloc(size);
	struct set_watch *watch;

	rset_push(e.rs, RSET_PUSH_CHANGE);
	registered(&r, s);
	rig_sample(s, 2);
	rig_until(&r, e.values_n == 1);
	rig_sample(s, 3);
	rig_until(&r, e.values_n == 2);
	watch = s->watches;
	set_watch_del(s, watch); /* the server keeps quiet from here on; the test speaks for it */
	rig_sample(s, 4);
	set_copy(s, 0, size, im);
	pushed(&r, 77, PUSH_F_PUSH, 0, im, 8); /* of another set */
	assert_int_equal(odd(&r), 1);
	pushed(&r, 1, PUSH_F_PUSH | PUSH_F_MORE, 8, im, 8); /* no beginning */
	pushed(&r, 1, PUSH_F_PUSH | PUSH_F_MORE, 0, im, 8); /* of the same push */
	pushed(&r, 1, PUSH_F_PUSH, 0, im, (uint32_t)data);
	assert_int_equal(odd(&r), 2);
	pushed(&r, 1, PUSH_F_PUSH | PUSH_F_MORE, 0, im, 100); /* a gap */
	pushed(&r, 1, PUSH_F_PUSH, 108, im + 108, (uint32_t)data - 108);
	assert_int_equal(odd(&r), 3);
	pushed(&r, 1, PUSH_F_PUSH | PUSH_F_MORE, 0, im, 100); /* some of it twice */
	pushed(&r, 1, PUSH_F_PUSH, 92, im + 92, (uint32_t)data - 92);
	assert_int_equal(odd(&r), 4);
	pushed(&r, 1, PUSH_F_PUSH, 0, im, s->meta_sz); /* no sample in it */
	pushed(&r, 1, PUSH_F_PUSH, s->meta_sz, im + s->meta_sz, s->data_sz - 8);
	pushed(&r, 1, PUSH_F_PUSH, s->meta_sz, im, 0);
	assert_int_equal(odd(&r), 7);
	assert_int_equal(e.values_n, 2);
	assert_int_equal(mirror_value(e.rs, 0), 3);
	/* and a good one, in pieces of any size: the ring's fourth sample */
	for (size_t at = 0; at < s->meta_sz; at += 8)
		pushed(&r, 1, PUSH_F_PUSH | PUSH_F_MORE, (uint32_t)at, im + at, 8);
	for (size_t at = data + 2 * s->data_sz; at < size; at += 8)
		pushed(&r, 1, PUSH_F_PUSH | (at + 8 < size ? PUSH_F_MORE : 0), (uint32_t)at, im + at, 8);
	assert_int_equal(odd(&r), 7);
	assert_int_equal(e.values_n, 3);
	assert_int_equal(e.values[2], 4);
	/* the same again is nothing new; nor is an older one */
	pushed(&r, 1, PUSH_F_PUSH, (uint32_t)(data + 2 * s->data_sz), im + data + 2 * s->data_sz, s->data_sz);
	pushed(&r, 1, PUSH_F_PUSH, 0, im, (uint32_t)data);
	assert_int_equal(e.upd[UPDATE_SAME], 2);
	assert_int_equal(mirror_value(e.rs, 0), 4);
	/* the whole ring at once, with one that is being written at its end */
	((struct set_data *)(im + s->meta_sz))->gn = htole64(100);
	((struct set_data *)(im + data))->gn = htole64(101);
	((struct set_data *)(im + data + s->data_sz))->flags = htole32(SET_TRANS_OPEN);
	pushed(&r, 1, PUSH_F_PUSH, 0, im, (uint32_t)size);
	assert_int_equal(e.values_n, 5);
	/* the end that the server gives it */
	pushed(&r, 1, PUSH_F_PUSH | PUSH_F_LAST, 0, im, 0);
	assert_int_equal(e.rs->pushed, RSET_PULL);
	assert_int_equal(r.c_downs, 0);
	free(im);
	set_watch_add(s, watch);
	end(&r, &e, s);
}

static void test_outside_of_the_image_is_the_end(void **state)
{
	struct rig r;
	struct ear e;
	struct set *s = begin(&r, &e, 3, 1);
	uint8_t bytes[16] = { 0 };

	rset_push(e.rs, RSET_PUSH_CHANGE);
	registered(&r, s);
	pushed(&r, 1, PUSH_F_PUSH, (uint32_t)set_size(s) - 8, bytes, 16);
	assert_int_equal(r.c_downs, 1);
	assert_int_equal(r.c_fail, XPRT_PROTO);
	rig_until(&r, !s->watches);
	end(&r, &e, s);
}

static void test_metadata_that_do_not_fit(void **state)
{
	struct rig r;
	struct ear e;
	struct set *s = begin(&r, &e, 3, 1);
	size_t size = set_size(s);
	uint8_t *im = malloc(size);

	rset_push(e.rs, RSET_PUSH_CHANGE);
	registered(&r, s);
	rig_sample(s, 2);
	rig_until(&r, e.values_n == 1);
	set_copy(s, 0, size, im);
	((struct set_meta *)im)->card = htole32(2);
	pushed(&r, 1, PUSH_F_PUSH, 0, im, (uint32_t)size);
	assert_int_equal(e.upd[UPDATE_FAIL], 1);
	set_copy(s, 0, size, im);
	((struct set_data *)(im + s->meta_sz))->size = 0;
	((struct set_data *)(im + s->meta_sz))->gn = htole64(50);
	((struct set_meta *)im)->perm = htole32(0111);
	pushed(&r, 1, PUSH_F_PUSH, 0, im, (uint32_t)size);
	assert_int_equal(e.upd[UPDATE_FAIL], 2);
	assert_int_equal(le32toh(((struct set_meta *)e.rs->set->image)->perm), 0777); /* nothing of it was taken */
	/* a sample that was written with newer metadata than came with it: they are read */
	set_meta_u64(s, 3, 9);
	set_copy(s, 0, size, im);
	((struct set_data *)(im + s->meta_sz))->gn = htole64(51);
	pushed(&r, 1, PUSH_F_PUSH, s->meta_sz, im + s->meta_sz, s->data_sz);
	assert_int_equal(e.values_n, 2);
	assert_true(e.rs->busy);
	rig_until(&r, !e.rs->busy);
	assert_int_equal(mirror_value(e.rs, 3), 9);
	free(im);
	end(&r, &e, s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_messages_of_a_push),
		cmocka_unit_test(test_notifications),
		cmocka_unit_test(test_slow_reader),
		cmocka_unit_test(test_fragments_in_disorder),
		cmocka_unit_test(test_outside_of_the_image_is_the_end),
		cmocka_unit_test(test_metadata_that_do_not_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
