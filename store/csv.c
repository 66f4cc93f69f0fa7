/* csv.c - the CSV store: text files PATH/CONTAINER/SCHEMA, one line a row, as ldmsd's store_csv writes them.
 *
 * A file holds rows of one shape.  The first shape that a policy meets goes to the file with the schema's name. Another
 * shape of that schema (nodes with another kernel have other metrics: another digest, or other array lengths) goes to a
 * file of its own, SCHEMA_DDDDDDD with the first seven digits of its digest; to SCHEMA_DDDDDDD.2 and so on where that
 * name is another shape's, too.  After a restart the header line decides: a file whose last header is another one is
 * not appended to.  (Shapes that differ in types alone have the same header, and may then share a file.)
 *
 * Workers write; what the clock calls for (rolls, old files) is done by a thread of the instance's own, csv_tick.c.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/log.h"
#include "core/base/xalloc.h"
#include "store/csv_impl.h"
#include "store/dirs.h"

#define NAMES_MAX 100 /* shapes of one schema whose digests begin alike: somebody plays */
#define OPEN_MAX  256 /* files that name_template keeps open for one policy */

/* -- a container --------------------------------------------------------------------------------------------------- */

static int csv_open(struct store *st, const char *container, struct store_sink **ret, struct err *err)
{
	struct csv *csv = store_state(st);
	struct store_sink *sk = xcalloc(1, sizeof(*sk));
	int rc = csv->name_template ? csv_name_new(csv->name_template, &sk->name, err) : 0;

	sk->csv = csv;
	sk->container = xstrdup(container);
	sk->dir = xasprintf("%s/%s", csv->path, container);
	pthread_mutex_init(&sk->lock, NULL);
	pthread_mutex_lock(&csv->lock);
	sk->next = csv->sinks;
	csv->sinks = sk;
	pthread_mutex_unlock(&csv->lock);
	*ret = sk;
	return rc;
}

static void csv_close(struct store_sink *sk)
{
	struct csv *csv = sk->csv;

	pthread_mutex_lock(&csv->lock);
	for (struct store_sink **link = &csv->sinks; *link; link = &(*link)->next)
		if (*link == sk) {
			*link = sk->next;
			break;
		}
	pthread_mutex_unlock(&csv->lock);
	while (sk->files) {
		struct csv_file *f = sk->files;

		sk->files = f->next;
		csv_file_close(f);
	}
	csv_prune(csv);
	pthread_mutex_destroy(&sk->lock);
	csv_name_free(sk->name);
	free(sk->container);
	free(sk->dir);
	free(sk);
}

/* Files that are open already are so since before the first row. */
static void csv_undo(struct store_sink *sk, struct undo *undo)
{
	sk->undo = undo;
}

/* The k-th name to try for rows of a schema. */
static char *file_name(const char *base, const struct row_schema *rs, unsigned int k)
{
	char hex[8] = ""; /* seven digits */

	for (size_t i = 0; i < 4; i++)
		snprintf(hex + 2 * i, sizeof(hex) - 2 * i, "%02x", rs->digest[i]);
	if (!k)
		return xstrdup(base);
	return k == 1 ? xasprintf("%s_%s", base, hex) : xasprintf("%s_%s.%u", base, hex, k);
}

static bool name_is_taken(const struct store_sink *sk, const char *dir, const char *name)
{
	for (const struct csv_file *f = sk->files; f; f = f->next)
		if (!strcmp(f->name, name) && !strcmp(f->dir, dir))
			return true;
	return false;
}

/* Below PATH, where name_template says. */
static void key_split(const struct csv *csv, const char *key, char **dir, char **base)
{
	const char *slash = strrchr(key, '/');

	*dir = slash ? xasprintf("%s/%.*s", csv->path, (int)(slash - key), key) : xstrdup(csv->path);
	*base = xstrdup(slash ? slash + 1 : key);
}

/* Room for one more: the file whose last row is the longest ago is closed. */
static int file_oust(struct store_sink *sk, struct err *err)
{
	struct csv_file **link = &sk->files, *f;
	int rc;

	if (sk->n_files < OPEN_MAX)
		return 0;
	while ((*link)->next)
		link = &(*link)->next;
	f = *link;
	rc = csv_file_flush(f, err);
	if (rc)
		return rc;
	*link = NULL;
	sk->n_files--;
	csv_file_close(f);
	return 0;
}

/* The file for a shape that this policy has not met before, put in front. */
static int file_make(struct store_sink *sk, const struct row_schema *rs, const char *key, uid_t uid, struct err *err)
{
	struct csv *csv = sk->csv;
	struct csv_file_conf fc = {
		.container = sk->container, .key = key, .schema = rs, .uid = uid, .undo = sk->undo
	};
	struct csv_file *f = NULL;
	char *dir = NULL, *base = NULL;
	int rc = key ? file_oust(sk, err) : 0;

	if (rc)
		return rc;
	if (key) {
		key_split(csv, key, &dir, &base);
	} else {
		dir = xstrdup(sk->dir);
		base = file_fit_name(rs->name);
	}
	fc.dir = dir;
	pthread_mutex_lock(&csv->opening);
	fc.conf = csv_conf_of(csv, sk->container, rs->name);
	rc = dirs_make(dir, fc.conf->dir_perm, fc.conf->uid, fc.conf->gid, err);
	if (!rc)
		rc = csv_list_get(csv, err);
	fc.list = csv->list;
	if (!rc)
		rc = -EEXIST;
	for (unsigned int k = 0; rc == -EEXIST && k < NAMES_MAX; k++) {
		char *name = file_name(base, rs, k);

		fc.name = name;
		if (!name_is_taken(sk, dir, name))
			rc = csv_file_open(&fc, &f, err);
		if (!rc && k)
			log_info("store", "file %s: for sets of schema %s that differ from those in %s/%s", f->out.path,
				 rs->name, dir, base);
		free(name);
	}
	pthread_mutex_unlock(&csv->opening);
	if (rc == -EEXIST)
		rc = err_set(err, -EINVAL,
			     "folder %s: %d files of schema %s hold rows of other shapes; move the old ones away", dir,
			     NAMES_MAX, rs->name);
	if (!rc) {
		f->next = sk->files;
		sk->files = f;
		sk->n_files++;
		sk->made = true;
	}
	free(dir);
	free(base);
	return rc;
}

/* The file for these rows, made if need be, in front of the list. */
static int file_get(struct store_sink *sk, const struct row *row, struct err *err)
{
	const struct row_schema *rs = row->schema;
	struct csv_file **link, *f;
	uid_t uid = (uid_t)-1;
	const char *key = sk->name ? csv_name_of(sk->name, sk->container, row, &uid) : NULL;

	if (sk->files && sk->files->schema == rs && (!key || !strcmp(key, sk->files->key)))
		return 0;
	for (link = &sk->files; (f = *link); link = &f->next) {
		if ((key && strcmp(key, f->key)) || !row_schema_same(f->schema, rs))
			continue;
		*link = f->next;
		f->next = sk->files;
		sk->files = f;
		return 0;
	}
	return file_make(sk, rs, key, uid, err);
}

static int csv_row(struct store_sink *sk, const struct row *row, struct err *err)
{
	bool made, near = false;
	struct csv_file *f;
	int rc;

	pthread_mutex_lock(&sk->lock);
	rc = file_get(sk, row, err);
	if (!rc) {
		f = sk->files;
		rc = csv_file_row(f, row, err);
		if (!rc && roll_full(&f->conf->roll, f->rows_all, f->bytes_all))
			csv_roll_now(f);
		near = f->roll_at < atomic_load_explicit(&sk->csv->wake_s, memory_order_relaxed);
	}
	made = sk->made;
	sk->made = false;
	pthread_mutex_unlock(&sk->lock);
	if (made)
		csv_tick_start(sk->csv);
	if (near)
		csv_tick_wake(sk->csv);
	return rc;
}

static int csv_flush(struct store_sink *sk, struct err *err)
{
	int rc = 0;

	pthread_mutex_lock(&sk->lock);
	/* a file that fails does not keep the others from the disk */
	for (struct csv_file *f = sk->files; f; f = f->next) {
		int rc_f = csv_file_flush(f, rc ? NULL : err);

		rc = rc ? rc : rc_f;
	}
	pthread_mutex_unlock(&sk->lock);
	return rc;
}

static const struct store_to csv_to[] = {
	{ .word = "csv", .form = "DIR", .attr = "path", .help = "comma-separated values: DIR/CONTAINER/SCHEMA" },
	{ 0 },
};

static const struct store_about csv_about = {
	.example = "load name=csv plugin=csv\n"
		   "config name=csv path=/var/lib/ldms/csv rolltype=2 rollover=0 \\\n"
		   "       keep=30d/200G\n"
		   "strgp_add name=csv plugin=csv container=data regex=.* \\\n"
		   "          spool=/var/spool/ldms\n"
		   "strgp_start name=csv\n",
	.flush = "rows are gathered by file, and written at 64 kB of them (see buffer) or when the policy is flushed; "
		 "they are then in files, which the kernel brings to the disk in its time",
	.once = "with a spool, rows that were written, and come again after a kill, are cut off the files first, so "
		"that each is there once",
};

const struct store_type store_csv = {
	.name = "csv",
	.brief = "text files, one line a row: PATH/CONTAINER/SCHEMA",
	.about = &csv_about,
	.to = csv_to,
	.attrs = csv_attrs,
	.dir_attr = "path",
	.again_bytes = 16 << 10, /* with their text, less than is written at once */
	.state_size = sizeof(struct csv),
	.config = csv_config,
	.config_more = csv_config_more,
	.open = csv_open,
	.undo = csv_undo,
	.row = csv_row,
	.flush = csv_flush,
	.close = csv_close,
	.fini = csv_fini,
};
