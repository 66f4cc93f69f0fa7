/* decomp_ops.c - operators: what a column makes of the earlier rows of its group
 *
 * A group is the rows that have the same values in the index columns.  Of each group the newest rows are kept, limit - 1
 * of them, by the order columns; with the row at hand they are the window that mean, min and max look at.  diff is the
 * row at hand less the newest row before it, 0 where there is none.
 *
 * A diff of unsigned numbers is that of a counter.  One that went down has either passed the end of its type (from its
 * last quarter into its first one: the diff goes on through the end), or has begun anew (the diff is 0, as for the first
 * row).  Signed and floating point numbers go down as they please.  The diff of times is never below 0.
 *
 *   slot    order[n_order], number of the row: u64 each, which compare as the values do
 *           is[n_ops]: is there a value?  a byte each, rounded up to 8
 *           the operators' values, each on a multiple of 8
 */
#include <stdlib.h>
#include <sys/queue.h>
#include <uthash.h>

#include "core/base/log.h"
#include "core/base/xalloc.h"
#include "store/decomp_impl.h"

#define GROUPS_MAX (1u << 18) /* of one row schema: the one that was idle longest goes */

struct group {
	UT_hash_handle hh;
	TAILQ_ENTRY(group) idle; /* longest first */
	int64_t used_us;
	uint32_t n, cap;
	uint8_t *slots;
	size_t key_len;
	uint8_t key[];
};

/* An operator's column. */
struct operand {
	uint32_t col, off; /* of its value in a slot */
	enum op op;
	enum value_type type;
	uint32_t count;
};

struct ops {
	struct ops *next;
	const struct decomp_row *row;
	struct row_schema *schema;
	struct operand *operands;
	uint32_t n;
	size_t is_off, slot_sz;
	struct group *groups;
	TAILQ_HEAD(, group) idle;
	struct buf key;
	struct group *now; /* that of the row at hand */
	uint8_t *slot;     /* the row at hand */
	uint64_t seq;
	bool full; /* said */
};

/* -- making and ending --------------------------------------------------------------------------------------------- */

static struct ops *ops_new(struct decomp_row *row, const struct row_schema *rs)
{
	struct ops *o = xcalloc(1, sizeof(*o));
	size_t off;

	o->row = row;
	o->schema = row_schema_get(rs);
	o->operands = xcalloc(row->n_ops, sizeof(*o->operands));
	TAILQ_INIT(&o->idle);
	o->is_off = (row->group.n_order + 1) * sizeof(uint64_t);
	off = o->is_off + VALUE_ROUND((size_t)row->n_ops);
	for (uint32_t i = 0; i < row->n_cols; i++) {
		if (row->cols[i].op == OP_NONE)
			continue;
		o->operands[o->n++] = (struct operand){ .col = i,
							.off = (uint32_t)off,
							.op = row->cols[i].op,
							.type = rs->cols[i].type,
							.count = rs->cols[i].count };
		off += value_size(rs->cols[i].type, rs->cols[i].count);
	}
	o->slot_sz = off;
	o->slot = xcalloc(1, off);
	return o;
}

struct ops *ops_get(struct decomp_row *row, const struct row_schema *rs)
{
	struct ops *o = row->ops;

	while (o && !row_schema_same(o->schema, rs))
		o = o->next;
	if (o)
		return o;
	o = ops_new(row, rs);
	o->next = row->ops;
	row->ops = o;
	return o;
}

static void group_free(struct ops *o, struct group *g)
{
	HASH_DEL(o->groups, g);
	TAILQ_REMOVE(&o->idle, g, idle);
	free(g->slots);
	free(g);
}

void ops_free(struct ops *o)
{
	while (o) {
		struct ops *next = o->next;

		while (!TAILQ_EMPTY(&o->idle))
			group_free(o, TAILQ_FIRST(&o->idle));
		row_schema_put(o->schema);
		buf_fini(&o->key);
		free(o->operands);
		free(o->slot);
		free(o);
		o = next;
	}
}

/* -- groups -------------------------------------------------------------------------------------------------------- */

static void key_add(struct buf *key, struct value v)
{
	const char *text;
	size_t n;

	buf_u8(key, (uint8_t)v.type);
	if (v.type == V_NONE)
		return;
	if (v.type == V_CHAR_ARRAY) {
		n = value_text(v, &text);
		buf_raw32(key, (uint32_t)n);
		buf_add(key, text, n);
	} else {
		buf_raw32(key, v.count);
		buf_add(key, v.p, v.count * value_elem_size(v.type));
	}
}

static struct group *group_new(struct ops *o)
{
	struct group *g;

	if (HASH_COUNT(o->groups) >= GROUPS_MAX) {
		if (!o->full)
			log_warning("store",
				    "row schema %s: more than %u groups of rows; those that are idle longest are "
				    "forgotten, "
				    "and begin anew; give the group a timeout, or an index that fewer rows differ in",
				    o->schema->name, GROUPS_MAX);
		o->full = true;
		group_free(o, TAILQ_FIRST(&o->idle));
	}
	g = xcalloc(1, sizeof(*g) + o->key.len);
	g->key_len = o->key.len;
	if (o->key.len)
		memcpy(g->key, o->key.p, o->key.len);
	HASH_ADD_KEYPTR(hh, o->groups, g->key, g->key_len, g);
	TAILQ_INSERT_TAIL(&o->idle, g, idle);
	return g;
}

static struct group *group_of(struct ops *o, const struct value *v, int64_t now_us)
{
	const struct decomp_group *conf = &o->row->group;
	struct group *g;

	while (conf->timeout_us && (g = TAILQ_FIRST(&o->idle)) && now_us - g->used_us > conf->timeout_us)
		group_free(o, g);
	buf_reset(&o->key);
	buf_reserve(&o->key, 1);
	for (uint32_t i = 0; i < conf->n_index; i++)
		key_add(&o->key, v[conf->index[i]]);
	HASH_FIND(hh, o->groups, o->key.p, o->key.len, g);
	if (!g)
		g = group_new(o);
	TAILQ_REMOVE(&o->idle, g, idle);
	TAILQ_INSERT_TAIL(&o->idle, g, idle);
	g->used_us = now_us;
	return g;
}

/* -- slots --------------------------------------------------------------------------------------------------------- */

static uint8_t *slot_at(const struct ops *o, const struct group *g, uint32_t i)
{
	return g->slots + i * o->slot_sz;
}

/* A number that compares as the value does; of an array the first element, of a text the first bytes. */
static uint64_t order_of(struct value v)
{
	const uint64_t sign = UINT64_C(1) << 63;
	uint64_t bits = 0;
	const char *text;
	double d;
	size_t n;

	if (v.type == V_NONE || !v.count)
		return 0;
	if (v.type == V_CHAR_ARRAY) {
		n = value_text(v, &text);
		memcpy(&bits, text, n < sizeof(bits) ? n : sizeof(bits));
		return be64toh(bits);
	}
	if (v.type == V_TIMESTAMP || value_elem_type(v.type) == V_U64)
		return (uint64_t)num_int(v, 0);
	if (!num_is_float(v.type))
		return (uint64_t)value_s64(v, 0) ^ sign;
	d = value_d64(v, 0);
	memcpy(&bits, &d, sizeof(bits));
	return bits & sign ? ~bits : bits | sign;
}

static uint64_t order_at(const uint8_t *slot, uint32_t i)
{
	uint64_t n;

	memcpy(&n, slot + i * sizeof(n), sizeof(n));
	return n;
}

static bool slot_before(const struct ops *o, const uint8_t *a, const uint8_t *b)
{
	for (uint32_t i = 0; i <= o->row->group.n_order; i++)
		if (order_at(a, i) != order_at(b, i))
			return order_at(a, i) < order_at(b, i);
	return false;
}

static void slot_set(struct ops *o, const struct value *v)
{
	const struct decomp_group *conf = &o->row->group;
	uint64_t n;

	for (uint32_t i = 0; i <= conf->n_order; i++) {
		n = i < conf->n_order ? order_of(v[conf->order[i]]) : ++o->seq;
		memcpy(o->slot + i * sizeof(n), &n, sizeof(n));
	}
	for (uint32_t i = 0; i < o->n; i++) {
		const struct operand *a = &o->operands[i];
		const struct value *x = &v[a->col];
		size_t elem = value_elem_size(a->type), have = x->count < a->count ? x->count : a->count;

		o->slot[o->is_off + i] = x->type != V_NONE;
		memset(o->slot + a->off, 0, value_size(a->type, a->count));
		if (x->type != V_NONE)
			memcpy(o->slot + a->off, x->p, have * elem);
	}
}

static struct value slot_value(const struct ops *o, const uint8_t *slot, uint32_t i)
{
	const struct operand *a = &o->operands[i];

	return (struct value){ slot[o->is_off + i] ? a->type : V_NONE, a->count, slot + a->off };
}

void ops_keep(struct ops *o)
{
	uint32_t keep = o->row->group.limit - 1, oldest = 0;
	struct group *g = o->now;

	if (!keep)
		return;
	if (g->n < keep) {
		if (g->n == g->cap) {
			g->cap = g->cap ? 2 * g->cap : 1;
			g->slots = xrealloc(g->slots, g->cap * o->slot_sz);
		}
		memcpy(slot_at(o, g, g->n++), o->slot, o->slot_sz);
		return;
	}
	for (uint32_t i = 1; i < g->n; i++)
		if (slot_before(o, slot_at(o, g, i), slot_at(o, g, oldest)))
			oldest = i;
	if (slot_before(o, slot_at(o, g, oldest), o->slot))
		memcpy(slot_at(o, g, oldest), o->slot, o->slot_sz);
}

/* -- operators ----------------------------------------------------------------------------------------------------- */

/* The newest row before the one at hand that has a value; NULL: none. */
static const uint8_t *slot_previous(const struct ops *o, uint32_t i)
{
	const uint8_t *best = NULL;

	for (uint32_t k = 0; k < o->now->n; k++) {
		const uint8_t *s = slot_at(o, o->now, k);

		if (s[o->is_off + i] && slot_before(o, s, o->slot) && (!best || slot_before(o, best, s)))
			best = s;
	}
	return best;
}

static __int128 counter_diff(enum value_type type, __int128 now, __int128 before)
{
	unsigned int bits = 8 * (unsigned int)value_elem_size(type);
	__int128 end = (__int128)1 << bits, quarter = end / 4;

	if (now >= before)
		return now - before;
	return before >= end - quarter && now < quarter ? now + end - before : 0;
}

static bool is_unsigned(enum value_type type)
{
	type = value_elem_type(type);
	return type == V_U8 || type == V_U16 || type == V_U32 || type == V_U64;
}

static void apply_diff(const struct ops *o, uint32_t i, struct value now, uint8_t *room)
{
	const uint8_t *slot = slot_previous(o, i);
	enum value_type type = o->operands[i].type;
	struct value before;
	__int128 n;

	if (!slot)
		return; /* zeros */
	before = slot_value(o, slot, i);
	for (uint32_t k = 0; k < now.count; k++) {
		if (num_is_float(type)) {
			num_put_float(room, type, k, value_d64(now, k) - value_d64(before, k));
			continue;
		}
		if (is_unsigned(type))
			n = counter_diff(value_elem_type(type), num_int(now, k), num_int(before, k));
		else
			n = num_int(now, k) - num_int(before, k);
		num_put_int(room, type, k, type == V_TIMESTAMP && n < 0 ? 0 : n);
	}
}

static void apply_ints(const struct ops *o, uint32_t i, uint32_t k, struct value now, uint8_t *room)
{
	const struct operand *a = &o->operands[i];
	__int128 sum = num_int(now, k), min = sum, max = sum, n;
	uint32_t count = 1;

	for (uint32_t s = 0; s < o->now->n; s++) {
		struct value v = slot_value(o, slot_at(o, o->now, s), i);

		if (v.type == V_NONE)
			continue;
		n = num_int(v, k);
		sum += n;
		min = n < min ? n : min;
		max = n > max ? n : max;
		count++;
	}
	num_put_int(room, a->type, k, a->op == OP_MIN ? min : a->op == OP_MAX ? max : sum / count);
}

static void apply_floats(const struct ops *o, uint32_t i, uint32_t k, struct value now, uint8_t *room)
{
	const struct operand *a = &o->operands[i];
	double sum = value_d64(now, k), min = sum, max = sum, n;
	uint32_t count = 1;

	for (uint32_t s = 0; s < o->now->n; s++) {
		struct value v = slot_value(o, slot_at(o, o->now, s), i);

		if (v.type == V_NONE)
			continue;
		n = value_d64(v, k);
		sum += n;
		min = n < min ? n : min;
		max = n > max ? n : max;
		count++;
	}
	num_put_float(room, a->type, k, a->op == OP_MIN ? min : a->op == OP_MAX ? max : sum / count);
}

void ops_apply(struct ops *o, struct part *p, int64_t now_us)
{
	o->now = group_of(o, p->v, now_us);
	slot_set(o, p->v);
	for (uint32_t i = 0; i < o->n; i++) {
		const struct operand *a = &o->operands[i];
		struct value now = slot_value(o, o->slot, i);
		uint8_t *room = p->cols[a->col].room;

		if (now.type == V_NONE)
			continue;
		memset(room, 0, value_size(a->type, a->count));
		if (a->op == OP_DIFF)
			apply_diff(o, i, now, room);
		for (uint32_t k = 0; a->op != OP_DIFF && k < a->count; k++)
			num_is_float(a->type) ? apply_floats(o, i, k, now, room) : apply_ints(o, i, k, now, room);
		p->v[a->col] = (struct value){ a->type, a->count, room };
	}
}
