/* list.c - the writer of the lists of a local set; see set.h.  (Readers: image.c.)
 *
 * ldmsd's heap is an allocator with two trees in it.  Here each list has a share of the heap for itself, as large as
 * its schema reserved, and its entries stand there one behind the other: appending is moving a mark, clearing is moving
 * it back.  So a list that is rebuilt each time always finds the same places, whatever the other lists do, nothing is
 * ever lost to holes, and a list that fitted once fits again.
 *
 *   share      8 bytes nobody uses (in the first share: the heap's signature), 4 to get to offset 12, then
 *   entry      list_entry, value (a multiple of 8), 4 bytes: values stand on multiples of 8
 *   entry      ...
 */
#include "core/set/set_impl.h"

#define FIRST_ENTRY 12 /* from the start of a share: signature and the entry's place on 4 beyond a multiple of 8 */

static_assert((FIRST_ENTRY + sizeof(struct list_entry)) % 8 == 0, "values are aligned");

static struct arena *arena_of(const struct set *s, int i)
{
	struct writer *w = set_writer(s);
	struct arena *a = w->arenas;

	assert(set_desc(s, i)->type == V_LIST);
	while (a->metric != (uint32_t)i)
		a++;
	return a;
}

static uint8_t *heap_of(const struct set *s)
{
	return (uint8_t *)s->work + set_heap_off(s);
}

static void heap_changed(struct set *s)
{
	s->work->heap_gn = htole32(le32toh(s->work->heap_gn) + 1);
}

static uint32_t after(uint32_t off, size_t value_sz)
{
	return off + (uint32_t)(sizeof(struct list_entry) + value_sz) + 4;
}

void list_clear(struct set *s, int i)
{
	struct list_head *list = (struct list_head *)set_work(s, i);

	if (!list->len)
		return;
	arena_of(s, i)->next = arena_of(s, i)->start + FIRST_ENTRY;
	memset(list, 0, sizeof(*list));
	heap_changed(s);
}

/* An entry at the end of the list, with `value_sz` bytes of zero; NULL: no room. */
static struct list_entry *append(struct set *s, int i, enum value_type t, uint32_t count, size_t value_sz)
{
	struct list_head *list = (struct list_head *)set_work(s, i);
	struct arena *a = arena_of(s, i);
	uint32_t off = a->next;
	struct list_entry *e;

	if (!span_within(off, sizeof(*e) + value_sz, a->start, a->end))
		return NULL;
	e = (struct list_entry *)(heap_of(s) + off);
	e->next = 0;
	e->prev = list->last;
	e->type_count = htole32((uint32_t)t | count << 8);
	memset(e->value, 0, value_sz);
	if (list->last)
		((struct list_entry *)(heap_of(s) + le32toh(list->last)))->next = htole32(off);
	else
		list->first = htole32(off);
	list->last = htole32(off);
	list->len = htole32(le32toh(list->len) + 1);
	a->next = after(off, value_sz);
	if (a->high < a->next - 4)
		a->high = a->next - 4;
	heap_changed(s);
	return e;
}

void *list_append(struct set *s, int i, enum value_type t, uint32_t count)
{
	struct list_entry *e;

	assert(value_elem_size(t) && count < 1u << 24);
	e = append(s, i, t, value_is_array(t) ? count : 1, value_size(t, count));
	return e ? e->value : NULL;
}

struct record *list_append_record(struct set *s, int i, int record)
{
	size_t inst_sz = le32toh(set_record_type(s, (uint32_t)record)->inst_sz);
	struct list_entry *e = append(s, i, V_RECORD_INST, 1, inst_sz);

	if (!e)
		return NULL;
	record_init(s, (struct record_head *)e->value, (uint32_t)record);
	return (struct record *)e->value;
}

static size_t entry_value_sz(const struct set *s, const struct list_entry *e)
{
	uint32_t word = le32toh(e->type_count);
	enum value_type t = word & 0xff;

	if (t == V_RECORD_INST)
		return le32toh(set_record_type(s, le32toh(((const struct record_head *)e->value)->type))->inst_sz);
	return value_size(t, word >> 8);
}

void list_resume(struct set *s)
{
	struct writer *w = set_writer(s);

	for (uint32_t i = 0; i < w->list_n; i++) {
		struct arena *a = &w->arenas[i];
		uint32_t last = le32toh(((struct list_head *)set_work(s, (int)a->metric))->last);

		a->next = a->start + FIRST_ENTRY;
		if (last)
			a->next = after(last, entry_value_sz(s, (struct list_entry *)(heap_of(s) + last)));
	}
}
