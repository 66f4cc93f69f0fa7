/* ctl_show.c - what a peer may answer to a control verb, on its way to a terminal.
 *
 * Reaches cmd/ctl_show.c, cmd/show.c with all tables, core/base/term.c and the names that completion takes.  Input: one
 * byte that chooses the verb (and with bit 7 JSON instead of tables), then the answer.  Whatever it is, nothing that
 * moves the cursor comes out, and what was JSON is still JSON.
 */
#include <assert.h>

#include "cmd/ctl.h"
#include "core/base/json_scan.h"
#include "core/base/utf8.h"

static const struct verb *verb_of(unsigned int sel)
{
	unsigned int n = 0;

	while (ctl_tables[n].verb)
		n++;
	while (!verb_find(ctl_tables[sel % n].verb))
		sel++;
	return verb_find(ctl_tables[sel % n].verb);
}

static void harmless(const struct buf *b)
{
	for (size_t i = 0; i < b->len;) {
		size_t n = utf8_len(b->p + i, b->len - i);

		assert(n);
		assert(b->p[i] >= ' ' || b->p[i] == '\n' || b->p[i] == '\t');
		assert(b->p[i] != 0x7f && !utf8_misleads(b->p + i, n));
		i += n;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t len)
{
	struct buf answer = { 0 }, out = { 0 };
	enum ctl_form form;
	struct ctl_list l = { 0 };

	if (!len)
		return 0;
	form = in[0] & 0x80 ? CTL_JSON : CTL_TABLES;
	buf_add(&answer, in + 1, len - 1);
	answer.len = strlen(buf_str(&answer)); /* answers are texts */
	ctl_show(&out, verb_of(in[0] & 0x7f), buf_str(&answer), answer.len, form);
	harmless(&out);
	if (form == CTL_JSON && answer.len)
		assert(!json_check((const char *)out.p, out.len, NULL));
	ctl_list_names(&l, buf_str(&answer), answer.len);
	ctl_list_fini(&l);
	buf_fini(&answer);
	buf_fini(&out);
	return 0;
}
