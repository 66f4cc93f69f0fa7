/* lustre.c - see lustre.h */
#include "plugins/lustre.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/xalloc.h"

/* -- what is wanted ------------------------------------------------------------------------------------------------ */

static const struct suffix {
	const char *text;
	enum lustre_col col;
} suffixes[] = {
	{ ".sum", LUSTRE_SUM },  { "__count", LUSTRE_COUNT }, { "__min", LUSTRE_MIN },
	{ "__max", LUSTRE_MAX }, { "__sum", LUSTRE_SUM },     { "__sumsqs", LUSTRE_SUMSQ },
};

/* Which column is that metric, and where does its name end? */
static enum lustre_col column_of(const char *metric, size_t *len)
{
	*len = strlen(metric);
	for (size_t i = 0; i < sizeof(suffixes) / sizeof(*suffixes); i++) {
		size_t n = strlen(suffixes[i].text);

		if (*len <= n || strcmp(metric + *len - n, suffixes[i].text))
			continue;
		*len -= n;
		return suffixes[i].col;
	}
	return LUSTRE_COUNT;
}

static struct lustre_key *key_get(struct lustre_keys *keys, const char *name, size_t len)
{
	struct lustre_key *k;

	for (size_t i = 0; i < keys->n; i++)
		if (keys->v[i].len == len + 1 && !memcmp(keys->v[i].word, name, len))
			return &keys->v[i];
	if (keys->n == keys->cap) {
		keys->cap = keys->cap ? 2 * keys->cap : 32;
		keys->v = xrealloc(keys->v, keys->cap * sizeof(*keys->v));
	}
	k = &keys->v[keys->n++];
	*k = (struct lustre_key){ .len = (uint32_t)len + 1, .at = { -1, -1, -1, -1, -1 } };
	assert(len + 1 + sizeof(uint64_t) <= sizeof(k->word));
	memcpy(k->word, name, len);
	k->word[len] = ' ';
	return k;
}

void lustre_keys_add(struct lustre_keys *keys, const char *metric)
{
	size_t len;
	enum lustre_col col = column_of(metric, &len);

	key_get(keys, metric, len)->at[col] = (int16_t)keys->slots++;
}

void lustre_keys_either(struct lustre_keys *keys, const char *name)
{
	struct lustre_key *k = key_get(keys, name, strlen(name));

	k->at[LUSTRE_COUNT] = (int16_t)keys->slots++;
	k->either = true;
}

void lustre_keys_fini(struct lustre_keys *keys)
{
	free(keys->v);
	*keys = (struct lustre_keys){ 0 };
}

static const struct lustre_key *key_find(const struct lustre_keys *keys, size_t *next, const char *p)
{
	for (size_t i = 0; i < keys->n; i++) {
		const struct lustre_key *k = &keys->v[*next];

		*next = *next + 1 < keys->n ? *next + 1 : 0;
		if (proc_starts(p, k->word, k->len))
			return k;
	}
	return NULL;
}

/* -- what is there ------------------------------------------------------------------------------------------------- */

int lustre_stats_open(struct lustre_stats *st, const char *path, struct err *err)
{
	return proc_open(&st->file, "", path, err);
}

void lustre_stats_close(struct lustre_stats *st)
{
	proc_close(&st->file);
	cells_fini(&st->cells);
}

/* The number at *p into the slot; it may be negative, which is an overflow. */
static bool number_learn(struct lustre_stats *st, const char **p, uint64_t *slot)
{
	const char *from = *p, *minus = proc_blanks(from), *digits = minus + 1;
	uint64_t v;

	if (*minus != '-')
		return cells_number(&st->cells, p, slot);
	if (!proc_is_digit(*digits))
		return false;
	v = proc_digits(&digits);
	*slot = htole64(0 - v);
	*p = digits;
	cells_add(&st->cells, from, digits, slot); /* no number to the cells: if it changes, all is learnt anew */
	return true;
}

/* From behind the count to the first of the further numbers: over "samples [unit]". */
static const char *units_skip(const char *p)
{
	p = proc_behind_word(proc_blanks(p));
	return proc_behind_word(proc_blanks(p));
}

/* The columns that the numbers at p are; p is behind the name. */
static int columns_count(const char *p)
{
	uint64_t v;
	int n = 0;

	while (n < LUSTRE_COLS) {
		const char *minus = proc_blanks(p);

		p = *minus == '-' ? minus + 1 : p;
		if (!proc_number(&p, &v))
			break;
		if (!n++ && *p != ' ')
			break;
		if (n == 1)
			p = units_skip(p);
	}
	return n;
}

/* The line at p, of which the numbers begin at q. */
static void line_learn(struct lustre_stats *st, const struct lustre_key *k, const char *q, uint64_t *slots)
{
	int n = columns_count(q), last = -1;
	enum lustre_col sum = k->either && n > LUSTRE_SUM ? LUSTRE_SUM : LUSTRE_COUNT;
	int16_t at[LUSTRE_COLS];

	memcpy(at, k->at, sizeof(at));
	if (sum != LUSTRE_COUNT) {
		at[sum] = at[LUSTRE_COUNT];
		at[LUSTRE_COUNT] = -1;
	}
	for (int col = 0; col < n; col++)
		last = at[col] >= 0 ? col : last;
	for (int col = 0; col <= last; col++) {
		if (!number_learn(st, &q, at[col] >= 0 ? &slots[at[col]] : &st->spare))
			break;
		if (!col && last) { /* this must stay: a cell that is no number does */
			const char *from = q;

			q = units_skip(q);
			cells_add(&st->cells, from, q, &st->spare);
		}
	}
	/* a line with a count alone may get other columns one day, and that must be seen */
	if (last >= 0 && (n > 1 || *q != ' '))
		cells_loose(&st->cells, q);
}

static void stats_learn(struct lustre_stats *st, const struct lustre_keys *keys, uint64_t *slots)
{
	size_t next = 0;

	memset(slots, 0, keys->slots * sizeof(*slots));
	cells_begin(&st->cells);
	for (const char *p = st->file.buf; *p; p = proc_next_line(p)) {
		const struct lustre_key *k = key_find(keys, &next, p);

		cells_line(&st->cells, p);
		if (k)
			line_learn(st, k, p + k->len, slots);
		else
			cells_loose(&st->cells, p + proc_word(p, ' '));
	}
	cells_end(&st->cells, &st->file);
}

int lustre_stats_read(struct lustre_stats *st, const struct lustre_keys *keys, uint64_t *slots, struct err *err)
{
	int rc = proc_read(&st->file, err);

	if (rc || cells_update(&st->cells, &st->file))
		return rc;
	if (strncmp(st->file.buf, "snapshot_time", strlen("snapshot_time")))
		return err_set(err, -EPROTO,
			       "%s: does not begin with snapshot_time; is it a statistics file of Lustre?",
			       st->file.path);
	stats_learn(st, keys, slots);
	return 0;
}

size_t lustre_fs_name(const char *name, size_t len)
{
	const char *dash = memrchr(name, '-', len);

	return dash ? (size_t)(dash - name) : len;
}
