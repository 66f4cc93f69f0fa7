/* samp_conf.c - the attributes that every sampler takes: see samp.h */
#include "core/daemon/samp_impl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/ids.h"
#include "core/base/str.h"
#include "core/base/unit.h"
#include "core/base/xalloc.h"

#define PERM_MAX 0777

/* What every sampler takes.  The last four have no meaning in ldmsd, though it tells of them. */
const struct samp_attr samp_common_attrs[] = {
	{ "producer", "the daemon's name", "producer name of the sets" },
	{ "instance", "PRODUCER/NAME", "instance name of the set, or what the names of several begin with" },
	{ "component_id", "the daemon's",
	  "number of the node; letters in front of it are passed over: node0012 is 12" },
	{ "schema", "the sampler's", "schema name" },
	{ "job_set", "job_info", "instance name of the set that tells job_id and app_id" },
	{ "uid", "the daemon's", "owner of the sets, a name or a number" },
	{ "gid", "the daemon's", "group of the sets, a name or a number" },
	{ "perm", "the daemon's", "permission of the sets, octal: 0440" },
	{ "set_array_card", "1", "samples that a set keeps" },
	{ "exclusive_thread", "0", "1 gives it a thread of its own; one that hangs never holds up the others anyhow" },
	{ "required", "false",
	  "refuse this configuration when the source is missing, instead of looking for it again" },
	{ "job_id", "job_id", "what the job's number is called in that set" },
	{ "app_id", "app_id", "what its application (step) is called there" },
	{ "job_start", "job_start", "what its begin is called there" },
	{ "job_end", "job_end", "what its end is called there" },
	{ NULL, NULL, NULL },
};

static bool attr_is_of(const struct samp_attr *attrs, const char *name)
{
	for (; attrs && attrs->name; attrs++)
		if (!strcmp(attrs->name, name))
			return true;
	return false;
}

static size_t attr_names(const struct samp_attr *attrs, const char **names)
{
	size_t n = 0;

	for (; attrs && attrs[n].name; n++)
		if (names)
			names[n] = attrs[n].name;
	return n;
}

static int attr_unknown(const struct samp *sp, const char *word, struct err *err)
{
	size_t common = attr_names(samp_common_attrs, NULL);
	const char **names = xcalloc(common + attr_names(sp->type->attrs, NULL) + 1, sizeof(*names));
	const char *near;

	attr_names(samp_common_attrs, names);
	attr_names(sp->type->attrs, names + common);
	near = nearest(word, names);
	free(names);
	return err_set(err, -EINVAL, "sampler %s: it has no attribute %s; %s%s%s", sp->name, word,
		       near ? "did you mean " : "`ldms samp help ", near ? near : sp->type->name,
		       near ? "?" : "` lists them");
}

/* A user's or a group's number, from a number or a name. */
static int conf_id(const struct samp *sp, const char *attr, uint32_t dflt, uint32_t *ret, struct err *err)
{
	const char *text = samp_attr(sp, attr);
	int rc;

	*ret = dflt;
	if (!text)
		return 0;
	rc = *attr == 'u' ? ids_user(text, ret, err) : ids_group(text, ret, err);
	return rc ? err_prefix(err, rc, "%s=", attr) : 0;
}

static int conf_perm(const struct samp *sp, uint32_t *ret, struct err *err)
{
	const char *text = samp_attr(sp, "perm");
	unsigned long v;
	char *end;

	*ret = sp->type->perm ? sp->type->perm : sp->env->perm;
	if (!text)
		return 0;
	v = strtoul(text, &end, 8);
	if (*end || !v || v > PERM_MAX)
		return err_set(err, -EINVAL, "perm=%s: must be an octal number from 1 to %o, as in perm=0440", text,
			       PERM_MAX);
	*ret = (uint32_t)v;
	return 0;
}

static int conf_array_card(const struct samp *sp, uint32_t *ret, struct err *err)
{
	const char *text = samp_attr(sp, "set_array_card");
	char *end = NULL;
	long long v = text ? strtoll(text, &end, 10) : 1;

	if (end && (*end || end == text || v > INT32_MAX))
		return err_set(err, -EINVAL, "set_array_card=%s: is no number of samples", text);
	*ret = v > 0 ? (uint32_t)v : 1; /* 0 and less mean the default, as in ldmsd */
	return 0;
}

/* A bare word is true. */
static int conf_bool(const struct samp *sp, const char *attr, bool *ret, struct err *err)
{
	const char *text = samp_attr(sp, attr);
	int rc;

	*ret = samp_attr_has(sp, attr);
	rc = text ? unit_bool(text, ret, err) : 0;
	return rc ? err_prefix(err, rc, "%s=: ", attr) : 0;
}

static uint64_t conf_component_id(const struct samp *sp)
{
	const char *text = samp_attr(sp, "component_id");

	if (!text)
		return sp->env->component_id;
	return strtoull(text + strcspn(text, "0123456789"), NULL, 10);
}

void samp_conf_fini(struct samp *sp)
{
	kv_fini(&sp->attrs);
	free(sp->producer);
	free(sp->instance);
	sp->producer = sp->instance = NULL;
}

int samp_conf_read(struct samp *sp, const struct kv *attrs, struct err *err)
{
	const char *word;
	int rc = 0;

	for (size_t i = 0; i < attrs->n; i++)
		if (!attr_is_of(samp_common_attrs, attrs->v[i].key) && !attr_is_of(sp->type->attrs, attrs->v[i].key))
			return attr_unknown(sp, attrs->v[i].key, err);
	samp_conf_fini(sp);
	kv_copy(&sp->attrs, attrs);
	word = samp_attr(sp, "producer");
	sp->producer = xstrdup(word ? word : sp->env->producer);
	word = samp_attr(sp, "instance");
	sp->instance = word ? xstrdup(word) : xasprintf("%s/%s", sp->producer, sp->name);
	sp->component_id = conf_component_id(sp);
	rc = conf_bool(sp, "required", &sp->required, err);
	if (!rc)
		rc = conf_bool(sp, "exclusive_thread", &sp->exclusive, err);
	if (!rc)
		rc = conf_id(sp, "uid", sp->env->uid, &sp->uid, err);
	if (!rc)
		rc = conf_id(sp, "gid", sp->env->gid, &sp->gid, err);
	if (!rc)
		rc = conf_perm(sp, &sp->perm, err);
	if (!rc)
		rc = conf_array_card(sp, &sp->array_card, err);
	if (!rc && sp->type->check)
		rc = sp->type->check(sp, err);
	return rc ? err_prefix(err, rc, "sampler %s: ", sp->name) : 0;
}

int samp_lines_add(struct samp *sp, const struct kv *attrs, struct err *err)
{
	int rc = samp_conf_read(sp, attrs, err);

	if (rc) {
		if (sp->n_lines)
			samp_conf_read(sp, &sp->lines[sp->n_lines - 1], NULL);
		else
			samp_conf_fini(sp);
		return rc;
	}
	sp->lines = xrealloc(sp->lines, (sp->n_lines + 1) * sizeof(*sp->lines));
	sp->lines[sp->n_lines] = (struct kv){ 0 };
	kv_copy(&sp->lines[sp->n_lines++], attrs);
	return 0;
}

void samp_lines_cut(struct samp *sp)
{
	kv_fini(&sp->lines[--sp->n_lines]);
	if (sp->n_lines)
		samp_conf_read(sp, &sp->lines[sp->n_lines - 1], NULL);
	else
		samp_conf_fini(sp);
}

void samp_lines_fini(struct samp *sp)
{
	while (sp->n_lines)
		kv_fini(&sp->lines[--sp->n_lines]);
	free(sp->lines);
	sp->lines = NULL;
	samp_conf_fini(sp);
}
