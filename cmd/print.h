/* print.h - how sets are shown: one walk, several formats.
 *
 * A listing has one entry a set, from the directory (names alone, or a table); contents have the metrics of each.  What
 * is shown goes to print->out, which the caller empties as he likes.
 */
#ifndef CMD_PRINT_H
#define CMD_PRINT_H

#include <netinet/in.h>

#include "core/base/buf.h"
#include "core/set/image.h"
#include "xprt/xprt.h"

struct print;

/* One part of the output.  Any of them may be NULL. */
struct print_part {
	void (*begin)(struct print *p); /* before the first set, also when there is none */
	void (*set)(struct print *p, const struct dir_set *d, const struct image *im); /* im: in contents only */
	void (*end)(struct print *p);
};

struct print_format {
	const char *name;               /* as in -f */
	void (*begin)(struct print *p); /* before all parts */
	void (*end)(struct print *p);   /* behind them */
	struct print_part names, table, contents; /* a listing without set() is none */
};

extern const struct print_format print_text, print_json, print_tab, print_decomp;
/* NULL for an unknown name. */
const struct print_format *print_format_find(const char *name);

struct print_peer {
	const char *host, *xprt;   /* as asked for */
	char ip[INET6_ADDRSTRLEN]; /* as reached; "" when that is no IP address */
	unsigned short port;
};

struct print {
	/* what is wanted; set by the caller */
	const struct print_format *format;
	int verbose;    /* 0: names, 1: the table, 2: digests and the peer, too */
	bool contents;  /* with or without a table in front */
	bool udata;     /* the metrics' user data, too */
	bool pushed;    /* the sets came as pushes, and were asked for no further ones */
	int64_t now_us; /* wall clock: ages are counted from it */
	struct print_peer peer;
	/* the walk's */
	struct buf out;
	size_t n;                        /* sets of this part so far */
	struct print_seen *seen;         /* print_decomp's */
	uint64_t meta_bytes, data_bytes; /* of these sets */
};

/* In this order; between contents_begin and end one print_contents() for each set. */
void print_begin(struct print *p);
void print_listing(struct print *p, const struct dir_set *const *sets, size_t n); /* nothing where none is wanted */
void print_contents_begin(struct print *p);                                       /* nothing where none are wanted */
void print_contents(struct print *p, const struct dir_set *d, const struct image *im);
void print_end(struct print *p);

static inline bool print_wants_listing(const struct print *p)
{
	return !p->contents || p->verbose;
}

/* -- pieces that formats share (print.c) --------------------------------------------------------------------------- */

/* The moment of the sample as people write it, in the local time zone: "Fri Nov 20 15:17:15 2026 +0000". */
#define PRINT_TIME_MAX 64
const char *print_time(const struct image *im, char out[PRINT_TIME_MAX]);
bool print_consistent(const struct image *im);
/* How old a listed set's sample is: microseconds, and whole update intervals; -1 where no interval is known. */
int64_t print_age_us(const struct print *p, const struct dir_set *d);
int64_t print_age_intervals(const struct print *p, const struct dir_set *d);
/* "key"="value" and a blank, for each info pair. */
void print_info(struct print *p, const struct dir_set *d);
/* The flags a mirror of the set has: consistent or not, remote. */
const char *print_mirror_flags(const struct image *im);

/* The metrics of one set as `ldms ls -l` shows them (print_long.c); `marks` end its first line. */
void print_long_set(struct buf *to, const struct image *im, bool udata, const char *marks);

#endif
