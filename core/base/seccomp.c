/* seccomp.c - see seccomp.h.
 *
 * A list of what is denied and not of what is allowed: libc and the libraries may change what they call, and a metric
 * daemon that stops for that would do harm.  Denied are the ways to other programs, other processes' memory, the
 * kernel's code, mounts and namespaces.
 */
#include "core/base/seccomp.h"

#include <assert.h>
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#if defined(__x86_64__)
#define MACHINE    AUDIT_ARCH_X86_64
#define OTHER_FROM 0x40000000u /* x32: the same machine, another list of numbers */
#elif defined(__aarch64__)
#define MACHINE AUDIT_ARCH_AARCH64
#endif

#define NAMESPACES                                                                                                     \
	(CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET)

static const uint16_t denied[] = {
	/* other programs */
	SYS_execve,
	SYS_execveat,
	/* other processes */
	SYS_ptrace,
	SYS_process_vm_readv,
	SYS_process_vm_writev,
	SYS_kcmp,
#ifdef SYS_pidfd_getfd
	SYS_pidfd_getfd,
#endif
	/* the kernel's code */
	SYS_init_module,
	SYS_finit_module,
	SYS_delete_module,
	SYS_kexec_load,
#ifdef SYS_kexec_file_load
	SYS_kexec_file_load,
#endif
	SYS_bpf,
	SYS_userfaultfd,
#ifdef SYS_io_uring_setup
	SYS_io_uring_setup,
#endif
	/* keys of others, and of the kernel */
	SYS_add_key,
	SYS_request_key,
	SYS_keyctl,
	/* mounts and namespaces */
	SYS_mount,
	SYS_umount2,
	SYS_pivot_root,
	SYS_chroot,
	SYS_setns,
	SYS_unshare,
#ifdef SYS_open_tree
	SYS_open_tree,
	SYS_move_mount,
	SYS_fsopen,
	SYS_fsmount,
	SYS_fspick,
#endif
#ifdef SYS_mount_setattr
	SYS_mount_setattr,
#endif
	SYS_open_by_handle_at,
	/* the machine: its clock, its name, its swap, its end */
	SYS_clock_settime,
	SYS_clock_adjtime,
	SYS_settimeofday,
	SYS_adjtimex,
	SYS_sethostname,
	SYS_setdomainname,
	SYS_swapon,
	SYS_swapoff,
	SYS_acct,
	SYS_reboot,
	SYS_personality,
#ifdef SYS_iopl
	SYS_iopl,
	SYS_ioperm,
	SYS_modify_ldt,
#endif
};

#define N_DENIED (sizeof(denied) / sizeof(*denied))
#define FIELD(f) offsetof(struct seccomp_data, f)
#define FAIL(e)  (SECCOMP_RET_ERRNO | (e))

static_assert(N_DENIED < 200, "jumps of a filter have 8 bits");

#ifdef MACHINE

/* The filter, one instruction after the other. */
struct prog {
	struct sock_filter at[N_DENIED + 32];
	unsigned short n;
};

static void add(struct prog *p, uint16_t code, uint32_t k, uint8_t yes, uint8_t no)
{
	p->at[p->n++] = (struct sock_filter){ code, yes, no, k };
}

static void load(struct prog *p, uint32_t offset)
{
	add(p, BPF_LD | BPF_W | BPF_ABS, offset, 0, 0);
}

static void end(struct prog *p, uint32_t what)
{
	add(p, BPF_RET | BPF_K, what, 0, 0);
}

static void filter_make(struct prog *p)
{
	load(p, FIELD(arch));
	add(p, BPF_JMP | BPF_JEQ | BPF_K, MACHINE, 1, 0);
	end(p, SECCOMP_RET_KILL_PROCESS);
	load(p, FIELD(nr));
#ifdef OTHER_FROM
	add(p, BPF_JMP | BPF_JGE | BPF_K, OTHER_FROM, 0, 1);
	end(p, SECCOMP_RET_KILL_PROCESS);
#endif
	/* a thread, yes; a namespace, no.  clone3's flags cannot be seen from here: libc then uses clone */
	add(p, BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 0, 4);
	load(p, FIELD(args[0])); /* the lower half: little-endian machines both */
	add(p, BPF_JMP | BPF_JSET | BPF_K, NAMESPACES, 0, 1);
	end(p, FAIL(EPERM));
	end(p, SECCOMP_RET_ALLOW);
#ifdef SYS_clone3
	add(p, BPF_JMP | BPF_JEQ | BPF_K, SYS_clone3, 0, 1);
	end(p, FAIL(ENOSYS));
#endif
	for (size_t i = 0; i < N_DENIED; i++) /* to the last instruction */
		add(p, BPF_JMP | BPF_JEQ | BPF_K, denied[i], (uint8_t)(N_DENIED - i), 0);
	end(p, SECCOMP_RET_ALLOW);
	end(p, FAIL(EPERM));
}

int seccomp_enter(struct err *err)
{
	struct prog p = { .n = 0 };
	struct sock_fprog prog;

	filter_make(&p);
	prog = (struct sock_fprog){ .len = p.n, .filter = p.at };
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog, 0, 0))
		return err_set(err, errno == EINVAL ? -ENOSYS : -errno, "seccomp: this kernel takes no filter: %s",
			       err_name(errno));
	return 0;
}

#else

int seccomp_enter(struct err *err)
{
	return err_set(err, -ENOSYS, "seccomp: not known for this kind of machine");
}

#endif
