/* spool.c - an example of a sampler outside of the tree: a set for each file of a folder, as they come and go
 *
 *	cc -shared -fPIC -o spool.so spool.c
 *
 *	load name=spool path=/usr/lib/ldms/spool.so
 *	config name=spool dir=/var/spool/jobs
 *	start name=spool interval=1s
 *
 * Beside the sets PRODUCER/FILE there is one of the whole, with a list of the files.  A message on the channel `notes` is
 * counted, and answered on the channel `spool`.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <ldms/sampler.h>

#define NAME_SIZE 64
#define FILES_MAX 100

static const struct ldms_attr attrs[] = {
	{ "dir", NULL, "the folder; must be given" },
	{ NULL, NULL, NULL },
};

static const struct ldms_metric metrics[] = {
	{ "dir", LDMS_CHAR_ARRAY, "", LDMS_INFO, "the folder", 128 },
	{ "files", LDMS_U64, "", LDMS_GAUGE, "files that it has", 1 },
	{ "notes", LDMS_U64, "", LDMS_COUNTER, "messages taken", 1 },
	{ NULL, 0, NULL, 0, NULL, 0 },
};
static const struct ldms_metric file_metrics[] = {
	{ "name", LDMS_CHAR_ARRAY, "", LDMS_INFO, "of the file", NAME_SIZE },
	{ "size", LDMS_U64, "B", LDMS_GAUGE, "its length", 1 },
};

struct file {
	struct file *next;
	struct ldms_set *set;
	int size_at; /* index of its metric */
	int seen;
	char name[];
};

struct spool {
	struct ldms_set *set;
	int files_at, notes_at, record, list;
	uint64_t notes;
	struct file *files;
};

static int on_note(struct ldms_samp *sp, const struct ldms_msg *m, struct ldms_err *err)
{
	struct spool *s = (struct spool *)ldms_state(sp);
	char answer[NAME_SIZE];

	if (!strcmp(m->data, "bad"))
		return ldms_error(err, -EINVAL, "'%s' is no note", m->data);
	s->notes++;
	snprintf(answer, sizeof(answer), "%llu after %.20s", (unsigned long long)s->notes, m->data);
	return ldms_publish(sp, LDMS_MSG, "spool", false, answer, err);
}

static int spool_check(struct ldms_samp *sp, struct ldms_err *err)
{
	return ldms_attr(sp, "dir") ? 0 : ldms_error(err, -EINVAL, "dir= is missing; name the folder to watch");
}

static int spool_open(struct ldms_samp *sp, struct ldms_err *err)
{
	struct spool *s = (struct spool *)ldms_state(sp);
	struct ldms_schema *schema = ldms_schema_new(sp, "spool", err);
	const char *dir = ldms_attr(sp, "dir");
	int dir_at;

	if (!schema)
		return -EINVAL;
	dir_at = ldms_schema_add(schema, &metrics[0], err);
	s->files_at = ldms_schema_add(schema, &metrics[1], err);
	s->notes_at = ldms_schema_add(schema, &metrics[2], err);
	s->record = ldms_schema_add_record(schema, "file", file_metrics, 2, err);
	s->list = ldms_schema_add_list(schema, "list", s->record, FILES_MAX, err);
	if (dir_at < 0 || s->files_at < 0 || s->notes_at < 0 || s->record < 0 || s->list < 0) {
		ldms_schema_free(schema);
		return -EINVAL;
	}
	s->set = ldms_set_new(sp, schema, "", err);
	if (!s->set)
		return -ENOMEM;
	ldms_put_bytes(s->set, dir_at, dir, strlen(dir));
	return ldms_subscribe(sp, LDMS_MSG, "notes", false, on_note, err);
}

static struct file *file_find(struct spool *s, const char *name)
{
	struct file *f = s->files;

	while (f && strcmp(f->name, name))
		f = f->next;
	return f;
}

/* A file that was not there before. */
static struct file *file_new(struct ldms_samp *sp, const char *name, struct ldms_err *err)
{
	struct spool *s = (struct spool *)ldms_state(sp);
	struct file *f = (struct file *)calloc(1, sizeof(*f) + strlen(name) + 1);
	struct ldms_schema *schema = ldms_schema_new(sp, "spool_file", err);
	char set[2 * NAME_SIZE];
	int name_at;

	if (!f || !schema)
		abort();
	strcpy(f->name, name);
	snprintf(set, sizeof(set), "%s/%s", ldms_producer(sp), name);
	name_at = ldms_schema_add(schema, &file_metrics[0], err);
	f->size_at = ldms_schema_add(schema, &file_metrics[1], err);
	f->set = ldms_set_named(sp, schema, set, err);
	if (!f->set) {
		free(f);
		return NULL;
	}
	ldms_put_bytes(f->set, name_at, name, strlen(name));
	f->next = s->files;
	s->files = f;
	return f;
}

static int file_sample(struct ldms_samp *sp, const char *dir, const char *name, struct ldms_err *err)
{
	struct spool *s = (struct spool *)ldms_state(sp);
	struct file *f = file_find(s, name);
	struct ldms_record *r;
	char path[512];
	struct stat st;

	snprintf(path, sizeof(path), "%s%s/%s", ldms_root(sp), dir, name);
	if (stat(path, &st))
		return 0; /* it went just now */
	if (!f && !(f = file_new(sp, name, err)))
		return -ENOMEM;
	f->seen = 1;
	ldms_begin(sp, f->set);
	ldms_put_u64(f->set, f->size_at, (uint64_t)st.st_size);
	ldms_end(sp, f->set);
	r = ldms_list_append(s->set, s->list, s->record);
	ldms_record_put_text(s->set, r, 0, name, strlen(name));
	ldms_record_put_u64(s->set, r, 1, (uint64_t)st.st_size);
	return 0;
}

/* Let go of the sets of files that were not seen; of all, in the end. */
static uint64_t files_drop(struct ldms_samp *sp)
{
	struct spool *s = (struct spool *)ldms_state(sp);
	struct file **at = &s->files, *f;
	uint64_t n = 0;

	while ((f = *at)) {
		if (f->seen) {
			f->seen = 0;
			at = &f->next;
			n++;
			continue;
		}
		*at = f->next;
		ldms_set_drop(sp, f->set);
		free(f);
	}
	return n;
}

static int spool_sample(struct ldms_samp *sp, struct ldms_err *err)
{
	struct spool *s = (struct spool *)ldms_state(sp);
	const char *dir = ldms_attr(sp, "dir");
	char path[512];
	struct dirent *e;
	int rc = 0;
	DIR *d;

	snprintf(path, sizeof(path), "%s%s", ldms_root(sp), dir);
	d = opendir(path);
	if (!d)
		return ldms_error(err, -errno, "%s: cannot be read; make it", path);
	ldms_begin(sp, s->set);
	ldms_list_clear(s->set, s->list);
	while (!rc && (e = readdir(d)))
		if (*e->d_name != '.')
			rc = file_sample(sp, dir, e->d_name, err);
	closedir(d);
	ldms_put_u64(s->set, s->files_at, files_drop(sp));
	ldms_put_u64(s->set, s->notes_at, s->notes);
	ldms_end(sp, s->set);
	return rc;
}

static void spool_close(struct ldms_samp *sp)
{
	files_drop(sp);
}

LDMS_SAMPLER(
	.name = "spool",
	.brief = "the files of a folder, each a set",
	.source = "a folder",
	.attrs = attrs,
	.metrics = metrics,
	.state_size = sizeof(struct spool),
	.check = spool_check,
	.open = spool_open,
	.sample = spool_sample,
	.close = spool_close,
	.reads = "dir",
);
