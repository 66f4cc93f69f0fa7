/* lustre2_client.c - a Lustre client in one set: its mounts (llite), and its connections to object and metadata servers
 * (osc, mdc)
 *
 * Metrics are called client.open#llite.MOUNT.  The set is made anew when one of those that are wanted comes or goes.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/clock.h"
#include "core/base/unit.h"
#include "core/base/xalloc.h"
#include "plugins/folder.h"
#include "plugins/lustre.h"
#include "plugins/lustre2_keys.h"
#include "plugins/namelist.h"

#define NEWER "/sys/kernel/debug/lustre"
#define OLDER "/proc/fs/lustre"

static const struct metric_def metrics[] = {
	{ "client.status#KIND.NAME", V_U64, "", METRIC_GAUGE, "1: it could be read", 1 },
	{ "client.KEY#KIND.NAME", V_U64, "", METRIC_COUNTER,
	  "the sum, where there is one (bytes, time), else the count", 1 },
	{ "client.KEY.rate#KIND.NAME", V_F32, "", METRIC_GAUGE, "per second", 1 },
	{ NULL, V_NONE, NULL, METRIC_GAUGE, NULL, 0 },
};
enum { STATUS, KEY, RATE };

static const struct samp_attr attrs[] = {
	{ "osc", "none", "connections to object servers, with or without the address behind the name; *: all" },
	{ "mdc", "none", "connections to metadata servers; *: all" },
	{ "llite", "none; * when none of the three is given", "mounts; *: all" },
	{ "osc_path", NEWER "/osc or " OLDER "/osc", "where the first are" },
	{ "mdc_path", NEWER "/mdc or " OLDER "/mdc", "where the second are" },
	{ "llite_path", NEWER "/llite or " OLDER "/llite", "where the mounts are" },
	{ NULL, NULL, NULL },
};

static int source_make(struct samp *sp, void *owner, const char *path, const char *name, void **ret, struct err *err);
static void source_end(struct samp *sp, void *item);

#define FOLDER(kind)                                                                                                   \
	{                                                                                                              \
		.places = (const char *const[]){ NEWER "/" kind, OLDER "/" kind, NULL }, .make = source_make,          \
		.end = source_end,                                                                                     \
		.hint = "is a file system of Lustre mounted, and may this daemon read there (debugfs is root's)?",     \
	}

enum { KINDS = 3, RATES_MAX = 2 };
static const struct kind {       /* in the order of the set */
	const char *name, *path; /* attributes */
	const char *const *keys, *const *rates;
	struct folder_type folder;
} kinds[KINDS] = {
	{ "osc", "osc_path", lustre2_rpc_keys, lustre2_no_rates, FOLDER("osc") },
	{ "mdc", "mdc_path", lustre2_rpc_keys, lustre2_no_rates, FOLDER("mdc") },
	{ "llite", "llite_path", lustre2_llite_keys, lustre2_llite_rates, FOLDER("llite") },
};

struct sources { /* of a kind */
	struct lustre2_client *lc;
	const struct kind *kind;
	const char *wanted; /* list of names, or "*" */
	const char *places[2];
	struct folder folder;
	struct lustre_keys keys;
	int rated[RATES_MAX]; /* slots of which there are rates */
	struct source **v;    /* by name */
	size_t n;
};

struct source {
	struct lustre2_client *lc;
	char *name;
	struct lustre_stats stats;
	uint64_t *slots; /* the status, the keys, the rates; NULL: not in the set */
	uint64_t was[RATES_MAX];
	int64_t at_us; /* when that was; 0: never */
};

struct lustre2_client {
	struct sources sources[KINDS];
	struct set *set;
	bool made, stale; /* is the set made; are its sources others now? */
	struct source unwanted;
};

/* -- what comes and goes ------------------------------------------------------------------------------------------- */

static bool is_wanted(const struct sources *ss, const char *name)
{
	size_t len = strlen(name);

	return !strcmp(ss->wanted, "*") || namelist_has(ss->wanted, name, len) ||
	       namelist_has(ss->wanted, name, lustre_fs_name(name, len));
}

static int source_make(struct samp *sp, void *owner, const char *path, const char *name, void **ret, struct err *err)
{
	struct sources *ss = owner;
	struct source *src;
	char *file;

	if (!is_wanted(ss, name)) {
		*ret = &ss->lc->unwanted;
		return 0;
	}
	src = xcalloc(1, sizeof(*src));
	src->lc = ss->lc;
	src->name = xstrdup(name);
	file = xasprintf("%s/stats", path);
	lustre_stats_open(&src->stats, file, NULL); /* status 0 until it can be read */
	free(file);
	ss->v = xrealloc(ss->v, (ss->n + 1) * sizeof(*ss->v));
	ss->v[ss->n++] = src;
	ss->lc->stale |= ss->lc->made;
	*ret = src;
	return 0;
}

static void source_end(struct samp *sp, void *item)
{
	struct source *src = item;
	struct lustre2_client *lc = src->lc;

	if (src == &lc->unwanted)
		return;
	lc->stale = true;
	lustre_stats_close(&src->stats);
	free(src->name);
	free(src);
}

static int by_name(const void *a, const void *b)
{
	return strcmp((*(struct source *const *)a)->name, (*(struct source *const *)b)->name);
}

static int sources_look(struct sources *ss, struct samp *sp, struct err *err)
{
	int rc = ss->wanted ? folder_look(&ss->folder, sp, err) : 0;

	return rc || !ss->wanted ? rc : folder_each(&ss->folder, sp, NULL, err);
}

static void sources_init(struct sources *ss, struct samp *sp)
{
	const char *path = samp_attr(sp, ss->kind->path);

	ss->places[0] = path;
	folder_init(&ss->folder, &ss->kind->folder, samp_root(sp), path ? ss->places : NULL, ss);
	for (const char *const *key = ss->kind->keys; *key; key++) {
		for (int r = 0; r < RATES_MAX && ss->kind->rates[r]; r++)
			if (!strcmp(*key, ss->kind->rates[r]))
				ss->rated[r] = (int)ss->keys.slots;
		lustre_keys_either(&ss->keys, *key);
	}
}

/* -- the set ------------------------------------------------------------------------------------------------------- */

static int metric_add(struct schema *s, int what, const struct sources *ss, const struct source *src, const char *key,
		      struct err *err)
{
	struct metric_def def = metrics[what];
	char *name = xasprintf("client.%s%s#%s.%s", key, what == RATE ? ".rate" : "", ss->kind->name, src->name);
	int i;

	def.name = name;
	i = schema_add_defs(s, &def, 1, err);
	free(name);
	return i;
}

/* The index of its first metric. */
static int source_add(struct schema *s, const struct sources *ss, const struct source *src, struct err *err)
{
	int first = metric_add(s, STATUS, ss, src, "status", err), rc = first;

	for (size_t i = 0; rc >= 0 && ss->kind->keys[i]; i++)
		rc = metric_add(s, KEY, ss, src, ss->kind->keys[i], err);
	for (size_t i = 0; rc >= 0 && ss->kind->rates[i]; i++)
		rc = metric_add(s, RATE, ss, src, ss->kind->rates[i], err);
	return rc < 0 ? rc : first;
}

static int set_make(struct lustre2_client *lc, struct samp *sp, struct err *err)
{
	struct schema *s = samp_schema_new(sp, "Lustre_Client", err);
	uint64_t *slots;
	int first = -1, rc = s ? 0 : -EINVAL;

	for (int k = 0; k < KINDS; k++)
		for (size_t i = 0; rc >= 0 && i < lc->sources[k].n; i++) {
			rc = source_add(s, &lc->sources[k], lc->sources[k].v[i], err);
			first = first < 0 ? rc : first;
		}
	if (rc < 0) {
		schema_free(s);
		return rc;
	}
	lc->set = samp_set_new(sp, s, "", err);
	if (!lc->set)
		return -ENOMEM;
	slots = set_slot(lc->set, first);
	for (int k = 0; k < KINDS; k++)
		for (size_t i = 0; i < lc->sources[k].n; i++) {
			const struct sources *ss = &lc->sources[k];

			ss->v[i]->slots = slots;
			slots += 1 + ss->keys.slots;
			for (int r = 0; r < RATES_MAX && ss->kind->rates[r]; r++)
				slots++;
		}
	lc->made = true;
	return 0;
}

static int lustre2_client_open(struct samp *sp, struct err *err)
{
	struct lustre2_client *lc = samp_state(sp);
	size_t wanted = 0, found = 0;
	int rc = 0;

	lc->unwanted.lc = lc;
	for (int k = 0; k < KINDS; k++) {
		struct sources *ss = &lc->sources[k];

		*ss = (struct sources){ .lc = lc, .kind = &kinds[k], .wanted = samp_attr(sp, kinds[k].name) };
		wanted += ss->wanted != NULL;
		if (k == KINDS - 1 && !wanted)
			ss->wanted = "*";
		sources_init(ss, sp);
	}
	for (int k = 0; k < KINDS && !rc; k++) {
		struct sources *ss = &lc->sources[k];

		rc = sources_look(ss, sp, err);
		if (ss->n)
			qsort(ss->v, ss->n, sizeof(struct source *), by_name);
		found += ss->n;
	}
	if (!rc && !found)
		rc = err_set(err, -ENOENT,
			     "osc=, mdc=, llite=: nothing of that name is there; is the file system mounted?");
	return rc ? rc : set_make(lc, sp, err);
}

static void rates_put(const struct sources *ss, struct source *src, int64_t now_us)
{
	for (int r = 0; r < RATES_MAX && ss->kind->rates[r]; r++) {
		uint64_t v = le64toh(src->slots[1 + ss->rated[r]]);
		double rate = src->at_us && v >= src->was[r] && now_us > src->at_us
				      ? (double)(v - src->was[r]) * SEC_US / (double)(now_us - src->at_us)
				      : 0;
		float f32 = (float)rate;
		uint32_t bits;

		memcpy(&bits, &f32, sizeof(bits));
		src->slots[1 + ss->keys.slots + (size_t)r] = htole64(bits);
		src->was[r] = v;
	}
	src->at_us = now_us;
}

static int lustre2_client_sample(struct samp *sp, struct err *err)
{
	struct lustre2_client *lc = samp_state(sp);
	int64_t now_us = mono_us();
	int first = 0;

	for (int k = 0; k < KINDS; k++)
		sources_look(&lc->sources[k], sp, NULL);
	if (lc->stale)
		return err_set(err, -ESTALE, "mounts or connections have come or gone");
	samp_begin(sp, lc->set);
	for (int k = 0; k < KINDS; k++)
		for (size_t i = 0; i < lc->sources[k].n; i++) {
			const struct sources *ss = &lc->sources[k];
			struct source *src = ss->v[i];
			int rc = lustre_stats_read(&src->stats, &ss->keys, src->slots + 1, first ? NULL : err);

			src->slots[0] = htole64(!rc);
			first = first ? first : rc;
			if (!rc)
				rates_put(ss, src, now_us);
		}
	samp_end(sp, lc->set);
	return first;
}

static void lustre2_client_close(struct samp *sp)
{
	struct lustre2_client *lc = samp_state(sp);

	for (int k = 0; k < KINDS; k++) {
		folder_close(&lc->sources[k].folder, sp);
		lustre_keys_fini(&lc->sources[k].keys);
		free(lc->sources[k].v);
	}
}

static int lustre2_client_probe(const char *root, struct err *err)
{
	int rc = folder_probe(&kinds[KINDS - 1].folder, root, err);

	return rc ? rc : err_set(err, -EEXIST, "lustre_client and lustre_mdc tell the same, in a set for each mount");
}

const struct samp_type samp_lustre2_client = {
	.name = "lustre2_client",
	.brief = "a Lustre client in one set: mounts and connections",
	.source = NEWER "/llite, " OLDER "/llite",
	.attrs = attrs,
	.metrics = metrics,
	.state_size = sizeof(struct lustre2_client),
	.caps = "dac_read_search", /* debugfs is root's */
	.reads = "osc_path mdc_path llite_path",
	.probe = lustre2_client_probe,
	.open = lustre2_client_open,
	.sample = lustre2_client_sample,
	.close = lustre2_client_close,
};
