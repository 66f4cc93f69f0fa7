/* help_stores.c - the tables of stores as mdoc; see help_stores.h and help_verbs.c */
#include "cmd/help_stores.h"

#include <string.h>

#include "cmd/mdoc.h"
#include "cmd/store_face.h"

/* "normal: ...", as one of the words that go there begins: then it stays as it is. */
static bool begins_with_value(const struct store_attr *a)
{
	size_t n = strcspn(a->help, ":, ");

	for (const char *w = a->type && strchr(a->type, '|') ? a->type : ""; *w; w += strspn(w, "|")) {
		size_t len = strcspn(w, "|");

		if (len == n && !memcmp(w, a->help, n))
			return true;
		w += len;
	}
	return false;
}

static void put_attrs(struct buf *b, const struct store_attr *attrs)
{
	for (; attrs && attrs->name; attrs++) {
		buf_addf(b, ".It Cm %s Ns = Ns", attrs->name);
		if (attrs->type && strchr(attrs->type, '|'))
			mdoc_put_words(b, attrs->type);
		else
			buf_addf(b, " Ar %s", attrs->type ? attrs->type : "text");
		buf_addf(b, "\n");
		(begins_with_value(attrs) ? mdoc_put_line : mdoc_put_text)(b, attrs->help);
		if (attrs->dflt) {
			buf_addf(b, "\n.Pq \\&");
			for (const char *p = attrs->dflt; *p; p++)
				buf_addf(b, *p == '"' ? "\\(dq" : "%c", *p);
			buf_addf(b, " .\n");
		} else {
			buf_addf(b, ".\n");
		}
	}
}

/* In front of the example. */
static void put_to(struct buf *b, const struct store_to *to)
{
	buf_addf(b, ".Pp\n");
	if (!to || !to->word) {
		buf_addf(b, "In a configuration:\n");
		return;
	}
	buf_addf(b, "In short\n");
	for (; to->word; to++) {
		buf_addf(b, ".Fl -to Cm %s", to->word);
		if (*to->form)
			buf_addf(b, " Ns \\&: Ns Ar %s", to->form);
		buf_addf(b, " ,\n");
	}
	buf_addf(b, "in a configuration:\n");
}

bool help_store(struct buf *b, const char *name)
{
	struct store_face f;

	if (!store_face_find(name, &f))
		return false;
	mdoc_put_text(b, f.brief);
	buf_addf(b, ".\n");
	put_to(b, f.to);
	buf_addf(b, ".Bd -literal -offset indent\n");
	mdoc_put_line(b, f.about->example);
	buf_addf(b, ".Ed\n");
	buf_addf(b, ".Pp\n.Bl -tag -width \"stored\" -compact\n.It Em stored\n");
	mdoc_put_text(b, f.about->flush);
	buf_addf(b, ".\n.It Em once\n");
	mdoc_put_text(b, f.about->once);
	buf_addf(b, ".\n.El\n.Pp\n.Bl -tag -width \"array_lquote\" -compact\n");
	put_attrs(b, f.attrs);
	put_attrs(b, f.common);
	buf_addf(b, ".El\n");
	return true;
}
