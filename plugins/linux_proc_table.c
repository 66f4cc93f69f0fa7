/* linux_proc_table.c - the metrics of linux_proc_sampler, in the order of its sets: see linux_proc.h */
#include <string.h>

#include "plugins/linux_proc.h"

#define PID "of the process, from /proc/PID/"
/* LDMS leaves units out of the set: they are told here. */
#define UNIT(unit) " " unit " "

#define STAT(name, unit, kind, at)                                                                                     \
	{                                                                                                              \
		{ "stat_" name, V_U64, "", METRIC_##kind, name UNIT(unit) PID "stat", 1 }, LP_STAT, LP_DEC, at, NULL   \
	}
#define STATUS(name, unit, kind, form, key)                                                                            \
	{                                                                                                              \
		{ "status_" name, V_U64, "", METRIC_##kind, key UNIT(unit) PID "status", 1 }, LP_STATUS, form, 0, key  \
	}
#define STATUS_N(name, type, n, kind, form, at, key)                                                                   \
	{                                                                                                              \
		{ "status_" name, type, "", METRIC_##kind, key " " PID "status", n }, LP_STATUS, form, at, key         \
	}
#define IO(name, unit, key)                                                                                            \
	{                                                                                                              \
		{ "io_" name, V_U64, "", METRIC_COUNTER, key UNIT(unit) PID "io", 1 }, LP_IO, LP_DEC, 0, key           \
	}

/* clang-format off */
const struct lp_metric lp_metrics[] = {
	{ { "cmdline_len", V_U16, "", METRIC_INFO, "bytes " PID "cmdline", 1 }, LP_CMDLINE, LP_OWN, 0, NULL },
	{ { "cmdline", V_CHAR_ARRAY, "", METRIC_INFO, "words " PID "cmdline", 4096 }, LP_CMDLINE, LP_OWN, 1, NULL },
	{ { "n_open_files", V_U64, "", METRIC_GAUGE, "entries " PID "fd", 1 }, LP_FD, LP_OWN, 0, NULL },
	IO("read_b", "(bytes)", "rchar:"),
	IO("write_b", "(bytes)", "wchar:"),
	IO("n_read", "", "syscr:"),
	IO("n_write", "", "syscw:"),
	IO("read_dev_b", "(bytes)", "read_bytes:"),
	IO("write_dev_b", "(bytes)", "write_bytes:"),
	IO("write_cancelled_b", "(bytes)", "cancelled_write_bytes:"),
	{ { "oom_score", V_U64, "", METRIC_GAUGE, PID "oom_score", 1 }, LP_OOM_SCORE, LP_OWN, 0, NULL },
	{ { "oom_score_adj", V_U64, "", METRIC_GAUGE, PID "oom_score_adj", 1 }, LP_OOM_SCORE_ADJ, LP_OWN, 0, NULL },
	{ { "root", V_CHAR_ARRAY, "", METRIC_INFO, "root folder " PID "root", 4096 }, LP_ROOT, LP_OWN, 0, NULL },
	STAT("pid", "", GAUGE, 1),
	{ { "stat_comm", V_CHAR_ARRAY, "", METRIC_INFO, "comm " PID "stat", 4096 }, LP_STAT, LP_OWN, 2, NULL },
	{ { "stat_state", V_CHAR, "", METRIC_GAUGE, "state " PID "stat", 1 }, LP_STAT, LP_OWN, 3, NULL },
	STAT("ppid", "", GAUGE, 4),
	STAT("pgrp", "", GAUGE, 5),
	STAT("session", "", GAUGE, 6),
	STAT("tty_nr", "", GAUGE, 7),
	STAT("tpgid", "", GAUGE, 8),
	STAT("flags", "", GAUGE, 9),
	STAT("minflt", "", COUNTER, 10),
	STAT("cminflt", "", COUNTER, 11),
	STAT("majflt", "", COUNTER, 12),
	STAT("cmajflt", "", COUNTER, 13),
	STAT("utime", "(ticks)", COUNTER, 14),
	STAT("stime", "(ticks)", COUNTER, 15),
	STAT("cutime", "(ticks)", COUNTER, 16),
	STAT("cstime", "(ticks)", COUNTER, 17),
	STAT("priority", "", GAUGE, 18),
	STAT("nice", "", GAUGE, 19),
	STAT("num_threads", "", GAUGE, 20),
	STAT("itrealvalue", "(ticks)", GAUGE, 21),
	STAT("starttime", "(ticks)", GAUGE, 22),
	STAT("vsize", "(bytes)", GAUGE, 23),
	STAT("rss", "(pages)", GAUGE, 24),
	STAT("rsslim", "(bytes)", GAUGE, 25),
	STAT("startcode", "(address)", GAUGE, 26),
	STAT("endcode", "(address)", GAUGE, 27),
	STAT("startstack", "(address)", GAUGE, 28),
	STAT("kstkesp", "(address)", GAUGE, 29),
	STAT("kstkeip", "(address)", GAUGE, 30),
	STAT("signal", "", GAUGE, 31),
	STAT("blocked", "", GAUGE, 32),
	STAT("sigignore", "", GAUGE, 33),
	STAT("sigcatch", "", GAUGE, 34),
	STAT("wchan", "(address)", GAUGE, 35),
	STAT("nswap", "(pages)", GAUGE, 36),
	STAT("cnswap", "(pages)", GAUGE, 37),
	STAT("exit_signal", "", GAUGE, 38),
	STAT("processor", "", GAUGE, 39),
	STAT("rt_priority", "", GAUGE, 40),
	STAT("policy", "", GAUGE, 41),
	STAT("delayacct_blkio_ticks", "(ticks)", COUNTER, 42),
	STAT("guest_time", "(ticks)", COUNTER, 43),
	STAT("cguest_time", "(ticks)", COUNTER, 44),
	STAT("start_data", "(address)", GAUGE, 45),
	STAT("end_data", "(address)", GAUGE, 46),
	STAT("start_brk", "(address)", GAUGE, 47),
	STAT("arg_start", "(address)", GAUGE, 48),
	STAT("arg_end", "(address)", GAUGE, 49),
	STAT("env_start", "(address)", GAUGE, 50),
	STAT("env_end", "(address)", GAUGE, 51),
	STAT("exit_code", "", GAUGE, 52),
	STATUS_N("name", V_CHAR_ARRAY, 4096, INFO, LP_TEXT, 0, "Name:"),
	STATUS_N("umask", V_U32, 1, GAUGE, LP_OCT, 0, "Umask:"),
	STATUS_N("state", V_CHAR, 1, GAUGE, LP_CHAR, 0, "State:"),
	STATUS("tgid", "", GAUGE, LP_DEC, "Tgid:"),
	STATUS("ngid", "", GAUGE, LP_DEC, "Ngid:"),
	STATUS("pid", "", GAUGE, LP_DEC, "Pid:"),
	STATUS("ppid", "", GAUGE, LP_DEC, "PPid:"),
	STATUS("tracerpid", "", GAUGE, LP_DEC, "TracerPid:"),
	STATUS_N("uid", V_U64_ARRAY, 4, INFO, LP_DEC, 0, "Uid:"),
	STATUS_N("real_user", V_CHAR_ARRAY, 256, INFO, LP_USER, 0, "Uid:"),
	STATUS_N("eff_user", V_CHAR_ARRAY, 256, INFO, LP_USER, 1, "Uid:"),
	STATUS_N("sav_user", V_CHAR_ARRAY, 256, INFO, LP_USER, 2, "Uid:"),
	STATUS_N("fs_user", V_CHAR_ARRAY, 256, INFO, LP_USER, 3, "Uid:"),
	STATUS_N("gid", V_U64_ARRAY, 4, INFO, LP_DEC, 0, "Gid:"),
	STATUS_N("real_group", V_CHAR_ARRAY, 256, INFO, LP_GROUP, 0, "Gid:"),
	STATUS_N("eff_group", V_CHAR_ARRAY, 256, INFO, LP_GROUP, 1, "Gid:"),
	STATUS_N("sav_group", V_CHAR_ARRAY, 256, INFO, LP_GROUP, 2, "Gid:"),
	STATUS_N("fs_group", V_CHAR_ARRAY, 256, INFO, LP_GROUP, 3, "Gid:"),
	STATUS("fdsize", "", GAUGE, LP_DEC, "FDSize:"),
	STATUS_N("groups", V_U64_ARRAY, 16, GAUGE, LP_DEC, 0, "Groups:"),
	STATUS_N("nstgid", V_U64_ARRAY, 16, GAUGE, LP_DEC, 0, "NStgid:"),
	STATUS_N("nspid", V_U64_ARRAY, 16, GAUGE, LP_DEC, 0, "NSpid:"),
	STATUS_N("nspgid", V_U64_ARRAY, 16, GAUGE, LP_DEC, 0, "NSpgid:"),
	STATUS_N("nssid", V_U64_ARRAY, 16, GAUGE, LP_DEC, 0, "NSsid:"),
	STATUS("vmpeak", "(kB)", GAUGE, LP_DEC, "VmPeak:"),
	STATUS("vmsize", "(kB)", GAUGE, LP_DEC, "VmSize:"),
	STATUS("vmlck", "(kB)", GAUGE, LP_DEC, "VmLck:"),
	STATUS("vmpin", "(kB)", GAUGE, LP_DEC, "VmPin:"),
	STATUS("vmhwm", "(kB)", GAUGE, LP_DEC, "VmHWM:"),
	STATUS("vmrss", "(kB)", GAUGE, LP_DEC, "VmRSS:"),
	STATUS("rssanon", "(kB)", GAUGE, LP_DEC, "RssAnon:"),
	STATUS("rssfile", "(kB)", GAUGE, LP_DEC, "RssFile:"),
	STATUS("rssshmem", "(kB)", GAUGE, LP_DEC, "RssShmem:"),
	STATUS("vmdata", "(kB)", GAUGE, LP_DEC, "VmData:"),
	STATUS("vmstk", "(kB)", GAUGE, LP_DEC, "VmStk:"),
	STATUS("vmexe", "(kB)", GAUGE, LP_DEC, "VmExe:"),
	STATUS("vmlib", "(kB)", GAUGE, LP_DEC, "VmLib:"),
	STATUS("vmpte", "(kB)", GAUGE, LP_DEC, "VmPTE:"),
	STATUS("vmpmd", "(kB)", GAUGE, LP_DEC, "VmPMD:"),
	STATUS("vmswap", "(kB)", GAUGE, LP_DEC, "VmSwap:"),
	STATUS("hugetlbpages", "(kB)", GAUGE, LP_DEC, "HugetlbPages:"),
	STATUS_N("coredumping", V_U8, 1, GAUGE, LP_DEC, 0, "CoreDumping:"),
	STATUS("threads", "", GAUGE, LP_DEC, "Threads:"),
	STATUS("sig_queued", "", GAUGE, LP_DEC, "SigQ:"),
	STATUS("sig_limit", "", GAUGE, LP_SECOND, "SigQ:"),
	STATUS("sigpnd", "", GAUGE, LP_HEX, "SigPnd:"),
	STATUS("shdpnd", "", GAUGE, LP_HEX, "ShdPnd:"),
	STATUS("sigblk", "", GAUGE, LP_HEX, "SigBlk:"),
	STATUS("sigign", "", GAUGE, LP_HEX, "SigIgn:"),
	STATUS("sigcgt", "", GAUGE, LP_HEX, "SigCgt:"),
	STATUS("capinh", "", GAUGE, LP_HEX, "CapInh:"),
	STATUS("capprm", "", GAUGE, LP_HEX, "CapPrm:"),
	STATUS("capeff", "", GAUGE, LP_HEX, "CapEff:"),
	STATUS("capbnd", "", GAUGE, LP_HEX, "CapBnd:"),
	STATUS("capamb", "", GAUGE, LP_HEX, "CapAmb:"),
	STATUS("nonewprivs", "", GAUGE, LP_DEC, "NoNewPrivs:"),
	STATUS("seccomp", "", GAUGE, LP_DEC, "Seccomp:"),
	STATUS_N("speculation_store_bypass", V_CHAR_ARRAY, 64, GAUGE, LP_TEXT, 0, "Speculation_Store_Bypass:"),
	STATUS_N("cpus_allowed", V_U32_ARRAY, 4, GAUGE, LP_HEX_WORDS, 0, "Cpus_allowed:"),
	STATUS_N("cpus_allowed_list", V_CHAR_ARRAY, 128, GAUGE, LP_TEXT, 0, "Cpus_allowed_list:"),
	STATUS_N("mems_allowed", V_U32_ARRAY, 128, GAUGE, LP_HEX_WORDS, 0, "Mems_allowed:"),
	STATUS_N("mems_allowed_list", V_CHAR_ARRAY, 128, GAUGE, LP_TEXT, 0, "Mems_allowed_list:"),
	STATUS("voluntary_ctxt_switches", "", COUNTER, LP_DEC, "voluntary_ctxt_switches:"),
	STATUS("nonvoluntary_ctxt_switches", "", COUNTER, LP_DEC, "nonvoluntary_ctxt_switches:"),
	{ { "syscall", V_U64_ARRAY, "", METRIC_GAUGE, "number and arguments " PID "syscall", 9 }, LP_SYSCALL, LP_OWN, 0,
	  NULL },
	{ { "syscall_name", V_CHAR_ARRAY, "", METRIC_GAUGE, "name, with syscalls=, " PID "syscall", 64 }, LP_SYSCALL,
	  LP_OWN, 1, NULL },
	{ { "timerslack_ns", V_U64, "", METRIC_GAUGE, PID "timerslack_ns", 1 }, LP_TIMERSLACK, LP_OWN, 0, NULL },
	{ { "wchan", V_CHAR_ARRAY, "", METRIC_GAUGE, PID "wchan", 128 }, LP_WCHAN, LP_OWN, 0, NULL },
	{ { "sample_us", V_U64, "", METRIC_GAUGE, "microseconds that it took to read all this", 1 }, LP_SAMPLE, LP_OWN,
	  0, NULL },
	{ { NULL, V_NONE, NULL, METRIC_GAUGE, NULL, 0 }, LP_SAMPLE, LP_OWN, 0, NULL },
};
/* clang-format on */

static_assert(sizeof(lp_metrics) / sizeof(*lp_metrics) <= LP_METRICS_MAX, "all have a place in struct lp_choice");

size_t lp_metrics_n(void)
{
	return sizeof(lp_metrics) / sizeof(*lp_metrics) - 1;
}

int lp_metric_find(const char *name, size_t len)
{
	for (size_t i = 0; i < lp_metrics_n(); i++)
		if (strlen(lp_metrics[i].def.name) == len && !memcmp(lp_metrics[i].def.name, name, len))
			return (int)i;
	return -1;
}
