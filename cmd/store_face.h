/* store_face.h - what there is to say of a store: of rows, or of messages. */
#ifndef CMD_STORE_FACE_H
#define CMD_STORE_FACE_H

#include "store/scribe.h"

struct store_face {
	const char *name, *brief, *needs;
	const struct store_attr *attrs, *common; /* common: of all stores of messages; NULL: none */
	const struct store_to *to;
	const struct store_about *about; /* NULL: of another maker */
	bool messages;
};

struct store_face store_face(const struct store_type *t);
/* The i-th of this program; those of rows come first.  False: there are not so many. */
bool store_face_nth(size_t i, struct store_face *ret);
/* One by its name, as `load` finds it. */
bool store_face_find(const char *name, struct store_face *ret);

#endif
