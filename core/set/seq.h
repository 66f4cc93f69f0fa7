/* seq.h - the sequence lock of a set's image, and copying in and out of it.
 *
 * The number is odd while a writer copies.  A reader copies what it wants and then looks whether the number is still
 * the one it began with; if not, it does so again.  Nothing is ever read or written but by atomic operations, and the
 * order comes from them alone: stores release, so that none is seen before the number went odd; loads acquire, so that
 * the second look at the number comes after all of them.  (No fences: the thread sanitizer does not know them.  On x86
 * these are plain moves.)
 *
 * Writers exclude each other by the same number: a META value may be changed while the sampler publishes.
 */
#ifndef CORE_SET_SEQ_H
#define CORE_SET_SEQ_H

#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define SEQ_SPINS 100 /* then the writer has lost its processor: give it ours */

typedef uint64_t __attribute__((may_alias)) seq_word;
typedef uint32_t __attribute__((may_alias)) seq_half;

/* Private memory, any alignment. */
static inline uint64_t seq_word_at(const void *from)
{
	uint64_t w;

	memcpy(&w, from, sizeof(w));
	return w;
}

static inline void seq_word_put(void *to, uint64_t w)
{
	memcpy(to, &w, sizeof(w));
}

static inline void seq_pause(unsigned int *spins)
{
	if (++*spins > SEQ_SPINS)
		sched_yield();
#if defined(__x86_64__) || defined(__i386__)
	else
		__builtin_ia32_pause();
#elif defined(__aarch64__)
	else
		__asm__ volatile("yield");
#endif
}

/* -- writers ------------------------------------------------------------------------------------------------------- */

static inline void seq_write_begin(atomic_uint *seq)
{
	unsigned int spins = 0, v = atomic_load_explicit(seq, memory_order_relaxed);

	while ((v & 1) ||
	       !atomic_compare_exchange_weak_explicit(seq, &v, v + 1, memory_order_acquire, memory_order_relaxed)) {
		seq_pause(&spins);
		v = atomic_load_explicit(seq, memory_order_relaxed);
	}
}

static inline void seq_write_end(atomic_uint *seq)
{
	unsigned int v = atomic_load_explicit(seq, memory_order_relaxed);

	atomic_store_explicit(seq, v + 1, memory_order_release);
}

static inline void seq_store32(void *to, uint32_t v)
{
	__atomic_store_n((seq_half *)to, v, __ATOMIC_RELEASE);
}

static inline void seq_store64(void *to, uint64_t v)
{
	__atomic_store_n((seq_word *)to, v, __ATOMIC_RELEASE);
}

/* Copy into the image. */
static inline void seq_store(uint8_t *to, const void *from, size_t len)
{
	const uint8_t *p = from;

	for (; len && (uintptr_t)to % sizeof(seq_word); len--)
		__atomic_store_n(to++, *p++, __ATOMIC_RELEASE);
	for (; len >= 4 * sizeof(seq_word); len -= 4 * sizeof(seq_word)) {
		seq_store64(to, seq_word_at(p));
		seq_store64(to + 8, seq_word_at(p + 8));
		seq_store64(to + 16, seq_word_at(p + 16));
		seq_store64(to + 24, seq_word_at(p + 24));
		p += 4 * sizeof(seq_word);
		to += 4 * sizeof(seq_word);
	}
	for (; len >= sizeof(seq_word); len -= sizeof(seq_word)) {
		seq_store64(to, seq_word_at(p));
		p += sizeof(seq_word);
		to += sizeof(seq_word);
	}
	for (; len; len--)
		__atomic_store_n(to++, *p++, __ATOMIC_RELEASE);
}

/* -- readers ------------------------------------------------------------------------------------------------------- */

static inline unsigned int seq_read_begin(const atomic_uint *seq)
{
	unsigned int spins = 0, v;

	while ((v = atomic_load_explicit(seq, memory_order_acquire)) & 1)
		seq_pause(&spins);
	return v;
}

/* Did a writer come between?  Then what was loaded is worth nothing: begin again. */
static inline bool seq_read_retry(const atomic_uint *seq, unsigned int v)
{
	return atomic_load_explicit(seq, memory_order_relaxed) != v;
}

static inline uint32_t seq_load32(const void *from)
{
	return __atomic_load_n((const seq_half *)from, __ATOMIC_ACQUIRE);
}

static inline uint64_t seq_load64(const void *from)
{
	return __atomic_load_n((const seq_word *)from, __ATOMIC_ACQUIRE);
}

/* Copy out of the image. */
static inline void seq_load(void *to, const uint8_t *from, size_t len)
{
	uint8_t *p = to;

	for (; len && (uintptr_t)from % sizeof(seq_word); len--)
		*p++ = __atomic_load_n(from++, __ATOMIC_ACQUIRE);
	for (; len >= 4 * sizeof(seq_word); len -= 4 * sizeof(seq_word)) {
		seq_word_put(p, seq_load64(from));
		seq_word_put(p + 8, seq_load64(from + 8));
		seq_word_put(p + 16, seq_load64(from + 16));
		seq_word_put(p + 24, seq_load64(from + 24));
		p += 4 * sizeof(seq_word);
		from += 4 * sizeof(seq_word);
	}
	for (; len >= sizeof(seq_word); len -= sizeof(seq_word)) {
		seq_word_put(p, seq_load64(from));
		p += sizeof(seq_word);
		from += sizeof(seq_word);
	}
	for (; len; len--)
		*p++ = __atomic_load_n(from++, __ATOMIC_ACQUIRE);
}

#endif
