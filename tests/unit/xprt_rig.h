/* xprt_rig.h - what a client hears of sets (behind rig.h) */
#ifndef TESTS_UNIT_XPRT_RIG_H
#define TESTS_UNIT_XPRT_RIG_H

struct ear {
	struct rig *r;
	int dir[6], dir_rc; /* events by enum dir_event */
	char names[64][64];
	int names_n;
	char last[64], info[64];
	bool close_at_set;
	int found, ended, rc;
	struct rset *rs[64];
	char why[ERR_MAX];
	bool close_at_found;
	int upd[4], upd_rc, finished;
	uint64_t values[64];
	int values_n;
	bool free_at_new, close_at_new;
};

static void dir_cb(struct xprt *x, void *arg, enum dir_event ev, const struct dir_set *set, int rc)
{
	struct ear *e = arg;

	e->dir[ev]++;
	e->dir_rc = rc;
	if (set)
		snprintf(e->last, sizeof(e->last), "%s", set->name);
	if (set && set->info_n)
		snprintf(e->info, sizeof(e->info), "%s=%s", set->info[0].key, set->info[0].value);
	if (ev == DIR_SET)
		snprintf(e->names[e->names_n++ % 64], sizeof(e->names[0]), "%s", set->name);
	if (e->close_at_set) {
		xprt_close(x);
		e->r->c = NULL;
	}
}

static void updated_cb(struct rset *rs, enum update_result res, int rc, const struct set_data *data)
{
	struct ear *e = rs->arg;

	e->upd[res]++;
	e->upd_rc = rc;
	if (res == UPDATE_NEW) {
		const struct image im = { (const struct set_meta *)rs->set->image, data };

		e->values[e->values_n++ % 64] = value_u64(image_value(&im, 0), 0);
	}
	if (!rs->busy)
		e->finished++;
	if (e->close_at_new && res == UPDATE_NEW) {
		xprt_close(e->r->c);
		e->r->c = NULL;
	}
	if (e->free_at_new && res == UPDATE_NEW) {
		e->rs[0] = NULL;
		rset_free(rs);
	}
}

static void lookup_cb(struct xprt *x, void *arg, int rc, struct rset *rs, bool more, const char *why)
{
	struct ear *e = arg;

	e->rc = rc;
	if (why)
		snprintf(e->why, sizeof(e->why), "%s", why);
	if (rs) {
		rs->updated = updated_cb;
		rs->arg = e;
		e->rs[e->found++] = rs;
	}
	if (!more)
		e->ended++;
	if (e->close_at_found) {
		xprt_close(x);
		e->r->c = NULL;
	}
}

static void ear_free(struct ear *e)
{
	for (int i = 0; i < 64; i++)
		rset_free(e->rs[i]);
}

static void look_up(struct ear *e, const char *what, unsigned int flags)
{
	struct err err = { "" };
	int before = e->ended;

	if (xprt_lookup(e->r->c, what, flags, lookup_cb, e, &err))
		fail_msg("%s", err.msg);
	rig_until(e->r, e->ended > before);
}

static void update(struct ear *e)
{
	int before = e->finished;

	assert_int_equal(rset_update(e->rs[0]), 0);
	rig_until(e->r, e->finished > before);
}

#endif
