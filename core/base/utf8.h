/* utf8.h - characters in bytes that may be anything. */
#ifndef CORE_BASE_UTF8_H
#define CORE_BASE_UTF8_H

#include <stddef.h>

/* Bytes of the UTF-8 character at p, of which `left` (one at least) are there; 0 when there is none (cut short,
 * overlong, a surrogate, beyond U+10FFFF). */
size_t utf8_len(const unsigned char *p, size_t left);
/* The number of this character (of n bytes) when it is beyond ASCII and does something to a terminal: moves its cursor,
 * ends the line, turns the direction of writing; else 0.  Others' text is shown without those. */
unsigned int utf8_misleads(const unsigned char *p, size_t n);

#endif
