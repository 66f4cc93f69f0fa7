/* csv_name.c - name_template: which file a row goes to.
 *
 * The user is the row's: a column uid, user_id, username or user; without one, the owner of the set.  The job is a
 * column job_id or jobid; 0 without.  What a row says comes from a peer: it is made fit for a part of a name, so that no
 * row leads out of PATH, or into another one's folder.
 */
#include <errno.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/base/xalloc.h"
#include "store/csv.h"
#include "store/dirs.h"

#define USERS    64 /* whose names are remembered: a power of two */
#define PWD_SIZE 16384

struct user_name {
	uid_t uid;
	char *name; /* NULL: nothing is remembered here */
};

struct csv_name {
	char *template, host[256];
	bool has_user;
	struct buf path;
	/* of the schema met last */
	const struct row_schema *schema;
	int uid_col, user_col, job_col; /* -1: there is none */
	struct user_name users[USERS];
	char *named; /* the user that was asked for by name last, and its number */
	uid_t named_uid;
	/* of the hour met last */
	int64_t hour_from, hour_to;
	struct tm tm;
};

/* -- what a row says ----------------------------------------------------------------------------------------------- */

static int col_find(const struct row_schema *rs, bool text, const char *const *names)
{
	for (; *names; names++)
		for (uint32_t i = 0; i < rs->n_cols; i++)
			if (!strcmp(rs->cols[i].name, *names) && (rs->cols[i].type == V_CHAR_ARRAY) == text)
				return (int)i;
	return -1;
}

static void schema_meet(struct csv_name *n, const struct row_schema *rs)
{
	static const char *const uids[] = { "uid", "user_id", NULL }, *const users[] = { "username", "user", NULL },
				 *const jobs[] = { "job_id", "jobid", NULL };

	row_schema_put((struct row_schema *)n->schema);
	n->schema = row_schema_get(rs);
	n->uid_col = col_find(rs, false, uids);
	n->user_col = col_find(rs, true, users);
	n->job_col = col_find(rs, false, jobs);
	if (n->job_col < 0)
		n->job_col = col_find(rs, true, jobs);
}

static const char *user_name(struct csv_name *n, uid_t uid)
{
	struct user_name *u = &n->users[uid % USERS];
	struct passwd pw, *found = NULL;
	char text[PWD_SIZE];

	if (u->name && u->uid == uid)
		return u->name;
	if (getpwuid_r(uid, &pw, text, sizeof(text), &found))
		found = NULL;
	free(u->name);
	u->uid = uid;
	u->name = found ? file_fit_name(pw.pw_name) : xasprintf("%u", uid);
	return u->name;
}

/* The number of a user that a row names; (uid_t)-1 when this host does not know it. */
static uid_t user_number(struct csv_name *n, const char *name)
{
	struct passwd pw, *found = NULL;
	char text[PWD_SIZE];

	if (n->named && !strcmp(n->named, name))
		return n->named_uid;
	if (getpwnam_r(name, &pw, text, sizeof(text), &found))
		found = NULL;
	free(n->named);
	n->named = xstrdup(name);
	n->named_uid = found ? pw.pw_uid : (uid_t)-1;
	return n->named_uid;
}

static char *text_of(struct value v)
{
	const char *text;
	size_t len = value_text(v, &text);
	char *copy = xstrndup(text, len), *fit = file_fit_name(copy);

	free(copy);
	return fit;
}

static void user_add(struct csv_name *n, const struct row *row, uid_t *ret_uid)
{
	char *name;

	if (n->uid_col >= 0 || n->user_col < 0) {
		*ret_uid = n->uid_col >= 0 ? (uid_t)value_u64(row->v[n->uid_col], 0)
			   : row->im       ? le32toh(row->im->meta->uid)
					   : geteuid();
		buf_addf(&n->path, "%s", user_name(n, *ret_uid));
		return;
	}
	name = text_of(row->v[n->user_col]);
	*ret_uid = user_number(n, name);
	buf_addf(&n->path, "%s", *name ? name : "_");
	free(name);
}

static void job_add(struct csv_name *n, const struct row *row)
{
	char *text;

	if (n->job_col < 0) {
		buf_addf(&n->path, "0");
	} else if (n->schema->cols[n->job_col].type != V_CHAR_ARRAY) {
		buf_addf(&n->path, "%" PRIu64, value_u64(row->v[n->job_col], 0));
	} else {
		text = text_of(row->v[n->job_col]);
		buf_addf(&n->path, "%s", *text ? text : "0");
		free(text);
	}
}

static void fit_add(struct csv_name *n, const char *text)
{
	char *fit = file_fit_name(text);

	buf_addf(&n->path, "%s", *fit ? fit : "_");
	free(fit);
}

static void time_add(struct csv_name *n, const struct row *row, char what)
{
	time_t t = row->ts_sec;

	if (t < n->hour_from || t >= n->hour_to) {
		localtime_r(&t, &n->tm);
		n->hour_from = t - n->tm.tm_min * 60 - n->tm.tm_sec;
		n->hour_to = n->hour_from + 3600;
	}
	switch (what) {
	case 'Y':
		buf_addf(&n->path, "%04d", n->tm.tm_year + 1900);
		break;
	case 'm':
		buf_addf(&n->path, "%02d", n->tm.tm_mon + 1);
		break;
	case 'd':
		buf_addf(&n->path, "%02d", n->tm.tm_mday);
		break;
	default:
		buf_addf(&n->path, "%02d", n->tm.tm_hour);
	}
}

/* -- the template -------------------------------------------------------------------------------------------------- */

int csv_name_new(const char *template, struct csv_name **ret, struct err *err)
{
	struct csv_name *n;

	if (*template == '/' || !strncmp(template, "../", 3) || strstr(template, "/../") || strstr(template, "//") ||
	    template[strlen(template) - 1] == '/')
		return err_set(err, -EINVAL,
			       "name_template=%s: names a file below path=; leave out ../ and / at its ends", template);
	for (const char *p = template; (p = strchr(p, '%')); p += 2)
		if (!p[1] || !strchr("CSPujhYmdH%", p[1]))
			return err_set(err, -EINVAL,
				       "name_template=%s: '%.2s' has no meaning; there are %%C %%S %%P %%u %%j %%h %%Y "
				       "%%m %%d %%H %%%%",
				       template, p);
	n = xcalloc(1, sizeof(*n));
	n->template = xstrdup(template);
	n->has_user = strstr(template, "%u");
	if (gethostname(n->host, sizeof(n->host) - 1))
		strcpy(n->host, "localhost");
	*ret = n;
	return 0;
}

void csv_name_free(struct csv_name *n)
{
	if (!n)
		return;
	for (size_t i = 0; i < USERS; i++)
		free(n->users[i].name);
	row_schema_put((struct row_schema *)n->schema);
	buf_fini(&n->path);
	free(n->named);
	free(n->template);
	free(n);
}

bool csv_name_has_user(const struct csv_name *n)
{
	return n && n->has_user;
}

const char *csv_name_of(struct csv_name *n, const char *container, const struct row *row, uid_t *ret_uid)
{
	*ret_uid = (uid_t)-1;
	if (n->schema != row->schema)
		schema_meet(n, row->schema);
	buf_reset(&n->path);
	for (const char *p = n->template; *p; p++) {
		if (*p != '%') {
			buf_add(&n->path, p, 1);
			continue;
		}
		switch (*++p) {
		case 'C':
			buf_addf(&n->path, "%s", container);
			break;
		case 'S':
			fit_add(n, row->schema->name);
			break;
		case 'P':
			fit_add(n, row->producer);
			break;
		case 'u':
			user_add(n, row, ret_uid);
			break;
		case 'j':
			job_add(n, row);
			break;
		case 'h':
			fit_add(n, n->host);
			break;
		case '%':
			buf_add(&n->path, "%", 1);
			break;
		default:
			time_add(n, row, *p);
		}
	}
	return buf_str(&n->path);
}
