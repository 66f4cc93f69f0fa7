/* scribe.h - what a store of messages is: a plugin that writes down what comes through streams and message channels.  To
 * add one: store/NAME.c with a `const struct scribe_type scribe_NAME`, and X(NAME) in scribes.c.
 *
 * An instance (`load name=x plugin=stream_csv_store`, `config name=x path=...`) hears what it subscribed to.  Messages
 * wait in a bounded queue for a store worker, which calls msg(), flush() and tick(), one at a time and in order: what may
 * wait may wait there, and holds up nobody.
 */
#ifndef STORE_SCRIBE_H
#define STORE_SCRIBE_H

#include "core/base/err.h"
#include "core/base/kv.h"
#include "store/store.h"

struct scribe; /* an instance; the daemon's */

enum scribe_via { SCRIBE_STREAM, SCRIBE_MSG };

struct scribe_msg { /* borrowed */
	enum scribe_via via;
	const char *heard; /* the name or expression that was subscribed to */
	const char *name;  /* of the stream or channel */
	bool json;
	const char *data; /* a NUL stands behind its end */
	size_t len;       /* as published: the NUL of a text counts */
	int64_t recv_us;  /* wall clock: when it came here */
};

/* What holds for all of them; store_about. */
#define SCRIBE_FLUSH                                                                                                   \
	"messages are written within a second of their coming; they are then in files, which the kernel brings to the "  \
	"disk in its time"
#define SCRIBE_ONCE "each once; what a killed daemon had in its queue, of the last second while all is well, is lost"

struct scribe_type {
	const char *name; /* as in `load name=blob_stream_writer` */
	const char *brief;
	const struct store_attr *attrs;   /* ended by a row without name */
	const char *dir_attr, *file_attr; /* the attribute that is a folder, or a file, that is written; or NULL */
	bool waits;                       /* for the verb `start`; else it writes from its config on */
	size_t state_size;                /* bytes of scribe_state(), zeroed before config */

	/* Take over the attributes, and subscribe; on the main loop until it succeeds once (state zeroed before each
	 * try; a failure must leave nothing behind); must not wait. */
	int (*config)(struct scribe *sc, struct err *err);
	/* A further `config`, with attributes that are borrowed (NULL: it is refused): on the main loop, while a worker
	 * may be at the other functions. */
	int (*config_more)(struct scribe *sc, const struct kv *attrs, struct err *err);
	/* Begin to write; tried again later when it fails.  May be NULL. */
	int (*open)(struct scribe *sc, struct err *err);
	/* Keep one message.  A negative errno: it was not taken, and is offered again later; -EINVAL: it never can be, and
	 * is counted as refused. */
	int (*msg)(struct scribe *sc, const struct scribe_msg *m, struct err *err);
	/* Write what was taken. */
	int (*flush)(struct scribe *sc, struct err *err);
	/* What the clock calls for; returns when to call again (wall clock, seconds), INT64_MAX for never.  May be NULL. */
	int64_t (*tick)(struct scribe *sc);
	/* Undo open(); what cannot be written is lost, and said. */
	void (*close)(struct scribe *sc);
	void (*fini)(struct scribe *sc); /* undo config */
	const struct store_about *about;
};

extern const struct scribe_type *const scribe_types[]; /* scribes.c: alphabetical, ended by NULL */
const struct scribe_type *scribe_type_find(const char *name);

void *scribe_state(struct scribe *sc);
const char *scribe_name(const struct scribe *sc);
const char *scribe_attr(const struct scribe *sc, const char *name);
/* All attributes of `config`, in order: those that may be repeated. */
const struct kv *scribe_attrs(const struct scribe *sc);

/* On the main loop, from config() and config_more(): hear a stream (its name), or channels (one, or those that match the
 * expression); and no longer.  -EEXIST with words when that is heard already; -ENOENT when it is not. */
int scribe_subscribe(struct scribe *sc, enum scribe_via via, const char *name, bool regex, struct err *err);
int scribe_unsubscribe(struct scribe *sc, enum scribe_via via, const char *name, struct err *err);

#endif
