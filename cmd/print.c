/* print.c - see print.h */
#include "cmd/print.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "core/base/str.h"

static const struct print_format *const formats[] = { &print_text, &print_json, &print_tab };

const struct print_format *print_format_find(const char *name)
{
	for (size_t i = 0; i < sizeof(formats) / sizeof(*formats); i++)
		if (!strcmp(formats[i]->name, name))
			return formats[i];
	return NULL;
}

/* -- the walk ------------------------------------------------------------------------------------------------------ */

static void call(void (*fn)(struct print *p), struct print *p)
{
	if (fn)
		fn(p);
}

static void part_begin(struct print *p, const struct print_part *part)
{
	p->n = 0;
	p->meta_bytes = p->data_bytes = 0;
	call(part->begin, p);
}

static void part_set(struct print *p, const struct print_part *part, const struct dir_set *d, const struct image *im)
{
	part->set(p, d, im);
	p->n++;
	p->meta_bytes += d->meta_size;
	p->data_bytes += d->data_size;
}

void print_begin(struct print *p)
{
	call(p->format->begin, p);
}

void print_listing(struct print *p, const struct dir_set *const *sets, size_t n)
{
	const struct print_part *part = p->verbose ? &p->format->table : &p->format->names;

	if (!print_wants_listing(p) || !part->set)
		return;
	part_begin(p, part);
	for (size_t i = 0; i < n; i++)
		part_set(p, part, sets[i], NULL);
	call(part->end, p);
}

void print_contents_begin(struct print *p)
{
	if (p->contents)
		part_begin(p, &p->format->contents);
}

void print_contents(struct print *p, const struct dir_set *d, const struct image *im)
{
	part_set(p, &p->format->contents, d, im);
}

void print_end(struct print *p)
{
	if (p->contents)
		call(p->format->contents.end, p);
	call(p->format->end, p);
}

/* -- pieces -------------------------------------------------------------------------------------------------------- */

const char *print_time(const struct image *im, char out[PRINT_TIME_MAX])
{
	time_t t = le32toh(im->data->ts_sec);
	struct tm tm;

	localtime_r(&t, &tm);
	strftime(out, PRINT_TIME_MAX, "%a %b %d %H:%M:%S %Y %z", &tm);
	return out;
}

bool print_consistent(const struct image *im)
{
	return le32toh(im->data->flags) == SET_TRANS_DONE;
}

const char *print_mirror_flags(const struct image *im)
{
	return print_consistent(im) ? "CR " : " R ";
}

int64_t print_age_us(const struct print *p, const struct dir_set *d)
{
	return p->now_us - ((int64_t)d->ts_sec * 1000000 + d->ts_usec);
}

/* From the update hint, "INTERVAL_US:OFFSET_US". */
int64_t print_age_intervals(const struct print *p, const struct dir_set *d)
{
	for (unsigned int i = 0; i < d->info_n; i++) {
		const char *hint = d->info[i].value;
		uint64_t interval_us;

		if (!strcmp(d->info[i].key, "updt_hint_us"))
			return str_digits(&hint, &interval_us) && interval_us && interval_us <= INT64_MAX
				       ? print_age_us(p, d) / (int64_t)interval_us
				       : -1;
	}
	return -1;
}

void print_info(struct print *p, const struct dir_set *d)
{
	for (unsigned int i = 0; i < d->info_n; i++)
		buf_addf(&p->out, "\"%s\"=\"%s\" ", d->info[i].key, d->info[i].value);
}
