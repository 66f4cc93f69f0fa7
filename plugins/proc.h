/* proc.h - reading the small text files of /proc and /sys: a kept descriptor, one pread a sample, and a scanner.
 *
 * The scanner works on a `const char *` into proc_file.buf.  No bounds are needed: behind the text stand PROC_SLACK
 * bytes of NUL, every helper stops at a NUL, and none reads further than PROC_SLACK behind the place it is given.  So a
 * file that is cut short, or a line of another form, ends in zeros, never outside the buffer.
 */
#ifndef PLUGINS_PROC_H
#define PLUGINS_PROC_H

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "core/base/err.h"

#define PROC_RECORD_MAX 512
#define PROC_SLACK      16 /* NUL bytes behind the text; the helpers look at 8 at a time */

struct proc_file {
	int fd;
	char *path;        /* as opened, for errors */
	char *buf;         /* the text of the last proc_read(), then PROC_SLACK bytes of NUL */
	size_t len, cap;   /* bytes of text; bytes allocated */
	size_t page;       /* bytes of one pread at most, unless the file is one record */
	bool whole;        /* the kernel makes it in one piece: what does not fill the buffer is all */
	size_t record_max; /* bytes of its longest line: PROC_RECORD_MAX; a sampler that knows less may save a pread */
};

/* Open root/path for proc_read().  Errors name the file and the remedy.  A proc_file starts as all zero or with
 * proc_open(), and ends with proc_close(), which also takes one that is all zero or half made. */
int proc_open(struct proc_file *pf, const char *root, const char *path, struct err *err);
/* Read the whole file anew into pf->buf; an empty one is an error (-ENODATA).  After a failure the file is opened again
 * by the next call: a device that went and came back is found. */
int proc_read(struct proc_file *pf, struct err *err);
void proc_close(struct proc_file *pf);

/* Eight bytes as one number, the first one lowest. */
static inline uint64_t proc_load8(const char *p)
{
	uint64_t w;

	memcpy(&w, p, sizeof(w));
	return le64toh(w);
}

#define PROC_EACH(byte) (0x0101010101010101ull * (byte))

/* Behind the blanks at p. */
static inline const char *proc_blanks(const char *p)
{
	uint64_t w;

	while (!(w = proc_load8(p) ^ PROC_EACH(' ')))
		p += 8;
	return p + __builtin_ctzll(w) / 8;
}

/* Eight digits, the last one in the highest byte, each 0 to 9, as a number: three multiplications in place of eight. */
static inline uint64_t proc_eight(uint64_t w)
{
	w = w * 10 + (w >> 8);
	return ((w & 0x000000ff000000ffull) * 0x000f424000000064ull +
		((w >> 16) & 0x000000ff000000ffull) * 0x0000271000000001ull) >>
	       32;
}

/* The digits at *p as a number, *p behind them; 0 and *p unmoved when there are none.  Eight digits at a time; and one
 * digit, which most counters are, by a short cut. */
static inline uint64_t proc_digits(const char **p)
{
	static const uint32_t tens[] = { 1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000 };
	uint64_t v = 0;

	for (;;) {
		uint64_t w = proc_load8(*p) ^ PROC_EACH('0'); /* digits become 0..9 */
		/* a high half-byte is set where there is no digit; bytes before the first of those are right */
		uint64_t other = ((w + PROC_EACH(0x06)) | w) & PROC_EACH(0xf0);
		unsigned int n;

		if (other & 0xf0)
			return v;
		if (other & 0xf000) {
			(*p)++;
			return v * 10 + (w & 0x0f);
		}
		n = other ? (unsigned int)__builtin_ctzll(other) / 8 : 8;
		*p += n;
		w = proc_eight(w << (64 - 8 * n)); /* leading zeros in front */
		if (n < 8 && !v)
			return w;
		v = v * tens[n] + w;
		if (n < 8)
			return v;
	}
}

/* Blanks, then a number. */
static inline uint64_t proc_u64(const char **p)
{
	*p = proc_blanks(*p);
	return proc_digits(p);
}

/* The same; false when there is none. */
static inline bool proc_number(const char **p, uint64_t *ret)
{
	const char *from = *p = proc_blanks(*p);

	*ret = proc_digits(p);
	return *p != from;
}

static inline bool proc_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* The beginning of the next line, or the end of the text. */
static inline const char *proc_next_line(const char *p)
{
	uint64_t w = proc_load8(p), nl = w ^ PROC_EACH('\n');
	/* the lowest marked byte is a newline or a NUL (the marks above it may be wrong) */
	uint64_t end = (((nl - PROC_EACH(0x01)) & ~nl) | ((w - PROC_EACH(0x01)) & ~w)) & PROC_EACH(0x80);

	/* often it is near; if not, the line may be as long as that of the interrupts */
	p = end ? p + __builtin_ctzll(end) / 8 : strchrnul(p + 8, '\n');
	return *p ? p + 1 : p;
}

/* Bytes up to a blank or another control character, `stop` or the end. */
static inline size_t proc_word(const char *p, char stop)
{
	const char *q = p;

	while ((unsigned char)*q > ' ' && *q != stop)
		q++;
	return (size_t)(q - p);
}

/* Behind the word at p: at the next blank, or newline, or the end. */
static inline const char *proc_behind_word(const char *p)
{
	for (;; p += 8) {
		/* the lowest marked byte is one below '!' (the marks above it may be wrong) */
		uint64_t w = proc_load8(p), end = (w - PROC_EACH('!')) & ~w & PROC_EACH(0x80);

		if (end)
			return p + __builtin_ctzll(end) / 8;
	}
}

/* Does the text at p begin with these n bytes?  `word` must have PROC_SLACK readable bytes behind it. */
static inline bool proc_starts(const char *p, const char *word, size_t n)
{
	size_t i;

	if (n < 8)
		return !n || !((proc_load8(p) ^ proc_load8(word)) << (64 - 8 * n));
	for (i = 0; i + 8 < n; i += 8)
		if (proc_load8(p + i) != proc_load8(word + i))
			return false;
	return proc_load8(p + n - 8) == proc_load8(word + n - 8); /* overlaps the one before */
}

#endif
