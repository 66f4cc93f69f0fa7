/* daemon_to.c - see daemon_to.h
 *
 * --to WORD:VALUE, where WORD is a short form that a store has (struct store_to); what is none is a host list.
 */
#include "cmd/daemon_to.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/to_store.h"
#include "core/base/hostlist.h"
#include "core/base/xalloc.h"
#include "store/store.h"

#define OBJECT_CONTAINER "ldms" /* of a policy of all schemas */
#define WORDS_MAX        64     /* short forms, to look for a near one in */

/* -- aggregators --------------------------------------------------------------------------------------------------- */

/* What the word in front of the first colon may have been meant to be, or NULL. */
static const char *near_word(const char *text)
{
	const char *words[WORDS_MAX + 1], *near;
	char *word = xstrndup(text, strcspn(text, ":"));
	size_t n = 0;

	for (size_t i = 0; store_types[i]; i++)
		for (const struct store_to *to = store_types[i]->to; to && to->word && n < WORDS_MAX; to++)
			words[n++] = to->word;
	words[n] = NULL;
	near = strchr(text, ':') ? nearest(word, words) : NULL;
	free(word);
	return near;
}

static int not_understood(const char *text, struct err *err)
{
	const char *colon = strchr(text, ':'), *near = near_word(text);
	char *word = xstrndup(text, strcspn(text, ":"));
	const struct store_type *type = colon ? store_type_find(word) : NULL;
	int rc;

	if (type)
		rc = err_set(err, -EINVAL,
			     "--to: '%s': store %s wants more than a word can say; configure it in a file: -c FILE",
			     text, type->name);
	else if (near)
		rc = err_set(err, -EINVAL,
			     "--to: '%s' is neither STORE:PATH nor the HOST[:PORT] of an aggregator; did you mean "
			     "'%s%s'?",
			     text, near, colon);
	else
		rc = err_set(err, -EINVAL,
			     "--to: '%s' is neither STORE:PATH, as csv:/var/lib/ldms, nor the HOST[:PORT] of an "
			     "aggregator",
			     text);
	free(word);
	return rc;
}

static int advert_line(const struct daemon_opts *o, struct buf *b, const char *text, struct err *err)
{
	unsigned short port = LDMS_PORT;
	char *host;

	if (strchr(text, '/') || hostport_parse(text, &host, &port, NULL))
		return not_understood(text, err);
	buf_addf(b, "advertiser_add name=%s-%s xprt=sock host=%s port=%u reconnect=%lld\n", o->self, text, host, port,
		 (long long)o->reconnect_us);
	buf_addf(b, "advertiser_start name=%s-%s\n", o->self, text);
	free(host);
	return 0;
}

int daemon_to_adverts(const struct daemon_opts *o, struct buf *lines, struct err *err)
{
	struct hostlist hl;
	int rc = 0;

	for (size_t i = 0; i < o->to.n && !rc; i++) {
		if (to_store_is(o->to.v[i]))
			continue;
		if (strchr(o->to.v[i], '/'))
			return not_understood(o->to.v[i], err);
		rc = hostlist_parse(o->to.v[i], &hl, err);
		if (rc)
			return err_prefix(err, rc, "--to: ");
		for (size_t k = 0; k < hl.n && !rc; k++)
			rc = advert_line(o, lines, hl.names[k], err);
		hostlist_fini(&hl);
	}
	return rc;
}

/* -- stores -------------------------------------------------------------------------------------------------------- */

struct gen {
	struct buf *b;
	char **containers; /* of all policies of one --to; NULL: the schema's name */
	size_t n;
	struct buf more; /* what all of these policies have */
};

/* An option about stores, and no store: a --to may have been meant to be one. */
static int nowhere(const struct daemon_opts *o, const char *option, struct err *err)
{
	struct buf unused = { 0 };
	int rc = daemon_to_adverts(o, &unused, err);

	buf_fini(&unused);
	return rc ? rc : err_set(err, -EINVAL, "--%s: say where the rows go, too: --to csv:DIR", option);
}

/* --shard and --spool. */
static int policies_have(const struct daemon_opts *o, struct gen *g, struct err *err)
{
	int rc = 0;

	if (!g->n && (o->shard || o->spool))
		return nowhere(o, o->shard ? "shard" : "spool", err);
	if (o->shard)
		rc = daemon_opts_no_blanks("shard", o->shard, err);
	if (!rc && o->spool)
		rc = daemon_opts_no_blanks("spool", o->spool, err);
	if (o->shard)
		buf_addf(&g->more, " shard=%s", o->shard);
	if (o->spool)
		buf_addf(&g->more, " spool=%s", o->spool);
	return rc;
}

/* A policy for each schema into each store. */
static int policies(const char *word, void *arg, struct err *err)
{
	struct gen *g = arg;

	(void)err;
	for (size_t i = 0; i < g->n; i++) {
		const char *container = g->containers[i], *name = word ? word : "all";

		buf_addf(g->b, "strgp_add name=strgp_%s.%zu plugin=to.%zu container=%s %s=%s%s\n", name, i, i,
			 container ? container
			 : word    ? word
				   : ".",
			 word ? "schema" : "regex", word ? word : ".*", buf_str(&g->more));
		buf_addf(g->b, "strgp_start name=strgp_%s.%zu\n", name, i);
	}
	return 0;
}

/* The instance that one --to stands for. */
static int store_lines(struct gen *g, const char *text, bool all, struct err *err)
{
	struct to_store t;
	int rc = daemon_opts_no_blanks("to", text, err);

	if (!rc)
		rc = to_store_read(text, &t, err);
	if (rc)
		return rc;
	buf_addf(g->b, "load name=to.%zu %s=%s\nconfig name=to.%zu %s\n", g->n, t.path ? "path" : "plugin",
		 t.path ? t.path : t.type->name, g->n, t.conf);
	if (t.path && all)
		t.container = xstrdup(OBJECT_CONTAINER);
	g->containers[g->n++] = t.container;
	t.container = NULL;
	to_store_fini(&t);
	return 0;
}

int daemon_to_stores(const struct daemon_opts *o, struct buf *lines, size_t *ret_stores, struct err *err)
{
	struct gen g = { .b = lines };
	int rc = 0;

	g.containers = xcalloc(o->to.n + 1, sizeof(*g.containers));
	for (size_t i = 0; i < o->to.n && !rc; i++)
		if (to_store_is(o->to.v[i]))
			rc = store_lines(&g, o->to.v[i], !o->strgp.n, err);
	if (!rc && o->strgp.n && !g.n)
		rc = nowhere(o, "strgp", err);
	if (!rc)
		rc = policies_have(o, &g, err);
	*ret_stores = g.n;
	if (!rc && !o->strgp.n)
		rc = policies(NULL, &g, err);
	else if (!rc)
		rc = daemon_opts_words(&o->strgp, policies, &g, err);
	while (g.n)
		free(g.containers[--g.n]);
	free(g.containers);
	buf_fini(&g.more);
	return rc;
}

/* -- help ---------------------------------------------------------------------------------------------------------- */

void daemon_to_help(FILE *f)
{
	fputs("\nwhat --to STORE:PATH may be:\n", f);
	for (size_t i = 0; store_types[i]; i++)
		for (const struct store_to *to = store_types[i]->to; to && to->word; to++) {
			char *label = xasprintf("%s:%s", to->word, to->form);

			opt_help_row(f, label, to->help);
			free(label);
		}
	opt_help_row(f, "FILE.so[:NAME=VALUE]", "a store of another maker, and its attribute");
	opt_help_row(f, "...,NAME=VALUE", "more attributes: `ldms store help STORE`");
}
