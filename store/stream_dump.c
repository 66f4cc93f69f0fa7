/* stream_dump.c - store stream_dump: messages as lines at the end of files, for people who look for something.
 *
 * A line is byte 0x01, the number of the writing thread, a colon, a blank, the message without its NUL, and a newline.
 */
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/log.h"
#include "core/base/xalloc.h"
#include "store/append.h"
#include "store/scribe.h"

#define FILE_PERM   0666 /* less the umask */
#define FLUSH_BYTES 65536

/* A file; it stays until the end, and so do what is heard and the list: workers walk them without a lock. */
struct dump_file {
	struct dump_file *next;
	struct append out; /* the worker's */
	char *path;
};

struct dump_heard {
	struct dump_heard *next;
	enum scribe_via via;
	atomic_bool ended;
	struct dump_file *file;
	char name[];
};

struct dump {
	struct dump_file *_Atomic files; /* the main loop adds in front */
	struct dump_heard *_Atomic heard;
};

static const struct store_attr dump_attrs[] = {
	{ "op", NULL,
	  "stream_subscribe, msg_subscribe: write what comes to path; stream_close, msg_close: no longer; required, "
	  "and "
	  "config may be repeated",
	  "msg_close|msg_subscribe|stream_close|stream_subscribe" },
	{ "message_channel", NULL, "for msg_subscribe and msg_close: an expression for channels of messages", "regex" },
	{ "message_tag", NULL, "the same", "regex" },
	{ "path", NULL, "the file to append to; required to subscribe", "file" },
	{ "stream", NULL, "for stream_subscribe and stream_close: the stream", "text" },
	{ 0 },
};

static const struct dump_op {
	const char *name;
	enum scribe_via via;
	bool opens;
} ops[] = {
	{ "msg_close", SCRIBE_MSG, false },
	{ "msg_subscribe", SCRIBE_MSG, true },
	{ "stream_close", SCRIBE_STREAM, false },
	{ "stream_subscribe", SCRIBE_STREAM, true },
};

/* -- config -------------------------------------------------------------------------------------------------------- */

static const struct dump_op *op_find(const char *name)
{
	for (size_t i = 0; name && i < sizeof(ops) / sizeof(*ops); i++)
		if (!strcmp(ops[i].name, name))
			return &ops[i];
	return NULL;
}

static struct dump_file *file_get(struct dump *d, const char *path)
{
	struct dump_file *f;

	for (f = d->files; f; f = f->next)
		if (!strcmp(f->path, path))
			return f;
	f = xcalloc(1, sizeof(*f));
	f->path = xstrdup(path);
	append_init(&f->out);
	f->next = d->files;
	d->files = f;
	return f;
}

static int heard_add(struct scribe *sc, const struct dump_op *op, const char *name, const char *path, struct err *err)
{
	struct dump *d = scribe_state(sc);
	struct dump_heard *h;
	int rc;

	if (!path)
		return err_set(err, -EINVAL, "store %s: path is required: the file to write %s to", scribe_name(sc),
			       name);
	rc = scribe_subscribe(sc, op->via, name, op->via == SCRIBE_MSG, err);
	if (rc)
		return rc;
	h = xcalloc(1, sizeof(*h) + strlen(name) + 1);
	strcpy(h->name, name);
	h->via = op->via;
	h->file = file_get(d, path);
	h->next = d->heard;
	d->heard = h;
	return 0;
}

static struct dump_heard *heard_find(struct dump *d, enum scribe_via via, const char *name)
{
	struct dump_heard *h = d->heard;

	while (h && (h->via != via || strcmp(h->name, name)))
		h = h->next;
	return h;
}

static int heard_del(struct scribe *sc, const struct dump_op *op, const char *name, struct err *err)
{
	struct dump_heard *h = heard_find(scribe_state(sc), op->via, name); /* the newest */
	int rc = scribe_unsubscribe(sc, op->via, name, err);

	if (!rc)
		h->ended = true;
	return rc;
}

static int dump_config_more(struct scribe *sc, const struct kv *attrs, struct err *err)
{
	const struct dump_op *op = op_find(kv_get(attrs, "op"));
	const char *name;

	if (!op)
		return err_set(err, -EINVAL,
			       "store %s: op=%s: there are stream_subscribe, stream_close, msg_subscribe and msg_close",
			       scribe_name(sc), kv_get(attrs, "op") ? kv_get(attrs, "op") : "");
	name = kv_get(attrs, op->via == SCRIBE_STREAM ? "stream" : "message_channel");
	if (!name && op->via == SCRIBE_MSG)
		name = kv_get(attrs, "message_tag");
	if (!name)
		return err_set(err, -EINVAL, "store %s: op=%s: %s is required", scribe_name(sc), op->name,
			       op->via == SCRIBE_STREAM ? "stream" : "message_channel");
	return op->opens ? heard_add(sc, op, name, kv_get(attrs, "path"), err) : heard_del(sc, op, name, err);
}

static void dump_fini(struct scribe *sc)
{
	struct dump *d = scribe_state(sc);

	for (struct dump_file *f = d->files, *next; f; f = next) {
		next = f->next;
		append_close(&f->out);
		free(f->path);
		free(f);
	}
	for (struct dump_heard *h = d->heard, *next; h; h = next) {
		next = h->next;
		free(h);
	}
}

static int dump_config(struct scribe *sc, struct err *err)
{
	int rc = dump_config_more(sc, scribe_attrs(sc), err);

	if (rc)
		dump_fini(sc);
	return rc;
}

/* -- on a worker --------------------------------------------------------------------------------------------------- */

static int dump_msg(struct scribe *sc, const struct scribe_msg *m, struct err *err)
{
	struct dump_heard *h = heard_find(scribe_state(sc), m->via, m->heard);
	size_t len = m->len, before;
	struct append *out;
	int rc = 0;

	if (!h)
		return err_set(err, -EINVAL, "nobody asked for it");
	out = &h->file->out;
	if (out->fd < 0)
		rc = append_open(out, h->file->path, false, FILE_PERM, err);
	if (rc)
		return rc;
	before = out->buf.len;
	while (len && !m->data[len - 1])
		len--;
	buf_addf(&out->buf, "\001%d: ", (int)gettid());
	buf_add(&out->buf, m->data, len);
	buf_u8(&out->buf, '\n');
	return append_added(out, before, FLUSH_BYTES, err);
}

static bool is_wanted(struct dump *d, const struct dump_file *f)
{
	struct dump_heard *h = d->heard;

	while (h && (h->file != f || h->ended))
		h = h->next;
	return h;
}

static int dump_flush(struct scribe *sc, struct err *err)
{
	struct dump *d = scribe_state(sc);
	int rc = 0;

	for (struct dump_file *f = d->files; !rc && f; f = f->next) {
		if (f->out.fd < 0)
			continue;
		rc = append_flush(&f->out, err);
		if (!rc && !is_wanted(d, f))
			append_close(&f->out);
	}
	return rc;
}

static void dump_close(struct scribe *sc)
{
	struct dump *d = scribe_state(sc);
	struct err err = { "" };

	for (struct dump_file *f = d->files; f; f = f->next) {
		if (f->out.fd >= 0 && append_flush(&f->out, &err))
			log_error("store",
				  "store %s: closed with messages that could not be written; they are lost: %s",
				  scribe_name(sc), err.msg);
		append_close(&f->out);
	}
}

static const struct store_about dump_about = {
	.example = "stream_enable\n"
		   "load name=dump plugin=stream_dump\n"
		   "config name=dump op=stream_subscribe stream=kokkos path=/tmp/kokkos\n",
	.flush = SCRIBE_FLUSH,
	.once = SCRIBE_ONCE,
};

const struct scribe_type scribe_stream_dump = {
	.name = "stream_dump",
	.brief = "messages as they come, at the ends of files",
	.about = &dump_about,
	.attrs = dump_attrs,
	.file_attr = "path",
	.state_size = sizeof(struct dump),
	.config = dump_config,
	.config_more = dump_config_more,
	.msg = dump_msg,
	.flush = dump_flush,
	.close = dump_close,
	.fini = dump_fini,
};
