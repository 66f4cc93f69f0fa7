/* csv_conf.c - the attributes of store csv, of one instance or of one file of it. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/unit.h"
#include "core/base/xalloc.h"
#include "store/csv.h"

#define FLUSH_BYTES_DFLT (64u << 10) /* a write of this size costs little more than one of a line */
#define FLUSH_BYTES_MAX  (64u << 20) /* more memory than that for one file is a typing error */
#define FILE_PERM_DFLT   0600
#define DIR_PERM_DFLT    0750
#define OPT_FILE_MAX     (1u << 20) /* bytes */

const struct store_attr csv_attrs[] = {
	{ "path", NULL, "the folder below which files are written: PATH/CONTAINER/SCHEMA; required", "folder" },
	{ "altheader", "0", "1: the header goes to a file of its own, SCHEMA.HEADER", "boolean" },
	{ "array_lquote", "\"", "in front of an array when expand_array=0", "text" },
	{ "array_rquote", "\"", "behind an array when expand_array=0", "text" },
	{ "array_sep", ":", "between the elements of an array when expand_array=0", "text" },
	{ "buffer", "1",
	  "0: each row is written at once; 1: rows are written at 64k and at the policy's flush "
	  "interval; more: see buffertype",
	  "number" },
	{ "buffertype", NULL, "what buffer=N counts, N > 1: 3 rows, 4 kilobytes", "3|4" },
	{ "container", NULL, "with schema: what else is said is for this file alone; after the other attributes",
	  "text" },
	{ "create_gid", NULL, "group of the files and folders that are made", "number" },
	{ "create_perm", "0600", "mode of the files that are made, octal (folders: 0750)", "octal" },
	{ "create_uid", NULL, "owner of the files and folders that are made", "number" },
	{ "expand_array", "1", "1: a column for each element of an array; 0: one column for the array", "boolean" },
	{ "ietfcsv", "0", "1: texts and column names in double quotes; needed where texts have commas", "boolean" },
	{ "keep", NULL,
	  "how long, how much: 30d, 200G, or 30d/200G: the oldest files that this store has made and closed are "
	  "deleted, no others",
	  "time/size" },
	{ "name_template", "%C/%S",
	  "which file a row goes to, below PATH: %C container, %S schema, %P producer, %u user, %j job, %h this "
	  "host, %Y %m %d %H the row's local time; with %u files belong to their users",
	  "template" },
	{ "opt_file", NULL, "a file with more of these attributes; lines with container and schema are for one file",
	  "file" },
	{ "rename_gid", NULL, "group of the files that are closed", "number" },
	{ "rename_perm", NULL, "mode of the files that are closed, octal", "octal" },
	{ "rename_template", NULL,
	  "what a closed file is called: %D folder, %B base name, %C container, %S schema, %T DATA, "
	  "HEADER or KIND, %s seconds, %P store_csv, %{VAR} environment",
	  "template" },
	{ "rename_uid", NULL, "owner of the files that are closed", "number" },
	{ "rollagain", NULL, "seconds; see rolltype=5", "number" },
	{ "rollempty", "0", "1: timed rolls make files without rows, too", "boolean" },
	{ "rollover", NULL, "how many seconds, rows or bytes; see rolltype", "number" },
	{ "rolltype", NULL,
	  "a new file SCHEMA.SECONDS: 1 every rollover seconds; 2 daily, rollover seconds after midnight; "
	  "3 after rollover rows; 4 after rollover bytes; 5 as 2, and every rollagain seconds from then on",
	  "1|2|3|4|5" },
	{ "schema", NULL, "see container", "text" },
	{ "time_format", "0", "0: Time,Time_usec in seconds; 1: Time_msec,Time_usec, the rest of a millisecond",
	  "0|1" },
	{ "typeheader", "0", "types of the columns in SCHEMA.KIND: 1 one for each column; 2 arrays as u8[]4", "0|1|2" },
	{ "userdata", "0", "1: a column with the metric's user data in front of each value", "boolean" },
	{ 0 },
};

/* -- one attribute ------------------------------------------------------------------------------------------------- */

const char *csv_attr(const struct csv_attrs *a, const char *name)
{
	const char *text = a->over ? kv_get(a->over, name) : NULL;

	if (!text)
		text = store_attr(a->st, name);
	return text || !a->file ? text : kv_get(a->file, name);
}

/* A number, at most `max`. */
static int attr_num(const struct csv_attrs *a, const char *name, uint64_t dflt, uint64_t max, uint64_t *ret,
		    struct err *err)
{
	const char *text = csv_attr(a, name);
	int rc = 0;

	*ret = dflt;
	if (text)
		rc = unit_u64(text, ret, err);
	if (rc)
		return err_prefix(err, rc, "store %s: %s: ", store_name(a->st), name);
	if (*ret > max)
		return err_set(err, -EINVAL, "store %s: %s=%s: a whole number from 0 to %" PRIu64 " goes there",
			       store_name(a->st), name, text, max);
	return 0;
}

static int attr_bool(const struct csv_attrs *a, const char *name, bool dflt, bool *ret, struct err *err)
{
	const char *text = csv_attr(a, name);
	int rc = 0;

	*ret = dflt;
	if (text)
		rc = unit_bool(text, ret, err);
	return rc ? err_prefix(err, rc, "store %s: %s: ", store_name(a->st), name) : 0;
}

static int attr_perm(const struct csv_attrs *a, const char *name, mode_t dflt, mode_t *ret, struct err *err)
{
	const char *text = csv_attr(a, name);
	char *end;

	*ret = dflt;
	if (!text)
		return 0;
	*ret = (mode_t)strtoul(text, &end, 8);
	if (end == text || *end || *ret > 0777)
		return err_set(err, -EINVAL, "store %s: %s=%s: an octal mode goes there, as 0640", store_name(a->st),
			       name, text);
	return 0;
}

static const char *attr_text(const struct csv_attrs *a, const char *name, const char *dflt)
{
	const char *text = csv_attr(a, name);

	return text ? text : dflt;
}

/* -- groups of them ------------------------------------------------------------------------------------------------ */

static int conf_buffer(struct csv_conf *conf, const struct csv_attrs *a, struct err *err)
{
	uint64_t n, type;
	int rc = attr_num(a, "buffer", 1, UINT64_MAX, &n, err);

	if (!rc)
		rc = attr_num(a, "buffertype", 0, 4, &type, err);
	if (rc)
		return rc;
	if ((n > 1) != (type == 3 || type == 4))
		return err_set(err, -EINVAL,
			       "store %s: buffer=%" PRIu64 " buffertype=%" PRIu64
			       ": buffer=0 and 1 stand alone, a larger one takes buffertype=3 (rows) or 4 (kilobytes)",
			       store_name(a->st), n, type);
	if (type == 4 && n > FLUSH_BYTES_MAX >> 10)
		return err_set(err, -EINVAL, "store %s: buffer=%" PRIu64 ": at most %u kilobytes", store_name(a->st), n,
			       FLUSH_BYTES_MAX >> 10);
	conf->flush_bytes = !n ? 0 : type == 4 ? n << 10 : type == 3 ? FLUSH_BYTES_MAX : FLUSH_BYTES_DFLT;
	conf->flush_rows = type == 3 ? n : UINT64_MAX;
	return 0;
}

static int conf_ids(const struct csv_attrs *a, const char *uid_name, const char *gid_name, uid_t *uid, gid_t *gid,
		    struct err *err)
{
	uint64_t u, g;
	int rc = attr_num(a, uid_name, (uid_t)-1, (uid_t)-1, &u, err);

	if (!rc)
		rc = attr_num(a, gid_name, (gid_t)-1, (gid_t)-1, &g, err);
	if (rc)
		return rc;
	*uid = (uid_t)u;
	*gid = (gid_t)g;
	return 0;
}

static int conf_owner(struct csv_conf *conf, const struct csv_attrs *a, struct err *err)
{
	int rc = conf_ids(a, "create_uid", "create_gid", &conf->uid, &conf->gid, err);

	if (!rc)
		rc = conf_ids(a, "rename_uid", "rename_gid", &conf->rename_uid, &conf->rename_gid, err);
	if (!rc)
		rc = attr_perm(a, "create_perm", FILE_PERM_DFLT, &conf->file_perm, err);
	if (!rc)
		rc = attr_perm(a, "rename_perm", 0, &conf->rename_perm, err);
	conf->dir_perm = DIR_PERM_DFLT;
	/* who may read a file may enter its folder; the daemon must */
	if (!rc && csv_attr(a, "create_perm"))
		conf->dir_perm = conf->file_perm | (conf->file_perm & 0444) >> 2 | 0700;
	conf->file_perm &= 0666;
	return rc;
}

static int conf_roll(struct csv_conf *conf, const struct csv_attrs *a, struct err *err)
{
	const struct roll_texts t = {
		.type = csv_attr(a, "rolltype"),
		.over = csv_attr(a, "rollover"),
		.again = csv_attr(a, "rollagain"),
		.empty = csv_attr(a, "rollempty"),
	};

	return roll_read(&conf->roll, store_name(a->st), &t, err);
}

static int conf_lines(struct csv_conf *conf, const struct csv_attrs *a, struct err *err)
{
	uint64_t typeheader = 0, time_format = 0;
	int rc = attr_bool(a, "altheader", false, &conf->altheader, err);

	if (!rc)
		rc = attr_bool(a, "userdata", false, &conf->userdata, err);
	if (!rc)
		rc = attr_bool(a, "ietfcsv", false, &conf->ietf, err);
	if (!rc)
		rc = attr_bool(a, "expand_array", true, &conf->expand_array, err);
	if (!rc)
		rc = attr_num(a, "typeheader", 0, 2, &typeheader, err);
	if (!rc)
		rc = attr_num(a, "time_format", 0, 1, &time_format, err);
	conf->typeheader = (unsigned int)typeheader;
	conf->time_format = (unsigned int)time_format;
	conf->array_sep = attr_text(a, "array_sep", ":");
	conf->array_lquote = attr_text(a, "array_lquote", "\"");
	conf->array_rquote = attr_text(a, "array_rquote", "\"");
	return rc;
}

int csv_conf_read(struct csv_conf *ret, const struct csv_attrs *a, struct err *err)
{
	const char *name = csv_attr(a, "name_template");
	struct csv_conf conf = { .rename = csv_attr(a, "rename_template") };
	int rc = conf_lines(&conf, a, err);

	if (!rc)
		rc = conf_buffer(&conf, a, err);
	if (!rc)
		rc = conf_owner(&conf, a, err);
	if (!rc)
		rc = conf_roll(&conf, a, err);
	if (!rc && name && strstr(name, "%u")) /* users find their files */
		conf.dir_perm |= 0055;
	if (!rc)
		*ret = conf;
	return rc;
}

/* -- opt_file ------------------------------------------------------------------------------------------------------ */

static bool known(const char *key)
{
	if (!strcmp(key, "store_csv")) /* ldmsd has this word in front of what holds for all files */
		return true;
	for (const struct store_attr *a = csv_attrs; a->name; a++)
		if (!strcmp(a->name, key))
			return strcmp(key, "opt_file"); /* not one within the other */
	return false;
}

static int line_check(const struct kv *line, struct err *err)
{
	for (size_t i = 0; i < line->n; i++)
		if (!known(line->v[i].key))
			return err_set(err, -EINVAL, "no attribute '%s' goes there; leave it out", line->v[i].key);
	return 0;
}

int csv_opt_lines(const char *text, int (*fn)(const struct kv *line, void *arg, struct err *err), void *arg,
		  struct err *err)
{
	unsigned int number = 0;
	int rc = 0;

	while (!rc && *text) {
		size_t len = strcspn(text, "\n");
		char *line = xstrndup(text, len);
		struct kv kv = { 0 };

		number++;
		if (line[strspn(line, " \t")] == '#')
			*line = '\0';
		kv_parse(&kv, line);
		if (kv.n)
			rc = line_check(&kv, err);
		if (!rc && kv.n)
			rc = fn(&kv, arg, err);
		kv_fini(&kv);
		free(line);
		text += len + (text[len] == '\n');
	}
	return rc ? err_prefix(err, rc, "line %u: ", number) : 0;
}

int csv_opt_file(const char *path, int (*fn)(const struct kv *line, void *arg, struct err *err), void *arg,
		 struct err *err)
{
	FILE *f = fopen(path, "re");
	struct buf b = { 0 };
	int rc;

	if (!f)
		return err_set(err, -errno, "opt_file %s: cannot be opened: %s; name a file that the daemon may read",
			       path, err_name(-errno));
	rc = buf_slurp(&b, f, OPT_FILE_MAX);
	if (rc == -EFBIG)
		rc = err_set(err, rc, "opt_file %s: has more than %u bytes; name a file of attributes", path,
			     OPT_FILE_MAX);
	else if (rc)
		rc = err_set(err, rc, "opt_file %s: cannot be read: %s; name a file that the daemon may read", path,
			     err_name(rc));
	else
		rc = (rc = csv_opt_lines(buf_str(&b), fn, arg, err)) ? err_prefix(err, rc, "opt_file %s: ", path) : 0;
	fclose(f);
	buf_fini(&b);
	return rc;
}
