/* sandbox.c - what Landlock and seccomp leave to a process */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "core/base/landlock.h"
#include "core/base/seccomp.h"
#include "core/base/xalloc.h"
#include "in_child.h"

static char *below(const char *dir, const char *name)
{
	return xasprintf("%s/%s", dir, name);
}

static int file_make(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	ssize_t n = fd < 0 ? -1 : write(fd, "x", 1);

	if (fd < 0)
		return -errno;
	close(fd);
	return n == 1 ? 0 : -EIO;
}

static int opens(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

/* A socket that somebody listens on; its file is all that is needed to connect. */
static int socket_at(const char *path, int (*use)(int, const struct sockaddr *, socklen_t))
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(at.sun_path, sizeof(at.sun_path), "%s", path);
	return fd < 0 || use(fd, (struct sockaddr *)&at, sizeof(at)) ? -errno : fd;
}

static int locked(const void *arg)
{
	const char *dir = arg;
	char *in = below(dir, "in"), *out = below(dir, "out"), *read = below(dir, "read"), *held = below(dir, "held");
	char *in_file = below(in, "f"), *in_moved = below(in, "g"), *in_dir = below(in, "d");
	char *out_file = below(out, "f"), *read_file = below(read, "f"), *out_socket = below(out, "s");
	struct landlock ll;
	struct err err;
	int fd;

	WANT(!mkdir(in, 0700) && !mkdir(out, 0700) && !mkdir(read, 0700));
	WANT(!file_make(out_file) && !file_make(read_file));
	fd = open(held, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	WANT(fd >= 0);
	WANT(listen(socket_at(out_socket, bind), 1) == 0);
	WANT(!landlock_open(&ll, NULL));
	WANT(!landlock_allow(&ll, in, true, NULL) && !landlock_allow(&ll, read_file, false, NULL));
	WANT(!landlock_allow(&ll, "/dev/null", true, NULL));
	WANT(landlock_allow(&ll, "/nowhere/at/all", true, &err) == -ENOENT && strstr(err.msg, "/nowhere/at/all"));
	WANT(!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	WANT(!landlock_enter(&ll, NULL));
	landlock_close(&ll);
	/* within: all that stores do */
	WANT(!file_make(in_file) && !rename(in_file, in_moved) && !mkdir(in_dir, 0700) && !rmdir(in_dir));
	WANT(!opens(in_moved, O_RDWR) && !truncate(in_moved, 0) && !unlink(in_moved));
	/* only reading */
	WANT(!opens(read_file, O_RDONLY) && opens(read_file, O_WRONLY) == -EACCES);
	WANT(!opens("/dev/null", O_RDWR));
	/* out of reach, but for what was open */
	WANT(opens(out_file, O_RDONLY) == -EACCES && file_make(out_file) == -EACCES);
	WANT(unlink(out_file) < 0 && errno == EACCES);
	WANT(symlink("/etc", in_file) < 0 && errno == EACCES);
	WANT(opens(dir, O_RDONLY) == -EACCES && opens("/etc/passwd", O_RDONLY) == -EACCES);
	WANT(write(fd, "x", 1) == 1);
	WANT(socket_at(out_socket, connect) >= 0); /* munged's */
	return 0;
}

static void test_landlock(void **state)
{
	char dir[] = "/tmp/ldms-unit-XXXXXX";
	struct landlock ll;
	char *rm;
	int rc = landlock_open(&ll, NULL);

	(void)state;
	if (rc == -ENOSYS)
		skip(); /* this kernel has none */
	assert_int_equal(rc, 0);
	assert_in_range(ll.abi, 1, 1000);
	landlock_close(&ll);
	landlock_close(&ll);
	assert_non_null(mkdtemp(dir));
	rc = in_child(locked, dir);
	rm = xasprintf("rm -r %s", dir);
	assert_int_equal(system(rm), 0);
	free(rm);
	assert_int_equal(rc, 0);
}

static void *nothing(void *arg)
{
	return arg;
}

static int filtered(const void *arg)
{
	char *const none[] = { NULL };
	pthread_t t;

	WANT(!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	WANT(!seccomp_enter(NULL));
	WANT(execve("/bin/true", none, none) < 0 && errno == EPERM);
	WANT(ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0 && errno == EPERM);
	WANT(mount("/", "/", NULL, MS_BIND, NULL) < 0 && errno == EPERM);
	WANT(unshare(CLONE_NEWUSER) < 0 && errno == EPERM);
	/* what a daemon does goes on */
	WANT(!opens("/proc/self/status", O_RDONLY));
	WANT(!pthread_create(&t, NULL, nothing, NULL) && !pthread_join(t, NULL));
	return 0;
}

static int without_a_promise(const void *arg)
{
	struct err err = { "" };

	/* who may become more than he is cannot be filtered, but by root */
	WANT(geteuid() == 0 || (seccomp_enter(&err) < 0 && strstr(err.msg, "seccomp")));
	return 0;
}

static void test_seccomp(void **state)
{
	(void)state;
	if (prctl(PR_GET_SECCOMP, 0, 0, 0, 0) < 0)
		skip(); /* this kernel has none */
	assert_int_equal(in_child(filtered, NULL), 0);
	assert_int_equal(in_child(without_a_promise, NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_landlock),
		cmocka_unit_test(test_seccomp),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
