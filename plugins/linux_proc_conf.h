/* linux_proc_conf.h - what linux_proc_sampler is told by its attributes, or by a file of them. */
#ifndef PLUGINS_LINUX_PROC_CONF_H
#define PLUGINS_LINUX_PROC_CONF_H

#include "core/base/regex.h"
#include "plugins/linux_proc.h"
#include "plugins/samp.h"

struct lp_patterns {
	struct rx *v;
	size_t n;
};

struct lp_conf {
	bool wanted[LP_METRICS_MAX];
	char *prefix, *tag;
	bool exe_suffix, sc_clk_tck, metric_sets, argv_msg, argv_include_fd, env_msg, env_include_fd, env_threads,
		fd_threads, fd_map_files;
	uint64_t argv_fmt, fd_msg;
	char argv_sep;
	struct lp_syscalls syscalls;
	struct lp_patterns env_exclude, fd_exclude;
	char *published_pid_dir;
};

extern const struct samp_attr lp_attrs[];

/* From the attributes of `sp`, and the files that they name; -EINVAL and others with words.  lp_conf_fini() also takes
 * what was left half done. */
int lp_conf_read(struct samp *sp, struct lp_conf *ret, struct err *err);
void lp_conf_fini(struct lp_conf *c);
bool lp_patterns_match(const struct lp_patterns *p, const char *text);

#endif
