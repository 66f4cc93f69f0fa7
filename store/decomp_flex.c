/* decomp_flex.c - the decomposition that chooses among others: by the digest of the set's schema, by expressions on names
 *
 * All that fit are united; the default is for sets that nothing fits.  Without a default those are stored as they are,
 * and said once for each shape, so that a node with a new kernel loses nothing; `"default": []` says that they are not
 * wanted.
 *
 * What a schema's sets may become is known when the first one is met.  Expressions on instance names choose among these,
 * once for each set.
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <uthash.h>

#include "core/base/log.h"
#include "core/base/regex.h"
#include "core/base/xalloc.h"
#include "store/decomp_impl.h"

#define SETS_MAX 65536 /* choices kept of one shape: when there are more, they are made anew */

/* Which decompositions: a bool for each. */
struct digest_rule {
	char hex[2 * DIGEST_LEN + 1]; /* "*": others */
	bool *apply;
};

struct match {
	struct rx schema, instance;
	bool has_schema, has_instance;
	bool *apply;
};

struct flex {
	struct decomp d;
	char **names;
	struct decomp **decomps; /* the last one has no name: as it is */
	uint32_t n, n_digests, n_matches;
	struct digest_rule *digests;
	struct match *matches;
	bool *dflt; /* NULL: none is given */
};

/* -- the file ------------------------------------------------------------------------------------------------------ */

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

static int flex_read(struct decomp *d, const struct jat *at, struct err *err)
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

static void flex_free(struct decomp *d)
{
	struct flex *f = (struct flex *)d;

	for (uint32_t i = 0; i < f->n_digests; i++)
		free(f->digests[i].apply);
	for (uint32_t i = 0; i < f->n_matches; i++) {
		if (f->matches[i].has_schema)
			rx_fini(&f->matches[i].schema);
		if (f->matches[i].has_instance)
			rx_fini(&f->matches[i].instance);
		free(f->matches[i].apply);
	}
	for (uint32_t i = 0; f->decomps && i <= f->n; i++)
		decomp_free(f->decomps[i]);
	for (uint32_t i = 0; i < f->n; i++)
		free(f->names[i]);
	free(f->digests);
	free(f->matches);
	free(f->decomps);
	free(f->names);
	free(f->dflt);
}

static void flex_reset(struct decomp *d)
{
	struct flex *f = (struct flex *)d;

	for (uint32_t i = 0; i <= f->n; i++)
		decomp_reset(f->decomps[i]);
}

/* -- which --------------------------------------------------------------------------------------------------------- */

/* Chosen for a set, by its instance name. */
struct choice {
	UT_hash_handle hh;
	bool *apply;
	char instance[];
};

/* What is known of a shape. */
struct chosen {
	const struct digest_rule *digest; /* NULL: none */
	bool *always;                     /* where no instance name matters; NULL: one does */
	bool *now;
	struct choice *choices;
	bool said;
};

static const struct digest_rule *digest_rule(const struct flex *f, const char *hex)
{
	const struct digest_rule *others = NULL;

	for (uint32_t i = 0; i < f->n_digests; i++) {
		if (!strcasecmp(f->digests[i].hex, hex))
			return &f->digests[i];
		if (!strcmp(f->digests[i].hex, "*"))
			others = &f->digests[i];
	}
	return others;
}

static void unite(const struct flex *f, bool *to, const bool *from)
{
	for (uint32_t i = 0; from && i <= f->n; i++)
		to[i] |= from[i];
}

static bool any(const struct flex *f, const bool *apply)
{
	for (uint32_t i = 0; i <= f->n; i++)
		if (apply[i])
			return true;
	return false;
}

/* For a set; for every set of the schema when `instance` is NULL. */
static void select_for(const struct flex *f, const struct digest_rule *digest, const char *schema, const char *instance,
		       bool *to)
{
	bool matched = digest;

	memset(to, 0, (f->n + 1) * sizeof(*to));
	unite(f, to, digest ? digest->apply : NULL);
	for (uint32_t i = 0; i < f->n_matches; i++) {
		const struct match *m = &f->matches[i];

		if ((m->has_schema && !rx_match(&m->schema, schema)) ||
		    (m->has_instance && instance && !rx_match(&m->instance, instance)))
			continue;
		unite(f, to, m->apply);
		matched |= instance || !m->has_instance;
	}
	if (matched)
		return;
	if (f->dflt)
		unite(f, to, f->dflt);
	else
		to[f->n] = true;
}

static void flex_cut(struct decomp *d, struct decomp_cut *dc, const struct image *im)
{
	struct flex *f = (struct flex *)d;
	struct chosen *c = xcalloc(1, sizeof(*c));
	const char *schema = image_schema(im->meta);
	bool by_instance = false;

	dc->chosen = c;
	c->digest = digest_rule(f, dc->digest);
	c->now = xcalloc(f->n + 1, sizeof(*c->now));
	select_for(f, c->digest, schema, NULL, c->now);
	for (dc->of = 0; dc->of <= f->n; dc->of++)
		if (c->now[dc->of])
			f->decomps[dc->of]->type->cut(f->decomps[dc->of], dc, im);
	for (uint32_t i = 0; i < f->n_matches; i++)
		by_instance |= f->matches[i].has_instance &&
			       (!f->matches[i].has_schema || rx_match(&f->matches[i].schema, schema));
	if (!by_instance) {
		c->always = c->now;
		c->now = NULL;
	}
}

static void choices_free(struct chosen *c)
{
	struct choice *x, *next;

	HASH_ITER(hh, c->choices, x, next) {
		HASH_DEL(c->choices, x);
		free(x->apply);
		free(x);
	}
}

static const bool *choice_of(const struct flex *f, struct decomp_cut *dc, const struct image *im)
{
	struct chosen *c = dc->chosen;
	const char *instance = image_instance(im->meta);
	size_t n = strlen(instance);
	struct choice *x;

	HASH_FIND(hh, c->choices, instance, n, x);
	if (x)
		return x->apply;
	if (HASH_COUNT(c->choices) >= SETS_MAX)
		choices_free(c);
	x = xcalloc(1, sizeof(*x) + n + 1);
	memcpy(x->instance, instance, n);
	x->apply = xcalloc(f->n + 1, sizeof(*x->apply));
	select_for(f, c->digest, image_schema(im->meta), instance, x->apply);
	HASH_ADD_KEYPTR(hh, c->choices, x->instance, n, x);
	return x->apply;
}

static const bool *flex_choose(struct decomp *d, struct decomp_cut *dc, const struct image *im)
{
	struct flex *f = (struct flex *)d;
	struct chosen *c = dc->chosen;
	const bool *apply = c->always ? c->always : choice_of(f, dc, im);

	if (!c->said && apply[f->n]) {
		c->said = true;
		cut_warn(dc, im,
			 "nothing in the decomposition is for it (no digest, no match, no default): stored as_is; give "
			 "the "
			 "digest an entry, or set a default ([]: such sets are not stored)");
	}
	if (!any(f, apply))
		log_debug("store", "policy %s: set %s: no decomposition is for it", d->who, image_instance(im->meta));
	return apply;
}

static void flex_cut_free(struct decomp_cut *dc)
{
	struct chosen *c = dc->chosen;

	choices_free(c);
	free(c->always);
	free(c->now);
	free(c);
}

const struct decomp_type decomp_flex = {
	.name = "flex",
	.size = sizeof(struct flex),
	.read = flex_read,
	.free = flex_free,
	.reset = flex_reset,
	.cut = flex_cut,
	.choose = flex_choose,
	.cut_free = flex_cut_free,
};
