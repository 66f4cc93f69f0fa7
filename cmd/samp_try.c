/* samp_try.c - `ldms samp --once` and `ldms samp help`: samplers without a daemon; see samp_tool.h */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/print.h"
#include "cmd/samp_tool.h"
#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/xalloc.h"
#include "core/daemon/samp.h"
#include "core/daemon/so_load.h"
#include "core/set/about.h"
#include "core/set/perm.h"
#include "core/set/snap.h"

#define LEFT 4 /* columns in front of what belongs to a title */

/* -- instances without a daemon ------------------------------------------------------------------------------------ */

static void env_init(struct samp_env *env, const struct daemon_opts *o)
{
	*env = (struct samp_env){
		.pool = pool_new(0),
		.sets = setdb_new(),
		.producer = o->self,
		.component_id = o->compid == UNSET_NUM ? 0 : o->compid,
		.uid = geteuid(),
		.gid = getegid(),
		.perm = 0440,
		.sysroot = o->sysroot ? o->sysroot : "",
	};
	log_level_set(LOG_QUIET_); /* what goes wrong is said once, by us */
}

static void env_fini(struct samp_env *env)
{
	setdb_free(env->sets);
	pool_free(env->pool);
}

/* Is that a sampler's name, and not an attribute of the one before? */
static bool is_name(const char *word)
{
	return !strchr(word, '=') && (strchr(word, '/') || samp_type_find(word));
}

static const struct samp_type *type_find(const char *word, struct err *err)
{
	const struct samp_type *t;
	const struct so *so;
	char *path;
	int rc;

	if (!strchr(word, '/')) {
		t = samp_type_find(word);
		if (!t)
			samp_type_unknown(word, err);
		return t;
	}
	path = realpath(word, NULL);
	so = so_load(path ? path : word, &rc, err);
	if (so && !so->samp)
		err_set(err, -EINVAL, "%s: is a store, and here a sampler is wanted", word);
	free(path);
	return so ? so->samp : NULL;
}

/* The sampler that words[0] names, with the attributes behind it; *words is then at the next name. */
static const struct samp_type *words_take(char ***words, struct kv *attrs, struct err *err)
{
	const struct samp_type *t = type_find(*(*words)++, err);

	while (**words && !is_name(**words))
		kv_parse(attrs, *(*words)++);
	return t;
}

static int instance_new(const struct samp_env *env, const struct samp_type *t, struct kv *attrs, struct samp **ret,
			struct err *err)
{
	*ret = samp_new(env, t, t->name, err);
	kv_add(attrs, "required", "true");
	return *ret ? samp_config(*ret, attrs, err) : -ENOSYS;
}

/* -- one sample ---------------------------------------------------------------------------------------------------- */

/* A set as the directory would tell of it. */
static void print_snap(struct print *p, const struct snap *sn)
{
	const struct set_meta *m = sn->im.meta;
	const struct set_data *d = sn->im.data;
	char digest[2 * DIGEST_LEN + 1], perm[11];
	bool whole = le32toh(d->flags) == SET_TRANS_DONE;
	struct dir_set ds = {
		.name = image_instance(m),
		.schema = image_schema(m),
		.digest = digest,
		.flags = whole ? "CL " : " L ",
		.perm = perm,
		.meta_size = le32toh(m->meta_sz),
		.data_size = le32toh(m->data_sz),
		.heap_size = le32toh(m->heap_sz),
		.uid = le32toh(m->uid),
		.gid = le32toh(m->gid),
		.card = image_card(m),
		.array_card = le32toh(m->array_card),
		.meta_gn = le64toh(m->meta_gn),
		.data_gn = le64toh(d->gn),
		.ts_sec = le32toh(d->ts_sec),
		.ts_usec = le32toh(d->ts_usec),
		.dur_sec = le32toh(d->dur_sec),
		.dur_usec = le32toh(d->dur_usec),
	};

	digest_hex(image_digest(m), digest);
	perm_text(le32toh(m->perm), perm);
	print_contents(p, &ds, &sn->im);
}

/* Call fn with each set of an instance, in order of making. */
static void each_set(struct samp *sp, void (*fn)(struct set *s, void *arg), void *arg)
{
	unsigned int n = samp_sets(sp, NULL, 0);
	struct set **sets = xcalloc(n + 1, sizeof(*sets));

	samp_sets(sp, sets, n);
	for (unsigned int i = 0; i < n; i++) {
		fn(sets[i], arg);
		set_put(sets[i]);
	}
	free(sets);
}

static void print_set(struct set *s, void *arg)
{
	struct snap *sn = snap_new(s);

	print_snap(arg, sn);
	snap_put(sn);
}

int samp_tool_once(const struct daemon_opts *o, char **words)
{
	struct print p = { .format = o->json ? &print_json : &print_text, .contents = true, .now_us = wall_us() };
	struct samp_env env;
	int status = 0;

	env_init(&env, o);
	print_begin(&p);
	print_contents_begin(&p);
	while (*words) {
		struct err err = { "" };
		struct kv attrs = { 0 };
		struct samp *sp = NULL;
		const struct samp_type *t = words_take(&words, &attrs, &err);
		int rc = t ? instance_new(&env, t, &attrs, &sp, &err) : -ENOENT;

		if (!rc)
			rc = samp_once(sp, &err);
		if (!rc)
			each_set(sp, print_set, &p);
		else
			fprintf(stderr, "ldms samp: %s\n", err.msg);
		status |= rc != 0;
		kv_fini(&attrs);
		samp_free(sp);
	}
	print_end(&p);
	if (p.n || o->json)
		fwrite(p.out.p, 1, p.out.len, stdout);
	if (o->json)
		putchar('\n');
	buf_fini(&p.out);
	env_fini(&env);
	return status;
}

/* -- how large it is ----------------------------------------------------------------------------------------------- */

bool samp_tool_is(const char *name)
{
	return samp_type_find(name);
}

static void add_sizes(struct set *s, void *arg)
{
	struct samp_sizes *sum = arg;
	struct set_stat st;

	set_stat(s, &st);
	sum->n++;
	sum->data += st.data_sz;
	sum->image += set_size(s);
}

int samp_tool_sizes(const char *name, struct samp_sizes *ret, struct err *err)
{
	struct daemon_opts o = { .self = (char *)"node", .compid = UNSET_NUM };
	struct samp_sizes sum = { 0 };
	struct kv attrs = { 0 };
	struct samp *sp = NULL;
	struct samp_env env;
	int rc;

	env_init(&env, &o);
	rc = samp_tool_is(name) ? instance_new(&env, samp_type_find(name), &attrs, &sp, err) : -ENOENT;
	if (!rc)
		rc = samp_once(sp, err);
	if (!rc)
		each_set(sp, add_sizes, &sum);
	if (!rc && !sum.n)
		rc = err_set(err, -ENODATA, "sampler %s: has no set on this node", name);
	if (!rc)
		*ret = sum;
	kv_fini(&attrs);
	samp_free(sp);
	env_fini(&env);
	return rc;
}

/* -- what a sampler is --------------------------------------------------------------------------------------------- */

static const char *kind_name(enum metric_kind kind)
{
	return kind == METRIC_COUNTER ? "counter" : kind == METRIC_INFO ? "info" : "gauge";
}

static void help_attrs(const struct samp_attr *attrs)
{
	for (const struct samp_attr *a = attrs; a && a->name; a++)
		printf("%*s%-18s %s%s%s%s\n", LEFT, "", a->name, a->help, a->dflt ? " (" : "", a->dflt ? a->dflt : "",
		       a->dflt ? ")" : "");
}

static void help_metric(const char *indent, const struct metric *m, const struct metric_about *about)
{
	char type[64];

	if (value_is_array(m->type) && m->count)
		snprintf(type, sizeof(type), "%.*s[%u]", (int)strcspn(value_type_name(m->type), "["),
			 value_type_name(m->type), m->count);
	else
		snprintf(type, sizeof(type), "%s", value_type_name(m->type));
	printf("%*s%s%-32s %s %-12s", LEFT, "", indent, m->name, m->meta ? "M" : "D", type);
	if (value_elem_size(m->type) && m->type != V_CHAR_ARRAY)
		printf(" %-8s", kind_name(about ? about->kind : METRIC_GAUGE));
	if (*m->unit)
		printf(" %s", m->unit);
	if (about && about->help)
		printf("%s %s", *m->unit ? "," : "", about->help);
	putchar('\n');
}

static void help_set(struct set *s, void *arg)
{
	const struct set_meta *meta = (const struct set_meta *)s->image;

	(void)arg;
	printf("\nset %s, schema %s:\n", s->name, image_schema(meta));
	for (uint32_t i = 0; i < image_card(meta); i++) {
		struct metric m = image_metric(meta, i);

		help_metric("", &m, set_about(s, i));
		for (uint32_t k = 0; m.type == V_RECORD_TYPE && k < record_card(meta, i); k++) {
			struct metric member = record_member(meta, i, k);

			help_metric("  ", &member, set_about_member(s, i, k));
		}
	}
}

/* What its table says, where its source is not. */
static void help_table(const struct samp_type *t)
{
	if (t->metrics)
		printf("\nmetrics:\n");
	for (const struct metric_def *d = t->metrics; d && d->name; d++) {
		struct metric m = {
			.name = d->name,
			.unit = d->unit ? d->unit : "",
			.type = d->type,
			.meta = d->kind == METRIC_INFO,
			.count = d->count,
		};

		help_metric("", &m, &(struct metric_about){ .kind = d->kind, .help = d->help });
	}
}

static void help_one(const struct samp_env *env, const struct samp_type *t, struct kv *attrs)
{
	struct err why = { "" };
	struct samp *sp;
	int rc = samp_type_here(t, env->sysroot, &why);

	printf("%s - %s\n", t->name, t->brief);
	printf("reads %s%s%s%s\n", t->source, rc < 0 ? " (not here: " : "", rc < 0 ? why.msg : "", rc < 0 ? ")" : "");
	if (t->attrs && t->attrs->name)
		printf("\nattributes:\n");
	help_attrs(t->attrs);
	printf("\nattributes of every sampler:\n");
	help_attrs(samp_common_attrs);
	rc = instance_new(env, t, attrs, &sp, &why);
	if (!rc && samp_sets(sp, NULL, 0)) {
		each_set(sp, help_set, NULL);
	} else {
		help_table(t);
		printf("\nWhat it has on this node cannot be shown: %s\n",
		       rc ? why.msg : "its sets come with what it samples");
	}
	samp_free(sp);
}

int samp_tool_help(const struct daemon_opts *o, char **words)
{
	struct samp_env env;
	const char *gap = "";
	int status = 0;

	env_init(&env, o);
	while (*words) {
		struct err err = { "" };
		struct kv attrs = { 0 };
		const struct samp_type *t = words_take(&words, &attrs, &err);

		printf("%s", gap);
		gap = "\n";
		if (t)
			help_one(&env, t, &attrs);
		else
			fprintf(stderr, "ldms samp: %s\n", err.msg);
		status |= !t;
		kv_fini(&attrs);
	}
	env_fini(&env);
	return status;
}
