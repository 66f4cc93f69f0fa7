/* linux_proc_read.c - the files of a process, into its set: see linux_proc.h
 *
 * A process may go at any moment: then its files cannot be read (ESRCH).  Files that this kernel lacks, or that this
 * daemon may not read (of other users' processes), leave their metrics 0.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "plugins/linux_proc.h"
#include "plugins/proc.h"

#define FILE_MAX  (1u << 20) /* bytes of one file */
#define NAME_SIZE 64         /* of a file below /proc */
#define LOOKUP    4096       /* what a user's entry may take */

static int lp_openat(const struct lp_read *r, const char *name, int flags)
{
	char path[NAME_SIZE];

	snprintf(path, sizeof(path), "%d/%s", r->pid, name);
	return openat(r->proc_fd, path, flags | O_RDONLY | O_CLOEXEC);
}

int lp_slurp(struct lp_read *r, const char *name)
{
	int fd = lp_openat(r, name, 0), rc = 0;
	ssize_t n = 1;

	if (fd < 0)
		return -errno;
	buf_reset(r->text);
	while (n > 0 && r->text->len < FILE_MAX) {
		char *to = buf_reserve(r->text, 4096 + PROC_SLACK);

		n = read(fd, to, 4096);
		if (n > 0)
			r->text->len += (size_t)n;
	}
	if (n < 0)
		rc = -errno;
	close(fd);
	memset(buf_reserve(r->text, PROC_SLACK), 0, PROC_SLACK);
	return rc ? rc : (int)r->text->len;
}

static const char *text_of(const struct lp_read *r)
{
	return (const char *)r->text->p;
}

/* -- values -------------------------------------------------------------------------------------------------------- */

/* Is metric i to be written now? */
static bool wants(const struct lp_read *r, int i)
{
	return r->choice->index[i] >= 0 && (r->first || lp_metrics[i].def.kind != METRIC_INFO);
}

/* The whole value as the set has it. */
static void put(const struct lp_read *r, int i, const void *value, size_t len)
{
	const struct metric_def *def = &lp_metrics[i].def;
	size_t room = value_elem_size(def->type) * def->count;
	uint8_t *to;

	if (len > room)
		len = room;
	if (def->kind == METRIC_INFO) {
		set_meta_put(r->set, r->choice->index[i], value, len);
		return;
	}
	to = set_slot(r->set, r->choice->index[i]);
	memcpy(to, value, len);
	memset(to + len, 0, room - len);
}

static void put_number(const struct lp_read *r, int i, uint64_t v)
{
	v = htole64(v);
	put(r, i, &v, value_elem_size(lp_metrics[i].def.type));
}

static void put_text(const struct lp_read *r, int i, const char *text, size_t len)
{
	size_t most = lp_metrics[i].def.count - 1; /* a NUL ends it */

	put(r, i, text, len < most ? len : most);
}

/* A number with its sign; *p behind it. */
static uint64_t number(const char **p)
{
	bool minus;
	uint64_t v;

	while (**p == ' ' || **p == '\t')
		(*p)++;
	minus = **p == '-';
	*p += minus;
	v = proc_digits(p);
	return minus ? -v : v;
}

static size_t line_len(const char *p)
{
	return strcspn(p, "\n");
}

/* -- lines of status and io ---------------------------------------------------------------------------------------- */

static void put_numbers(const struct lp_read *r, int i, const char *p)
{
	uint64_t v[16] = { 0 };
	uint32_t n = 0;

	for (; n < lp_metrics[i].def.count && n < 16; n++) {
		while (*p == ' ' || *p == '\t')
			p++;
		if (!proc_is_digit(*p))
			break;
		v[n] = htole64(proc_digits(&p));
	}
	put(r, i, v, n * sizeof(*v));
}

/* Words of 32 bits, of which the file has the highest first. */
static void put_words(const struct lp_read *r, int i, const char *p)
{
	uint32_t words[128] = { 0 }, most = lp_metrics[i].def.count;
	size_t len = line_len(p);
	uint32_t n = 0;

	while (len && n < most) {
		size_t from = len;

		while (from && p[from - 1] != ',' && p[from - 1] != '\t' && p[from - 1] != ' ')
			from--;
		words[n++] = htole32((uint32_t)strtoul(p + from, NULL, 16));
		if (!from || p[from - 1] != ',')
			break;
		len = from - 1;
	}
	put(r, i, words, n * sizeof(*words));
}

void lp_user_name(uint32_t uid, char *to, size_t size)
{
	char text[LOOKUP];
	struct passwd pw, *found = NULL;

	if (getpwuid_r(uid, &pw, text, sizeof(text), &found) || !found)
		snprintf(to, size, "%u", uid);
	else
		snprintf(to, size, "%s", pw.pw_name);
}

static void group_name(uint32_t gid, char *to, size_t size)
{
	char text[LOOKUP];
	struct group gr, *found = NULL;

	if (getgrgid_r(gid, &gr, text, sizeof(text), &found) || !found)
		snprintf(to, size, "%u", gid);
	else
		snprintf(to, size, "%s", gr.gr_name);
}

static void put_id_name(const struct lp_read *r, int i, const char *p)
{
	char name[256];
	uint64_t id = 0;

	for (int k = 0; k <= lp_metrics[i].at; k++)
		id = number(&p);
	if (lp_metrics[i].form == LP_USER)
		lp_user_name((uint32_t)id, name, sizeof(name));
	else
		group_name((uint32_t)id, name, sizeof(name));
	put_text(r, i, name, strlen(name));
}

/* What stands behind the key of metric i. */
static void put_line(const struct lp_read *r, int i, const char *p)
{
	p += strspn(p, " \t");
	switch (lp_metrics[i].form) {
	case LP_DEC:
		if (value_is_array(lp_metrics[i].def.type))
			put_numbers(r, i, p);
		else
			put_number(r, i, number(&p));
		break;
	case LP_OCT:
		put_number(r, i, strtoull(p, NULL, 8));
		break;
	case LP_HEX:
		put_number(r, i, strtoull(p, NULL, 16));
		break;
	case LP_HEX_WORDS:
		put_words(r, i, p);
		break;
	case LP_SECOND:
		p = memchr(p, '/', line_len(p));
		put_number(r, i, p ? strtoull(p + 1, NULL, 10) : 0);
		break;
	case LP_CHAR:
		put(r, i, p, 1);
		break;
	case LP_TEXT:
		put_text(r, i, p, line_len(p));
		break;
	default:
		put_id_name(r, i, p);
	}
}

static bool has_key(int i, enum lp_source source, const char *line)
{
	return lp_metrics[i].source == source && lp_metrics[i].key &&
	       !strncmp(line, lp_metrics[i].key, strlen(lp_metrics[i].key));
}

/* Lines "Key: value"; several metrics may come from one.  The table has them in the file's order, so that each line is
 * mostly found at once. */
static void read_lines(const struct lp_read *r, enum lp_source source, int first, int end)
{
	int next = first;

	for (const char *p = text_of(r); *p; p = proc_next_line(p)) {
		for (int k = first; k < end; k++) {
			int i = next;

			next = next + 1 < end ? next + 1 : first;
			if (!has_key(i, source, p))
				continue;
			for (; i < end && has_key(i, source, p); i++)
				if (wants(r, i))
					put_line(r, i, p + strlen(lp_metrics[i].key));
			next = i < end ? i : first;
			/* Uid: and Gid: tell two kinds of metrics, which are neighbours */
			break;
		}
	}
}

/* -- the sources: one after the other, each with its metrics [first, end) ------------------------------------------- */

static void read_cmdline(struct lp_read *r, int first, int end)
{
	char *p = (char *)r->text->p;
	size_t len = r->text->len;

	if (wants(r, first))
		put_number(r, first, len);
	for (size_t i = 0; r->sep && i + 1 < len; i++)
		if (!p[i])
			p[i] = r->sep;
	if (wants(r, first + 1))
		put_text(r, first + 1, p, r->sep ? len : strlen(p));
}

static void read_own_number(struct lp_read *r, int first, int end)
{
	const char *p = text_of(r);

	put_number(r, first, number(&p));
}

static void read_own_text(struct lp_read *r, int first, int end)
{
	put_text(r, first, text_of(r), line_len(text_of(r)));
}

uint64_t lp_stat_field(const char *text, int at)
{
	const char *p = strrchr(text, ')'); /* the command's name may hold anything */

	if (at == 1)
		return strtoull(text, NULL, 10);
	for (int i = 3; p && i <= at; i++)
		p = strchr(p + 1, ' ');
	return p ? number(&p) : 0;
}

static void read_stat(struct lp_read *r, int first, int end)
{
	const char *text = text_of(r), *open = strchr(text, '('), *close = strrchr(text, ')'), *p;
	uint64_t field[64] = { 0 };
	int n = 4;

	if (!open || !close || close < open || !close[1])
		return;
	field[1] = strtoull(text, NULL, 10);
	for (p = close + 3; *p && n < 64; n++)
		field[n] = number(&p), p += strcspn(p, " ");
	for (int i = first; i < end; i++) {
		if (!wants(r, i))
			continue;
		if (lp_metrics[i].at == 2)
			put_text(r, i, open + 1, (size_t)(close - open - 1));
		else if (lp_metrics[i].at == 3)
			put(r, i, close + 2, 1);
		else
			put_number(r, i, field[lp_metrics[i].at]);
	}
}

static void read_syscall(struct lp_read *r, int first, int end)
{
	const char *p = text_of(r);
	uint64_t v[9] = { 0 };
	char name[64] = "running";
	bool numbers = proc_is_digit(*p);
	char *at = (char *)p;

	for (int i = 0; numbers && i < 9; i++)
		v[i] = htole64(strtoull(at, &at, 0));
	if (numbers && le64toh(v[0]) < r->syscalls->n && r->syscalls->names[le64toh(v[0])])
		snprintf(name, sizeof(name), "%s", r->syscalls->names[le64toh(v[0])]);
	else if (numbers)
		snprintf(name, sizeof(name), "SYS_%llu", (unsigned long long)le64toh(v[0]));
	else
		snprintf(name, sizeof(name), "%.*s", (int)line_len(p), p); /* "running", "-1 ..." */
	if (wants(r, first))
		put(r, first, v, sizeof(v));
	if (wants(r, first + 1))
		put_text(r, first + 1, name, strlen(name));
}

static void read_status(struct lp_read *r, int first, int end)
{
	read_lines(r, LP_STATUS, first, end);
}

static void read_io(struct lp_read *r, int first, int end)
{
	read_lines(r, LP_IO, first, end);
}

static int count_fds(struct lp_read *r, int first)
{
	int fd = lp_openat(r, "fd", O_DIRECTORY);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	uint64_t n = 0;

	if (!dir) {
		int rc = -errno;

		if (fd >= 0)
			close(fd);
		return rc;
	}
	for (struct dirent *d; (d = readdir(dir));)
		n += proc_is_digit(*d->d_name);
	closedir(dir);
	put_number(r, first, n);
	return 0;
}

static int read_root(struct lp_read *r, int first)
{
	char path[NAME_SIZE], to[4096];
	ssize_t n;

	if (!r->first)
		return 0;
	snprintf(path, sizeof(path), "%d/root", r->pid);
	n = readlinkat(r->proc_fd, path, to, sizeof(to));
	if (n < 0)
		return -errno;
	put_text(r, first, to, (size_t)n);
	return 0;
}

static const struct {
	const char *file; /* NULL: not a file */
	void (*read)(struct lp_read *r, int first, int end);
	bool once; /* META values alone */
} sources[LP_SOURCES] = {
	[LP_CMDLINE] = { "cmdline", read_cmdline, true },
	[LP_IO] = { "io", read_io, false },
	[LP_OOM_SCORE] = { "oom_score", read_own_number, false },
	[LP_OOM_SCORE_ADJ] = { "oom_score_adj", read_own_number, false },
	[LP_STAT] = { "stat", read_stat, false },
	[LP_STATUS] = { "status", read_status, false },
	[LP_SYSCALL] = { "syscall", read_syscall, false },
	[LP_TIMERSLACK] = { "timerslack_ns", read_own_number, false },
	[LP_WCHAN] = { "wchan", read_own_text, false },
};

static int read_source(struct lp_read *r, enum lp_source source, int first, int end)
{
	int rc;

	if (source == LP_FD)
		return count_fds(r, first);
	if (source == LP_ROOT)
		return read_root(r, first);
	if (!sources[source].file || (sources[source].once && !r->first))
		return 0;
	rc = lp_slurp(r, sources[source].file);
	if (rc > 0)
		sources[source].read(r, first, end);
	return rc;
}

int lp_read_all(struct lp_read *r)
{
	int64_t began_us = mono_us();
	int n = (int)lp_metrics_n();

	for (int first = 0, end; first < n; first = end) {
		enum lp_source source = lp_metrics[first].source;

		for (end = first + 1; end < n && lp_metrics[end].source == source; end++)
			;
		if (source == LP_SAMPLE && r->choice->source[source])
			put_number(r, first, (uint64_t)(mono_us() - began_us));
		else if (r->choice->source[source] && read_source(r, source, first, end) == -ESRCH)
			return -ESRCH;
	}
	return 0;
}
