/* strgp_shape.c - the shapes of sets that a storage policy has met, each with how it is cut to rows: the worker's own.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/log.h"
#include "core/base/xalloc.h"
#include "core/daemon/strgp_impl.h"

#define SHAPES_MAX 1024 /* shapes of sets that one policy knows: a cluster has some tens */

static void shape_free(struct strgp_shape *sh)
{
	row_cut_free(sh->cut);
	free(sh->schema);
	free(sh);
}

void strgp_shapes_fini(struct strgp_work *w)
{
	for (size_t i = 0; i < w->n_shapes; i++)
		shape_free(w->shapes[i]);
	free(w->shapes);
	w->shapes = NULL;
	w->n_shapes = 0;
}

/* Sets without digest (of older daemons) are told apart by name alone once they are refused. */
static const uint8_t *digest_or_zero(const struct set_meta *m)
{
	static const uint8_t zero[DIGEST_LEN];
	const uint8_t *digest = image_digest(m);

	return digest ? digest : zero;
}

static bool shape_is(struct strgp_shape *sh, const struct set_meta *m)
{
	if (memcmp(sh->digest, digest_or_zero(m), DIGEST_LEN) || strcmp(sh->schema, image_schema(m)))
		return false;
	return !sh->cut || row_cut_fits(sh->cut, m);
}

static void shape_to_front(struct strgp_work *w, size_t i)
{
	struct strgp_shape *sh = w->shapes[i];

	memmove(&w->shapes[1], &w->shapes[0], i * sizeof(*w->shapes));
	w->shapes[0] = sh;
}

void strgp_shape_refuse(struct strgp *sg, struct strgp_shape *sh, const struct err *err)
{
	char hex[2 * DIGEST_LEN + 1];

	digest_hex(sh->digest, hex);
	log_error("store", "policy %s: sets of schema %s, digest %.7s, are not stored: %s", sg->conf.name, sh->schema,
		  hex, err->msg);
	sh->refused = true;
	pthread_mutex_lock(&sg->lock);
	sg->errors++;
	strgp_why(sg, err->msg);
	pthread_mutex_unlock(&sg->lock);
}

/* The first set that is stored, for strgp_status; it says nothing of a policy that stores several schemas. */
static void seen(struct strgp *sg, const struct set_meta *m)
{
	uint32_t n = image_card(m);

	if (sg->n_metrics || sg->n_seen || sg->conf.schema_regex)
		return;
	pthread_mutex_lock(&sg->lock);
	sg->seen = xcalloc(n, sizeof(*sg->seen));
	for (uint32_t i = 0; i < n; i++)
		sg->seen[i] = xstrdup(image_metric(m, i).name);
	sg->n_seen = n;
	pthread_mutex_unlock(&sg->lock);
}

/* Meet a shape: put it in front.  -EAGAIN when this snapshot does not tell it (an empty list): it has no rows. */
static int shape_new(struct strgp *sg, const struct snap *sn)
{
	struct strgp_work *w = &sg->work;
	struct strgp_shape *sh;
	struct err err = { "" };
	struct row_cut *cut = NULL;
	int rc = 0;

	if (sg->conf.decomp)
		cut = decomp_cut_new(sg->conf.decomp, &sn->im);
	else
		rc = row_cut_new(&sn->im, (const char *const *)sg->metrics, sg->n_metrics, &cut, &err);

	if (rc == -EAGAIN)
		return rc;
	sh = xcalloc(1, sizeof(*sh));
	sh->cut = cut;
	sh->schema = xstrdup(image_schema(sn->im.meta));
	memcpy(sh->digest, digest_or_zero(sn->im.meta), DIGEST_LEN);
	w->shapes = xrealloc(w->shapes, (w->n_shapes + 1) * sizeof(*w->shapes));
	w->shapes[w->n_shapes++] = sh;
	shape_to_front(w, w->n_shapes - 1);
	if (rc)
		strgp_shape_refuse(sg, sh, &err);
	else
		seen(sg, sn->im.meta);
	return 0;
}

int strgp_shape_find(struct strgp *sg, const struct snap *sn)
{
	struct strgp_work *w = &sg->work;

	for (size_t i = 0; i < w->n_shapes; i++)
		if (shape_is(w->shapes[i], sn->im.meta)) {
			shape_to_front(w, i);
			return 0;
		}
	if (w->n_shapes < SHAPES_MAX)
		return shape_new(sg, sn);
	if (!w->full)
		log_error("store",
			  "policy %s: met %d shapes of sets (schema, digest, array lengths); sets of further ones are "
			  "dropped; give each schema a policy of its own, or look for a producer that makes them up",
			  sg->conf.name, SHAPES_MAX);
	w->full = true;
	return -ENOSPC;
}
