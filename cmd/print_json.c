/* print_json.c - sets as one JSON object: {"source":{...},"sets":[...],"memory":{...},"long_sets":[...]}
 *
 * The keys are those of `ldms_ls -f json`; the values are valid JSON also where ldms_ls writes its text.
 */
#include <inttypes.h>

#include "cmd/print.h"
#include "core/base/json_put.h"
#include "core/set/value_json.h"

/* -- pieces -------------------------------------------------------------------------------------------------------- */

/* "name": in an object that was begun in this buffer; with the comma, unless it is the object's first. */
static void key(struct buf *to, const char *name)
{
	if (to->p[to->len - 1] != '{')
		buf_u8(to, ',');
	json_put_str(to, name);
	buf_u8(to, ':');
}

static void key_str(struct buf *to, const char *name, const char *value)
{
	key(to, name);
	json_put_str(to, value);
}

static void key_u64(struct buf *to, const char *name, uint64_t value)
{
	key(to, name);
	buf_addf(to, "%" PRIu64, value);
}

static void next_in_array(struct print *p)
{
	if (p->n)
		buf_u8(&p->out, ',');
}

/* -- the object ---------------------------------------------------------------------------------------------------- */

static void all_begin(struct print *p)
{
	struct buf *to = &p->out;

	buf_u8(to, '{');
	if (p->verbose < 2)
		return;
	key(to, "source");
	buf_u8(to, '{');
	key_str(to, "hostname", p->peer.host);
	key_str(to, "ip_address", p->peer.ip);
	key_u64(to, "port", p->peer.port);
	key_str(to, "transport", p->peer.xprt);
	buf_addf(to, "},");
}

static void all_end(struct print *p)
{
	buf_addf(&p->out, "}\n");
}

static void listing_begin(struct print *p)
{
	buf_addf(&p->out, "\"sets\":[");
}

static void names_end(struct print *p)
{
	buf_u8(&p->out, ']');
}

static void name_put(struct print *p, const struct dir_set *d, const struct image *im)
{
	(void)im;
	next_in_array(p);
	buf_u8(&p->out, '{');
	key_str(&p->out, "instance", d->name);
	buf_u8(&p->out, '}');
}

static void table_set(struct print *p, const struct dir_set *d, const struct image *im)
{
	struct buf *to = &p->out;
	int64_t age_us = print_age_us(p, d);

	(void)im;
	next_in_array(p);
	buf_u8(to, '{');
	if (p->verbose > 1)
		key_str(to, "schema_digest", d->digest);
	key_str(to, "schema", d->schema);
	key_str(to, "instance", d->name);
	key_str(to, "flags", d->flags);
	key_u64(to, "meta_size", d->meta_size);
	key_u64(to, "data_size", d->data_size);
	key_u64(to, "heap_size", d->heap_size);
	key_u64(to, "uid", d->uid);
	key_u64(to, "gid", d->gid);
	key_str(to, "perm", d->perm);
	buf_addf(to, ",\"update\":\"%u.%06u\",\"duration\":%u.%06u,\"age_seconds\":%.3f,\"age_intervals\":%" PRId64,
		 d->ts_sec, d->ts_usec, d->dur_sec, d->dur_usec, age_us / 1e6, print_age_intervals(p, d));
	key(to, "info");
	buf_u8(to, '{');
	for (unsigned int i = 0; i < d->info_n; i++)
		key_str(to, d->info[i].key, d->info[i].value);
	buf_addf(to, "}}");
}

static void table_end(struct print *p)
{
	buf_addf(&p->out, "],\"memory\":{\"total_sets\":%zu,\"meta_data_kb\":%.2f,\"data_kb\":%.2f,\"memory_kb\":%f}",
		 p->n, p->meta_bytes / 1000.0, p->data_bytes / 1000.0, (p->meta_bytes + p->data_bytes) / 1000.0);
}

/* -- contents ------------------------------------------------------------------------------------------------------ */

static void contents_begin(struct print *p)
{
	if (!print_wants_listing(p)) {
		listing_begin(p);
		names_end(p);
	}
	buf_addf(&p->out, ",\"long_sets\":[");
}

static void time_put(struct buf *to, const char *name, uint32_t sec, uint32_t usec)
{
	key(to, name);
	buf_u8(to, '{');
	key_u64(to, "sec", sec);
	key_u64(to, "usec", usec);
	buf_u8(to, '}');
}

static void dir_info_put(struct buf *to, const struct dir_set *d, const struct image *im)
{
	const struct set_data *h = im->data;

	key(to, "dir_info");
	buf_u8(to, '{');
	key_str(to, "name", d->name);
	key_str(to, "schema", d->schema);
	key_str(to, "digest", d->digest);
	key_str(to, "flags", print_mirror_flags(im));
	key_u64(to, "meta_size", d->meta_size);
	key_u64(to, "data_size", d->data_size);
	key_u64(to, "heap_size", d->heap_size);
	key_u64(to, "uid", d->uid);
	key_u64(to, "gid", d->gid);
	key_str(to, "perm", d->perm);
	key_u64(to, "card", image_card(im->meta));
	key_u64(to, "array_card", le32toh(im->meta->array_card));
	key_u64(to, "meta_gn", le64toh(im->meta->meta_gn));
	key_u64(to, "data_gn", le64toh(h->gn));
	time_put(to, "timestamp", le32toh(h->ts_sec), le32toh(h->ts_usec));
	time_put(to, "duration", le32toh(h->dur_sec), le32toh(h->dur_usec));
	key(to, "info");
	buf_u8(to, '[');
	for (unsigned int i = 0; i < d->info_n; i++) {
		buf_addf(to, i ? ",{" : "{");
		key_str(to, "key", d->info[i].key);
		key_str(to, "value", d->info[i].value);
		buf_u8(to, '}');
	}
	buf_addf(to, "]}");
}

static void metric_put(struct print *p, const struct image *im, uint32_t i)
{
	struct metric m = image_metric(im->meta, i);
	struct buf *to = &p->out;

	buf_addf(to, i ? ",{" : "{");
	key_str(to, "type", m.meta ? "M" : "D");
	key_str(to, "kind", value_type_name(m.type));
	key_str(to, "name", m.name);
	if (p->udata)
		key_u64(to, "userdata", m.user_data);
	key(to, "value");
	value_json_put(to, im, image_value(im, i));
	key_str(to, "units", m.unit);
	buf_u8(to, '}');
}

static void contents_set(struct print *p, const struct dir_set *d, const struct image *im)
{
	struct buf *to = &p->out;

	next_in_array(p);
	buf_u8(to, '{');
	dir_info_put(to, d, im);
	key(to, "metrics");
	buf_u8(to, '[');
	for (uint32_t i = 0; i < image_card(im->meta); i++)
		metric_put(p, im, i);
	buf_addf(to, "]}");
}

static void contents_end(struct print *p)
{
	buf_u8(&p->out, ']');
}

const struct print_format print_json = {
	.name = "json",
	.begin = all_begin,
	.end = all_end,
	.names = { listing_begin, name_put, names_end },
	.table = { listing_begin, table_set, table_end },
	.contents = { contents_begin, contents_set, contents_end },
};
