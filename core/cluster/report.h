/* report.h - what a process of a cluster tells the one who started it, over a socket; the kernel says who it is. */
#ifndef CORE_CLUSTER_REPORT_H
#define CORE_CLUSTER_REPORT_H

#include <stdint.h>
#include <sys/types.h>

#include "core/base/err.h"

struct report {
	int32_t node; /* whom it is about, or FROM_KEEPER */
	int32_t rc;
	char msg[ERR_MAX]; /* when rc is not 0 */
};

#define FROM_KEEPER (-1)

/* sv[0] receives, sv[1] sends. */
int report_pair(int sv[2], struct err *err);
void report_send(int fd, int node, int rc, const struct err *err);
/* *ret_pid: the sender, as the receiver counts.  -EPIPE: there is nobody any more; -EINTR. */
int report_receive(int fd, struct report *ret, pid_t *ret_pid);

#endif
