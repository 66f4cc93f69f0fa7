/* row_shape.c - is this set of the shape that a cut was made for, and where do its values stand?
 *
 * Both are read from the metric descriptors.  Reading them anew for each snapshot would cost more than writing the row
 * does, so the cut remembers the descriptors it read last, as bytes, and what they said: a snapshot with the same bytes
 * there (compared, not trusted) has its values at the same places.  Sets of one schema differ in the length of their
 * instance names, which shifts the descriptors, or what is behind them, by multiples of 8: there are a few such
 * memories, and the oldest makes room.
 * Each has a mark of its own; metadata that several snapshots share are compared once, and then bear it.
 */
#include <stdlib.h>

#include "core/base/xalloc.h"
#include "core/set/layout.h"
#include "store/row_impl.h"

static void shape_add(struct buf *b, const char *name, enum value_type type, uint32_t count)
{
	buf_add(b, name, strlen(name) + 1);
	buf_u8(b, (uint8_t)type);
	buf_raw32(b, value_is_array(type) ? count : 1);
}

bool row_shape_write(const struct row_cut *c, const struct set_meta *m, struct buf *b)
{
	uint32_t card = image_card(m);

	buf_reset(b);
	for (uint32_t i = 0; i < c->schema->n_cols; i++) {
		const struct metric_desc *d;

		if (c->src[i].kind == SRC_MEMBER || c->src[i].kind == SRC_ENTRY)
			continue; /* of the metric before */
		if (c->src[i].metric >= card)
			return false;
		d = desc_of(m, c->src[i].metric);
		shape_add(b, d->name_unit, d->type, desc_count(d));
	}
	for (uint32_t k = 0; k < c->n_types; k++) {
		uint32_t type = c->types[k];

		if (type >= card || desc_of(m, type)->type != V_RECORD_TYPE)
			return false;
		for (uint32_t i = 0, n = record_card(m, type); i < n; i++) {
			struct metric member = record_member(m, type, i);

			shape_add(b, member.name, member.type, member.count);
		}
	}
	return true;
}

static bool shape_same(const struct buf *a, const struct buf *b)
{
	return a->len == b->len && (!a->len || !memcmp(a->p, b->p, a->len));
}

static bool names_fit(const struct row_cut *c, const struct set_meta *m)
{
	const uint8_t *digest = image_digest(m);

	return !digest == !c->has_digest && (!digest || !memcmp(digest, c->digest, DIGEST_LEN)) &&
	       !strcmp(image_schema(m), c->set_schema);
}

/* -- memories of descriptors --------------------------------------------------------------------------------------- */

static void span_set(struct span *s, const struct set_meta *m, uint32_t off, uint32_t end)
{
	s->off = off;
	buf_reset(&s->bytes);
	buf_add(&s->bytes, (const uint8_t *)m + off, end - off);
}

static bool span_is(const struct span *s, const struct set_meta *m)
{
	return !s->bytes.len || !memcmp(s->bytes.p, (const uint8_t *)m + s->off, s->bytes.len);
}

static bool types_are(const struct row_cut *c, const struct seen *s, const struct set_meta *m)
{
	for (uint32_t i = 0; i < c->n_types; i++)
		if (!span_is(&s->types[i], m))
			return false;
	return true;
}

static bool seen_is(const struct row_cut *c, const struct seen *s, const struct set_meta *m)
{
	return s->places && s->card == m->card && s->meta_sz == m->meta_sz && s->data_sz == m->data_sz &&
	       s->heap_sz == m->heap_sz && span_is(&s->dict, m) && span_is(&s->descs, m) && types_are(c, s, m);
}

static uint32_t desc_end(const struct metric_desc *d, uint32_t at)
{
	return at + (uint32_t)offsetof(struct metric_desc, name_unit) + d->name_unit_len;
}

static void span_set_record(struct span *s, const struct set_meta *m, uint32_t metric)
{
	const struct record_type *rt = record_type_at(m, metric);
	uint32_t at = le32toh(desc_of(m, metric)->off), card = le32toh(rt->card);
	uint32_t end = (uint32_t)(sizeof(*rt) + card * sizeof(*rt->dict));

	for (uint32_t i = 0; i < card; i++) {
		uint32_t d_at = le32toh(rt->dict[i]);
		uint32_t d_end = desc_end((const void *)((const uint8_t *)rt + d_at), d_at);

		end = d_end > end ? d_end : end;
	}
	span_set(s, m, at, at + end);
}

/* It continues the last place, if that is not below `from`, or is one by itself. */
static void place_add(struct seen *s, uint32_t col, uint32_t off, uint32_t from)
{
	struct place *last = s->n_places > from ? &s->places[s->n_places - 1] : NULL;

	if (last && col == last->col + last->n && off == last->off + PLACE_STEP * last->n)
		last->n++;
	else
		s->places[s->n_places++] = (struct place){ col, off, 1 };
}

/* Remember these metadata, which fit. */
static void seen_set(struct row_cut *c, struct seen *s, const struct set_meta *m)
{
	static _Atomic uint64_t marks = 1;
	uint32_t lo = UINT32_MAX, end = 0;

	s->mark = atomic_fetch_add_explicit(&marks, 1, memory_order_relaxed) * SEEN_N + (uint64_t)(s - c->seen);
	s->card = m->card;
	s->meta_sz = m->meta_sz;
	s->data_sz = m->data_sz;
	s->heap_sz = m->heap_sz;
	s->plain = true;
	if (!s->places) {
		s->places = xcalloc(c->schema->n_cols + 1, sizeof(*s->places));
		s->types = xcalloc(c->n_types + 1, sizeof(*s->types));
	}
	s->n_places = 0;
	for (int meta = 1; meta >= 0; meta--) {
		for (uint32_t i = 0; i < c->schema->n_cols; i++) {
			const struct metric_desc *d = desc_of(m, c->src[i].metric);

			if (c->src[i].kind != SRC_METRIC || !!(d->flags & METRIC_META) != meta)
				continue;
			place_add(s, i, le32toh(d->off), meta ? 0 : s->n_meta);
			s->plain &= desc_available(d, le32toh(m->data_sz), le32toh(m->heap_sz));
		}
		if (meta)
			s->n_meta = s->n_places;
	}
	s->longest = s->n_meta;
	for (uint32_t i = s->n_meta; i < s->n_places; i++)
		if (s->places[i].n > s->places[s->longest].n)
			s->longest = i;
	for (uint32_t i = 0; i < c->schema->n_cols + c->n_types; i++) {
		uint32_t metric = i < c->schema->n_cols ? c->src[i].metric : c->types[i - c->schema->n_cols];
		uint32_t at = le32toh(m->dict[metric]), d_end = desc_end(desc_of(m, metric), at);

		lo = at < lo ? at : lo;
		end = d_end > end ? d_end : end;
	}
	span_set(&s->dict, m, META_HDR_SZ, META_HDR_SZ + 4 * image_card(m));
	if (end)
		span_set(&s->descs, m, lo, end);
	for (uint32_t i = 0; i < c->n_types; i++)
		span_set_record(&s->types[i], m, c->types[i]);
}

const struct seen *row_seen(struct row_cut *c, const struct set_meta *m)
{
	struct seen *s;

	if (!names_fit(c, m))
		return NULL;
	for (s = c->seen; s < c->seen + SEEN_N; s++)
		if (seen_is(c, s, m))
			return s;
	if (!row_shape_write(c, m, &c->other_shape) || !shape_same(&c->shape, &c->other_shape))
		return NULL;
	s = &c->seen[c->seen_next++ % SEEN_N];
	seen_set(c, s, m);
	return s;
}

const struct seen *row_seen_again(struct row_cut *c, struct snap_meta *m)
{
	const struct seen *s;

	for (int i = 0; i < SNAP_FITS; i++) {
		uint64_t mark = atomic_load_explicit(&m->fits[i], memory_order_relaxed);

		s = &c->seen[mark % SEEN_N];
		if (mark && s->mark == mark)
			return s;
	}
	s = row_seen(c, (const struct set_meta *)m->bytes);
	if (s)
		atomic_store_explicit(&m->fits[s->mark / SEEN_N % SNAP_FITS], s->mark, memory_order_relaxed);
	return s;
}

bool row_cut_fits(struct row_cut *c, const struct set_meta *m)
{
	return row_seen(c, m);
}

void row_seen_fini(struct row_cut *c)
{
	for (size_t i = 0; i < SEEN_N; i++) {
		buf_fini(&c->seen[i].dict.bytes);
		buf_fini(&c->seen[i].descs.bytes);
		for (uint32_t k = 0; k < c->n_types && c->seen[i].types; k++)
			buf_fini(&c->seen[i].types[k].bytes);
		free(c->seen[i].types);
		free(c->seen[i].places);
	}
}
