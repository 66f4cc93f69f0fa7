/* stream_csv_store.c - store stream_csv_store: what comes through streams as lines of CSV.
 *
 * A stream's files are PATH/CONTAINER/STREAM.SECONDS.  The first JSON object fixes their columns (stream_csv_line.h),
 * which head each file; messages that are no JSON are written as they are.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/log.h"
#include "core/base/unit.h"
#include "core/base/xalloc.h"
#include "store/rolled.h"
#include "store/scribe.h"
#include "store/stream_csv_line.h"

#define FLUSH_BYTES 65536
#define FILE_PERM   0600        /* ldmsd's */
#define LINES_MAX   (64u << 20) /* bytes that one message may become: lists repeat what stands beside them */

struct scs_stream {
	struct scsv *columns;
	bool told; /* that members are left out */
};

struct scs {
	char *names; /* with NULs for commas */
	struct rolled_set set;
};

static const struct store_attr scs_attrs[] = {
	{ "path", NULL, "the folder below which files are written: PATH/CONTAINER/STREAM.SECONDS; required", "folder" },
	{ "buffer", "1", "0: each message is written at once; 1: at 64k, and within a second", "boolean" },
	{ "container", NULL, "the folder below path; required", "text" },
	{ "flushtime", NULL, "accepted; what comes is written within a second", "text" },
	{ "rollagain", NULL, "seconds; see rolltype=5", "number" },
	{ "rollempty", "0", "1: timed rolls make files without messages, too", "boolean" },
	{ "rollover", NULL, "how many seconds, messages or bytes; see rolltype", "number" },
	{ "rolltype", NULL,
	  "a new file: 1 every rollover seconds; 2 daily, rollover seconds after midnight; 3 after rollover messages; "
	  "4 "
	  "after rollover bytes; 5 as 2, and every rollagain seconds from then on",
	  "1|2|3|4|5" },
	{ "stream", NULL, "the streams to write, with commas between; required", "A,B,..." },
	{ 0 },
};

/* -- config -------------------------------------------------------------------------------------------------------- */

static void head_put(struct rolled *r)
{
	const struct scs_stream *st = r->arg;

	if (st->columns)
		scsv_head_add(&r->file[0].buf, st->columns);
}

static void scs_fini(struct scribe *sc)
{
	struct scs *s = scribe_state(sc);

	for (size_t i = 0; i < s->set.n; i++) {
		struct scs_stream *st = s->set.v[i].arg;

		scsv_free(st->columns);
		free(st);
	}
	rolled_set_fini(&s->set);
	free(s->names);
}

static int names_read(struct scribe *sc, const char *streams, struct err *err)
{
	struct scs *s = scribe_state(sc);
	char *at, *name;
	int rc = 0;

	s->names = at = xstrdup(streams);
	while (!rc && (name = strsep(&at, ","))) {
		if (!*name)
			continue;
		rc = scribe_subscribe(sc, SCRIBE_STREAM, name, false, err);
		if (!rc)
			rolled_set_add(&s->set, name, xcalloc(1, sizeof(struct scs_stream)));
	}
	return rc;
}

static int buffer_read(struct scribe *sc, size_t *ret, struct err *err)
{
	const char *text = scribe_attr(sc, "buffer");
	bool buffered = true;
	int rc = text ? unit_bool(text, &buffered, err) : 0;

	*ret = buffered ? FLUSH_BYTES : 0;
	return rc ? err_prefix(err, rc, "store %s: buffer: ", scribe_name(sc)) : 0;
}

static int scs_config(struct scribe *sc, struct err *err)
{
	const char *path = scribe_attr(sc, "path"), *container = scribe_attr(sc, "container"),
		   *streams = scribe_attr(sc, "stream");
	const struct roll_texts roll = { scribe_attr(sc, "rolltype"), scribe_attr(sc, "rollover"),
					 scribe_attr(sc, "rollagain"), scribe_attr(sc, "rollempty") };
	struct scs *s = scribe_state(sc);
	int rc;

	if (!path || !container || !streams)
		return err_set(
			err, -EINVAL,
			"store %s: path, container and stream are required: the folder for its files, and what to "
			"write",
			scribe_name(sc));
	s->set.conf = (struct rolled_conf){
		.who = scribe_name(sc), .file_perm = FILE_PERM, .kinds = { "" }, .n_kinds = 1, .head = head_put
	};
	rc = roll_read(&s->set.conf.roll, scribe_name(sc), &roll, err);
	if (!rc)
		rc = buffer_read(sc, &s->set.conf.flush_bytes, err);
	if (!rc)
		s->set.conf.dir = xasprintf("%s/%s", path, container);
	if (!rc)
		rc = names_read(sc, streams, err);
	if (rc)
		scs_fini(sc);
	return rc;
}

/* -- on a worker --------------------------------------------------------------------------------------------------- */

static int scs_open(struct scribe *sc, struct err *err)
{
	struct scs *s = scribe_state(sc);

	return rolled_set_open(&s->set, err);
}

/* The columns are the first message's; a file that began with strings gets its header here. */
static int columns_get(struct rolled *r, const char *text, size_t len, struct err *err)
{
	struct scs_stream *st = r->arg;
	int rc;

	if (st->columns)
		return 0;
	rc = scsv_new(text, len, &st->columns, err);
	if (!rc && r->open)
		head_put(r);
	return rc;
}

static int json_put(struct scribe *sc, struct rolled *r, const struct scribe_msg *m, size_t len, struct err *err)
{
	struct scs_stream *st = r->arg;
	struct scsv_key left_out;
	int rc = scsv_lines_add(&r->file[0].buf, st->columns, m->data, len, LINES_MAX, &left_out, err);

	if (rc || !left_out.p || st->told)
		return rc;
	st->told = true;
	log_warning(
		"store",
		"store %s: stream %s: \"%.*s\" has no column, and is left out (so may others be): the first message "
		"had none; term and load the store again to make columns of the next one",
		scribe_name(sc), m->heard, (int)left_out.len, left_out.p);
	return 0;
}

static int scs_msg(struct scribe *sc, const struct scribe_msg *m, struct err *err)
{
	struct scs *s = scribe_state(sc);
	struct rolled *r = rolled_set_find(&s->set, m->heard);
	size_t len = m->len;
	int rc = 0;

	if (!r)
		return err_set(err, -EINVAL, "nobody asked for it");
	while (len && !m->data[len - 1])
		len--;
	if (m->json)
		rc = columns_get(r, m->data, len, err);
	if (!rc)
		rc = rolled_ready(r, err);
	if (rc)
		return rc;
	rolled_begin(r);
	if (m->json) {
		rc = json_put(sc, r, m, len, err);
	} else {
		buf_add(&r->file[0].buf, m->data, len);
		buf_u8(&r->file[0].buf, '\n');
	}
	return rc ? rc : rolled_end(r, err);
}

static int scs_flush(struct scribe *sc, struct err *err)
{
	struct scs *s = scribe_state(sc);

	return rolled_set_flush(&s->set, err);
}

static int64_t scs_tick(struct scribe *sc)
{
	struct scs *s = scribe_state(sc);

	return rolled_set_tick(&s->set);
}

static void scs_close(struct scribe *sc)
{
	struct scs *s = scribe_state(sc);

	rolled_set_close(&s->set);
}

static const struct store_about scs_about = {
	.example = "stream_enable\n"
		   "load name=perf plugin=stream_csv_store\n"
		   "config name=perf path=/var/lib/ldms container=csv stream=kokkos \\\n"
		   "       rolltype=2 rollover=0\n",
	.flush = SCRIBE_FLUSH,
	.once = SCRIBE_ONCE,
};

const struct scribe_type scribe_stream_csv_store = {
	.name = "stream_csv_store",
	.brief = "JSON of streams as lines of CSV",
	.about = &scs_about,
	.attrs = scs_attrs,
	.dir_attr = "path",
	.state_size = sizeof(struct scs),
	.config = scs_config,
	.open = scs_open,
	.msg = scs_msg,
	.flush = scs_flush,
	.tick = scs_tick,
	.close = scs_close,
	.fini = scs_fini,
};
