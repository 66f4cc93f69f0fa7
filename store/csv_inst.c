/* csv_inst.c - an instance of store csv: its configuration, that of single files, and what an earlier daemon left. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/base/log.h"
#include "core/base/xalloc.h"
#include "store/csv_impl.h"
#include "store/dirs.h"

/* -- config -------------------------------------------------------------------------------------------------------- */

static void over_free(struct csv_over *o)
{
	free(o->container);
	free(o->schema);
	kv_fini(&o->attrs);
	free(o);
}

static int over_add(struct csv *csv, const struct kv *attrs, struct err *err)
{
	static const char *const whole[] = { "path", "opt_file", "keep", "name_template", NULL };
	const char *container = kv_get(attrs, "container"), *schema = kv_get(attrs, "schema");
	struct csv_over *o;
	int rc;

	for (size_t i = 0; whole[i]; i++)
		if (kv_has(attrs, whole[i]))
			return err_set(err, -EINVAL,
				       "store %s: %s is the same for all files; leave it out of this line",
				       store_name(csv->store), whole[i]);
	if (!container || !schema)
		return err_set(err, -EINVAL, "store %s: container and schema go together: they name a file",
			       store_name(csv->store));
	o = xcalloc(1, sizeof(*o));
	o->container = xstrdup(container);
	o->schema = xstrdup(schema);
	kv_copy(&o->attrs, attrs);
	rc = csv_conf_read(&o->conf, &(struct csv_attrs){ &o->attrs, csv->store, &csv->file_attrs }, err);
	if (rc) {
		over_free(o);
		return rc;
	}
	pthread_mutex_lock(&csv->opening);
	o->next = csv->overs;
	csv->overs = o;
	pthread_mutex_unlock(&csv->opening);
	log_info("store", "store %s: file %s/%s has attributes of its own", store_name(csv->store), container, schema);
	return 0;
}

static bool is_over(const struct kv *attrs)
{
	return kv_has(attrs, "container") || kv_has(attrs, "schema");
}

/* The lines of opt_file for all files; */
static int opt_dflt(const struct kv *line, void *arg, struct err *err)
{
	struct csv *csv = arg;

	if (!is_over(line))
		kv_copy(&csv->file_attrs, line);
	return 0;
}

/* ... and those for single ones. */
static int opt_over(const struct kv *line, void *arg, struct err *err)
{
	return is_over(line) ? over_add(arg, line, err) : 0;
}

void csv_fini(struct store *st)
{
	struct csv *csv = store_state(st);

	csv_tick_stop(csv);
	csv_list_close(csv->list);
	while (csv->overs) {
		struct csv_over *o = csv->overs;

		csv->overs = o->next;
		over_free(o);
	}
	kv_fini(&csv->file_attrs);
	pthread_mutex_destroy(&csv->opening);
	pthread_mutex_destroy(&csv->lock);
	pthread_cond_destroy(&csv->wake);
}

static int config(struct csv *csv, struct err *err)
{
	const struct csv_attrs a = { NULL, csv->store, &csv->file_attrs };
	const char *opt_file = store_attr(csv->store, "opt_file");
	struct csv_name *name = NULL;
	int rc = 0;

	if (store_attr(csv->store, "container") || store_attr(csv->store, "schema"))
		return err_set(
			err, -EINVAL,
			"store %s: what holds for all files comes first: config with path=, without container and "
			"schema",
			store_name(csv->store));
	if (opt_file)
		rc = csv_opt_file(opt_file, opt_dflt, csv, err);
	if (rc)
		return err_prefix(err, rc, "store %s: ", store_name(csv->store));
	csv->path = csv_attr(&a, "path");
	csv->name_template = csv_attr(&a, "name_template");
	if (!csv->path)
		return err_set(err, -EINVAL,
			       "store %s: path is required: the folder below which files are written; config requires "
			       "path=value be provided in opt_file or arguments",
			       store_name(csv->store));
	rc = csv_conf_read(&csv->conf, &a, err);
	if (rc)
		return rc;
	rc = keep_parse(csv_attr(&a, "keep"), &csv->keep, err);
	if (!rc && csv->name_template)
		rc = csv_name_new(csv->name_template, &name, err);
	csv_name_free(name);
	if (!rc && opt_file)
		rc = csv_opt_file(opt_file, opt_over, csv, err);
	return rc ? err_prefix(err, rc, "store %s: ", store_name(csv->store)) : 0;
}

int csv_config(struct store *st, struct err *err)
{
	struct csv *csv = store_state(st);
	pthread_condattr_t attr;
	int rc;

	csv->store = st;
	atomic_init(&csv->wake_s, INT64_MAX);
	pthread_mutex_init(&csv->opening, NULL);
	pthread_mutex_init(&csv->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&csv->wake, &attr);
	pthread_condattr_destroy(&attr);
	rc = config(csv, err);
	if (rc)
		csv_fini(st);
	return rc;
}

int csv_config_more(struct store *st, const struct kv *attrs, struct err *err)
{
	if (!is_over(attrs))
		return err_set(
			err, -EINVAL,
			"store %s: it is configured already, and that cannot be changed (config of defaults cannot "
			"be repeated); load another instance, or name a file by container= and schema=",
			store_name(st));
	return over_add(store_state(st), attrs, err);
}

const struct csv_conf *csv_conf_of(const struct csv *csv, const char *container, const char *schema)
{
	for (const struct csv_over *o = csv->overs; o; o = o->next)
		if (!strcmp(o->container, container) && !strcmp(o->schema, schema))
			return &o->conf;
	return &csv->conf;
}

/* -- what a killed daemon left ------------------------------------------------------------------------------------- */

/* A line that was not written to its end is nobody's row. */
static void cut_torn(const char *path)
{
	FILE *f = fopen(path, "r+e");
	off_t whole;
	int c;

	if (!f)
		return;
	fseeko(f, 0, SEEK_END);
	for (whole = ftello(f); whole > 0; whole--) {
		fseeko(f, whole - 1, SEEK_SET);
		c = fgetc(f);
		if (c == '\n')
			break;
	}
	if (ftruncate(fileno(f), whole))
		log_warning("store", "file %s: its last line is not whole (the daemon stopped there)", path);
	fclose(f);
}

/* Files that roll over are done with; others are gone on with. */
static char *left_close(const struct csv_named *n, void *arg)
{
	struct csv *csv = arg;
	const struct csv_conf *conf = csv_conf_of(csv, n->container, n->schema);

	if (!conf->roll.type)
		return xstrdup(n->path);
	if (!strcmp(n->kind, "DATA"))
		cut_torn(n->path);
	return csv_rename(conf, n, NULL);
}

/* Any file with another configuration counts. */
static bool needs_list(const struct csv *csv)
{
	bool needs = csv->keep.age_us || csv->keep.bytes || csv->conf.rename;

	for (const struct csv_over *o = csv->overs; o; o = o->next)
		needs |= o->conf.rename != NULL;
	return needs;
}

int csv_list_get(struct csv *csv, struct err *err)
{
	int rc;

	if (csv->list || !needs_list(csv))
		return 0;
	rc = dirs_make(csv->path, csv->conf.dir_perm, csv->conf.uid, csv->conf.gid, err);
	if (!rc)
		rc = csv_list_open(csv->path, store_name(csv->store), &csv->list, err);
	if (!rc)
		csv_list_left(csv->list, left_close, csv);
	return rc;
}
