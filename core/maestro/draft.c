/* draft.c - see draft.h */
#include "core/maestro/draft.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/hostlist.h"
#include "core/base/unit.h"
#include "core/base/xalloc.h"

/* What was measured of an aggregator of 10,000 producers with four sets each at 1 Hz, on a virtual machine:
 * tests/bench/README.md. */
#define SET_MORE_BYTES 1700 /* of memory, beside a mirrored set's image */
#define UPDATE_NS      2800 /* of CPU */
#define ROW_NS         1600 /* ... into a CSV file */

#define MEM_LEAST (1u << 20)
#define OFFSET_US (200 * MSEC_US) /* each level collects so much behind the one below */

struct sums { /* of one node */
	unsigned int sets;
	size_t data, image;
};

static struct sums sums(const struct draft *d)
{
	struct sums s = { 0 };

	for (size_t i = 0; i < d->n_samps; i++) {
		s.sets += d->samps[i].sets;
		s.data += d->samps[i].data;
		s.image += d->samps[i].image;
	}
	return s;
}

static double per_s(const struct draft *d)
{
	return (double)SEC_US / (double)d->interval_us;
}

size_t draft_aggs(const struct draft *d, double sets_per_s)
{
	double total = (double)d->nodes.n * sums(d).sets * per_s(d);
	size_t n = (size_t)(total / sets_per_s);

	while ((double)n * sets_per_s < total)
		n++;
	return n < 1 ? 1 : n > d->nodes.n ? d->nodes.n : n;
}

static int hosts_check(const struct draft_kind *k, size_t n, const char *what, struct err *err)
{
	if (k->hosts.n && n % k->hosts.n)
		return err_set(err, -EINVAL, "%zu hosts for %zu %s: each host takes as many of them", k->hosts.n, n,
			       what);
	if (k->hosts.n && k->port + n / k->hosts.n - 1 > 65535)
		return err_set(err, -EINVAL, "%zu %s on a host, the first at port %u: there are no such ports",
			       n / k->hosts.n, what, k->port);
	return 0;
}

int draft_check(const struct draft *d, struct err *err)
{
	int rc;

	if (!d->aggs.n || d->aggs.n > d->nodes.n)
		return err_set(err, -EINVAL, "%zu aggregators for %zu nodes: at least one, at most one for each node",
			       d->aggs.n, d->nodes.n);
	if (d->stores.n > 1000 || d->stores.n * d->aggs.n > HOSTLIST_MAX)
		return err_set(err, -EINVAL, "%zu stores of each of %zu aggregators are too many", d->stores.n,
			       d->aggs.n);
	if (!d->n_samps)
		return err_set(err, -EINVAL, "no samplers: what is to be collected?");
	rc = hosts_check(&d->aggs, d->aggs.n, "aggregators", err);
	return rc ? rc : hosts_check(&d->stores, d->stores.n * d->aggs.n, "stores", err);
}

/* -- numbers ------------------------------------------------------------------------------------------------------- */

static const char *amount(double v, char *out, size_t n)
{
	static const char *const units[] = { "", " k", " M", " G" };
	size_t i = 0;

	for (; v >= 10000 && i < 3; i++)
		v /= 1000;
	snprintf(out, n, v >= 100 || v == (double)(long)v ? "%.0f%s" : "%.3g%s", v, units[i]);
	return out;
}

static const char *bytes(double v, char *out, size_t n)
{
	char number[24];

	snprintf(out, n, "%s%sB", amount(v, number, sizeof(number)), v < 10000 ? " " : "");
	return out;
}

/* What one of them has to do: `n` nodes' sets, of which it stores `rows` a second. */
static void does(struct buf *to, const char *what, const struct draft *d, size_t n, double rows)
{
	struct sums s = sums(d);
	double sets = (double)n * s.sets, rate = sets * per_s(d);
	double cores = rate * UPDATE_NS / 1e9 + rows * ROW_NS / 1e9;
	char a[32], b[32], c[32], e[32];

	buf_addf(to, "# %s: %zu nodes, %s sets, %s sets/s, %s/s of values, %s of memory, %.2g of a core", what, n,
		 amount(sets, a, sizeof(a)), amount(rate, b, sizeof(b)),
		 bytes((double)n * (double)s.data * per_s(d), c, sizeof(c)),
		 bytes((double)n * (double)s.image + sets * SET_MORE_BYTES, e, sizeof(e)), cores);
	if (rows > 0)
		buf_addf(to, ", %s rows/s", amount(rows, a, sizeof(a)));
	buf_addf(to, "\n");
}

static size_t most(size_t n, size_t of)
{
	return (n + of - 1) / of;
}

static void numbers(const struct draft *d, struct buf *to)
{
	size_t n = most(d->nodes.n, d->aggs.n);
	char a[32], b[32];

	buf_addf(to, "# %s\n#\n", d->asked);
	for (size_t i = 0; i < d->n_samps; i++)
		buf_addf(to, "# %s: %u set%s of %s, %s of them values%s\n", d->samps[i].name, d->samps[i].sets,
			 d->samps[i].sets == 1 ? "" : "s", bytes((double)d->samps[i].image, a, sizeof(a)),
			 bytes((double)d->samps[i].data, b, sizeof(b)),
			 d->samps[i].guessed ? " (a guess: it does not run on this machine)" : ", as on this machine");
	does(to, "all", d, d->nodes.n, 0);
	does(to, "an aggregator", d, n, 0);
	if (d->aggs.n > 1)
		does(to, "an aggregator when one is down", d, most(d->nodes.n, d->aggs.n - 1), 0);
	if (d->stores.n)
		does(to, "a store", d, n, (double)n * sums(d).sets * per_s(d) / (double)d->stores.n);
	buf_addf(to, "#\n");
}

/* A ceiling that holds it twice: a power of two, as people write it. */
static void memory(struct buf *to, double bytes)
{
	uint64_t v = MEM_LEAST;
	char text[32];

	while ((double)v < 2 * bytes)
		v *= 2;
	buf_addf(to, ", set_memory: %s", unit_size_text(v, text));
}

/* -- daemons ------------------------------------------------------------------------------------------------------- */

/* What two names must have the same of, to stand in one bracket: all but the last number. */
static bool alike(const char *a, const char *b)
{
	size_t na = strlen(a), nb = strlen(b), tail = 0;

	while (tail < na && tail < nb && a[na - 1 - tail] == b[nb - 1 - tail] &&
	       !isdigit((unsigned char)a[na - 1 - tail]))
		tail++;
	na -= tail;
	nb -= tail;
	if (!na || !nb || !isdigit((unsigned char)a[na - 1]) || !isdigit((unsigned char)b[nb - 1]))
		return false;
	while (na && isdigit((unsigned char)a[na - 1]))
		na--;
	while (nb && isdigit((unsigned char)b[nb - 1]))
		nb--;
	return na == nb && !strncmp(a, b, na);
}

/* In few words if these say them in this order, else one by one. */
static void run_put(struct buf *to, const char *const *names, size_t n)
{
	struct buf b = { 0 };
	struct hostlist hl = { 0 };
	bool same;

	hostlist_fold(names, n, 0, &b);
	same = !strchr(buf_str(&b), ' ') && !hostlist_parse(buf_str(&b), &hl, NULL) && hl.n == n;
	for (size_t i = 0; same && i < n; i++)
		same = !strcmp(hl.names[i], names[i]);
	if (same)
		buf_add(to, b.p, b.len);
	for (size_t i = 0; !same && i < n; i++)
		buf_addf(to, "%s%s", i ? "," : "", names[i]);
	hostlist_fini(&hl);
	buf_fini(&b);
}

static void names_put(struct buf *to, const char *const *names, size_t n)
{
	buf_u8(to, '"');
	for (size_t i = 0, k; i < n; i = k) {
		for (k = i + 1; k < n && alike(names[i], names[k]); k++)
			;
		if (i)
			buf_u8(to, ',');
		run_put(to, names + i, k - i);
	}
	buf_u8(to, '"');
}

static void nodes_put(struct buf *to, const struct nodes *nodes, bool hosts)
{
	const char **v = xcalloc(nodes->n + 1, sizeof(*v));

	for (size_t i = 0; i < nodes->n; i++)
		v[i] = hosts ? nodes->v[i].host : nodes->v[i].name;
	names_put(to, v, nodes->n);
	free(v);
}

static void auth_put(const struct draft *d, struct buf *to)
{
	if (!d->auth)
		return;
	buf_addf(to, ", auth: {name: %s, plugin: %s", d->auth, d->auth);
	if (d->auth_conf)
		buf_addf(to, ", conf: \"%s\"", d->auth_conf);
	buf_addf(to, "}");
}

/* Of several on a host each has a port of its own. */
static void kind_put(const struct draft *d, const struct draft_kind *k, size_t n, const char *names, double bytes,
		     struct buf *to)
{
	size_t each = k->hosts.n ? n / k->hosts.n : 1;

	buf_addf(to, "- {names: \"%s\", hosts: ", names);
	if (k->hosts.n)
		nodes_put(to, &k->hosts, true);
	else
		buf_addf(to, "\"%s\"", names);
	memory(to, bytes);
	buf_addf(to, ",\n   endpoints: [{names: \"%s\", ports: ", names);
	if (each > 1)
		buf_addf(to, "\"[%u-%zu]\"", k->port, k->port + each - 1);
	else
		buf_addf(to, "%u", k->port);
	buf_addf(to, ", xprt: sock, maestro_comm: True");
	auth_put(d, to);
	buf_addf(to, "}]}\n");
}

static int digits(size_t n)
{
	char text[24];

	return snprintf(text, sizeof(text), "%zu", n);
}

/* "[1-4]", "[01-12]": as many digits in all of them, so that they sort as text, too. */
static void numbered(size_t n, char *out, size_t size)
{
	if (n == 1)
		snprintf(out, size, "1");
	else
		snprintf(out, size, "[%0*d-%zu]", digits(n), 1, n);
}

struct words { /* names of groups */
	char aggs[64], stores[128];
};

static struct words words(const struct draft *d)
{
	char aggs[48], stores[48];
	struct words w;

	numbered(d->aggs.n, aggs, sizeof(aggs));
	numbered(d->stores.n, stores, sizeof(stores));
	snprintf(w.aggs, sizeof(w.aggs), "agg-%s", aggs);
	snprintf(w.stores, sizeof(w.stores), "store-%s-%s", aggs, stores);
	return w;
}

static void daemons(const struct draft *d, struct buf *to)
{
	struct words w = words(d);
	struct sums s = sums(d);
	size_t n = most(d->nodes.n, d->aggs.n > 1 ? d->aggs.n - 1 : 1);
	double bytes = (double)n * (double)s.image;

	buf_addf(to, "daemons:\n- {names: &nodes ");
	nodes_put(to, &d->nodes, false);
	buf_addf(to, ",\n   hosts: ");
	nodes_put(to, &d->nodes, true);
	memory(to, (double)s.image);
	buf_addf(to, ",\n   endpoints: [{names: *nodes, ports: %u, xprt: sock, maestro_comm: True", d->port);
	auth_put(d, to);
	buf_addf(to, "}]}\n");
	kind_put(d, &d->aggs, d->aggs.n, w.aggs, bytes, to);
	if (d->stores.n)
		kind_put(d, &d->stores, d->aggs.n * d->stores.n, w.stores, bytes, to);
}

/* -- who collects from whom ---------------------------------------------------------------------------------------- */

static void collects(const struct draft *d, const char *who, const char *whom, unsigned int level, struct buf *to)
{
	int64_t offset = OFFSET_US * level;
	char interval[32], text[32];

	while (offset >= d->interval_us)
		offset /= 2;
	buf_addf(to,
		 "- daemons: \"%s\"\n  peers:\n  - {daemons: %s, endpoints: %s, reconnect: 20s, type: active,\n"
		 "     updaters: [{mode: pull, interval: \"%s\", offset: \"%s\"}]}\n",
		 who, whom, whom, unit_time_text(d->interval_us, interval), unit_time_text(offset, text));
}

/* The k-th stores of all aggregators are a group: the first of them has the first aggregator, and so on. */
static void aggregators(const struct draft *d, struct buf *to)
{
	struct words w = words(d);
	char *aggs = xasprintf("\"%s\"", w.aggs);

	buf_addf(to, "aggregators:\n");
	collects(d, w.aggs, "*nodes", 1, to);
	for (size_t k = 1; k <= d->stores.n; k++) {
		char *who = xasprintf("store-%s-%0*zu", w.aggs + strlen("agg-"), digits(d->stores.n), k);

		collects(d, who, aggs, 2, to);
		free(who);
	}
	free(aggs);
}

static void samplers(const struct draft *d, struct buf *to)
{
	char interval[32];

	buf_addf(to, "samplers:\n- {daemons: *nodes, plugins: [");
	for (size_t i = 0; i < d->n_samps; i++)
		buf_addf(to, "%s%s", i ? ", " : "", d->samps[i].name);
	buf_addf(to, "]}\nplugins:\n");
	for (size_t i = 0; i < d->n_samps; i++)
		buf_addf(to, "  %s: {name: %s, interval: \"%s\", offset: \"0s\"}\n", d->samps[i].name, d->samps[i].name,
			 unit_time_text(d->interval_us, interval));
	if (d->store)
		buf_addf(to, "  rows: {name: store_%s, config: [\"%s\"]}\n", d->store, d->store_conf);
	else if (d->store_path)
		buf_addf(to, "  rows: {path: \"%s\", config: [\"%s\"]}\n", d->store_path, d->store_conf);
}

static void stores(const struct draft *d, struct buf *to)
{
	struct words w = words(d);

	if (!d->store && !d->store_path)
		return;
	buf_addf(to, "stores:\n");
	for (size_t i = 0; i < d->n_samps; i++) {
		buf_addf(to, "  %s: {daemons: \"%s\", plugin: rows, container: \"%s\", schema: %s", d->samps[i].name,
			 d->stores.n ? w.stores : w.aggs, d->container ? d->container : d->samps[i].name,
			 d->samps[i].name);
		if (d->stores.n > 1)
			buf_addf(to, ", shard: %zu", d->stores.n);
		buf_addf(to, "}\n");
	}
}

void draft_put(const struct draft *d, struct buf *to)
{
	numbers(d, to);
	daemons(d, to);
	aggregators(d, to);
	samplers(d, to);
	stores(d, to);
}
