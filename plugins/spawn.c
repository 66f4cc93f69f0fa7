/* spawn.c - see spawn.h */
#include "plugins/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/unit.h"

#define PAUSE_MAX_US (60 * SEC_US)
#define PAUSE_STEPS  6            /* 1 s << 6 is above the maximum */
#define KILL_US      (SEC_US / 5) /* for a killed process to end */
#define KILLED_MAX   64

extern char **environ;

/* Those that were killed, and have not ended yet. */
static pthread_mutex_t killed_lock = PTHREAD_MUTEX_INITIALIZER;
static pid_t killed[KILLED_MAX];

static int attr_make(posix_spawnattr_t *attr)
{
	sigset_t none, all;

	sigemptyset(&none);
	sigfillset(&all);
	posix_spawnattr_init(attr);
	posix_spawnattr_setpgroup(attr, 0);
	posix_spawnattr_setsigmask(attr, &none); /* ours is that of a worker: everything is blocked */
	posix_spawnattr_setsigdefault(attr, &all);
	return posix_spawnattr_setflags(attr, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
}

int spawn_begin(pid_t *ret, const char *path, char *const argv[], int fd, int at, struct err *err)
{
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	int rc;

	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&files, fd, at);
	attr_make(&attr);
	rc = -posix_spawn(ret, path, &files, &attr, argv, environ);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&files);
	if (!rc)
		return 0;
	return err_set(err, rc, "cannot be run: %s%s", err_name(rc),
		       rc == -EPERM ? "; with --sandbox no program can: give this sampler a daemon without" : "");
}

/* Has it ended, and how? */
static bool reap(pid_t pid, int64_t until_us, int *status)
{
	pid_t got;

	while (!(got = waitpid(pid, status, WNOHANG)) && mono_us() < until_us)
		poll(NULL, 0, 1);
	if (got < 0)
		*status = 0; /* somebody else has asked */
	return got != 0;
}

/* Of a full list the process is not waited for any more: it is a zombie until the daemon ends. */
static void killed_add(pid_t pid)
{
	pthread_mutex_lock(&killed_lock);
	for (size_t i = 0; i < KILLED_MAX; i++)
		if (!killed[i]) {
			killed[i] = pid;
			break;
		}
	pthread_mutex_unlock(&killed_lock);
}

bool spawn_lingers(pid_t pid)
{
	bool lingers = false;
	int status;

	pthread_mutex_lock(&killed_lock);
	for (size_t i = 0; i < KILLED_MAX; i++) {
		if (killed[i] && reap(killed[i], 0, &status))
			killed[i] = 0;
		lingers |= killed[i] && killed[i] == pid;
	}
	pthread_mutex_unlock(&killed_lock);
	return lingers;
}

int spawn_end(pid_t pid, int64_t grace_us, int *ret_status)
{
	bool ended = grace_us && reap(pid, mono_us() + grace_us, ret_status);
	int status;

	kill(-pid, SIGKILL); /* what it has left behind goes, too */
	if (ended)
		return 0;
	if (!reap(pid, mono_us() + KILL_US, &status))
		killed_add(pid);
	return -ECHILD;
}

int spawn_judge(int status, struct err *err)
{
	if (WIFSIGNALED(status))
		return err_set(err, -ECHILD, "was ended by signal %d (%s)", WTERMSIG(status),
			       strsignal(WTERMSIG(status)));
	if (WEXITSTATUS(status))
		return err_set(err, -ECHILD, "ended with status %d", WEXITSTATUS(status));
	return 0;
}

int64_t spawn_pause_us(unsigned int fails)
{
	int64_t us = SEC_US << (fails < PAUSE_STEPS ? fails : PAUSE_STEPS);

	return us < PAUSE_MAX_US ? us : PAUSE_MAX_US;
}
