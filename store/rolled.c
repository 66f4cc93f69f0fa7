/* rolled.c - see rolled.h */
#include "store/rolled.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/unit.h"
#include "core/base/xalloc.h"
#include "store/dirs.h"

#define EPOCHS  1000 /* seconds ahead that a file's name may be, where there are files with those before */
#define RETRY_S 60   /* until a roll that failed is tried again */

void rolled_init(struct rolled *r, const struct rolled_conf *conf, const char *name, void *arg)
{
	*r = (struct rolled){ .conf = conf, .arg = arg, .name = file_fit_name(name), .roll_at = INT64_MAX };
	for (size_t i = 0; i < ROLLED_KINDS; i++)
		append_init(&r->file[i]);
}

static char *path_of(const struct rolled *r, size_t kind)
{
	const char *word = r->conf->kinds[kind];

	return xasprintf("%s/%s%s%s.%" PRId64, r->conf->dir, r->name, *word ? "." : "", word, r->epoch);
}

/* Does a file that ended have one of these names? */
static bool spooled_is_there(const struct rolled *r)
{
	bool there = false;

	for (size_t i = 0; r->conf->spool && !there && i < r->conf->n_kinds; i++) {
		const char *word = r->conf->kinds[i];
		char *path =
			xasprintf("%s/spool/%s%s%s.%" PRId64, r->conf->dir, r->name, *word ? "." : "", word, r->epoch);

		there = !access(path, F_OK);
		free(path);
	}
	return there;
}

/* All of one second, or none: -EEXIST when one of the names is taken. */
static int files_open(struct rolled *r, struct err *err)
{
	size_t i;
	int rc = 0;

	for (i = 0; !rc && i < r->conf->n_kinds; i++) {
		char *path = path_of(r, i);

		rc = append_open(&r->file[i], path, true, r->conf->file_perm, err);
		free(path);
	}
	if (!rc)
		return 0;
	for (i--; i-- > 0;) {
		unlink(r->file[i].path);
		append_close(&r->file[i]);
	}
	return rc;
}

static int files_start(struct rolled *r, struct err *err)
{
	int64_t now = wall_us() / SEC_US;
	int rc = dirs_make(r->conf->dir, ROLLED_DIR_PERM, (uid_t)-1, (gid_t)-1, err);

	if (rc)
		return rc;
	rc = -EEXIST;
	for (int i = 0; rc == -EEXIST && i < EPOCHS; i++) {
		r->epoch = now + i;
		rc = spooled_is_there(r) ? -EEXIST : files_open(r, err);
	}
	if (rc == -EEXIST)
		return err_set(err, -EBUSY,
			       "file %s/%s...%" PRId64 ": so are %d before it; make files roll over less often, or "
			       "move them away",
			       r->conf->dir, r->name, r->epoch, EPOCHS);
	if (rc)
		return rc;
	r->open = true;
	r->rows = r->bytes = 0;
	r->roll_at = roll_due(&r->conf->roll, now);
	r->conf->head(r);
	return 0;
}

static void file_spool(const struct rolled *r, const char *path)
{
	char *dir = xasprintf("%s/spool", r->conf->dir), *to = xasprintf("%s%s", dir, strrchr(path, '/'));
	struct err err = { "" };
	int rc = dirs_make(dir, ROLLED_DIR_PERM, (uid_t)-1, (gid_t)-1, &err);

	if (!rc)
		rc = file_move(path, to, &err);
	if (rc)
		log_error("store", "store %s: file %s: stays where it is: %s", r->conf->who, path, err.msg);
	free(to);
	free(dir);
}

static void files_close(struct rolled *r)
{
	for (size_t i = 0; r->open && i < r->conf->n_kinds; i++) {
		char *path = xstrdup(r->file[i].path);

		append_close(&r->file[i]);
		if (r->conf->spool)
			file_spool(r, path);
		free(path);
	}
	r->open = false;
	r->roll_at = INT64_MAX;
}

int rolled_flush(struct rolled *r, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; r->open && !rc && i < r->conf->n_kinds; i++)
		rc = append_flush(&r->file[i], err);
	return rc;
}

static int roll(struct rolled *r, struct err *err)
{
	int rc = rolled_flush(r, err);

	if (!rc)
		files_close(r);
	return rc;
}

int rolled_ready(struct rolled *r, struct err *err)
{
	int rc = 0;

	/* names tell seconds; two rolls within one would run ahead of the clock */
	if (r->open && roll_full(&r->conf->roll, r->rows, r->bytes) && wall_us() / SEC_US > r->epoch)
		rc = roll(r, err);
	return rc || r->open ? rc : files_start(r, err);
}

void rolled_begin(struct rolled *r)
{
	for (size_t i = 0; i < r->conf->n_kinds; i++)
		r->before[i] = r->file[i].buf.len;
}

int rolled_end(struct rolled *r, struct err *err)
{
	size_t all = 0, added = 0;
	int rc;

	for (size_t i = 0; i < r->conf->n_kinds; i++) {
		all += r->file[i].buf.len;
		added += r->file[i].buf.len - r->before[i];
	}
	rc = all >= r->conf->flush_bytes ? rolled_flush(r, err) : 0;
	/* a file that was written empties its buffer: then the message is in that one, and may follow in the others */
	for (size_t i = 0; rc && i < r->conf->n_kinds; i++)
		if (!r->file[i].buf.len && r->file[i].size)
			rc = 0;
	for (size_t i = 0; rc && i < r->conf->n_kinds; i++)
		r->file[i].buf.len = r->before[i];
	if (rc)
		return rc;
	r->rows++;
	r->bytes += added;
	return 0;
}

/* A timed roll. */
static void roll_timed(struct rolled *r, int64_t now)
{
	struct err err = { "" };
	int rc = 0;

	if (!r->rows && !r->conf->roll.empty) {
		r->roll_at = roll_due(&r->conf->roll, now);
		return;
	}
	if (now <= r->epoch)
		return;
	rc = roll(r, &err);
	if (!rc && r->conf->roll.empty)
		rc = files_start(r, &err);
	if (!rc) /* what heads a file stands there before its first message */
		rc = rolled_flush(r, &err);
	if (rc && !r->failing)
		log_error("store", "store %s: file %s/%s: cannot roll over: %s; tried again later", r->conf->who,
			  r->conf->dir, r->name, err.msg);
	r->failing = rc;
	if (rc && r->open)
		r->roll_at = now + RETRY_S;
}

int64_t rolled_tick(struct rolled *r)
{
	int64_t now = wall_us() / SEC_US;

	if (r->open && r->roll_at <= now)
		roll_timed(r, now);
	if (!r->open || r->roll_at == INT64_MAX)
		return INT64_MAX;
	return r->roll_at > now ? r->roll_at : now + 1;
}

void rolled_fini(struct rolled *r)
{
	struct err err = { "" };

	if (rolled_flush(r, &err))
		log_error("store", "store %s: closed with messages that could not be written; they are lost: %s",
			  r->conf->who, err.msg);
	files_close(r);
	free(r->name);
}
