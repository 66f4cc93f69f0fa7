/* json_stream_sampler.c - JSON objects that programs publish, each as a set: the last values of each schema */
#include "plugins/json_shape.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "core/base/buf.h"
#include "core/base/unit.h"
#include "core/base/xalloc.h"
#include "plugins/attr.h"
#include "plugins/samp.h"

#define SETS_MAX 4096 /* of one instance; names come from strangers */

static const struct samp_attr attrs[] = {
	{ "stream", NULL, "name of the stream with the objects" },
	{ "message_tag", NULL, "name of the message channel with them, in place of stream=" },
	{ "instance_fmt", NULL,
	  "names of sets: %P is the producer, %S the schema, %U and %G are the publisher's numbers" },
	{ "heap_sz", "what lists want", "bytes that the lists of a set have at least, as 64k" },
	{ NULL, NULL, NULL },
};

/* Who published the object. */
static const struct metric_def who[] = {
	{ "S_uid", V_S32, "", METRIC_GAUGE, "user who published the object", 1 },
	{ "S_gid", V_S32, "", METRIC_GAUGE, "group who published it", 1 },
	{ "S_perm", V_S32, "", METRIC_GAUGE, "its permission", 1 },
	{ NULL, V_NONE, NULL, METRIC_GAUGE, NULL, 0 },
};
enum { WHO_UID, WHO_GID, WHO_PERM, WHOS };

struct json_set {
	struct set *set;
	struct json_shape shape;
	char *schema;
	UT_hash_handle hh;
	char name[]; /* the set's */
};

struct json_sampler {
	struct json_set *sets;
	const char *fmt;
	uint64_t heap;
};

static int conf_fmt(struct samp *sp, const char **ret, struct err *err)
{
	int rc = attr_needed(sp, "instance_fmt", "instance_fmt=%P/%S", ret, err);

	for (const char *p = rc ? "" : *ret; *p; p++)
		if (*p == '%' && (!*++p || !strchr("PSUG%", *p)))
			return err_set(err, -EINVAL, "instance_fmt=%s: use %%P, %%S, %%U, %%G, and %%%% for a %%",
				       *ret);
	return rc;
}

static int conf_heap(struct samp *sp, uint64_t *ret, struct err *err)
{
	const char *text = samp_attr(sp, "heap_sz");
	int rc;

	*ret = 0;
	if (!text)
		return 0;
	rc = unit_size(text, ret, err);
	if (!rc && *ret > SET_DATA_MAX)
		rc = err_set(err, -EINVAL, "at most %u bytes", SET_DATA_MAX);
	return rc ? err_prefix(err, -EINVAL, "heap_sz=%s: ", text) : 0;
}

static int json_check_conf(struct samp *sp, struct err *err)
{
	const char *fmt;
	uint64_t heap;
	int rc = conf_fmt(sp, &fmt, err);

	if (!rc)
		rc = conf_heap(sp, &heap, err);
	if (!rc && !samp_attr(sp, "stream") && !samp_attr(sp, "message_tag"))
		rc = err_set(err, -EINVAL, "the attribute stream= is missing; give it, or message_tag=");
	return rc;
}

/* -- sets ---------------------------------------------------------------------------------------------------------- */

/* The name of the set of that message; yours. */
static char *set_name(struct samp *sp, const char *schema, const struct samp_msg *m)
{
	const struct json_sampler *js = samp_state(sp);
	struct buf b = { 0 };
	char *name;

	for (const char *p = js->fmt; *p; p++) {
		if (*p != '%') {
			buf_add(&b, p, 1);
			continue;
		}
		switch (*++p) {
		case 'P':
			buf_addf(&b, "%s", samp_producer(sp));
			break;
		case 'S':
			buf_addf(&b, "%s", schema);
			break;
		case 'U':
			buf_addf(&b, "%u", m->uid);
			break;
		case 'G':
			buf_addf(&b, "%u", m->gid);
			break;
		default:
			buf_add(&b, "%", 1);
		}
	}
	name = xstrdup(buf_str(&b));
	buf_fini(&b);
	return name;
}

static void json_set_free(struct json_sampler *js, struct json_set *s)
{
	HASH_DEL(js->sets, s);
	json_shape_fini(&s->shape);
	free(s->schema);
	free(s);
}

/* Takes the shape, also on failure. */
static int json_set_make(struct samp *sp, struct json_set *s, struct json_shape *shape, const char *schema,
			 struct err *err)
{
	struct json_sampler *js = samp_state(sp);
	struct schema *sc = schema_new(schema, err);
	int rc = sc ? schema_add_defs(sc, who, WHOS, err) : -EINVAL;

	if (rc >= 0)
		rc = json_shape_build(shape, sc, js->heap, err);
	if (rc < 0) {
		schema_free(sc);
		json_shape_fini(shape);
		return rc;
	}
	samp_set_drop(sp, s->set);
	s->set = samp_set_named(sp, sc, s->name, err);
	json_shape_fini(&s->shape);
	s->shape = *shape;
	free(s->schema);
	s->schema = xstrdup(schema);
	return s->set ? 0 : -ENOMEM;
}

/* The set of that name, with room for that object. */
static int json_set_get(struct samp *sp, const char *name, const char *schema, const json_t *object,
			struct json_set **ret, struct err *err)
{
	struct json_sampler *js = samp_state(sp);
	struct json_shape shape;
	struct json_set *s;
	int rc;

	HASH_FIND_STR(js->sets, name, s);
	if (!s) {
		if (HASH_COUNT(js->sets) >= SETS_MAX)
			return err_set(err, -ENOSPC, "set %s: there are %d sets already; change instance_fmt=", name,
				       SETS_MAX);
		s = xcalloc(1, sizeof(*s) + strlen(name) + 1);
		strcpy(s->name, name);
		HASH_ADD_STR(js->sets, name, s);
	} else if (strcmp(s->schema, schema)) { /* it is about something else now */
		json_shape_fini(&s->shape);
	}
	rc = json_shape_learn(&s->shape, object, &shape, err);
	if (rc > 0)
		rc = json_set_make(sp, s, &shape, schema, err);
	if (!s->set)
		json_set_free(js, s);
	else
		*ret = s;
	return rc;
}

/* -- messages ------------------------------------------------------------------------------------------------------ */

static int object_take(struct samp *sp, const json_t *object, const struct samp_msg *m, struct err *err)
{
	const char *schema = json_string_value(json_object_get(object, "schema"));
	struct json_set *s = NULL;
	char *name;
	int rc;

	if (!json_is_object(object))
		return err_set(err, -EINVAL, "is no JSON object; it is ignored");
	if (!schema)
		return err_set(err, -EINVAL, "its attribute 'schema' is missing, or no string; it is ignored");
	name = set_name(sp, schema, m);
	rc = json_set_get(sp, name, schema, object, &s, err);
	free(name);
	if (rc)
		return rc;
	samp_begin(sp, s->set);
	for (int i = 0; i < WHOS; i++) {
		uint32_t v = htole32(i == WHO_UID ? m->uid : i == WHO_GID ? m->gid : 0);

		memcpy(set_slot(s->set, i), &v, sizeof(v));
	}
	json_shape_fill(&s->shape, s->set, object);
	samp_end(sp, s->set);
	return 0;
}

static int json_take(struct samp *sp, const struct samp_msg *m, struct err *err)
{
	json_error_t where;
	json_t *object = json_loadb(m->data, m->len, JSON_DECODE_ANY, &where);
	int rc;

	if (!object)
		return err_set(err, -EINVAL, "is no valid JSON: line %d, column %d: %s; it is ignored", where.line,
			       where.column, where.text);
	rc = object_take(sp, object, m, err);
	json_decref(object);
	return rc;
}

static int json_open(struct samp *sp, struct err *err)
{
	const char *stream = samp_attr(sp, "stream"), *tag = samp_attr(sp, "message_tag");
	struct json_sampler *js = samp_state(sp);
	int rc = conf_fmt(sp, &js->fmt, err);

	if (!rc)
		rc = conf_heap(sp, &js->heap, err);
	if (!rc && stream)
		rc = samp_subscribe(sp, SAMP_STREAM, stream, false, json_take, err);
	if (!rc && tag)
		rc = samp_subscribe(sp, SAMP_MSG, tag, false, json_take, err);
	return rc;
}

static void json_close(struct samp *sp)
{
	struct json_sampler *js = samp_state(sp);

	while (js->sets)
		json_set_free(js, js->sets);
}

const struct samp_type samp_json_stream_sampler = {
	.name = "json_stream_sampler",
	.brief = "JSON objects that are published, as sets",
	.source = "a stream",
	.attrs = attrs,
	.state_size = sizeof(struct json_sampler),
	.perm = 0660,
	.check = json_check_conf,
	.open = json_open,
	.close = json_close,
};
