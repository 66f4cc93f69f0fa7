/* fault.c - faults as text: the file of a cluster's, and what operators write */
#include "core/cluster/fault.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/base/str.h"
#include "core/base/unit.h"
#include "core/base/xalloc.h"
#include "core/cluster/impl.h"

#define FAULTS_MAX  (4u << 20) /* bytes of the file */
#define SPLITS_MAX  1000       /* partitions at a time */
#define CLOCK_MAX_S (100ll * 366 * 86400)

void faults_fini(struct faults *f)
{
	for (size_t i = 0; i < f->n_splits; i++)
		free(f->splits[i]);
	free(f->splits);
	free(f->nodes);
	*f = (struct faults){ 0 };
}

/* -- the file ------------------------------------------------------------------------------------------------------ */

static void put_side(const struct cluster *c, const uint8_t *split, enum fault_side side, struct buf *to)
{
	const char *between = " ";

	for (size_t i = 0; i < c->n; i++)
		if (split[i] == side) {
			buf_addf(to, "%s%s", between, c->nodes[i].name);
			between = ",";
		}
}

void faults_put(const struct cluster *c, const struct faults *f, struct buf *to)
{
	for (size_t i = 0; i < f->n; i++) {
		const struct fault_node *n = &f->nodes[i];
		const char *name = c->nodes[i].name;

		if (n->cut)
			buf_addf(to, "cut %s\n", name);
		if (n->paused)
			buf_addf(to, "pause %s\n", name);
		if (n->loss_ppm)
			buf_addf(to, "loss %s %u\n", name, n->loss_ppm);
		if (n->bits)
			buf_addf(to, "bandwidth %s %llu\n", name, (unsigned long long)n->bits);
		if (n->delay_us)
			buf_addf(to, "delay %s %lld %lld\n", name, (long long)n->delay_us, (long long)n->jitter_us);
		if (n->clock_s)
			buf_addf(to, "clock %s %lld\n", name, (long long)n->clock_s);
	}
	for (size_t i = 0; i < f->n_splits; i++) {
		buf_addf(to, "split");
		put_side(c, f->splits[i], SIDE_A, to);
		put_side(c, f->splits[i], SIDE_B, to);
		buf_addf(to, "\n");
	}
}

static bool parse_side(const struct cluster *c, char *names, bool *side)
{
	char *save;
	size_t i;

	for (char *name = strtok_r(names, ",", &save); name; name = strtok_r(NULL, ",", &save)) {
		if (cluster_node_find(c, name, &i, NULL))
			return false;
		side[i] = true;
	}
	return true;
}

static bool parse_split(const struct cluster *c, char *a, char *b, struct faults *f)
{
	bool *sides = xcalloc(2 * c->n + 1, sizeof(*sides));
	bool good = a && b && parse_side(c, a, sides) && parse_side(c, b, sides + c->n) &&
		    !faults_split(f, c, sides, sides + c->n, NULL);

	free(sides);
	return good;
}

static bool parse_line(const struct cluster *c, char *line, struct faults *f)
{
	char *save, *kind = strtok_r(line, " ", &save), *who = strtok_r(NULL, " ", &save),
		    *arg = strtok_r(NULL, " ", &save), *more = strtok_r(NULL, " ", &save);
	struct fault_node *n;
	size_t i;

	if (!kind)
		return true;
	if (!strcmp(kind, "split"))
		return parse_split(c, who, arg, f);
	if (!who || cluster_node_find(c, who, &i, NULL))
		return false;
	n = &f->nodes[i];
	if (!strcmp(kind, "cut"))
		n->cut = true;
	else if (!strcmp(kind, "pause"))
		n->paused = true;
	else if (!arg)
		return false;
	else if (!strcmp(kind, "loss"))
		n->loss_ppm = (uint32_t)strtoul(arg, NULL, 10);
	else if (!strcmp(kind, "bandwidth"))
		n->bits = strtoull(arg, NULL, 10);
	else if (!strcmp(kind, "clock"))
		n->clock_s = strtoll(arg, NULL, 10);
	else if (!strcmp(kind, "delay")) {
		n->delay_us = strtoll(arg, NULL, 10);
		n->jitter_us = more ? strtoll(more, NULL, 10) : 0;
	} else
		return false;
	return n->loss_ppm <= FAULT_PPM && n->delay_us >= 0 && n->jitter_us >= 0;
}

int faults_parse(const struct cluster *c, char *text, struct faults *ret, struct err *err)
{
	struct faults f = { .nodes = xcalloc(c->n + 1, sizeof(*f.nodes)), .n = c->n };
	unsigned int no = 0;
	char *save;

	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		no++;
		if (!parse_line(c, line, &f)) {
			faults_fini(&f);
			return err_set(err, -EINVAL, "cluster %s: line %u of %s/faults is broken", c->name, no, c->dir);
		}
	}
	*ret = f;
	return 0;
}

int faults_read(const struct cluster *c, struct faults *ret, struct err *err)
{
	char *path = xasprintf("%s/faults", c->dir);
	struct buf b = { 0 };
	int rc = cluster_file_read(path, FAULTS_MAX, &b, err);

	if (!rc || rc == -ENOENT) /* nothing was ever wrong */
		rc = faults_parse(c, (char *)(uintptr_t)buf_str(&b), ret, err);
	buf_fini(&b);
	free(path);
	return rc;
}

int faults_write(const struct cluster *c, const struct faults *f, struct err *err)
{
	char *path = xasprintf("%s/faults", c->dir);
	struct buf b = { 0 };
	int rc;

	faults_put(c, f, &b);
	rc = cluster_file_write(path, &b, err);
	buf_fini(&b);
	free(path);
	return rc;
}

/* -- changes ------------------------------------------------------------------------------------------------------- */

int faults_split(struct faults *f, const struct cluster *c, const bool *a, const bool *b, struct err *err)
{
	uint8_t *split;

	if (f->n_splits == SPLITS_MAX)
		return err_set(err, -E2BIG, "cluster %s has %d partitions already; heal some", c->name, SPLITS_MAX);
	for (size_t i = 0; i < f->n; i++)
		if (a[i] && b[i])
			return err_set(err, -EINVAL, "node %s cannot be cut from itself; name it on one side",
				       c->nodes[i].name);
	split = xcalloc(f->n + 1, sizeof(*split));
	for (size_t i = 0; i < f->n; i++)
		split[i] = a[i] ? SIDE_A : b[i] ? SIDE_B : SIDE_NONE;
	f->splits = xrealloc(f->splits, (f->n_splits + 1) * sizeof(*f->splits));
	f->splits[f->n_splits++] = split;
	return 0;
}

void faults_heal(struct faults *f, const bool *nodes)
{
	size_t left = 0;

	for (size_t i = 0; i < f->n; i++)
		if (nodes[i])
			f->nodes[i] =
				(struct fault_node){ .paused = f->nodes[i].paused, .clock_s = f->nodes[i].clock_s };
	for (size_t k = 0; k < f->n_splits; k++) {
		bool a = false, b = false;

		for (size_t i = 0; i < f->n; i++) {
			if (nodes[i])
				f->splits[k][i] = SIDE_NONE;
			a |= f->splits[k][i] == SIDE_A;
			b |= f->splits[k][i] == SIDE_B;
		}
		if (a && b)
			f->splits[left++] = f->splits[k];
		else
			free(f->splits[k]); /* one side is all that is left */
	}
	f->n_splits = left;
}

/* -- what operators write ------------------------------------------------------------------------------------------ */

int fault_loss_parse(const char *text, uint32_t *ret_ppm, struct err *err)
{
	char *end;
	double v = isdigit((unsigned char)*text) ? strtod(text, &end) : -1;

	if (v < 0 || v > 100 || (*end && strcmp(end, "%")))
		return err_set(err, -EINVAL, "'%s' is no loss; write 0%% to 100%%", text);
	*ret_ppm = (uint32_t)(v * (FAULT_PPM / 100) + 0.5);
	return 0;
}

int fault_rate_parse(const char *text, uint64_t *ret_bits, struct err *err)
{
	static const char units[] = "kmgt";
	const char *p = text, *unit;
	uint64_t v = 0;
	bool good = str_digits(&p, &v);

	unit = good && *p ? strchr(units, tolower((unsigned char)*p)) : NULL;
	for (const char *u = units; unit && u <= unit && good; u++)
		good = !__builtin_mul_overflow(v, 1000, &v);
	p += unit ? 1 : 0;
	if (!good || (*p && strcasecmp(p, "bit")) || (v && v < 8))
		return err_set(err, -EINVAL,
			       "'%s' is no rate; write bits a second as 500kbit, 1mbit or 2G, or 0 for no limit", text);
	*ret_bits = v;
	return 0;
}

int fault_clock_parse(const char *text, int64_t *ret_s, struct err *err)
{
	const char *digits = text + (*text == '+' || *text == '-');
	int64_t us = 0;

	if (!isdigit((unsigned char)*digits) || (*digits != '0' && digits == text) || unit_time_us(digits, &us, NULL) ||
	    (us && (us % SEC_US || us / SEC_US > CLOCK_MAX_S)))
		return err_set(err, -EINVAL,
			       "'%s' is no change of a clock; write +1h, -90s or 0: whole seconds, with a sign", text);
	*ret_s = (*text == '-' ? -us : us) / SEC_US;
	return 0;
}
