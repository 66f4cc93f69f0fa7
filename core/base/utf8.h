/* utf8.h - characters in bytes that may be anything. */
#ifndef CORE_BASE_UTF8_H
#define CORE_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* Bytes of the UTF-8 character at p, of which `left` (one at least) are there; 0 when there is none (cut short,
 * overlong, a surrogate, beyond U+10FFFF). */
size_t utf8_len(const unsigned char *p, size_t left);
/* Does this character (of n bytes, more than one) do something to a terminal: move its cursor, end the line, turn the
 * direction of writing?  Others' text is shown without those. */
bool utf8_misleads(const unsigned char *p, size_t n);

#endif
