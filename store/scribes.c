/* scribes.c - every store of messages in this program.  To add one: write store/NAME.c, add X(NAME) here, in alphabetical
 * order. */
#include <string.h>

#include "store/scribe.h"

#define SCRIBES(X)                                                                                                     \
	X(blob_msg_writer)                                                                                             \
	X(blob_stream_writer)                                                                                          \
	X(stream_csv_store)                                                                                            \
	X(stream_dump)

#define X(n) extern const struct scribe_type scribe_##n;
SCRIBES(X)
#undef X

const struct scribe_type *const scribe_types[] = {
#define X(n) &scribe_##n,
	SCRIBES(X)
#undef X
		NULL,
};

const struct scribe_type *scribe_type_find(const char *name)
{
	for (size_t i = 0; scribe_types[i]; i++)
		if (!strcmp(scribe_types[i]->name, name))
			return scribe_types[i];
	return NULL;
}
