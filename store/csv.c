/* csv.c - the CSV store: text files PATH/CONTAINER/SCHEMA, one line a row, as ldmsd's store_csv writes them.
 *
 * A file holds rows of one shape.  The first shape that a policy meets goes to the file with the schema's name. Another
 * shape of that schema (nodes with another kernel have other metrics: another digest, or other array lengths) goes to a
 * file of its own, SCHEMA_DDDDDDD with the first seven digits of its digest; to SCHEMA_DDDDDDD.2 and so on where that
 * name is another shape's, too.  After a restart the header line decides: a file whose last header is another one is
 * not appended to.  (Shapes that differ in types alone have the same header, and may then share a file.)
 *
 * Not here yet: rolling over and renaming files.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/log.h"
#include "core/base/unit.h"
#include "core/base/xalloc.h"
#include "store/csv.h"
#include "store/dirs.h"
#include "store/store.h"

#define FLUSH_BYTES_DFLT (64u << 10) /* a write of this size costs little more than one of a line */
#define FLUSH_BYTES_MAX  (64u << 20) /* more memory than that for one file is a typing error */
#define NAMES_MAX        100         /* shapes of one schema whose digests begin alike: somebody plays */
#define FILE_PERM_DFLT   0600
#define DIR_PERM_DFLT    0750

struct csv {
	struct csv_conf conf;
	pthread_mutex_t opening; /* two policies that open one file: only one writes its header */
};

struct store_sink {
	struct csv *csv;
	char *dir;
	struct csv_file *files; /* the one of the last row first */
};

static const char not_yet[] = "not supported yet"; /* config refuses these by name */

static const struct store_attr csv_attrs[] = {
	{ "path", NULL, "the folder below which files are written: PATH/CONTAINER/SCHEMA; required" },
	{ "altheader", "0", "1: the header goes to a file of its own, SCHEMA.HEADER" },
	{ "array_lquote", "\"", "in front of an array when expand_array=0" },
	{ "array_rquote", "\"", "behind an array when expand_array=0" },
	{ "array_sep", ":", "between the elements of an array when expand_array=0" },
	{ "buffer", "1",
	  "0: each row is written at once; 1: rows are written at 64k and at the policy's flush "
	  "interval; more: see buffertype" },
	{ "buffertype", NULL, "what buffer=N counts, N > 1: 3 rows, 4 kilobytes" },
	{ "create_gid", NULL, "group of the files and folders that are made" },
	{ "create_perm", "0600", "mode of the files that are made, octal (folders: 0750)" },
	{ "create_uid", NULL, "owner of the files and folders that are made" },
	{ "expand_array", "1", "1: a column for each element of an array; 0: one column for the array" },
	{ "ietfcsv", "0", "1: texts and column names in double quotes; needed where texts have commas" },
	{ "time_format", "0", "0: Time,Time_usec in seconds; 1: Time_msec,Time_usec, the rest of a millisecond" },
	{ "typeheader", "0", "types of the columns in SCHEMA.KIND: 1 one for each column; 2 arrays as u8[]4" },
	{ "userdata", "0", "1: a column with the metric's user data in front of each value" },
	{ "rolltype", NULL, not_yet },
	{ "rollover", NULL, not_yet },
	{ "rollagain", NULL, not_yet },
	{ "rollempty", NULL, not_yet },
	{ "rename_template", NULL, not_yet },
	{ "rename_uid", NULL, not_yet },
	{ "rename_gid", NULL, not_yet },
	{ "rename_perm", NULL, not_yet },
	{ "opt_file", NULL, not_yet },
	{ 0 },
};

/* -- config -------------------------------------------------------------------------------------------------------- */

/* A small number, at most `max`. */
static int attr_small(const struct store *st, const char *name, uint64_t dflt, uint64_t max, uint64_t *ret,
		      struct err *err)
{
	int rc = store_attr_u64(st, name, dflt, ret, err);

	if (rc)
		return rc;
	if (*ret > max)
		return err_set(err, -EINVAL, "store %s: %s=%s: a whole number from 0 to %llu goes there",
			       store_name(st), name, store_attr(st, name), (unsigned long long)max);
	return 0;
}

static int attr_bool(const struct store *st, const char *name, bool dflt, bool *ret, struct err *err)
{
	const char *text = store_attr(st, name);
	int rc = 0;

	*ret = dflt;
	if (text)
		rc = unit_bool(text, ret, err);
	return rc ? err_prefix(err, rc, "store %s: %s: ", store_name(st), name) : 0;
}

static int conf_buffer(struct csv_conf *conf, const struct store *st, struct err *err)
{
	uint64_t n, type;
	int rc = store_attr_u64(st, "buffer", 1, &n, err);

	if (!rc)
		rc = attr_small(st, "buffertype", 0, 4, &type, err);
	if (rc)
		return rc;
	if ((n > 1) != (type == 3 || type == 4))
		return err_set(err, -EINVAL,
			       "store %s: buffer=%llu buffertype=%llu: buffer=0 and 1 stand alone, a larger one takes "
			       "buffertype=3 (rows) or 4 (kilobytes)",
			       store_name(st), (unsigned long long)n, (unsigned long long)type);
	if (type == 4 && n > FLUSH_BYTES_MAX >> 10)
		return err_set(err, -EINVAL, "store %s: buffer=%llu: at most %u kilobytes", store_name(st),
			       (unsigned long long)n, FLUSH_BYTES_MAX >> 10);
	conf->flush_bytes = !n ? 0 : type == 4 ? n << 10 : type == 3 ? FLUSH_BYTES_MAX : FLUSH_BYTES_DFLT;
	conf->flush_rows = type == 3 ? n : UINT64_MAX;
	return 0;
}

static int conf_owner(struct csv_conf *conf, const struct store *st, struct err *err)
{
	const char *perm = store_attr(st, "create_perm");
	uint64_t uid, gid;
	char *end;
	int rc = attr_small(st, "create_uid", (uid_t)-1, (uid_t)-1, &uid, err);

	if (!rc)
		rc = attr_small(st, "create_gid", (gid_t)-1, (gid_t)-1, &gid, err);
	if (rc)
		return rc;
	conf->uid = (uid_t)uid;
	conf->gid = (gid_t)gid;
	conf->file_perm = FILE_PERM_DFLT;
	conf->dir_perm = DIR_PERM_DFLT;
	if (!perm)
		return 0;
	conf->file_perm = (mode_t)strtoul(perm, &end, 8);
	if (*end || conf->file_perm > 0777)
		return err_set(err, -EINVAL, "store %s: create_perm=%s: an octal mode goes there, as 0640",
			       store_name(st), perm);
	/* who may read a file may enter its folder; the daemon must */
	conf->dir_perm = conf->file_perm | (conf->file_perm & 0444) >> 2 | 0700;
	conf->file_perm &= 0666;
	return 0;
}

static const char *attr_text(const struct store *st, const char *name, const char *dflt)
{
	const char *text = store_attr(st, name);

	return text ? text : dflt;
}

static int conf_lines(struct csv_conf *conf, const struct store *st, struct err *err)
{
	uint64_t typeheader = 0, time_format = 0;
	int rc = attr_bool(st, "altheader", false, &conf->altheader, err);

	if (!rc)
		rc = attr_bool(st, "userdata", false, &conf->userdata, err);
	if (!rc)
		rc = attr_bool(st, "ietfcsv", false, &conf->ietf, err);
	if (!rc)
		rc = attr_bool(st, "expand_array", true, &conf->expand_array, err);
	if (!rc)
		rc = attr_small(st, "typeheader", 0, 2, &typeheader, err);
	if (!rc)
		rc = attr_small(st, "time_format", 0, 1, &time_format, err);
	conf->typeheader = (unsigned int)typeheader;
	conf->time_format = (unsigned int)time_format;
	conf->array_sep = attr_text(st, "array_sep", ":");
	conf->array_lquote = attr_text(st, "array_lquote", "\"");
	conf->array_rquote = attr_text(st, "array_rquote", "\"");
	return rc;
}

static int csv_config(struct store *st, struct err *err)
{
	struct csv *csv = store_state(st);
	struct csv_conf *conf = &csv->conf;
	int rc;

	for (const struct store_attr *a = csv_attrs; a->name; a++)
		if (a->help == not_yet && store_attr(st, a->name))
			return err_set(err, -ENOTSUP, "store %s: %s is not supported yet; leave it out", store_name(st),
				       a->name);
	conf->path = store_attr(st, "path");
	if (!conf->path)
		return err_set(err, -EINVAL, "store %s: path is required: the folder below which files are written",
			       store_name(st));
	rc = conf_lines(conf, st, err);
	if (!rc)
		rc = conf_buffer(conf, st, err);
	if (!rc)
		rc = conf_owner(conf, st, err);
	if (!rc)
		pthread_mutex_init(&csv->opening, NULL);
	return rc;
}

static void csv_fini(struct store *st)
{
	struct csv *csv = store_state(st);

	pthread_mutex_destroy(&csv->opening);
}

/* -- a container --------------------------------------------------------------------------------------------------- */

static int csv_open(struct store *st, const char *container, struct store_sink **ret, struct err *err)
{
	struct csv *csv = store_state(st);
	struct store_sink *sk = xcalloc(1, sizeof(*sk));

	sk->csv = csv;
	sk->dir = xasprintf("%s/%s", csv->conf.path, container);
	*ret = sk;
	return 0;
}

static void csv_close(struct store_sink *sk)
{
	while (sk->files) {
		struct csv_file *f = sk->files;

		sk->files = f->next;
		csv_file_close(f);
	}
	free(sk->dir);
	free(sk);
}

/* The k-th name to try for rows of a schema.  The schema's name is a peer's: it must stay inside the folder. */
static char *file_name(const struct row_schema *rs, unsigned int k)
{
	char hex[8] = "", *name; /* seven digits */

	for (size_t i = 0; i < 4; i++)
		snprintf(hex + 2 * i, sizeof(hex) - 2 * i, "%02x", rs->digest[i]);
	if (!k)
		name = xstrdup(rs->name);
	else if (k == 1)
		name = xasprintf("%s_%s", rs->name, hex);
	else
		name = xasprintf("%s_%s.%u", rs->name, hex, k);
	for (char *p = name; *p; p++)
		if (*p == '/' || (p == name && *p == '.'))
			*p = '_';
	return name;
}

static bool name_is_taken(const struct store_sink *sk, const char *name)
{
	for (const struct csv_file *f = sk->files; f; f = f->next)
		if (!strcmp(f->name, name))
			return true;
	return false;
}

/* The file for a shape that this policy has not met before, put in front. */
static int file_make(struct store_sink *sk, const struct row_schema *rs, struct err *err)
{
	const struct csv_conf *conf = &sk->csv->conf;
	struct csv_file *f = NULL;
	int rc = dirs_make(sk->dir, conf->dir_perm, conf->uid, conf->gid, err);

	if (rc)
		return rc;
	rc = -EEXIST;
	pthread_mutex_lock(&sk->csv->opening);
	for (unsigned int k = 0; rc == -EEXIST && k < NAMES_MAX; k++) {
		char *name = file_name(rs, k);

		if (!name_is_taken(sk, name))
			rc = csv_file_open(conf, sk->dir, name, rs, &f, err);
		if (!rc && k)
			log_info("store", "file %s: for sets of schema %s that differ from those in %s/%s", f->path,
				 rs->name, sk->dir, rs->name);
		free(name);
	}
	pthread_mutex_unlock(&sk->csv->opening);
	if (rc == -EEXIST)
		return err_set(err, -EINVAL,
			       "folder %s: %d files of schema %s hold rows of other shapes; move the old ones away",
			       sk->dir, NAMES_MAX, rs->name);
	if (rc)
		return rc;
	f->next = sk->files;
	sk->files = f;
	return 0;
}

/* The file for these rows, made if need be, in front of the list. */
static int file_get(struct store_sink *sk, const struct row_schema *rs, struct err *err)
{
	struct csv_file **link, *f;

	if (sk->files && sk->files->schema == rs)
		return 0;
	for (link = &sk->files; (f = *link); link = &f->next) {
		if (!row_schema_same(f->schema, rs))
			continue;
		*link = f->next;
		f->next = sk->files;
		sk->files = f;
		return 0;
	}
	return file_make(sk, rs, err);
}

static int csv_row(struct store_sink *sk, const struct row *row, struct err *err)
{
	int rc = file_get(sk, row->schema, err);

	return rc ? rc : csv_file_row(sk->files, row, err);
}

static int csv_flush(struct store_sink *sk, struct err *err)
{
	int rc = 0;

	/* a file that fails does not keep the others from the disk */
	for (struct csv_file *f = sk->files; f; f = f->next) {
		int rc_f = csv_file_flush(f, rc ? NULL : err);

		rc = rc ? rc : rc_f;
	}
	return rc;
}

const struct store_type store_csv = {
	.name = "csv",
	.brief = "text files, one line a row: PATH/CONTAINER/SCHEMA",
	.attrs = csv_attrs,
	.dir_attr = "path",
	.state_size = sizeof(struct csv),
	.config = csv_config,
	.open = csv_open,
	.row = csv_row,
	.flush = csv_flush,
	.close = csv_close,
	.fini = csv_fini,
};
