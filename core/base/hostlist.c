/* hostlist.c - see hostlist.h
 *
 * A part of the list becomes a row of pieces: text, or a bracket group with its ranges and words.  A piece's
 * alternatives are never written out; the product is counted first (so that a typing error costs nothing) and then
 * walked, the rightmost piece fastest, in one buffer.
 */
#include "core/base/hostlist.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/str.h"
#include "core/base/unit.h"
#include "core/base/xalloc.h"

#define uthash_malloc(size) xmalloc(size)
#include <uthash.h>

#define NAME_LEN_MAX 255 /* bytes of a name; a DNS name has 253 at most */

#define TEXT(number)  TEXT_(number)
#define TEXT_(number) #number
#define AT_MOST       "a list has at most " TEXT(HOSTLIST_MAX) " names"

struct alt {
	const char *word; /* len bytes, borrowed from the text; NULL: the numbers low..high */
	size_t len;
	uint64_t low, high;
	int width; /* of a number, padded with zeros */
};

struct piece {
	struct alt *alts;
	size_t n;
	uint64_t names; /* how many the alternatives stand for */
};

struct seen {
	const char *name;
	UT_hash_handle hh;
};

struct parse {
	const char *text, *p;
	struct err *err;
	struct piece *pieces; /* of the part at work */
	size_t n_pieces;
	char name[NAME_LEN_MAX + 1]; /* being built */
	struct hostlist hl;
	size_t cap;
	size_t made; /* names, duplicates counted */
	struct seen *seen;
};

/* `at`: where the reader should look. */
static int fail(struct parse *ps, const char *at, const char *what, const char *remedy)
{
	return err_set(ps->err, -EINVAL, "host list \"%.80s\": %s at character %zu (\"%.24s\"); %s", ps->text, what,
		       (size_t)(at - ps->text) + 1, at, remedy);
}

static char closing(char open)
{
	switch (open) {
	case '[':
		return ']';
	case '<':
		return '>';
	case '{':
		return '}';
	}
	return '\0';
}

static void piece_add(struct parse *ps, struct piece piece)
{
	ps->pieces = xrealloc(ps->pieces, (ps->n_pieces + 1) * sizeof(*ps->pieces));
	ps->pieces[ps->n_pieces++] = piece;
}

static void alt_add(struct piece *piece, struct alt alt)
{
	piece->alts = xrealloc(piece->alts, (piece->n + 1) * sizeof(*piece->alts));
	piece->alts[piece->n++] = alt;
	piece->names += alt.word ? 1 : alt.high - alt.low + 1;
}

static void pieces_drop(struct parse *ps)
{
	for (size_t i = 0; i < ps->n_pieces; i++)
		free(ps->pieces[i].alts);
	ps->n_pieces = 0;
}

static void text_piece(struct parse *ps, const char *from, const char *to)
{
	struct piece piece = { 0 };

	if (from == to)
		return;
	alt_add(&piece, (struct alt){ .word = from, .len = (size_t)(to - from) });
	piece_add(ps, piece);
}

/* [from, to) as one number or LOW-HIGH or LOW..HIGH; false when it is neither.  No digit stands at `to`. */
static bool range(const char *from, const char *to, struct alt *ret)
{
	const char *p = from;
	struct alt alt = { 0 };

	if (!str_digits(&p, &alt.low))
		return false;
	alt.width = p - from > NAME_LEN_MAX ? NAME_LEN_MAX + 1 : (int)(p - from);
	alt.high = alt.low;
	if (p < to) {
		if (*p == '-')
			p++;
		else if (to - p > 2 && p[0] == '.' && p[1] == '.')
			p += 2;
		else
			return false;
		if (!str_digits(&p, &alt.high) || p < to)
			return false;
	}
	*ret = alt;
	return true;
}

/* In {} and <> a word may stand for itself, unless it looks like a range gone wrong. */
static bool is_word(const char *from, const char *to)
{
	bool plain = true;

	for (const char *p = from; p < to; p++) {
		if (isspace((unsigned char)*p) || (p[0] == '.' && p + 1 < to && p[1] == '.'))
			return false;
		if (!isdigit((unsigned char)*p) && *p != '-')
			plain = false;
	}
	return from < to && !plain;
}

/* One range or word of a group. */
static int group_item(struct parse *ps, struct piece *piece, char open, const char *from, const char *to)
{
	struct alt alt;

	while (from < to && isspace((unsigned char)*from))
		from++;
	while (to > from && isspace((unsigned char)to[-1]))
		to--;
	if (!range(from, to, &alt)) {
		if (open == '[' || !is_word(from, to))
			return fail(ps, from, "bad range", "write LOW-HIGH, LOW..HIGH or a number, as in n[1-3,7]");
		alt = (struct alt){ .word = from, .len = (size_t)(to - from) };
	} else if (alt.low > alt.high) {
		return fail(ps, from, "start > stop", "write the smaller number first");
	} else if (alt.high - alt.low >= HOSTLIST_MAX) {
		return fail(ps, from, "range too large", AT_MOST "; is there a digit too many?");
	}
	alt_add(piece, alt);
	return 0;
}

/* A bracket group; ps->p is behind the opening bracket `open`, and behind the closing one afterwards. */
static int group(struct parse *ps, char open)
{
	struct piece piece = { 0 };
	const char *from = ps->p, *start = ps->p - 1;
	const char close = closing(open);
	int rc = 0;

	for (; !rc; ps->p++) {
		if (closing(*ps->p)) {
			rc = fail(ps, ps->p, "nested brackets", "close one group before the next begins");
		} else if (!*ps->p || (strchr("]>}", *ps->p) && *ps->p != close)) {
			rc = fail(ps, *ps->p ? ps->p : start, "unbalanced brackets",
				  "close each [ with ], < with >, { with }");
		} else if (*ps->p == ',' || *ps->p == close) {
			rc = group_item(ps, &piece, open, from, ps->p);
			from = ps->p + 1;
			if (!rc && *ps->p == close)
				break;
		}
	}
	if (rc) {
		free(piece.alts);
		return rc;
	}
	ps->p++;
	piece_add(ps, piece);
	return 0;
}

/* Is [text, text + len) an IPv6 address, with or without %scope? */
static bool is_v6(const char *text, size_t len)
{
	char addr[INET6_ADDRSTRLEN];
	struct in6_addr in6;
	const char *scope = memchr(text, '%', len);

	if (scope)
		len = (size_t)(scope - text);
	if (len >= sizeof(addr))
		return false;
	memcpy(addr, text, len);
	addr[len] = '\0';
	return inet_pton(AF_INET6, addr, &in6) == 1;
}

/* "[fe80::1]" is not a group but how a port is kept apart from an IPv6 address: its end, else NULL. */
static const char *v6_end(const char *open)
{
	const char *end = strpbrk(open + 1, "[]<>{},");

	if (*open != '[' || !end || *end != ']' || !is_v6(open + 1, (size_t)(end - open) - 1))
		return NULL;
	return end + 1;
}

/* Cut the part at ps->p into pieces. */
static int part(struct parse *ps)
{
	const char *from = ps->p;
	int rc;

	while (*ps->p && *ps->p != ',' && !isspace((unsigned char)*ps->p)) {
		const char *v6;

		if (strchr("]>}", *ps->p))
			return fail(ps, ps->p, "unbalanced brackets", "open each ] with [, > with <, } with {");
		if (!closing(*ps->p)) {
			ps->p++;
			continue;
		}
		v6 = v6_end(ps->p);
		if (v6) {
			ps->p = v6;
			continue;
		}
		text_piece(ps, from, ps->p);
		ps->p++;
		rc = group(ps, ps->p[-1]);
		if (rc)
			return rc;
		from = ps->p;
	}
	text_piece(ps, from, ps->p);
	return 0;
}

/* ps->name is complete: keep it, if it is new. */
static void keep(struct parse *ps, size_t len)
{
	struct seen *seen;

	HASH_FIND(hh, ps->seen, ps->name, len, seen);
	if (seen)
		return;
	if (ps->hl.n == ps->cap) {
		ps->cap = ps->cap ? 2 * ps->cap : 16;
		ps->hl.names = xrealloc(ps->hl.names, ps->cap * sizeof(*ps->hl.names));
	}
	seen = xcalloc(1, sizeof(*seen));
	seen->name = ps->hl.names[ps->hl.n++] = xstrndup(ps->name, len);
	HASH_ADD_KEYPTR(hh, ps->seen, seen->name, len, seen);
}

/* Write the alternatives of the i-th piece behind the `len` bytes of name that stand, and those of the pieces behind
 * it. As every piece adds a byte and the name is bounded, so is the depth. */
static int expand(struct parse *ps, const char *at, size_t i, size_t len)
{
	const struct piece *piece = &ps->pieces[i];
	int rc = 0;

	if (i == ps->n_pieces) {
		keep(ps, len);
		return 0;
	}
	for (size_t k = 0; !rc && k < piece->n; k++) {
		const struct alt *alt = &piece->alts[k];
		uint64_t v = alt->low;

		do {
			size_t room = sizeof(ps->name) - len, n;

			if (alt->word)
				n = alt->len;
			else
				n = (size_t)snprintf(ps->name + len, room, "%0*ju", alt->width, (uintmax_t)v);
			if (n >= room)
				return fail(ps, at, "name too long",
					    "a name has at most " TEXT(NAME_LEN_MAX) " characters");
			if (alt->word)
				memcpy(ps->name + len, alt->word, n);
			rc = expand(ps, at, i + 1, len + n);
		} while (!rc && v++ < alt->high);
	}
	return rc;
}

/* The part at `at` has been cut into pieces: count, then make its names. */
static int names_add(struct parse *ps, const char *at)
{
	uint64_t n = 1;

	for (size_t i = 0; i < ps->n_pieces; i++)
		if (__builtin_mul_overflow(n, ps->pieces[i].names, &n) || n > HOSTLIST_MAX - ps->made)
			return fail(ps, at, "results too large", AT_MOST);
	ps->made += n;
	return expand(ps, at, 0, 0);
}

static void seen_free(struct parse *ps)
{
	struct seen *seen, *next;

	HASH_ITER(hh, ps->seen, seen, next) {
		HASH_DELETE(hh, ps->seen, seen);
		free(seen);
	}
}

int hostlist_parse(const char *text, struct hostlist *ret, struct err *err)
{
	struct parse ps = { .text = text, .p = text, .err = err };
	int rc = 0;

	while (!rc && *ps.p) {
		const char *at = ps.p;

		if (*ps.p == ',' || isspace((unsigned char)*ps.p)) {
			ps.p++;
			continue;
		}
		rc = part(&ps);
		if (!rc)
			rc = names_add(&ps, at);
		pieces_drop(&ps);
	}
	seen_free(&ps);
	free(ps.pieces);
	if (rc)
		hostlist_fini(&ps.hl);
	else
		*ret = ps.hl;
	return rc;
}

void hostlist_fini(struct hostlist *hl)
{
	for (size_t i = 0; i < hl->n; i++)
		free(hl->names[i]);
	free(hl->names);
	*hl = (struct hostlist){ 0 };
}

int hostport_parse(const char *text, char **ret_host, unsigned short *ret_port, struct err *err)
{
	const char *host = text, *port = NULL, *colon = strchr(text, ':');
	size_t len = strlen(text);
	uint64_t v = 0;

	if (*text == '[') {
		const char *end = strchr(text, ']');

		if (!end || (end[1] && end[1] != ':') || !is_v6(text + 1, (size_t)(end - text) - 1))
			return err_set(err, -EINVAL,
				       "host \"%.80s\": no IPv6 address between [ and ]; write [ADDRESS]:PORT", text);
		host = text + 1;
		len = (size_t)(end - host);
		port = end[1] ? end + 2 : NULL;
	} else if (colon && strchr(colon + 1, ':')) {
		if (!is_v6(text, len))
			return err_set(
				err, -EINVAL,
				"host \"%.80s\": two colons, but no IPv6 address; write HOST:PORT or [ADDRESS]:PORT",
				text);
	} else if (colon) {
		len = (size_t)(colon - text);
		port = colon + 1;
	}
	if (!len)
		return err_set(err, -EINVAL, "host \"%.80s\": the name is missing; write HOST or HOST:PORT", text);
	if (port && (unit_u64(port, &v, NULL) || !v || v > UINT16_MAX))
		return err_set(err, -EINVAL, "host \"%.80s\": bad port \"%.16s\"; write a number from 1 to 65535", text,
			       port);
	*ret_host = xstrndup(host, len);
	if (port)
		*ret_port = (unsigned short)v;
	return 0;
}
