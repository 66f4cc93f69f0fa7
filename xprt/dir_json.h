/* dir_json.h - the directory's text: sets as JSON, written as real peers write it, read as tolerantly as can be.
 *
 *	{ "directory" : [ {"name":"n1/meminfo","schema":"meminfo","digest":"<64 hex digits>","flags":"CL ",
 *	"meta_size":2512,"data_size":584,"heap_size":0,"uid":0,"gid":0,"perm":"-rwxrwxrwx","card":57,"array_card":1,
 *	"meta_gn":1,"data_gn":173,"timestamp":{"sec":1700000000,"usec":1234},"duration":{"sec":0,"usec":41},
 *	"info":[{"key":"updt_hint_us","value":"1000000:0"}]},{...}]}
 *
 * without line breaks; a blank before the first set, none before the others.
 *
 * Ours tells how many sets it kept back, and from whom, in the last text of a list; only where there are such:
 *
 *	{ "directory" : [...], "hidden":{"sets":3,"uid":1000,"gid":1000}}
 */
#ifndef XPRT_DIR_JSON_H
#define XPRT_DIR_JSON_H

#include "core/base/buf.h"
#include "xprt/xprt.h"

#define DIR_HIDDEN_MAX 128 /* bytes that dir_json_put_hidden() adds at most */

/* What else stands in a text; zero to begin with. */
struct dir_notes {
	unsigned long skipped; /* sets that were left out, see below */
	struct dir_hidden hidden;
};

/* `, "hidden":{...}`, behind the list; nothing where nothing is hidden. */
void dir_json_put_hidden(struct buf *to, const struct dir_hidden *h);
/* One set's object.  The set database's lock is held (for the info pairs). */
void dir_json_put(struct buf *to, const struct set *s, const struct set_stat *st);

/* False: stop. */
typedef bool (*dir_json_fn)(const struct dir_set *set, void *arg);

/* Call fn for each set of the text (trailing NULs are fine).  What is tolerated: any white space, escapes, unknown
 * keys, a comma before the first set (a defect of real peers).  A set that lacks a key or has an unusable name is
 * skipped and counted; with names_only the name is all it needs.  -EPROTO and the place for what is no such text. */
int dir_json_get(const char *text, size_t len, bool names_only, dir_json_fn fn, void *arg, struct dir_notes *notes,
		 struct err *err);

#endif
