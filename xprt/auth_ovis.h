/* auth_ovis.h - what proves the secret word, for tests that hold it against recordings. */
#ifndef XPRT_AUTH_OVIS_H
#define XPRT_AUTH_OVIS_H

#include <stddef.h>
#include <stdint.h>

#define OVIS_DIGEST_SZ 57 /* hexadecimal digits and a NUL */

/* SHA-224 of the challenge in decimal digits and the word. */
void ovis_digest(uint64_t challenge, const char *word, size_t len, char ret[OVIS_DIGEST_SZ]);

#endif
