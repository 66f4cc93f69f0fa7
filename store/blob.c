/* blob.c - stores blob_stream_writer and blob_msg_writer: messages as they came, and where each begins.
 *
 *	NAME.DAT.SECONDS     blobdat, NUL, then the bytes of all messages, one behind the other
 *	NAME.OFFSET.SECONDS  bloboff, NUL, then for each message where it begins in DAT: u64, little-endian
 *	NAME.TIMING.SECONDS  blobtim, NUL, then for each when it came: seconds and microseconds, u64 each
 *	NAME.TYPE.SECONDS    blobtyp, NUL, then for each 'j' (JSON) or 's' (a string)
 *
 * OFFSET is written last: what it does not count in DAT is of a message that a killed process did not finish.
 */
#include <errno.h>
#include <string.h>

#include "core/base/unit.h"
#include "core/base/xalloc.h"
#include "store/rolled.h"
#include "store/scribe.h"

#define FLUSH_BYTES 65536
#define FILE_PERM   0640 /* ldmsd's */
#define MAGIC_LEN   8

enum blob_kind { BLOB_DAT, BLOB_TIMING, BLOB_TYPE, BLOB_OFFSET };

static const struct {
	const char *word, magic[MAGIC_LEN];
} kinds[] = {
	[BLOB_DAT] = { "DAT", "blobdat" },
	[BLOB_TIMING] = { "TIMING", "blobtim" },
	[BLOB_TYPE] = { "TYPE", "blobtyp" },
	[BLOB_OFFSET] = { "OFFSET", "bloboff" },
};

struct blob {
	enum scribe_via via;
	enum blob_kind kinds[ROLLED_KINDS]; /* by place in the set's conf */
	struct rolled_set set;
};

/* Beside its word for what it hears. */
#define BLOB_ATTRS                                                                                                     \
	{ "path", NULL, "the folder below which files are written: PATH/CONTAINER/NAME.DAT.SECONDS; required",         \
	  "folder" },                                                                                                  \
		{ "container", NULL, "the folder below path; required", "text" },                                      \
		{ "debug", "0", "accepted; log_level says what is logged", "text" },                                   \
		{ "rollagain", NULL, "seconds; see rolltype=5", "number" },                                            \
		{ "rollempty", "0", "1: timed rolls make files without messages, too", "boolean" },                    \
		{ "rollover", NULL, "how many seconds, messages or bytes; see rolltype", "number" },                   \
		{ "rolltype", NULL,                                                                                    \
		  "new files: 1 every rollover seconds; 2 daily, rollover seconds after midnight; 3 after rollover "   \
		  "messages; 4 after rollover bytes; 5 as 2, and every rollagain seconds from then on",                \
		  "1|2|3|4|5" },                                                                                       \
		{ "spool", "0", "1: files that are closed are moved to PATH/CONTAINER/spool", "boolean" },             \
		{ "timing", "0", "1: when messages came, in NAME.TIMING.SECONDS", "boolean" },                         \
	{                                                                                                              \
		"types", "0", "1: what messages are, in NAME.TYPE.SECONDS", "boolean"                                  \
	}

static const struct store_attr stream_attrs[] = {
	BLOB_ATTRS,
	{ "stream", NULL, "the stream to write; repeated for more; required", "text" },
	{ 0 },
};
static const struct store_attr msg_attrs[] = {
	BLOB_ATTRS,
	{ "message_channel", NULL, "an older word for message_tag", "text" },
	{ "message_tag", NULL, "the channel of messages to write; repeated for more; required", "text" },
	{ 0 },
};

/* -- config -------------------------------------------------------------------------------------------------------- */

static bool is_name(const struct blob *bl, const char *key)
{
	if (bl->via == SCRIBE_STREAM)
		return !strcmp(key, "stream");
	return !strcmp(key, "message_tag") || !strcmp(key, "message_channel");
}

static int name_check(const struct scribe *sc, const struct blob *bl, const char *name, struct err *err)
{
	if (bl->via == SCRIBE_MSG && strpbrk(name, "*[]^$()|\\"))
		return err_set(
			err, -EINVAL,
			"store %s: message_tag=%s: one channel goes there, and no expression; repeat message_tag= "
			"for each",
			scribe_name(sc), name);
	return 0;
}

static int names_read(struct scribe *sc, struct blob *bl, struct err *err)
{
	const struct kv *attrs = scribe_attrs(sc);
	int rc = 0;

	for (size_t i = 0; !rc && i < attrs->n; i++) {
		const char *name = attrs->v[i].value;

		if (!is_name(bl, attrs->v[i].key) || !name || !*name)
			continue;
		rc = name_check(sc, bl, name, err);
		if (!rc)
			rc = scribe_subscribe(sc, bl->via, name, false, err);
		if (!rc)
			rolled_set_add(&bl->set, name, bl);
	}
	if (!rc && !bl->set.n)
		rc = err_set(err, -EINVAL, "store %s: %s is required: what to write", scribe_name(sc),
			     bl->via == SCRIBE_STREAM ? "stream" : "message_tag");
	return rc;
}

static int attr_bool(const struct scribe *sc, const char *name, bool *ret, struct err *err)
{
	const char *text = scribe_attr(sc, name);
	int rc = text ? unit_bool(text, ret, err) : 0;

	return rc ? err_prefix(err, rc, "store %s: %s: ", scribe_name(sc), name) : 0;
}

static int kinds_read(const struct scribe *sc, struct blob *bl, struct err *err)
{
	struct rolled_conf *conf = &bl->set.conf;
	bool on[] = { [BLOB_DAT] = true, [BLOB_TIMING] = false, [BLOB_TYPE] = false, [BLOB_OFFSET] = true };
	int rc = attr_bool(sc, "timing", &on[BLOB_TIMING], err);

	if (!rc)
		rc = attr_bool(sc, "types", &on[BLOB_TYPE], err);
	for (enum blob_kind k = BLOB_DAT; !rc && k <= BLOB_OFFSET; k++) {
		if (!on[k])
			continue;
		bl->kinds[conf->n_kinds] = k;
		conf->kinds[conf->n_kinds++] = kinds[k].word;
	}
	return rc;
}

static void head_put(struct rolled *r)
{
	const struct blob *bl = r->arg;

	for (size_t i = 0; i < bl->set.conf.n_kinds; i++)
		buf_add(&r->file[i].buf, kinds[bl->kinds[i]].magic, MAGIC_LEN);
}

static void blob_fini(struct scribe *sc)
{
	struct blob *bl = scribe_state(sc);

	rolled_set_fini(&bl->set);
}

static int config(struct scribe *sc, enum scribe_via via, struct err *err)
{
	const char *path = scribe_attr(sc, "path"), *container = scribe_attr(sc, "container");
	const struct roll_texts roll = { scribe_attr(sc, "rolltype"), scribe_attr(sc, "rollover"),
					 scribe_attr(sc, "rollagain"), scribe_attr(sc, "rollempty") };
	struct blob *bl = scribe_state(sc);
	int rc;

	if (!path || !container)
		return err_set(err, -EINVAL, "store %s: path and container are required: the folder for its files",
			       scribe_name(sc));
	bl->via = via;
	bl->set.conf = (struct rolled_conf){
		.who = scribe_name(sc), .flush_bytes = FLUSH_BYTES, .file_perm = FILE_PERM, .head = head_put
	};
	rc = roll_read(&bl->set.conf.roll, scribe_name(sc), &roll, err);
	if (!rc)
		rc = attr_bool(sc, "spool", &bl->set.conf.spool, err);
	if (!rc)
		rc = kinds_read(sc, bl, err);
	if (!rc)
		bl->set.conf.dir = xasprintf("%s/%s", path, container);
	if (!rc)
		rc = names_read(sc, bl, err);
	if (rc)
		blob_fini(sc);
	return rc;
}

static int stream_config(struct scribe *sc, struct err *err)
{
	return config(sc, SCRIBE_STREAM, err);
}

static int msg_config(struct scribe *sc, struct err *err)
{
	return config(sc, SCRIBE_MSG, err);
}

/* -- on a worker --------------------------------------------------------------------------------------------------- */

static int blob_open(struct scribe *sc, struct err *err)
{
	struct blob *bl = scribe_state(sc);

	return rolled_set_open(&bl->set, err);
}

static void put_le64(struct buf *b, uint64_t v)
{
	v = htole64(v);
	buf_add(b, &v, sizeof(v));
}

static int blob_msg(struct scribe *sc, const struct scribe_msg *m, struct err *err)
{
	struct blob *bl = scribe_state(sc);
	struct rolled *r = rolled_set_find(&bl->set, m->heard);
	uint64_t offset;
	int rc;

	if (!r)
		return err_set(err, -EINVAL, "nobody asked for it");
	rc = rolled_ready(r, err);
	if (rc)
		return rc;
	rolled_begin(r);
	offset = (uint64_t)r->file[0].size + r->file[0].buf.len; /* BLOB_DAT is the first */
	for (size_t i = 0; i < bl->set.conf.n_kinds; i++) {
		struct buf *b = &r->file[i].buf;

		switch (bl->kinds[i]) {
		case BLOB_DAT:
			buf_add(b, m->data, m->len);
			break;
		case BLOB_TIMING:
			put_le64(b, (uint64_t)(m->recv_us / SEC_US));
			put_le64(b, (uint64_t)(m->recv_us % SEC_US));
			break;
		case BLOB_TYPE:
			buf_u8(b, m->json ? 'j' : 's');
			break;
		case BLOB_OFFSET:
			put_le64(b, offset);
			break;
		}
	}
	return rolled_end(r, err);
}

static int blob_flush(struct scribe *sc, struct err *err)
{
	struct blob *bl = scribe_state(sc);

	return rolled_set_flush(&bl->set, err);
}

static int64_t blob_tick(struct scribe *sc)
{
	struct blob *bl = scribe_state(sc);

	return rolled_set_tick(&bl->set);
}

static void blob_close(struct scribe *sc)
{
	struct blob *bl = scribe_state(sc);

	rolled_set_close(&bl->set);
}

#define BLOB_TYPE_ROW(what, words)                                                                                     \
	.brief = words, .attrs = what##_attrs, .dir_attr = "path", .waits = true, .state_size = sizeof(struct blob),   \
	.about = &blob_##what##_about, .config = what##_config, .open = blob_open, .msg = blob_msg,                    \
	.flush = blob_flush, .tick = blob_tick, .close = blob_close, .fini = blob_fini

static const struct store_about blob_msg_about = {
	.example = "msg_enable\n"
		   "load name=blob plugin=blob_msg_writer\n"
		   "config name=blob path=/var/lib/ldms container=blob message_tag=slurm\n"
		   "start name=blob interval=1s\n",
	.flush = SCRIBE_FLUSH,
	.once = SCRIBE_ONCE,
};

const struct scribe_type scribe_blob_msg_writer = {
	.name = "blob_msg_writer",
	BLOB_TYPE_ROW(msg, "messages of channels, byte for byte, and where each begins"),
};

static const struct store_about blob_stream_about = {
	.example = "stream_enable\n"
		   "load name=blob plugin=blob_stream_writer\n"
		   "config name=blob path=/var/lib/ldms container=blob stream=kokkos\n"
		   "start name=blob interval=1s\n",
	.flush = SCRIBE_FLUSH,
	.once = SCRIBE_ONCE,
};

const struct scribe_type scribe_blob_stream_writer = {
	.name = "blob_stream_writer",
	BLOB_TYPE_ROW(stream, "messages of streams, byte for byte, and where each begins"),
};
