/* store_face.c - see store_face.h */
#include "cmd/store_face.h"

#include "core/daemon/scribe.h"

struct store_face store_face(const struct store_type *t)
{
	return (struct store_face){
		.name = t->name,
		.brief = t->brief,
		.needs = t->needs,
		.attrs = t->attrs,
		.to = t->to,
		.about = t->about,
	};
}

static struct store_face scribe_face(const struct scribe_type *t)
{
	return (struct store_face){
		.name = t->name,
		.brief = t->brief,
		.attrs = t->attrs,
		.common = scribe_common_attrs,
		.about = t->about,
		.messages = true,
	};
}

bool store_face_nth(size_t i, struct store_face *ret)
{
	size_t n = 0;

	while (store_types[n])
		n++;
	if (i < n)
		*ret = store_face(store_types[i]);
	else if (scribe_types[i - n])
		*ret = scribe_face(scribe_types[i - n]);
	else
		return false;
	return true;
}

bool store_face_find(const char *name, struct store_face *ret)
{
	const struct store_type *t = store_type_find(name);
	const struct scribe_type *sc = scribe_type_find(name);

	if (t)
		*ret = store_face(t);
	else if (sc)
		*ret = scribe_face(sc);
	return t || sc;
}
