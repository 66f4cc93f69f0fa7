/* confine.c - paths and capabilities, before and after the door is closed */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sys/stat.h>

#include "core/base/caps.h"
#include "core/base/log.h"
#include "core/base/xalloc.h"
#include "core/daemon/confine.h"
#include "in_child.h"

#define OTHER    "3987654:3987654" /* a user that nobody is */
#define OTHER_ID 3987654

static char *dir; /* of one test, for everybody to enter */

static int setup(void **state)
{
	char name[] = "/tmp/ldms-unit-XXXXXX";

	(void)state;
	if (!mkdtemp(name) || chmod(name, 0755))
		return -1;
	dir = xstrdup(name);
	return 0;
}

static int teardown(void **state)
{
	char *rm = xasprintf("rm -r %s", dir);
	int rc = system(rm);

	(void)state;
	free(rm);
	free(dir);
	return rc;
}

static char *at(const char *name)
{
	return xasprintf("%s/%s", dir, name);
}

static void test_none(void **state)
{
	struct confine_conf conf = { .user = NULL };
	struct confine *c = (struct confine *)&conf;

	(void)state;
	assert_int_equal(confine_new(&conf, &c, NULL), 0);
	assert_null(c);
	assert_null(confine_user(c));
	assert_int_equal(confine_path(c, "x", PATH_DIR, "/nowhere", NULL), 0);
	assert_int_equal(confine_caps(c, "x", "no such capability", NULL), 0);
	assert_int_equal(confine_enter(c, NULL), 0);
	assert_int_equal(confine_blame(c, -EACCES, NULL), -EACCES);
	confine_free(c);
}

static int sandboxed(const void *arg)
{
	struct confine_conf conf = { .sandbox = SANDBOX_ON };
	char *rows = at("rows"), *deep = at("rows/a/b/c"), *beside = at("rowsandmore"), *log = at("log/file");
	char *logs = at("log"), *up = at("rows/../elsewhere");
	char user[CAPS_TEXT_MAX], caps[CAPS_TEXT_MAX], sandbox[CAPS_TEXT_MAX];
	struct err err = { "" };
	struct confine *c;
	struct stat st;

	WANT(!mkdir(logs, 0700));
	WANT(!confine_new(&conf, &c, NULL) && c);
	confine_status(c, user, caps, sandbox);
	WANT(!strcmp(sandbox, "off"));
	WANT(!confine_path(c, "store s", PATH_DIR, rows, NULL) && !confine_log(c, log, NULL));
	WANT(!confine_enter(c, &err));
	log_open("/dev/null", NULL);
	WANT(!stat(rows, &st) && S_ISDIR(st.st_mode)); /* it was made */
	confine_status(c, user, caps, sandbox);
	WANT(strstr(sandbox, "landlock"));
	/* what the kernel allows, and what we say it does, is the same */
	WANT(!confine_path(c, "x", PATH_DIR, rows, NULL) && !confine_path(c, "x", PATH_DIR, deep, NULL));
	WANT(!confine_path(c, "x", PATH_READ, "/proc/meminfo", NULL) && !access("/proc/meminfo", R_OK));
	WANT(confine_path(c, "x", PATH_FILE, "/proc/meminfo", NULL) == -EACCES);
	WANT(confine_path(c, "x", PATH_READ, "/root", NULL) == -EACCES);
	WANT(confine_path(c, "x", PATH_DIR, up, NULL) == -EACCES && mkdir(up, 0700) < 0);
	WANT(confine_path(c, "store x", PATH_DIR, beside, &err) == -EACCES && mkdir(beside, 0700) < 0);
	WANT(strstr(err.msg, "store x: ") && strstr(err.msg, beside) && strstr(err.msg, rows) &&
	     strstr(err.msg, "--sandbox-allow"));
	WANT(!confine_log(c, log, NULL));
	return 0;
}

static void test_sandbox(void **state)
{
	(void)state;
	if (syscall(444, NULL, 0, 1) < 1)
		skip(); /* this kernel has no Landlock */
	assert_int_equal(in_child(sandboxed, NULL), 0);
}

static int other_user(const void *arg)
{
	struct confine_conf conf = { .user = OTHER };
	char *rows = at("rows"), *log = at("log"), *own = at("own"), *own_log = at("own/log"), *link = at("own/link");
	char *pid = at("pid"), *secret = at("secret");
	struct err err = { "" };
	struct confine *c;
	struct stat st;
	int fd;

	WANT(!confine_new(&conf, &c, NULL) && confine_user(c)->uid == OTHER_ID);
	WANT(!confine_caps(c, "sampler s", "sys_rawio", NULL));
	WANT(confine_caps(c, "sampler t", "sys_rawi", &err) == -EINVAL && strstr(err.msg, "sampler t: no capability"));
	/* a log in a folder of root's is given to the user, a pid file is not */
	fd = confine_open(c, log, O_WRONLY, true);
	WANT(fd >= 0 && !fstat(fd, &st) && st.st_uid == OTHER_ID);
	fd = confine_open(c, pid, O_WRONLY, false);
	WANT(fd >= 0 && !fstat(fd, &st) && st.st_uid == 0);
	/* in the user's folder nothing is opened that the user could not open */
	WANT(!mkdir(own, 0755) && !chown(own, OTHER_ID, OTHER_ID) && !symlink(secret, link));
	fd = open(secret, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	WANT(fd >= 0);
	WANT(confine_open(c, link, O_WRONLY, true) == -EACCES && !fstat(fd, &st) && st.st_uid == 0);
	fd = confine_open(c, own_log, O_WRONLY, true);
	WANT(fd >= 0 && !fstat(fd, &st) && st.st_uid == OTHER_ID);
	/* a folder that is missing is made for the user */
	WANT(!confine_path(c, "store s", PATH_DIR, rows, NULL));
	WANT(!confine_enter(c, &err));
	WANT(!stat(rows, &st) && st.st_uid == OTHER_ID && (st.st_mode & 0777) == 0750);
	WANT(geteuid() == OTHER_ID && caps_effective() == 1ull << CAP_SYS_RAWIO);
	WANT(!confine_caps(c, "sampler s", "sys_rawio", NULL));
	WANT(confine_caps(c, "sampler s", "sys_rawio bpf", &err) == -EPERM && strstr(err.msg, "capability bpf"));
	WANT(confine_blame(c, err_set(&err, -EACCES, "port 1"), &err) == -EACCES && strstr(err.msg, "became user"));
	return 0;
}

static int unwritable(const void *arg)
{
	struct confine_conf conf = { .user = OTHER };
	char *shut = at("shut"), *deep = at("shut/a/b"), *first = at("shut/a");
	struct err err = { "" };
	struct confine *c;

	WANT(!confine_new(&conf, &c, NULL));
	WANT(!confine_path(c, "store s", PATH_DIR, dir, NULL));
	WANT(confine_enter(c, &err) == -EACCES);
	WANT(strstr(err.msg, "store s: ") && strstr(err.msg, dir) && strstr(err.msg, "chown -R"));
	/* where the user cannot go nothing is made */
	WANT(!mkdir(shut, 0700) && !confine_new(&conf, &c, NULL));
	WANT(!confine_path(c, "store t", PATH_DIR, deep, NULL));
	WANT(confine_enter(c, &err) == -EACCES && strstr(err.msg, "store t: ") && strstr(err.msg, shut));
	WANT(access(first, F_OK) < 0);
	WANT(geteuid() == 0 && caps_effective() == caps_bounding()); /* nothing was given up yet */
	return 0;
}

static int from_other(const void *arg)
{
	struct confine_conf conf = { .user = OTHER };
	struct err err = { "" };
	struct confine *c;

	WANT(!setgid(OTHER_ID) && !setuid(OTHER_ID));
	WANT(!confine_new(&conf, &c, NULL) && !confine_enter(c, NULL)); /* one is that already */
	conf.user = "root";
	WANT(confine_new(&conf, &c, &err) == -EPERM && strstr(err.msg, "only root may become user root"));
	return 0;
}

static void test_user(void **state)
{
	(void)state;
	if (geteuid() || !(caps_effective() >> CAP_SYS_RAWIO & 1))
		skip(); /* only root has rights to give up */
	assert_int_equal(in_child(other_user, NULL), 0);
	assert_int_equal(in_child(unwritable, NULL), 0);
	assert_int_equal(in_child(from_other, NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_none),
		cmocka_unit_test_setup_teardown(test_sandbox, setup, teardown),
		cmocka_unit_test_setup_teardown(test_user, setup, teardown),
	};

	log_level_set(LOG_QUIET_);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
