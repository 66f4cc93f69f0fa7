/* advert.c - see advert.h */
#include "core/maestro/advert.h"

#include <ctype.h>
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/err.h"
#include "core/base/xalloc.h"

#define NAME_MAX_ 255 /* "HOST:PORT" */
#define TOLD      2   /* answers */

/* -- what they say ------------------------------------------------------------------------------------------------- */

void adverts_free(struct advert **all)
{
	struct advert *a, *tmp;

	HASH_ITER(hh, *all, a, tmp) {
		HASH_DEL(*all, a);
		free(a);
	}
}

struct advert *adverts_find(struct advert *all, const char *name)
{
	struct advert *a = NULL;

	HASH_FIND_STR(all, name, a);
	return a;
}

/* It becomes part of a command. */
static bool is_name(const char *s)
{
	bool is = s && *s && strlen(s) <= NAME_MAX_;

	for (; is && *s; s++)
		is = isgraph((unsigned char)*s);
	return is;
}

static bool is_one_of(const char *word, const char *const *words)
{
	bool is = false;

	for (; word && *words && !is; words++)
		is = !strcmp(word, *words);
	return is;
}

static void take_one(struct advert **now, struct advert *before, const json_t *o)
{
	static const char *const there[] = { "CONNECTED", "STANDBY", NULL };
	static const char *const runs[] = { "CONNECTED", "CONNECTING", "DISCONNECTED", NULL };
	const char *name = json_string_value(json_object_get(o, "name")), *type, *state;
	const struct advert *was;
	struct advert *a;

	type = json_string_value(json_object_get(o, "type"));
	state = json_string_value(json_object_get(o, "state"));
	if (!type || strncmp(type, "advertised", 10) || !is_name(name) || adverts_find(*now, name))
		return;
	was = adverts_find(before, name);
	a = xcalloc(1, sizeof(*a) + strlen(name) + 1);
	strcpy(a->name, name);
	a->there = is_one_of(state, there);
	a->runs = is_one_of(state, runs);
	if (was && was->told && !a->runs) {
		a->runs = true;
		a->told = was->told - 1;
	}
	a->ran = was && was->runs;
	a->gone = !a->there && was && !was->there;
	HASH_ADD_STR(*now, name, a);
}

int adverts_take(struct advert **all, const char *answer, struct err *err)
{
	json_error_t why;
	json_t *list = json_loads(answer, 0, &why), *o;
	struct advert *now = NULL;
	size_t i;

	if (!json_is_array(list)) {
		json_decref(list);
		return err_set(err, -EPROTO, "prdcr_status: its answer is no list: %s", why.text);
	}
	json_array_foreach(list, i, o) take_one(&now, *all, o);
	json_decref(list);
	adverts_free(all);
	*all = now;
	return 0;
}

/* -- who runs whom ------------------------------------------------------------------------------------------------- */

struct settling {
	struct advert_agg *aggs;
	size_t n;
	size_t *load;
	struct advert **first; /* who may run of each, while some are moved: those before run no more */
	bool even;
	void (*fn)(void *arg, size_t agg, const char *name, bool start);
	void *arg;
};

static void say(struct settling *s, size_t agg, struct advert *a, bool start)
{
	a->runs = start;
	a->told = start ? TOLD : 0;
	s->fn(s->arg, agg, a->name, start);
}

/* Is `a`, at an aggregator, the better place to run it than `b` at another one? */
static bool is_better(const struct settling *s, size_t at, const struct advert *a, size_t bt, const struct advert *b)
{
	if (a->there != b->there)
		return a->there;
	if (!s->even && a->ran != b->ran)
		return a->ran;
	return s->load[at] < s->load[bt];
}

/* Where it runs best of all that run it (or could), in *ret; how many they are. */
static size_t place(const struct settling *s, const char *name, bool runs, size_t *ret)
{
	const struct advert *best = NULL;
	size_t n = 0;

	for (size_t i = 0; i < s->n; i++) {
		const struct advert *a = adverts_find(s->aggs[i].all, name);

		if (!a || a->runs != runs || (!runs && (!a->there || !s->aggs[i].told)))
			continue;
		n++;
		if (!best || is_better(s, i, a, *ret, best)) {
			best = a;
			*ret = i;
		}
	}
	return n;
}

/* Each name once: where it is seen first. */
static bool is_first(const struct settling *s, size_t agg, const char *name)
{
	bool first = true;

	for (size_t i = 0; i < agg && first; i++)
		first = !adverts_find(s->aggs[i].all, name);
	return first;
}

/* pass 0: who runs at one alone is counted; 1: at several, stays at one; 2: nowhere, is started. */
static void settle_one(struct settling *s, const char *name, int pass)
{
	size_t at = 0, other = 0, n = place(s, name, true, &at);

	if (pass == 0 && n == 1 && adverts_find(s->aggs[at].all, name)->gone && s->aggs[at].told &&
	    place(s, name, false, &other))
		say(s, at, adverts_find(s->aggs[at].all, name), false);
	else if (pass == 0 && n == 1)
		s->load[at]++;
	if (pass == 1 && n > 1) {
		s->load[at]++;
		for (size_t i = 0; i < s->n; i++) {
			struct advert *a = adverts_find(s->aggs[i].all, name);

			if (a && i != at && a->runs && s->aggs[i].told)
				say(s, i, a, false);
		}
	}
	if (pass == 2 && !n && place(s, name, false, &at)) {
		s->load[at]++;
		say(s, at, adverts_find(s->aggs[at].all, name), true);
	}
}

/* One goes from where most are to where least are. */
static bool move_one(struct settling *s)
{
	size_t most = s->n, least = s->n;
	struct advert *a, *there;

	for (size_t i = 0; i < s->n; i++) {
		if (!s->aggs[i].told)
			continue;
		if (most == s->n || s->load[i] > s->load[most])
			most = i;
		if (least == s->n || s->load[i] < s->load[least])
			least = i;
	}
	if (most == s->n || s->load[most] < s->load[least] + 2)
		return false;
	while (s->first[most] && !s->first[most]->runs)
		s->first[most] = s->first[most]->hh.next;
	for (a = s->first[most]; a; a = a->hh.next) {
		there = a->runs ? adverts_find(s->aggs[least].all, a->name) : NULL;
		if (!there || !there->there || there->runs)
			continue;
		s->load[most]--;
		s->load[least]++;
		say(s, most, a, false);
		return true;
	}
	return false;
}

void adverts_settle(struct advert_agg *aggs, size_t n, bool even,
		    void (*fn)(void *arg, size_t agg, const char *name, bool start), void *arg)
{
	struct settling s = { .aggs = aggs,
			      .n = n,
			      .load = xcalloc(n + 1, sizeof(*s.load)),
			      .first = xcalloc(n + 1, sizeof(*s.first)),
			      .even = even,
			      .fn = fn,
			      .arg = arg };
	struct advert *a, *tmp;

	for (size_t i = 0; i < n; i++)
		s.load[i] = aggs[i].others;
	for (int pass = 0; pass < 3; pass++)
		for (size_t i = 0; i < n; i++)
			HASH_ITER(hh, aggs[i].all, a, tmp)
				if (is_first(&s, i, a->name))
					settle_one(&s, a->name, pass);
	for (size_t i = 0; i < n; i++)
		s.first[i] = aggs[i].all;
	while (even && move_one(&s))
		;
	free(s.first);
	free(s.load);
}
