/* linux_proc_msg.c - see linux_proc_msg.h */
#include "plugins/linux_proc_msg.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "core/base/json_put.h"
#include "core/base/xalloc.h"
#include "plugins/proc.h"
#include "plugins/samp.h"

#define FILES_MAX 65536 /* of one process that are remembered */

struct lp_file {
	UT_hash_handle hh;
	struct stat st; /* when it was looked at last */
	bool seen;      /* by this scan */
	bool mapped;    /* not open, or not yet */
	bool deleted;   /* and that was said */
	char path[];
};

/* -- the frame ----------------------------------------------------------------------------------------------------- */

static void begin(struct lp_sender *s, const struct lp_process *p, const char *what, unsigned int format)
{
	struct buf *b = &s->out;

	buf_reset(b);
	buf_addf(b, "{\"schema\":\"linux_proc_sampler_%s_%u\",\"producerName\":", what, format);
	json_put_str(b, samp_producer(s->sp));
	buf_addf(b, ",\"component_id\":%llu,\"pid\":%d,\"job_id\":", (unsigned long long)samp_component_id(s->sp),
		 p->pid);
	json_put_str(b, p->job);
	buf_addf(b, ",\"user\":");
	json_put_str(b, p->user);
	buf_addf(b, ",\"timestamp\":\"%s\",\"task_rank\":%lld,\"parent\":%lld,\"is_thread\":%d,\"exe\":", p->start_time,
		 (long long)p->task_rank, (long long)p->parent, p->is_thread);
	json_put_str(b, p->exe);
	buf_addf(b, ",\"data\":[");
}

static int send(struct lp_sender *s, const char *what, struct err *err)
{
	char *tag = xasprintf("%s_%s", s->schema, what);
	int rc;

	buf_addf(&s->out, "]}");
	rc = samp_publish(s->sp, SAMP_MSG, tag, true, buf_str(&s->out), err);
	free(tag);
	return rc;
}

/* -- command line and environment ---------------------------------------------------------------------------------- */

/* Call fn with each of the texts that the file holds, one behind the other. */
static int texts(struct lp_sender *s, struct lp_read *r, const char *file,
		 void (*fn)(struct lp_sender *s, const char *text, size_t len, unsigned int i))
{
	int rc = lp_slurp(r, file);
	unsigned int i = 0;
	size_t n;

	for (size_t at = 0; rc > 0 && at < r->text->len; at += n + 1) {
		const char *text = (const char *)r->text->p + at;

		n = strnlen(text, r->text->len - at);
		fn(s, text, n, i++);
	}
	return rc;
}

static void comma(struct lp_sender *s)
{
	if (s->out.p[s->out.len - 1] != '[')
		buf_u8(&s->out, ',');
}

static void word_put(struct lp_sender *s, const char *text, size_t len, unsigned int i)
{
	comma(s);
	if (s->conf->argv_fmt == 1) {
		json_put_text(&s->out, text, len);
		return;
	}
	buf_addf(&s->out, "{\"k\":%u,\"v\":", i);
	json_put_text(&s->out, text, len);
	buf_u8(&s->out, '}');
}

static void variable_put(struct lp_sender *s, const char *text, size_t len, unsigned int i)
{
	const char *eq = memchr(text, '=', len);
	char *name;
	bool left_out;

	if (!eq)
		return;
	name = xstrndup(text, (size_t)(eq - text));
	left_out = lp_patterns_match(&s->conf->env_exclude, name);
	free(name);
	if (left_out)
		return;
	comma(s);
	buf_addf(&s->out, "{\"k\":");
	json_put_text(&s->out, text, (size_t)(eq - text));
	buf_addf(&s->out, ",\"v\":");
	json_put_text(&s->out, eq + 1, len - (size_t)(eq + 1 - text));
	buf_u8(&s->out, '}');
}

int lp_send_begin(struct lp_sender *s, struct lp_read *r, const struct lp_process *p, struct err *err)
{
	const struct lp_conf *c = s->conf;
	bool system = lp_patterns_match(&c->fd_exclude, p->exe);
	int rc = 0;

	if (c->argv_msg && (c->argv_include_fd || !system)) {
		begin(s, p, "argv", (unsigned int)c->argv_fmt);
		if (texts(s, r, "cmdline", word_put) > 0)
			rc = send(s, "argv", err);
	}
	if (!rc && c->env_msg && (c->env_include_fd || !system) && (c->env_threads || !p->is_thread)) {
		begin(s, p, "env", 2);
		if (texts(s, r, "environ", variable_put) > 0)
			rc = send(s, "env", err);
	}
	return rc;
}

/* -- files --------------------------------------------------------------------------------------------------------- */

static int file_send(struct lp_sender *s, const struct lp_process *p, const struct lp_file *f, const char *state,
		     struct err *err)
{
	const struct stat *st = &f->st;

	begin(s, p, "fd", 1);
	buf_addf(&s->out, "{\"file\":");
	json_put_str(&s->out, f->path);
	buf_addf(&s->out,
		 ",\"st_dev\":\"[%x,%x]\",\"st_ino\":%llu,\"st_mode\":%o,\"st_size\":%lld,\"mtime\":\"%lld.%09ld\","
		 "\"state\":\"%s\"}",
		 major(st->st_dev), minor(st->st_dev), (unsigned long long)st->st_ino, st->st_mode,
		 (long long)st->st_size, (long long)st->st_mtim.tv_sec, st->st_mtim.tv_nsec, state);
	return send(s, "files", err);
}

/* The process has that file; `deleted`: it has no name any more. */
static int file_found(struct lp_sender *s, struct lp_process *p, const char *path, bool mapped, bool deleted,
		      struct err *err)
{
	struct lp_file *f;

	if (*path != '/' || lp_patterns_match(&s->conf->fd_exclude, path))
		return 0;
	HASH_FIND_STR(p->files, path, f);
	if (f) {
		bool opened = f->mapped && !mapped;

		f->seen = true;
		if (deleted && !f->deleted) {
			f->deleted = true;
			return file_send(s, p, f, "deleted", err);
		}
		f->mapped &= mapped;
		return opened && !deleted ? file_send(s, p, f, "opened", err) : 0;
	}
	if (HASH_COUNT(p->files) >= FILES_MAX)
		return 0;
	f = xcalloc(1, sizeof(*f) + strlen(path) + 1);
	strcpy(f->path, path);
	f->seen = true;
	f->mapped = mapped;
	f->deleted = deleted;
	HASH_ADD_STR(p->files, path, f);
	if (stat(path, &f->st) && !deleted)
		return 0; /* in another root folder */
	return file_send(s, p, f, deleted ? "deleted" : mapped ? "mapped" : "opened", err);
}

static bool is_deleted(char *path)
{
	static const char mark[] = " (deleted)";
	size_t n = strlen(path), m = sizeof(mark) - 1;

	if (n < m || strcmp(path + n - m, mark))
		return false;
	path[n - m] = 0;
	return true;
}

static int scan_fds(struct lp_sender *s, struct lp_read *r, struct lp_process *p, struct err *err)
{
	char path[PATH_MAX];
	struct dirent *d;
	ssize_t n;
	DIR *dir;
	int fd, rc = 0;

	snprintf(path, sizeof(path), "%d/fd", p->pid);
	fd = openat(r->proc_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir) {
		if (fd >= 0)
			close(fd);
		return 0; /* gone, or not ours to see */
	}
	while (!rc && (d = readdir(dir))) {
		n = readlinkat(dirfd(dir), d->d_name, path, sizeof(path) - 1);
		if (n <= 0)
			continue;
		path[n] = 0;
		rc = file_found(s, p, path, false, is_deleted(path), err);
	}
	closedir(dir);
	return rc;
}

static int scan_maps(struct lp_sender *s, struct lp_read *r, struct lp_process *p, struct err *err)
{
	int rc = lp_slurp(r, "maps");
	char *at = (char *)r->text->p, *line;

	if (rc <= 0)
		return 0;
	rc = 0;
	while (!rc && (line = strsep(&at, "\n"))) {
		char *path = strchr(line, '/');

		if (path)
			rc = file_found(s, p, path, true, is_deleted(path), err);
	}
	return rc;
}

/* Those that are not there any more. */
static int files_gone(struct lp_sender *s, struct lp_process *p, struct err *err)
{
	struct lp_file *f, *next;
	int rc = 0;

	HASH_ITER(hh, p->files, f, next) {
		if (f->seen)
			continue;
		if (!f->deleted && !rc)
			rc = file_send(s, p, f, stat(f->path, &f->st) ? "deleted" : "closed", err);
		HASH_DEL(p->files, f);
		free(f);
	}
	return rc;
}

static bool has_files(const struct lp_sender *s, const struct lp_process *p)
{
	return s->conf->fd_msg && (s->conf->fd_threads || !p->is_thread);
}

static void files_unsee(struct lp_process *p)
{
	for (struct lp_file *f = p->files; f; f = f->hh.next)
		f->seen = false;
}

int lp_send_files(struct lp_sender *s, struct lp_read *r, struct lp_process *p, struct err *err)
{
	int rc;

	if (!has_files(s, p))
		return 0;
	files_unsee(p);
	rc = scan_fds(s, r, p, err);
	if (!rc && s->conf->fd_map_files)
		rc = scan_maps(s, r, p, err);
	return rc ? rc : files_gone(s, p, err);
}

int lp_send_end(struct lp_sender *s, struct lp_process *p, struct err *err)
{
	if (!has_files(s, p))
		return 0;
	files_unsee(p);
	return files_gone(s, p, err);
}

void lp_files_free(struct lp_process *p)
{
	struct lp_file *f, *next;

	HASH_ITER(hh, p->files, f, next) {
		HASH_DEL(p->files, f);
		free(f);
	}
}
