/* strgp_queue.c - the snapshots of a storage policy that wait for its worker. */
#include <stdlib.h>

#include "core/base/xalloc.h"
#include "core/daemon/strgp_impl.h"

#define RING_MIN 64

static struct strgp_waiting *ring_slot(struct strgp_queue *q, size_t i)
{
	return &q->ring[(q->head + i) & (q->cap - 1)];
}

static void ring_grow(struct strgp_queue *q)
{
	size_t cap = q->cap ? 2 * q->cap : RING_MIN;
	struct strgp_waiting *ring = xcalloc(cap, sizeof(*ring));

	for (size_t i = 0; i < q->n; i++)
		ring[i] = *ring_slot(q, i);
	free(q->ring);
	q->ring = ring;
	q->cap = cap;
	q->head = 0;
}

void queue_push(struct strgp_queue *q, struct snap *sn, int64_t now_us)
{
	if (q->n == q->cap)
		ring_grow(q);
	*ring_slot(q, q->n) = (struct strgp_waiting){ sn, now_us, snap_bytes(sn) };
	q->bytes += ring_slot(q, q->n)->bytes;
	q->n++;
}

struct snap *queue_pop(struct strgp_queue *q)
{
	struct snap *sn;

	if (!q->n)
		return NULL;
	sn = ring_slot(q, 0)->sn;
	q->bytes -= queue_first_bytes(q);
	q->head = (q->head + 1) & (q->cap - 1);
	q->n--;
	q->rows_done = 0;
	return sn;
}

void queue_unpop(struct strgp_queue *q, struct snap *const *sn, size_t n, int64_t since_us, uint32_t rows_done)
{
	while (n) {
		if (q->n == q->cap)
			ring_grow(q);
		q->head = (q->head - 1) & (q->cap - 1);
		*ring_slot(q, 0) = (struct strgp_waiting){ sn[--n], since_us, snap_bytes(sn[n]) };
		q->n++;
		q->bytes += queue_first_bytes(q);
	}
	q->rows_done = rows_done;
}

uint64_t queue_first_bytes(const struct strgp_queue *q)
{
	return q->ring[q->head].bytes;
}

int64_t queue_since(const struct strgp_queue *q)
{
	int64_t since_us = q->n ? q->ring[q->head].since_us : 0;

	return since_us ? since_us : INT64_MAX;
}

void queue_fini(struct strgp_queue *q)
{
	free(q->ring);
	*q = (struct strgp_queue){ 0 };
}
