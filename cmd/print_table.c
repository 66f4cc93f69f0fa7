/* print_table.c - the listing for people: names, or the table of -v.  With -l the contents follow (print_long.c). */
#include <inttypes.h>

#include "cmd/print.h"
#include "cmd/print_long.h"

#define DIGEST_TITLE "Schema Digest                                                    "
#define DIGEST_LINE  "---------------------------------------------------------------- "
#define TITLE                                                                                                          \
	"Schema         Instance                 Flags  Msize  Dsize  Hsize  UID    GID    Perm       "                \
	"Update            Duration          Info    \n"
#define LINE                                                                                                           \
	"-------------- ------------------------ ------ ------ ------ ------ ------ ------ ---------- "                \
	"----------------- ----------------- --------\n"

static void name_put(struct print *p, const struct dir_set *d, const struct image *im)
{
	(void)im;
	buf_addf(&p->out, "%s\n", d->name);
}

static bool has_digests(const struct print *p)
{
	return p->verbose > 1;
}

static void table_line(struct print *p)
{
	buf_addf(&p->out, "%s" LINE, has_digests(p) ? DIGEST_LINE : "");
}

static void table_begin(struct print *p)
{
	if (has_digests(p))
		buf_addf(&p->out, "Hostname    : %s\nIP Address  : %s\nPort        : %u\nTransport   : %s\n",
			 p->peer.host, p->peer.ip, p->peer.port, p->peer.xprt);
	buf_addf(&p->out, "%s" TITLE, has_digests(p) ? DIGEST_TITLE : "");
	table_line(p);
}

static void table_set(struct print *p, const struct dir_set *d, const struct image *im)
{
	(void)im;
	if (has_digests(p))
		buf_addf(&p->out, "%-64s ", d->digest);
	buf_addf(&p->out,
		 "%-14s %-24s %6s %6" PRIu64 " %6" PRIu64 " %6" PRIu64 " %6" PRId32 " %6" PRId32
		 " %10s %10u.%06u %10u.%06u ",
		 d->schema, d->name, d->flags, d->meta_size, d->data_size, d->heap_size, (int32_t)d->uid,
		 (int32_t)d->gid, d->perm, d->ts_sec, d->ts_usec, d->dur_sec, d->dur_usec);
	print_info(p, d);
	buf_u8(&p->out, '\n');
}

static void table_end(struct print *p)
{
	if (!p->n) /* as ldms_ls: nothing to sum up */
		return;
	table_line(p);
	buf_addf(&p->out, "Total Sets: %zu, Meta Data (kB): %.2f, Data (kB) %.2f, Memory (kB): %.2f\n", p->n,
		 p->meta_bytes / 1000.0, p->data_bytes / 1000.0, (p->meta_bytes + p->data_bytes) / 1000.0);
}

const struct print_format print_text = {
	.name = "text",
	.names = { .set = name_put },
	.table = { table_begin, table_set, table_end },
	.contents = { .set = long_set },
};
