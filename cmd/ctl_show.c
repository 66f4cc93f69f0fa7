/* ctl_show.c - see ctl_show.h */
#include "cmd/ctl_show.h"

#include <string.h>

#include "cmd/show.h"
#include "core/base/json_put.h"
#include "core/base/json_scan.h"
#include "core/base/term.h"

static const struct show_table *tables_of(const struct verb *v)
{
	for (const struct ctl_tables *t = ctl_tables; t->verb; t++) {
		const struct verb *row = verb_find(t->verb);

		if (!strcmp(t->verb, v->name) || (row && row->id == v->id)) /* other names of it, too */
			return t->tables;
	}
	return NULL;
}

static void text_put(struct buf *to, const char *text, size_t len, enum ctl_form form)
{
	struct buf json = { 0 };

	if (form == CTL_JSON) {
		json_put_text(&json, text, len);
		term_put(to, (const char *)json.p, json.len, TERM_JSON);
		buf_fini(&json);
	} else {
		term_put(to, text, len, TERM_TEXT);
	}
	if (!len || text[len - 1] != '\n' || form == CTL_JSON)
		buf_u8(to, '\n');
}

void ctl_show(struct buf *to, const struct verb *v, const char *answer, size_t len, enum ctl_form form)
{
	const struct show_table *tables = tables_of(v);
	size_t blanks = strspn(answer, " \t\r\n");
	bool json = blanks < len && strchr("{[", answer[blanks]) && !json_check(answer, len, NULL);
	struct buf b = { 0 };

	if (!len)
		return;
	if (!json) {
		text_put(to, answer, len, form);
	} else if (form == CTL_JSON) {
		term_put(to, answer, len, TERM_JSON);
		if (answer[len - 1] != '\n')
			buf_u8(to, '\n');
	} else if (tables && !show_tables(&b, tables, answer, len, NULL)) {
		buf_add(to, b.p, b.len);
	} else if (show_json(&b, answer, len, NULL)) {
		text_put(to, answer, len, form);
	} else {
		buf_add(to, b.p, b.len);
	}
	buf_fini(&b);
}
