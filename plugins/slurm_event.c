/* slurm_event.c - see slurm_event.h */
#include "plugins/slurm_event.h"

#include <errno.h>
#include <string.h>

#include "core/base/unit.h"

static const struct {
	const char *name;
	enum slurm_kind kind;
} kinds[] = {
	{ "init", SLURM_INIT },           { "step_init", SLURM_STEP_INIT }, { "task_init_priv", SLURM_TASK_INIT },
	{ "task_exit", SLURM_TASK_EXIT }, { "exit", SLURM_EXIT },
};

/* A number, also in quotes; false: it is none. */
static bool number_of(const json_t *value, uint64_t *ret)
{
	if (json_is_integer(value))
		*ret = (uint64_t)json_integer_value(value);
	else if (!json_is_string(value) || unit_u64(json_string_value(value), ret, NULL))
		return false;
	return true;
}

static int missing(const char *what, struct err *err)
{
	return err_set(err, -EINVAL, "'%s' is missing; the event is ignored", what);
}

int slurm_event_read(struct slurm_event *ev, const struct samp_msg *m, bool timed, struct err *err)
{
	json_error_t where;

	*ev = (struct slurm_event){ 0 };
	if (!m->json)
		return 0;
	ev->root = json_loadb(m->data, m->len, 0, &where);
	if (!ev->root)
		return err_set(err, -EINVAL, "is no valid JSON: line %d, column %d: %s; it is ignored", where.line,
			       where.column, where.text);
	ev->name = json_string_value(json_object_get(ev->root, "event"));
	if (!ev->name)
		return missing("event", err);
	if (!number_of(json_object_get(ev->root, "timestamp"), &ev->timestamp_s) && timed)
		return missing("timestamp", err);
	ev->data = json_object_get(ev->root, "data");
	if (!json_is_object(ev->data))
		return missing("data", err);
	if (!number_of(json_object_get(ev->data, "job_id"), &ev->job_id))
		return missing("data.job_id", err);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (!strcmp(kinds[i].name, ev->name))
			ev->kind = kinds[i].kind;
	return 0;
}

void slurm_event_fini(struct slurm_event *ev)
{
	json_decref(ev->root);
}

uint64_t slurm_event_u64(const struct slurm_event *ev, const char *name, uint64_t dflt)
{
	uint64_t v;

	return number_of(json_object_get(ev->data, name), &v) ? v : dflt;
}

bool slurm_event_has(const struct slurm_event *ev, const char *name)
{
	uint64_t v;

	return number_of(json_object_get(ev->data, name), &v);
}

const char *slurm_event_text(const struct slurm_event *ev, const char *name)
{
	return json_string_value(json_object_get(ev->data, name));
}

const char *slurm_event_job_tag(const struct slurm_event *ev)
{
	return json_string_value(json_object_get(json_object_get(ev->data, "subscriber_data"), "job_tag"));
}

int slurm_event_subscribe(struct samp *sp, int (*fn)(struct samp *sp, const struct samp_msg *m, struct err *err),
			  struct err *err)
{
	const char *stream = samp_attr(sp, "stream");

	return samp_subscribe(sp, SAMP_STREAM | SAMP_MSG, stream ? stream : SLURM_STREAM_DFLT, false, fn, err);
}

int slurm_event_stray(const struct slurm_event *ev, struct err *err)
{
	return err_set(err, -ENOENT, "'%s' event was received for job %llu with no job_data", ev->name,
		       (unsigned long long)ev->job_id);
}
