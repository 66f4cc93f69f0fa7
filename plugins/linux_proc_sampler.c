/* linux_proc_sampler.c - processes that are announced (by Slurm's notifier, or by one of the kernel's events): a set for
 * each while it lives, and messages that tell of its command line, environment and files
 */
#include <errno.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/unit.h"
#include "core/base/xalloc.h"
#include "plugins/linux_proc_impl.h"
#include "plugins/proc.h"
#include "plugins/slurm_event.h"

#define PROCESSES_MAX 100000 /* announcements come from strangers */
#define TRACKED_DFLT  "/var/run/ldms-netlink-tracked"
#define EVENT_MAX     65536 /* bytes of an announcement in a file */

static struct lp_read reader(struct linux_proc *lp, const struct lp_process *p)
{
	return (struct lp_read){ .proc_fd = lp->proc_fd,
				 .pid = p->pid,
				 .set = p->set,
				 .choice = &lp->choice,
				 .syscalls = &lp->conf.syscalls,
				 .sep = lp->conf.argv_sep,
				 .text = &lp->text };
}

/* -- processes ----------------------------------------------------------------------------------------------------- */

static void process_free(struct linux_proc *lp, struct lp_process *p)
{
	HASH_DEL(lp->processes, p);
	lp_files_free(p);
	free(p->job);
	free(p->exe);
	free(p->user);
	free(p);
}

static int process_end(struct samp *sp, struct linux_proc *lp, struct lp_process *p, struct err *err)
{
	int rc = lp_send_end(&lp->sender, p, err);

	samp_set_drop(sp, p->set);
	process_free(lp, p);
	return rc;
}

/* One sample of it; -ESRCH when it has gone. */
static int process_sample(struct samp *sp, struct linux_proc *lp, struct lp_process *p, bool first)
{
	struct lp_read r = reader(lp, p);
	int rc = lp_slurp(&r, "stat");

	if (rc < 0)
		return rc == -EACCES ? 0 : -ESRCH;
	if (lp_stat_field((const char *)lp->text.p, 22) != p->tick)
		return -ESRCH; /* another one has its number */
	if (!p->set)
		return 0;
	r.first = first;
	samp_begin(sp, p->set);
	rc = lp_read_all(&r);
	if (rc)
		samp_cancel(sp, p->set);
	else
		samp_end(sp, p->set);
	return rc;
}

static char *link_of(const struct linux_proc *lp, int pid, const char *name)
{
	char path[64], to[4096];
	ssize_t n;

	snprintf(path, sizeof(path), "%d/%s", pid, name);
	n = readlinkat(lp->proc_fd, path, to, sizeof(to));
	return n > 0 ? xstrndup(to, (size_t)n) : NULL;
}

/* Seconds with a fraction: what the announcement says, or what the kernel does. */
static void start_time(struct linux_proc *lp, struct lp_process *p, const char *said)
{
	uint64_t hz = (uint64_t)sysconf(_SC_CLK_TCK), tick = p->start_tick;
	size_t n = said ? strspn(said, "0123456789.") : 0;

	if (n && !said[n] && n < LP_TIME_SIZE)
		snprintf(p->start_time, sizeof(p->start_time), "%s", said);
	else
		snprintf(p->start_time, sizeof(p->start_time), "%llu.%06llu",
			 (unsigned long long)(lp->btime_s + tick / hz) % 1000000000000ull,
			 (unsigned long long)(tick % hz * 1000000 / hz));
}

/* What is known of the process that the event announces; NULL: it has gone already. */
static struct lp_process *process_new(struct linux_proc *lp, const struct slurm_event *ev, int pid)
{
	struct lp_process *p = xcalloc(1, sizeof(*p));
	struct lp_read r = { .proc_fd = lp->proc_fd, .pid = pid, .text = &lp->text };
	const char *exe = slurm_event_text(ev, "exe"), *job = slurm_event_text(ev, "job_id");
	char path[16], user[256];
	struct stat st;

	snprintf(path, sizeof(path), "%d", pid);
	if (lp_slurp(&r, "stat") < 0 || fstatat(lp->proc_fd, path, &st, 0)) {
		free(p);
		return NULL;
	}
	p->pid = pid;
	p->tick = lp_stat_field((const char *)lp->text.p, 22);
	p->start_tick = slurm_event_u64(ev, "start_tick", p->tick);
	p->parent = (int64_t)slurm_event_u64(ev, "parent_pid", lp_stat_field((const char *)lp->text.p, 4));
	p->task_rank = (int64_t)slurm_event_u64(ev, "task_global_id", UINT64_MAX);
	p->is_thread = slurm_event_u64(ev, "is_thread", 0) == 1;
	p->job_id = ev->job_id;
	p->app_id = slurm_event_u64(ev, "step_id", 0);
	p->job = job ? xstrdup(job) : xasprintf("%llu", (unsigned long long)ev->job_id);
	p->exe = exe ? xstrdup(exe) : link_of(lp, pid, "exe");
	if (!p->exe)
		p->exe = xstrdup("");
	lp_user_name(st.st_uid, user, sizeof(user));
	p->user = xstrdup(user);
	start_time(lp, p, slurm_event_text(ev, "start"));
	return p;
}

static int process_begin(struct samp *sp, struct linux_proc *lp, const struct slurm_event *ev, int pid, struct err *err)
{
	struct lp_process *p;
	struct lp_read r;
	int rc = 0;

	HASH_FIND_INT(lp->processes, &pid, p);
	if (p && process_sample(sp, lp, p, false) == -ESRCH) {
		process_end(sp, lp, p, NULL);
		p = NULL;
	}
	if (p)
		return 0;
	if (HASH_COUNT(lp->processes) >= PROCESSES_MAX)
		return err_set(err, -ENOSPC, "process %d: there are %d already", pid, PROCESSES_MAX);
	p = process_new(lp, ev, pid);
	if (!p)
		return 0;
	HASH_ADD_INT(lp->processes, pid, p);
	if (lp->conf.metric_sets)
		rc = lp_process_set(sp, lp, p, err);
	if (rc) {
		process_free(lp, p);
		return rc;
	}
	if (process_sample(sp, lp, p, true) == -ESRCH)
		return process_end(sp, lp, p, err);
	r = reader(lp, p);
	rc = lp_send_begin(&lp->sender, &r, p, err);
	return rc ? rc : lp_send_files(&lp->sender, &r, p, err);
}

/* -- events -------------------------------------------------------------------------------------------------------- */

static int event_apply(struct samp *sp, struct linux_proc *lp, const struct slurm_event *ev, struct err *err)
{
	uint64_t pid = slurm_event_u64(ev, "task_pid", 0);
	struct lp_process *p;
	int key;

	if (ev->kind != SLURM_TASK_INIT && ev->kind != SLURM_TASK_EXIT)
		return 0;
	if (!pid)
		pid = slurm_event_u64(ev, "os_pid", 0);
	if (!pid || pid > INT32_MAX)
		return err_set(err, -EINVAL, "'%s': neither task_pid nor os_pid names a process; it is ignored",
			       ev->name);
	key = (int)pid;
	if (ev->kind == SLURM_TASK_INIT)
		return process_begin(sp, lp, ev, key, err);
	HASH_FIND_INT(lp->processes, &key, p);
	return p ? process_end(sp, lp, p, err) : 0;
}

static int lp_take(struct samp *sp, const struct samp_msg *m, struct err *err)
{
	struct slurm_event ev;
	int rc = slurm_event_read(&ev, m, false, err);

	if (!rc)
		rc = event_apply(sp, samp_state(sp), &ev, err);
	slurm_event_fini(&ev);
	return rc;
}

/* Processes that were announced before this daemon began: a file for each, which its number names, and which holds the
 * announcement, if anything.  Files of those that have gone are removed. */
static void tracked_read(struct samp *sp, struct linux_proc *lp)
{
	const char *given = lp->conf.published_pid_dir;
	char *path = xasprintf("%s%s", samp_root(sp), given ? given : TRACKED_DFLT), *text = xmalloc(EVENT_MAX);
	DIR *dir = opendir(path);
	struct dirent *d;

	while (dir && (d = readdir(dir))) {
		char *end, whole[128];
		long pid = strtol(d->d_name, &end, 10);
		struct samp_msg m = { .json = true, .data = text };
		struct stat st;
		ssize_t n;
		int fd;

		if (*end || pid <= 0 || pid > INT32_MAX)
			continue;
		if (fstatat(lp->proc_fd, d->d_name, &st, 0)) {
			unlinkat(dirfd(dir), d->d_name, 0);
			continue;
		}
		fd = openat(dirfd(dir), d->d_name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
		n = fd < 0 ? 0 : read(fd, text, EVENT_MAX);
		if (fd >= 0)
			close(fd);
		m.len = n > 0 ? (size_t)n : 0;
		if (!lp_take(sp, &m, NULL))
			continue;
		m.data = whole;
		m.len = (size_t)snprintf(whole, sizeof(whole),
					 "{\"event\":\"task_init_priv\",\"data\":{\"job_id\":0,\"os_pid\":%ld}}", pid);
		lp_take(sp, &m, NULL);
	}
	if (dir)
		closedir(dir);
	free(text);
	free(path);
}

/* -- the sampler --------------------------------------------------------------------------------------------------- */

int lp_check(struct samp *sp, struct err *err)
{
	struct lp_conf c;
	int rc = lp_conf_read(sp, &c, err);

	lp_conf_fini(&c);
	return rc;
}

static int btime_read(struct samp *sp, uint64_t *ret, struct err *err)
{
	struct proc_file pf = { 0 };
	int rc = proc_open(&pf, samp_root(sp), "/proc/stat", err);
	const char *p;

	if (!rc)
		rc = proc_read(&pf, err);
	for (p = rc ? "" : pf.buf; *p; p = proc_next_line(p))
		if (!strncmp(p, "btime ", 6))
			*ret = strtoull(p + 6, NULL, 10);
	proc_close(&pf);
	return rc;
}

int lp_open(struct samp *sp, struct err *err)
{
	struct linux_proc *lp = samp_state(sp);
	const char *schema = samp_attr(sp, "schema");
	char *path = xasprintf("%s/proc", samp_root(sp));
	int rc = lp_conf_read(sp, &lp->conf, err);

	if (lp->app) /* it has not these */
		lp->conf.wanted[lp_metric_find("syscall_name", 12)] = lp->conf.wanted[lp_metric_find("sample_us", 9)] =
			false;
	lp->schema = xstrdup(schema ? schema : lp->app ? "app_sampler" : "linux_proc_sampler");
	lp->sender = (struct lp_sender){ .sp = sp, .conf = &lp->conf, .schema = lp->schema };
	lp->proc_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (!rc && lp->proc_fd < 0)
		rc = err_set(err, -errno, "%s: %s; is it mounted?", path, err_name(errno));
	free(path);
	if (!rc)
		rc = btime_read(sp, &lp->btime_s, err);
	if (!rc)
		rc = samp_subscribe(sp, SAMP_STREAM | SAMP_MSG, lp->conf.tag, false, lp_take, err);
	if (!rc && !lp->app)
		tracked_read(sp, lp);
	return rc;
}

int lp_sample(struct samp *sp, struct err *err)
{
	struct linux_proc *lp = samp_state(sp);
	bool files = lp->conf.fd_msg && ++lp->samples % lp->conf.fd_msg == 0;
	struct lp_process *p, *next;
	int rc = 0;

	HASH_ITER(hh, lp->processes, p, next) {
		int one = process_sample(sp, lp, p, false);
		struct lp_read r = reader(lp, p);

		if (one == -ESRCH)
			one = process_end(sp, lp, p, err);
		else if (files)
			one = lp_send_files(&lp->sender, &r, p, err);
		else
			one = 0;
		if (one)
			rc = one;
	}
	return rc;
}

void lp_close(struct samp *sp)
{
	struct linux_proc *lp = samp_state(sp);

	while (lp->processes)
		process_free(lp, lp->processes);
	if (lp->proc_fd > 0)
		close(lp->proc_fd);
	lp_conf_fini(&lp->conf);
	buf_fini(&lp->sender.out);
	buf_fini(&lp->text);
	free(lp->schema);
}

const struct samp_type samp_linux_proc_sampler = {
	.name = "linux_proc_sampler",
	.brief = "processes of jobs, a set for each",
	.source = "events of processes",
	.attrs = lp_attrs,
	.metrics = lp_front_metrics,
	.state_size = sizeof(struct linux_proc),
	.check = lp_check,
	.open = lp_open,
	.sample = lp_sample,
	.close = lp_close,
};
