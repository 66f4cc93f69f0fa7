/* landlock.c - see landlock.h.
 *
 * The numbers are the kernel's ABI (linux/landlock.h), written down here so that a build on an older system can use
 * what the kernel below it has at run time.
 *
 *   ABI    Linux  adds
 *     1    5.13   the rights 0 to 12 on files
 *     2    5.19   REFER: renaming and linking between folders
 *     3    6.2    TRUNCATE
 *     4    6.7    TCP ports (not used: producers may have any)
 *     5    6.10   IOCTL_DEV
 *     6    6.12   scopes: signals and abstract sockets
 */
#include "core/base/landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
	CALL_CREATE_RULESET = 444, /* the same on every machine */
	CALL_ADD_RULE = 445,
	CALL_RESTRICT_SELF = 446,
};

#define ASK_VERSION       1u /* landlock_create_ruleset(): flags */
#define RULE_PATH_BENEATH 1
#define SCOPE_SIGNAL      (1ull << 1)
#define ABI_SCOPES        6

enum right {
	EXECUTE = 1 << 0,
	WRITE_FILE = 1 << 1,
	READ_FILE = 1 << 2,
	READ_DIR = 1 << 3,
	REMOVE_DIR = 1 << 4,
	REMOVE_FILE = 1 << 5,
	MAKE_CHAR = 1 << 6,
	MAKE_DIR = 1 << 7,
	MAKE_REG = 1 << 8,
	MAKE_SOCK = 1 << 9,
	MAKE_FIFO = 1 << 10,
	MAKE_BLOCK = 1 << 11,
	MAKE_SYM = 1 << 12,
	REFER = 1 << 13,
	TRUNCATE = 1 << 14,
	IOCTL_DEV = 1 << 15,
};

#define ON_FILES (EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEV) /* the others are for folders only */
#define TO_READ  (READ_FILE | READ_DIR)
#define TO_WRITE (TO_READ | WRITE_FILE | TRUNCATE | MAKE_REG | MAKE_DIR | REMOVE_FILE | REMOVE_DIR | REFER)

struct ruleset_attr {
	uint64_t rights_fs;
	uint64_t rights_net; /* from ABI 4 on */
	uint64_t scopes;     /* from ABI 6 on */
};

struct path_attr {
	uint64_t rights;
	int32_t fd;
} __attribute__((packed));

static const struct {
	int abi;
	uint64_t right;
} newer[] = { { 2, REFER }, { 3, TRUNCATE }, { 5, IOCTL_DEV } };

/* The rights that a kernel of this version knows; it refuses others. */
static uint64_t rights_of(int abi)
{
	uint64_t rights = MAKE_SYM * 2 - 1;

	for (size_t i = 0; i < sizeof(newer) / sizeof(*newer); i++)
		if (abi >= newer[i].abi)
			rights |= newer[i].right;
	return rights;
}

int landlock_open(struct landlock *ll, struct err *err)
{
	int abi = (int)syscall(CALL_CREATE_RULESET, NULL, 0, ASK_VERSION);
	struct ruleset_attr attr = { .rights_fs = rights_of(abi), .scopes = SCOPE_SIGNAL };
	size_t size = abi >= ABI_SCOPES ? sizeof(attr) : sizeof(attr.rights_fs);
	int fd;

	if (abi < 1)
		return err_set(err, -ENOSYS,
			       "Landlock: this kernel has none (Linux 5.13 or later, with landlock among its lsm=)");
	fd = (int)syscall(CALL_CREATE_RULESET, &attr, size, 0);
	if (fd < 0)
		return err_set(err, -errno, "Landlock: no set of rules: %s", err_name(errno));
	*ll = (struct landlock){ .abi = abi, .fd = fd, .rights = attr.rights_fs };
	return 0;
}

int landlock_allow(struct landlock *ll, const char *path, bool write, struct err *err)
{
	struct path_attr attr = { .rights = write ? TO_WRITE : TO_READ };
	struct stat st;
	int rc = 0;

	attr.fd = open(path, O_PATH | O_CLOEXEC);
	if (attr.fd < 0 || fstat(attr.fd, &st)) {
		rc = err_set(err, -errno, "Landlock: %s: %s", path, err_name(errno));
		goto out;
	}
	attr.rights &= S_ISDIR(st.st_mode) ? ll->rights : ll->rights & ON_FILES;
	if (syscall(CALL_ADD_RULE, ll->fd, RULE_PATH_BENEATH, &attr, 0))
		rc = err_set(err, -errno, "Landlock: %s: no rule for it: %s", path, err_name(errno));
out:
	if (attr.fd >= 0)
		close(attr.fd);
	return rc;
}

int landlock_enter(struct landlock *ll, struct err *err)
{
	if (syscall(CALL_RESTRICT_SELF, ll->fd, 0))
		return err_set(err, -errno, "Landlock: %s", err_name(errno));
	return 0;
}

void landlock_close(struct landlock *ll)
{
	if (ll->abi && ll->fd >= 0)
		close(ll->fd);
	ll->abi = 0;
	ll->fd = -1;
}
