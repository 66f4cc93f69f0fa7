/* conf.c - a configuration file: lines, comments, continuations, verbs and the checks of their attributes.  Nothing is
 * carried out; `include` and `env`, which reach outside already while reading, are left out. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/xalloc.h"
#include "core/ctl/conf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void complain(void *arg, const char *words)
{
	*(size_t *)arg += strlen(words);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = xstrndup((const char *)data, size);
	size_t said = 0;
	struct conf *cf;

	if (!strstr(text, "include") && !strstr(text, "env")) {
		cf = conf_new(complain, &said);
		conf_text(cf, "fuzz", text);
		if (!conf_errors(cf) != !said)
			abort();
		conf_free(cf);
	}
	free(text);
	return 0;
}
