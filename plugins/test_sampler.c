/* test_sampler.c - sets of any shape, laid out by the configuration: for tests of what lies behind a sampler
 *
 * An instance takes any number of `config` lines; action= says what a line does.  Schemas are an instance's own, and
 * sets are made from them by name.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/base/str.h"
#include "core/base/xalloc.h"
#include "plugins/attr.h"
#include "plugins/proc.h"
#include "plugins/samp.h"
#include "plugins/test_attrs.h"

#define SETS_MAX 100000

static const struct samp_attr attrs[] = {
	{ "action", "default", "what this line does: default, add_schema, add_set, add_lists or add_stream" },
	{ "base", "instance=", "default: name of the set; of several, NAME_0, NAME_1, ..." },
	{ "num_sets", "1", "default: how many sets" },
	{ "num_metrics", "1", "default, add_schema: metrics metric_0, metric_1, ..." },
	{ "type", "u64", "add_schema: type of these; add_stream: string or json (string)" },
	{ "init_value", "0", "add_schema: what these begin with" },
	{ "metrics", NULL,
	  "add_schema: what it holds: name:meta|data:TYPE:INIT:COUNT:UNIT, separated by commas; TYPE is u8 to d64, "
	  "char, or one of these with _array; record with {name:TYPE:INIT:COUNT:UNIT;...} for INIT:COUNT; list with "
	  "[TYPE:INIT:COUNT] or [record:NAME:] for INIT and its longest for COUNT; record_array with the record's name "
	  "for INIT" },
	{ "delim", ":", "add_schema: the character between the fields of metrics=" },
	{ "push", NULL, "add_set: accepted; who has asked for pushes gets every sample" },
	{ "jobid", "0", "add_set: the same as job_id=" },
	{ "value_types", "u64", "add_lists: a list of each of these types, separated by commas" },
	{ "min_len", "0", "add_lists: entries of a list at least" },
	{ "max_len", "4", "add_lists: entries of a list at most" },
	{ "stream", NULL, "add_stream: name of the stream on which a file is published with each sample" },
	{ "path", NULL, "add_stream: that file" },
	{ "host", "localhost", "add_stream: where to publish: at this daemon, others subscribe to it" },
	{ "port", NULL, "add_stream: accepted, like xprt= and auth=" },
	{ "xprt", NULL, "accepted" },
	{ "auth", NULL, "accepted" },
	{ NULL, NULL, NULL },
};

struct named_schema {
	char *name;
	struct test_schema ts;
	uint32_t array_card; /* 0: what the set's line says */
};

struct test_set {
	struct set *set;
	struct named_schema *schema;
	uint64_t samples;
};

struct test_stream {
	char *name, *path;
	bool json;
};

struct test_sampler {
	struct named_schema **schemas;
	size_t n_schemas;
	struct test_set *sets;
	size_t n_sets;
	struct test_stream *streams;
	size_t n_streams;
};

/* -- schemas ------------------------------------------------------------------------------------------------------- */

static void named_schema_free(struct named_schema *ns)
{
	test_schema_fini(&ns->ts);
	free(ns->name);
	free(ns);
}

/* The schema that this line describes; yours. */
static int schema_read(struct samp *sp, const char *dflt,
		       int (*read)(struct samp *, struct test_schema *, struct err *), struct named_schema **ret,
		       struct err *err)
{
	struct named_schema *ns = xcalloc(1, sizeof(*ns));
	const char *name = samp_attr(sp, "schema");
	struct schema *trial;
	int rc = name || dflt ? read(sp, &ns->ts, err) : err_set(err, -EINVAL, "action=add_schema wants schema=NAME");

	if (!rc) { /* what can be wrong with names is known to LDMS's schema */
		trial = samp_schema_bare(sp, dflt, err);
		rc = trial ? test_schema_build(&ns->ts, trial, err) : -EINVAL;
		schema_free(trial);
	}
	if (rc) {
		named_schema_free(ns);
		return rc;
	}
	ns->name = xstrdup(name ? name : dflt);
	*ret = ns;
	return 0;
}

static struct named_schema *schema_named(const struct test_sampler *t, const char *name)
{
	for (size_t i = 0; i < t->n_schemas; i++)
		if (!strcmp(t->schemas[i]->name, name))
			return t->schemas[i];
	return NULL;
}

/* Takes it. */
static struct named_schema *schema_keep(struct test_sampler *t, struct named_schema *ns)
{
	t->schemas = xrealloc(t->schemas, (t->n_schemas + 1) * sizeof(*t->schemas));
	return t->schemas[t->n_schemas++] = ns;
}

/* -- sets ---------------------------------------------------------------------------------------------------------- */

/* What the operator says of the set itself, over what its schema says. */
static int ids_put(struct samp *sp, struct set *set, const struct test_schema *ts, struct err *err)
{
	const char *attr = samp_attr_has(sp, "job_id") ? "job_id" : "jobid";
	const struct test_metric *m = ts->metrics;
	uint64_t job;
	int rc = samp_attr_u64(sp, attr, 0, &job, err);

	for (size_t i = 0; !rc && i < ts->n; i++, m++) {
		if (m->meta && m->type == V_U64 && !strcmp(m->name, "component_id") && samp_attr(sp, "component_id"))
			set_meta_u64(set, (int)i, samp_component_id(sp));
		else if (m->fixed && !strcmp(m->name, "job_id"))
			*(uint64_t *)set_slot(set, (int)i) = htole64(job);
	}
	return rc;
}

static int set_add(struct samp *sp, struct named_schema *ns, const char *name, struct err *err)
{
	struct test_sampler *t = samp_state(sp);
	struct schema *s = samp_schema_bare(sp, ns->name, err);
	struct set *set;
	int rc = s ? test_schema_build(&ns->ts, s, err) : -EINVAL;

	if (rc) {
		schema_free(s);
		return rc;
	}
	if (ns->array_card)
		schema_array_card_set(s, ns->array_card);
	set = name ? samp_set_named(sp, s, name, err) : samp_set_new(sp, s, "", err);
	if (!set)
		return -ENOMEM;
	test_set_init(&ns->ts, set);
	t->sets = xrealloc(t->sets, (t->n_sets + 1) * sizeof(*t->sets));
	t->sets[t->n_sets++] = (struct test_set){ set, ns, 0 };
	return ids_put(sp, set, &ns->ts, err);
}

/* -- actions: each checks its line (t == NULL), or does what it says ------------------------------------------------ */

static int act_default(struct samp *sp, struct test_sampler *t, struct err *err)
{
	const char *base = samp_attr(sp, "base");
	struct named_schema *ns;
	uint64_t n;
	int rc = attr_range(sp, "num_sets", 1, 0, SETS_MAX, &n, err);

	if (!rc)
		rc = schema_read(sp, "test_sampler", test_attrs_metrics, &ns, err);
	if (rc)
		return rc;
	if (!t) {
		named_schema_free(ns);
		return 0;
	}
	ns = schema_keep(t, ns);
	for (uint64_t i = 0; !rc && i < n; i++) {
		char *name = n > 1 ? xasprintf("%s_%llu", base ? base : samp_instance(sp), (unsigned long long)i)
				   : xstrdup(base ? base : samp_instance(sp));

		rc = set_add(sp, ns, name, err);
		free(name);
	}
	return rc;
}

static int act_add_schema(struct samp *sp, struct test_sampler *t, struct err *err)
{
	struct named_schema *ns;
	uint64_t card = 0;
	int rc = schema_read(sp, NULL, test_attrs_schema, &ns, err);

	/* what is no number was refused before */
	samp_attr_u64(sp, "set_array_card", 0, &card, NULL);
	if (!rc && t && schema_named(t, ns->name)) {
		rc = err_set(err, -EEXIST, "schema %s: is there already; give it another name", ns->name);
		named_schema_free(ns);
		return rc;
	}
	if (!rc && t) {
		schema_keep(t, ns);
		ns->array_card = (uint32_t)card;
	} else if (!rc) {
		named_schema_free(ns);
	}
	return rc;
}

static int act_add_set(struct samp *sp, struct test_sampler *t, struct err *err)
{
	const char *schema = samp_attr(sp, "schema");
	struct named_schema *ns;
	uint64_t push;
	int rc = samp_attr_u64(sp, "push", 0, &push, err);

	if (rc)
		return rc;
	if (!schema)
		return err_set(err, -EINVAL, "action=add_set wants schema=, the name that action=add_schema gave one");
	if (!t)
		return 0;
	ns = schema_named(t, schema);
	if (!ns)
		return err_set(err, -EINVAL, "schema=%s: no action=add_schema has made it", schema);
	return set_add(sp, ns, NULL, err);
}

static int act_add_lists(struct samp *sp, struct test_sampler *t, struct err *err)
{
	struct named_schema *ns;
	int rc = schema_read(sp, "test_sampler_lists", test_attrs_lists, &ns, err);

	if (!rc && t)
		rc = set_add(sp, schema_keep(t, ns), NULL, err);
	else if (!rc)
		named_schema_free(ns);
	return rc;
}

static int act_add_stream(struct samp *sp, struct test_sampler *t, struct err *err)
{
	const char *name, *path, *host = samp_attr(sp, "host"), *type = samp_attr(sp, "type");
	int rc = attr_needed(sp, "stream", "stream=foo", &name, err);

	if (!rc)
		rc = attr_needed(sp, "path", "path=/tmp/message", &path, err);
	if (rc)
		return rc;
	if (host && strcmp(host, "localhost") && strcmp(host, "127.0.0.1"))
		return err_set(err, -EINVAL, "host=%s: publishes at this daemon alone; let that one subscribe to it",
			       host);
	if (type && strcasecmp(type, "json") && strcasecmp(type, "string"))
		return err_set(err, -EINVAL, "type=%s: must be json or string", type);
	if (!t)
		return 0;
	t->streams = xrealloc(t->streams, (t->n_streams + 1) * sizeof(*t->streams));
	t->streams[t->n_streams++] = (struct test_stream){ xstrdup(name), xasprintf("%s%s", samp_root(sp), path),
							   type && !strcasecmp(type, "json") };
	return 0;
}

static const struct action {
	const char *name;
	int (*fn)(struct samp *sp, struct test_sampler *t, struct err *err);
} actions[] = {
	{ "add_lists", act_add_lists },   { "add_schema", act_add_schema }, { "add_set", act_add_set },
	{ "add_stream", act_add_stream }, { "default", act_default },
};
#define ACTIONS (sizeof(actions) / sizeof(*actions))

static int act(struct samp *sp, struct test_sampler *t, struct err *err)
{
	const char *word = samp_attr(sp, "action"), *names[ACTIONS + 1] = { NULL }, *near;

	for (size_t i = 0; i < ACTIONS; i++) {
		names[i] = actions[i].name;
		if (!strcmp(word ? word : "default", actions[i].name))
			return actions[i].fn(sp, t, err);
	}
	near = nearest(word, names);
	return err_set(err, -EINVAL, "action=%s: %s%s%s", word, near ? "did you mean " : "is none of ",
		       near ? near : "add_lists, add_schema, add_set, add_stream, default", near ? "?" : "");
}

static int test_check(struct samp *sp, struct err *err)
{
	return act(sp, NULL, err);
}

static int test_open(struct samp *sp, struct err *err)
{
	struct test_sampler *t = samp_state(sp);
	size_t sets = t->n_sets, schemas = t->n_schemas;
	int rc = act(sp, t, err);

	if (!rc)
		return 0;
	while (t->n_sets > sets)
		samp_set_drop(sp, t->sets[--t->n_sets].set);
	while (t->n_schemas > schemas)
		named_schema_free(t->schemas[--t->n_schemas]);
	return rc;
}

static int stream_publish_file(struct samp *sp, const struct test_stream *ts, struct err *err)
{
	struct proc_file pf = { 0 };
	int rc = proc_open(&pf, "", ts->path, err);

	if (!rc)
		rc = proc_read(&pf, err);
	if (!rc)
		rc = samp_publish(sp, SAMP_STREAM, ts->name, ts->json, pf.buf, err);
	proc_close(&pf);
	return rc;
}

static int test_sample(struct samp *sp, struct err *err)
{
	struct test_sampler *t = samp_state(sp);
	int rc = 0;

	for (size_t i = 0; i < t->n_sets; i++) {
		struct test_set *s = &t->sets[i];

		samp_begin(sp, s->set);
		test_set_fill(&s->schema->ts, s->set, ++s->samples);
		samp_end(sp, s->set);
	}
	for (size_t i = 0; !rc && i < t->n_streams; i++)
		rc = stream_publish_file(sp, &t->streams[i], err);
	return rc;
}

static void test_close(struct samp *sp)
{
	struct test_sampler *t = samp_state(sp);

	for (size_t i = 0; i < t->n_schemas; i++)
		named_schema_free(t->schemas[i]);
	for (size_t i = 0; i < t->n_streams; i++) {
		free(t->streams[i].name);
		free(t->streams[i].path);
	}
	free(t->streams);
	free(t->schemas);
	free(t->sets);
}

const struct samp_type samp_test_sampler = {
	.name = "test_sampler",
	.brief = "sets of any shape, for tests",
	.source = "a counter",
	.attrs = attrs,
	.state_size = sizeof(struct test_sampler),
	.check = test_check,
	.open = test_open,
	.more = test_open,
	.sample = test_sample,
	.close = test_close,
};
