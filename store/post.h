/* post.h - rows that go to an HTTP server in batches: what the stores influx and remote_write have in common.
 *
 * Rows are bytes that follow each other; any run of them is a message.  They are taken into memory and posted when there
 * is a batch of them, or by post_flush(), over one connection that is kept.  What the answer means:
 *
 *   2xx            stored
 *   400, 422       a row in it is bad: the batch is halved until that row is alone, which is counted as refused, with
 *                  the server's words; where these say how many it left out of a batch, that is taken as it is.  When
 *                  it takes more than two deadlines, it goes on at the next try: others wait for the thread
 *     ...          from a server that has taken nothing yet, since it was opened or away, and that does not speak of
 *                  rows: the address may be wrong, or want TLS.  All rows stay here; after many such tries the first few
 *                  are refused, so that bad ones do not stop good ones for ever
 *   413            too much at once: smaller batches from then on; a row that is too long alone is refused, and batches
 *                  are as before
 *   any other, or  the server as a whole: all rows stay here, nothing more is taken, and the policy tries again, not
 *   none           before the time that Retry-After asks for
 *
 * A batch whose answer did not come is posted again, in smaller pieces when it took too long: the same rows twice, which
 * the engines take as one.
 */
#ifndef STORE_POST_H
#define STORE_POST_H

#include <stdbool.h>

#include "core/base/buf.h"
#include "core/base/http.h"
#include "store/store.h"

/* -- configuration: attributes of all such stores ------------------------------------------------------------------ */

#define POST_ATTRS                                                                                                     \
	{ "batch", "5000", "rows that are posted at once, at most", "number" },                                                  \
		{ "ca", NULL,                                                                                          \
		  "file of certificates (PEM) that the server's must be signed by; default: the system's", "file" },           \
		{ "cert", NULL, "file of the certificate (PEM) that the server is to know this client by", "file" },           \
		{ "deadline", "5s", "a server that has not answered by then hangs", "time" },                                  \
		{ "key", NULL, "file of the private key (PEM) of cert", "file" },                                              \
		{ "password_file", NULL, "file of the password that goes with user; read again when it is refused", "file" },  \
		{ "token_file", NULL, "file of the token to show; read again when it is refused", "file" },                    \
		{ "user", NULL, "basic authentication", "text" },                                                              \
	{                                                                                                              \
		"verify", "1", "0: believe whoever answers at that address (TLS)", "boolean"                                      \
	}
#define POST_FLUSH /* store_about */                                                                                   \
	"rows are posted when the policy is flushed, or a batch or 4 MB of them wait; stored is what the server has said " \
	"that it took, and what it has in its memory alone goes with it"
#define POST_READS "ca cert key password_file token_file" /* store_type.reads */

struct post_conf { /* texts are borrowed from the store instance */
	uint64_t batch;
	int64_t deadline_us;
	const char *user, *password_file, *token_file;
	struct http_tls tls;
};

/* -EINVAL with words. */
int post_conf_read(struct store *st, struct post_conf *ret, struct err *err);
/* url= as given, and where in it the path (NULL: it has none but "/") and the query (NULL: none) begin; required. */
int post_url_read(struct store *st, const char **ret_url, const char **ret_path, const char **ret_query,
		  struct err *err);

/* -- a sink -------------------------------------------------------------------------------------------------------- */

#define POST_HEADERS_MAX 8

/* How one kind of server is talked to. */
struct post_face {
	const char *const *headers; /* of every request, ended by NULL; POST_HEADERS_MAX at most */
	const char *token;          /* the word in front of a token in the header Authorization: "Bearer" */
	/* Optional: rows as they are sent, appended to `to`. */
	int (*encode)(void *arg, const void *p, size_t len, struct buf *to, struct err *err);
	/* Parts of what it says when rows are bad, ended by NULL. */
	const char *const *row_words;
	/* Optional: does a 400 say that all of the batch is stored but *ret rows? */
	bool (*left_out)(const char *words, uint64_t *ret);
};

struct post;

/* Takes `url`; the rest is borrowed. */
struct post *post_new(const struct post_conf *conf, const struct post_face *face, void *arg, char *url);
/* What was taken is posted, unless that has just failed; what cannot be is lost, and said so.  `name` is the store's. */
void post_close(struct post *p, const char *name);
/* Where a row's bytes are to be appended; then post_added(), which posts when that makes a batch.  An error: the batch could
 * not be posted, and this row is gone from it. */
struct buf *post_taken(struct post *p);
int post_added(struct post *p, struct err *err);
/* All that was taken; 0: it is stored, or counted as refused. */
int post_flush(struct post *p, struct err *err);
uint64_t post_refused(struct post *p, struct err *why); /* as store_type.refused */
void post_abort(struct post *p);                        /* as store_type.abort */

/* -- post_words.c -------------------------------------------------------------------------------------------------- */

#define POST_WORDS_MAX 256

/* What a server says in the body of a failure, in one line for people: the member error or message of a JSON object, or
 * the text itself; without control characters, cut. */
void post_words(const void *body, size_t len, char to[POST_WORDS_MAX]);

#endif
