/* ctl_strgp_stat.c - what is answered about storage policies: their state, and how long storing takes */
#include <errno.h>
#include <stdlib.h>

#include "core/base/xalloc.h"
#include "core/ctl/reply.h"
#include "core/ctl/verbs.h"
#include "core/daemon/strgp.h"

/* With a comma behind. */
static void stamp(struct buf *b, const char *key, int64_t us)
{
	buf_addf(b, "\"%s\":%lld.%06lld,", key, (long long)(us / 1000000), (long long)(us % 1000000));
}

/* -- strgp_status -------------------------------------------------------------------------------------------------- */

static void names(struct buf *b, struct strgp *sg, const char *(*get)(const struct strgp *, size_t))
{
	const char *s;

	for (size_t i = 0; (s = get(sg, i)); i++) {
		buf_addf(b, i ? "," : "");
		reply_string(b, s);
	}
}

static void seen_one(const char *metric, void *arg)
{
	struct buf *b = arg;

	buf_addf(b, b->p[b->len - 1] == '[' ? "" : ",");
	reply_string(b, metric);
}

/* Those that name= asks for, or all, in order of name. */
static int each(struct ctl *c, const char *open, const char *sep, const char *close,
		void (*one)(struct ctl *c, struct strgp *sg), struct err *err)
{
	const char *name = ctl_text(c, ATTR_NAME, NULL), *before = "";

	if (name && !node_find(c->d->strgps, name))
		return err_set(err, -ENOENT, "strgp '%s' doesn't exist.", name);
	buf_addf(&c->reply, "%s", open);
	pthread_mutex_lock(&c->d->strgp_lock);
	node_sort(&c->d->strgps);
	NODE_EACH(n, c->d->strgps) {
		if (name && strcmp(name, n->name))
			continue;
		buf_addf(&c->reply, "%s", before);
		before = sep;
		one(c, ((struct strgp_node *)n)->strgp);
	}
	pthread_mutex_unlock(&c->d->strgp_lock);
	buf_addf(&c->reply, "%s", close);
	return 0;
}

static void status_one(struct ctl *c, struct strgp *sg)
{
	struct buf *b = &c->reply;
	const struct strgp_conf *conf = strgp_conf(sg);
	struct strgp_status st;

	strgp_status(sg, &st);
	buf_addf(b, "{\"name\":");
	reply_string(b, conf->name);
	buf_addf(b, ",\"container\":");
	reply_string(b, conf->container);
	buf_addf(b, ",\"schema\":");
	reply_string(b, conf->schema);
	buf_addf(b, ",\"regex\":");
	reply_string(b, conf->schema_regex);
	buf_addf(b, ",\"plugin\":");
	reply_string(b, store_name(conf->store));
	buf_addf(b, ",\"flush\":\"%.6f\",\"state\":\"%s\",\"decomp\":", (double)conf->flush_us / 1e6,
		 st.running ? "RUNNING" : "STOPPED");
	reply_string(b, conf->decomposition ? conf->decomposition : "-");
	buf_addf(b, ",\"producers\":[");
	names(b, sg, strgp_prdcr);
	buf_addf(b, "],\"metrics\":[");
	names(b, sg, strgp_metric);
	if (!strgp_metric(sg, 0))
		strgp_seen(sg, seen_one, b);
	buf_addf(b,
		 "],\"produced\":%llu,\"stored\":%llu,\"queued\":%llu,\"spooled\":%llu,\"dropped\":%llu,\"rows\":%llu,"
		 "\"refused\":%llu,\"errors\":%llu,"
		 "\"queued_bytes\":%llu,\"spooled_bytes\":%llu,\"overflow\":\"%s\",\"why\":",
		 (unsigned long long)st.produced, (unsigned long long)st.stored, (unsigned long long)st.queued,
		 (unsigned long long)st.spooled, (unsigned long long)st.dropped, (unsigned long long)st.rows,
		 (unsigned long long)st.refused, (unsigned long long)st.errors, (unsigned long long)st.queued_bytes,
		 (unsigned long long)st.spooled_bytes, conf->overflow == STRGP_SPOOL ? "spool" : "drop-oldest");
	reply_string(b, st.why);
	if (conf->shard.n)
		buf_addf(b, ",\"shard\":\"%u/%u\"", conf->shard.k, conf->shard.n);
	buf_addf(b, ",");
	stamp(b, "since", st.since_us);
	stamp(b, "refused_since", st.refused_since_us);
	buf_addf(b, "\"refused_why\":");
	reply_string(b, st.refused_why);
	buf_addf(b, ",\"retry_in\":%.1f}", (double)st.retry_us / 1e6);
}

int ctl_strgp_status(struct ctl *c, struct err *err)
{
	c->json = true;
	return each(c, "[", ",\n", "]", status_one, err);
}

/* -- store_time_stats ---------------------------------------------------------------------------------------------- */

/* The sets of one policy, and the different words among their producers, schemas and threads. */
struct times {
	struct buf sets;
	char **prdcrs, **schemas, **threads;
	size_t n, words_max;
};

static void times_one_set(const struct strgp_time *tm, void *arg)
{
	struct times *t = arg;
	struct buf *b = &t->sets;

	if (t->n == t->words_max) {
		t->words_max = t->words_max ? 2 * t->words_max : 64;
		t->prdcrs = xrealloc(t->prdcrs, t->words_max * sizeof(char *));
		t->schemas = xrealloc(t->schemas, t->words_max * sizeof(char *));
		t->threads = xrealloc(t->threads, t->words_max * sizeof(char *));
	}
	t->prdcrs[t->n] = xstrdup(tm->prdcr);
	t->schemas[t->n] = xstrdup(tm->schema);
	t->threads[t->n] = xasprintf("%d", tm->tid);
	buf_addf(b, t->n ? "," : "");
	reply_string(b, tm->name);
	buf_addf(b, ":{\"stats\":{\"min\":%.6f,", tm->min_us);
	stamp(b, "min_ts", tm->min_at_us);
	buf_addf(b, "\"max\":%.6f,", tm->max_us);
	stamp(b, "max_ts", tm->max_at_us);
	buf_addf(b, "\"avg\":%.6f,\"count\":%llu,", tm->n ? tm->sum_us / (double)tm->n : 0.0,
		 (unsigned long long)tm->n);
	stamp(b, "start_ts", tm->first_us);
	stamp(b, "end_ts", tm->last_us);
	b->len--; /* the last comma */
	buf_addf(b, "},\"producer\":");
	reply_string(b, tm->prdcr);
	buf_addf(b, ",\"thread_id\":\"%d\",\"schema\":", tm->tid);
	reply_string(b, tm->schema);
	buf_addf(b, "}");
	t->n++;
}

static int word_order(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Each word once, as the key of an empty object; frees them. */
static void put_words(struct buf *b, const char *key, char **v, size_t n)
{
	const char *sep = "";

	if (n)
		qsort(v, n, sizeof(*v), word_order);
	buf_addf(b, "\"%s\":{", key);
	for (size_t i = 0; i < n; i++) {
		if (i + 1 == n || strcmp(v[i], v[i + 1])) {
			buf_addf(b, "%s", sep);
			reply_string(b, v[i]);
			buf_addf(b, ":{}");
			sep = ",";
		}
		free(v[i]);
	}
	buf_addf(b, "}");
	free(v);
}

static void times_one(struct ctl *c, struct strgp *sg)
{
	struct times t = { .n = 0 };
	struct buf *b = &c->reply;

	strgp_times(sg, ctl_num(c, ATTR_RESET, false), times_one_set, &t);
	reply_string(b, strgp_name(sg));
	buf_addf(b, ":{");
	put_words(b, "producers", t.prdcrs, t.n);
	buf_addf(b, ",\"sets\":{");
	buf_add(b, t.sets.p, t.sets.len);
	buf_addf(b, "},");
	put_words(b, "threads", t.threads, t.n);
	buf_addf(b, ",");
	put_words(b, "schemas", t.schemas, t.n);
	buf_addf(b, "}");
	buf_fini(&t.sets);
}

int ctl_store_time_stats(struct ctl *c, struct err *err)
{
	return each(c, "{", ",", "}", times_one, err);
}
