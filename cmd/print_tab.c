/* print_tab.c - sets as lines of fields between tabs, titles behind a '#': `ldms ls -f tab`
 *
 * As `ldms_ls -f tab`; lists and records are JSON here, so that a metric is always one line.
 */
#include <inttypes.h>

#include "cmd/print.h"
#include "core/set/value_json.h"
#include "core/set/value_text.h"

static void name_put(struct print *p, const struct dir_set *d, const struct image *im)
{
	(void)im;
	if (!p->n)
		buf_addf(&p->out, "#instance\n");
	buf_addf(&p->out, "%s\n", d->name);
}

static void table_begin(struct print *p)
{
	if (p->verbose > 1)
		buf_addf(&p->out, "#hostname\tip_address\tport\ttransport\n%s\t%s\t%u\t%s\n", p->peer.host, p->peer.ip,
			 p->peer.port, p->peer.xprt);
	buf_addf(&p->out,
		 "#%sschema\tinstance\tflags\tmsize\tdsize\thsize\tuid\tgid\tperm\tupdate\tduration\tage_seconds\t"
		 "age_intervals\tinfo\n",
		 p->verbose > 1 ? "schema_digest\t" : "");
}

static void table_set(struct print *p, const struct dir_set *d, const struct image *im)
{
	(void)im;
	if (p->verbose > 1)
		buf_addf(&p->out, "%s\t", d->digest);
	buf_addf(&p->out,
		 "%s\t%s\t%s\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\t%" PRId32 "\t%" PRId32
		 "\t%s\t%u.%06u\t%u.%06u\t%.3f\t%" PRId64 "\t",
		 d->schema, d->name, d->flags, d->meta_size, d->data_size, d->heap_size, (int32_t)d->uid,
		 (int32_t)d->gid, d->perm, d->ts_sec, d->ts_usec, d->dur_sec, d->dur_usec, print_age_us(p, d) / 1e6,
		 print_age_intervals(p, d));
	print_info(p, d);
	buf_u8(&p->out, '\n');
}

static void table_end(struct print *p)
{
	if (!p->n)
		return;
	buf_addf(&p->out, "#total_sets\tmeta_data_kb\tdata_kb\tmemory_kb\n%zu\t%.2f\t %.2f\t%.2f\n", p->n,
		 p->meta_bytes / 1000.0, p->data_bytes / 1000.0, (p->meta_bytes + p->data_bytes) / 1000.0);
}

static void value_put(struct buf *to, const struct image *im, struct value v)
{
	if (v.type == V_LIST || v.type == V_RECORD_ARRAY)
		value_json_put(to, im, v);
	else
		value_text_put(to, im, v);
}

static void contents_set(struct print *p, const struct dir_set *d, const struct image *im)
{
	uint32_t card = image_card(im->meta);
	char when[PRINT_TIME_MAX];
	struct buf *to = &p->out;

	buf_addf(to, "#instance\tconsistent\tupdate\tupdate.usec\tpush\tlast_push\n%s\t%d\t%s\t%" PRIu32 "\t%d\t%d\n",
		 d->name, print_consistent(im), print_time(im, when), le32toh(im->data->ts_usec), p->pushed, p->pushed);
	if (card)
		buf_addf(to, "#type\tkind\tname\t%svalue\tunit\n", p->udata ? "udata\t" : "");
	for (uint32_t i = 0; i < card; i++) {
		struct metric m = image_metric(im->meta, i);

		buf_addf(to, "%c\t%s\t%s\t", m.meta ? 'M' : 'D', value_type_name(m.type), m.name);
		if (p->udata)
			buf_addf(to, "0x%" PRIx64 "\t", m.user_data);
		value_put(to, im, image_value(im, i));
		buf_addf(to, "\t%s\n", m.unit);
	}
}

const struct print_format print_tab = {
	.name = "tab",
	.names = { .set = name_put },
	.table = { table_begin, table_set, table_end },
	.contents = { .set = contents_set },
};
