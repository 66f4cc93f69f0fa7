/* caps.c - see caps.h.  By the system calls themselves: they are two, and no library is wanted for them. */
#include "core/base/caps.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/base/str.h"
#include "core/base/xalloc.h"

#define CAPS_MAX 64 /* what the system calls have room for */

/* By number; the kernel's ABI. */
static const char *const names[] = {
	"chown",
	"dac_override",
	"dac_read_search",
	"fowner",
	"fsetid",
	"kill",
	"setgid",
	"setuid",
	"setpcap",
	"linux_immutable",
	"net_bind_service",
	"net_broadcast",
	"net_admin",
	"net_raw",
	"ipc_lock",
	"ipc_owner",
	"sys_module",
	"sys_rawio",
	"sys_chroot",
	"sys_ptrace",
	"sys_pacct",
	"sys_admin",
	"sys_boot",
	"sys_nice",
	"sys_resource",
	"sys_time",
	"sys_tty_config",
	"mknod",
	"lease",
	"audit_write",
	"audit_control",
	"setfcap",
	"mac_override",
	"mac_admin",
	"syslog",
	"wake_alarm",
	"block_suspend",
	"audit_read",
	"perfmon",
	"bpf",
	"checkpoint_restore",
	NULL,
};

static int cap_find(const char *word, struct err *err)
{
	const char *near;

	for (int i = 0; names[i]; i++)
		if (!strcmp(names[i], word))
			return i;
	near = nearest(word, names);
	return err_set(err, -EINVAL, "no capability '%s'%s%s%s; capabilities(7) lists them", word,
		       near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

int caps_parse(const char *text, uint64_t *ret, struct err *err)
{
	char *copy = xstrdup(text ? text : ""), *at = copy;
	uint64_t caps = 0;
	int cap = 0;

	for (char *w; cap >= 0 && (w = strtok_r(at, " ", &at));) {
		cap = cap_find(w, err);
		if (cap >= 0)
			caps |= 1ull << cap;
	}
	free(copy);
	if (cap < 0)
		return cap;
	*ret = caps;
	return 0;
}

const char *caps_text(uint64_t caps, char *out)
{
	const char *sep = "";
	size_t n = 0;

	snprintf(out, CAPS_TEXT_MAX, "none");
	for (int i = 0; names[i]; i++) {
		if (!(caps >> i & 1))
			continue;
		n += (size_t)snprintf(out + n, CAPS_TEXT_MAX - n, "%s%s", sep, names[i]);
		sep = " ";
	}
	return out;
}

/* The sets come as two halves of 32 bits each. */
struct sets {
	struct __user_cap_header_struct head;
	struct __user_cap_data_struct half[_LINUX_CAPABILITY_U32S_3];
};

static struct sets sets_read(void)
{
	struct sets s = { .head = { .version = _LINUX_CAPABILITY_VERSION_3 } };

	if (syscall(SYS_capget, &s.head, s.half))
		memset(s.half, 0, sizeof(s.half));
	return s;
}

uint64_t caps_effective(void)
{
	struct sets s = sets_read();

	return s.half[0].effective | (uint64_t)s.half[1].effective << 32;
}

uint64_t caps_permitted(void)
{
	struct sets s = sets_read();

	return s.half[0].permitted | (uint64_t)s.half[1].permitted << 32;
}

uint64_t caps_bounding(void)
{
	uint64_t caps = 0;

	for (unsigned int i = 0; i < CAPS_MAX; i++)
		if (prctl(PR_CAPBSET_READ, i, 0, 0, 0) == 1)
			caps |= 1ull << i;
	return caps;
}

int caps_set(uint64_t caps)
{
	struct sets s = { .head = { .version = _LINUX_CAPABILITY_VERSION_3 } };

	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0,
	      0); /* fails on kernels that have none: nothing to clear */
	for (unsigned int i = 0; i < 2; i++)
		s.half[i].effective = s.half[i].permitted = (uint32_t)(caps >> 32 * i);
	return syscall(SYS_capset, &s.head, s.half) ? -errno : 0;
}

int caps_bounding_empty(void)
{
	for (unsigned int i = 0; i < CAPS_MAX; i++)
		if (prctl(PR_CAPBSET_READ, i, 0, 0, 0) == 1 && prctl(PR_CAPBSET_DROP, i, 0, 0, 0))
			return -errno;
	return 0;
}
