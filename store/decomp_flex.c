/* decomp_flex.c - the decomposition that chooses among others: by the digest of the set's schema, by expressions on names
 *
 * All that fit are united; the default is for sets that nothing fits.  Without a default those are stored as they are,
 * and said once for each shape, so that a node with a new kernel loses nothing; `"default": []` says that they are not
 * wanted.
 *
 * What a schema's sets may become is known when the first one is met.  Expressions on instance names choose among these,
 * once for each set.
 */
#include <stdlib.h>
#include <uthash.h>

#include "core/base/log.h"
#include "core/base/xalloc.h"
#include "store/decomp_flex.h"

#define SETS_MAX 65536 /* choices kept of one shape: when there are more, they are made anew */

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
