/* print_long.c - the contents of sets for people: `ldms ls -l` */
#include "cmd/print_long.h"

#include <inttypes.h>

#include "core/set/value_text.h"

#define BAR "=======================================================================" /* between -v's table and -l */

/* The rest of a metric's line.  A blank goes before a unit that was given, be it empty; a record type shows none. */
static void put_value(struct buf *to, const struct image *im, struct metric m, struct value v)
{
	value_text_put(to, im, v);
	if (m.has_unit && v.type != V_RECORD_TYPE)
		buf_addf(to, " %s", m.unit);
	buf_u8(to, '\n');
}

void print_long_set(struct buf *to, const struct image *im, bool udata, const char *marks)
{
	char when[PRINT_TIME_MAX];

	buf_addf(to, "%s: %s, last update: %s [%" PRIu32 "us] %s\n", image_instance(im->meta),
		 print_consistent(im) ? "consistent" : "inconsistent", print_time(im, when),
		 le32toh(im->data->ts_usec), marks);
	for (uint32_t i = 0; i < image_card(im->meta); i++) {
		struct metric m = image_metric(im->meta, i);

		buf_addf(to, "%c %-12s %-42s ", m.meta ? 'M' : 'D', value_type_name(m.type), m.name);
		if (udata)
			buf_addf(to, "0x%" PRIx64 " ", m.user_data);
		put_value(to, im, m, image_value(im, i));
	}
	buf_u8(to, '\n');
}

void long_set(struct print *p, const struct dir_set *d, const struct image *im)
{
	(void)d;
	if (!p->n && print_wants_listing(p))
		buf_addf(&p->out, "\n%s\n\n", BAR);
	print_long_set(&p->out, im, p->udata, p->pushed ? "PUSH LAST " : "");
}
