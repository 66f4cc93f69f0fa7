/* pool.c - see pool.h
 *
 * A chunk of mapped memory is a run of blocks; every block is a multiple of 64 bytes and begins 16 bytes before a
 * multiple of 64, so that what is given out stands on one.  A header knows its own size and its left neighbour's, which
 * is all that joining free neighbours needs:
 *
 *   0    struct chunk
 *   48   struct block, then its bytes: 64 ...
 *   ...  struct block, then its bytes
 *   end - 16   a header of a used block without bytes: the end
 *
 * Free blocks stand in bins, four for each power of two, by the size in grains of 64 bytes.  Their bytes are all zero
 * but for the two links, so giving out is not clearing: memory that no set ever wrote stays unmapped pages of the
 * kernel.
 */
#include "core/set/pool.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/base/xalloc.h"

#define GRAIN     ((size_t)64)
#define CHUNK_SZ  ((size_t)256 << 10)          /* some 300 sets of loadavg; a larger request gets a chunk of its own */
#define CHUNK_MAX ((size_t)UINT32_MAX * GRAIN) /* what a header can count */
#define BINS      128                          /* 4 for each power of two of 32 bits */

struct block {
	uint32_t grains; /* this header included */
	uint32_t left;   /* grains of the block to the left; 0: this is the chunk's first */
	uint64_t used;
};

struct free_block {
	struct block b;
	struct free_block *next, **prev;
};

struct chunk {
	struct chunk *next, **prev;
	size_t size;
	uint64_t pad[3];
};

static_assert(sizeof(struct block) == 16, "the overhead that is promised");
static_assert(sizeof(struct chunk) + sizeof(struct block) == GRAIN, "what is given out stands on multiples of 64");
static_assert(sizeof(struct free_block) <= GRAIN, "the links of a free block stand inside it");

#define CHUNK_OVERHEAD (sizeof(struct chunk) + sizeof(struct block))

struct pool {
	pthread_mutex_t lock;
	struct chunk *chunks;
	struct free_block *bins[BINS];
	uint64_t filled[BINS / 64]; /* a bit for each bin that holds a block */
	size_t page;
	/* written under the lock; read by anyone */
	_Atomic size_t used, count, mapped, ceiling;
};

/* -- bins ---------------------------------------------------------------------------------------------------------- */

/* 1, 2, 3 grains have bins of their own; then 4 5 6 7, 8-9 10-11 12-13 14-15, ... */
static unsigned int bin_of(uint32_t grains)
{
	unsigned int log;

	if (grains < 4)
		return grains;
	log = 31 - (unsigned int)__builtin_clz(grains);
	return 4 * (log - 1) + ((grains >> (log - 2)) & 3);
}

static void bin_add(struct pool *p, struct block *b)
{
	struct free_block *f = (struct free_block *)b, **bin = &p->bins[bin_of(b->grains)];

	b->used = 0;
	f->next = *bin;
	f->prev = bin;
	if (f->next)
		f->next->prev = &f->next;
	*bin = f;
	p->filled[bin_of(b->grains) / 64] |= UINT64_C(1) << bin_of(b->grains) % 64;
}

static void bin_del(struct pool *p, struct block *b)
{
	struct free_block *f = (struct free_block *)b;
	unsigned int bin = bin_of(b->grains);

	*f->prev = f->next;
	if (f->next)
		f->next->prev = f->prev;
	f->next = NULL; /* all zero again */
	f->prev = NULL;
	if (!p->bins[bin])
		p->filled[bin / 64] &= ~(UINT64_C(1) << bin % 64);
}

static struct block *bin_find(const struct pool *p, uint32_t grains)
{
	unsigned int bin = bin_of(grains);
	struct free_block *f;
	uint64_t bits;

	for (f = p->bins[bin]; f; f = f->next)
		if (f->b.grains >= grains)
			return &f->b;
	/* the next bin that is filled: any block there is enough */
	for (bin++; bin < BINS; bin = (bin / 64 + 1) * 64) {
		bits = p->filled[bin / 64] >> bin % 64;
		if (bits)
			return &p->bins[bin + (unsigned int)__builtin_ctzll(bits)]->b;
	}
	return NULL;
}

/* -- blocks -------------------------------------------------------------------------------------------------------- */

static struct block *right_of(struct block *b)
{
	return (struct block *)((uint8_t *)b + b->grains * GRAIN);
}

static struct block *left_of(struct block *b)
{
	return (struct block *)((uint8_t *)b - b->left * GRAIN);
}

/* Keep the first `grains` of a free block that is in no bin; the rest becomes a free block. */
static void block_split(struct pool *p, struct block *b, uint32_t grains)
{
	struct block *rest;

	if (b->grains == grains)
		return;
	rest = (struct block *)((uint8_t *)b + grains * GRAIN);
	rest->grains = b->grains - grains;
	rest->left = grains;
	b->grains = grains;
	right_of(rest)->left = rest->grains;
	bin_add(p, rest);
}

/* Join with the block to the right; its header becomes zero bytes of this one. */
static void block_join(struct block *b)
{
	struct block *right = right_of(b);

	b->grains += right->grains;
	memset(right, 0, sizeof(*right));
	right_of(b)->left = b->grains;
}

/* Make it zero, without making pages that were never written: reading those costs no memory. */
static void zero_written(uint8_t *from, size_t len, size_t page)
{
	while (len) {
		size_t n = page - (uintptr_t)from % page;

		if (n > len)
			n = len;
		if (*from || memcmp(from, from + 1, n - 1))
			memset(from, 0, n);
		from += n;
		len -= n;
	}
}

/* -- chunks -------------------------------------------------------------------------------------------------------- */

/* A new free block of at least that size, in no bin. */
static struct block *chunk_add(struct pool *p, uint32_t grains)
{
	size_t need = grains * GRAIN + CHUNK_OVERHEAD, size, left = SIZE_MAX;
	struct chunk *c;
	struct block *b;

	if (p->ceiling)
		left = p->ceiling > p->mapped ? (p->ceiling - p->mapped) / p->page * p->page : 0;
	size = need <= CHUNK_SZ ? CHUNK_SZ : (need + p->page - 1) / p->page * p->page;
	if (size > left && need <= left)
		size = left; /* the last one, smaller */
	if (size > left || size > CHUNK_MAX)
		return NULL;
	c = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (c == MAP_FAILED)
		return NULL;
	c->size = size;
	c->next = p->chunks;
	c->prev = &p->chunks;
	if (c->next)
		c->next->prev = &c->next;
	p->chunks = c;
	p->mapped += size;

	b = (struct block *)(c + 1);
	b->grains = (uint32_t)((size - CHUNK_OVERHEAD) / GRAIN);
	right_of(b)->left = b->grains;
	right_of(b)->used = 1;
	return b;
}

static void chunk_del(struct pool *p, struct chunk *c)
{
	*c->prev = c->next;
	if (c->next)
		c->next->prev = c->prev;
	p->mapped -= c->size;
	munmap(c, c->size);
}

/* Nothing left in it, and not the one ordinary chunk that stays: a set made anew shall not map and unmap each time. */
static bool chunk_is_surplus(const struct pool *p, const struct block *b, const struct chunk *c)
{
	if (b->left || b->grains * GRAIN + CHUNK_OVERHEAD != c->size)
		return false; /* not empty */
	return p->chunks != c || c->next || c->size > CHUNK_SZ;
}

/* -- the pool ------------------------------------------------------------------------------------------------------ */

struct pool *pool_new(size_t ceiling_bytes)
{
	struct pool *p = xcalloc(1, sizeof(*p));

	pthread_mutex_init(&p->lock, NULL);
	p->page = (size_t)sysconf(_SC_PAGESIZE);
	p->ceiling = ceiling_bytes;
	return p;
}

void pool_free(struct pool *p)
{
	if (!p)
		return;
	assert(p->used == 0);
	while (p->chunks)
		chunk_del(p, p->chunks);
	pthread_mutex_destroy(&p->lock);
	free(p);
}

static void say_full(const struct pool *p, size_t size, struct err *err)
{
	size_t ceiling = p->ceiling;

	if (ceiling)
		err_set(err, -ENOMEM,
			"set memory: %zu bytes do not fit: %zu bytes are used, %zu mapped, of the ceiling of %zu; "
			"raise --mem",
			size, (size_t)p->used, (size_t)p->mapped, ceiling);
	else
		err_set(err, -ENOMEM,
			"set memory: the system has no %zu bytes: %zu bytes are used, %zu mapped, without a ceiling "
			"(--mem); give "
			"the machine more memory or the daemon fewer sets",
			size, (size_t)p->used, (size_t)p->mapped);
}

void *pool_alloc(struct pool *p, size_t size, struct err *err)
{
	struct block *b = NULL;
	uint32_t grains;

	if (size <= CHUNK_MAX - CHUNK_OVERHEAD - GRAIN) {
		grains = (uint32_t)((size + sizeof(*b) + GRAIN - 1) / GRAIN);
		pthread_mutex_lock(&p->lock);
		b = bin_find(p, grains);
		if (b)
			bin_del(p, b);
		else
			b = chunk_add(p, grains);
		if (b) {
			block_split(p, b, grains);
			b->used = 1;
			p->used += b->grains * GRAIN;
			p->count++;
		}
		pthread_mutex_unlock(&p->lock);
	}
	if (!b) {
		say_full(p, size, err);
		return NULL;
	}
	return b + 1;
}

void pool_put(struct pool *p, void *mem)
{
	struct block *b;

	if (!mem)
		return;
	b = (struct block *)mem - 1;
	zero_written(mem, b->grains * GRAIN - sizeof(*b), p->page);
	pthread_mutex_lock(&p->lock);
	assert(b->used);
	p->used -= b->grains * GRAIN;
	p->count--;
	if (!right_of(b)->used) {
		bin_del(p, right_of(b));
		block_join(b);
	}
	if (b->left && !left_of(b)->used) {
		b = left_of(b);
		bin_del(p, b);
		block_join(b);
	}
	if (!b->left && chunk_is_surplus(p, b, (struct chunk *)b - 1))
		chunk_del(p, (struct chunk *)b - 1);
	else
		bin_add(p, b);
	pthread_mutex_unlock(&p->lock);
}

size_t pool_used(const struct pool *p)
{
	return p->used;
}

size_t pool_count(const struct pool *p)
{
	return p->count;
}

size_t pool_mapped(const struct pool *p)
{
	return p->mapped;
}

size_t pool_ceiling(const struct pool *p)
{
	return p->ceiling;
}

void pool_ceiling_set(struct pool *p, size_t ceiling_bytes)
{
	p->ceiling = ceiling_bytes;
}
