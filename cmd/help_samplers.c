/* help_samplers.c - the table of samplers as mdoc; see help_samplers.h and help_verbs.c */
#include "cmd/help_samplers.h"

#include "cmd/mdoc.h"
#include "core/daemon/samp.h"

static void put_attrs(struct buf *b, const struct samp_attr *attrs)
{
	buf_addf(b, ".Bl -tag -width \"set_array_card\" -compact\n");
	for (; attrs->name; attrs++) {
		buf_addf(b, ".It Cm %s\n", attrs->name);
		mdoc_put_text(b, attrs->help);
		if (attrs->dflt)
			buf_addf(b, " (%s)", attrs->dflt);
		buf_addf(b, ".\n");
	}
	buf_addf(b, ".El\n");
}

static void put_type(struct buf *b, const struct samp_type *t)
{
	buf_addf(b, ".It Ic %s\n", t->name);
	mdoc_put_text(b, t->brief);
	buf_addf(b, ".\n");
	if (*t->source == '/')
		buf_addf(b, "Source:\n.Pa %s .\n", t->source);
	if (t->attrs && t->attrs->name)
		put_attrs(b, t->attrs);
}

void help_samplers(struct buf *b)
{
	buf_addf(b, "All samplers take these attributes:\n.Pp\n");
	put_attrs(b, samp_common_attrs);
	buf_addf(b, ".Pp\nThe samplers, and what each takes beyond that:\n.Bl -tag -width Ds\n");
	for (size_t i = 0; samp_types[i]; i++)
		put_type(b, samp_types[i]);
	buf_addf(b, ".El\n");
}
