/* decomp_flex_read.c - a flex, from JSON; the words about mistakes are ldmsd's, where it has some */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>

#include "core/base/xalloc.h"
#include "store/decomp_flex.h"

static int decomps_read(struct flex *f, const struct jat *at, struct err *err)
{
	struct jat all = jat_get(at, "decomposition");
	const char *name;
	json_t *v;
	int rc = 0;

	if (!all.v)
		return jat_err(at, -EINVAL, err, "'decomposition' attribute is missing");
	if (!json_is_object(all.v))
		return jat_err(&all, -EINVAL, err, "'decomposition' must be a dictionary");
	f->names = xcalloc(json_object_size(all.v) + 1, sizeof(*f->names));
	f->decomps = xcalloc(json_object_size(all.v) + 1, sizeof(*f->decomps));
	json_object_foreach(all.v, name, v)
	{
		struct jat one = jat_get(&all, name), type = jat_get(&one, "type");
		const char *word = json_string_value(type.v);
		char *who;

		if (!json_is_object(v))
			return jat_err(&one, -EINVAL, err, "decomposition['%s'] must be a dictionary", name);
		if (!word)
			return jat_err(
				&one, -EINVAL, err,
				"decomposition['%s'] must decomposition 'type' attribute is required: 'as_is', or "
				"'static'.",
				name);
		if (decomp_type_find(word) == &decomp_flex)
			return jat_err(
				&type, -EINVAL, err,
				"decomposition['%s']: a flex holds as_is and static decompositions, no further flex",
				name);
		who = xasprintf("%s.%s", f->d.who, name);
		rc = decomp_read(who, &one, &f->decomps[f->n], err);
		free(who);
		if (rc)
			return rc;
		f->names[f->n++] = xstrdup(name);
	}
	f->decomps[f->n] = decomp_new(&decomp_as_is, f->d.who);
	return 0;
}

static int apply_one(const struct flex *f, bool *apply, const struct jat *at, const char *words, struct err *err)
{
	const char *name = json_string_value(at->v);
	uint32_t i = 0;

	while (i < f->n && name && strcmp(f->names[i], name))
		i++;
	if (!name || i == f->n)
		return jat_err(at, -EINVAL, err, words, name ? name : "(not a string)");
	apply[i] = true;
	return 0;
}

/* "NAME" or ["NAME", ...]; *ret is new. */
static int apply_read(const struct flex *f, bool **ret, const struct jat *at, const char *key, const char *words,
		      struct err *err)
{
	int rc = 0;

	*ret = xcalloc(f->n + 1, sizeof(**ret));
	if (json_is_string(at->v))
		return apply_one(f, *ret, at, words, err);
	if (!json_is_array(at->v))
		return jat_err(at, -EINVAL, err, "'%s' must be a string or an array of strings.", key);
	for (size_t i = 0; i < json_array_size(at->v) && !rc; i++) {
		struct jat one = jat_nth(at, i);

		rc = apply_one(f, *ret, &one, words, err);
	}
	return rc;
}

static bool is_digest(const char *s)
{
	size_t n = 0;

	while (isxdigit((unsigned char)s[n]))
		n++;
	return !strcmp(s, "*") || (n == 2 * DIGEST_LEN && !s[n]);
}

static int digests_read(struct flex *f, const struct jat *at, struct err *err)
{
	struct jat all = jat_get(at, "digest");
	const char *key;
	json_t *v;
	int rc;

	if (!all.v)
		return 0;
	if (!json_is_object(all.v))
		return jat_err(&all, -EINVAL, err, "'digest' must be a dictionary");
	f->digests = xcalloc(json_object_size(all.v) + 1, sizeof(*f->digests));
	json_object_foreach(all.v, key, v)
	{
		struct jat one = jat_get(&all, key);
		struct digest_rule *r = &f->digests[f->n_digests];

		if (!is_digest(key))
			return jat_err(&one, -EINVAL, err, "Invalid digest key '%s'.", key);
		memcpy(r->hex, key, strlen(key) + 1);
		f->n_digests++;
		rc = apply_read(f, &r->apply, &one, "digest",
				"The specified decomposition schema ('%s') was not found.", err);
		if (rc)
			return rc;
	}
	return 0;
}

static int match_rx(struct rx *rx, bool *ret_has, const struct jat *at, const char *key, struct err *err)
{
	struct jat text = jat_get(at, key);
	struct err why = { "" };

	if (!text.v)
		return 0;
	if (!json_is_string(text.v))
		return jat_err(&text, -EINVAL, err, "'%s' must be string", key);
	if (rx_init(rx, json_string_value(text.v), &why))
		return jat_err(&text, -EINVAL, err, "%s regex compilation error: %s", key, why.msg);
	*ret_has = true;
	return 0;
}

static int match_read(struct flex *f, struct match *m, const struct jat *at, struct err *err)
{
	struct jat apply = jat_get(at, "apply");
	int rc;

	if (!json_object_get(at->v, "schema") && !json_object_get(at->v, "instance"))
		return jat_err(at, -EINVAL, err, "'schema' and/or 'instance' is needed in a match object.");
	rc = match_rx(&m->schema, &m->has_schema, at, "schema", err);
	if (!rc)
		rc = match_rx(&m->instance, &m->has_instance, at, "instance", err);
	if (rc)
		return rc;
	if (!apply.v)
		return jat_err(at, -EINVAL, err, "'apply' is needed in a match object.");
	return apply_read(f, &m->apply, &apply, "apply", "The specified decomposition '%s' was not found.", err);
}

static int matches_read(struct flex *f, const struct jat *at, struct err *err)
{
	struct jat all = jat_get(at, "matches");
	int rc = 0;

	if (!all.v)
		return 0;
	if (!json_is_array(all.v))
		return jat_err(&all, -EINVAL, err, "'matches' must be an array of match objects");
	f->matches = xcalloc(json_array_size(all.v) + 1, sizeof(*f->matches));
	for (size_t i = 0; i < json_array_size(all.v) && !rc; i++) {
		struct jat one = jat_nth(&all, i);

		rc = match_read(f, &f->matches[f->n_matches++], &one, err);
	}
	return rc;
}

int flex_read(struct decomp *d, const struct jat *at, struct err *err)
{
	struct flex *f = (struct flex *)d;
	struct jat dflt = jat_get(at, "default");
	int rc;

	rc = decomps_read(f, at, err);
	if (!rc)
		rc = digests_read(f, at, err);
	if (!rc)
		rc = matches_read(f, at, err);
	if (!rc && dflt.v)
		rc = apply_read(f, &f->dflt, &dflt, "default", "The specified decomposition '%s' was not found.", err);
	return rc;
}
