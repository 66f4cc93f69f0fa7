/* secret.c - the text of a secret file: what comes out of it is a word of the right length, without blanks. */
#include <stdlib.h>
#include <string.h>

#include "xprt/secret.h"

int LLVMFuzzerTestOneInput(const unsigned char *in, size_t len);

int LLVMFuzzerTestOneInput(const unsigned char *in, size_t len)
{
	struct secret s;
	struct err err = { "" };

	if (secret_parse("fuzz", (const char *)in, len, &s, &err)) {
		if (!*err.msg)
			abort();
		return 0;
	}
	if (s.len < SECRET_MIN || s.len > SECRET_MAX || strlen(s.word) != s.len || strpbrk(s.word, "# \t\n"))
		abort();
	secret_wipe(&s);
	return 0;
}
