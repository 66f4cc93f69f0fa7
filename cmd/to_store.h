/* to_store.h - the short form of a store, for `--to`:
 *
 *	STORE:VALUE[,NAME=VALUE...]        of this program: what VALUE is struct store_to says
 *	FILE.so[:NAME=VALUE[,NAME=VALUE...]]   of another maker: a file with a slash in its path
 *
 * What follows are attributes of `config`.  A comma that no NAME= follows belongs to the value.
 */
#ifndef CMD_TO_STORE_H
#define CMD_TO_STORE_H

#include <stdbool.h>

#include "core/base/err.h"
#include "store/store.h"

struct to_store {
	const struct store_type *type; /* NULL: another maker's */
	char *path;                    /* its object */
	char *value;                   /* of ours: VALUE */
	char *conf;                    /* "NAME=VALUE NAME=VALUE": of `config` */
	char *container;               /* of all policies; NULL: the schema's name */
};

/* Is that a store?  Else it may be a host. */
bool to_store_is(const char *text);
/* -EINVAL with words; `text` is a store, and has no blanks. */
int to_store_read(const char *text, struct to_store *ret, struct err *err);
void to_store_fini(struct to_store *t);

#endif
