/* xalloc.c - see xalloc.h */
#include "core/base/xalloc.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *or_exit(void *p, size_t size)
{
	if (!p && size) {
		fprintf(stderr, "ldms: out of memory for %zu bytes\n", size);
		exit(70);
	}
	return p;
}

void *xmalloc(size_t size)
{
	return or_exit(malloc(size), size);
}

void *xcalloc(size_t n, size_t size)
{
	return or_exit(calloc(n, size), n * size);
}

void *xrealloc(void *p, size_t size)
{
	return or_exit(realloc(p, size), size);
}

char *xstrdup(const char *s)
{
	return s ? or_exit(strdup(s), strlen(s) + 1) : NULL;
}

char *xstrndup(const char *s, size_t n)
{
	return or_exit(strndup(s, n), n + 1);
}

char *xvasprintf(const char *fmt, va_list ap)
{
	char *s;

	if (vasprintf(&s, fmt, ap) < 0)
		s = NULL;
	return or_exit(s, 1);
}

char *xasprintf(const char *fmt, ...)
{
	va_list ap;
	char *s;

	va_start(ap, fmt);
	s = xvasprintf(fmt, ap);
	va_end(ap);
	return s;
}
