/* conf_yaml.c - a cluster file: YAML, its anchors and merges, host lists, and the commands it becomes for a daemon, with the
 * checks of their attributes.  Nothing is carried out; what sets variables or reads files while reading is left out. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/xalloc.h"
#include "core/ctl/conf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void on_note(void *arg, const struct conf_note *note)
{
	if (!note->words || !note->file || !note->line || !note->col)
		abort();
	++*(size_t *)arg;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = { "samp-1", "agg" };
	char *text = xstrndup((const char *)data, size);
	size_t said = 0;

	if (!strstr(text, "include") && !strstr(text, "env"))
		for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
			struct conf *cf = conf_new(NULL, NULL);

			conf_notes(cf, on_note, &said);
			conf_text_yaml(cf, "fuzz", text, strlen(text), names[i]);
			conf_free(cf);
		}
	free(text);
	return 0;
}
