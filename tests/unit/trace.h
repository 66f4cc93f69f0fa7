/* trace.h - recorded conversations between real peers: what the tests that replay them share.
 *
 * The recordings are in tests/data/traces (or the folder that LDMS_TRACES names), with a README.  "# N C>S words" begins
 * a frame, lines of hexadecimal digits follow up to an empty line; C2>S2 is the second connection of a scenario.
 */
#ifndef TESTS_UNIT_TRACE_H
#define TESTS_UNIT_TRACE_H

#include <ctype.h>

#include "tests/unit/rig.h"

#define FRAMES_MAX 128
#define CONNS_MAX  8
#define MAPS_MAX   8

struct frame {
	bool from_client;
	int conn;
	struct buf b;
};

struct map { /* a set that was looked up */
	char name[64];
	uint32_t key, meta_len, data_len, array_card;
	uint64_t addr;
	uint8_t *image;
	bool have_meta;
	/* ours, in the replay */
	uint32_t our_key;
	uint64_t our_addr, our_id, id;
};

struct trace {
	struct frame f[FRAMES_MAX];
	int n;
	struct map maps[MAPS_MAX];
	int maps_n;
};

static inline const char *folder(void)
{
	const char *dir = getenv("LDMS_TRACES");

	return dir ? dir : "tests/data/traces";
}

static inline uint32_t be32_at(const struct buf *b, size_t at)
{
	uint32_t v;

	memcpy(&v, b->p + at, 4);
	return ntohl(v);
}

static inline uint64_t be64_at(const struct buf *b, size_t at)
{
	uint64_t v;

	memcpy(&v, b->p + at, 8);
	return be64toh(v);
}

static inline uint32_t raw32_at(const struct buf *b, size_t at)
{
	uint32_t v;

	memcpy(&v, b->p + at, 4);
	return v;
}

static inline uint16_t type_of(const struct frame *f)
{
	return (uint16_t)(f->b.p[0] << 8 | f->b.p[1]);
}

/* The command of a SENDRECV. */
static inline uint32_t cmd_of(const struct frame *f)
{
	return be32_at(&f->b, 32);
}

static inline int hex_digit(int c)
{
	return isdigit(c) ? c - '0' : tolower(c) - 'a' + 10;
}

static inline struct map *map_of(struct trace *t, uint32_t key)
{
	for (int i = 0; i < t->maps_n; i++)
		if (t->maps[i].key == key)
			return &t->maps[i];
	return NULL;
}

/* Take the image out of the reads of a trace. */
static inline void collect(struct trace *t)
{
	int head[CONNS_MAX] = { 0 }, queue[CONNS_MAX][FRAMES_MAX], tail[CONNS_MAX] = { 0 };

	for (int i = 0; i < t->n; i++) {
		struct frame *f = &t->f[i];

		if (type_of(f) == 3 && be32_at(&f->b, 48) == 1 && !map_of(t, raw32_at(&f->b, 20))) {
			struct map *m = &t->maps[t->maps_n++];
			size_t at = 40 + 48, n = f->b.p[at];

			m->key = raw32_at(&f->b, 20);
			m->addr = be64_at(&f->b, 28);
			m->id = be64_at(&f->b, 40 + 16);
			m->meta_len = be32_at(&f->b, 40 + 28);
			m->data_len = be32_at(&f->b, 40 + 32);
			m->array_card = be32_at(&f->b, 40 + 44);
			snprintf(m->name, sizeof(m->name), "%s", (char *)f->b.p + at + 1 + n + 1);
			m->image = calloc(1, m->meta_len + (size_t)m->data_len * m->array_card);
		}
		if (type_of(f) == 4)
			queue[f->conn][tail[f->conn]++] = i;
		if (type_of(f) == 5) {
			struct frame *q = &t->f[queue[f->conn][head[f->conn]++]];
			struct map *m = map_of(t, raw32_at(&q->b, 20));
			uint64_t off = m ? be64_at(&q->b, 24) - m->addr : 0;
			uint32_t len = be32_at(&f->b, 32);

			if (!m || !len)
				continue;
			memcpy(m->image + off, f->b.p + 36, len);
			m->have_meta |= !off;
		}
	}
}

static inline bool trace_load(struct trace *t, const char *name)
{
	char path[512], line[4096];
	FILE *in;

	memset(t, 0, sizeof(*t));
	snprintf(path, sizeof(path), "%s/%s", folder(), name);
	in = fopen(path, "r");
	if (!in)
		return false;
	while (fgets(line, sizeof(line), in)) {
		if (line[0] == '#' && line[1] == ' ') {
			char from[8], to[8];

			if (sscanf(line, "# %*d %7[^>]>%7s", from, to) != 2)
				continue;
			assert_true(t->n < FRAMES_MAX);
			t->f[t->n++] =
				(struct frame){ .from_client = from[0] == 'C', .conn = from[1] ? from[1] - '1' : 0 };
		} else if (isxdigit((unsigned char)line[0]) && t->n) {
			for (char *p = line; isxdigit((unsigned char)p[0]) && isxdigit((unsigned char)p[1]); p += 2)
				buf_u8(&t->f[t->n - 1].b, (uint8_t)(hex_digit(p[0]) << 4 | hex_digit(p[1])));
		}
	}
	fclose(in);
	collect(t);
	return true;
}

static inline void trace_free(struct trace *t)
{
	for (int i = 0; i < t->n; i++)
		buf_fini(&t->f[i].b);
	for (int i = 0; i < t->maps_n; i++)
		free(t->maps[i].image);
}

#define LOAD_OR_SKIP(t, name)                                                                                          \
	do {                                                                                                           \
		if (!trace_load(t, name)) {                                                                            \
			print_message("skipped: %s/%s is not there (LDMS_TRACES)\n", folder(), name);                  \
			skip();                                                                                        \
		}                                                                                                      \
	} while (0)

/* -- comparing ----------------------------------------------------------------------------------------------------- */

/* Is what our side said what the recorded one did, but for what differs by nature? */
static inline void compare(struct trace *t, const struct frame *want, struct raw *w)
{
	const struct buf *got = &w->in;
	struct map *m;
	size_t n;

	assert_int_equal(raw_type(w), type_of(want));
	switch (type_of(want)) {
	case 2: /* cmd, xid, rc */
		assert_memory_equal(got->p + 24, want->b.p + 24, 12);
		assert_memory_equal(got->p + 24 + 16, want->b.p + 24 + 16, 4);
		if (cmd_of(want) == 0x108) /* every byte of it */
			assert_memory_equal(got->p + 20, want->b.p + 20, want->b.len - 20);
		break;
	case 3:
		assert_memory_equal(got->p + 40, want->b.p + 40, 12); /* xid, cmd */
		assert_memory_equal(got->p + 64, want->b.p + 64, 24); /* more, sizes */
		n = want->b.p[88];
		assert_string_equal((char *)got->p + 89, (char *)want->b.p + 89); /* schema */
		assert_string_equal((char *)got->p + 89 + got->p[88] + 1,
				    (char *)want->b.p + 89 + n + 1); /* instance */
		m = map_of(t, raw32_at(&want->b, 20));
		m->our_key = raw32_at(got, 20);
		m->our_addr = be64_at(got, 28);
		m->our_id = be64_at(got, 40 + 16);
		break;
	case 5: /* status, length */
		assert_memory_equal(got->p + 8, want->b.p + 8, 14);
		assert_memory_equal(got->p + 32, want->b.p + 32, 4);
		break;
	case 8:
		assert_int_equal(raw_has(w), want->b.len);
		assert_memory_equal(got->p + 20, want->b.p + 20, 24); /* length, version, method */
		if (want->b.len == 24 + 64)
			assert_memory_equal(got->p + 44, want->b.p + 44, 4 + 16 + 8); /* up to idx */
		break;
	default:
		assert_memory_equal(got->p + 20, want->b.p + 20, want->b.len - 20);
		break;
	}
}

/* Done with the message that came. */
static inline void raw_next(struct raw *w)
{
	buf_consume(&w->in, raw_has(w));
}

#endif
