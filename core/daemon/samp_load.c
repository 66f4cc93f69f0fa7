/* samp_load.c - samplers out of shared objects: see so_load.h; plugins/sampler.h is what they are written with.
 *
 * An object of an older header knows less of our tables, one of a newer header more than we have: sizes tell.  What it
 * hands us is checked before it reaches a set, because a slip there would end the daemon by an assertion.
 */
#include "core/daemon/so_load.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/base/log.h"
#include "core/base/xalloc.h"
#include "core/daemon/samp.h"

/* What is opaque there is ours here. */
#define ldms_samp   samp
#define ldms_schema schema
#define ldms_set    set
#define ldms_record record
#define ldms_err    err
#include "plugins/sampler.h"

#define WORDS_MAX 512 /* bytes of a line */

static_assert(sizeof(struct ldms_attr) == sizeof(struct samp_attr) &&
		      offsetof(struct ldms_attr, help) == offsetof(struct samp_attr, help),
	      "attributes are handed through");
static_assert(sizeof(struct ldms_metric) == sizeof(struct metric_def) &&
		      offsetof(struct ldms_metric, kind) == offsetof(struct metric_def, kind) &&
		      offsetof(struct ldms_metric, count) == offsetof(struct metric_def, count),
	      "metrics are handed through");
static_assert(offsetof(struct ldms_msg, data) == offsetof(struct samp_msg, data) &&
		      offsetof(struct ldms_msg, gid) == offsetof(struct samp_msg, gid),
	      "messages are handed through");
static_assert((int)LDMS_D64_ARRAY == V_D64_ARRAY && (int)LDMS_INFO == METRIC_INFO && (int)LDMS_MSG == SAMP_MSG,
	      "numbers are handed through");

/* -- words --------------------------------------------------------------------------------------------------------- */

static int host_error(struct err *err, int rc, const char *fmt, va_list ap)
{
	char words[WORDS_MAX];

	vsnprintf(words, sizeof(words), fmt, ap);
	return err_set(err, rc < 0 ? rc : -EIO, "%s", words);
}

static void host_log(struct samp *sp, int level, const char *fmt, va_list ap)
{
	char words[WORDS_MAX];

	vsnprintf(words, sizeof(words), fmt, ap);
	if (level < LOG_DEBUG_ || level > LOG_ERROR_)
		level = LOG_ERROR_;
	if (log_wants((enum log_level)level, "sampler"))
		log_line((enum log_level)level, "sampler", "%s: %s", samp_name(sp), words);
}

static void slip(const struct set *set, const char *what, int i)
{
	log_error("sampler", "set %s: %s %d: there is none of that type; its sampler's author can mend that", set->name,
		  what, i);
}

/* -- schemas ------------------------------------------------------------------------------------------------------- */

static struct schema *host_schema_new(struct samp *sp, const char *dflt, bool bare, struct err *err)
{
	return bare ? samp_schema_bare(sp, dflt, err) : samp_schema_new(sp, dflt, err);
}

static int host_schema_add(struct schema *s, const struct ldms_metric *m, struct err *err)
{
	return schema_add_defs(s, (const struct metric_def *)m, 1, err);
}

static int host_schema_add_record(struct schema *s, const char *name, const struct ldms_metric *members, size_t n,
				  struct err *err)
{
	return schema_add_record(s, name, (const struct metric_def *)members, n, err);
}

static int host_schema_add_list(struct schema *s, const char *name, int record, size_t n, struct err *err)
{
	size_t heap;

	if (!schema_is_record(s, record))
		return err_set(err, -EINVAL, "schema %s: list %s: metric %d is no type of records", schema_name(s),
			       name, record);
	heap = schema_record_heap(s, record, n);
	if (heap > UINT32_MAX)
		return err_set(err, -E2BIG, "schema %s: list %s: %zu records do not fit; make it shorter",
			       schema_name(s), name, n);
	return schema_add_list(s, name, "", (uint32_t)heap, err);
}

static struct set *host_set_new(struct samp *sp, struct schema *s, const char *name, bool whole, struct err *err)
{
	return whole ? samp_set_named(sp, s, name, err) : samp_set_new(sp, s, name, err);
}

/* -- values -------------------------------------------------------------------------------------------------------- */

static const struct set_meta *meta_of(const struct set *set)
{
	return (const struct set_meta *)set->image;
}

static struct metric metric_at(const struct set *set, int i)
{
	if (i < 0 || (uint32_t)i >= image_card(meta_of(set)))
		return (struct metric){ .type = V_NONE };
	return image_metric(meta_of(set), (uint32_t)i);
}

static bool is_open(const struct set *set)
{
	return le32toh(set->work->flags) == SET_TRANS_OPEN;
}

static void host_end(struct samp *sp, struct set *set)
{
	if (is_open(set))
		samp_end(sp, set);
	else
		log_error("sampler",
			  "set %s: the end of a sample that was not begun; its sampler's author can mend that",
			  set->name);
}

static void value_put(struct set *set, int i, enum value_type type, const void *p, size_t len)
{
	struct metric m = metric_at(set, i);

	if (m.type == V_NONE || !value_elem_size(m.type) || (type != V_NONE && m.type != type))
		slip(set, "metric", i);
	else if (m.meta)
		set_meta_put(set, i, p, len);
	else
		set_bytes(set, i, p, len);
}

static void host_put_u64(struct set *set, int i, uint64_t v)
{
	value_put(set, i, V_U64, &v, sizeof(v));
}

static void host_put_s64(struct set *set, int i, int64_t v)
{
	value_put(set, i, V_S64, &v, sizeof(v));
}

static void host_put_d64(struct set *set, int i, double v)
{
	value_put(set, i, V_D64, &v, sizeof(v));
}

static void host_put_bytes(struct set *set, int i, const void *p, size_t len)
{
	value_put(set, i, V_NONE, p, len);
}

static void host_list_clear(struct set *set, int list)
{
	if (metric_at(set, list).type == V_LIST)
		list_clear(set, list);
	else
		slip(set, "list", list);
}

static struct record *host_list_append(struct set *set, int list, int record)
{
	if (metric_at(set, list).type == V_LIST && metric_at(set, record).type == V_RECORD_TYPE)
		return list_append_record(set, list, record);
	slip(set, "list", list);
	return NULL;
}

/* May that member be written so? */
static bool member_fits(const struct set *set, struct record *r, int member, enum value_type type)
{
	uint32_t rec;

	if (!r)
		return false; /* the list is full: they were told */
	rec = record_type_of((struct value){ .type = V_RECORD_INST, .count = 1, .p = (const uint8_t *)r });
	if (member >= 0 && (uint32_t)member < record_card(meta_of(set), rec) &&
	    record_member(meta_of(set), rec, (uint32_t)member).type == type)
		return true;
	slip(set, "member", member);
	return false;
}

static void host_record_put_u64(struct set *set, struct record *r, int member, uint64_t v)
{
	if (member_fits(set, r, member, V_U64))
		record_u64(set, r, member, v);
}

static void host_record_put_s64(struct set *set, struct record *r, int member, int64_t v)
{
	uint64_t le = htole64((uint64_t)v);

	if (member_fits(set, r, member, V_S64))
		memcpy(record_slot(set, r, member), &le, sizeof(le));
}

static void host_record_put_d64(struct set *set, struct record *r, int member, double v)
{
	if (member_fits(set, r, member, V_D64))
		record_d64(set, r, member, v);
}

static void host_record_put_text(struct set *set, struct record *r, int member, const char *text, size_t len)
{
	if (member_fits(set, r, member, V_CHAR_ARRAY))
		record_text(set, r, member, text, len);
}

/* -- messages ------------------------------------------------------------------------------------------------------ */

static int host_subscribe(struct samp *sp, uint32_t via, const char *name, bool regex, ldms_msg_fn fn, struct err *err)
{
	return samp_subscribe(sp, via, name, regex,
			      (int (*)(struct samp *, const struct samp_msg *, struct err *))(void *)fn, err);
}

static int host_publish(struct samp *sp, uint32_t via, const char *name, bool json, const char *text, struct err *err)
{
	return samp_publish(sp, via == SAMP_STREAM ? SAMP_STREAM : SAMP_MSG, name, json, text, err);
}

static const struct ldms_host host = {
	.abi = LDMS_SAMPLER_ABI,
	.size = sizeof(host),
	.error = host_error,
	.log = host_log,
	.state = samp_state,
	.name = samp_name,
	.producer = samp_producer,
	.instance = samp_instance,
	.component_id = samp_component_id,
	.root = samp_root,
	.attr = samp_attr,
	.attr_has = samp_attr_has,
	.attr_u64 = samp_attr_u64,
	.schema_new = host_schema_new,
	.schema_free = schema_free,
	.schema_add = host_schema_add,
	.schema_add_record = host_schema_add_record,
	.schema_add_list = host_schema_add_list,
	.set_new = host_set_new,
	.set_drop = samp_set_drop,
	.set_job = samp_set_job,
	.begin = samp_begin,
	.end = host_end,
	.cancel = samp_cancel,
	.put_u64 = host_put_u64,
	.put_s64 = host_put_s64,
	.put_d64 = host_put_d64,
	.put_bytes = host_put_bytes,
	.list_clear = host_list_clear,
	.list_append = host_list_append,
	.record_put_u64 = host_record_put_u64,
	.record_put_s64 = host_record_put_s64,
	.record_put_d64 = host_record_put_d64,
	.record_put_text = host_record_put_text,
	.subscribe = host_subscribe,
	.publish = host_publish,
};

/* -- objects ------------------------------------------------------------------------------------------------------- */

static int sampler_check(const struct ldms_sampler *s, struct err *err)
{
	int rc = so_check(&(struct so_face){ "sampler", LDMS_SAMPLER_ABI, sizeof(*s), sizeof(host) }, s->abi, s->size,
			  s->host_size, err);

	if (!rc && (s->size < offsetof(struct ldms_sampler, close) + sizeof(s->close) || !s->name || !*s->name ||
		    !s->open || !s->close))
		rc = err_set(err, -ENOEXEC, "its sampler lacks name, open or close; its author can mend that");
	return rc;
}

int samp_of_so(const void *plugin, void *hook, const char *path, const struct samp_type **ret, struct err *err)
{
	const struct ldms_sampler *s = plugin;
	struct samp_type *t;
	int rc = sampler_check(s, err);

	if (rc)
		return rc;
	*(const struct ldms_host **)hook = &host;
	t = xcalloc(1, sizeof(*t));
	*t = (struct samp_type){
		.name = s->name,
		.brief = s->brief ? s->brief : "",
		.source = s->source ? s->source : "",
		.attrs = (const struct samp_attr *)s->attrs,
		.metrics = (const struct metric_def *)s->metrics,
		.state_size = s->state_size,
		.path = path,
		.check = s->check,
		.open = s->open,
		.sample = s->sample,
		.close = s->close,
		.reads = s->size >= sizeof(*s) ? s->reads : NULL, /* the table's end: an older one has it not */
	};
	*ret = t;
	return 0;
}
