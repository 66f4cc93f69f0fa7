/* samp_rig.h - a sampler in a daemon without threads: configured, sampled once, looked at
 *
 * For tests whose state is a struct fixture, made by setup() and ended by teardown().
 */
#ifndef TESTS_UNIT_SAMP_RIG_H
#define TESTS_UNIT_SAMP_RIG_H

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/daemon/samp.h"
#include "core/set/snap.h"
#include "sysroot.h"

struct fixture {
	struct samp_env env;
	char *root;
	struct samp *sp;
	struct snap *sn; /* of the set looked at last */
};

static inline int setup(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));

	f->root = sysroot_new();
	f->env = (struct samp_env){
		.pool = pool_new(0),
		.sets = setdb_new(),
		.producer = "node-1",
		.component_id = 7,
		.uid = 1,
		.gid = 2,
		.perm = 0440,
		.sysroot = f->root,
	};
	*state = f;
	return 0;
}

static inline void stop(struct fixture *f)
{
	snap_put(f->sn);
	samp_free(f->sp);
	f->sn = NULL;
	f->sp = NULL;
	assert_int_equal(setdb_count(f->env.sets), 0);
	assert_int_equal(pool_used(f->env.pool), 0);
}

static inline int teardown(void **state)
{
	struct fixture *f = *state;

	stop(f);
	setdb_free(f->env.sets);
	pool_free(f->env.pool);
	sysroot_free(f->root);
	free(f);
	return 0;
}

/* Load and configure; the result of the latter. */
static inline int try_config(struct fixture *f, const char *type, const char *conf, struct err *err)
{
	struct kv kv = { 0 };
	int rc;

	if (!f->sp)
		f->sp = samp_new(&f->env, samp_type_find(type), type, err);
	assert_non_null(f->sp);
	kv_parse(&kv, conf);
	rc = samp_config(f->sp, &kv, err);
	kv_fini(&kv);
	return rc;
}

static inline void config(struct fixture *f, const char *type, const char *conf)
{
	struct err err = { 0 };

	if (try_config(f, type, conf, &err))
		fail_msg("%s", err.msg);
}

/* Look at that set. */
static inline void look(struct fixture *f, const char *name)
{
	struct set *set = setdb_find(f->env.sets, name);

	assert_non_null(set);
	snap_put(f->sn);
	f->sn = snap_new(set);
	assert_non_null(f->sn);
	set_put(set);
}

static inline void sample(struct fixture *f, const char *name)
{
	struct err err = { 0 };

	if (samp_once(f->sp, &err))
		fail_msg("%s", err.msg);
	look(f, name);
	assert_int_equal(le32toh(f->sn->im.data->flags), SET_TRANS_DONE);
}

static inline struct samp_status status(struct fixture *f)
{
	struct samp_status st;

	samp_status(f->sp, &st);
	return st;
}

static inline int metric(struct fixture *f, const char *name)
{
	int i = image_find(f->sn->im.meta, name);

	if (i < 0)
		fail_msg("no metric %s", name);
	return i;
}

static inline struct value value(struct fixture *f, const char *name)
{
	return image_value(&f->sn->im, (uint32_t)metric(f, name));
}

static inline void check_u64(struct fixture *f, const char *name, uint64_t want)
{
	struct value v = value(f, name);

	assert_int_equal(v.type, V_U64);
	if (value_u64(v, 0) != want)
		fail_msg("%s: %llu, not %llu", name, (unsigned long long)value_u64(v, 0), (unsigned long long)want);
}

static inline void check_d64(struct fixture *f, const char *name, double want)
{
	struct value v = value(f, name);

	assert_int_equal(v.type, V_D64);
	assert_true(value_d64(v, 0) == want);
}

static inline void check_digest(struct fixture *f, const char *schema, const char *want)
{
	char hex[2 * DIGEST_LEN + 1];

	assert_string_equal(image_schema(f->sn->im.meta), schema);
	digest_hex(image_digest(f->sn->im.meta), hex);
	assert_string_equal(hex, want);
}

/* The records of a list as text: "lo 1 2 3|eth0 4 5 6". */
static inline const char *records(struct fixture *f, const char *list, char *out)
{
	const struct image *im = &f->sn->im;
	size_t n = 0;
	struct value v = value(f, list);

	*out = 0;
	for (struct list_it it = list_first(v); it.off; it = list_next(im, it)) {
		struct value rec = list_value(im, it);
		const char *name;
		size_t len;

		assert_int_equal(rec.type, V_RECORD_INST);
		len = value_text(record_value(im, rec, 0), &name);
		n += (size_t)sprintf(out + n, "%s%.*s", n ? "|" : "", (int)len, name);
		for (uint32_t i = 1; i < record_card(im->meta, record_type_of(rec)); i++)
			n += (size_t)sprintf(out + n, " %.10g", value_d64(record_value(im, rec, i), 0));
	}
	return out;
}

static inline void check_records(struct fixture *f, const char *list, const char *want)
{
	char out[8192];

	assert_string_equal(records(f, list, out), want);
}

/* Put `with` in place of the first `what` in a file. */
static inline void edit(struct fixture *f, const char *path, const char *what, const char *with)
{
	char *old = sysroot_get(f->root, path), *at = strstr(old, what), *new;

	assert_non_null(at);
	new = xasprintf("%.*s%s%s", (int)(at - old), old, with, at + strlen(what));
	sysroot_put(f->root, path, new);
	free(new);
	free(old);
}

#endif
