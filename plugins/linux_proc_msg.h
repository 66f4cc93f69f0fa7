/* linux_proc_msg.h - what linux_proc_sampler publishes of a process: its command line, environment and files. */
#ifndef PLUGINS_LINUX_PROC_MSG_H
#define PLUGINS_LINUX_PROC_MSG_H

#include <uthash.h>

#include "plugins/linux_proc_conf.h"

#define LP_TIME_SIZE 20 /* bytes of a time in seconds, with its fraction and NUL */

struct lp_file;

struct lp_process {
	int pid;
	uint64_t tick;                 /* when it began, by its stat file: the number may come again */
	uint64_t start_tick;           /* the same, by its announcement */
	char start_time[LP_TIME_SIZE]; /* "1795187727.187727" */
	char *job;                     /* its number, as it was announced */
	uint64_t job_id, app_id;
	int64_t task_rank, parent;
	bool is_thread;
	char *exe, *user;
	struct set *set;       /* NULL: metric_sets=0 */
	struct lp_file *files; /* that are known */
	UT_hash_handle hh;     /* by pid */
};

/* Where messages come from, and where they go. */
struct lp_sender {
	struct samp *sp;
	const struct lp_conf *conf;
	const char *schema; /* channels are SCHEMA_argv and so on */
	struct buf out;
};

/* A process has begun.  0, also when it has gone already. */
int lp_send_begin(struct lp_sender *s, struct lp_read *r, const struct lp_process *p, struct err *err);
/* Files that have come and gone since the last time. */
int lp_send_files(struct lp_sender *s, struct lp_read *r, struct lp_process *p, struct err *err);
/* The process has ended: its files are closed. */
int lp_send_end(struct lp_sender *s, struct lp_process *p, struct err *err);
void lp_files_free(struct lp_process *p);

#endif
