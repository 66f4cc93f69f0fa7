/* utf8.h - characters in bytes that may be anything. */
#ifndef CORE_BASE_UTF8_H
#define CORE_BASE_UTF8_H

#include <stddef.h>

/* Bytes of the UTF-8 character at p, of which `left` (one at least) are there; 0 when there is none (cut short,
 * overlong, a surrogate, beyond U+10FFFF). */
size_t utf8_len(const unsigned char *p, size_t left);

#endif
