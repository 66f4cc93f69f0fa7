/* cxi.c - see cxi.h */
#include "plugins/cxi.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/base/buf.h"
#include "core/base/regex.h"
#include "core/base/xalloc.h"
#include "plugins/dirscan.h"
#include "plugins/namelist.h"
#include "plugins/sysnum.h"

#define RESTARTS      "derived:link_restarts" /* ldmsd's name for times that changed in these files */
#define RESTART_FILES 10                      /* the last ten restarts of a link, each with its time */
#define COUNTERS_KEPT 1024  /* descriptors of an interface; the files of more are opened for each read */
#define FILE_MAX      65536 /* of expressions */

struct counter {
	struct sysnum file;      /* .path NULL: it has no such file, or it is RESTARTS */
	struct sysnum *restarts; /* the files of that one */
	uint64_t was[RESTART_FILES], n;
};

struct nic {
	struct cxi_list *cl;
	struct counter *v;
	bool answered; /* has it, since it was made? */
	struct row {   /* a record's values in the set */
		char name[CXI_NAME];
		uint64_t counters[];
	} * row;
};

/* -- which there are ----------------------------------------------------------------------------------------------- */

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool counter_known(const struct cxi_list *cl, const char *name)
{
	for (size_t i = 0; i < cl->n; i++)
		if (!strcmp(cl->members[1 + i].name, name))
			return true;
	return false;
}

/* Takes the name. */
static void counter_add(struct cxi_list *cl, char *name)
{
	if (counter_known(cl, name)) {
		free(name);
		return;
	}
	cl->members = xrealloc(cl->members, (2 + cl->n) * sizeof(*cl->members));
	cl->members[++cl->n] = (struct metric_def){ name, V_U64, "", METRIC_COUNTER, "as its file is called", 1 };
}

struct texts {
	char **v;
	size_t n;
};

/* Those in an interface's folder; the files that clear counters are none. */
static void counters_match(const char *dir, const struct rx *rx, struct texts *to)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct dirscan d;

	if (fd < 0)
		return;
	for (dirscan_begin(&d, fd); dirscan_next(&d);) {
		if (d.type == DT_DIR || !strncmp(d.name, "reset", 5) || strlen(d.name) > METRIC_NAME_MAX ||
		    !rx_match(rx, d.name))
			continue;
		to->v = xrealloc(to->v, (to->n + 1) * sizeof(*to->v));
		to->v[to->n++] = xstrdup(d.name);
	}
	close(fd);
}

static char *nic_path(const struct cxi_list *cl, uint32_t i)
{
	size_t len;
	const char *name = names_text(&cl->folder.names, i, &len);

	return xasprintf("%s%s/%.*s", cl->folder.root, cl->folder.path, (int)len, name);
}

static int pattern_find(struct cxi_list *cl, const char *pattern, size_t len, struct err *err)
{
	char *whole = xasprintf("^(%.*s)$", (int)len, pattern);
	struct texts found = { 0 };
	struct rx rx;
	int rc = rx_init(&rx, whole, err);

	free(whole);
	if (rc)
		return rc;
	for (uint32_t i = 0; i < cl->folder.names.n; i++) {
		char *nic = nic_path(cl, i), *dir = xasprintf("%s%s", nic, cl->below);

		counters_match(dir, &rx, &found);
		free(dir);
		free(nic);
	}
	rx_fini(&rx);
	if (found.n)
		qsort(found.v, found.n, sizeof(*found.v), by_text);
	for (size_t i = 0; i < found.n; i++)
		counter_add(cl, found.v[i]);
	free(found.v);
	return 0;
}

int cxi_list_find(struct cxi_list *cl, const char *patterns, struct err *err)
{
	const char *pattern;
	size_t len;
	int rc = 0;

	while (!rc && (len = namelist_next(&patterns, &pattern)))
		if (len == strlen(RESTARTS) && !memcmp(pattern, RESTARTS, len) && *cl->below)
			counter_add(cl, xstrdup(RESTARTS));
		else
			rc = pattern_find(cl, pattern, len, err);
	return rc;
}

/* -- an interface -------------------------------------------------------------------------------------------------- */

static void nic_end(struct samp *sp, void *item)
{
	struct nic *nic = item;

	(void)sp;
	for (size_t i = 0; i < nic->cl->n; i++) {
		struct counter *c = &nic->v[i];

		sysnum_close(&c->file);
		for (int k = 0; c->restarts && k < RESTART_FILES; k++)
			sysnum_close(&c->restarts[k]);
		free(c->restarts);
	}
	free(nic->v);
	free(nic->row);
	free(nic);
}

static int nic_make(struct samp *sp, void *owner, const char *path, const char *name, void **ret, struct err *err)
{
	struct cxi_list *cl = owner;
	struct nic *nic = xcalloc(1, sizeof(*nic));

	(void)sp;
	(void)err;
	nic->cl = cl;
	nic->v = xcalloc(cl->n + 1, sizeof(*nic->v));
	nic->row = xcalloc(1, sizeof(*nic->row) + cl->n * sizeof(uint64_t));
	snprintf(nic->row->name, sizeof(nic->row->name), "%.*s", CXI_NAME - 1, name);
	for (size_t i = 0; i < cl->n; i++) {
		struct counter *c = &nic->v[i];
		const char *counter = cl->members[1 + i].name;

		c->file = (struct sysnum){ .fd = -1, .fleeting = i >= COUNTERS_KEPT };
		if (strcmp(counter, RESTARTS)) {
			c->file.path = xasprintf("%s%s/%s", path, cl->below, counter);
			continue;
		}
		c->restarts = xcalloc(RESTART_FILES, sizeof(*c->restarts));
		for (int k = 0; k < RESTART_FILES; k++)
			c->restarts[k] = (struct sysnum){
				.fd = -1,
				.path = xasprintf("%s/device/link_restarts/time_%d", path, k),
			};
	}
	*ret = nic;
	return 0;
}

/* So many more, as times have changed. */
static void restarts_read(struct counter *c)
{
	for (int k = 0; k < RESTART_FILES; k++) {
		uint64_t when;

		if (sysnum_u64(&c->restarts[k], &when, NULL) || when == c->was[k])
			continue;
		c->was[k] = when;
		c->n++;
	}
}

/* A counter that this interface does not have, or that cannot be read now, is 0. */
static int nic_read(struct samp *sp, void *item, struct err *err)
{
	struct nic *nic = item;
	bool any = !nic->cl->n;
	int first = 0;

	(void)sp;
	for (size_t i = 0; i < nic->cl->n; i++) {
		struct counter *c = &nic->v[i];
		int rc = 0;

		if (c->restarts)
			restarts_read(c);
		else
			rc = sysnum_u64(&c->file, &c->n, first ? NULL : err);
		any |= !rc;
		c->n = rc ? 0 : c->n;
		first = first || rc == -ENOENT ? first : rc;
		nic->row->counters[i] = htole64(c->n);
	}
	if (!any && nic->answered)
		return -ENODEV; /* perhaps another one of the same name by now */
	nic->answered |= any;
	return first;
}

static int nic_write(struct samp *sp, void *item, struct err *err)
{
	struct nic *nic = item;
	struct cxi_list *cl = nic->cl;
	struct row *row = rows_next(&cl->rows);

	(void)sp;
	(void)err;
	if (!row)
		return -ENOSPC;
	memcpy(row, nic->row, sizeof(*row) + cl->n * sizeof(uint64_t));
	return 0;
}

/* -- the list ------------------------------------------------------------------------------------------------------ */

void cxi_list_init(struct cxi_list *cl, struct samp *sp, const char *path, const char *below, const char *hint)
{
	*cl = (struct cxi_list){ .below = below, .only = { path } };
	cl->type = (struct folder_type){
		.places = cl->only,
		.prefix = "cxi",
		.hint = hint,
		.make = nic_make,
		.end = nic_end,
	};
	cl->members = xcalloc(1, sizeof(*cl->members));
	folder_init(&cl->folder, &cl->type, samp_root(sp), NULL, cl);
}

int cxi_list_add(struct cxi_list *cl, struct schema *s, const char *record, const char *list, const char *unit,
		 const char *name, struct err *err)
{
	struct rows_type type = { record, list, unit, cl->members, 1 + cl->n };

	cl->members[0] = (struct metric_def){ name, V_CHAR_ARRAY, "", METRIC_GAUGE, "interface", CXI_NAME };
	return rows_add(&cl->rows, s, &type, cl->folder.names.n, CXI_MIN, err);
}

int cxi_list_sample(struct cxi_list *cl, struct samp *sp, struct err *err)
{
	int rc = folder_look(&cl->folder, sp, err), full;

	if (!rc)
		rc = folder_each(&cl->folder, sp, nic_read, err);
	full = folder_rows(&cl->folder, sp, &cl->rows, nic_write, err);
	return full ? full : rc;
}

void cxi_list_close(struct cxi_list *cl, struct samp *sp)
{
	folder_close(&cl->folder, sp);
	for (size_t i = 0; i < cl->n; i++)
		free((char *)cl->members[1 + i].name);
	free(cl->members);
	rows_fini(&cl->rows);
}

/* -- attributes ---------------------------------------------------------------------------------------------------- */

/* The lines of a file as a list. */
static char *file_list(const char *path, const char *key, struct err *err)
{
	struct buf list = { 0 };
	FILE *f = fopen(path, "re");
	char line[512], *ret = NULL;

	if (!f) {
		err_set(err, -EINVAL, "%s_file=%s: cannot be opened: %s", key, path, err_name(errno));
		return NULL;
	}
	while (fgets(line, sizeof(line), f) && list.len < FILE_MAX) {
		const char *word = line + strspn(line, " \t");
		size_t n = strcspn(word, " \t\r\n");

		if (n && *word != '#')
			buf_addf(&list, "%s%.*s", list.len ? "," : "", (int)n, word);
	}
	fclose(f);
	ret = xstrdup(buf_str(&list));
	buf_fini(&list);
	return ret;
}

int cxi_patterns(struct samp *sp, const char *key, char **ret, struct err *err)
{
	char *file_key = xasprintf("%s_file", key);
	const char *list = samp_attr(sp, key), *file = samp_attr(sp, file_key);
	int rc = 0;

	free(file_key);
	*ret = list ? xstrdup(list) : NULL;
	if (list || !file)
		return 0;
	*ret = file_list(file, key, err);
	rc = *ret ? 0 : -EINVAL;
	return rc;
}
