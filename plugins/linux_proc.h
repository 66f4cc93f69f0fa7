/* linux_proc.h - what linux_proc_sampler's files share: the table of what it can tell of a process, and where a process
 * stands in /proc.
 */
#ifndef PLUGINS_LINUX_PROC_H
#define PLUGINS_LINUX_PROC_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/buf.h"
#include "core/set/schema.h"
#include "core/set/set.h"

/* The file, or what else a metric comes from. */
enum lp_source {
	LP_CMDLINE,
	LP_FD,
	LP_IO,
	LP_OOM_SCORE,
	LP_OOM_SCORE_ADJ,
	LP_ROOT,
	LP_STAT,
	LP_STATUS,
	LP_SYSCALL,
	LP_TIMERSLACK,
	LP_WCHAN,
	LP_SAMPLE,
	LP_SOURCES
};

/* How it is written there. */
enum lp_form {
	LP_DEC,       /* 12, -1; of an array as many as there are */
	LP_OCT,       /* 0022 */
	LP_HEX,       /* 000000010001ae4a */
	LP_HEX_WORDS, /* ffffffff,0000ffff: 32 bits each, the lowest last */
	LP_SECOND,    /* 3/128: the one behind the slash */
	LP_CHAR,      /* S */
	LP_TEXT,      /* up to the end of the line */
	LP_USER,      /* the names of four users or groups, in four metrics: this one's is number `at` */
	LP_GROUP,
	LP_OWN, /* its source's code knows */
};

struct lp_metric {
	struct metric_def def; /* METRIC_INFO: META, read once */
	enum lp_source source;
	enum lp_form form;
	int at;          /* LP_STAT: field as proc(5) counts them; LP_USER, LP_GROUP: which */
	const char *key; /* its line in LP_IO and LP_STATUS: "VmPeak:" */
};

extern const struct lp_metric lp_metrics[]; /* in the order of the set; ended by a row without name */
#define LP_METRICS_MAX 160
size_t lp_metrics_n(void);
/* The metric of that name, or -1. */
int lp_metric_find(const char *name, size_t len);

/* Which are wanted, and where they stand in the schema. */
struct lp_choice {
	int index[LP_METRICS_MAX]; /* -1: not wanted; else the metric's index in the set */
	bool source[LP_SOURCES];   /* any of it is wanted */
};

/* Names of system calls by their numbers. */
struct lp_syscalls {
	char **names;
	size_t n;
};

/* A process being read. */
struct lp_read {
	int proc_fd; /* /proc */
	int pid;
	struct set *set;
	const struct lp_choice *choice;
	const struct lp_syscalls *syscalls;
	bool first;       /* META values, too */
	char sep;         /* between the words of cmdline */
	struct buf *text; /* of the last file */
};

/* The text of a file of the process in r->text, with some NULs behind it: its length, or a negative errno. */
int lp_slurp(struct lp_read *r, const char *name);
/* Fields of the stat file in r->text. */
uint64_t lp_stat_field(const char *text, int at);
/* All that is wanted, between begin and end.  -ESRCH: it has gone. */
int lp_read_all(struct lp_read *r);
/* The name of a user, or his number. */
void lp_user_name(uint32_t uid, char *to, size_t size);

#endif
