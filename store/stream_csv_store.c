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
#include "store/dirs.h"
#include "store/rolled.h"
#include "store/scribe.h"
#include "store/stream_csv_line.h"

#define FLUSH_BYTES 65536
#define FILE_PERM   0600        /* ldmsd's */
#define LINES_MAX   (64u << 20) /* bytes that one message may become: lists repeat what stands beside them */

struct scs_file {
	struct rolled files;
	const char *name; /* of the stream */
	struct scsv *columns;
	bool told; /* that members are left out */
};

struct scs {
	struct rolled_conf conf;
	char *names; /* with NULs for commas */
	struct scs_file *v;
	size_t n;
	bool open;
};

static const struct store_attr scs_attrs[] = {
	{ "path", NULL, "the folder below which files are written: PATH/CONTAINER/STREAM.SECONDS; required" },
	{ "buffer", "1", "0: each message is written at once; 1: at 64k, and within a second" },
	{ "container", NULL, "the folder below path; required" },
	{ "flushtime", NULL, "accepted; what comes is written within a second" },
	{ "rollagain", NULL, "seconds; see rolltype=5" },
	{ "rollempty", "0", "1: timed rolls make files without messages, too" },
	{ "rollover", NULL, "how many seconds, messages or bytes; see rolltype" },
	{ "rolltype", NULL,
	  "a new file: 1 every rollover seconds; 2 daily, rollover seconds after midnight; 3 after rollover messages; "
	  "4 "
	  "after rollover bytes; 5 as 2, and every rollagain seconds from then on" },
	{ "stream", NULL, "the streams to write, with commas between; required" },
	{ 0 },
};

/* -- config -------------------------------------------------------------------------------------------------------- */

static void head_put(struct rolled *r)
{
	const struct scs_file *f = r->arg;

	if (f->columns)
		scsv_head_add(&r->file[0].buf, f->columns);
}

static void scs_fini(struct scribe *sc)
{
	struct scs *s = scribe_state(sc);

	for (size_t i = 0; i < s->n; i++)
		scsv_free(s->v[i].columns);
	free(s->v);
	free(s->names);
	free(s->conf.dir);
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
		if (rc)
			break;
		s->v = xrealloc(s->v, (s->n + 1) * sizeof(*s->v));
		s->v[s->n++] = (struct scs_file){ .name = name };
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
	s->conf = (struct rolled_conf){
		.who = scribe_name(sc), .file_perm = FILE_PERM, .kinds = { "" }, .n_kinds = 1, .head = head_put
	};
	rc = roll_read(&s->conf.roll, scribe_name(sc), &roll, err);
	if (!rc)
		rc = buffer_read(sc, &s->conf.flush_bytes, err);
	if (!rc)
		s->conf.dir = xasprintf("%s/%s", path, container);
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
	int rc = dirs_make(s->conf.dir, 0750, (uid_t)-1, (gid_t)-1, err);

	for (size_t i = 0; !rc && i < s->n; i++)
		rolled_init(&s->v[i].files, &s->conf, s->v[i].name, &s->v[i]);
	s->open = !rc;
	return rc;
}

/* The columns are the first message's; a file that began with strings gets its header here. */
static int columns_get(struct scs_file *f, const char *text, size_t len, struct err *err)
{
	int rc;

	if (f->columns)
		return 0;
	rc = scsv_new(text, len, &f->columns, err);
	if (!rc && f->files.open)
		scsv_head_add(&f->files.file[0].buf, f->columns);
	return rc;
}

static int json_put(struct scribe *sc, struct scs_file *f, const char *text, size_t len, struct err *err)
{
	struct scsv_key left_out;
	int rc = scsv_lines_add(&f->files.file[0].buf, f->columns, text, len, LINES_MAX, &left_out, err);

	if (rc || !left_out.p || f->told)
		return rc;
	f->told = true;
	log_warning(
		"store",
		"store %s: stream %s: \"%.*s\" has no column, and is left out (so may others be): the first message "
		"had none; term and load the store again to make columns of the next one",
		scribe_name(sc), f->name, (int)left_out.len, left_out.p);
	return 0;
}

static int scs_msg(struct scribe *sc, const struct scribe_msg *m, struct err *err)
{
	struct scs *s = scribe_state(sc);
	struct scs_file *f = NULL;
	size_t len = m->len;
	int rc = 0;

	for (size_t i = 0; !f && i < s->n; i++)
		if (!strcmp(s->v[i].name, m->heard))
			f = &s->v[i];
	if (!f)
		return err_set(err, -EINVAL, "nobody asked for it");
	while (len && !m->data[len - 1])
		len--;
	if (m->json)
		rc = columns_get(f, m->data, len, err);
	if (!rc)
		rc = rolled_ready(&f->files, err);
	if (rc)
		return rc;
	rolled_begin(&f->files);
	if (m->json) {
		rc = json_put(sc, f, m->data, len, err);
	} else {
		buf_add(&f->files.file[0].buf, m->data, len);
		buf_u8(&f->files.file[0].buf, '\n');
	}
	return rc ? rc : rolled_end(&f->files, err);
}

static int scs_flush(struct scribe *sc, struct err *err)
{
	struct scs *s = scribe_state(sc);
	int rc = 0;

	for (size_t i = 0; !rc && i < s->n; i++)
		rc = rolled_flush(&s->v[i].files, err);
	return rc;
}

static int64_t scs_tick(struct scribe *sc)
{
	struct scs *s = scribe_state(sc);
	int64_t due = INT64_MAX;

	for (size_t i = 0; i < s->n; i++) {
		int64_t at = rolled_tick(&s->v[i].files);

		due = at < due ? at : due;
	}
	return due;
}

static void scs_close(struct scribe *sc)
{
	struct scs *s = scribe_state(sc);

	for (size_t i = 0; s->open && i < s->n; i++)
		rolled_fini(&s->v[i].files);
	s->open = false;
}

const struct scribe_type scribe_stream_csv_store = {
	.name = "stream_csv_store",
	.brief = "JSON of streams as lines of CSV",
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
