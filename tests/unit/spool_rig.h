/* spool_rig.h - for tests of spools: a policy into CSV files, whose folder is there or not. */
#ifndef TESTS_UNIT_SPOOL_RIG_H
#define TESTS_UNIT_SPOOL_RIG_H

#include <fcntl.h>
#include <time.h>

#include "core/base/clock.h"
#include "core/base/unit.h"
#include "core/daemon/strgp.h"
#include "csv_sample.h"

#define WAIT_MAX_US (20 * SEC_US)

struct rig {
	char *dir, *rows, *spool;
	struct pool *pool;
	struct strgp_pool *threads;
	struct store *store;
	struct strgp *sg;
	struct set *set;
	struct snap_meta *meta; /* of its snapshots; they change now and then */
	struct err err;
};

/* A file where the store wants a folder: it fails. */
static inline void sink_block(const char *dir, bool block)
{
	char *rows = xasprintf("%s/rows", dir), *aside = xasprintf("%s/aside", dir);

	if (block) {
		rename(rows, aside);
		close(open(rows, O_CREAT | O_WRONLY, 0600));
	} else {
		unlink(rows);
		rename(aside, rows);
	}
	free(rows);
	free(aside);
}

/* `type`: of the store, that takes what csv does. */
static inline void rig_init_with(struct rig *r, const char *dir, struct strgp_conf conf, const struct store_type *type)
{
	struct schema *sc = schema_new("s", NULL);
	struct kv kv = { 0 };

	memset(r, 0, sizeof(*r));
	r->dir = xstrdup(dir);
	r->rows = xasprintf("%s/rows", dir);
	r->spool = xasprintf("%s/spool", dir);
	r->pool = pool_new(0);
	r->threads = strgp_pool_new(2);
	kv_add(&kv, "path", r->rows);
	if (!strcmp(type->name, "sqlite"))
		kv_add(&kv, "busy", "10ms");
	store_new(type, "csv", &r->store, &r->err);
	store_config(r->store, &kv, &r->err);
	kv_fini(&kv);
	conf.name = "sg";
	conf.container = "c";
	conf.schema = "s";
	conf.store = r->store;
	conf.overflow = STRGP_SPOOL;
	conf.spool = r->spool;
	conf.flush_us = 5 * MSEC_US;
	strgp_new(&conf, r->threads, &r->sg, &r->err);
	schema_add(sc, "a", V_U64, NULL, NULL);
	set_new(r->pool, sc, "n1/s", "n1", 0, 0, 0777, &r->set, &r->err);
	schema_free(sc);
}

static inline void rig_init(struct rig *r, const char *dir, struct strgp_conf conf)
{
	rig_init_with(r, dir, conf, store_type_find("csv"));
}

static inline void rig_fini(struct rig *r)
{
	if (strgp_running(r->sg))
		strgp_stop(r->sg, 10 * SEC_US, NULL);
	strgp_put(r->sg);
	store_put(r->store);
	snap_meta_put(r->meta);
	set_put(r->set);
	strgp_pool_free(r->threads, 2 * SEC_US);
	pool_free(r->pool);
	free(r->dir);
	free(r->rows);
	free(r->spool);
}

static inline void offer(struct rig *r, uint64_t a)
{
	struct snap *sn;

	set_begin(r->set);
	set_u64(r->set, 0, a);
	set_end(r->set);
	if (a % 50 == 49)
		set_user_data_put(r->set, 0, a);
	sn = snap_next(r->set, NULL, &r->meta);
	strgp_offer(r->sg, sn);
	snap_put(sn);
}

static inline bool adds_up(const struct strgp_status *st)
{
	return st->produced == st->stored + st->queued + st->spooled + st->dropped;
}

static inline struct strgp_status look(struct rig *r)
{
	struct strgp_status st;

	strgp_status(r->sg, &st);
	assert_true(adds_up(&st));
	return st;
}

static inline void nap(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
}

#define WAIT_STATUS(r, cond)                                                                                           \
	do {                                                                                                           \
		int64_t until_ = mono_us() + WAIT_MAX_US;                                                              \
		struct strgp_status st;                                                                                \
		while (st = look(r), !(cond)) {                                                                        \
			if (mono_us() > until_)                                                                        \
				fail_msg("waited in vain for " #cond ": %s", st.why);                                  \
			nap();                                                                                         \
		}                                                                                                      \
	} while (0)

/* The numbers that were stored, in order, the first time each; torn lines are none.  `seen` has n_seen places. */
static inline uint64_t stored(const struct rig *r, bool *seen, uint64_t n_seen, bool *in_order)
{
	char *path = xasprintf("%s/c/s", r->rows), *text = file_text(path), *at = text, *line;
	uint64_t n = 0, last = 0;

	*in_order = true;
	while ((line = strsep(&at, "\n"))) {
		unsigned long long a;
		int end = 0;

		if (sscanf(line, "%*u.%*u,%*u,n1,%llu%n", &a, &end) != 1 || line[end] || a >= n_seen || seen[a])
			continue;
		*in_order &= !n || a > last;
		last = a;
		seen[a] = true;
		n++;
	}
	free(text);
	free(path);
	return n;
}

#endif
