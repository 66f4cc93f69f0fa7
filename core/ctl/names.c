/* names.c - see names.h */
#include "core/ctl/names.h"

#include <ctype.h>
#include <stdlib.h>

#include "core/base/ids.h"
#include "core/base/xalloc.h"

#define NAMES_MAX 4 /* of one request; the first value of an attribute counts, so there are two */

struct names {
	struct work_job job;
	struct {
		char *text;
		bool group;
	} v[NAMES_MAX];
	size_t n;
	void (*fn)(void *arg);
	void *arg;
};

static void learn(struct work_job *job)
{
	struct names *names = (struct names *)job;

	for (size_t i = 0; i < names->n; i++)
		ids_learn(names->v[i].group, names->v[i].text);
}

static void learnt(struct work_job *job)
{
	struct names *names = (struct names *)job;

	for (size_t i = 0; i < names->n; i++)
		free(names->v[i].text);
	names->fn(names->arg);
	free(names);
}

/* The type of the attribute as this verb takes it. */
static enum attr_type type_of(const struct verb *v, enum attr_id id)
{
	for (const struct attr_use *u = v->attrs; u && u->name; u++)
		if (u->id == id)
			return u->type;
	return AT_TEXT;
}

static void take(struct names *names, enum attr_type type, const char *value)
{
	char *text;

	if (names->n == NAMES_MAX || !value || (type != AT_USER && type != AT_GROUP))
		return;
	text = ctl_expand(value);
	if (!*text || isdigit((unsigned char)*text)) {
		free(text);
		return;
	}
	names->v[names->n].text = text;
	names->v[names->n++].group = type == AT_GROUP;
}

bool names_ask(struct daemon *d, const struct verb *v, const struct ctl_arg *args, size_t n, void (*fn)(void *arg),
	       void *arg)
{
	struct names found = { .job = { .run = learn, .done = learnt, .loop = d->main }, .fn = fn, .arg = arg };
	struct names *names;

	for (size_t i = 0; i < n; i++)
		take(&found, type_of(v, args[i].id), args[i].value);
	if (!found.n)
		return false;
	names = xmalloc(sizeof(*names));
	*names = found;
	work_add(d->users, &names->job);
	return true;
}
