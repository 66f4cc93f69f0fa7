/* push_rig.h - a follower of pushes, and sets for it (behind rig.h) */
#ifndef TESTS_UNIT_PUSH_RIG_H
#define TESTS_UNIT_PUSH_RIG_H

#define BIG 330000 /* numbers of a set that takes three messages */

struct ear {
	struct rig *r;
	struct rset *rs;
	int upd[4], finished, rc;
	uint64_t values[64];
	int values_n;
	bool free_at_new, close_at_new;
};

static void updated_cb(struct rset *rs, enum update_result res, int rc, const struct set_data *data)
{
	struct ear *e = rs->arg;

	e->upd[res]++;
	e->rc = rc;
	if (!rs->busy)
		e->finished++;
	if (res == UPDATE_NEW) {
		const struct image im = { (const struct set_meta *)rs->set->image, data };

		e->values[e->values_n++ % 64] = value_u64(image_value(&im, 0), 0);
	}
	if (e->close_at_new && res == UPDATE_NEW) {
		xprt_close(e->r->c);
		e->r->c = NULL;
	}
	if (e->free_at_new && res == UPDATE_NEW) {
		e->rs = NULL;
		rset_free(rs);
	}
}

static void lookup_cb(struct xprt *x, void *arg, int rc, struct rset *rs, bool more, const char *why)
{
	struct ear *e = arg;

	if (rc)
		fail_msg("%s", why);
	rs->updated = updated_cb;
	rs->arg = e;
	e->rs = rs;
}

static void look_up(struct ear *e, const char *name)
{
	e->rs = NULL;
	assert_int_equal(xprt_lookup(e->r->c, name, 0, lookup_cb, e, NULL), 0);
	rig_until(e->r, e->rs);
}

/* The same as rig_set(), with an array of BIG numbers in front of the last metric. */
static struct set *big_set(struct rig *r, const char *name)
{
	struct schema *sc = schema_new("big", NULL);
	struct set *s;

	schema_add(sc, "m0", V_U64, NULL, NULL);
	schema_add_array(sc, "a", V_U64_ARRAY, BIG, NULL, NULL);
	schema_add(sc, "m1", V_U64, NULL, NULL);
	assert_int_equal(set_new(r->env.pool, sc, name, "rig", 0, 0, 0777, &s, NULL), 0);
	assert_int_equal(setdb_add(r->env.sets, s, NULL), 0);
	schema_free(sc);
	return s;
}

/* A server with one set that the client has looked up; the first sample has the value 1. */
static struct set *begin(struct rig *r, struct ear *e, unsigned int metrics, unsigned int ring)
{
	struct set *s;

	rig_open(r, "mem");
	*e = (struct ear){ .r = r };
	s = metrics == BIG ? big_set(r, "n/a") : rig_set(r, "one", "n/a", metrics, ring, 0, 0777);
	rig_sample(s, 1);
	rig_connect(r, 1);
	look_up(e, "n/a");
	return s;
}

static void end(struct rig *r, struct ear *e, struct set *s)
{
	rset_free(e->rs);
	set_put(s);
	rig_close(r);
}

/* The peer knows of what was asked for. */
static void registered(struct rig *r, const struct set *s)
{
	rig_until(r, s->watches);
}

static uint64_t mirror_value(const struct rset *rs, int i)
{
	struct snap *sn = snap_new(rs->set);
	uint64_t v = value_u64(image_value(&sn->im, (uint32_t)i), 0);

	snap_put(sn);
	return v;
}

static unsigned long odd(const struct rig *r)
{
	return atomic_load(&r->cenv.stats.pushes_odd);
}

#endif
